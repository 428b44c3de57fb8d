/* SPDX-License-Identifier: Apache-2.0 */
/* The last section of an attach (prepare.c): the move, its verification, and the way back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "attach.h"
#include "core.h"
#include "helper.h"
#include "legacy.h"
#include "lines.h"
#include "route.h"
#include "run.h"
#include "stage.h"
#include "sys.h"
#include "unmake.h"

enum { STACKED_MAX = 32, AGAIN_MAX = 8 };

/* Whether the mount stands on the checked mount.  A move goes to the top of the stack at the
 * target: a mount that the container put there since may be shared with the host. */
static int verify_parent(const struct mc_core *core, const struct mc_attach *self)
{
	struct mc_statmount mount = {0};
	int rc;

	if (!(core->features & MC_FEATURE_STATMOUNT))
		return 0;
	rc = mc_sys_statmount(self->tree.mount_id, MC_STATMOUNT_MNT_BASIC, &mount);
	if (rc < 0)
		return rc == -ENOENT ? -ESTALE : rc; /* taken out already, by who may */
	return mount.mnt_parent_id == self->parent.id ? 0 : -ESTALE;
}

/* The path of the target from inside the container, as it is now: also what a renamed or removed
 * directory is noticed by. */
static int verify_inside(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat top;
	const char *name;
	mc_sys_auto_fd parent = mc_open_parent(
		core, root, self->info.path, mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);
	int rc = parent < 0 ? parent : mc_describe_top(core, &self->job, parent, name, &top);

	if (rc < 0) /* EAGAIN is not "gone": a file system might have to be asked */
		return rc == -EAGAIN ? rc : -ESTALE;
	if (top.mount_id != self->tree.mount_id || top.dev != self->tree.dev ||
		top.ino != self->tree.ino)
		return -ESTALE;
	return verify_parent(core, self);
}

/* In a helper that works in a user namespace's place: be its root, for file systems that know no
 * other users.  There is no way back, and none is needed: the helper ends with the job. */
static bool is_becoming_root(const struct mc_attach *self)
{
	return self->job.in_helper && self->place.userns_fd > 0;
}

static struct mc_making making_of(const struct mc_core *core, const struct mc_attach *self)
{
	bool is_root_there = is_becoming_root(self);
	bool may_stage = !is_root_there || core->features & MC_FEATURE_MOUNT_SETATTR;

	return (struct mc_making){
		.core = core,
		.uid = is_root_there ? 0 : self->place.uid,
		.gid = is_root_there ? 0 : self->place.gid,
		.last_is_file = !S_ISDIR(self->tree.mode),
		/* A container that may mount can replace its root, even by a host directory. */
		.writable = self->place.may_mount || !may_stage ? 0 : self->own_root,
		.ns_fd = self->place.ns_fd,
		.in_helper = self->job.in_helper,
	};
}

/* Unmount by a descriptor on the mount's root, wherever that went, or the mount on top.  The
 * descriptor's name is looked up in our own procfs, from a working directory on it; that may stay,
 * the library keeps the procfs open anyway. */
static int unmount_fd(const struct mc_core *core, int fd)
{
	char name[MC_FD_NAME_SIZE];
	int rc = mc_sys_fchdir(core->proc);

	mc_fd_name(fd, name);
	return rc < 0 ? rc : mc_sys_umount2(name, MC_UMOUNT_LAZY);
}

/* Our own mount out, with what was mounted on top of it, which umount2 takes first.  It fails when
 * ours is out, or was never moved. */
static void unmount_tree(const struct mc_core *core, const struct mc_attach *self)
{
	int rc = 0;

	for (int i = 0; i < STACKED_MAX; i++) {
		rc = unmount_fd(core, self->job.fds[MC_FD_TREE]);
		/* It fails, too, when someone else took what covered it in that moment. */
		if (rc < 0 && !mc_mountinfo_has_id(core, self->tree.mountinfo_id))
			return;
	}
}

