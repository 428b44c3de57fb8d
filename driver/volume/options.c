#include "options.h"

#include <string.h>

enum { NAME_LENGTH_MAX = 255 };

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

enum hv_code hv_volume_read_options(
	const struct hv_opts *opts, struct hv_volume_options *ret, struct hv_error *err)
{
	for (size_t i = 0; i < opts->count; i++) {
		const char *key = opts->items[i].key, *value = opts->items[i].value;
		enum hv_code code;

		if (strcmp(key, "path") == 0)
			code = read_path(value, ret, err);
		else if (strcmp(key, "mkdir") == 0)
			code = read_switch(key, value, &ret->mkdir, err);
		else if (strcmp(key, "ro") == 0)
			code = read_switch(key, value, &ret->read_only, err);
		else {
			hv_fail(err, HV_BAD_REQUEST, "unknown option '%s'", key);
			code = hv_hint(err, "the options are path, mkdir and ro");
		}
		if (code != HV_OK)
			return code;
	}
	if (ret->mkdir && !ret->path)
		return hv_fail(err, HV_BAD_REQUEST,
			"option mkdir needs option path: without it hostvol makes its own directory");
	return HV_OK;
}
