/* SPDX-License-Identifier: Apache-2.0 */
/* One mount, looked at from outside its namespace.
 *
 * Sequence: statmount of the mount (is it there, and where?), listmount (does anything lie on it?),
 * statmount of its parent (is that the root mount?); in the namespace statx of the root (does
 * anything lie on that?) and openat2 of the mountpoint's directory without leaving the root mount
 * (does anything lie above it?).  The last step to the mount itself is not walked: its mountpoint
 * is a name in that directory, on which there is one mount only, and its file system could make the
 * walk wait (d_weak_revalidate), as could a mount on the root that is opened by "/".
 *
 * Before Linux 6.12, and for a filter that refuses them, the table is read: test_mount_look.c. */
#include "mount_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "job.h"
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

/* The parent is the root mount of the namespace, and no server stands behind it. */
static bool is_root_mount(int ns_fd, uint64_t mount_id)
{
	struct mc_statmount_text mount;

	return describe(ns_fd, mount_id, &mount) == 0 && is_at(&mount, "/") &&
	       !mc_fstype_is_slow(mount.text + mount.mount.fs_type);
}

struct look_job {
	struct mc_job job;
	int ns_fd;
	uint64_t root_id;     /* of the root mount */
	char above[PATH_MAX]; /* the mountpoint's directory, relative; "": the root */
};

/* Entering the namespace makes its root the working directory. */
static int look_above(const struct mc_core *core, struct mc_job *job)
{
	const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS |
				 RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED;
	const struct look_job *self = (const struct look_job *)job;
	struct statx stat;
	int rc = mc_enter(self->ns_fd);

	if (rc < 0)
		return rc;
	rc = mc_sys_statx(
		AT_FDCWD, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, MC_STATX_MNT_ID_UNIQUE, &stat);
	if (rc == 0 &&
		(!(stat.stx_mask & MC_STATX_MNT_ID_UNIQUE) || stat.stx_mnt_id != self->root_id ||
			!(stat.stx_attributes & STATX_ATTR_MOUNT_ROOT)))
		rc = -EXDEV;
	if (rc == 0 && self->above[0]) {
		job->fds[0] = mc_open(core, AT_FDCWD, self->above, 0, resolve);
		rc = job->fds[0] < 0 ? job->fds[0] : 0;
	}
	mc_leave(core, self->ns_fd);
	return rc;
}

/* Nothing is mounted on a directory above `path`. */
static bool is_uncovered(struct mc_core *core, int ns_fd, uint64_t root_id, const char *path)
{
	mc_auto_job struct look_job *job = mc_job_new(sizeof(*job));
	const char *slash = strrchr(path, '/');

	if (!job || !slash || slash - path >= (int)sizeof(job->above))
		return false;
	job->ns_fd = ns_fd;
	job->root_id = root_id;
	if (slash > path)
		memcpy(job->above, path + 1, (size_t)(slash - path - 1));
	return mc_job_run(core, look_above, &job->job) == 0;
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

enum mc_mount_is mc_mount_look(struct mc_core *core, int ns_fd, uint64_t mount_id, const char *path)
{
	const unsigned needed = MC_FEATURE_STATMOUNT_NS | MC_FEATURE_CACHED;
	struct mc_statmount_text mount;
	int rc;

	if ((core->features & needed) != needed || ns_fd < 0 || !mount_id || !path[1])
		return MC_MOUNT_UNSURE;
	rc = describe(ns_fd, mount_id, &mount);
	if (rc == -ENOENT)
		return MC_MOUNT_GONE;
	if (rc < 0 || !is_at(&mount, path) || !is_empty(ns_fd, mount_id) ||
		!is_root_mount(ns_fd, mount.mount.mnt_parent_id))
		return MC_MOUNT_UNSURE;
	return is_uncovered(core, ns_fd, mount.mount.mnt_parent_id, path) ? MC_MOUNT_THERE
									  : MC_MOUNT_UNSURE;
}
