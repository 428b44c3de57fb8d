/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <limits.h>
#include <string.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "procfs.h"
#include "run.h"
#include "sys.h"

enum { CHUNK = 4096 };

struct mc_mounts {
	struct libmnt_table *table;
	struct libmnt_iter *iter;
	struct libmnt_fs **items; /* borrowed from the table, in its order */
	size_t count;
};

struct mounts_job {
	struct mc_job job;
	int ns_fd;
};

/* In the namespace only the open: the kernel binds the file to it, reading and parsing are done
 * outside. */
static int open_mountinfo(const struct mc_core *core, struct mc_job *job)
{
	const struct mounts_job *self = (const struct mounts_job *)job;
	int rc = mc_enter(self->ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	job->fds[0] = mc_sys_openat(core->proc, "thread-self/mountinfo", O_RDONLY);
	mc_leave(core, self->ns_fd);
	return job->fds[0] < 0 ? mc_err_set(&job->err, MC_STEP_SETUP, job->fds[0]) : 0;
}

int mc_mountinfo_open(struct mc_core *core, int ns_fd, struct mc_err *err)
{
	mc_auto_job struct mounts_job *job = mc_job_new(sizeof(*job));
	int rc;

	if (!job)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	job->ns_fd = ns_fd;
	rc = mc_job_run_err(core, open_mountinfo, &job->job, err);
	return rc < 0 ? rc : mc_take_fd(&job->job.fds[0]);
}

/* The kernel gives no more than a page at once, and a reader waits each time for those who mount:
 * with the buffer that stdio takes for a file of procfs, four times as often. */
int mc_mounts_read_open(int mountinfo, struct mc_mounts **ret)
{
	char buffer[CHUNK];
	int fd = fcntl(mountinfo, F_DUPFD_CLOEXEC, 0), rc;
	mc_auto_file stream = mc_procfs_stream(fd < 0 ? -errno : fd, &rc);

	if (!stream)
		return rc;
	setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
	return mc_mounts_parse(stream, ret);
}

int mc_mounts_read(struct mc_core *core, int ns_fd, struct mc_mounts **ret, struct mc_err *err)
{
	mc_auto_fd fd = mc_mountinfo_open(core, ns_fd, err);

	if (fd < 0)
		return fd;
	return mc_err_set(err, MC_STEP_SETUP, mc_mounts_read_open(fd, ret));
}

int mc_mounts_read_host(struct mc_core *core, struct mc_mounts **ret)
{
	return mc_mounts_read(core, core->host_ns, ret, NULL);
}

/* Called for a line that libmount cannot read: a table with a hole in it is not the truth. */
static int refuse_line(
	struct libmnt_table *table, const char *file __attribute__((unused)), int line)
{
	(void)line;
	mnt_table_set_userdata(table, table);
	return -EINVAL;
}

static int index_table(struct mc_mounts *mounts)
{
	int count = mnt_table_get_nents(mounts->table);
	struct libmnt_fs *fs = NULL;

	mounts->items = calloc((size_t)count + 1, sizeof(struct libmnt_fs *));
	if (!mounts->items)
		return -ENOMEM;
	while (mounts->count < (size_t)count &&
		mnt_table_next_fs(mounts->table, mounts->iter, &fs) == 0)
		mounts->items[mounts->count++] = fs;
	return 0;
}

int mc_mounts_parse(FILE *stream, struct mc_mounts **ret)
{
	struct mc_mounts *mounts = calloc(1, sizeof(*mounts));
	int rc = mounts ? 0 : -ENOMEM;

	if (mounts) {
		mounts->table = mnt_new_table();
		mounts->iter = mnt_new_iter(MNT_ITER_FORWARD);
		if (!mounts->table || !mounts->iter)
			rc = -ENOMEM;
	}
	if (rc == 0) {
		mnt_table_set_parser_errcb(mounts->table, refuse_line);
		rc = mnt_table_parse_stream(mounts->table, stream, "mountinfo");
	}
	if (rc == 0 && mnt_table_get_userdata(mounts->table))
		rc = -EINVAL;
	if (rc == 0)
		rc = index_table(mounts);
	if (rc == 0)
		*ret = mounts;
	else
		mc_mounts_free(mounts);
	return rc > 0 ? -EINVAL : rc;
}

size_t mc_mounts_count(const struct mc_mounts *mounts)
{
	return mounts->count;
}

static const char *text_or_empty(const char *text)
{
	return text ? text : "";
}

bool mc_mounts_next(struct mc_mounts *mounts, size_t *at, struct mc_mount *ret)
{
	struct libmnt_fs *fs;
	unsigned long propagation = 0;

	if (*at >= mounts->count)
		return false;
	fs = mounts->items[(*at)++];
	mnt_fs_get_propagation(fs, &propagation);
	*ret = (struct mc_mount){
		.id = (uint64_t)mnt_fs_get_id(fs),
		.parent_id = (uint64_t)mnt_fs_get_parent_id(fs),
		.dev = mnt_fs_get_devno(fs),
		.root = text_or_empty(mnt_fs_get_root(fs)),
		.target = text_or_empty(mnt_fs_get_target(fs)),
		.options = text_or_empty(mnt_fs_get_vfs_options(fs)),
		.is_shared = propagation & MS_SHARED,
		.is_slave = propagation & MS_SLAVE,
		.is_unbindable = propagation & MS_UNBINDABLE,
		.fstype = text_or_empty(mnt_fs_get_fstype(fs)),
		.device = text_or_empty(mnt_fs_get_source(fs)),
		.fs_options = text_or_empty(mnt_fs_get_fs_options(fs)),
	};
	return true;
}

int mc_mounts_find(struct mc_mounts *mounts, uint64_t id, struct mc_mount *ret)
{
	for (size_t at = 0; mc_mounts_next(mounts, &at, ret);)
		if (ret->id == id)
			return 0;
	return -ENOENT;
}

int mc_mounts_find_top(struct mc_mounts *mounts, const char *target, struct mc_mount *ret)
{
	struct mc_mount mount;
	int rc = -ENOENT;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);) {
		if (strcmp(mount.target, target) != 0)
			continue;
		*ret = mount;
		rc = 0;
	}
	if (rc == 0)
		mc_mounts_climb(mounts, ret); /* a newer one may have been put beneath */
	return rc;
}

