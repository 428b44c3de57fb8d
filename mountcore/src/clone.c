/* SPDX-License-Identifier: Apache-2.0 */
/* The source's half of an attach.
 *
 * Sequence: setns(host) openat2(source) [openat2(subpath)] open_tree setns(home); then, on the
 * detached tree, mount_setattr(private or slave, attributes) [mount_setattr(idmap)]
 * [statx(FORCE_SYNC), by the helper that is kept for questions: the answer is waited for behind the
 * resolve] [owners.c, in the caller's thread].  A tree whose attributes are to be locked goes
 * through a staging namespace in a helper (lock_job); and so does every tree where there is no
 * mount_setattr (stage.c). */
#include "clone.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "attach.h"
#include "core.h"
#include "legacy.h"
#include "mounts.h"
#include "owners.h"
#include "question.h"
#include "route.h"
#include "run.h"
#include "source.h"
#include "stage.h"
#include "sys.h"

static int clone_source(const struct mc_core *core, struct mc_attach *self)
{
	const struct mc_source_path path = {self->source, self->beneath, self->subpath};
	struct mc_stat stat = {0}, root = {0};
	mc_sys_auto_fd fd =
		mc_source_open(core, &self->job, &path, mc_attach_has_as(self) ? &root : NULL);
	int tree, rc;

	if (fd < 0)
		return fd;
	self->owner.uid = root.uid;
	self->owner.gid = root.gid;
	rc = self->job.in_helper ? mc_source_probe(fd) : 0;
	if (rc == 0)
		rc = mc_describe(core, fd, "", &stat);
	if (rc == 0 && !S_ISDIR(stat.mode) && !self->may_be_file)
		rc = -ENOTDIR;
	if (rc == 0 && S_ISLNK(stat.mode))
		rc = -ELOOP;
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_SOURCE, rc);
	self->origin = stat.mountinfo_id;
	self->origin_id = stat.mount_id;
	if (!(core->features & MC_FEATURE_OPEN_TREE)) {
		self->job.fds[MC_FD_TREE] = mc_take_fd(&fd);
		self->tree = stat;
		return 0;
	}
	tree = mc_sys_open_tree(
		fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | (self->alone ? 0 : AT_RECURSIVE));
	if (tree < 0)
		return mc_err_set(&self->job.err, MC_STEP_CLONE, tree);
	self->job.fds[MC_FD_TREE] = tree;
	return 0;
}

/* By the place's user namespace alone; else it is a part of owners.c. */
static bool is_idmapped(const struct mc_attach *self)
{
	return self->idmap && self->place.userns_fd > 0 && !mc_attach_has_as(self);
}

/* Of the tree, all the way down: the clone of a shared mount is in its peer group, and a mount made
 * in the container would appear on the host. */
static unsigned long propagation_of(const struct mc_attach *self)
{
	return self->is_slave ? MS_SLAVE : MS_PRIVATE;
}

static int clone_staged(void)
{
	return mc_sys_open_tree(AT_FDCWD, MC_STAGE_PATH, AT_RECURSIVE | OPEN_TREE_CLONE);
}

/* For kernels without mount_setattr: a clone of the tree after its attributes were set by mount(2).
 */
static int dress_by_staging(const struct mc_core *core, struct mc_attach *self)
{
	int *tree = &self->job.fds[MC_FD_TREE];
	int rc = mc_describe(core, *tree, "", &self->tree);

	if (rc == 0 && is_idmapped(self))
		return mc_err_set(&self->job.err, MC_STEP_IDMAP, -ENOSYS);
	if (rc == 0)
		rc = mc_stage(*tree, S_ISDIR(self->tree.mode), propagation_of(self));
	if (rc == 0)
		rc = mc_stage_attr(core, MC_STAGE_PATH, &self->attr);
	if (rc == 0)
		rc = clone_staged();
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_CLONE, rc);
	mc_sys_close(*tree);
	*tree = rc;
	return mc_err_set(&self->job.err, MC_STEP_CLONE, mc_describe(core, *tree, "", &self->tree));
}

static int set_tree_attributes(const struct mc_core *core, struct mc_attach *self)
{
	const struct mount_attr attr = {
		.attr_set = self->attr.set,
		.attr_clr = self->attr.clear,
		.propagation = propagation_of(self),
	};
	const struct mount_attr map = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (unsigned)self->place.userns_fd,
	};
	int rc = mc_sys_mount_setattr(self->job.fds[MC_FD_TREE], AT_RECURSIVE, &attr);

	if (rc == 0)
		rc = mc_describe(core, self->job.fds[MC_FD_TREE], "", &self->tree);
	mc_err_set(&self->job.err, MC_STEP_CLONE, rc);
	if (rc == 0 && is_idmapped(self)) {
		rc = mc_sys_mount_setattr(self->job.fds[MC_FD_TREE], AT_RECURSIVE, &map);
		/* The source's mount has a map: that takes more than a job may do. */
		self->is_mapped = rc == -EPERM && self->place.pid > 0 &&
				  core->features & MC_FEATURE_OPEN_TREE_ATTR;
		if (self->is_mapped)
			return 0;
		mc_err_set(&self->job.err, MC_STEP_IDMAP, rc);
	}
	return rc;
}

static int clone_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = mc_clock_ns();
	int rc = mc_enter(core->host_ns);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = clone_source(core, self);
	mc_leave(core, core->host_ns);
	if (rc == 0 && core->features & MC_FEATURE_OPEN_TREE)
		rc = core->features & MC_FEATURE_MOUNT_SETATTR ? set_tree_attributes(core, self)
							       : dress_by_staging(core, self);
	self->work_ns += mc_clock_ns() - start;
	return rc;
}

