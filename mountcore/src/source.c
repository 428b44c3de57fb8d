/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of a comparison, one job: [statx(the mount, in our own namespace)] setns(host)
 * openat2(source) [openat2(subpath)] statx [statx(FORCE_SYNC) fstatfs] readlink setns(home);
 * then, outside, the mounts below the two are compared by the mount tables. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/path.h"
#include "mountcore/source_look.h"

#include "below.h"
#include "core.h"
#include "fstype.h"
#include "job.h"
#include "mounts.h"
#include "reserved.h"
#include "route.h"
#include "silent.h"
#include "sys.h"
#include "table.h"
#include "walk.h"

/* A mount table, read again when the kernel says that it changed. */
struct table {
	int mountinfo; /* open, to be polled */
	struct mc_mounts *mounts;
};

struct mc_look {
	pthread_mutex_t lock; /* everything below */
	struct table host;
	struct table own;
};

struct look_job {
	struct mc_job job;
	char source[PATH_MAX];
	char beneath[PATH_MAX];
	char subpath[PATH_MAX];
	char own[PATH_MAX];   /* the mount in our own namespace; "": in another */
	struct mc_stat shown; /* out: the mount at `own` */
	struct mc_stat stat;  /* out: the source */
	char real[PATH_MAX];  /* out: its path on the host, subpath included */
};

struct mc_source_look {
	struct mc_stat stat;
	struct mc_below there; /* on the host */
	/* Of the mount whose mountpoint the source is on the host. */
	uint64_t mount_dev;
	char *mount_root; /* owned; NULL: it is none, or was not asked for */
	char *path;       /* on the host, subpath included, no symlink in it; owned */
};

/* --- the source ----------------------------------------------------------------------------- */

/* With O_DIRECTORY what systemd mounts on demand is mounted, as for everybody who uses the path.  A
 * file is one without. */
static int open_mounted(const struct mc_core *core, int dirfd, const char *path, uint64_t resolve)
{
	int fd = mc_open(core, dirfd, path, O_DIRECTORY, resolve);

	return fd == -ENOTDIR ? mc_open(core, dirfd, path, 0, resolve) : fd;
}

/* Below `beneath` if there is one, so that no symlink on the way leads out of it.  Mounts inside
 * are the host's own and are passed. */
static int open_source(
	const struct mc_core *core, const struct mc_job *job, const struct mc_source_path *path)
{
	const uint64_t cached = job->is_cached ? RESOLVE_CACHED : 0;
	const char *rest = path->source + strlen(path->beneath);
	mc_sys_auto_fd base = MC_FD_NONE;

	if (path->beneath[0] == '\0' || path->beneath[1] == '\0')
		return open_mounted(core, core->host_root, path->source, MC_RESOLVE_KNOWN | cached);
	base = mc_open(core, core->host_root, path->beneath, O_DIRECTORY, MC_RESOLVE_USER | cached);
	if (base < 0)
		return base;
	rest += strspn(rest, "/");
	return open_mounted(core, base, *rest ? rest : ".",
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | cached);
}

int mc_source_open(const struct mc_core *core, struct mc_job *job,
	const struct mc_source_path *path, struct mc_stat *ret_root)
{
	/* Mounts inside the source may have a server behind them: not walked by a worker. */
	const uint64_t resolve = mc_resolve_flags(job, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	mc_sys_auto_fd fd = open_source(core, job, path);
	int sub = fd;

	if (fd >= 0 && ret_root)
		sub = mc_describe(core, fd, "", ret_root);
	if (sub < 0)
		return mc_err_set(&job->err, MC_STEP_SOURCE, sub);
	if (!path->subpath[0])
		return mc_take_fd(&fd);
	sub = open_mounted(core, fd, path->subpath, resolve);
	return sub < 0 ? mc_err_set(&job->err, MC_STEP_SUBPATH, sub) : sub;
}

/* Root may be refused by a server that works, and not every one knows statfs. */
static bool is_answer(int rc)
{
	return rc == -EACCES || rc == -EPERM || rc == -ENOSYS || rc == -EOPNOTSUPP;
}

static int ask_attributes(int fd)
{
	struct statx stat;

	return mc_sys_statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &stat);
}

int mc_source_probe_fuse(int fd)
{
	int rc = ask_attributes(fd);

	return is_answer(rc) ? 0 : rc;
}

