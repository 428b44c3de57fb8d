/* SPDX-License-Identifier: Apache-2.0 */
/* Mount and Unmount: a volume at <mount root>/<name>, where Docker binds it from.
 *
 * The Engine's mount IDs repeat (`docker cp` on a running container, a dockerd that was killed) and
 * go missing (a plugin that was down): they are counted, an unknown one is no error, and a count
 * that is too high is corrected when the volume is removed or the daemon starts.  A mount that is
 * there already is never mounted over: that would hide the data in every container that has it.
 * A mount of ours is replaced if the volume's path leads to another directory now; another's mount
 * is left alone. */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/source.h"
#include "volume/explain.h"

#include "as.h"
#include "directory.h"
#include "kind.h"
#include "mount_root.h"
#include "mounted.h"
#include "mountpoint.h"
#include "volumes.h"

/* The request of a mount. */
struct mount {
	const char *id;
	const char *mountpoint;
	pid_t client;
};

/* The mount's root is recorded before it is made, next to those of the one that it replaces.  A
 * mount that fails fills `cause`, and is HV_OK. */
static enum hv_code commit(struct hv_volumes *volumes, const char *name, struct mc_attach *attach,
	const struct hv_mounted_roots *former, struct mc_err *cause, struct hv_error *err)
{
	const struct mc_file_id *root = &mc_attach_info(attach)->source;
	struct hv_mounted_roots roots = *former;
	hv_auto_error struct hv_error ignored = {0};

	if (roots.count == HV_MOUNTED_MAX) /* after as many crashes while it was replaced */
		roots.count--;
	roots.items[roots.count].dev = root->dev;
	roots.items[roots.count].ino = root->ino;
	roots.count++;
	if (hv_store_mounted_set(volumes->store, name, &roots, err) != HV_OK)
		return err->code;
	if (mc_attach_commit(attach, cause) < 0) {
		if (cause->step != MC_STEP_HELPER) /* else it may have been made */
			(void)!hv_store_mounted_set(volumes->store, name, former, &ignored);
		return HV_OK;
	}
	if (former->count == 0)
		return HV_OK;
	roots.items[0] = roots.items[roots.count - 1];
	roots.count = 1;
	return hv_store_mounted_set(volumes->store, name, &roots, err);
}

static enum hv_code attach(struct hv_volumes *volumes, struct mc_attach_args *args,
	const struct hv_error_subject *names, const struct hv_mounted_roots *former,
	struct hv_error *err)
{
	for (;;) {
		char fstype[HV_FSTYPE_SIZE];
		struct hv_error_subject all = *names;
		struct mc_attach *attach = NULL;
		struct mc_err cause = {0};
		enum hv_code code = HV_OK;

		if (mc_attach_prepare(volumes->core, args, &attach, &cause) == 0)
			code = commit(volumes, names->volume, attach, former, &cause, err);
		mc_attach_free(attach);
		if (code != HV_OK || cause.code >= 0)
			return code;
		if (cause.step == MC_STEP_IDMAP) {
			hv_volume_fstype(volumes, names->source, fstype);
			all.fstype = fstype;
		}
		if (cause.step != MC_STEP_REPLACE || args->replace == MC_REPLACE_ANYHOW)
			return hv_error_from_mount(err, &cause, &all);
		args->replace = MC_REPLACE_ANYHOW; /* before 6.5 */
	}
}

/* A mount stands there that is not the volume's directory of now: it goes when the new one is made.
 * A crash at that leaves two, which go before. */
static enum hv_code displace(struct hv_volumes *volumes, struct mc_attach_args *args,
	const char *name, struct hv_mounted_roots *roots, struct hv_error *err)
{
	unsigned count = 0;

	if (hv_mounted_check(volumes, name, roots, &args->own->root, &count, err) != HV_OK)
		return err->code;
	if (count == 1) {
		args->replace = MC_REPLACE_ATOMIC;
		return HV_OK;
	}
	roots->count = 0;
	return hv_mounted_take_out(volumes, name, args->place.root_fd, err);
}

