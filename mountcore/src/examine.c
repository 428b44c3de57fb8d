/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence of a look at a path without a server, in the caller's thread: openat2(RESOLVE_CACHED)
 * statx; the mount table once more, since statfs asks a server that was mounted just then; fstatfs
 * close.
 * Of one with a server, in a helper for many: openat2 statx(FORCE_SYNC) fstatfs statx fstatfs
 * close.  Each is marked when it is done, so that the paths before the one that keeps it waiting
 * are known.
 */
#include "mountcore/examine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "job.h"
#include "mounts.h"
#include "open.h"
#include "run.h"
#include "source.h"
#include "sys.h"
#include "table.h"

enum { LOOK_TIMEOUT_MS = 2000, ITEMS_MAX = 64, TEXT_SIZE = ITEMS_MAX * 256 };

#define NS_PER_S UINT64_C(1000000000)

/* Two texts of the longest fit. */
_Static_assert((int)TEXT_SIZE >= 2 * PATH_MAX, "a job has no room for one path");

struct look {
	atomic_bool is_done;
	uint64_t key;     /* of what a helper that looks at it waits for */
	const char *path; /* in the job's memory, which a helper has at the same address */
	const char *beneath;
	struct mc_examined found;
};

struct examine_job {
	struct mc_job job;
	uint64_t key; /* those with it are looked at */
	size_t count;
	size_t text_used;
	struct look items[ITEMS_MAX];
	char text[TEXT_SIZE];
};

uint64_t mc_host_server(struct mc_core *core, const char *path, bool *ret_is_on_demand)
{
	struct mc_host_way way;

	mc_table_find_way(core, path, &way);
	*ret_is_on_demand = way.is_on_demand;
	return way.is_slow ? way.key : 0;
}

/* --- in a job ------------------------------------------------------------------------------- */

static int open_path(const struct mc_core *core, struct mc_job *job, const struct look *item)
{
	const struct mc_source_path path = {item->path, item->beneath, ""};
	int fd;

	if (!item->found.is_name)
		return mc_source_open(core, job, &path, NULL);
	fd = mc_open(core, core->host_root, item->path, 0,
		MC_RESOLVE_USER | (job->is_cached ? RESOLVE_CACHED : 0));
	return mc_err_set(&job->err, MC_STEP_SOURCE, fd < 0 ? fd : 0) < 0 ? job->err.code : fd;
}

static int read_inode(int fd, struct mc_examined *ret)
{
	const int flags = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
	struct statx stat;
	int rc = mc_sys_statx(fd, "", flags, STATX_BASIC_STATS | STATX_BTIME, &stat);

	ret->is_directory = rc < 0 || S_ISDIR(stat.stx_mode);
	if (rc < 0)
		return rc == -EACCES || rc == -EPERM ? 0 : rc; /* a server that refuses root */
	ret->id.dev = makedev(stat.stx_dev_major, stat.stx_dev_minor);
	ret->id.ino = stat.stx_ino;
	if (stat.stx_mask & STATX_BTIME)
		ret->born_ns = (uint64_t)stat.stx_btime.tv_sec * NS_PER_S + stat.stx_btime.tv_nsec;
	ret->is_mount_root = stat.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return 0;
}

/* Not every server knows it. */
static void read_space(int fd, struct mc_examined *ret)
{
	struct statfs stat;

	if (mc_sys_fstatfs(fd, &stat) < 0)
		return;
	ret->is_read_only = stat.f_flags & ST_RDONLY;
	if (stat.f_blocks > 0 && stat.f_blocks >= stat.f_bfree) {
		ret->blocks_used = stat.f_blocks - stat.f_bfree;
		ret->blocks_free = stat.f_bavail;
	}
	if (stat.f_files > 0 && stat.f_files >= stat.f_ffree) {
		ret->inodes_used = stat.f_files - stat.f_ffree;
		ret->inodes_free = stat.f_ffree;
	}
}

static int examine_one(const struct mc_core *core, struct mc_job *job, struct look *item)
{
	mc_sys_auto_fd fd = open_path(core, job, item);
	int rc;

	if (fd < 0)
		return fd;
	rc = mc_source_probe(fd);
	if (rc == 0)
		rc = read_inode(fd, &item->found);
	if (rc == 0)
		read_space(fd, &item->found);
	return mc_err_set(&job->err, MC_STEP_SOURCE, rc);
}

static int examine(const struct mc_core *core, struct mc_job *job)
{
	struct examine_job *self = (struct examine_job *)job;

	for (size_t i = 0; i < self->count; i++) {
		struct look *item = &self->items[i];

		if (item->is_done || item->key != self->key)
			continue;
		job->err = (struct mc_err){0};
		(void)examine_one(core, job, item); /* the error is kept in the item */
		item->found.err = job->err;
		item->is_done = true;
	}
	job->err = (struct mc_err){0};
	return 0;
}

/* --- outside -------------------------------------------------------------------------------- */

static const char *add_text(struct examine_job *job, const char *text)
{
	char *at = job->text + job->text_used;
	size_t size = strlen(text) + 1;

	memcpy(at, text, size);
	job->text_used += size;
	return at;
}

