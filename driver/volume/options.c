/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"
#include "volume/volume.h"

enum { NAME_LENGTH_MAX = 255 };

static const long long ID_MAX = 4294967294; /* the one above means "no change" to chown(2) */

enum hv_code hv_volume_check_name(const char *name, struct hv_error *err)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t length = strlen(name);

	if (length > NAME_LENGTH_MAX)
		return hv_fail(err, HV_BAD_REQUEST,
			"the volume name is %zu characters long; at most %d are allowed", length,
			NAME_LENGTH_MAX);
	if (length < 2)
		return hv_fail(err, HV_BAD_REQUEST,
			"the volume name '%s' is too short; it needs at least two characters",
			name);
	if (strchr(first, name[0]) && name[strspn(name, rest)] == '\0')
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"'%s' is not a volume name: only letters, digits, '_', '.' and '-' are allowed, beginning with a letter or digit",
		name);
	return hv_hint(err,
		"give a host directory with option path: docker volume create -d hostvol -o path=/DIR NAME");
}

static enum hv_code read_path(
	const char *value, struct hv_volume_options *ret, struct hv_error *err)
{
	if (value[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST, "option path=%s is not an absolute path", value);
		return hv_hint(err, "write it from the root: path=/srv/data");
	}
	ret->path = value;
	return HV_OK;
}

static enum hv_code read_switch(const char *key, const char *value, bool *ret, struct hv_error *err)
{
	if (strcmp(value, "true") == 0 || strcmp(value, "1") == 0 || !*value)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0)
		*ret = false;
	else
		return hv_fail(
			err, HV_BAD_REQUEST, "option %s=%s is neither true nor false", key, value);
	return HV_OK;
}

static enum hv_code read_attach(const char *value, struct hv_error *err)
{
	struct hv_attach_place ignored;

	return hv_volume_read_attach(value, &ignored, err);
}

static enum hv_code read_from(
	const char *value, struct hv_volume_options *ret, struct hv_error *err)
{
	ret->from = value;
	return hv_volume_check_name(value, err);
}

enum hv_code hv_volume_read_subpath(
	const char *value, char ret[static PATH_MAX], struct hv_error *err)
{
	char rooted[PATH_MAX];
	size_t length = strlen(value);

	*ret = '\0';
	if (length == 0)
		return HV_OK;
	if (value[0] == '/')
		return hv_fail(err, HV_BAD_REQUEST,
			"the subpath '%s' must be relative to the volume's directory", value);
	for (const char *at = value; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return hv_fail(
				err, HV_BAD_REQUEST, "the subpath '%s' has '..' in it", value);
	}
	if (length + 2 > sizeof(rooted))
		return hv_fail(err, HV_BAD_REQUEST, "the subpath is too long");
	rooted[0] = '/';
	memcpy(rooted + 1, value, length + 1);
	if (mc_path_clean(rooted, ret, PATH_MAX) < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the subpath is too long");
	memmove(ret, ret + 1, strlen(ret));
	return HV_OK;
}

static enum hv_code read_subpath(
	const char *value, struct hv_volume_options *ret, struct hv_error *err)
{
	char clean[PATH_MAX];

	ret->subpath = value;
	return hv_volume_read_subpath(value, clean, err);
}

/* A number of this base, up to `max`. */
static enum hv_code read_number(const char *key, const char *value, int base, long long max,
	int64_t *ret, struct hv_error *err)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value, &end, base);
	if (value[0] >= '0' && value[0] <= '9' && !*end && errno == 0 && number <= max) {
		*ret = number;
		return HV_OK;
	}
	if (base == 8)
		return hv_fail(err, HV_BAD_REQUEST,
			"option %s=%.64s is not a mode: octal digits, as of chmod, up to 7777", key,
			value);
	hv_fail(err, HV_BAD_REQUEST, "option %s=%.64s is not a number from 0 to %lld", key, value,
		max);
	return hv_hint(
		err, "give the number, since names differ between containers: getent passwd NAME");
}

static enum hv_code read_owner(
	const char *key, const char *value, struct mc_owner *ret, struct hv_error *err)
{
	int64_t mode = -1;
	enum hv_code code;

	if (strcmp(key, "uid") == 0)
		return read_number(key, value, 10, ID_MAX, &ret->uid, err);
	if (strcmp(key, "gid") == 0)
		return read_number(key, value, 10, ID_MAX, &ret->gid, err);
	code = read_number(key, value, 8, 07777, &mode, err);
	ret->mode = (int)mode;
	return code;
}

static enum hv_code read_as(const char *value, struct hv_as *ret, struct hv_error *err)
{
	if (hv_as_parse(value, ret))
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "option as=%.64s is not " HV_AS_FORM, value);
	return hv_hint(err,
		"give the numbers, since names differ between containers: docker exec CONTAINER id");
}