struct unique_job {
	struct mc_job job;
	int ns_fd;
	uint64_t mount_id;
	struct mc_statmount mount; /* out */
};

static int find_unique(const struct mc_core *core, struct mc_job *job)
{
	struct unique_job *self = (struct unique_job *)job;
	int rc = mc_enter(self->ns_fd);

	if (rc < 0)
		return mc_err_set(&job->err, MC_STEP_ENTER, rc);
	rc = mc_sys_statmount(self->mount_id, MC_STATMOUNT_MNT_BASIC, &self->mount);
	mc_leave(core, self->ns_fd);
	return mc_err_set(&job->err, MC_STEP_IDENTITY, rc);
}

/* From outside. */
static int has_id_in(int ns_fd, uint64_t mountinfo_id, uint64_t mount_id, bool *ret)
{
	struct mc_statmount mount;
	int rc =
		mc_sys_statmount_in(ns_fd, mount_id, MC_STATMOUNT_MNT_BASIC, &mount, sizeof(mount));

	*ret = rc == 0 && mount.mnt_id_old == mountinfo_id;
	return rc == -ENOENT ? 0 : rc;
}

int mc_mount_has_id(
	struct mc_core *core, int ns_fd, uint64_t mountinfo_id, uint64_t mount_id, bool *ret)
{
	mc_auto_job struct unique_job *job = NULL;
	int rc;

	*ret = true;
	if (!(core->features & MC_FEATURE_STATMOUNT) || !mount_id || mount_id == mountinfo_id)
		return 0;
	if (core->features & MC_FEATURE_STATMOUNT_NS && ns_fd >= 0)
		return has_id_in(ns_fd, mountinfo_id, mount_id, ret);
	job = mc_job_new(sizeof(*job));
	if (!job)
		return -ENOMEM;
	job->ns_fd = ns_fd;
	job->mount_id = mount_id;
	rc = mc_job_run(core, find_unique, &job->job);
	*ret = rc == 0 && job->mount.mnt_id_old == mountinfo_id;
	return rc == -ENOENT ? 0 : rc;
}

static bool has_id(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* A table lists a mount behind its parent unless mounts were moved: passes until nothing is added.
 */
int mc_mounts_tree(struct mc_mounts *mounts, uint64_t id, uint64_t **ret_ids, size_t *ret_count)
{
	struct mc_mount mount;
	uint64_t *ids;
	size_t count = 0, before;

	if (mc_mounts_find(mounts, id, &mount) < 0)
		return -ENOENT;
	ids = calloc(mounts->count + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	ids[count++] = id;
	for (before = 0; before != count;) {
		before = count;
		for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
			if (has_id(ids, count, mount.parent_id) && !has_id(ids, count, mount.id))
				ids[count++] = mount.id;
	}
	*ret_ids = ids;
	*ret_count = count;
	return 0;
}

/* No path has two slashes in it but this.  Source: dentry_path() of the kernel's fs/d_path.c. */
bool mc_mount_is_deleted(const struct mc_mount *mount)
{
	static const char mark[] = "//deleted";
	size_t length = strlen(mount->root);

	return length >= sizeof(mark) - 1 &&
	       strcmp(mount->root + length - (sizeof(mark) - 1), mark) == 0;
}

/* The mount that a path starts in: its parent is not to be seen from here. */
static bool find_root(struct mc_mounts *mounts, struct mc_mount *ret)
{
	struct mc_mount parent;

	for (size_t at = 0; mc_mounts_next(mounts, &at, ret);)
		if (strcmp(ret->target, "/") == 0 &&
			(ret->parent_id == ret->id ||
				mc_mounts_find(mounts, ret->parent_id, &parent) < 0))
			return true;
	return false;
}

/* The mount that `path`, followed in the mount `from`, leads into first: a path is led into what is
 * mounted on a directory as soon as it comes there. */
static bool find_next(
	struct mc_mounts *mounts, uint64_t from, const char *path, struct mc_mount *ret)
{
	struct mc_mount mount;
	bool is_found = false;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);) {
		if (mount.parent_id != from || mount.id == from ||
			!mc_path_is_below(path, mount.target) ||
			(is_found && strlen(mount.target) > strlen(ret->target)))
			continue;
		*ret = mount;
		is_found = true;
	}
	return is_found;
}