/* Unmount only; the created entries go when the job is over. */
static int take_back(const struct mc_core *core, struct mc_job *job, int root)
{
	const struct mc_attach *self = (const struct mc_attach *)job;

	if (core->features & MC_FEATURE_OPEN_TREE)
		unmount_tree(core, self);
	else
		mc_legacy_take_back(core, self, root);
	return 0;
}

/* Move beneath the mount at the target, then unmount that: openers see the old tree or the new one,
 * never the directory below both. */
static int replace_atomically(const struct mc_core *core, struct mc_attach *self)
{
	int old = self->job.fds[MC_FD_TARGET];
	int rc = mc_sys_move_mount(self->job.fds[MC_FD_TREE], old, MOVE_MOUNT_BENEATH);

	if (rc == -EINVAL)
		rc = -EOPNOTSUPP; /* before 6.5; or the mount is locked, or not of this namespace */
	return rc == 0 ? unmount_fd(core, old) : rc;
}

static int replace_anyhow(const struct mc_core *core, struct mc_attach *self, int root)
{
	const uint64_t known = mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN);
	const char *name;
	mc_sys_auto_fd parent = MC_FD_NONE, target = MC_FD_NONE;
	int rc = unmount_fd(core, self->job.fds[MC_FD_TARGET]);

	if (rc < 0)
		return rc;
	parent = mc_open_parent(core, root, self->info.path, known, &name);
	target = parent < 0 ? parent : mc_open(core, parent, name, 0, MC_RESOLVE_KNOWN);
	if (target < 0)
		return target;
	return mc_sys_move_mount(self->job.fds[MC_FD_TREE], target, 0);
}

/* Whether the target's mount was unmounted since we opened it: another is at its path. */
static bool is_gone(const struct mc_core *core, const struct mc_attach *self, int root, int target)
{
	struct mc_stat ours = {0}, now = {0};
	mc_sys_auto_fd fd = mc_open(
		core, root, self->info.path, 0, mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN));

	return fd < 0 || mc_describe(core, fd, "", &now) < 0 ||
	       mc_describe(core, target, "", &ours) < 0 || now.mount_id != ours.mount_id ||
	       now.ino != ours.ino;
}

/* Kernels before 6.15 answer EINVAL also when a mount went away that was on top of the target when
 * they looked. */
static int put(const struct mc_core *core, struct mc_attach *self, int root, int target)
{
	int rc = -EINVAL;

	if (!(core->features & MC_FEATURE_OPEN_TREE))
		return mc_legacy_put(core, self, root, target);
	for (int i = 0; i < AGAIN_MAX && rc == -EINVAL; i++) {
		if (i > 0 && is_gone(core, self, root, target))
			return -ENOENT;
		rc = mc_sys_move_mount(self->job.fds[MC_FD_TREE], target, 0);
	}
	return rc;
}

static int move_in(const struct mc_core *core, struct mc_attach *self, int root)
{
	const struct mc_making making = making_of(core, self);
	int target = self->job.fds[MC_FD_TARGET];
	int rc, last = mc_walk_make(
			&making, target, self->target + self->missing, &self->info.made);

	if (last < 0)
		return mc_err_set(&self->job.err, MC_STEP_MKDIR, last);
	rc = put(core, self, root, last);
	if (last != target)
		mc_sys_close(last);
	return mc_err_set(&self->job.err, MC_STEP_MOVE, rc);
}

static int move(const struct mc_core *core, struct mc_attach *self, int root)
{
	int rc;

	if (!self->is_replacing)
		rc = move_in(core, self, root);
	else if (self->replace == MC_REPLACE_ATOMIC)
		rc = replace_atomically(core, self);
	else
		rc = replace_anyhow(core, self, root);
	return mc_err_set(&self->job.err, MC_STEP_REPLACE, rc);
}

/* Whether a job that failed here goes on in a helper, from the stage that it is at. */
static bool is_to_go_on(struct mc_attach *self, int rc)
{
	bool is_other_way = rc == -EAGAIN || rc == -EXDEV || rc == -EOVERFLOW;

	if (self->job.in_helper)
		return false;
	if (is_other_way)
		return self->job.is_cached;
	/* The way back: names that are not in the cache; the last unmount of a file system, whose
	 * server does not answer. */
	if (!self->job.is_cached && !self->way.has_slow && !self->place.may_mount)
		return false;
	self->stage = MC_COMMIT_UNDO;
	self->verdict = self->job.err;
	return true;
}