int mc_source_probe(int fd)
{
	int64_t type;
	int rc = ask_attributes(fd);

	if (rc == 0 || is_answer(rc))
		rc = mc_sys_fstatfs_type(fd, &type);
	return is_answer(rc) ? 0 : rc;
}

/* --- mounts below --------------------------------------------------------------------------- */

/* With the lock held: have the table as it is now. */
static int read_table(struct mc_core *core, struct table *table, int ns_fd)
{
	struct mc_mounts *mounts = NULL;
	int rc;

	if (mc_sys_poll_pri(table->mountinfo) == 0 && table->mounts)
		return 0;
	rc = mc_mounts_read(core, ns_fd, &mounts, NULL);
	mc_mounts_free(table->mounts);
	table->mounts = rc == 0 ? mounts : NULL;
	return rc;
}

static int compare_mounts(const struct mc_source_look *look, const struct mc_source_args *args,
	const struct mc_mount *ours, enum mc_source_is *ret)
{
	MC_AUTO(struct mc_below, mc_below_done) here = {0};
	int rc = ours ? mc_below_collect(args->mounts, ours->id, ours->target, &here) : 0;

	if (rc == 0 && !(mc_below_is_part(&look->there, &here) &&
			       (args->has_others || mc_below_is_part(&here, &look->there))))
		*ret = MC_SOURCE_MOUNTS;
	return rc;
}

/* --- looking -------------------------------------------------------------------------------- */

static int look_at_source(const struct mc_core *core, struct look_job *self)
{
	const struct mc_source_path path = {self->source, self->beneath, self->subpath};
	mc_sys_auto_fd fd = mc_source_open(core, &self->job, &path, NULL);
	int rc;

	if (fd < 0)
		return fd;
	rc = mc_describe(core, fd, "", &self->stat);
	if (rc == 0 && self->job.in_helper)
		rc = mc_source_probe(fd);
	if (rc == 0)
		rc = mc_fd_path(core, core->host_root, fd, self->real);
	return mc_err_set(&self->job.err, MC_STEP_SOURCE, rc);
}

static int look(const struct mc_core *core, struct mc_job *job)
{
	struct look_job *self = (struct look_job *)job;
	int rc = self->own[0] ? mc_describe(core, AT_FDCWD, self->own, &self->shown) : 0;

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_TARGET, rc);
	rc = mc_enter(core->host_ns);
	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = look_at_source(core, self);
	mc_leave(core, core->host_ns);
	return rc;
}

static int copy_args(struct look_job *self, const struct mc_source_args *args, const char *own)
{
	int rc = mc_copy_path(self->source, args->source);

	if (rc == 0)
		rc = mc_copy_path(self->beneath, args->beneath);
	if (rc == 0)
		rc = mc_copy_path(self->subpath, args->subpath);
	if (rc == 0)
		rc = mc_copy_path(self->own, own);
	if (rc == 0 && args->beneath && !mc_path_is_below(args->source, args->beneath))
		rc = -EINVAL;
	if (rc == 0 && !MC_RESERVED_IS_ZERO(args->reserved))
		rc = -EINVAL;
	return rc;
}

/* `is_slow`: the mount at `own` has a server. */
static int run_look(struct mc_core *core, const struct mc_source_args *args, bool is_slow,
	struct look_job *self)
{
	char *whole = self->real; /* as text, until it is known */
	struct mc_host_way way;
	int rc = snprintf(whole, sizeof(self->real), "%s/%s", self->source, self->subpath);

	if (rc >= (int)sizeof(self->real))
		return mc_err_set(&self->job.err, MC_STEP_SOURCE, -ENAMETOOLONG);
	mc_table_find_way(core, whole, &way);
	is_slow |= way.is_slow;
	if (args->is_look && mc_silent_has(core, way.key))
		return mc_err_set(&self->job.err, MC_STEP_HELPER, -ETIMEDOUT);
	self->job.in_helper = is_slow;
	self->job.waits_for = way.key;
	self->job.timeout_ms = args->is_look ? MC_LOOK_TIMEOUT_MS : 0;
	rc = mc_job_run_anywhere(core, look, &self->job);
	if (rc == -ETIMEDOUT && args->is_look)
		mc_silent_note(core, way.key);
	return rc;
}

