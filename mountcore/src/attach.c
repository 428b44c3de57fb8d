/* Attach: the place's half; the source's is in clone.c, the checks between in check.c.
 *
 * Sequence, each section a job (job.h); one that fails ends the list:
 *   clone    clone.c
 *   resolve  setns(place) openat2(target, or its deepest existing ancestor) statx readlink
 *            statmount setns(home)
 *   check    check.c
 *   commit   setns(place) [mkdirat openat2]… move_mount, then from inside openat2(parent) statx;
 *            not ours, not there: umount2 by descriptor, rmdir what was made; setns(home)
 *            replacing one's own: move_mount(beneath) umount2(the old one, by descriptor)
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

uint64_t mc_resolve_flags(const struct mc_job *job, uint64_t flags)
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

/* How mounts propagate that are made at the target, and those that take the place of a mount there:
 * that is a matter of the one below it. */
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
	const char *name;
	int rc, parent;

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
	mc_sys_close(parent);
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
	int fd;

	if (length < sizeof(mark) || strcmp(self->info.path + cut, mark) != 0)
		return;
	self->info.path[cut] = '\0';
	fd = mc_open(
		core, root, self->info.path, 0, mc_resolve_flags(&self->job, MC_RESOLVE_KNOWN));
	if (fd < 0 || mc_describe(core, fd, "", &stat) < 0 ||
		stat.mount_id != self->found.mount_id || stat.ino != self->found.ino)
		self->info.path[cut] = ' ';
	if (fd >= 0)
		mc_sys_close(fd);
}

static int resolve_target(const struct mc_core *core, struct mc_attach *self, int root)
{
	struct mc_stat stat;
	int rc = mc_describe(core, root, "", &stat);
	int fd = rc < 0 ? rc
			: mc_walk(core, root, self->target,
				  mc_resolve_flags(&self->job, MC_RESOLVE_USER), &self->missing);

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
	self->alone = args->alone;
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
		rc = mc_attach_check(self, args, err);
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

void mc_attach_free(struct mc_attach *attach)
{
	mc_job_free(attach, sizeof(*attach));
}
