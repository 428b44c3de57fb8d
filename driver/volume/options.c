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
	return hv_hint(
		err, "for a host directory: docker volume create -d hostvol -o path=/DIR NAME");
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

enum hv_code hv_volume_read_attach(
	const char *value, struct hv_attach_place *ret, struct hv_error *err)
{
	const char *colon = strchrnul(value, ':'), *target = *colon ? colon + 1 : colon;
	size_t name = (size_t)(colon - value), length = strlen(target);

	*ret = (struct hv_attach_place){.read_only = false};
	if (length > 3 && strcmp(target + length - 3, ":ro") == 0) {
		ret->read_only = true;
		length -= 3;
	} else if (length > 3 && strcmp(target + length - 3, ":rw") == 0) {
		length -= 3;
	}
	if (name == 0 || name >= sizeof(ret->container) || length >= sizeof(ret->target) ||
		target[0] != '/') {
		hv_fail(err, HV_BAD_REQUEST,
			"option attach=%.300s is not CONTAINER:TARGET, with the absolute path of a target",
			value);
		return hv_hint(err, "for example attach=web:/mnt/data, or attach=web:/mnt/data:ro");
	}
	memcpy(ret->container, value, name);
	memcpy(ret->target, target, length);
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
		err, "names are different in every container: getent passwd NAME tells the number");
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

static enum hv_code check_together(const struct hv_volume_options *options, struct hv_error *err)
{
	if (options->from && (options->path || options->mkdir))
		return hv_fail(err, HV_BAD_REQUEST,
			"option from goes without %s: the data is that of the other volume",
			options->path ? "path" : "mkdir");
	if (options->mkdir && !options->path)
		return hv_fail(err, HV_BAD_REQUEST,
			"option mkdir needs option path: without it hostvol makes its own directory");
	if (options->subpath && !options->path && !options->from)
		return hv_fail(err, HV_BAD_REQUEST,
			"option subpath needs option path or from: a new directory of hostvol's own is empty");
	if (options->require_mount && !options->path && !options->from)
		return hv_fail(err, HV_BAD_REQUEST,
			"option require-mount needs option path or from: hostvol's own directories are where its state is");
	return HV_OK;
}

enum hv_code hv_volume_read_options(
	const struct hv_opts *opts, struct hv_volume_options *ret, struct hv_error *err)
{
	ret->owner = (struct mc_owner){-1, -1, -1};
	for (size_t i = 0; i < opts->count; i++) {
		const char *key = opts->items[i].key, *value = opts->items[i].value;
		enum hv_code code;

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
		else if (strcmp(key, "uid") == 0 || strcmp(key, "gid") == 0 ||
			 strcmp(key, "mode") == 0)
			code = read_owner(key, value, &ret->owner, err);
		else if (strcmp(key, "attach") == 0)
			code = read_attach(value, err);
		else {
			hv_fail(err, HV_BAD_REQUEST, "unknown option '%s'", key);
			code = hv_hint(err,
				"the options are path, mkdir, subpath, from, uid, gid, mode, ro, require-mount and attach");
		}
		if (code != HV_OK)
			return code;
	}
	return check_together(ret, err);
}
