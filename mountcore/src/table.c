/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "fstype.h"
#include "job.h"
#include "mounts.h"
#include "sys.h"

enum {
	STACK_MAX = 2, /* FILESYSTEM_MAX_STACK_DEPTH of the kernel's fs.h */
	NS_PER_S = 1000000000,
	PATIENCE_NS = 50000000, /* of who would take an older table, since then */
};

/* A mount of the host that a server stands behind, be it below an overlay; or a disk that is
 * mounted on demand. */
struct slow_mount {
	char *path;
	uint64_t id;
	uint64_t dev;
	bool is_cached; /* RESOLVE_CACHED never waits for it */
	bool is_fuse;
	bool is_autofs;
};

/* An extract of the host's mount table at one time.  Never changes once it is shared. */
struct mc_table {
	unsigned references; /* with the watch's lock */
	uint64_t read_ns;    /* mc_clock_ns() when its reading began */
	struct slow_mount *slow;
	size_t slow_count;
	uint64_t *overlays; /* devices of those that a worker may rely on */
	size_t overlay_count;
};

/* While the host starts containers its table changes all the time, and the kernel makes its reader
 * wait for each change.  So a thread reads it, and all who need it as it is now share a reading:
 * the first that begins when they have come. */
struct mc_reader {
	int mountinfo; /* of the host; polled: the kernel marks it when the table changes */
	pthread_t reader;
	pthread_mutex_t lock;
	pthread_cond_t wanted, has_read; /* CLOCK_MONOTONIC */
	struct mc_table *table;          /* the last one; NULL: it could not be read */
	bool is_stale; /* it changed since the last reading began, or that failed */
	int error;     /* of the last reading */
	bool has_reader, is_stopping;
	uint64_t number, begun, ended; /* of readings: wanted, begun, at their end */
};

static void free_table(struct mc_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->slow_count; i++)
		free(table->slow[i].path);
	free(table->slow);
	free(table->overlays);
	free(table);
}

