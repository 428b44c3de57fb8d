/* SPDX-License-Identifier: Apache-2.0 */
/* Changes that are made side by side wait for the disk together. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/store.h"
#include "support/hv_test.h"

#include "db.h"
#include "rows.h"
#include "scratch.h"
#include "store_fixture.h"

#define STORE_TOGETHER_TEST(name) TEST_WITH(name, open_one, close_one)

enum { OTHERS = 6, FOR_EVER = 1000, PATIENCE_SECONDS = 60, READ_NS = 200000000 };

/* The disk: SQLite's calls land here, since the program's own symbol goes before libc's.  The
 * directory `after_power_cut` has the files as the last sync that worked has left them. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_held;    /* each sync waits */
	unsigned inside; /* of syncs, that wait now */
	unsigned count;
	unsigned passing, failing; /* of syncs, from now on: first these pass, then those fail */
	bool lets_read; /* each sync behind those gives the reader a while to get through */
	bool is_reading, has_read;
	unsigned count_at_read;
	char *after_power_cut;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void copy(const char *name)
{
	char *from = scratch_path(dir, name), *to = scratch_path(disk.after_power_cut, name);
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char part[4096];
	size_t length;

	while (in && out && (length = fread(part, 1, sizeof(part), in)) > 0)
		(void)!fwrite(part, 1, length, out);
	if (in)
		(void)!fclose(in);
	if (out)
		(void)!fclose(out);
	free(from);
	free(to);
}

/* With the lock.  A reader that waits for the store cannot be done before the sync is. */
static void let_read(void)
{
	struct timespec until;

	while (!disk.is_reading)
		pthread_cond_wait(&disk.changed, &disk.lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += READ_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!disk.has_read &&
		pthread_cond_timedwait(&disk.changed, &disk.lock, &until) != ETIMEDOUT)
		;
}

__attribute__((visibility("default"))) int fdatasync(int fildes)
{
	bool fails;

	pthread_mutex_lock(&disk.lock);
	disk.count++;
	disk.inside++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.is_held)
		pthread_cond_wait(&disk.changed, &disk.lock);
	if (disk.lets_read && disk.passing == 0 && disk.failing == 0)
		let_read();
	disk.inside--;
	fails = disk.passing == 0 && disk.failing > 0;
	disk.passing -= disk.passing > 0;
	disk.failing -= fails;
	if (!fails && disk.after_power_cut) {
		copy("hostvol.db");
		copy("hostvol.db-wal");
	}
	pthread_mutex_unlock(&disk.lock);
	errno = EIO;
	return fails ? -1 : (int)syscall(SYS_fdatasync, fildes);
}