/* Mount the volume's current directory at its mountpoint.  A former mount goes: running containers
 * keep Docker's bind mount of it, new containers get the current directory. */
static enum hv_code publish(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_ref *use, bool *ret_is_new, struct hv_error *err)
{
	char mountpoint[PATH_MAX], target[NAME_MAX + 2], as[HV_AS_SIZE];
	mc_auto_fd root = hv_mount_root_dir(volumes);
	enum mc_source_is is = MC_SOURCE_NONE;
	struct mc_own own = {0};
	struct hv_mounted_roots roots;
	struct mc_err cause = {0};
	const struct mc_source_args source = {
		.source = volume->source, .beneath = hv_volume_allowed_root(volumes, volume)};
	const struct hv_error_subject names = {.volume = volume->name,
		.source = volume->source,
		.target = mountpoint,
		.asked = hv_opts_get(&volume->opts, "path"),
		.as = as};
	struct mc_attach_args args = {
		.source = source.source,
		.beneath = source.beneath,
		.attr = use->attr,
		/* The target is named from the mount root, which the place begins at. */
		.place = {.ns_fd = MC_FD_NONE, .root_fd = root, .may_spread = true},
		.target = target,
		.mkdir = true,
		.own = &own,
		.own_count = 1,
	};

	snprintf(target, sizeof(target), "/%s", volume->name);
	snprintf(mountpoint, sizeof(mountpoint), "%s%s", volumes->mount_root, target);
	if (root < 0)
		return hv_fail(err, HV_INTERNAL,
			"the directory %s for Docker's mounts is not there: %s",
			volumes->mount_root, strerrordesc_np(-root));
	if (volume->read_only && mc_attr_add(&args.attr, "ro") < 0)
		return hv_fail(err, HV_INTERNAL, "mount attribute 'ro' is unknown");
	hv_as_format(&use->as, as);
	if (hv_as_apply(volumes, use, &args, err) != HV_OK)
		return err->code;
	if (mc_source_compare_own(volumes->core, &source, mountpoint, &is, &own, &cause) < 0)
		return hv_error_from_mount(err, &cause, &names);
	if (is == MC_SOURCE_SAME)
		return HV_OK;
	if (hv_store_mounted_get(volumes->store, volume->name, &roots, err) != HV_OK)
		return err->code;
	if (is == MC_SOURCE_NONE)
		roots.count = 0; /* of what is gone */
	else if (displace(volumes, &args, volume->name, &roots, err) != HV_OK)
		return err->code;
	if (attach(volumes, &args, &names, &roots, err) != HV_OK)
		return err->code;
	*ret_is_new = true;
	return HV_OK;
}

/* Whether the mountpoint is gone, or was deleted here.  The kernel refuses with EBUSY if something
 * is mounted on it in this mount namespace, with or without a record, and asks no mounted file
 * system.  Source: rmdir(2). */
