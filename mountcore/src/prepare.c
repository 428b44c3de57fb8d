/* SPDX-License-Identifier: Apache-2.0 */
/* Attach: the place's half; the source's is in clone.c, the checks between in check.c.
 *
 * Sequence, each section a job (job.h); a failure ends the list:
 *   clone    clone.c; it asks the source's server, which answers during the next one
 *   resolve  setns(place) openat2(target, or its deepest existing ancestor) statx readlink
 *            statmount setns(home)
 *   check    check.c
 *   commit   setns(place) [mkdirat openat2]… move_mount, then from inside openat2(parent) statx;
 *            not ours, not there: umount2 by descriptor, rmdir the new entries; setns(home)
 *            replacing one's own: move_mount(beneath) umount2(the old one, by descriptor)
 *
 * Jobs run in a worker, with RESOLVE_NO_XDEV where nobody inside can block the thread (trust.h): on
 * the place's own root mount, as its Engine made it.  On EXDEV the same job looks up the rest in
 * the kernel's cache, which waits for nobody (RESOLVE_CACHED).  EAGAIN (a file system might have to
 * be asked) sends it to a helper; so does EOVERFLOW: a file system of the container's user
 * namespace takes only its users as owners. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "attach.h"
#include "check.h"
#include "clone.h"
#include "core.h"
#include "detach.h"
#include "legacy.h"
#include "reserved.h"
#include "route.h"
#include "sys.h"
#include "table.h"
#include "trust.h"

/* A link that leads nowhere is not a directory to be made. */
static int refuse_dangling(const struct mc_core *core, const struct mc_attach *self, int found)
{
	char name[NAME_MAX + 1];
	const char *missing = self->target + self->missing;
	size_t length = strcspn(missing, "/");
	uint64_t resolve = MC_RESOLVE_USER;
	mc_sys_auto_fd fd = MC_FD_NONE;

	if (length == 0)
		return 0;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, missing, length);
	name[length] = '\0';
	if (self->job.is_cached)
		resolve |= self->is_local ? RESOLVE_NO_XDEV : RESOLVE_CACHED;
	fd = mc_open(core, found, name, O_NOFOLLOW, resolve);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return -ELOOP;
}

/* Propagation of mounts made at the target, and of mounts that replace a mount there: the mount
 * below that decides. */
static int ask_propagation(const struct mc_core *core, struct mc_attach *self)
{
	struct mc_statmount mount = {0};
	bool is_top = self->found.is_mount_root && !self->target[self->missing];
	int rc;

	if (!(core->features & MC_FEATURE_STATMOUNT))
		return 0;
	rc = mc_sys_statmount(self->found.mount_id, MC_STATMOUNT_MNT_BASIC, &mount);
	self->top = (struct mc_parent){mount.mnt_id, mount.mnt_propagation};
	if (rc == 0 && is_top && mount.mnt_parent_id != mount.mnt_id) {
		rc = mc_sys_statmount(mount.mnt_parent_id, MC_STATMOUNT_MNT_BASIC, &mount);
		self->below = (struct mc_parent){mount.mnt_id, mount.mnt_propagation};
	}
	return rc == -ENOENT ? -ESTALE : rc; /* the mount is gone, the target with it */
}

/* Whether what was found is a mount's root, on kernels that do not tell: its directory is on
 * another mount. */
static int find_mount_root(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat above = {0};
	mc_sys_auto_fd parent = MC_FD_NONE;
	const char *name;
	int rc;

	if (core->features & MC_FEATURE_MOUNT_ID)
		return 0;
	self->found.is_mount_root = !self->info.path[1];
	if (self->found.is_mount_root)
		return 0;
	parent = mc_open_parent(
		core, root, self->info.path, mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);
	if (parent < 0)
		return parent;
	rc = mc_describe(core, parent, "", &above);
	self->found.is_mount_root = above.mount_id != self->found.mount_id;
	return rc;
}

/* To the path of a mount whose root was deleted on the host the kernel adds " (deleted)", which may
 * as well be part of a name: then the path without it leads to another mount, or nowhere. */
