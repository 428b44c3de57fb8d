/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the user's (option path, or bind in option o). */
#include "mountcore/host.h"

#include "directory.h"
#include "kinds.h"
#include "purge.h"
#include "record.h"
#include "user_dir.h"
#include "volumes.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->path != NULL;
}

/* Option on-remove=purge: of a directory that hostvol is about to make. */
static enum hv_code check_purge(struct hv_volumes *volumes, const struct hv_volume_options *options,
	const struct hv_source *found, struct hv_error *err)
{
	if (options->on_remove != HV_ON_REMOVE_PURGE)
		return HV_OK;
	if (mc_host_is_remote(volumes->core, found->source))
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s is on a file system that a server stands behind, where hostvol deletes no directories: on-remove=purge is for local ones",
			found->source);
	if (found->missing > 0)
		return HV_OK;
	hv_fail(err, HV_SOURCE_REFUSED,
		"%s was not made for this volume, and would not be purged with it", found->source);
	return hv_hint(err,
		"leave out on-remove=purge to keep the data, or use it with mkdir=true and a directory that does not exist yet");
}

static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	if (hv_user_dir_find(volumes, name, options, ret, err) != HV_OK ||
		(options->subpath &&
			hv_source_find_inside(volumes, name, options, ret, err) != HV_OK))
		return err->code;
	return check_purge(volumes, options, ret, err);
}

static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	if (volume->missing > 0 && hv_user_dir_make(volumes, volume, err) != HV_OK)
		return err->code;
	return hv_volume_own(volumes, volume, err);
}

/* Take the attributes of each mount of the volume from option o with bind. */
static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	enum hv_code code;

	(void)volumes;
	if (!hv_opts_get(&volume->opts, "o"))
		return HV_OK;
	code = hv_volume_read_options(&volume->opts, &options, err);
	ret->attr = options.attr;
	return code;
}

static int remove_data(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	return hv_purge_is_wanted(volumes, volume) ? hv_purge(volumes, volume) : 0;
}

const struct hv_volume_kind hv_kind_path = {
	.name = "path",
	.claims = claims,
	.resolve = resolve,
	.make = make,
	.unmake = hv_user_dir_unmake,
	.acquire = acquire,
	.check_removal = hv_purge_check,
	.remove_data = remove_data,
};