static bool delete_mountpoint(int root, const char *name)
{
	return unlinkat(root, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

enum hv_code hv_volume_unpublish(struct hv_volumes *volumes, const char *name, struct hv_error *err)
{
	mc_auto_fd root = hv_mount_root_dir(volumes);

	if (root < 0)
		return HV_OK; /* no mount root, no mount */
	if (delete_mountpoint(root, name))
		return hv_mounted_forget(volumes, name, err);
	if (hv_mounted_take_out(volumes, name, root, err) != HV_OK)
		return err->code;
	(void)delete_mountpoint(root, name); /* not ours if it is not empty */
	return HV_OK;
}

/* With the volume held and in hand: mount it, prove it, count the reference. */
static enum hv_code mount_and_count(struct hv_volumes *volumes, const struct hv_volume *volume,
	const struct hv_volume_ref *use, const struct mount *mount, bool *ret_is_new,
	struct hv_error *err)
{
	long long references;

	/* The owner that is to appear as another: before it is looked at. */
	if (use->as.uid && hv_volume_own(volumes, volume, err) != HV_OK)
		return err->code;
	if (hv_mount_root_ready(volumes, volume, err) != HV_OK ||
		publish(volumes, volume, use, ret_is_new, err) != HV_OK ||
		hv_mount_root_prove(volumes, volume, mount->mountpoint, mount->client, err) !=
			HV_OK)
		return err->code;
	/* Docker's copy of an image's content brings another owner.  A `set` that was killed left
	 * another limit, and the disk may be without quota now. */
	if (*ret_is_new && (hv_volume_own(volumes, volume, err) != HV_OK ||
				   hv_source_limit(volumes, volume, err) != HV_OK))
		return err->code;
	return hv_store_ref_change(volumes->store, volume->name, mount->id, 1, &references, err);
}

enum hv_code hv_volume_mount(struct hv_volumes *volumes, const char *name, const char *id,
	pid_t client, char **ret_mountpoint, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_free char *mountpoint = hv_volume_mountpoint(volumes, name);
	const struct mount mount = {.id = id, .mountpoint = mountpoint, .client = client};
	bool is_new = false;

	if (!mountpoint) /* once it is counted, nothing may fail */
		return hv_oom(err);
	HV_HOLD(hold, &volumes->locks, name);
	hv_auto_volume_ref struct hv_volume_ref use = {
		.volumes = NULL}; /* released while the name is held */

	if (hv_volume_find(volumes, name, &volume, err) != HV_OK ||
		hv_volume_check_mount(volumes, &volume, err) != HV_OK ||
		hv_volume_acquire(volumes, &volume, &use, err) != HV_OK)
		return err->code;
	if (mount_and_count(volumes, &volume, &use, &mount, &is_new, err) != HV_OK) {
		if (is_new)
			(void)hv_volume_unpublish(volumes, name, &ignored);
		return err->code;
	}
	*ret_mountpoint = mc_take_ptr(&mountpoint);
	return HV_OK;
}

enum hv_code hv_volume_forgive(
	struct hv_volumes *volumes, const char *name, long long references, struct hv_error *err)
{
	long long now = 0;

	HV_HOLD(hold, &volumes->locks, name);
	if (hv_store_ref_total(volumes->store, name, &now, err) != HV_OK)
		return err->code;
	if (now != references)
		return hv_fail(err, HV_VOLUME_IN_USE,
			"a container began or ended to use volume '%s'", name);
	if (hv_volume_unpublish(volumes, name, err) != HV_OK)
		return err->code;
	return hv_store_ref_clear(volumes->store, name, err);
}

enum hv_code hv_volume_unmount(
	struct hv_volumes *volumes, const char *name, const char *id, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	long long references = 0;
	enum hv_code code;
	bool is_damaged;

	HV_HOLD(hold, &volumes->locks, name);
	code = hv_volume_find(volumes, name, &volume, err);
	if (code == HV_NO_SUCH_VOLUME) {
		hv_error_done(err);
		return HV_OK;
	}
	/* Docker stops at the first error of a container that ends, and the references to its other
	 * volumes are never given back.  The next Mount, and `docker volume rm`, tell what is on
	 * top, or that the record is damaged.  If the disk is, the count fails. */
	is_damaged = code == HV_STATE_UNREADABLE;
	if ((code != HV_OK && !is_damaged) ||
		hv_store_ref_change(volumes->store, name, id, -1, &references, err) != HV_OK)
		return err->code;
	hv_error_done(err);
	if (references != 0)
		return HV_OK;
	code = hv_volume_unpublish(volumes, name, err);
	if (code == HV_TARGET_EXISTS)
		hv_error_done(err);
	else if (code != HV_OK)
		return code;
	if (!is_damaged)
		hv_kind_unused(volumes, &volume);
	return HV_OK;
}
