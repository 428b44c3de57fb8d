/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "job.h"
#include "mounts.h"
#include "route.h"
#include "run.h"
#include "source.h"
#include "sys.h"
#include "table.h"
#include "unmake.h"
#include "walk.h"

struct resolve_job {
	struct mc_path_job base;
	char real[PATH_MAX]; /* out */
	bool mkdir;
	bool is_known;    /* the path has no symlink, or has become another one */
	unsigned missing; /* out: how many parts of `real` */
	struct mc_made made;
	struct mc_unmake_plan plan; /* of unmake() */
};

int mc_host_open(const struct mc_core *core, const char *path)
{
	return mc_open(core, core->host_root, path, 0, MC_RESOLVE_USER);
}

static int unmake(const struct mc_core *core, struct mc_job *job)
{
	struct resolve_job *self = (struct resolve_job *)job;
	const struct mc_making making = {.core = core, .plan = &self->plan};

	mc_unmake(&making, core->host_root, self->base.path, MC_RESOLVE_KNOWN, &self->made);
	return 0;
}

/* Fill `real` with the path that `missing` would have below `fd`. */
static int expect_path(
	const struct mc_core *core, struct resolve_job *self, int fd, const char *missing)
{
	int rc = mc_fd_path(core, core->host_root, fd, self->real);
	size_t length = strlen(self->real);

	if (rc < 0)
		return rc;
	if (length == 1)
		length = 0;
	if (length + strlen(missing) + 2 > sizeof(self->real))
		return -ENAMETOOLONG;
	self->real[length] = '/';
	memcpy(self->real + length + 1, missing, strlen(missing) + 1);
	for (const char *at = self->real + length; at; at = strchr(at + 1, '/'))
		self->missing++;
	return 0;
}

/* Sync `count` new directories, `fd` the deepest of them, and their names in their parents: a
 * record of them will be on disk, too. */
static int make_durable(int fd, unsigned count)
{
	int at = mc_sys_openat(fd, ".", O_RDONLY | O_DIRECTORY);

	for (unsigned i = 0; at >= 0; i++) {
		int up, rc = mc_sys_fsync(at);

		if (rc == -EINVAL || rc == -ENOSYS) /* not every file system knows how */
			rc = 0;
		up = rc < 0 || i == count ? rc : mc_sys_openat(at, "..", O_RDONLY | O_DIRECTORY);
		mc_sys_close(at);
		if (i == count)
			return rc;
		at = up;
	}
	return at;
}

static int find_or_make(const struct mc_core *core, struct resolve_job *self)
{
	const struct mc_making making = {.core = core};
	const uint64_t resolve = self->is_known ? MC_RESOLVE_KNOWN : MC_RESOLVE_USER;
	size_t missing = 0;
	mc_sys_auto_fd fd =
		mc_open_deepest(core, core->host_root, self->base.path, resolve, &missing, NULL);
	int last, rc;

	if (fd < 0)
		return mc_err_set(&self->base.job.err, MC_STEP_SOURCE, fd);
	if (!self->base.path[missing])
		return mc_take_fd(&fd);
	last = expect_path(core, self, fd, self->base.path + missing);
	if (last == 0)
		last = self->mkdir
			       ? mc_walk_make(&making, fd, self->base.path + missing, &self->made)
			       : -ENOENT;
	rc = last >= 0 ? make_durable(last, self->made.count) : 0;
	if (rc < 0) {
		mc_sys_close(last);
		last = rc;
	}
	if (last < 0)
		mc_err_set(&self->base.job.err, self->mkdir ? MC_STEP_MKDIR : MC_STEP_SOURCE, last);
	return last;
}

static int resolve(const struct mc_core *core, struct mc_job *job)
{
	struct resolve_job *self = (struct resolve_job *)job;
	struct mc_stat stat;
	mc_sys_auto_fd fd = find_or_make(core, self);
	int rc;

	if (fd < 0)
		return fd;
	rc = mc_source_probe(fd);
	if (rc == 0)
		rc = mc_describe(core, fd, "", &stat);
	if (rc == 0 && !S_ISDIR(stat.mode))
		rc = -ENOTDIR;
	if (rc == 0)
		rc = mc_fd_path(core, core->host_root, fd, self->real);
	return mc_err_set(&job->err, MC_STEP_SOURCE, rc);
}

