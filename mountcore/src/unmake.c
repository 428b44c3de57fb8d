/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting the entries created for a target.
 *
 * Sequence: the mount table of the place tells which mount they lie on; the tables of all other
 * namespaces, which mounts are on them (namespaces.c); then a job, in the place, deletes. */
#include "unmake.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/namespaces.h"

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "route.h"
#include "sys.h"
#include "walk.h"

struct unmake_job {
	struct mc_job job;
	struct mc_place place;
	struct mc_unmake_plan plan;
	struct mc_made made;
	char path[PATH_MAX];
};

static int unmake(const struct mc_core *core, struct mc_job *job, int root)
{
	struct unmake_job *self = (struct unmake_job *)job;
	const struct mc_making making = {
		.core = core,
		.ns_fd = self->place.ns_fd,
		.in_helper = job->in_helper,
		.plan = &self->plan,
	};

	mc_unmake(&making, root, self->path, mc_resolve_flags(job, MC_RESOLVE_KNOWN), &self->made);
	return 0;
}

static int unmake_job(const struct mc_core *core, struct mc_job *job)
{
	const struct unmake_job *self = (const struct unmake_job *)job;

	/* Deleting needs more than the kernel's cache. */
	return job->is_cached ? -EAGAIN : mc_in_place(core, job, &self->place, unmake);
}

/* The mount that the directory of `path` lies on, and where in its file system `path` is. */
static int find_spot(
	struct mc_mounts *mounts, const char *path, struct mc_mount *ret, struct mc_spot *ret_spot)
{
	char parent[PATH_MAX];
	size_t length = (size_t)(strrchr(path, '/') - path);
	int rc;

	memcpy(parent, path, length);
	if (length == 0)
		parent[length++] = '/';
	parent[length] = '\0';
	rc = mc_mounts_of(mounts, parent, ret);
	if (rc < 0)
		return rc;
	ret_spot->dev = ret->dev;
	return mc_mount_part(ret, path, ret_spot->path);
}

/* `mounts` is the table of a namespace whose inode is `ns_ino`. */
static int plan(struct mc_core *core, struct mc_mounts *mounts, uint64_t ns_ino, const char *path,
	struct mc_unmake_plan *ret, bool is_container)
{
	struct mc_mount mount;
	struct mc_spot spot;
	struct mc_spot_others others;
	size_t length = strlen(path), rest;
	bool is_root, is_tmpfs;
	int rc = find_spot(mounts, path, &mount, &spot);

	if (rc < 0)
		return rc;
	is_root = !mount.target[1];
	is_tmpfs = strcmp(mount.fstype, "tmpfs") == 0;
	if (is_container && !is_root && !is_tmpfs)
		return -EXDEV;
	rc = mc_spot_find_others(core, &spot, ns_ino, &others);
	if (rc == 0 && is_container && !is_root && others.has_fs)
		rc = -EXDEV;
	ret->mountinfo_id = mount.id;
	ret->is_root = is_container && is_root;
	rest = strlen(spot.path) - others.taken; /* behind the part that stays */
	ret->kept = others.taken > 0 && rest < length ? length - rest : 0;
	return rc;
}

/* The place's own namespace cannot lose a mount like that: rmdir(2) gives EBUSY there. */
static int plan_in(struct mc_core *core, const struct mc_place *place, const char *path,
	struct mc_unmake_plan *ret)
{
	mc_auto_mounts mounts = NULL;
	struct stat ns = {.st_ino = core->home_ino};
	char top[PATH_MAX] = "";
	size_t length;
	int rc = place->ns_fd >= 0 && fstat(place->ns_fd, &ns) < 0 ? -errno : 0;

	if (rc == 0 && place->root_fd >= 0)
		rc = mc_fd_path(core, MC_FD_NONE, place->root_fd, top);
	length = top[0] && top[1] ? strlen(top) : 0; /* not "/" */
	if (rc == 0 && length + strlen(path) >= sizeof(top))
		rc = -ENAMETOOLONG;
	if (rc == 0) {
		memcpy(top + length, path, strlen(path) + 1);
		rc = mc_mounts_read(core, place->ns_fd, &mounts, NULL);
	}
	if (rc == 0)
		rc = plan(core, mounts, ns.st_ino, top, ret, place->ns_fd >= 0);
	ret->kept = ret->kept > length ? ret->kept - length : 0;
	return rc;
}

int mc_unmake_plan_host(struct mc_core *core, const char *path, struct mc_unmake_plan *ret)
{
	mc_auto_mounts mounts = NULL;
	int rc = mc_mounts_read_host(core, &mounts);

	return rc < 0 ? rc : plan(core, mounts, core->home_ino, path, ret, false);
}

void mc_unmake_in(
	struct mc_core *core, const struct mc_place *place, const char *path, struct mc_made *made)
{
	struct mc_unmake_plan plan = {0};
	mc_auto_job struct unmake_job *self = NULL;

	if (made->count == 0 || path[0] != '/' || plan_in(core, place, path, &plan) < 0)
		return;
	self = mc_job_new(sizeof(*self));
	if (!self)
		return;
	self->place = *place;
	self->plan = plan;
	self->made = *made;
	memcpy(self->path, path, strlen(path) + 1);
	self->job.key = place->key;
	/* A tmpfs is another mount than the root, where a worker does not go; to remove something
	 * from a read-only root is a helper's work without mount_setattr. */
	self->job.in_helper = place->may_mount || (place->ns_fd >= 0 && !plan.is_root) ||
			      !(core->features & MC_FEATURE_MOUNT_SETATTR);
	self->job.keep[0] = place->ns_fd;
	self->job.keep[1] = place->root_fd;
	self->job.waits_for = place->key ? place->key : mc_key_of(path);
	if (mc_job_run_anywhere(core, unmake_job, &self->job) == 0)
		*made = self->made;
}
