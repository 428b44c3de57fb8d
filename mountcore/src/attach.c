/* Attach.
 *
 * Sequence, each section a job (job.h); one that fails ends the list:
 *   clone    setns(host) openat2(source) open_tree setns(home); mount_setattr(private, attributes)
 *   resolve  setns(place) openat2(target, or its deepest existing ancestor) statx readlink
 *            statmount setns(home)
 *   check    outside: refused, type, occupied, shared
 *   commit   setns(place) [mkdirat openat2]… move_mount, then from inside openat2(parent) statx;
 *            not ours, not there: umount2 by descriptor, rmdir what was made; setns(home)
 *
 * Jobs run in a worker with RESOLVE_NO_XDEV: only the place's own root mount is walked, so nobody
 * inside can hold the thread up.  EXDEV, or a source behind a server, sends the same jobs to a
 * helper without it. */
#include "mountcore/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "sys.h"
#include "walk.h"

enum { FD_TREE, FD_TARGET };

enum { NEEDED = MC_FEATURE_OPEN_TREE | MC_FEATURE_OPENAT2 | MC_FEATURE_MOUNT_SETATTR };

struct mc_attach {
	struct mc_job job; /* first: the whole struct is job memory */
	struct mc_core *core;
	struct mc_attr attr;
	struct mc_place place;
	bool mkdir;
	char source[PATH_MAX];
	char target[PATH_MAX];
	size_t missing; /* offset into target of what does not exist */
	struct mc_stat tree;
	struct mc_stat found; /* the target, or its deepest existing ancestor */
	uint64_t propagation; /* of the mount it is on; statmount's mnt_propagation */
	uint64_t work_ns;
	struct mc_attach_info info;
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int clone_source(const struct mc_core *core, struct mc_attach *self)
{
	struct mc_stat stat;
	int tree, rc, fd = mc_sys_openat2(core->host_root, self->source, O_PATH, MC_RESOLVE_KNOWN);

	if (fd < 0)
		return mc_err_set(&self->job.err, MC_STEP_SOURCE, fd);
	rc = mc_describe(core, fd, "", &stat);
	if (rc == 0 && !S_ISDIR(stat.mode))
		rc = -ENOTDIR;
	if (rc < 0) {
		mc_sys_close(fd);
		return mc_err_set(&self->job.err, MC_STEP_SOURCE, rc);
	}
	tree = mc_sys_open_tree(fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE);
	mc_sys_close(fd);
	if (tree < 0)
		return mc_err_set(&self->job.err, MC_STEP_CLONE, tree);
	self->job.fds[FD_TREE] = tree;
	return 0;
}

/* Private, all the way down: the clone of a shared mount is in its peer group, and a mount made in
 * the container would appear on the host. */
static int dress_clone(const struct mc_core *core, struct mc_attach *self)
{
	const struct mount_attr attr = {
		.attr_set = self->attr.set,
		.attr_clr = self->attr.clear,
		.propagation = MS_PRIVATE,
	};
	int rc = mc_sys_mount_setattr(self->job.fds[FD_TREE], AT_RECURSIVE, &attr);

	if (rc == 0)
		rc = mc_describe(core, self->job.fds[FD_TREE], "", &self->tree);
	return mc_err_set(&self->job.err, MC_STEP_CLONE, rc);
}

static int clone_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = clock_ns();
	int rc = mc_enter(core->host_ns);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = clone_source(core, self);
	mc_leave(core, core->host_ns);
	if (rc == 0)
		rc = dress_clone(core, self);
	self->work_ns += clock_ns() - start;
	return rc;
}

static uint64_t resolve_flags(const struct mc_job *job, uint64_t flags)
{
	return job->in_helper ? flags : flags | RESOLVE_NO_XDEV;
}

static int open_root(const struct mc_place *place)
{
	if (place->root_fd >= 0)
		return mc_sys_openat2(place->root_fd, ".", O_PATH | O_DIRECTORY, MC_RESOLVE_USER);
	return mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
}

/* A link that leads nowhere is not a directory to be made. */
static int refuse_dangling(const struct mc_attach *self, int found)
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
	fd = mc_sys_openat2(found, name, O_PATH | O_NOFOLLOW, MC_RESOLVE_USER);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	mc_sys_close(fd);
	return -ELOOP;
}