static int check_path(const struct mc_examined *item)
{
	if (strlen(item->path) >= PATH_MAX || (item->beneath && strlen(item->beneath) >= PATH_MAX))
		return -ENAMETOOLONG;
	return item->beneath && !mc_path_is_below(item->path, item->beneath) ? -EINVAL : 0;
}

static bool has_room(const struct examine_job *job, const struct mc_examined *item)
{
	size_t size = strlen(item->path) + (item->beneath ? strlen(item->beneath) : 0) + 2;

	return job->count < ITEMS_MAX && size <= TEXT_SIZE - job->text_used;
}

/* As many as there is room for.  Returns how many. */
static size_t fill(struct examine_job *job, struct mc_examined *items, size_t count)
{
	size_t used = 0;

	job->count = job->text_used = 0;
	for (; used < count; used++) {
		struct look *look = &job->items[job->count];
		int rc = check_path(&items[used]);

		if (rc == 0 && !has_room(job, &items[used]))
			break;
		*look = (struct look){.found = {.is_name = items[used].is_name}};
		job->count++;
		look->path = look->beneath = "";
		look->is_done = mc_err_set(&look->found.err, MC_STEP_SOURCE, rc) < 0;
		if (look->is_done)
			continue;
		look->path = add_text(job, items[used].path);
		look->beneath = add_text(job, items[used].beneath ? items[used].beneath : "");
	}
	return used;
}

static struct look *find_undone(struct examine_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (!job->items[i].is_done)
			return &job->items[i];
	return NULL;
}

/* Without a server: by the device of the mount that a path is on, since one that does not answer
 * holds up all that ask it, and no others. */
static void set_keys(struct mc_core *core, struct examine_job *job, uint64_t server)
{
	mc_auto_mounts mounts = NULL;
	struct mc_mount mount;
	bool has_mounts = !server && find_undone(job) && mc_mounts_read_host(core, &mounts) == 0;

	for (size_t i = 0; i < job->count; i++) {
		struct look *look = &job->items[i];

		if (server)
			look->key = server;
		else if (has_mounts && mc_mounts_of(mounts, look->path, &mount) == 0)
			look->key = mc_key_of_dev(mount.dev);
		else
			look->key = mc_key_of(look->path);
	}
}

/* The first one did not answer.  Without a server the others of its device were not looked at: it
 * may be this path alone. */
static void give_up(struct examine_job *job, uint64_t server)
{
	struct mc_err err = job->job.err;

	for (size_t i = 0; i < job->count; i++) {
		struct look *look = &job->items[i];

		if (look->is_done || look->key != job->key)
			continue;
		look->found.err = err;
		look->is_done = true;
		if (!server)
			err = (struct mc_err){-ECANCELED, MC_STEP_HELPER};
	}
}

/* Until each is done, or known not to answer. */
static void run_helpers(struct mc_core *core, struct examine_job *job, uint64_t server)
{
	struct look *undone;

	set_keys(core, job, server);
	job->job.in_helper = job->job.is_look = true;
	job->job.is_cached = false;
	job->job.timeout_ms = LOOK_TIMEOUT_MS;
	while ((undone = find_undone(job))) {
		job->key = job->job.waits_for = undone->key;
		if (mc_job_run(core, examine, &job->job) != 0)
			give_up(job, server);
	}
}

/* Whether the file system is one that may wait for a server, by the table as it is now. */
static bool is_slow(struct mc_core *core, uint64_t dev)
{
	bool is_old, is_slow;
	struct mc_table *table = mc_table_get(core, 0, &is_old);

	is_slow = mc_table_is_slow_dev(table, dev);
	mc_table_put(core, table);
	return is_slow;
}

/* Returns -EAGAIN if a helper has to do it. */
static int examine_here(struct mc_core *core, struct mc_job *job, struct look *item)
{
	mc_sys_auto_fd fd = open_path(core, job, item);
	int rc = fd < 0 ? fd : read_inode(fd, &item->found);

	if (rc == 0 && is_slow(core, item->found.id.dev))
		return -EAGAIN;
	if (rc == 0)
		read_space(fd, &item->found);
	return mc_err_set(&job->err, MC_STEP_SOURCE, rc);
}

static void run_here(struct mc_core *core, struct examine_job *self)
{
	struct mc_job *job = &self->job;

	job->is_cached = mc_may_be_cached(core);
	for (size_t i = 0; i < self->count; i++) {
		struct look *item = &self->items[i];

		job->err = (struct mc_err){0};
		if (item->is_done || examine_here(core, job, item) == -EAGAIN)
			continue;
		item->found.err = job->err;
		item->is_done = true;
	}
}

int mc_host_examine(struct mc_core *core, struct mc_examined *items, size_t count, uint64_t server)
{
	mc_auto_job struct examine_job *job = mc_job_new(sizeof(*job));

	if (!job)
		return -ENOMEM;
	while (count > 0) {
		size_t used = fill(job, items, count);

		if (!server)
			run_here(core, job);
		run_helpers(core, job, server);
		for (size_t i = 0; i < used; i++) {
			const struct mc_examined asked = items[i];

			items[i] = job->items[i].found;
			items[i].path = asked.path;
			items[i].beneath = asked.beneath;
		}
		items += used;
		count -= used;
	}
	return 0;
}