static void cut_deleted(const struct mc_core *core, struct mc_attach *self, int root)
{
	static const char mark[] = " (deleted)";
	size_t length = strlen(self->info.path), cut = length - (sizeof(mark) - 1);
	struct mc_stat stat = {0};
	mc_sys_auto_fd fd = MC_FD_NONE;

	if (length < sizeof(mark) || strcmp(self->info.path + cut, mark) != 0)
		return;
	self->info.path[cut] = '\0';
	fd = mc_open(
		core, root, self->info.path, 0, mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN));
	if (fd < 0 || mc_describe(core, fd, "", &stat) < 0 ||
		stat.mount_id != self->found.mount_id || stat.ino != self->found.ino)
		self->info.path[cut] = ' ';
}

/* The rest of the target, from where the kernel's cache led to, `fd`: looked up like any other
 * where that mount is one to rely on. */
static int walk_rest(const struct mc_core *core, struct mc_attach *self, int fd)
{
	const uint64_t resolve = MC_RESOLVE_KNOWN | RESOLVE_NO_XDEV;
	size_t begin = self->missing > 1 ? self->missing - 1 : 0, more = 0;
	int rest = -EAGAIN;

	if (self->is_local)
		rest = mc_open_deepest(core, fd, self->target + begin, resolve, &more, NULL);
	if (rest == -EXDEV || rest == -ELOOP) /* another mount, or a link */
		return -EAGAIN;
	if (rest >= 0)
		self->missing = begin + more;
	return rest;
}

static int walk_target(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat stat;
	bool is_known = true;
	mc_sys_auto_fd fd = mc_open_deepest(core, root, self->target,
		mc_resolve_flags(&self->job, MC_RESOLVE_USER), &self->missing, &is_known);
	int rc;

	self->is_local = false;
	if (fd < 0 || !self->job.is_cached || !self->target[self->missing])
		return mc_take_fd(&fd);
	rc = mc_describe(core, fd, "", &stat);
	if (rc == 0)
		rc = mc_is_local(core, &self->job, self->place.may_mount, &stat);
	if (rc < 0)
		return rc;
	self->is_local = rc;
	return is_known ? mc_take_fd(&fd) : walk_rest(core, self, fd);
}

static int find_target(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat stat;
	int rc = mc_describe(core, root, "", &stat);
	int fd = rc < 0 ? rc : walk_target(core, self, root);

	if (fd < 0)
		return fd;
	self->own_root = stat.mount_id;
	self->job.fds[MC_FD_TARGET] = fd;
	rc = refuse_dangling(core, self, fd);
	if (rc == 0)
		rc = mc_describe(core, fd, "", &self->found);
	if (rc == 0)
		rc = mc_fd_path(core, self->place.root_fd, fd, self->info.path);
	if (rc == 0)
		cut_deleted(core, self, root);
	if (rc == 0)
		rc = find_mount_root(core, self, root);
	return rc == 0 ? ask_propagation(core, self) : rc;
}

static int resolve_target(const struct mc_core *core, struct mc_job *job, int root)
{
	int rc = find_target(core, (struct mc_attach *)job, root);

	if (rc < 0 && job->fds[MC_FD_TARGET] >= 0) { /* another way may be tried */
		mc_sys_close(job->fds[MC_FD_TARGET]);
		job->fds[MC_FD_TARGET] = MC_FD_NONE;
	}
	return mc_err_set(&job->err, MC_STEP_TARGET, rc);
}

static int resolve_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = mc_clock_ns();
	int rc = mc_in_place(core, job, &self->place, resolve_target);

	self->work_ns += mc_clock_ns() - start;
	return rc;
}

static int copy_source(struct mc_attach *self, const struct mc_attach_args *args)
{
	int rc = mc_copy_path(self->source, args->source);

	if (rc == 0)
		rc = mc_copy_path(self->beneath, args->beneath);
	if (rc == 0)
		rc = mc_copy_path(self->subpath, args->subpath);
	if (rc == 0 && (args->source[0] != '/' ||
			       (args->beneath && !mc_path_is_below(args->source, args->beneath))))
		rc = -EINVAL;
	return rc;
}

/* Whether the IDs are some, and the place's maps can be read if they are needed. */
static bool is_as_possible(const struct mc_attach_args *args)
{
	if (!args->as_uid && !args->as_gid)
		return true;
	return args->as_uid <= UINT32_MAX && args->as_gid <= UINT32_MAX &&
	       (args->place.userns_fd <= 0 ||
		       (args->place.pid > 0 && args->place.pid <= INT32_MAX));
}

