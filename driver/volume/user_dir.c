/* SPDX-License-Identifier: Apache-2.0 */
#include "user_dir.h"

#include <errno.h>
#include <limits.h>

#include "mountcore/attach.h"
#include "mountcore/host.h"

#include "directory.h"
#include "overlap.h"
#include "policy.h"
#include "record.h"
#include "volumes.h"

enum hv_code hv_user_dir_find(struct hv_volumes *volumes, const char *name,
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

enum hv_code hv_user_dir_make(
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

void hv_user_dir_unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	const struct mc_made made = {
		.count = volume->missing < MC_MADE_MAX ? volume->missing : MC_MADE_MAX};

	mc_host_unmake(volumes->core, volume->source, &made);
}
