#include "mountcore/host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "host.h"
#include "job.h"
#include "mounts.h"
#include "source.h"
#include "sys.h"
#include "trust.h"
#include "unmake.h"
#include "walk.h"

enum { STACK_MAX = 2 }; /* FILESYSTEM_MAX_STACK_DEPTH of the kernel's fs.h */

/* A mount of the host that a server stands behind, be it below an overlay. */
struct slow_mount {
	char *path;
	uint64_t dev;
	bool is_cached; /* RESOLVE_CACHED never waits for it */
	bool is_fuse;
};

/* What is kept of the host's mount table. */
struct mc_slow {
	int ns_mountinfo; /* open, to be polled: the kernel marks it when the table changes */
	struct slow_mount *mounts;
	size_t count;
	struct mc_overlays *overlays; /* NULL: none */
	bool is_stale;                /* it could not be read since it changed */
};

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

/* What the path will be when `missing` is made below `fd`: fills `real`. */
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

/* Have `count` directories that were made, `fd` the deepest of them, on disk, and the names of them
 * in their parents: what is recorded of them will be. */
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
	int last, rc, fd = mc_walk(core, core->host_root, self->base.path, resolve, &missing, NULL);

	if (fd < 0)
		return mc_err_set(&self->base.job.err, MC_STEP_SOURCE, fd);
	if (!self->base.path[missing])
		return fd;
	last = expect_path(core, self, fd, self->base.path + missing);
	if (last == 0)
		last = self->mkdir
			       ? mc_walk_make(&making, fd, self->base.path + missing, &self->made)
			       : -ENOENT;
	mc_sys_close(fd);
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
	int rc, fd = find_or_make(core, self);

	if (fd < 0)
		return fd;
	rc = mc_source_probe(fd);
	if (rc == 0)
		rc = mc_describe(core, fd, "", &stat);
	if (rc == 0 && !S_ISDIR(stat.mode))
		rc = -ENOTDIR;
	if (rc == 0)
		rc = mc_fd_path(core, core->host_root, fd, self->real);
	mc_sys_close(fd);
	return mc_err_set(&job->err, MC_STEP_SOURCE, rc);
}

static int run_resolve(struct mc_core *core, struct resolve_job *job, char ret[static PATH_MAX],
	struct mc_err *err)
{
	int rc = mc_job_run(core, resolve, &job->base.job);

	if (rc == 0 || (rc == -ENOENT && job->real[0]))
		memcpy(ret, job->real, PATH_MAX);
	if (rc < 0)
		mc_err_set(err, job->base.job.err.step, rc);
	if (rc < 0)
		mc_host_unmake(core, job->real, &job->made);
	return rc;
}

int mc_host_resolve(struct mc_core *core, const char *path, char ret[static PATH_MAX],
	unsigned *ret_missing, struct mc_err *err)
{
	struct mc_err cause = {0};
	struct resolve_job *job = mc_path_job_new(core, sizeof(*job), path, &cause);
	int rc = job ? run_resolve(core, job, ret, &cause) : cause.code;

	if (job && ret_missing)
		*ret_missing = job->missing;
	mc_job_free(job, sizeof(*job));
	return mc_err_set(err, cause.step, rc);
}

int mc_host_make(struct mc_core *core, const char *path, bool is_known, char ret[static PATH_MAX],
	struct mc_made *ret_made, struct mc_err *err)
{
	struct mc_err cause = {0};
	struct resolve_job *job = mc_path_job_new(core, sizeof(*job), path, &cause);
	int rc = cause.code;

	if (job) {
		job->mkdir = true;
		job->is_known = is_known;
		rc = run_resolve(core, job, ret, &cause);
		if (rc == 0 && ret_made)
			*ret_made = job->made;
	}
	mc_job_free(job, sizeof(*job));
	return mc_err_set(err, cause.step, rc);
}