static int resolve_target(const struct mc_core *core, struct mc_attach *self)
{
	struct mc_statmount mount;
	int rc, fd, root = open_root(&self->place);

	if (root < 0)
		return root;
	fd = mc_walk(
		root, self->target, resolve_flags(&self->job, MC_RESOLVE_USER), &self->missing);
	mc_sys_close(root);
	if (fd < 0)
		return fd;
	self->job.fds[FD_TARGET] = fd;
	rc = refuse_dangling(self, fd);
	if (rc == 0)
		rc = mc_describe(core, fd, "", &self->found);
	if (rc == 0)
		rc = mc_fd_path(core, self->place.root_fd, fd, self->info.path);
	if (rc == 0 && (core->features & MC_FEATURE_STATMOUNT)) {
		rc = mc_sys_statmount(self->found.mount_id, MC_STATMOUNT_MNT_BASIC, &mount);
		self->propagation = mount.mnt_propagation;
	}
	return rc;
}

static int resolve_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = clock_ns();
	int rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = resolve_target(core, self);
	mc_leave(core, self->place.ns_fd);
	self->work_ns += clock_ns() - start;
	return mc_err_set(&job->err, MC_STEP_TARGET, rc);
}

/* The path of the target from inside the container, as it is now: also what a renamed or removed
 * directory is noticed by. */
static int verify_inside(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat top;
	const char *name;
	int rc, parent = mc_open_parent(
			root, self->info.path, resolve_flags(&self->job, MC_RESOLVE_KNOWN), &name);

	if (parent < 0)
		return -ESTALE;
	rc = mc_describe(core, parent, name, &top);
	mc_sys_close(parent);
	if (rc < 0)
		return -ESTALE;
	if (top.mount_id != self->tree.mount_id || top.dev != self->tree.dev ||
		top.ino != self->tree.ino)
		return -ESTALE;
	return 0;
}

/* Take our mount out wherever it went: by descriptor, so it can be no other.  The descriptor's
 * name is looked up in our own procfs, from a working directory on it; that may stay, the library
 * keeps the procfs open anyway. */
static void take_back(const struct mc_core *core, struct mc_attach *self, int root)
{
	char name[MC_FD_NAME_SIZE];

	mc_fd_name(self->job.fds[FD_TREE], name);
	if (mc_sys_fchdir(core->proc) == 0)
		mc_sys_umount2(name, MC_UMOUNT_LAZY);
	mc_unmake(core, root, self->info.path, resolve_flags(&self->job, MC_RESOLVE_KNOWN),
		&self->info.made);
}

static int move_and_verify(const struct mc_core *core, struct mc_attach *self, int root)
{
	int target = self->job.fds[FD_TARGET];
	int rc = mc_walk_make(core, target, self->target + self->missing, &self->info.made);
	int last = rc;

	if (rc < 0) {
		mc_err_set(&self->job.err, MC_STEP_MKDIR, rc);
		take_back(core, self, root);
		return rc;
	}
	rc = mc_sys_move_mount(self->job.fds[FD_TREE], last);
	mc_err_set(&self->job.err, MC_STEP_MOVE, rc);
	if (last != target)
		mc_sys_close(last);
	if (rc == 0) {
		rc = verify_inside(core, self, root);
		mc_err_set(&self->job.err, MC_STEP_VERIFY, rc);
	}
	if (rc < 0)
		take_back(core, self, root);
	return rc;
}

static int commit_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	uint64_t start = clock_ns();
	int root, rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	root = open_root(&self->place);
	if (root < 0) {
		rc = mc_err_set(&job->err, MC_STEP_TARGET, root);
	} else {
		rc = move_and_verify(core, self, root);
		mc_sys_close(root);
	}
	mc_leave(core, self->place.ns_fd);
	self->work_ns += clock_ns() - start;
	return rc;
}

/* A helper that was killed at its deadline may have moved the mount already. */
static int take_back_job(const struct mc_core *core, struct mc_job *job)
{
	struct mc_attach *self = (struct mc_attach *)job;
	int root, rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return rc;
	root = open_root(&self->place);
	if (root >= 0) {
		take_back(core, self, root);
		mc_sys_close(root);
	}
	mc_leave(core, self->place.ns_fd);
	return 0;
}