static int slow_add(struct mc_table *table, const struct mc_mount *mount)
{
	struct slow_mount *slow = reallocarray(table->slow, table->slow_count + 1, sizeof(*slow));

	if (!slow)
		return -ENOMEM;
	table->slow = slow;
	slow[table->slow_count] = (struct slow_mount){
		.path = strdup(mount->target),
		.id = mount->id,
		.dev = mount->dev,
		.is_cached = mc_fstype_is_cached(mount->fstype),
		.is_fuse = mc_fstype_is_fuse(mount->fstype),
		.is_autofs = strcmp(mount->fstype, "autofs") == 0,
	};
	if (!slow[table->slow_count].path)
		return -ENOMEM;
	table->slow_count++;
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
static int add_stacked(struct mc_table *table, struct mc_mounts *mounts, size_t from)
{
	const size_t end = table->slow_count;
	struct mc_mount mount;
	int rc = 0;

	for (size_t at = 0; rc == 0 && from < end && mc_mounts_next(mounts, &at, &mount);) {
		if (strcmp(mount.fstype, "overlay") != 0)
			continue;
		for (size_t i = from; i < end; i++) {
			if (!is_stacked_on(&mount, &table->slow[i]))
				continue;
			rc = slow_add(table, &mount);
			break;
		}
	}
	return rc;
}

/* The kernel stacks no more than STACK_MAX overlays. */
static int add_all_stacked(struct mc_table *table, struct mc_mounts *mounts)
{
	size_t from = 0, next;
	int rc = 0;

	for (int depth = 0; rc == 0 && depth < STACK_MAX; depth++, from = next) {
		next = table->slow_count;
		rc = add_stacked(table, mounts, from);
	}
	return rc;
}

static bool is_slow_dev(const struct mc_table *table, uint64_t dev)
{
	for (size_t i = 0; i < table->slow_count; i++)
		if (table->slow[i].dev == dev)
			return true;
	return false;
}

bool mc_table_is_slow_dev(const struct mc_table *table, uint64_t dev)
{
	return !table || is_slow_dev(table, dev);
}

static int add_overlays(struct mc_table *table, struct mc_mounts *mounts)
{
	struct mc_mount mount;

	table->overlays = calloc(mc_mounts_count(mounts) + 1, sizeof(*table->overlays));
	if (!table->overlays)
		return -ENOMEM;
	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
		if (strcmp(mount.fstype, "overlay") == 0 && !is_slow_dev(table, mount.dev))
			table->overlays[table->overlay_count++] = mount.dev;
	return 0;
}

/* A file system that was mounted there is reached without a request to mount it. */
static bool is_on_autofs(const struct mc_table *table, const struct mc_mount *mount)
{
	for (size_t i = 0; i < table->slow_count; i++)
		if (table->slow[i].is_autofs && table->slow[i].id == mount->parent_id)
			return true;
	return false;
}

static int fill(struct mc_table *table, struct mc_mounts *mounts)
{
	struct mc_mount mount;
	int rc = 0;

	for (size_t at = 0; rc == 0 && mc_mounts_next(mounts, &at, &mount);)
		if (mc_fstype_is_slow(mount.fstype) || is_on_autofs(table, &mount))
			rc = slow_add(table, &mount);
	if (rc == 0)
		rc = add_all_stacked(table, mounts);
	return rc == 0 ? add_overlays(table, mounts) : rc;
}

static int read_table(int mountinfo, struct mc_table **ret)
{
	mc_auto_mounts mounts = NULL;
	struct mc_table *table = calloc(1, sizeof(*table));
	int rc = table ? 0 : -ENOMEM;

	if (rc == 0) {
		table->read_ns = mc_clock_ns();
		rc = lseek(mountinfo, 0, SEEK_SET) < 0 ? -errno : 0;
	}
	if (rc == 0)
		rc = mc_mounts_read_open(mountinfo, &mounts);
	if (rc == 0)
		rc = fill(table, mounts);
	if (rc == 0)
		*ret = table;
	else
		free_table(table);
	return rc;
}

/* With the watch's lock. */
static void put(struct mc_table *table)
{
	if (table && --table->references == 0)
		free_table(table);
}

/* With the watch's lock, which is not held meanwhile. */
static void read_once(struct mc_reader *watch)
{
	struct mc_table *table = NULL;
	int rc;

	watch->begun++;
	watch->is_stale = false;
	pthread_mutex_unlock(&watch->lock);
	rc = read_table(watch->mountinfo, &table);
	pthread_mutex_lock(&watch->lock);
	watch->ended = watch->begun;
	watch->error = rc;
	watch->is_stale |= rc < 0;
	put(watch->table);
	watch->table = table;
	if (table)
		table->references = 1;
	pthread_cond_broadcast(&watch->has_read);
}

static void *run_reader(void *argument)
{
	struct mc_reader *watch = argument;

	pthread_mutex_lock(&watch->lock);
	while (!watch->is_stopping) {
		if (watch->begun < watch->number)
			read_once(watch);
		else
			pthread_cond_wait(&watch->wanted, &watch->lock);
	}
	pthread_mutex_unlock(&watch->lock);
	return NULL;
}

/* With the watch's lock: have the table as it is now read, if it is not known.  Returns the number
 * of that reading. */
static uint64_t want(struct mc_reader *watch)
{
	uint64_t number;

	if (mc_sys_poll_pri(watch->mountinfo) != 0)
		watch->is_stale = true;
	number = watch->begun + watch->is_stale;
	if (number > watch->number) {
		watch->number = number;
		pthread_cond_signal(&watch->wanted);
	}
	return number;
}

/* With the watch's lock. */
static bool is_since(const struct mc_reader *watch, uint64_t since_ns)
{
	return since_ns && watch->table && watch->table->read_ns >= since_ns;
}

/* With the watch's lock: whether reading `number` has ended, or one since then. */
static bool is_known(const struct mc_reader *watch, uint64_t number, uint64_t since_ns)
{
	return watch->ended >= number || is_since(watch, since_ns);
}

/* With the watch's lock.  Returns false at the time. */
static bool wait_until(struct mc_reader *watch, uint64_t ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	return pthread_cond_timedwait(&watch->has_read, &watch->lock, &until) != ETIMEDOUT;
}

struct mc_table *mc_table_get(struct mc_core *core, uint64_t since_ns, bool *ret_is_old)
{
	struct mc_reader *watch = core->watch;
	mc_auto_lock lock = mc_lock(&watch->lock);
	uint64_t number = is_since(watch, since_ns) ? 0 : want(watch);
	uint64_t until_ns = since_ns ? since_ns + PATIENCE_NS : UINT64_MAX;

	while (!is_known(watch, number, since_ns) && wait_until(watch, until_ns))
		continue;
	*ret_is_old = !is_known(watch, number, since_ns);
	if (watch->table)
		watch->table->references++;
	return watch->table;
}

void mc_table_put(struct mc_core *core, struct mc_table *table)
{
	mc_auto_lock lock = mc_lock(&core->watch->lock);

	put(table);
}

void mc_table_way(const struct mc_table *table, const char *path, struct mc_host_way *ret)
{
	*ret = (struct mc_host_way){.key = mc_key_of(path), .is_cached = true};
	if (!table) { /* unsure: take the safe way */
		ret->is_slow = ret->has_slow = true;
		ret->is_cached = false;
		return;
	}
	for (size_t i = 0; ret->is_cached && i < table->slow_count; i++) {
		const struct slow_mount *mount = &table->slow[i];

		ret->has_slow |= mc_path_is_below(mount->path, path);
		if (!mc_path_is_below(path, mount->path))
			continue;
		ret->is_slow = ret->has_slow = true;
		ret->is_cached = mount->is_cached;
		ret->is_fuse = mount->is_fuse;
		ret->is_on_demand = mount->is_autofs;
		ret->key = mc_key_of_dev(mount->dev);
	}
}

void mc_table_find_way(struct mc_core *core, const char *path, struct mc_host_way *ret)
{
	bool is_old;
	struct mc_table *table = mc_table_get(core, 0, &is_old);

	mc_table_way(table, path, ret);
	mc_table_put(core, table);
}

bool mc_table_has_overlay(const struct mc_table *table, bool is_old, uint64_t dev)
{
	if (table && is_old)
		return table->slow_count == 0;
	for (size_t i = 0; table && i < table->overlay_count; i++)
		if (table->overlays[i] == dev)
			return true;
	return false;
}

static void init_conds(struct mc_reader *watch)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->wanted, &attr);
	pthread_cond_init(&watch->has_read, &attr);
	pthread_condattr_destroy(&attr);
}

