/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/host.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "route.h"
#include "run.h"
#include "sys.h"
#include "walk.h"

enum { MODE_BITS = 07777 };

struct own_job {
	struct mc_path_job base;
	struct mc_owner owner;
};

/* Only what is another: a change of nothing would still be a change to the file's times, and an
 * error on a file system that is read-only.  The mode comes last, because chown clears
 * set-group-ID.
 */
static int set_owner(const struct mc_owner *owner, int fd)
{
	struct stat is;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;
	bool changes_owner;
	int rc = fstat(fd, &is) < 0 ? -errno : 0;

	if (rc < 0)
		return rc;
	if (owner->uid >= 0 && (uid_t)owner->uid != is.st_uid)
		uid = (uid_t)owner->uid;
	if (owner->gid >= 0 && (gid_t)owner->gid != is.st_gid)
		gid = (gid_t)owner->gid;
	changes_owner = uid != (uid_t)-1 || gid != (gid_t)-1;
	if (changes_owner)
		rc = mc_sys_fchown(fd, uid, gid);
	if (rc == 0 && owner->mode >= 0 &&
		(changes_owner || (mode_t)owner->mode != (is.st_mode & MODE_BITS)))
		rc = mc_sys_fchmod(fd, (mode_t)owner->mode);
	return rc;
}

static int own(const struct mc_core *core, struct mc_job *job)
{
	struct own_job *self = (struct own_job *)job;
	mc_sys_auto_fd fd = mc_open_host_dir(core, self->base.path);

	if (fd < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, fd);
	return mc_err_set(&job->err, MC_STEP_OWNER, set_owner(&self->owner, fd));
}

int mc_host_own(
	struct mc_core *core, const char *path, const struct mc_owner *owner, struct mc_err *err)
{
	mc_auto_job struct own_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc < 0)
		return rc;
	job->owner = *owner;
	return mc_job_run_err(core, own, &job->base.job, err);
}

static int read_owner(const struct mc_core *core, struct mc_job *job)
{
	struct own_job *self = (struct own_job *)job;
	struct stat is;
	mc_sys_auto_fd fd = mc_open(core, core->host_root, self->base.path, 0, MC_RESOLVE_KNOWN);

	if (fd < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, fd);
	if (fstat(fd, &is) < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, -errno);
	self->owner = (struct mc_owner){is.st_uid, is.st_gid, (int)(is.st_mode & MODE_BITS)};
	return 0;
}

int mc_host_owner(struct mc_core *core, const char *path, struct mc_owner *ret, struct mc_err *err)
{
	mc_auto_job struct own_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc < 0)
		return rc;
	job->base.job.in_helper = mc_host_is_slow(core, path);
	rc = mc_job_run_err(core, read_owner, &job->base.job, err);
	if (rc == 0)
		*ret = job->owner;
	return rc;
}

int mc_host_is_on_mount(struct mc_core *core, const char *path)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(core, core->host_ns, &mounts, NULL);

	for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);)
		rc = strcmp(mount.target, "/") != 0 && mc_path_is_below(path, mount.target);
	return rc;
}
