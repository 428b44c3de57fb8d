/* SPDX-License-Identifier: Apache-2.0 */
#include "mounted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/detach.h"
#include "mountcore/mount_root.h"
#include "volume/explain.h"

#include "mount_table.h"
#include "volumes.h"

static enum hv_code fail(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	const char *place = volumes->root ? mc_mount_root_place(volumes->root) : "";

	if (!*place)
		place = volumes->mount_root;
	hv_fail(err, HV_TARGET_EXISTS,
		"something that hostvol did not mount is mounted at %s/%s, which is the place of volume '%s' for Docker; hostvol leaves it alone",
		place, name, name);
	return hv_hint(err, "umount %s/%s", place, name);
}

/* Of two at one mountpoint the table has the upper one as a child of the lower. */
static bool is_on_top(struct mc_mounts *mounts, const struct mc_mount *mount)
{
	struct mc_mount parent;

	return mc_mounts_find(mounts, mount->parent_id, &parent) == 0 &&
	       strcmp(parent.target, mount->target) == 0;
}

enum hv_code hv_mounted_tell(struct hv_volumes *volumes, struct hv_error *err)
{
	const size_t length = strlen(volumes->mount_root);
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;

	if (mc_mounts_read(volumes->core, MC_FD_NONE, &mounts, NULL) < 0)
		return HV_OK;
	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);) {
		const char *name = mount.target + length + 1;

		if (strncmp(mount.target, volumes->mount_root, length) == 0 &&
			mount.target[length] == '/' && *name && !strchr(name, '/') &&
			is_on_top(mounts, &mount))
			return fail(volumes, name, err);
	}
	return HV_OK;
}

static enum hv_code count_mounts(
	struct hv_volumes *volumes, const char *name, unsigned *ret, struct hv_error *err)
{
	char mountpoint[PATH_MAX];
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(volumes->core, MC_FD_NONE, &mounts, NULL);

	*ret = 0;
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL, "the mount table cannot be read: %s",
			strerrordesc_np(-rc));
	snprintf(mountpoint, sizeof(mountpoint), "%s/%s", volumes->mount_root, name);
	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
		*ret += strcmp(mount.target, mountpoint) == 0;
	return HV_OK;
}

static bool has_root(const struct hv_mounted_roots *roots, const struct mc_file_id *root)
{
	for (size_t i = 0; i < roots->count; i++)
		if (!roots->items[i].ino ||
			(roots->items[i].dev == root->dev && roots->items[i].ino == root->ino))
			return true;
	return false;
}

enum hv_code hv_mounted_check(struct hv_volumes *volumes, const char *name,
	const struct hv_mounted_roots *roots, const struct mc_file_id *top, unsigned *ret_count,
	struct hv_error *err)
{
	if (count_mounts(volumes, name, ret_count, err) != HV_OK)
		return err->code;
	if (*ret_count > roots->count || !has_root(roots, top))
		return fail(volumes, name, err);
	return HV_OK;
}

/* Unmount the mount on top, if it is one of `roots`, which loses it.  Returns 0, -ENOENT (nothing
 * is mounted there), -ESTALE (another's is on top), or an errno of mc_detach(). */
static int take_top(struct hv_volumes *volumes, const struct mc_place *place, const char *target,
	struct hv_mounted_roots *roots, struct mc_err *ret_cause)
{
	for (size_t i = 0; i < roots->count; i++) {
		const struct mc_detach_args args = {
			.place = *place,
			.path = target,
			.root = {roots->items[i].dev, roots->items[i].ino},
			.at_most = (unsigned)roots->count,
			.lazy = true,
		};
		int rc;

		*ret_cause = (struct mc_err){0};
		rc = mc_detach(volumes->core, &args, NULL, ret_cause);
		if (rc == 0) {
			roots->count--;
			memmove(&roots->items[i], &roots->items[i + 1],
				(roots->count - i) * sizeof(roots->items[0]));
		}
		if (rc != -ESTALE || ret_cause->step != MC_STEP_IDENTITY)
			return rc;
	}
	return -ESTALE;
}

static enum hv_code take_all(struct hv_volumes *volumes, const char *name, int root_fd,
	struct hv_mounted_roots *roots, struct hv_error *err)
{
	const struct mc_place place = {.ns_fd = MC_FD_NONE, .root_fd = root_fd, .may_spread = true};
	char mountpoint[PATH_MAX], target[NAME_MAX + 2];
	const struct hv_error_subject names = {
		.volume = name, .source = mountpoint, .target = mountpoint};
	struct mc_err cause = {0};
	int rc = 0;

	snprintf(target, sizeof(target), "/%s", name);
	snprintf(mountpoint, sizeof(mountpoint), "%s%s", volumes->mount_root, target);
	while (rc == 0 && roots->count > 0)
		rc = take_top(volumes, &place, target, roots, &cause);
	if (rc == -ENOENT && cause.step == MC_STEP_IDENTITY)
		roots->count = 0;
	else if (rc == -ESTALE && cause.step == MC_STEP_IDENTITY)
		return fail(volumes, name, err);
	else if (rc < 0)
		return hv_error_from_mount(err, &cause, &names);
	return HV_OK;
}

enum hv_code hv_mounted_take_out(
	struct hv_volumes *volumes, const char *name, int root_fd, struct hv_error *err)
{
	struct hv_mounted_roots roots, were;
	hv_auto_error struct hv_error ignored = {0};
	unsigned count = 0;
	enum hv_code code = hv_store_mounted_get(volumes->store, name, &were, err);

	if (code != HV_OK)
		return code;
	if (were.count == 0) {
		code = count_mounts(volumes, name, &count, err);
		return code == HV_OK && count > 0 ? fail(volumes, name, err) : code;
	}
	roots = were;
	code = take_all(volumes, name, root_fd, &roots, err);
	if (code == HV_OK)
		return hv_store_mounted_set(volumes->store, name, &roots, err);
	if (roots.count != were.count) /* the first error is the one to tell */
		(void)!hv_store_mounted_set(volumes->store, name, &roots, &ignored);
	return code;
}

enum hv_code hv_mounted_forget(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	struct hv_mounted_roots roots;
	enum hv_code code = hv_store_mounted_get(volumes->store, name, &roots, err);

	if (code != HV_OK || roots.count == 0)
		return code;
	roots.count = 0;
	return hv_store_mounted_set(volumes->store, name, &roots, err);
}