void mc_source_look_free(struct mc_source_look *look)
{
	if (!look)
		return;
	mc_below_done(&look->there);
	free(look->mount_root);
	free(look->path);
	free(look);
}

static void free_look(struct mc_source_look **look)
{
	mc_source_look_free(*look);
}

#define auto_look MC_AUTO(struct mc_source_look *, free_look)

static int note_mount(
	struct mc_mounts *mounts, const struct look_job *job, struct mc_source_look *look)
{
	struct mc_mount mount;

	if (mc_mounts_find(mounts, job->stat.mountinfo_id, &mount) < 0 ||
		strcmp(mount.target, job->real) != 0)
		return 0;
	look->mount_dev = mount.dev;
	look->mount_root = strdup(mount.root);
	return look->mount_root ? 0 : -ENOMEM;
}

static int note_mounts(struct mc_core *core, const struct mc_source_args *args,
	const struct look_job *job, struct mc_source_look *look)
{
	struct table *host = &core->look->host;
	mc_auto_lock lock = mc_lock(&core->look->lock);
	int rc = read_table(core, host, core->host_ns);

	if (rc == 0 && args->is_slave)
		rc = note_mount(host->mounts, job, look);
	if (rc == 0 && S_ISDIR(job->stat.mode))
		rc = mc_below_collect(
			host->mounts, job->stat.mountinfo_id, job->real, &look->there);
	return rc;
}

/* Look, and keep the result. */
static int look_with(struct mc_core *core, const struct mc_source_args *args, bool is_slow,
	struct look_job *job, struct mc_source_look **ret)
{
	auto_look look = NULL;
	int rc = run_look(core, args, is_slow, job);

	if (rc < 0)
		return rc;
	look = calloc(1, sizeof(*look));
	if (!look)
		return mc_err_set(&job->job.err, MC_STEP_SETUP, -ENOMEM);
	look->stat = job->stat;
	look->path = strdup(job->real);
	if (!look->path)
		return mc_err_set(&job->job.err, MC_STEP_SETUP, -ENOMEM);
	if (S_ISDIR(job->stat.mode) || args->is_slave)
		rc = note_mounts(core, args, job, look);
	if (rc < 0)
		return mc_err_set(&job->job.err, MC_STEP_SETUP, rc);
	*ret = look;
	look = NULL;
	return 0;
}

int mc_source_look(struct mc_core *core, const struct mc_source_args *args,
	struct mc_source_look **ret, struct mc_err *err)
{
	mc_auto_job struct look_job *job = mc_job_new(sizeof(*job));
	int rc;

	if (!job)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	rc = mc_err_set(&job->job.err, MC_STEP_SOURCE, copy_args(job, args, NULL));
	if (rc == 0)
		rc = look_with(core, args, false, job, ret);
	return mc_err_set(err, job->job.err.step, rc);
}

const char *mc_source_look_path(const struct mc_source_look *look)
{
	return look->path;
}

/* Of a mount that is a slave: take the mount on top of it for `ours`, if it is the source now: the
 * host has mounted it there. */
static bool is_passed_on(
	const struct mc_source_look *look, const struct mc_source_args *args, struct mc_mount *ours)
{
	struct mc_mount top;

	if (!args->is_slave || !look->mount_root ||
		mc_mounts_find_on_root(args->mounts, ours, &top) < 0)
		return false;
	mc_mounts_climb(args->mounts, &top);
	if (top.dev != look->mount_dev || strcmp(top.root, look->mount_root) != 0)
		return false;
	*ours = top;
	return true;
}

int mc_source_look_compare(const struct mc_source_look *look, const struct mc_source_args *args,
	enum mc_source_is *ret, struct mc_err *err)
{
	const struct mc_stat *stat = &look->stat;
	struct mc_mount ours;
	bool is_there =
		args->mounts && mc_mounts_find(args->mounts, args->mountinfo_id, &ours) == 0;

	*ret = MC_SOURCE_SAME;
	if (!(is_there && is_passed_on(look, args, &ours)) && args->root.ino &&
		(args->root.dev != stat->dev || args->root.ino != stat->ino))
		*ret = MC_SOURCE_OTHER;
	if (*ret != MC_SOURCE_SAME || (args->mounts && !is_there))
		return 0;
	if (is_there && mc_fstype_is_slow(ours.fstype) && mc_mount_is_deleted(&ours)) {
		*ret = MC_SOURCE_OTHER;
		return 0;
	}
	if (!S_ISDIR(stat->mode))
		return 0;
	return mc_err_set(
		err, MC_STEP_SETUP, compare_mounts(look, args, is_there ? &ours : NULL, ret));
}