void mc_host_unmake(struct mc_core *core, const char *path, const struct mc_made *made)
{
	struct resolve_job *job =
		made->count > 0 ? mc_path_job_new(core, sizeof(*job), path, NULL) : NULL;

	if (!job)
		return;
	job->made = *made;
	if (mc_unmake_plan_host(core, job->base.path, &job->plan) == 0)
		mc_job_run(core, unmake, &job->base.job);
	mc_job_free(job, sizeof(*job));
}

/* With core->slow_lock. */
static void put_overlays(struct mc_overlays *overlays)
{
	if (overlays && --overlays->references == 0)
		free(overlays);
}

static void slow_clear(struct mc_slow *slow)
{
	for (size_t i = 0; i < slow->count; i++)
		free(slow->mounts[i].path);
	free(slow->mounts);
	slow->mounts = NULL;
	slow->count = 0;
	put_overlays(slow->overlays);
	slow->overlays = NULL;
}

static int slow_add(struct mc_slow *slow, const struct mc_mount *mount)
{
	struct slow_mount *mounts = reallocarray(slow->mounts, slow->count + 1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	slow->mounts = mounts;
	mounts[slow->count] = (struct slow_mount){
		.path = strdup(mount->target),
		.dev = mount->dev,
		.is_cached = mc_fstype_is_cached(mount->fstype),
		.is_fuse = mc_fstype_is_fuse(mount->fstype),
	};
	if (!mounts[slow->count].path)
		return -ENOMEM;
	slow->count++;
	return 0;
}

/* Whether a directory that the overlay is made of, as text, is on one of those mounts.  A relative
 * one and a symlink cannot be told. */
static bool is_stacked_on(const struct mc_mount *overlay, const struct slow_mount *slow)
{
	const char *layer = strchr(overlay->fs_options, '/'), *end;
	size_t length = slow->path[1] ? strlen(slow->path) : 0;

	for (; layer; layer = strchr(end, '/')) {
		end = layer + strcspn(layer, ":,");
		if ((size_t)(end - layer) >= length && strncmp(layer, slow->path, length) == 0 &&
			strchr("/:,", layer[length]))
			return true;
	}
	return false;
}

/* Add the overlays that are stacked on those from `from` on. */
static int add_stacked(struct mc_slow *slow, struct mc_mounts *mounts, size_t from)
{
	const size_t end = slow->count;
	struct mc_mount mount;
	int rc = 0;

	for (size_t at = 0; rc == 0 && from < end && mc_mounts_next(mounts, &at, &mount);) {
		if (strcmp(mount.fstype, "overlay") != 0)
			continue;
		for (size_t i = from; i < end; i++) {
			if (!is_stacked_on(&mount, &slow->mounts[i]))
				continue;
			rc = slow_add(slow, &mount);
			break;
		}
	}
	return rc;
}

/* The kernel stacks no more than STACK_MAX overlays. */
static int add_all_stacked(struct mc_slow *slow, struct mc_mounts *mounts)
{
	size_t from = 0, next;
	int rc = 0;

	for (int depth = 0; rc == 0 && depth < STACK_MAX; depth++, from = next) {
		next = slow->count;
		rc = add_stacked(slow, mounts, from);
	}
	return rc;
}

static bool has_dev(const struct mc_slow *slow, uint64_t dev)
{
	for (size_t i = 0; i < slow->count; i++)
		if (slow->mounts[i].dev == dev)
			return true;
	return false;
}

/* Those that a worker may rely on. */
static struct mc_overlays *find_overlays(const struct mc_slow *slow, struct mc_mounts *mounts)
{
	struct mc_overlays *overlays =
		calloc(1, sizeof(*overlays) + mc_mounts_count(mounts) * sizeof(overlays->devs[0]));
	struct mc_mount mount;

	for (size_t at = 0; overlays && mc_mounts_next(mounts, &at, &mount);)
		if (strcmp(mount.fstype, "overlay") == 0 && !has_dev(slow, mount.dev))
			overlays->devs[overlays->count++] = mount.dev;
	if (overlays)
		overlays->references = 1;
	return overlays;
}

static int slow_refresh(struct mc_core *core, struct mc_slow *slow)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	int rc = mc_mounts_read(core, core->host_ns, &mounts, NULL);

	slow_clear(slow);
	for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);)
		if (mc_fstype_is_slow(mount.fstype))
			rc = slow_add(slow, &mount);
	if (rc == 0)
		rc = add_all_stacked(slow, mounts);
	if (rc == 0) {
		slow->overlays = find_overlays(slow, mounts);
		rc = slow->overlays ? 0 : -ENOMEM;
	}
	mc_mounts_free(mounts);
	return rc;
}

