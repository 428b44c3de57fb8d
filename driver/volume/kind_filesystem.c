/* SPDX-License-Identifier: Apache-2.0 */
/* A file system (options type, device and o), mounted on a directory of hostvol's own while the
 * volume is used. */
#include "fs.h"
#include "fs_check.h"
#include "fs_use.h"
#include "kinds.h"
#include "managed_dir.h"
#include "purge.h"

static bool claims(const struct hv_volume_options *options)
{
	return options->type != NULL;
}

static enum hv_code resolve(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_source *ret, struct hv_error *err)
{
	if (hv_fs_check(volumes, name, options, err) != HV_OK ||
		hv_managed_check_empty(volumes, name, "type", err) != HV_OK)
		return err->code;
	return hv_managed_find(volumes, name, ret, err);
}

/* Its owner is that of what will be mounted. */
static enum hv_code make(struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err)
{
	return hv_managed_make(volumes, volume->name, err);
}

static void unmake(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	hv_managed_unmake(volumes, volume->name);
}

static enum hv_code each_host_path(
	const struct hv_volume *volume, hv_fs_visit visit, void *context, struct hv_error *err)
{
	struct hv_volume_options options = {0};

	if (hv_volume_read_options(&volume->opts, &options, err) != HV_OK)
		return err->code;
	return hv_fs_each_path(&options, visit, context, err);
}

static enum hv_code acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err)
{
	if (hv_fs_acquire(volumes, volume, ret, err) != HV_OK)
		return err->code;
	ret->kind = &hv_kind_filesystem;
	return HV_OK;
}

/* The directory has nothing in it but a mountpoint. */
static int remove_data(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	unmake(volumes, volume);
	return 0;
}

const struct hv_volume_kind hv_kind_filesystem = {
	.name = "filesystem",
	.own_directory = true,
	.may_be_in_state = true,
	.mounted_while_used = true,
	.claims = claims,
	.resolve = resolve,
	.make = make,
	.unmake = unmake,
	.each_host_path = each_host_path,
	.acquire = acquire,
	.release = hv_fs_release,
	.unused = hv_fs_unused,
	.check_removal = hv_purge_check_own,
	.unmount = hv_fs_unmount,
	.remove_data = remove_data,
};
