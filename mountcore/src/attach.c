/* Attach: the place's half; the source's is in clone.c, the checks between in check.c.
 *
 * Sequence, each section a job (job.h); one that fails ends the list:
 *   clone    clone.c
 *   resolve  setns(place) openat2(target, or its deepest existing ancestor) statx readlink
 *            statmount setns(home)
 *   check    check.c
 *   commit   setns(place) [mkdirat openat2]… move_mount, then from inside openat2(parent) statx;
 *            not ours, not there: umount2 by descriptor, rmdir what was made; setns(home)
 *            replacing: move_mount(beneath) umount2(the old one, by descriptor)
 *
 * Jobs run in a worker with RESOLVE_NO_XDEV: only the place's own root mount is walked, so nobody
 * inside can hold the thread up.  EXDEV sends the same job to a helper without it, and so does
 * EOVERFLOW: a file system of the container's user namespace takes only its users as owners. */
#include "mountcore/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "attach.h"
#include "core.h"
#include "legacy.h"
#include "sys.h"

enum { STACKED_MAX = 32 };

static uint64_t resolve_flags(const struct mc_job *job, uint64_t flags)
{
	return job->in_helper ? flags : flags | RESOLVE_NO_XDEV;
}

int mc_open_root(const struct mc_core *core, const struct mc_place *place)
{
	if (place->root_fd >= 0)
		return mc_open(core, place->root_fd, ".", O_DIRECTORY, MC_RESOLVE_USER);
	return mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
}

/* A link that leads nowhere is not a directory to be made. */
static int refuse_dangling(const struct mc_core *core, const struct mc_attach *self, int found)
{
	char name[NAME_MAX + 1];
	const char *missing = self->target + self->missing;
	size_t length = strcspn(missing, "/");
	int fd;

	if (length == 0)
		return 0;
	if (length > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, missing, length);
	name[length] = '\0';
	fd = mc_open(core, found, name, O_NOFOLLOW, MC_RESOLVE_USER);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	mc_sys_close(fd);
	return -ELOOP;
}

/* How mounts propagate that are made at the target.  Where a mount is to be replaced, that is a
 * matter of the mount below it. */
static int ask_propagation(const struct mc_core *core, struct mc_attach *self)
{
	struct mc_statmount mount = {0};
	bool is_top = self->found.is_mount_root && !self->target[self->missing];
	int rc;

	if (!(core->features & MC_FEATURE_STATMOUNT))
		return 0;
	rc = mc_sys_statmount(self->found.mount_id, MC_STATMOUNT_MNT_BASIC, &mount);
	if (rc == 0 && is_top && mount.mnt_parent_id != mount.mnt_id)
		rc = mc_sys_statmount(mount.mnt_parent_id, MC_STATMOUNT_MNT_BASIC, &mount);
	self->parent_id = mount.mnt_id;
	self->propagation = mount.mnt_propagation;
	return rc == -ENOENT ? -ESTALE : rc; /* the mount is gone, the target with it */
}

/* Whether what was found is a mount's root, on kernels that do not tell: its directory is on
 * another mount. */
static int find_mount_root(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat above = {0};
	const char *name;
	int rc, parent;

	if (core->features & MC_FEATURE_MOUNT_ID)
		return 0;
	self->found.is_mount_root = !self->info.path[1];
	if (self->found.is_mount_root)
		return 0;
	parent = mc_open_parent(
		core, root, self->info.path, resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);
	if (parent < 0)
		return parent;
	rc = mc_describe(core, parent, "", &above);
	mc_sys_close(parent);
	self->found.is_mount_root = above.mount_id != self->found.mount_id;
	return rc;
}

static int resolve_target(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat stat;
	int rc = mc_describe(core, root, "", &stat);
	int fd = rc < 0 ? rc
			: mc_walk(core, root, self->target,
				  resolve_flags(&self->job, MC_RESOLVE_USER), &self->missing);

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
		rc = find_mount_root(core, self, root);
	return rc == 0 ? ask_propagation(core, self) : rc;
}

static int resolve_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = mc_clock_ns();
	int root, rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	root = mc_open_root(core, &self->place);
	rc = root < 0 ? root : resolve_target(core, self, root);
	if (root >= 0)
		mc_sys_close(root);
	mc_leave(core, self->place.ns_fd);
	self->work_ns += mc_clock_ns() - start;
	return mc_err_set(&job->err, MC_STEP_TARGET, rc);
}

