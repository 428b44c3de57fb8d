/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of the user's (option path, or bind in option o). */
#include <errno.h>
#include <limits.h>

#include "mountcore/attach.h"
#include "mountcore/host.h"

#include "directory.h"
#include "kinds.h"
#include "overlap.h"
#include "policy.h"
#include "purge.h"
#include "record.h"
#include "volumes.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->path != NULL;
}

/* The directory is there, or is to be made. */
static enum hv_code find_path(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	struct mc_err cause = {0};
	int rc = mc_host_resolve(volumes->core, options->path, ret->source, &ret->missing, &cause);
	bool is_missing = rc == -ENOENT && ret->source[0];

	if (rc < 0 && !(is_missing && options->mkdir))
		return hv_directory_explain(&cause, name, options->path, err);
	if (hv_policy_check(volumes, ret->source, err) != HV_OK)
		return err->code;
	return hv_overlap_check_path(volumes, ret->source, err);
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
	if (find_path(volumes, name, options, ret, err) != HV_OK ||
		(options->subpath &&
			hv_source_find_inside(volumes, name, options, ret, err) != HV_OK))
		return err->code;
	return check_purge(volumes, options, ret, err);
}

/* Make what is missing of the directory, where it was looked for and nowhere else. */
static enum hv_code make_path(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	char real[PATH_MAX] = "";
	struct mc_made made;
	struct mc_err cause = {0};
	int rc = mc_host_make(volumes->core, volume->source, true, real, &made, &cause);

	if (rc == -ELOOP)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"a part of %s was replaced by a symlink while volume '%s' was created",
			volume->source, volume->name);
	if (rc < 0)
		return hv_directory_explain(&cause, volume->name, volume->source, err);
	if (made.count > 0) {
		volume->made_dev = made.ids[made.count - 1].dev;
		volume->made_ino = made.ids[made.count - 1].ino;
		return HV_OK;
	}
	if (!hv_purge_is_wanted(volumes, volume))
		return HV_OK;
	volume->missing = 0; /* nothing of it is ours to take back */
	return hv_fail(err, HV_SOURCE_REFUSED,
		"%s was made by somebody else while volume '%s' was created, and would not be purged with it",
		volume->source, volume->name);
}

static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	if (volume->missing > 0 && make_path(volumes, volume, err) != HV_OK)
		return err->code;
	return hv_volume_own(volumes, volume, err);
}

static void unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	const struct mc_made made = {
		.count = volume->missing < MC_MADE_MAX ? volume->missing : MC_MADE_MAX};

	mc_host_unmake(volumes->core, volume->source, &made);
}

/* Take the attributes of each mount of the volume from option o with bind. */
static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_use *ret, struct hv_error *err)
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
	.unmake = unmake,
	.acquire = acquire,
	.check_removal = hv_purge_check,
	.remove_data = remove_data,
};
