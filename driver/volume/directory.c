/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include <errno.h>
#include <string.h>

#include "mountcore/host.h"
#include "mountcore/quota.h"
#include "store/store.h"
#include "volume/explain.h"

#include "options.h"
#include "record.h"
#include "volumes.h"

enum hv_code hv_directory_explain(
	const struct mc_err *cause, const char *name, const char *path, struct hv_error *err)
{
	const struct hv_error_subject names = {.volume = name, .source = path, .target = path};

	if (cause->step == MC_STEP_SOURCE && cause->code == -ENOENT) {
		hv_fail(err, HV_SOURCE_MISSING, "there is no directory %s on the host", path);
		return hv_hint(err, "create it first, or add -o mkdir=true");
	}
	if (cause->step == MC_STEP_SOURCE && cause->code == -ENOTDIR)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"%s, or something on the way to it, is not a directory", path);
	if (cause->step == MC_STEP_SOURCE && mc_err_is_dead(cause->code))
		return hv_error_from_mount(err, cause, &names);
	if (cause->step == MC_STEP_SOURCE || cause->step == MC_STEP_MKDIR)
		hv_fail(err, HV_SOURCE_REFUSED, "the directory %s cannot be %s: %s", path,
			cause->step == MC_STEP_MKDIR ? "made" : "used",
			strerrordesc_np(-cause->code));
	if (cause->step == MC_STEP_SOURCE && cause->code == -EACCES) /* root meets it on FUSE */
		return hv_hint(err,
			"if a user has mounted it with FUSE, mount it with the option allow_other");
	if (cause->step == MC_STEP_SOURCE || cause->step == MC_STEP_MKDIR)
		return err->code;
	return hv_error_from_mount(err, cause, &names);
}

enum hv_code hv_volume_limit(struct hv_volumes *volumes, const struct hv_volume *volume,
	uint64_t bytes, struct hv_error *err)
{
	const struct hv_error_subject names = {
		.volume = volume->name, .source = volume->source, .target = volume->source};
	struct mc_err cause = {0};

	if (mc_host_limit(volumes->core, volume->source, bytes, &cause) == 0)
		return HV_OK;
	if (cause.step != MC_STEP_QUOTA)
		return hv_error_from_mount(err, &cause, &names);
	if (cause.code != -EOPNOTSUPP)
		return hv_fail(err, HV_SOURCE_REFUSED,
			"the size of volume '%s' cannot be limited: %s", volume->name,
			cause.code == -EEXIST ? "its directory is in a project of somebody else's"
					      : strerrordesc_np(-cause.code));
	hv_fail(err, HV_UNSUPPORTED,
		"the size of volume '%s' cannot be limited: the file system of %s has no project quota",
		volume->name, volumes->state_host);
	return hv_hint(err,
		"use XFS or ext4 mounted with prjquota (ext4: tune2fs -O quota,project), or a tmpfs of that size: -o type=tmpfs -o device=tmpfs -o o=size=100m");
}

enum hv_code hv_source_limit(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct hv_volume_options options = {0};

	if (!hv_opts_get(&volume->opts, "size"))
		return HV_OK;
	if (hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	return hv_volume_limit(volumes, volume, options.size_bytes, err);
}

void hv_source_unlimit(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_auto_error struct hv_error ignored = {0};

	if (hv_opts_get(&volume->opts, "size") || !hv_purge_is_wanted(volumes, volume))
		(void)!hv_volume_limit(volumes, volume, 0, &ignored);
}

enum hv_code hv_volume_own(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	struct mc_err cause = {0};

	if (!hv_source_is_owned(&volume->opts))
		return HV_OK;
	if (hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	if (mc_host_own(volumes->core, volume->source, &options.owner, &cause) == 0)
		return HV_OK;
	if (cause.step != MC_STEP_OWNER)
		return hv_directory_explain(&cause, volume->name, volume->source, err);
	hv_fail(err, HV_SOURCE_REFUSED,
		"the directory %s of volume '%s' cannot be given the owner or mode asked for: %s",
		volume->source, volume->name, strerrordesc_np(-cause.code));
	return hv_hint(err,
		"leave out uid, gid and mode: its file system may be read-only, or have no owners");
}

static enum hv_code check_mount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	struct hv_volume_options options = {0};
	int rc;

	if (!hv_opts_get(&volume->opts, "require-mount"))
		return HV_OK;
	if (hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	if (!options.require_mount)
		return HV_OK;
	rc = mc_host_is_on_mount(volumes->core, volume->source);
	if (rc > 0)
		return HV_OK;
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL, "the mounts of the host cannot be read: %s",
			strerrordesc_np(-rc));
	hv_fail(err, HV_SOURCE_MISSING,
		"nothing is mounted at %s, or above it, as volume '%s' requires", volume->source,
		volume->name);
	return hv_hint(err, "mount its disk and try again; see which mount it is on: findmnt -T %s",
		volume->source);
}

/* An alias also requires the mounts that its volume requires. */
enum hv_code hv_volume_check_mount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	hv_auto_volume struct hv_volume other = {0};

	for (const struct hv_volume *at = volume; at;)
		if (check_mount(volumes, at, err) != HV_OK ||
			hv_volume_step(volumes, &at, &other, err) != HV_OK)
			return err->code;
	return HV_OK;
}
