/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts, looked at from outside their namespace.
 *
 * Sequence: for each, statmount of the mount (is it there, and where?), listmount (does anything
 * lie on it?), statmount of its parent (is that the root mount?); then in the namespace statx of
 * the root (does anything lie on that?) and for each openat2 of the mountpoint's directory without
 * leaving the root mount (does anything lie above it?).  The last step to the mount itself is not
 * walked: its mountpoint is a name in that directory, on which there is one mount only, and its
 * file system could make the walk wait (d_weak_revalidate), as could a mount on the root that is
 * opened by "/".
 *
 * Before Linux 6.12, and for a filter that refuses them, the table is read: test_mount_look.c. */
#include "mountcore/mount_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "job.h"
#include "mount_look.h"
#include "open.h"
#include "run.h"
#include "sys.h"

enum { BELOW_MAX = 128 };

/* statmount, with place and type.  Returns an error, or -ENODATA if it lacks any of them. */
static int describe(int ns_fd, uint64_t mount_id, struct mc_statmount_text *ret)
{
	const uint64_t mask =
		MC_STATMOUNT_MNT_BASIC | MC_STATMOUNT_MNT_POINT | MC_STATMOUNT_FS_TYPE;
	int rc = mc_sys_statmount_in(ns_fd, mount_id, mask, &ret->mount, sizeof(*ret));

	if (rc < 0)
		return rc;
	if ((ret->mount.mask & mask) != mask || ret->mount.mnt_point >= sizeof(ret->text) ||
		ret->mount.fs_type >= sizeof(ret->text))
		return -ENODATA;
	ret->text[sizeof(ret->text) - 1] = '\0';
	return 0;
}

static bool is_at(const struct mc_statmount_text *mount, const char *path)
{
	return strcmp(mount->text + mount->mount.mnt_point, path) == 0;
}

static bool is_empty(int ns_fd, uint64_t mount_id)
{
	uint64_t above;

	return mc_sys_listmount_in(ns_fd, mount_id, &above, 1) == 0;
}

/* The mount is the root mount of the namespace, and no server stands behind it. */
static bool is_root_mount(int ns_fd, uint64_t mount_id)
{
	struct mc_statmount_text mount;

	return describe(ns_fd, mount_id, &mount) == 0 && is_at(&mount, "/") &&
	       !mc_fstype_is_slow(mount.text + mount.mount.fs_type);
}

/* `root_id`: the root mount, if it is known already (else 0), which it is on if it is there.  Of a
 * file system with a server only the table tells whether its directory was deleted. */
static enum mc_mount_is look_from_outside(
	int ns_fd, const struct mc_mount_look *look, uint64_t *root_id)
{
	struct mc_statmount_text mount;
	int rc = describe(ns_fd, look->mount_id, &mount);

	if (rc == -ENOENT)
		return MC_MOUNT_GONE;
	if (rc < 0 || !is_at(&mount, look->path) ||
		mc_fstype_is_slow(mount.text + mount.mount.fs_type) ||
		!is_empty(ns_fd, look->mount_id))
		return MC_MOUNT_UNSURE;
	if (*root_id == 0 && is_root_mount(ns_fd, mount.mount.mnt_parent_id))
		*root_id = mount.mount.mnt_parent_id;
	return mount.mount.mnt_parent_id == *root_id ? MC_MOUNT_THERE : MC_MOUNT_UNSURE;
}

struct look_job {
	struct mc_job job;
	int ns_fd;
	uint64_t root_id; /* of the root mount */
	/* The directories of the mountpoints, relative, one behind the other; "": the root.  Those
	 * that something is mounted above begin with a slash afterwards. */
	size_t used;
	char above[];
};

/* Nothing is mounted on a directory on the way to it. */
static bool is_uncovered(const struct mc_core *core, const char *above)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
				 RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED;
	mc_sys_auto_fd fd = *above ? mc_open(core, AT_FDCWD, above, 0, resolve) : MC_FD_NONE;

	return !*above || fd >= 0;
}