static enum hv_code read_on_remove(const char *value, enum hv_on_remove *ret, struct hv_error *err)
{
	if (strcmp(value, "keep") == 0)
		*ret = HV_ON_REMOVE_KEEP;
	else if (strcmp(value, "purge") == 0)
		*ret = HV_ON_REMOVE_PURGE;
	else
		return hv_fail(err, HV_BAD_REQUEST,
			"option on-remove=%.64s is neither keep nor purge", value);
	return HV_OK;
}

/* "100m", "1.5 GiB": as Docker reads sizes, in powers of 1024. */
static enum hv_code read_size(const char *value, uint64_t *ret, struct hv_error *err)
{
	static const char units[] = "kmgtp";
	const char *unit;
	char *end;
	double number = strtod(value, &end);

	if (value[0] < '0' || value[0] > '9') {
		number = -1;
	} else {
		end += *end == ' ';
		unit = *end ? strchr(units, *end | 0x20) : NULL;
		for (const char *at = units; unit && at <= unit; at++)
			number *= 1024;
		end += unit != NULL;
		end += unit && (*end | 0x20) == 'i';
		end += (*end | 0x20) == 'b';
	}
	if (number < 0 || *end || number >= (double)INT64_MAX || strpbrk(value, "xXnN")) {
		hv_fail(err, HV_BAD_REQUEST, "option size=%.64s is not a size", value);
		return hv_hint(err, "write a number and a unit, such as size=500m or size=1.5g");
	}
	*ret = (uint64_t)number;
	return *ret > 0 ? HV_OK
			: hv_fail(err, HV_BAD_REQUEST, "option size=%.64s is no size", value);
}

bool hv_volume_o_has(const char *o, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = o; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || !at[length]))
			return true;
	}
	return false;
}

/* One word of `o` with bind: an option of mount(8) for any file system. */
static enum hv_code read_bind_word(
	const char *word, struct hv_volume_options *ret, struct hv_error *err)
{
	static const char *const ignored[] = {"", "bind", "rbind", "defaults", "rw", "suid", "dev",
		"exec", "private", "rprivate"};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (strcmp(word, ignored[i]) == 0)
			return HV_OK;
	if (strcmp(word, "ro") == 0) {
		ret->read_only = true;
		return HV_OK;
	}
	if (mc_attr_add(&ret->attr, word) == 0)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "option o has '%.*s', which a bind mount knows nothing of",
		(int)strcspn(word, "="), word); /* and not its value: it may be a password */
	return hv_hint(err,
		"use options of a bind mount: ro, nosuid, nodev, noexec, noatime and the like");
}