/* With core->slow_lock.  Returns whether it could be brought up to date. */
static bool slow_is_known(struct mc_core *core)
{
	struct mc_slow *slow = core->slow;

	if (mc_sys_poll_pri(slow->ns_mountinfo) != 0)
		slow->is_stale = true;
	if (slow->is_stale)
		slow->is_stale = slow_refresh(core, slow) < 0;
	return !slow->is_stale;
}

void mc_host_way(struct mc_core *core, const char *path, struct mc_host_way *ret)
{
	const struct slow_mount *mount;

	*ret = (struct mc_host_way){.key = mc_key_of(path)};
	pthread_mutex_lock(&core->slow_lock);
	if (!slow_is_known(core)) /* unsure: take the safe way */
		ret->is_slow = ret->has_slow = true;
	else
		ret->is_cached = true;
	for (size_t i = 0; ret->is_cached && i < core->slow->count; i++) {
		mount = &core->slow->mounts[i];
		ret->has_slow |= mc_path_is_below(mount->path, path);
		if (!mc_path_is_below(path, mount->path))
			continue;
		ret->is_slow = ret->has_slow = true;
		ret->is_cached = mount->is_cached;
		ret->is_fuse = mount->is_fuse;
		ret->key = mc_key_of_dev(mount->dev);
	}
	pthread_mutex_unlock(&core->slow_lock);
}

bool mc_host_is_slow(struct mc_core *core, const char *path)
{
	struct mc_host_way way;

	mc_host_way(core, path, &way);
	return way.is_slow;
}

struct mc_overlays *mc_overlays_get(struct mc_core *core)
{
	struct mc_overlays *overlays = NULL;

	pthread_mutex_lock(&core->slow_lock);
	if (slow_is_known(core))
		overlays = core->slow->overlays;
	if (overlays)
		overlays->references++;
	pthread_mutex_unlock(&core->slow_lock);
	return overlays;
}

void mc_overlays_put(struct mc_core *core, struct mc_overlays *overlays)
{
	pthread_mutex_lock(&core->slow_lock);
	put_overlays(overlays);
	pthread_mutex_unlock(&core->slow_lock);
}

bool mc_host_is_remote(struct mc_core *core, const char *path)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	bool is_remote = true; /* unsure: the safe way */

	if (mc_mounts_read_host(core, &mounts) == 0 && mc_mounts_of(mounts, path, &mount) == 0)
		is_remote = mc_fstype_is_slow(mount.fstype);
	mc_mounts_free(mounts);
	return is_remote;
}

int mc_slow_open(struct mc_core *core, struct mc_err *err)
{
	int rc;

	core->slow = calloc(1, sizeof(*core->slow));
	if (!core->slow)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	core->slow->ns_mountinfo = mc_mountinfo_open(core, core->host_ns, err);
	if (core->slow->ns_mountinfo < 0)
		return core->slow->ns_mountinfo;
	rc = slow_refresh(core, core->slow);
	return rc < 0 ? mc_err_set(err, MC_STEP_SETUP, rc) : 0;
}

void mc_slow_close(struct mc_core *core)
{
	if (!core->slow)
		return;
	slow_clear(core->slow);
	mc_close_fd(&core->slow->ns_mountinfo);
	free(core->slow);
	core->slow = NULL;
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