int mc_source_compare(struct mc_core *core, const struct mc_source_args *args,
	enum mc_source_is *ret, struct mc_err *err)
{
	auto_look look = NULL;
	int rc = mc_source_look(core, args, &look, err);

	return look ? mc_source_look_compare(look, args, ret, err) : rc;
}

/* --- in our own namespace ------------------------------------------------------------------- */

/* Whether something is mounted at `path`; `ret_is_slow`: with a server behind it. */
static int find_own(struct mc_core *core, const char *path, bool *ret_is_slow)
{
	struct table *own = &core->look->own;
	mc_auto_lock lock = mc_lock(&core->look->lock);
	struct mc_mount mount;
	int found = 0, rc = read_table(core, own, MC_FD_NONE);

	for (size_t at = 0; rc == 0 && mc_mounts_next(own->mounts, &at, &mount);) {
		if (strcmp(mount.target, path) != 0)
			continue;
		found = 1;
		*ret_is_slow |= mc_fstype_is_slow(mount.fstype);
	}
	return rc < 0 ? rc : found;
}

static int judge_own(struct mc_core *core, const struct mc_source_args *args,
	const struct look_job *job, const struct mc_source_look *look, enum mc_source_is *ret)
{
	mc_auto_lock lock = mc_lock(&core->look->lock);
	struct mc_source_args own = *args;
	struct mc_mount mount;
	int rc = read_table(core, &core->look->own, MC_FD_NONE);

	own.mounts = core->look->own.mounts;
	own.mountinfo_id = job->shown.mountinfo_id;
	own.root = (struct mc_file_id){job->shown.dev, job->shown.ino};
	own.has_others = false;
	*ret = MC_SOURCE_NONE;
	if (rc == 0 && mc_mounts_find(own.mounts, own.mountinfo_id, &mount) == 0 &&
		strcmp(mount.target, job->own) == 0)
		rc = mc_source_look_compare(look, &own, ret, NULL);
	return rc;
}

int mc_source_compare_own(struct mc_core *core, const struct mc_source_args *args, const char *path,
	enum mc_source_is *ret, struct mc_own *ret_own, struct mc_err *err)
{
	bool is_slow = false;
	int rc = find_own(core, path, &is_slow);
	mc_auto_job struct look_job *job = NULL;
	auto_look look = NULL;

	*ret = MC_SOURCE_NONE;
	if (rc <= 0)
		return mc_err_set(err, MC_STEP_SETUP, rc);
	job = mc_job_new(sizeof(*job));
	if (!job)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	rc = mc_err_set(&job->job.err, MC_STEP_SOURCE, copy_args(job, args, path));
	if (rc == 0)
		rc = look_with(core, args, is_slow, job, &look);
	if (look)
		rc = mc_err_set(
			&job->job.err, MC_STEP_SETUP, judge_own(core, args, job, look, ret));
	*ret_own = (struct mc_own){job->shown.mount_id, {job->shown.dev, job->shown.ino}};
	return mc_err_set(err, job->job.err.step, rc);
}

/* --- the tables ----------------------------------------------------------------------------- */

int mc_look_open(struct mc_core *core, struct mc_err *err)
{
	struct mc_look *look = calloc(1, sizeof(*look));

	if (!look)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	pthread_mutex_init(&look->lock, NULL);
	core->look = look;
	look->own.mountinfo = MC_FD_NONE;
	look->host.mountinfo = mc_mountinfo_open(core, core->host_ns, err);
	if (look->host.mountinfo < 0)
		return look->host.mountinfo;
	look->own.mountinfo = mc_mountinfo_open(core, MC_FD_NONE, err);
	return look->own.mountinfo < 0 ? look->own.mountinfo : 0;
}

void mc_look_close(struct mc_core *core)
{
	struct mc_look *look = core->look;

	if (!look)
		return;
	mc_mounts_free(look->host.mounts);
	mc_mounts_free(look->own.mounts);
	mc_close_fd(&look->host.mountinfo);
	mc_close_fd(&look->own.mountinfo);
	pthread_mutex_destroy(&look->lock);
	free(look);
	core->look = NULL;
}