/* Whether the mount `id` is `top` or mounted on it, directly or not. */
static bool is_on(struct mc_mounts *mounts, uint64_t id, uint64_t top)
{
	struct mc_mount mount;

	for (size_t left = mounts->count + 1; left > 0; left--) { /* a table may lie in circles */
		if (id == top)
			return true;
		if (mc_mounts_find(mounts, id, &mount) < 0)
			return false;
		id = mount.parent_id;
	}
	return false;
}

bool mc_mounts_find_cover(struct mc_mounts *mounts, uint64_t id, struct mc_mount *ret)
{
	struct mc_mount ours, at;

	if (mc_mounts_find(mounts, id, &ours) < 0 || !find_root(mounts, &at))
		return false;
	for (size_t left = mounts->count; left > 0; left--) {
		if (!find_next(mounts, at.id, ours.target, ret))
			return false;
		if (!is_on(mounts, id, ret->id))
			return true;
		at = *ret;
	}
	return false;
}

int mc_mount_part(const struct mc_mount *mount, const char *path, char ret[static PATH_MAX])
{
	const char *root = mount->root[1] ? mount->root : "";
	const char *rest = path + (mount->target[1] ? strlen(mount->target) : 0);
	int length = snprintf(ret, PATH_MAX, "%s%s", root, strcmp(rest, "/") == 0 ? "" : rest);

	if (length == 0)
		length = snprintf(ret, PATH_MAX, "/");
	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int mc_mounts_of(struct mc_mounts *mounts, const char *path, struct mc_mount *ret)
{
	struct mc_mount mount;
	size_t longest = 0;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);) {
		if (!mc_path_is_below(path, mount.target) || strlen(mount.target) < longest)
			continue;
		longest = strlen(mount.target);
		*ret = mount;
	}
	return longest > 0 ? 0 : -ENOENT;
}

static bool is_either_below(const char *a, const char *b)
{
	return mc_path_is_below(a, b) || mc_path_is_below(b, a);
}

bool mc_mounts_overlap(struct mc_mounts *mounts, const char *a, const char *b)
{
	struct mc_mount one, two;
	char part[PATH_MAX], other[PATH_MAX];

	if (is_either_below(a, b))
		return true;
	return mc_mounts_of(mounts, a, &one) == 0 && mc_mounts_of(mounts, b, &two) == 0 &&
	       one.dev == two.dev && mc_mount_part(&one, a, part) == 0 &&
	       mc_mount_part(&two, b, other) == 0 && is_either_below(part, other);
}

int mc_mounts_find_on_root(
	struct mc_mounts *mounts, const struct mc_mount *mount, struct mc_mount *ret)
{
	struct mc_mount other;

	for (size_t at = 0; mc_mounts_next(mounts, &at, &other);) {
		if (other.parent_id != mount->id || other.id == mount->id ||
			strcmp(other.target, mount->target) != 0)
			continue;
		*ret = other;
		return 0;
	}
	return -ENOENT;
}

void mc_mounts_climb(struct mc_mounts *mounts, struct mc_mount *mount)
{
	for (size_t left = mounts->count; left > 0; left--) /* a table may lie in circles */
		if (mc_mounts_find_on_root(mounts, mount, mount) < 0)
			return;
}

static bool is_on_host(
	struct mc_core *core, const struct mc_mount *mount, const char *source, int *ret_rc)
{
	mc_auto_mounts host = NULL;
	struct mc_mount other;
	char part[PATH_MAX];
	bool found = false;

	*ret_rc = mc_mounts_read(core, core->host_ns, &host, NULL);
	for (size_t at = 0; host && !found && mc_mounts_next(host, &at, &other);)
		found = other.dev == mount->dev && mc_path_is_below(source, other.target) &&
			mc_mount_part(&other, source, part) == 0 && strcmp(part, mount->root) == 0;
	return found;
}

int mc_mounts_find_at(struct mc_core *core, struct mc_mounts *mounts, const char *target,
	const char *source, struct mc_mount *ret)
{
	bool found;
	int rc = mc_mounts_find_top(mounts, target, ret);

	if (rc < 0)
		return rc;
	found = is_on_host(core, ret, source, &rc);
	return rc < 0 ? rc : found ? 0 : -ENOENT;
}

void mc_mounts_free(struct mc_mounts *mounts)
{
	if (!mounts)
		return;
	mnt_free_iter(mounts->iter);
	mnt_unref_table(mounts->table);
	free(mounts->items);
	free(mounts);
}
