/* SPDX-License-Identifier: Apache-2.0 */
/* Detach.
 *
 * Sequence, one job: setns(place) openat2(parent) fchdir(parent) [statx(the top) umount2(a mount of
 * the source's on ours)]… statx(the top) umount2(name, NOFOLLOW) statx(the new top) setns(home). No
 * descriptor on the mount itself is open meanwhile: it would make the mount busy.  EBUSY: outside
 * the job, the mount table tells whether submounts of the source are the reason, /proc which
 * processes use it.  Then unmake.c deletes the entries created for it.
 *
 * A worker does it on mounts that it can rely on (trust.h), for a tree without a server behind it;
 * else a helper: umount2 looks its path up, and the last unmount of a file system waits for its
 * server.  A process that may mount can put one on top at the last moment. */
#include "detach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "helper.h"
#include "job.h"
#include "mount_look.h"
#include "mounts.h"
#include "reserved.h"
#include "route.h"
#include "sys.h"
#include "unmake.h"
#include "walk.h"

/* More mounts than this on the source, one on top of the other, are another's. */
enum { COVERS_MAX = 32 };

struct detach_job {
	struct mc_job job;
	struct mc_place place;
	uint64_t mount_id;
	struct mc_file_id root;
	bool lazy;
	bool is_doubtful; /* something is on top where ours was: perhaps on top of ours */
	unsigned cover_count;
	uint64_t covers[COVERS_MAX]; /* mountinfo IDs of the source's mounts on ours, from below */
	char path[PATH_MAX];
};

/* Compare the mount on top at the path: 0 ours, -ENOENT none, -ESTALE another. */
static int identify(
	const struct mc_core *core, const struct detach_job *self, int parent, const char *name)
{
	struct mc_stat top = {0}, below = {0};
	int rc = mc_describe(core, parent, "", &below);

	if (rc == 0)
		rc = mc_describe(core, parent, name, &top);
	if (rc < 0)
		return rc;
	if (top.mount_id == below.mount_id)
		return -ENOENT;
	if (self->root.ino && (top.dev != self->root.dev || top.ino != self->root.ino))
		return -ESTALE;
	return self->mount_id && top.mount_id != self->mount_id ? -ESTALE : 0;
}

/* From the top down.  If the host has unmounted one meanwhile, the next is on top. */
static int unmount_covers(
	const struct mc_core *core, const struct detach_job *self, int parent, const char *name)
{
	int rc = 0;

	for (unsigned left = self->cover_count; rc == 0 && left > 0; left--) {
		struct mc_stat top = {0};

		rc = mc_describe(core, parent, name, &top);
		if (rc == 0 && top.mountinfo_id == self->covers[left - 1])
			rc = mc_sys_umount2(name, MC_UMOUNT_NOFOLLOW | MC_UMOUNT_LAZY);
	}
	return rc;
}

static int unmount_top(
	const struct mc_core *core, struct detach_job *self, int parent, const char *name)
{
	int rc = mc_sys_fchdir(parent);

	if (rc == 0)
		rc = unmount_covers(core, self, parent, name);
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_UMOUNT, rc);
	rc = identify(core, self, parent, name);
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_IDENTITY, rc);
	rc = mc_sys_umount2(name, MC_UMOUNT_NOFOLLOW | (self->lazy ? MC_UMOUNT_LAZY : 0));
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_UMOUNT, rc);
	if (!self->mount_id)
		return 0;
	rc = identify(core, self, parent, name);
	if (rc == 0)
		return mc_err_set(&self->job.err, MC_STEP_IDENTITY, -ESTALE);
	self->is_doubtful = rc != -ENOENT;
	return 0;
}

static int unmount(const struct mc_core *core, struct mc_job *job, int root)
{
	struct detach_job *self = (struct detach_job *)job;
	const char *name;
	mc_sys_auto_fd parent = mc_open_parent(
		core, root, self->path, mc_resolve_flags(job, MC_RESOLVE_KNOWN), &name);
	int rc;

	if (parent < 0)
		return mc_err_set(&job->err, MC_STEP_IDENTITY, parent);
	rc = unmount_top(core, self, parent, name);
	mc_sys_fchdir(core->proc); /* a working directory would pin the place's mount */
	return rc;
}

static int detach(const struct mc_core *core, struct mc_job *job)
{
	const struct detach_job *self = (const struct detach_job *)job;

	if (job->is_cached) /* umount2 cannot be kept to the kernel's cache */
		return mc_err_set(&job->err, MC_STEP_ENTER, -EAGAIN);
	return mc_in_place(core, job, &self->place, unmount);
}

/* Whether the host has the same file system at the same place in the source: then the submount came
 * with the clone and goes with it.  In a table read just now ours may have another path. */