/* Entering the namespace makes its root the working directory. */
static int look_above(const struct mc_core *core, struct mc_job *job)
{
	struct look_job *self = (struct look_job *)job;
	struct statx stat;
	size_t length;
	int rc = mc_enter(self->ns_fd);

	if (rc < 0)
		return rc;
	rc = mc_sys_statx(
		AT_FDCWD, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, MC_STATX_MNT_ID_UNIQUE, &stat);
	if (rc == 0 &&
		(!(stat.stx_mask & MC_STATX_MNT_ID_UNIQUE) || stat.stx_mnt_id != self->root_id ||
			!(stat.stx_attributes & STATX_ATTR_MOUNT_ROOT)))
		rc = -EXDEV;
	for (size_t at = 0; rc == 0 && at < self->used; at += length + 1) {
		length = strlen(self->above + at);
		if (!is_uncovered(core, self->above + at))
			self->above[at] = '/';
	}
	mc_leave(core, self->ns_fd);
	return rc;
}

static size_t length_above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash > path ? (size_t)(slash - path - 1) : 0;
}

static struct look_job *new_job(
	int ns_fd, uint64_t root_id, const struct mc_mount_look *looks, size_t count)
{
	struct look_job *job;
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += looks[i].is == MC_MOUNT_THERE ? length_above(looks[i].path) + 1 : 0;
	job = mc_job_new(sizeof(*job) + size);
	if (!job)
		return NULL;
	job->ns_fd = ns_fd;
	job->root_id = root_id;
	for (size_t i = 0; i < count; i++) {
		if (looks[i].is != MC_MOUNT_THERE)
			continue;
		size = length_above(looks[i].path);
		memcpy(job->above + job->used, looks[i].path + 1, size);
		job->used += size + 1;
	}
	return job;
}

/* A mount that seems to be there is, if nothing lies on the way to it. */
static void look_from_inside(struct mc_core *core, int ns_fd, uint64_t root_id,
	struct mc_mount_look *looks, size_t count)
{
	mc_auto_job struct look_job *job = new_job(ns_fd, root_id, looks, count);
	int rc = job ? mc_job_run(core, look_above, &job->job) : -ENOMEM;

	for (size_t i = 0, at = 0; i < count; i++) {
		if (looks[i].is != MC_MOUNT_THERE)
			continue;
		if (rc < 0 || job->above[at] == '/')
			looks[i].is = MC_MOUNT_UNSURE;
		at += length_above(looks[i].path) + 1;
	}
}

bool mc_mount_look_is_plain(
	const struct mc_core *core, int ns_fd, uint64_t mount_id, uint64_t mountinfo_id)
{
	struct mc_statmount_text mount;

	return core->features & MC_FEATURE_STATMOUNT_NS && ns_fd >= 0 && mount_id &&
	       describe(ns_fd, mount_id, &mount) == 0 && mount.mount.mnt_id_old == mountinfo_id &&
	       !mc_fstype_is_slow(mount.text + mount.mount.fs_type) && is_empty(ns_fd, mount_id);
}

bool mc_mount_look_is_slow(int ns_fd, uint64_t mount_id)
{
	struct mc_statmount_text mount;

	return describe(ns_fd, mount_id, &mount) < 0 ||
	       mc_fstype_is_slow(mount.text + mount.mount.fs_type);
}

bool mc_mount_look_has_below(int ns_fd, uint64_t mount_id, const char *path)
{
	uint64_t ids[BELOW_MAX];
	struct mc_statmount_text mount;
	int count = mc_sys_listmount_in(ns_fd, mount_id, ids, BELOW_MAX);

	for (int i = 0; i < count; i++)
		if (describe(ns_fd, ids[i], &mount) < 0 ||
			mc_path_is_below(mount.text + mount.mount.mnt_point, path))
			return true;
	return count < 0 || count == BELOW_MAX;
}

void mc_mounts_look(struct mc_core *core, int ns_fd, struct mc_mount_look *looks, size_t count)
{
	const unsigned needed = MC_FEATURE_STATMOUNT_NS | MC_FEATURE_CACHED;
	const bool is_possible = (core->features & needed) == needed && ns_fd >= 0;
	uint64_t root_id = 0;
	bool is_any = false;

	for (size_t i = 0; i < count; i++) {
		struct mc_mount_look *look = &looks[i];

		look->is = is_possible && look->mount_id && look->path[0] == '/' && look->path[1]
				   ? look_from_outside(ns_fd, look, &root_id)
				   : MC_MOUNT_UNSURE;
		is_any |= look->is == MC_MOUNT_THERE;
	}
	if (is_any)
		look_from_inside(core, ns_fd, root_id, looks, count);
}

enum mc_mount_is mc_mount_look(struct mc_core *core, int ns_fd, uint64_t mount_id, const char *path)
{
	struct mc_mount_look look = {.mount_id = mount_id, .path = path};

	mc_mounts_look(core, ns_fd, &look, 1);
	return look.is;
}