static int run_resolve(struct mc_core *core, struct resolve_job *job, char ret[static PATH_MAX],
	struct mc_err *err)
{
	int rc = mc_job_run_err(core, resolve, &job->base.job, err);

	if (rc == 0 || (rc == -ENOENT && job->real[0]))
		memcpy(ret, job->real, PATH_MAX);
	if (rc < 0)
		mc_host_unmake(core, job->real, &job->made);
	return rc;
}

int mc_host_resolve(struct mc_core *core, const char *path, char ret[static PATH_MAX],
	unsigned *ret_missing, struct mc_err *err)
{
	mc_auto_job struct resolve_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc < 0)
		return rc;
	rc = run_resolve(core, job, ret, err);
	if (ret_missing)
		*ret_missing = job->missing;
	return rc;
}

int mc_host_make(struct mc_core *core, const char *path, bool is_known, char ret[static PATH_MAX],
	struct mc_made *ret_made, struct mc_err *err)
{
	mc_auto_job struct resolve_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc < 0)
		return rc;
	job->mkdir = true;
	job->is_known = is_known;
	rc = run_resolve(core, job, ret, err);
	if (rc == 0 && ret_made)
		*ret_made = job->made;
	return rc;
}

void mc_host_unmake(struct mc_core *core, const char *path, const struct mc_made *made)
{
	mc_auto_job struct resolve_job *job = made->count > 0 ? mc_job_new(sizeof(*job)) : NULL;

	if (!job || mc_path_job_init(core, job, path, NULL) < 0)
		return;
	job->made = *made;
	if (mc_unmake_plan_host(core, job->base.path, &job->plan) == 0)
		mc_job_run(core, unmake, &job->base.job);
}

int mc_host_mountinfo_open(struct mc_core *core, struct mc_err *err)
{
	return mc_mountinfo_open(core, core->host_ns, err);
}

bool mc_host_is_slow(struct mc_core *core, const char *path)
{
	struct mc_host_way way;

	mc_table_find_way(core, path, &way);
	return way.is_slow;
}

bool mc_host_is_remote(struct mc_core *core, const char *path)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;

	if (mc_mounts_read_host(core, &mounts) < 0 || mc_mounts_of(mounts, path, &mount) < 0)
		return true; /* unsure: the safe way */
	return mc_fstype_is_slow(mount.fstype);
}

/* Returns 1, 0, or a negative errno. */
static int is_in_our_namespace(const struct mc_core *core, pid_t pid)
{
	struct stat stat;
	char name[32];

	snprintf(name, sizeof(name), "%d/ns/mnt", (int)pid);
	if (fstatat(core->proc, name, &stat, 0) < 0)
		return -errno;
	return stat.st_ino == core->home_ino;
}

static int describe_at(const struct mc_core *core, int root, const char *path, struct mc_stat *ret)
{
	mc_auto_fd fd = mc_open(core, root, path, 0, MC_RESOLVE_KNOWN);

	return fd < 0 ? fd : mc_describe(core, fd, "", ret);
}

int mc_host_is_seen(struct mc_core *core, pid_t pid, const char *path)
{
	struct mc_stat ours, theirs;
	mc_auto_fd root = MC_FD_NONE;
	char name[32];
	int rc = is_in_our_namespace(core, pid);

	if (rc != 0)
		return rc;
	snprintf(name, sizeof(name), "%d/root", (int)pid);
	root = mc_sys_openat(core->proc, name, O_PATH | O_DIRECTORY);
	if (root < 0)
		return root;
	rc = describe_at(core, core->host_root, path, &ours);
	if (rc < 0)
		return rc;
	rc = describe_at(core, root, path, &theirs);
	if (rc == -ENOENT)
		return 0;
	return rc < 0 ? rc : theirs.dev == ours.dev && theirs.ino == ours.ino;
}