static int copy_locked(struct mc_attach *self)
{
	int rc = mc_stage(self->job.fds[MC_FD_TREE], S_ISDIR(self->tree.mode), MS_PRIVATE);

	if (rc == 0)
		rc = mc_sys_setns(self->place.userns_fd, CLONE_NEWUSER);
	if (rc == 0)
		rc = mc_sys_unshare(CLONE_NEWNS);
	return rc < 0 ? rc : clone_staged();
}

/* Attributes that the container's root cannot clear.  The kernel locks them when a mount namespace
 * is copied into a less privileged user namespace (mount_namespaces(7)), and only then: so that is
 * done, in a helper, and the tree is cloned from the copy. */
static int lock_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	int tree = copy_locked(self);

	if (tree < 0)
		return mc_err_set(&job->err, MC_STEP_LOCK, tree);
	job->fds[MC_FD_TREE] = tree;
	return mc_err_set(&job->err, MC_STEP_LOCK, mc_describe(core, tree, "", &self->tree));
}

static int lock(struct mc_attach *self)
{
	mc_auto_fd unlocked = self->job.fds[MC_FD_TREE];
	int rc = mc_attach_answer(self, 0); /* counted with this helper: it would wait for itself */

	if (rc < 0) {
		mc_take_fd(&unlocked);
		return rc;
	}
	self->job.in_helper = true;
	rc = mc_job_run(self->core, lock_job, &self->job);
	self->job.in_helper = false;
	if (self->job.fds[MC_FD_TREE] == unlocked)
		mc_take_fd(&unlocked); /* no other came */
	return rc;
}

static void tell_source(struct mc_attach *self)
{
	self->info.source = (struct mc_file_id){self->tree.dev, self->tree.ino};
	self->info.is_dir = S_ISDIR(self->tree.mode);
}

/* Without open_tree: the mount's IDs are not known before it is made. */
static int find_source(struct mc_attach *self)
{
	tell_source(self);
	return mc_err_set(&self->job.err, MC_STEP_CLONE, mc_legacy_find(self));
}

/* Whether the source answers, for a tree that the kernel's cache led to: a dead one is not
 * attached. */
static int probe_job(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	return mc_err_set(&job->err, MC_STEP_SOURCE, mc_source_probe(job->fds[MC_FD_TREE]));
}

static int probe_fuse_job(const struct mc_core *core, struct mc_job *job)
{
	(void)core;
	return mc_err_set(&job->err, MC_STEP_SOURCE, mc_source_probe_fuse(job->fds[MC_FD_TREE]));
}

static int ask(struct mc_attach *self)
{
	uint64_t start = mc_clock_ns();
	int rc = mc_job_ask(self->core, self->way.is_fuse ? probe_fuse_job : probe_job, &self->job,
		&self->question);

	self->work_ns += mc_clock_ns() - start;
	return rc;
}

int mc_attach_answer(struct mc_attach *self, int rc)
{
	uint64_t start = mc_clock_ns();
	struct mc_err err = {0};
	int answer = mc_job_answer(self->core, &self->question, &err);

	self->work_ns += mc_clock_ns() - start;
	if (answer < 0)
		self->job.err = err;
	return answer < 0 ? answer : rc;
}

static int clone_anyhow(struct mc_attach *self)
{
	/* Some kernels have the one and not the other: 5.10.162 took RESOLVE_CACHED from 5.12. */
	const bool may_be_cached = mc_may_be_cached(self->core) && self->way.is_cached &&
				   self->core->features & MC_FEATURE_MOUNT_SETATTR;
	int rc;

	self->job.waits_for = self->way.key;
	self->job.is_cached = self->way.is_slow && may_be_cached;
	self->job.in_helper = (self->way.is_slow && !may_be_cached) ||
			      !(self->core->features & MC_FEATURE_MOUNT_SETATTR);
	/* EXDEV: a mount on the way of the subpath, or a link that leads out. */
	rc = mc_job_run_anywhere(self->core, clone_job, &self->job);
	if (rc == 0 && self->way.is_slow && !self->job.in_helper)
		rc = ask(self);
	self->job.in_helper = self->job.is_cached = false;
	return rc;
}

/* Whether something can propagate to the tree: from peers of the mount that it was cloned from, or
 * from that one's own master.  The kernel makes a slave of any other mount without a word. */
static int check_propagation(struct mc_attach *self)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount origin;
	int rc = self->core->features & MC_FEATURE_OPEN_TREE ? 0 : -ENOSYS;

	if (rc == 0)
		rc = mc_mounts_read_host(self->core, &mounts);
	if (rc == 0)
		rc = mc_mounts_find(mounts, self->origin, &origin);
	if (rc == 0 && !origin.is_shared && !origin.is_slave)
		rc = -EINVAL;
	return mc_err_set(&self->job.err, MC_STEP_PROPAGATION, rc);
}

int mc_attach_clone(struct mc_attach *self)
{
	int rc;

	mc_table_way(self->job.table, self->source, &self->way);
	rc = clone_anyhow(self);
	if (rc == 0 && self->is_slave)
		rc = check_propagation(self);
	if (rc == 0 && (mc_attach_has_as(self) || self->is_mapped))
		rc = mc_attach_map_owners(self);
	if (rc == 0 && !(self->core->features & MC_FEATURE_OPEN_TREE))
		return find_source(self);
	if (rc == 0 && self->lock && self->place.userns_fd > 0)
		rc = lock(self);
	if (rc < 0)
		return rc;
	self->info.mount_id = self->tree.mount_id;
	self->info.mountinfo_id = self->tree.mountinfo_id;
	tell_source(self);
	return 0;
}