static int move_and_verify(const struct mc_core *core, struct mc_job *job, int root)
{
	struct mc_attach *self = (struct mc_attach *)job;
	int rc = 0;

	if (self->stage == MC_COMMIT_UNDO)
		rc = mc_err_set(&self->job.err, self->verdict.step, self->verdict.code);
	if (self->stage == MC_COMMIT_MOVE) {
		rc = move(core, self, root);
		if (rc == 0)
			self->stage = MC_COMMIT_VERIFY;
	}
	if (self->stage == MC_COMMIT_VERIFY) {
		rc = verify_inside(core, self, root);
		mc_err_set(&self->job.err, MC_STEP_VERIFY, rc);
	}
	if (rc < 0 && is_to_go_on(self, rc))
		return -EAGAIN;
	if (rc < 0)
		take_back(core, job, root);
	return rc;
}

static int enter_place(const struct mc_attach *self)
{
	int rc = mc_enter(self->place.ns_fd);

	if (rc == 0 && is_becoming_root(self)) {
		rc = mc_sys_setns(self->place.userns_fd, CLONE_NEWUSER);
		if (rc == 0)
			rc = mc_sys_become(0, 0);
		mc_helper_bind(&self->job);
	}
	return rc;
}

static int commit_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = mc_clock_ns();
	int rc = enter_place(self);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = mc_at_root(core, job, &self->place, move_and_verify);
	if (!is_becoming_root(self))
		mc_leave(core, self->place.ns_fd);
	self->work_ns += mc_clock_ns() - start;
	return rc;
}

/* Make the tree such that nobody can move it any more: attached in a namespace of this helper's
 * own, with which it goes.  Where it was moved already this fails, since it is in another
 * namespace. */
static int spoil_job(const struct mc_core *core, struct mc_job *job)
{
	const struct mc_attach *self = (const struct mc_attach *)job;

	(void)core;
	return mc_stage(job->fds[MC_FD_TREE], S_ISDIR(self->tree.mode), MS_PRIVATE);
}

/* A helper that was killed at its deadline may have moved the mount already, or may be held by the
 * kernel just before that and go on when nobody expects it any more. */
static int take_back_job(const struct mc_core *core, struct mc_job *job)
{
	return mc_in_place(core, job, &((struct mc_attach *)job)->place, take_back);
}

static void keep_timing(struct mc_core *core, uint64_t work_ns)
{
	mc_auto_lock lock = mc_lock(&core->lock);

	core->timings[core->timing_count++ % MC_TIMINGS_MAX] = work_ns;
}

/* After a helper that failed or was not started: `rc` tells which.  Stuck helpers do not prevent
 * it; mounts that cannot be unmounted stay. */
static void take_back_anyhow(struct mc_attach *self, int rc)
{
	bool has_begun = self->stage != MC_COMMIT_MOVE || self->info.made.count > 0;

	if (!has_begun && (rc == -EALREADY || rc == -EUSERS))
		return;
	self->job.in_helper = true;
	self->job.waits_for = 0;
	if (self->core->features & MC_FEATURE_OPEN_TREE)
		mc_job_run(self->core, spoil_job, &self->job);
	mc_job_run(self->core, take_back_job, &self->job);
}

int mc_attach_commit(struct mc_attach *attach, struct mc_err *err)
{
	int rc = mc_job_run_anywhere(attach->core, commit_job, &attach->job);

	if (rc == 0) {
		keep_timing(attach->core, attach->work_ns);
		return 0;
	}
	mc_err_set(err, attach->job.err.step, rc);
	if (attach->job.err.step == MC_STEP_HELPER)
		take_back_anyhow(attach, rc);
	mc_unmake_in(attach->core, &attach->place, attach->info.path, &attach->info.made);
	return rc;
}