static bool came_along(
	struct mc_mounts *host, const struct mc_detach_args *args, const struct mc_mount *mount)
{
	const char *rest;
	size_t length = strlen(args->source);
	struct mc_mount other;

	if (!mc_path_is_below(mount->target, args->path))
		return false;
	rest = mount->target + strlen(args->path);
	if (length == 1)
		length = 0; /* the root: its children begin with the slash themselves */
	for (size_t at = 0; mc_mounts_next(host, &at, &other);)
		if (strncmp(other.target, args->source, length) == 0 &&
			strcmp(other.target + length, rest) == 0 && other.dev == mount->dev &&
			strcmp(other.root, mount->root) == 0)
			return true;
	return false;
}

/* Whether every mount below ours is the source's own. */
static bool all_came_along(struct mc_core *core, const struct mc_detach_args *args,
	struct mc_mounts *mounts, const uint64_t *ids, size_t count)
{
	mc_auto_mounts host = NULL;
	struct mc_mount mount;
	bool all = args->source && mc_mounts_read(core, core->host_ns, &host, NULL) == 0;

	for (size_t i = 1; all && i < count; i++)
		all = mc_mounts_find(mounts, ids[i], &mount) == 0 && came_along(host, args, &mount);
	return all;
}

/* The mounts that the host has made on the source since ours was cloned: where ours is a slave of
 * the source's mount they are on top of it, one on the other.  Another's is not taken, nor any on
 * that. */
static int find_covers(
	struct mc_core *core, const struct mc_detach_args *args, struct detach_job *self)
{
	mc_auto_mounts here = NULL;
	mc_auto_mounts host = NULL;
	struct mc_mount mount, cover;
	int rc = args->is_slave && args->source
			 ? mc_mounts_read(core, args->place.ns_fd, &here, NULL)
			 : -ENOENT;

	if (rc == 0)
		rc = mc_mounts_find(here, args->mountinfo_id, &mount);
	if (rc == 0)
		rc = mc_mounts_read(core, core->host_ns, &host, NULL);
	while (rc == 0 && self->cover_count < COVERS_MAX &&
		mc_mounts_find_on_root(here, &mount, &cover) == 0 &&
		came_along(host, args, &cover)) {
		self->covers[self->cover_count++] = cover.id;
		mount = cover;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* `path` in the place, as its mount table has it. */
static int table_path(const struct mc_core *core, const struct mc_place *place, const char *path,
	char ret[PATH_MAX])
{
	size_t base = 0, length = strlen(path);
	int rc;

	if (place->root_fd >= 0) {
		rc = mc_fd_path(core, MC_FD_NONE, place->root_fd, ret);
		if (rc < 0)
			return rc;
		base = ret[1] ? strlen(ret) : 0;
	}
	if (base + length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret + base, path, length + 1);
	return 0;
}

static void take_type(struct mc_own_type *type, const struct mc_mount *mount)
{
	type->mounts++;
	if (!mc_fstype_is_slow(mount->fstype))
		return;
	type->is_slow = true;
	type->is_remote |= strcmp(mount->fstype, "autofs") != 0;
	type->key = mc_key_of_dev(mount->dev);
}

static int type_of_tree(struct mc_mounts *mounts, uint64_t id, struct mc_own_type *ret)
{
	mc_auto_free uint64_t *ids = NULL;
	struct mc_mount mount;
	size_t count = 0;
	int rc = mc_mounts_tree(mounts, id, &ids, &count);

	for (size_t i = 0; rc == 0 && i < count; i++)
		if (mc_mounts_find(mounts, ids[i], &mount) == 0)
			take_type(ret, &mount);
	return rc;
}

int mc_own_type(struct mc_core *core, const struct mc_detach_args *args, struct mc_own_type *ret,
	struct mc_err *err)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	char path[PATH_MAX];
	bool has_tree;
	int rc;

	*ret = (struct mc_own_type){.mounts = 1};
	if (args->mountinfo_id &&
		mc_mount_look_is_plain(core, args->place.ns_fd, args->mount_id, args->mountinfo_id))
		return 0;
	ret->mounts = 0;
	rc = mc_mounts_read(core, args->place.ns_fd, &mounts, err);
	if (rc < 0)
		return rc;
	rc = args->mountinfo_id ? type_of_tree(mounts, args->mountinfo_id, ret) : -ENOENT;
	has_tree = rc == 0;
	if (rc == -ENOENT)
		rc = table_path(core, &args->place, args->path, path);
	for (size_t at = 0; rc == 0 && !has_tree && mc_mounts_next(mounts, &at, &mount);)
		if (mc_path_is_below(mount.target, path)) {
			take_type(ret, &mount);
			ret->at_path += strcmp(mount.target, path) == 0;
		}
	return mc_err_set(err, MC_STEP_IDENTITY, rc);
}

/* Why it is busy: fills `ret_busy`.  Returns true when it is not, but for submounts of its own. */
static bool may_go_lazily(
	struct mc_core *core, const struct mc_detach_args *args, struct mc_busy *ret_busy)
{
	mc_auto_mounts mounts = NULL;
	mc_auto_free uint64_t *ids = NULL;
	size_t count = 0;

