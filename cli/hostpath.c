/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/hostpath.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/kind.h"
#include "wire/utf8.h"

#include "cli/document.h"

enum { HASH_SUFFIX_BYTES = 9 }; /* a dash and 8 digits */

static enum hv_code fail_to_resolve(const char *path, int error, struct hv_error *err)
{
	switch (error) {
	case ENOENT:
		hv_fail(err, HV_SOURCE_MISSING, "there is no directory %s", path);
		return hv_hint(err, "mkdir -p %s", path);
	case ENOTDIR:
		return hv_fail(err, HV_TYPE_MISMATCH, "%s is not a directory", path);
	case EACCES:
		hv_fail(err, HV_DENIED, "no permission to look at %s", path);
		return hv_hint(err, "run this with sudo");
	default:
		return hv_fail(err, HV_SOURCE_REFUSED, "cannot resolve %s: %s", path,
			strerrordesc_np(error));
	}
}

enum hv_code hv_hostpath_resolve(const char *path, char **ret_real, struct hv_error *err)
{
	struct stat status = {0};
	hv_auto_free char *real = realpath(path, NULL);
	int error = real && stat(real, &status) == 0 ? 0 : errno;

	if (error == 0 && !S_ISDIR(status.st_mode))
		error = ENOTDIR;
	if (error)
		return fail_to_resolve(path, error, err);
	if (!hv_utf8_is_valid(real))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the path %s is not UTF-8, as Docker needs it", real);
	*ret_real = real;
	real = NULL;
	return HV_OK;
}

uint32_t hv_fnv1a(const char *text)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *text; text++) {
		hash ^= (unsigned char)*text;
		hash *= UINT32_C(16777619);
	}
	return hash;
}

void hv_volume_name_format(const char *real, char *ret_name, size_t size_bytes)
{
	const char *slash = strrchr(real, '/');
	const char *base = slash ? slash + 1 : real;
	bool needs_prefix;
	int room;

	if (!*base)
		base = "root";
	needs_prefix = !isalnum((unsigned char)base[0]);
	room = HV_VOLUME_NAME_MAX_BYTES - HASH_SUFFIX_BYTES - needs_prefix;
	snprintf(ret_name, size_bytes, "%s%.*s-%08x", needs_prefix ? "v" : "", room, base,
		hv_fnv1a(real));
	for (char *at = ret_name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("_.-", *at))
			*at = '_';
}

static bool is_usable(struct json_object *volume, const char *real)
{
	struct json_object *status = hv_document_get(volume, "Status", json_type_object);
	const char *source = hv_document_text(status, "source");
	enum hv_kind kind = hv_kind_parse(hv_document_text(status, "kind"));

	return source && kind == HV_KIND_PATH && strcmp(source, real) == 0 &&
	       !hv_document_flag(status, "read_only");
}

/* The first that is called `name` and may be used for `real`, where they are not NULL. */
static struct json_object *find(struct json_object *list, const char *real, const char *name)
{
	struct json_object *volumes = hv_document_get(list, "Volumes", json_type_array);
	size_t count = volumes ? json_object_array_length(volumes) : 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *volume = json_object_array_get_idx(volumes, i);
		const char *found = hv_document_text(volume, "Name");

		if (found && (!name || strcmp(name, found) == 0) &&
			(!real || is_usable(volume, real)))
			return volume;
	}
	return NULL;
}

const char *hv_volume_find(struct json_object *list, const char *real, const char *name)
{
	return hv_document_text(find(list, real, name), "Name");
}

const char *hv_volume_source(struct json_object *list, const char *name)
{
	struct json_object *volume = find(list, NULL, name);
	const char *source =
		hv_document_text(hv_document_get(volume, "Status", json_type_object), "source");

	return !volume || source ? source : "";
}