/* Whether the mount stands on the mount that was looked at.  A move goes to the top of what is
 * mounted at the target: what the container put there since may be shared with the host. */
static int verify_parent(const struct mc_core *core, const struct mc_attach *self)
{
	struct mc_statmount mount = {0};
	int rc;

	if (!(core->features & MC_FEATURE_STATMOUNT))
		return 0;
	rc = mc_sys_statmount(self->tree.mount_id, MC_STATMOUNT_MNT_BASIC, &mount);
	if (rc < 0)
		return rc == -ENOENT ? -ESTALE : rc; /* taken out already, by who may */
	return mount.mnt_parent_id == self->parent_id ? 0 : -ESTALE;
}

/* The path of the target from inside the container, as it is now: also what a renamed or removed
 * directory is noticed by. */
static int verify_inside(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat top;
	const char *name;
	int rc, parent = mc_open_parent(core, root, self->info.path,
			resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);

	if (parent < 0)
		return -ESTALE;
	rc = mc_describe(core, parent, name, &top);
	mc_sys_close(parent);
	if (rc < 0)
		return -ESTALE;
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
		/* Who may mount can put any directory, the host's too, where its root was. */
		.writable = self->place.may_mount || !may_stage ? 0 : self->own_root,
		.ns_fd = self->place.ns_fd,
		.in_helper = self->job.in_helper,
	};
}

/* Take a mount out by a descriptor on its root, wherever it went, or what covers it.  The
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

	for (int i = 0; i < STACKED_MAX && rc == 0; i++)
		rc = unmount_fd(core, self->job.fds[MC_FD_TREE]);
}

static void take_back(const struct mc_core *core, struct mc_attach *self, int root)
{
	const struct mc_making making = making_of(core, self);

	if (core->features & MC_FEATURE_OPEN_TREE)
		unmount_tree(core, self);
	else
		mc_legacy_take_back(core, self, root);
	mc_unmake(&making, root, self->info.path, resolve_flags(&self->job, MC_RESOLVE_KNOWN),
		&self->info.made);
}

/* Beneath the mount at the target, then that one out: who opens the target sees the old tree or the
 * new one, and never what is below both. */
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
	const char *name;
	int target, rc = unmount_fd(core, self->job.fds[MC_FD_TARGET]);
	int parent = rc < 0 ? rc
			    : mc_open_parent(core, root, self->info.path,
				      resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);

	if (parent < 0)
		return parent;
	target = mc_open(core, parent, name, 0, MC_RESOLVE_KNOWN);
	mc_sys_close(parent);
	if (target < 0)
		return target;
	rc = mc_sys_move_mount(self->job.fds[MC_FD_TREE], target, 0);
	mc_sys_close(target);
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
	rc = core->features & MC_FEATURE_OPEN_TREE
		     ? mc_sys_move_mount(self->job.fds[MC_FD_TREE], last, 0)
		     : mc_legacy_put(core, self, root, last);
	if (last != target)
		mc_sys_close(last);
	return mc_err_set(&self->job.err, MC_STEP_MOVE, rc);
}

static int move_and_verify(const struct mc_core *core, struct mc_attach *self, int root)
{
	int rc;

	if (!self->is_replacing)
		rc = move_in(core, self, root);
	else if (self->replace == MC_REPLACE_ATOMIC)
		rc = replace_atomically(core, self);
	else
		rc = replace_anyhow(core, self, root);
	mc_err_set(&self->job.err, MC_STEP_REPLACE, rc);
	if (rc == 0) {
		rc = verify_inside(core, self, root);
		mc_err_set(&self->job.err, MC_STEP_VERIFY, rc);
	}
	if (rc < 0)
		take_back(core, self, root);
	return rc;
}

static int enter_place(const struct mc_attach *self)
{
	int rc = mc_enter(self->place.ns_fd);

	if (rc == 0 && is_becoming_root(self)) {
		rc = mc_sys_setns(self->place.userns_fd, CLONE_NEWUSER);
		if (rc == 0)
			rc = mc_sys_become(0, 0);
	}
	return rc;
}

