/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <string.h>

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "route.h"
#include "run.h"
#include "sys.h"
#include "walk.h"

/* Project IDs are numbers without a register: ours are these, the first byte being an H. */
static const uint32_t ID_FIRST = 0x48000000, ID_COUNT = 0x01000000;

enum { ID_TRIES = 4096 };

struct quota_job {
	struct mc_path_job base;
	char device[PATH_MAX]; /* that the file system is on, for kernels without quotactl_fd */
	uint64_t bytes;
};

/* A command about project `id` of the file system that `fd` is on. */
static int command(const struct quota_job *self, int fd, unsigned number, uint32_t id, void *ret)
{
	const unsigned request = QCMD(number, PRJQUOTA);
	int rc = mc_sys_quotactl_fd(fd, request, id, ret);

	/* Before 5.14. */
	return rc == -ENOSYS && self->device[0] ? mc_sys_quotactl(request, self->device, id, ret)
						: rc;
}

static int check_enforced(const struct quota_job *self, int fd)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
	int rc = command(self, fd, Q_XGETQSTATV, 0, &state);

	if (rc < 0)
		return rc;
	return state.qs_flags & FS_QUOTA_PDQ_ENFD ? 0 : -EOPNOTSUPP;
}

/* Where to begin looking: everybody at another place. */
static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261U; /* FNV-1a */

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * 16777619U;
	return value;
}

/* 1: nobody uses it. */
static int is_free(const struct quota_job *self, int fd, uint32_t id)
{
	struct if_dqblk quota = {0};
	int rc = command(self, fd, Q_GETQUOTA, id, &quota);

	if (rc == -ENOENT || rc == -ESRCH)
		return 1;
	if (rc < 0)
		return rc;
	return quota.dqb_bhardlimit == 0 && quota.dqb_bsoftlimit == 0 && quota.dqb_curspace == 0 &&
	       quota.dqb_curinodes == 0;
}

static int find_free(const struct quota_job *self, int fd, uint32_t *ret)
{
	const uint32_t start = hash(self->base.path);

	for (uint32_t i = 0; i < ID_TRIES; i++) {
		int rc;

		*ret = ID_FIRST + (start + i) % ID_COUNT;
		rc = is_free(self, fd, *ret);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	return -ENOSPC;
}

/* The directory's project, set if there is none.  New files in it inherit it. */
static int take_project(const struct quota_job *self, int fd, uint32_t *ret)
{
	struct fsxattr attr = {0};
	int rc = mc_sys_ioctl(fd, FS_IOC_FSGETXATTR, &attr);

	if (rc < 0)
		return rc;
	*ret = attr.fsx_projid;
	if (attr.fsx_projid >= ID_FIRST && attr.fsx_projid - ID_FIRST < ID_COUNT)
		return 0;
	if (attr.fsx_projid != 0)
		return self->bytes > 0 ? -EEXIST : -ENODATA;
	if (self->bytes == 0)
		return -ENODATA;
	rc = find_free(self, fd, ret);
	if (rc < 0)
		return rc;
	attr.fsx_projid = *ret;
	attr.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return mc_sys_ioctl(fd, FS_IOC_FSSETXATTR, &attr);
}

static int set_limit(const struct quota_job *self, int fd)
{
	struct if_dqblk quota = {
		.dqb_bhardlimit = (self->bytes + QIF_DQBLKSIZE - 1) / QIF_DQBLKSIZE,
		.dqb_valid = QIF_BLIMITS,
	};
	uint32_t id = 0;
	int rc = check_enforced(self, fd);

	if (rc == 0)
		rc = take_project(self, fd, &id);
	if (rc == 0)
		rc = command(self, fd, Q_SETQUOTA, id, &quota);
	/* Errors of file systems without quota, or with quota off. */
	if (rc == -ENOTTY || rc == -ENOSYS || rc == -ESRCH || rc == -EINVAL || rc == -ENOTBLK ||
		rc == -ENODEV || rc == -ENOENT)
		rc = -EOPNOTSUPP;
	if (self->bytes == 0 && (rc == -EOPNOTSUPP || rc == -ENODATA))
		return 0;
	return rc;
}

static int limit(const struct mc_core *core, struct mc_job *job)
{
	struct quota_job *self = (struct quota_job *)job;
	mc_sys_auto_fd fd = MC_FD_NONE;
	int rc = mc_enter(core->host_ns); /* the device is a path of the host's */

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	fd = mc_open_host_dir(core, self->base.path);
	if (fd < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, fd);
	return mc_err_set(&job->err, MC_STEP_QUOTA, set_limit(self, fd));
}

/* Of the file system that `path` is on. */
static int find_device(struct mc_core *core, const char *path, char ret[static PATH_MAX])
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read_host(core, &mounts);

	if (rc == 0 && mc_mounts_of(mounts, path, &mount) == 0)
		strncpy(ret, mount.device, PATH_MAX - 1);
	return rc;
}

int mc_host_limit(struct mc_core *core, const char *path, uint64_t bytes, struct mc_err *err)
{
	mc_auto_job struct quota_job *job = mc_job_new(sizeof(*job));
	int rc = mc_path_job_init(core, job, path, err);

	if (rc < 0)
		return rc;
	job->bytes = bytes;
	rc = find_device(core, job->base.path, job->device);
	if (rc < 0)
		return mc_err_set(err, MC_STEP_SETUP, rc);
	return mc_job_run_err(core, limit, &job->base.job, err);
}