	ret_busy->count = 0;
	return args->mountinfo_id && mc_mounts_read(core, args->place.ns_fd, &mounts, NULL) == 0 &&
	       mc_mounts_tree(mounts, args->mountinfo_id, &ids, &count) == 0 &&
	       mc_busy_find(core, args->place.key, ids, count, ret_busy) == 0 && count > 1 &&
	       ret_busy->count == 0 && all_came_along(core, args, mounts, ids, count);
}

/* umount2 may have hit a mount put on ours just then, and another may be on it by now: the mount
 * table tells whether ours is still there. */
static int resolve_doubt(struct mc_core *core, const struct mc_detach_args *args)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(core, args->place.ns_fd, &mounts, NULL);

	if (rc < 0 || mc_mounts_find(mounts, args->mountinfo_id, &mount) < 0)
		return rc;
	return strcmp(mount.target, args->path) == 0 ? -ESTALE : 0;
}

static int detach_strictly(struct mc_core *core, const struct mc_detach_args *args,
	struct detach_job *self, const struct mc_own_type *type, struct mc_busy *ret_busy)
{
	struct mc_busy busy = {0};
	/* The source's mounts on top must not go before it is known that all of it can. */
	int rc = self->cover_count > 0 ? mc_err_set(&self->job.err, MC_STEP_UMOUNT, -EBUSY) : 0;

	mc_helper_settle(core);
	if (rc == 0)
		rc = mc_job_run_anywhere(core, detach, &self->job);
	if (rc != -EBUSY)
		return rc;
	/* Following a process's links to a file system with a server may wait for that. */
	if (!type->is_remote && (type->mounts > 1 || !args->is_quick))
		self->lazy = may_go_lazily(core, args, &busy);
	if (ret_busy)
		*ret_busy = busy;
	return self->lazy ? mc_job_run_anywhere(core, detach, &self->job) : rc;
}

int mc_detach(struct mc_core *core, const struct mc_detach_args *args, struct mc_busy *ret_busy,
	struct mc_err *err)
{
	mc_auto_job struct detach_job *self = NULL;
	struct mc_own_type type;
	size_t length = strlen(args->path);
	bool is_out;
	int rc;

	if (!MC_RESERVED_IS_ZERO(args->reserved) || !MC_RESERVED_IS_ZERO(args->place.reserved))
		return mc_err_set(err, MC_STEP_SETUP, -EINVAL);
	if (length >= sizeof(self->path))
		return mc_err_set(err, MC_STEP_IDENTITY, -ENAMETOOLONG);
	rc = mc_own_type(core, args, &type, err);
	if (rc == 0 && args->at_most && type.at_path > args->at_most)
		rc = mc_err_set(err, MC_STEP_IDENTITY, -ESTALE);
	if (rc < 0)
		return rc;
	self = mc_job_new(sizeof(*self));
	if (!self)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	self->place = args->place;
	self->mount_id = args->mount_id;
	self->root = args->root;
	self->lazy = args->lazy;
	memcpy(self->path, args->path, length + 1);
	self->job.key = args->place.key;
	self->job.in_helper = args->place.may_mount || type.is_slow;
	self->job.waits_for = args->place.key ? args->place.key : mc_key_of(args->path);
	if (type.is_slow)
		self->job.waits_for = type.key;
	self->job.keep[0] = args->place.ns_fd;
	self->job.keep[1] = args->place.root_fd;
	rc = find_covers(core, args, self);
	if (rc < 0)
		return mc_err_set(err, MC_STEP_IDENTITY, rc);
	rc = args->lazy ? mc_job_run_anywhere(core, detach, &self->job)
			: detach_strictly(core, args, self, &type, ret_busy);
	if (rc < 0)
		mc_err_set(err, self->job.err.step, rc);
	is_out = rc == 0 || (rc == -ENOENT && self->job.err.step == MC_STEP_IDENTITY);
	if (rc == 0 && self->is_doubtful)
		rc = mc_err_set(err, MC_STEP_IDENTITY, resolve_doubt(core, args));
	if (is_out && args->made)
		mc_unmake_in(core, &args->place, args->path, args->made);
	return rc;
}

void mc_made_remove(
	struct mc_core *core, const struct mc_place *place, const char *path, struct mc_made *made)
{
	mc_unmake_in(core, place, path, made);
}