static int commit_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = mc_clock_ns();
	int root, rc = enter_place(self);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	root = mc_open_root(core, &self->place);
	if (root < 0) {
		rc = mc_err_set(&job->err, MC_STEP_TARGET, root);
	} else {
		rc = move_and_verify(core, self, root);
		mc_sys_close(root);
	}
	if (!is_becoming_root(self))
		mc_leave(core, self->place.ns_fd);
	self->work_ns += mc_clock_ns() - start;
	return rc;
}

/* Make the tree such that nobody can move it any more: attached here for a moment and taken out.
 * Where it was moved already this fails, since it is in another namespace. */
static void spoil(const struct mc_attach *self)
{
	const char *here = S_ISDIR(self->tree.mode) ? "/proc/fs" : "/proc/version";

	if (self->core->features & MC_FEATURE_OPEN_TREE &&
		mc_sys_move_mount_to(self->job.fds[MC_FD_TREE], here) == 0)
		mc_sys_umount2(here, MC_UMOUNT_LAZY | MC_UMOUNT_NOFOLLOW);
}

/* A helper that was killed at its deadline may have moved the mount already, or may be held by the
 * kernel just before that and go on when nobody expects it any more. */
static int take_back_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	int root, rc;

	spoil(self);
	rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return rc;
	root = mc_open_root(core, &self->place);
	if (root >= 0) {
		take_back(core, self, root);
		mc_sys_close(root);
	}
	mc_leave(core, self->place.ns_fd);
	return 0;
}

static int copy_path(char ret[static PATH_MAX], const char *path)
{
	size_t length = path ? strlen(path) : 0;

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	if (path)
		memcpy(ret, path, length + 1);
	return 0;
}

static int copy_source(struct mc_attach *self, const struct mc_attach_args *args)
{
	int rc = copy_path(self->source, args->source);

	if (rc == 0)
		rc = copy_path(self->beneath, args->beneath);
	if (rc == 0)
		rc = copy_path(self->subpath, args->subpath);
	if (rc == 0 && (args->source[0] != '/' ||
			       (args->beneath && !mc_path_is_below(args->source, args->beneath))))
		rc = -EINVAL;
	return rc;
}

static int copy_args(struct mc_attach *self, const struct mc_attach_args *args, struct mc_err *err)
{
	int rc = mc_err_set(err, MC_STEP_SOURCE, copy_source(self, args));

	if (rc == 0) {
		rc = args->target[0] == '/' ? copy_path(self->target, args->target) : -EINVAL;
		mc_err_set(err, MC_STEP_TARGET, rc);
	}
	self->attr = args->attr;
	self->place = args->place;
	self->replace = args->replace;
	self->mkdir = args->mkdir;
	self->may_be_file = args->may_be_file;
	self->idmap = args->idmap;
	self->lock = args->lock;
	self->job.key = args->place.key;
	self->job.keep[0] = args->place.ns_fd;
	self->job.keep[1] = args->place.root_fd;
	self->job.keep[2] = args->place.userns_fd > 0 ? args->place.userns_fd : MC_FD_NONE;
	return rc;
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
		rc = mc_attach_clone(self);
	/* Who may mount can put a server that never answers anywhere, its root included; and
	 * looking at the root of a network file system may ask its server (d_weak_revalidate, nfs
	 * and 9p).
	 */
	self->job.in_helper = self->place.may_mount || self->is_slow;
	if (rc == 0)
		rc = mc_job_run_anywhere(core, resolve_job, &self->job);
	mc_err_set(err, self->job.err.step, rc);
	if (rc == 0)
		rc = mc_attach_check(self, err);
	if (rc == 0 && is_legacy)
		rc = mc_legacy_check(self, err);
	/* It makes a namespace of its own. */
	if (is_legacy && self->place.ns_fd >= 0)
		self->job.in_helper = true;
	if (rc < 0)
		mc_attach_free(self);
	else
		*ret = self;
	return rc;
}

const struct mc_attach_info *mc_attach_info(const struct mc_attach *attach)
{
	return &attach->info;
}

static void keep_timing(struct mc_core *core, uint64_t work_ns)
{
	pthread_mutex_lock(&core->lock);
	core->timings[core->timing_count++ % MC_TIMINGS_MAX] = work_ns;
	pthread_mutex_unlock(&core->lock);
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
		mc_job_run(attach->core, take_back_job, &attach->job);
	return rc;
}

void mc_attach_free(struct mc_attach *attach)
{
	mc_job_free(attach, sizeof(*attach));
}
