/* SPDX-License-Identifier: Apache-2.0 */
#include "kind_nested.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/attach.h"
#include "mountcore/host.h"

#include "directory.h"
#include "overlap.h"
#include "policy.h"
#include "volumes.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->type && strcmp(options->type, "nested") == 0;
}

static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	char path[PATH_MAX];
	struct mc_err cause = {0};
	int rc;

	snprintf(path, sizeof(path), "%s/%s", options->device, name);
	rc = mc_host_resolve(volumes->core, path, ret->source, &ret->missing, &cause);
	if (rc < 0 && !(rc == -ENOENT && ret->missing == 1))
		return hv_directory_explain(&cause, name, path, err);
	if (hv_policy_check(volumes, ret->source, err) != HV_OK)
		return err->code;
	return hv_overlap_check_path(volumes, ret->source, err);
}

static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	char real[PATH_MAX] = "";
	struct mc_err cause = {0};

	if (volume->missing > 0 &&
		mc_host_make(volumes->core, volume->source, true, real, NULL, &cause) < 0)
		return hv_directory_explain(&cause, volume->name, volume->source, err);
	return hv_volume_own(volumes, volume, err);
}

static void unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	const struct mc_made made = {.count = volume->missing};

	mc_host_unmake(volumes->core, volume->source, &made);
}

static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	(void)volumes;
	(void)volume;
	(void)err;
	return mc_attr_add(&ret->attr, "noexec") == 0 ? HV_OK : HV_INTERNAL;
}

static int remove_data(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	unmake(volumes, volume);
	return 0;
}

const struct hv_volume_kind hv_kind_nested = {
	.name = "nested",
	.claims = claims,
	.resolve = resolve,
	.make = make,
	.unmake = unmake,
	.acquire = acquire,
	.remove_data = remove_data,
};