static int copy_args(struct mc_attach *self, const struct mc_attach_args *args, struct mc_err *err)
{
	int rc;

	if (!MC_RESERVED_IS_ZERO(args->reserved) || !MC_RESERVED_IS_ZERO(args->place.reserved) ||
		!is_as_possible(args) || (args->is_slave && args->lock))
		return mc_err_set(err, MC_STEP_SETUP, -EINVAL);
	rc = mc_err_set(err, MC_STEP_SOURCE, copy_source(self, args));
	if (rc == 0) {
		rc = args->target[0] == '/' ? mc_copy_path(self->target, args->target) : -EINVAL;
		mc_err_set(err, MC_STEP_TARGET, rc);
	}
	if (rc == 0 && args->group && strlen(args->group) >= sizeof(self->group))
		rc = mc_err_set(err, MC_STEP_SETUP, -EINVAL);
	if (rc == 0 && args->group)
		memcpy(self->group, args->group, strlen(args->group) + 1);
	self->attr = args->attr;
	self->place = args->place;
	self->replace = args->replace;
	self->mkdir = args->mkdir;
	self->alone = args->alone;
	self->may_be_file = args->may_be_file;
	self->idmap = args->idmap;
	self->lock = args->lock;
	self->as_uid = args->as_uid;
	self->as_gid = args->as_gid;
	self->is_slave = args->is_slave;
	self->job.keep[0] = args->place.ns_fd;
	self->job.keep[1] = args->place.root_fd;
	self->job.keep[2] = args->place.userns_fd > 0 ? args->place.userns_fd : MC_FD_NONE;
	return rc;
}

/* Looking at the root of a network file system may ask its server (d_weak_revalidate, nfs and 9p);
 * and without RESOLVE_CACHED who may mount can put a server that never answers anywhere. */
static bool needs_helper(const struct mc_attach *self)
{
	if (!mc_may_be_cached(self->core))
		return self->place.may_mount || self->way.is_slow;
	return self->way.is_slow && !self->way.is_cached;
}

/* The last unmount of a file system may wait for its server; and between the two steps of a
 * replacement that is not atomic nobody else can go on. */
static bool replaces_slowly(struct mc_attach *self)
{
	struct mc_detach_args old = {.place = self->place, .path = self->info.path};
	struct mc_own_type type = {.is_slow = true};

	if (!self->is_replacing)
		return false;
	old.mountinfo_id = self->found.mountinfo_id;
	return self->replace != MC_REPLACE_ATOMIC || self->place.may_mount ||
	       mc_own_type(self->core, &old, &type, NULL) < 0 || type.is_slow;
}

/* The kernel's cache holds nothing that has yet to be made. */
static bool makes_slowly(const struct mc_attach *self)
{
	return self->job.is_cached && self->info.to_make > 0 && !self->is_local;
}

int mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err)
{
	bool is_legacy = !(core->features & MC_FEATURE_OPEN_TREE);
	struct mc_attach *self;
	int rc;

	self = mc_job_new(sizeof(*self));
	if (!self)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	self->core = core;
	rc = copy_args(self, args, err);
	if (rc == 0 && is_legacy && !mc_legacy_is_possible(self))
		rc = mc_err_set(err, MC_STEP_SETUP, -ENOSYS);
	if (rc == 0)
		self->job.table = mc_table_get(core, args->since_ns, &self->job.is_table_old);
	if (rc == 0)
		rc = mc_attach_clone(self);
	self->job.key = args->place.key;
	self->job.waits_for = args->place.key ? args->place.key : mc_key_of(args->target);
	self->job.in_helper = needs_helper(self);
	self->job.is_cached = false;
	if (rc == 0)
		rc = mc_job_run_anywhere(core, resolve_job, &self->job);
	rc = mc_attach_answer(self, rc);
	mc_err_set(err, self->job.err.step, rc);
	if (rc == 0)
		rc = mc_attach_check(self, args, err);
	if (rc == 0 && is_legacy)
		rc = mc_legacy_check(self, err);
	if (rc == 0 && (replaces_slowly(self) || makes_slowly(self)))
		self->job.in_helper = true;
	/* It makes a namespace of its own. */
	if (is_legacy && self->place.ns_fd >= 0)
		self->job.in_helper = true;
	if (rc < 0)
		mc_attach_free(self);
	else
		*ret = self;
	return rc;
}
