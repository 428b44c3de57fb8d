/* SPDX-License-Identifier: Apache-2.0 */
#include "fs_source.h"

#include <string.h>

/* How long the key is of a directory, or a list of them, of overlayfs; 0: another option. */
static size_t layer_key(const char *word)
{
	static const char *const keys[] = {
		"lowerdir=", "lowerdir+=", "datadir+=", "upperdir=", "workdir="};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncmp(word, keys[i], strlen(keys[i])) == 0)
			return strlen(keys[i]);
	return 0;
}

/* The directories of overlayfs: "lowerdir=/a:/b::/c,upperdir=/d,workdir=/e". */
static enum hv_code each_layer(const struct hv_volume_options *options, hv_fs_visit visit,
	void *context, struct hv_error *err)
{
	hv_auto_free char *o = strdup(options->o);
	char *word, *rest = o;

	if (!o)
		return hv_oom(err);
	while ((word = strsep(&rest, ","))) {
		const bool is_list = strncmp(word, "lowerdir=", 9) == 0;
		size_t key = layer_key(word);
		char *paths = key ? word + key : NULL, *path;

		while ((path = strsep(&paths, is_list ? ":" : ""))) {
			enum hv_code code = HV_OK;

			if (*path || !is_list) /* "::" is before a layer of data only */
				code = visit(context, "o", path, err);
			if (code != HV_OK)
				return code;
		}
	}
	return HV_OK;
}

static bool is_share(const struct hv_volume_options *options)
{
	return (strcmp(options->type, "cifs") == 0 || strcmp(options->type, "smb3") == 0) &&
	       strncmp(options->device, "//", 2) == 0;
}

enum hv_code hv_fs_each_path(const struct hv_volume_options *options, hv_fs_visit visit,
	void *context, struct hv_error *err)
{
	if (strcmp(options->type, "overlay") == 0)
		return each_layer(options, visit, context, err);
	if (options->device[0] == '/' && !is_share(options))
		return visit(context, "device", options->device, err);
	return HV_OK;
}
