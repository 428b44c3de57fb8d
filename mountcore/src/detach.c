/* Detach.
 *
 * Sequence, one job: setns(place) openat2(parent) statx(what is on top) fchdir(parent)
 * umount2(name, NOFOLLOW) statx(what is on top now) [rmdir]… setns(home).  No descriptor on the
 * mount itself is open meanwhile: it would make it busy. */
#include "mountcore/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "job.h"
#include "sys.h"
#include "walk.h"

struct detach_job {
	struct mc_job job;
	struct mc_place place;
	uint64_t mount_id;
	bool lazy;
	char path[PATH_MAX];
	struct mc_made made;
};

static uint64_t known(const struct mc_job *job)
{
	return job->in_helper ? MC_RESOLVE_KNOWN : MC_RESOLVE_KNOWN | RESOLVE_NO_XDEV;
}

/* What is on top at the path: 0 ours, -ENOENT nothing, -ESTALE something else. */
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
	return self->mount_id && top.mount_id != self->mount_id ? -ESTALE : 0;
}

static int unmount_top(
	const struct mc_core *core, struct detach_job *self, int parent, const char *name)
{
	int rc = identify(core, self, parent, name);

	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_IDENTITY, rc);
	rc = mc_sys_fchdir(parent);
	if (rc == 0)
		rc = mc_sys_umount2(name, MC_UMOUNT_NOFOLLOW | (self->lazy ? MC_UMOUNT_LAZY : 0));
	if (rc < 0)
		return mc_err_set(&self->job.err, MC_STEP_UMOUNT, rc);
	if (self->mount_id && identify(core, self, parent, name) == 0)
		return mc_err_set(&self->job.err, MC_STEP_IDENTITY, -ESTALE);
	return 0;
}

static int unmount(const struct mc_core *core, struct detach_job *self, int root)
{
	const char *name;
	int rc, parent = mc_open_parent(root, self->path, known(&self->job), &name);

	if (parent < 0)
		return mc_err_set(&self->job.err, MC_STEP_IDENTITY, parent);
	rc = unmount_top(core, self, parent, name);
	mc_sys_fchdir(core->proc); /* a working directory would pin the place's mount */
	mc_sys_close(parent);
	return rc;
}

static int detach(const struct mc_core *core, struct mc_job *job)
{
	struct detach_job *self = (struct detach_job *)job;
	int root, rc = mc_enter(self->place.ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	root = self->place.root_fd >= 0 ? mc_sys_openat2(self->place.root_fd, ".",
						  O_PATH | O_DIRECTORY, MC_RESOLVE_USER)
					: mc_sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
	if (root < 0) {
		rc = mc_err_set(&job->err, MC_STEP_TARGET, root);
	} else {
		rc = unmount(core, self, root);
		if (rc == 0 || rc == -ENOENT)
			mc_unmake(core, root, self->path, known(job), &self->made);
		mc_sys_close(root);
	}
	mc_leave(core, self->place.ns_fd);
	return rc;
}

int mc_detach(struct mc_core *core, const struct mc_detach_args *args, struct mc_err *err)
{
	struct detach_job *self;
	size_t length = strlen(args->path);
	int rc;

	if (length >= sizeof(self->path))
		return mc_err_set(err, MC_STEP_IDENTITY, -ENAMETOOLONG);
	self = mc_job_new(sizeof(*self));
	if (!self)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	self->place = args->place;
	self->mount_id = args->mount_id;
	self->lazy = args->lazy;
	memcpy(self->path, args->path, length + 1);
	if (args->made)
		self->made = *args->made;
	self->job.key = args->place.key;
	self->job.keep[0] = args->place.ns_fd;
	self->job.keep[1] = args->place.root_fd;
	rc = mc_job_run(core, detach, &self->job);
	if (rc == -EXDEV) { /* the mountpoint is below another mount of the container's */
		self->job.in_helper = true;
		rc = mc_job_run(core, detach, &self->job);
	}
	if (rc < 0)
		mc_err_set(err, self->job.err.step, rc);
	mc_job_free(&self->job, sizeof(*self));
	return rc;
}