/* The first reading shows whether it can be read. */
static int start_reader(struct mc_reader *watch)
{
	int rc = pthread_create(&watch->reader, NULL, run_reader, watch);

	watch->has_reader = rc == 0;
	if (rc > 0)
		return -rc;
	pthread_mutex_lock(&watch->lock);
	while (watch->ended == 0)
		pthread_cond_wait(&watch->has_read, &watch->lock);
	rc = watch->error;
	pthread_mutex_unlock(&watch->lock);
	return rc;
}

int mc_table_watch(struct mc_core *core, struct mc_err *err)
{
	struct mc_reader *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return mc_err_set(err, MC_STEP_SETUP, -ENOMEM);
	pthread_mutex_init(&watch->lock, NULL);
	init_conds(watch);
	watch->number = 1;
	core->watch = watch;
	watch->mountinfo = mc_mountinfo_open(core, core->host_ns, err);
	if (watch->mountinfo < 0)
		return watch->mountinfo;
	return mc_err_set(err, MC_STEP_SETUP, start_reader(watch));
}

static void stop_reader(struct mc_reader *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->is_stopping = true;
	pthread_cond_signal(&watch->wanted);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->reader, NULL);
}

void mc_table_unwatch(struct mc_core *core)
{
	struct mc_reader *watch = core->watch;

	if (!watch)
		return;
	if (watch->has_reader)
		stop_reader(watch);
	free_table(watch->table);
	mc_close_fd(&watch->mountinfo);
	pthread_cond_destroy(&watch->has_read);
	pthread_cond_destroy(&watch->wanted);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
	core->watch = NULL;
}