static void hold_disk(bool is_held)
{
	pthread_mutex_lock(&disk.lock);
	disk.is_held = is_held;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

static void wait_for_sync(void)
{
	pthread_mutex_lock(&disk.lock);
	while (disk.inside == 0)
		pthread_cond_wait(&disk.changed, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
}

struct change {
	pthread_t thread;
	char name[32];
	enum hv_code code;
};

static void *add(void *argument)
{
	struct change *change = argument;

	change->code = row_add_volume(store, change->name);
	return NULL;
}

static void start(struct change *change, const char *name)
{
	snprintf(change->name, sizeof(change->name), "%s", name);
	assert_int_equal(pthread_create(&change->thread, NULL, add, change), 0);
}

static size_t count_waiting(void)
{
	size_t count = 0;

	pthread_mutex_lock(&store->waiting_lock);
	for (const struct hv_sql_waiting *at = store->waiting; at; at = at->next)
		count++;
	pthread_mutex_unlock(&store->waiting_lock);
	return count;
}

/* One change that waits for the disk, and the others that come meanwhile: "other0" ... */
static void add_side_by_side(struct change *first, struct change others[static OTHERS])
{
	alarm(PATIENCE_SECONDS);
	hold_disk(true);
	disk.count = 0;
	start(first, "first");
	wait_for_sync();
	for (int i = 0; i < OTHERS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "other%d", i);
		start(&others[i], name);
	}
	while (count_waiting() < OTHERS)
		usleep(1000);
	hold_disk(false);
	assert_int_equal(pthread_join(first->thread, NULL), 0);
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(pthread_join(others[i].thread, NULL), 0);
	alarm(0);
}

static void reopen(const char *where)
{
	hv_store_close(store);
	store = row_store(where);
}

STORE_TOGETHER_TEST(changes_that_come_during_a_sync_share_the_next_one)
{
	struct change first, others[OTHERS];

	disk.after_power_cut = scratch_new();
	add_side_by_side(&first, others);
	assert_int_equal(disk.count, 2);
	reopen(disk.after_power_cut);
	assert_true(row_has_volume(store, "first"));
	for (int i = 0; i < OTHERS; i++) {
		assert_int_equal(others[i].code, HV_OK);
		assert_true(row_has_volume(store, others[i].name));
	}
	hv_store_close(store);
	store = row_store(dir);
	scratch_free(disk.after_power_cut);
	disk.after_power_cut = NULL;
}

STORE_TOGETHER_TEST(sync_that_fails_fails_all_that_wait_for_it)
{
	struct change first, others[OTHERS];

	disk.passing = 1;
	disk.failing = FOR_EVER;
	add_side_by_side(&first, others);
	disk.failing = 0;
	assert_int_equal(first.code, HV_OK);
	for (int i = 0; i < OTHERS; i++) {
		assert_int_equal(others[i].code, HV_STATE_UNREADABLE);
		assert_false(row_has_volume(store, others[i].name));
	}
	assert_int_equal(row_add_volume(store, "later"), HV_OK);
	reopen(dir);
	assert_int_equal(row_count_volumes(store), 2);
	assert_true(row_has_volume(store, "first") && row_has_volume(store, "later"));
}

/* Each is tried once more, and told the truth about that. */
STORE_TOGETHER_TEST(sync_that_fails_once_costs_none)
{
	struct change first, others[OTHERS];

	disk.passing = 1;
	disk.failing = 1;
	disk.after_power_cut = scratch_new();
	add_side_by_side(&first, others);
	assert_int_equal(disk.failing, 0);
	reopen(disk.after_power_cut);
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(others[i].code == HV_OK, row_has_volume(store, others[i].name));
	assert_int_equal(row_count_volumes(store), 1 + OTHERS);
	hv_store_close(store);
	store = row_store(dir);
	scratch_free(disk.after_power_cut);
	disk.after_power_cut = NULL;
}

/* Begins during the first sync behind the one that failed. */
static void *read_volume(void *argument)
{
	(void)argument;
	pthread_mutex_lock(&disk.lock);
	while (disk.inside == 0 || disk.passing > 0 || disk.failing > 0)
		pthread_cond_wait(&disk.changed, &disk.lock);
	disk.is_reading = true;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	(void)row_has_volume(store, "first");
	pthread_mutex_lock(&disk.lock);
	disk.has_read = true;
	disk.count_at_read = disk.count;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	return NULL;
}

STORE_TOGETHER_TEST(read_gets_through_between_the_changes_that_are_tried_alone)
{
	struct change first, others[OTHERS];
	pthread_t reader;

	disk.passing = 1;
	disk.failing = 1;
	disk.lets_read = true;
	assert_int_equal(pthread_create(&reader, NULL, read_volume, NULL), 0);
	add_side_by_side(&first, others);
	assert_int_equal(pthread_join(reader, NULL), 0);
	disk.lets_read = false;
	assert_true(disk.count_at_read < disk.count);
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(others[i].code, HV_OK);
}

STORE_TOGETHER_TEST(change_that_is_refused_refuses_no_other)
{
	struct change first, others[OTHERS];

	assert_int_equal(row_add_volume(store, "other3"), HV_OK);
	add_side_by_side(&first, others);
	assert_int_equal(first.code, HV_OK);
	for (int i = 0; i < OTHERS; i++)
		assert_int_equal(others[i].code, i == 3 ? HV_VOLUME_EXISTS : HV_OK);
	reopen(dir);
	assert_int_equal(row_count_volumes(store), 1 + OTHERS);
}

TEST_MAIN()