/* o=bind: a directory of the host by another spelling. */
static enum hv_code read_bind(struct hv_volume_options *ret, struct hv_error *err)
{
	if (ret->device[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST, "option device=%.300s is not an absolute path",
			ret->device);
		return hv_hint(err, "write it from the root: device=/srv/data");
	}
	ret->is_bind = true;
	ret->path = ret->device;
	for (const char *at = ret->o, *end; at; at = *end ? end + 1 : NULL) {
		char word[64];

		end = strchrnul(at, ',');
		if ((size_t)(end - at) >= sizeof(word))
			return hv_fail(err, HV_BAD_REQUEST,
				"option o has a word that is too long for one of a bind mount");
		memcpy(word, at, (size_t)(end - at));
		word[end - at] = '\0';
		if (read_bind_word(word, ret, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

static enum hv_code check_fs(struct hv_volume_options *options, struct hv_error *err)
{
	const char *lacks = !options->type ? "type" : "device";
	struct mc_fs fs;
	char refused[MC_FS_OPTION_SIZE];
	int rc;

	if (!options->type || !options->device) {
		hv_fail(err, HV_BAD_REQUEST, "missing required option: \"%s\"", lacks);
		return hv_hint(err,
			"give type, device and o together, as for mount: -o type=tmpfs -o device=tmpfs -o o=size=100m");
	}
	if (options->path || options->from)
		return hv_fail(err, HV_BAD_REQUEST,
			"option type goes without %s: the data is what is mounted",
			options->path ? "path" : "from");
	if (hv_volume_o_has(options->o, "bind") || hv_volume_o_has(options->o, "rbind"))
		return read_bind(options, err);
	if (options->mkdir || options->subpath || options->require_mount || options->on_remove)
		return hv_fail(err, HV_BAD_REQUEST, "option %s goes without type",
			options->on_remove ? "on-remove"
			: options->mkdir   ? "mkdir"
			: options->subpath ? "subpath"
					   : "require-mount");
	if (!*options->type || !*options->device)
		return hv_fail(err, HV_BAD_REQUEST, "option %s is empty",
			*options->type ? "device" : "type");
	rc = mc_fs_read(options->type, options->device, options->o, &fs, refused);
	if (rc == -ENOMEM)
		return hv_oom(err);
	if (rc == -EINVAL)
		return hv_fail(err, HV_BAD_REQUEST,
			"option o has '%s', which makes no sense for a volume", refused);
	return rc < 0 ? hv_fail(err, HV_BAD_REQUEST, "option type, device or o is too long")
		      : HV_OK;
}

static enum hv_code check_together(const struct hv_volume_options *options, struct hv_error *err)
{
	if (options->from && (options->path || options->mkdir))
		return hv_fail(err, HV_BAD_REQUEST,
			"option from goes without %s: the data is that of the other volume",
			options->path ? "path" : "mkdir");
	if (options->mkdir && !options->path)
		return hv_fail(err, HV_BAD_REQUEST,
			"option mkdir needs option path: without it hostvol makes its own directory");
	if (options->from && options->on_remove)
		return hv_fail(err, HV_BAD_REQUEST,
			"option on-remove goes without from: the data is that of the other volume");
	if (options->subpath && !options->path && !options->from)
		return hv_fail(err, HV_BAD_REQUEST,
			"option subpath needs option path or from: a new directory of hostvol's own is empty");
	if (options->require_mount && !options->path && !options->from)
		return hv_fail(err, HV_BAD_REQUEST,
			"option require-mount needs option path or from: hostvol's own directories are where its state is");
	return HV_OK;
}

static enum hv_code fail_unknown(const char *key, struct hv_error *err)
{
	hv_fail(err, HV_BAD_REQUEST, "unknown option '%s'", key);
	if (strcmp(key, "mountpoint") == 0) /* of local-persist */
		return hv_hint(err, "use option path for a directory of the host: -o path=/DIR");
	return hv_hint(err,
		"use one of path, mkdir, subpath, from, uid, gid, mode, as, ro, require-mount, follow, size, on-remove, type, device, o and attach");
}

enum hv_code hv_volume_read_options(
	const struct hv_opts *opts, struct hv_volume_options *ret, struct hv_error *err)
{
	ret->owner = (struct mc_owner){-1, -1, -1};
	for (size_t i = 0; i < opts->count; i++) {
		const char *key = opts->items[i].key, *value = opts->items[i].value;
		enum hv_code code = HV_OK;

		if (strcmp(key, "path") == 0)
			code = read_path(value, ret, err);
		else if (strcmp(key, "mkdir") == 0)
			code = read_switch(key, value, &ret->mkdir, err);
		else if (strcmp(key, "ro") == 0)
			code = read_switch(key, value, &ret->read_only, err);
		else if (strcmp(key, "from") == 0)
			code = read_from(value, ret, err);
		else if (strcmp(key, "subpath") == 0)
			code = read_subpath(value, ret, err);
		else if (strcmp(key, "require-mount") == 0)
			code = read_switch(key, value, &ret->require_mount, err);
		else if (strcmp(key, "follow") == 0)
			code = read_switch(key, value, &ret->follow, err);
		else if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0 ||
			 strcmp(key, "mode") == 0)
			code = read_owner(key, value, &ret->owner, err);
		else if (strcmp(key, "as") == 0)
			code = read_as(value, &ret->as, err);
		else if (strcmp(key, "attach") == 0)
			code = read_attach(value, err);
		else if (strcmp(key, "size") == 0)
			code = read_size(value, &ret->size_bytes, err);
		else if (strcmp(key, "on-remove") == 0)
			code = read_on_remove(value, &ret->on_remove, err);
		else if (strcmp(key, "type") == 0)
			ret->type = value;
		else if (strcmp(key, "device") == 0)
			ret->device = value;
		else if (strcmp(key, "o") == 0)
			ret->o = value;
		else
			code = fail_unknown(key, err);
		if (code != HV_OK)
			return code;
	}
	if (ret->size_bytes > 0 && (ret->path || ret->from || ret->type)) {
		hv_fail(err, HV_BAD_REQUEST,
			"option size goes without %s: it limits a directory of hostvol's own",
			ret->path   ? "path"
			: ret->from ? "from"
				    : "type");
		return hv_hint(err, "give the size of a tmpfs in option o: -o o=size=100m");
	}
	if (ret->type || ret->device || ret->o) {
		ret->o = ret->o ? ret->o : "";
		ret->keeps_suid = hv_volume_o_has(ret->o, "suid");
		return check_fs(ret, err);
	}
	return check_together(ret, err);
}