/* Run a job on the fast path and, if a mount is in the way there, in a helper. */
static int run(struct mc_attach *self, mc_job_fn fn)
{
	int rc = mc_job_run(self->core, fn, &self->job);

	if (rc == -EXDEV && !self->job.in_helper) {
		self->job.in_helper = true;
		rc = mc_job_run(self->core, fn, &self->job);
	}
	return rc;
}

/* Kernels before 6.8 tell the propagation in the mount table only. */
static int read_propagation(struct mc_attach *self)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(self->core, self->place.ns_fd, &mounts, NULL);

	if (rc == 0)
		rc = mc_mounts_find(mounts, self->found.mountinfo_id, &mount);
	if (rc == 0)
		self->propagation = mount.is_shared ? MS_SHARED : MS_PRIVATE;
	mc_mounts_free(mounts);
	return rc;
}

static unsigned count_components(const char *path)
{
	unsigned count = 1;

	for (; *path; path++)
		count += *path == '/';
	return count;
}

static int check_target(struct mc_attach *self, struct mc_err *err)
{
	bool is_missing = self->target[self->missing];

	if (self->found.nlink == 0)
		return mc_err_set(err, MC_STEP_TARGET, -ESTALE);
	if (is_missing && !self->mkdir)
		return mc_err_set(err, MC_STEP_TARGET, -ENOENT);
	if (!S_ISDIR(self->found.mode))
		return mc_err_set(err, MC_STEP_TYPE, -ENOTDIR);
	if (is_missing) { /* info.path is the ancestor's so far */
		size_t length = strlen(self->info.path);
		const char *rest = self->target + self->missing;

		if (length + strlen(rest) + 2 > sizeof(self->info.path))
			return mc_err_set(err, MC_STEP_TARGET, -ENAMETOOLONG);
		if (length > 1)
			self->info.path[length++] = '/';
		memcpy(self->info.path + length, rest, strlen(rest) + 1);
		self->info.to_make = count_components(rest);
	}
	if (self->place.root_fd < 0 && mc_path_is_refused(self->info.path))
		return mc_err_set(err, MC_STEP_REFUSED, -EACCES);
	if (!is_missing && self->found.is_mount_root)
		return mc_err_set(err, MC_STEP_OCCUPIED, -EBUSY);
	if (!(self->core->features & MC_FEATURE_STATMOUNT) && read_propagation(self) < 0)
		return mc_err_set(err, MC_STEP_TARGET, -ESTALE);
	if ((self->propagation & MS_SHARED) && !self->place.may_spread)
		return mc_err_set(err, MC_STEP_SHARED, -EINVAL);
	return 0;
}

static int prepare(struct mc_attach *self, struct mc_err *err)
{
	bool is_slow = mc_host_is_slow(self->core, self->source);
	int rc;

	self->job.in_helper = is_slow;
	rc = mc_job_run(self->core, clone_job, &self->job);
	self->job.in_helper = false;
	if (rc == 0) {
		self->info.mount_id = self->tree.mount_id;
		self->info.mountinfo_id = self->tree.mountinfo_id;
		self->info.source = (struct mc_file_id){self->tree.dev, self->tree.ino};
		rc = run(self, resolve_job);
	}
	if (rc < 0)
		return mc_err_set(err, self->job.err.step, rc);
	return check_target(self, err);
}

static int copy_path(char ret[static PATH_MAX], const char *path)
{
	size_t length = strlen(path);

	if (length >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(ret, path, length + 1);
	return path[0] == '/' ? 0 : -EINVAL;
}

int mc_attach_prepare(struct mc_core *core, const struct mc_attach_args *args,
	struct mc_attach **ret, struct mc_err *err)
{
	struct mc_attach *self;
	int rc;

	if ((core->features & NEEDED) != NEEDED)
		return mc_err_set(err, MC_STEP_SETUP, -ENOSYS);
	self = mc_job_new(sizeof(*self));
	if (!self)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	self->core = core;
	self->attr = args->attr;
	self->place = args->place;
	self->mkdir = args->mkdir;
	self->job.key = args->place.key;
	self->job.keep[0] = args->place.ns_fd;
	self->job.keep[1] = args->place.root_fd;
	rc = mc_err_set(err, MC_STEP_SOURCE, copy_path(self->source, args->source));
	if (rc == 0)
		rc = mc_err_set(err, MC_STEP_TARGET, copy_path(self->target, args->target));
	if (rc == 0)
		rc = prepare(self, err);
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
	int rc = mc_job_run(attach->core, commit_job, &attach->job);

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
