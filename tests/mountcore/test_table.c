/* SPDX-License-Identifier: Apache-2.0 */
/* The extract of the host's mount table: sharing a reading, and accepting an older one.
 * Includes the library's private headers. */
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "box.h"
#include "mounts.h"
#include "scratch.h"
#include "sys.h"
#include "table.h"

enum { THREADS = 8, NS_PER_S = 1000000000 };

/* --- controlled readings --- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned asked; /* mc_table_get() */
	unsigned begun;
	bool is_blocked;
	int error;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int __real_mc_mounts_read_open(int mountinfo, struct mc_mounts **ret);
int __wrap_mc_mounts_read_open(int mountinfo, struct mc_mounts **ret);
int __real_mc_sys_poll_pri(int fd);
int __wrap_mc_sys_poll_pri(int fd);

int __wrap_mc_mounts_read_open(int mountinfo, struct mc_mounts **ret)
{
	int error;

	pthread_mutex_lock(&watch.lock);
	watch.begun++;
	pthread_cond_broadcast(&watch.changed);
	while (watch.is_blocked)
		pthread_cond_wait(&watch.changed, &watch.lock);
	error = watch.error;
	pthread_mutex_unlock(&watch.lock);
	return error ? error : __real_mc_mounts_read_open(mountinfo, ret);
}

int __wrap_mc_sys_poll_pri(int fd)
{
	pthread_mutex_lock(&watch.lock);
	watch.asked++;
	pthread_cond_broadcast(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
	return __real_mc_sys_poll_pri(fd);
}

static void set_blocked(bool is_blocked)
{
	pthread_mutex_lock(&watch.lock);
	watch.is_blocked = is_blocked;
	pthread_cond_broadcast(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}

static void set_error(int error)
{
	pthread_mutex_lock(&watch.lock);
	watch.error = error;
	pthread_mutex_unlock(&watch.lock);
}

static unsigned begun(void)
{
	unsigned count;

	pthread_mutex_lock(&watch.lock);
	count = watch.begun;
	pthread_mutex_unlock(&watch.lock);
	return count;
}

static void wait_for(const unsigned *counter, unsigned count)
{
	pthread_mutex_lock(&watch.lock);
	while (*counter < count)
		pthread_cond_wait(&watch.changed, &watch.lock);
	pthread_mutex_unlock(&watch.lock);
}

/* --- who asks --- */

struct asking {
	pthread_t thread;
	struct mc_core *core;
	struct mc_table *table; /* out */
};

static void *ask(void *argument)
{
	struct asking *self = argument;
	bool is_old;

	self->table = mc_table_get(self->core, 0, &is_old);
	return NULL;
}

static void begin_asking(struct asking *self, struct mc_core *core)
{
	self->core = core;
	assert_int_equal(pthread_create(&self->thread, NULL, ask, self), 0);
}

static struct mc_table *end_asking(struct asking *self)
{
	pthread_join(self->thread, NULL);
	return self->table;
}

static void change_table(void)
{
	scratch_mkdir("/tmp/changed");
	scratch_mount_tmpfs("/tmp/changed");
	scratch_umount("/tmp/changed");
	assert_int_equal(rmdir("/tmp/changed"), 0);
}

/* The table as it is now, to be put. */
static struct mc_table *now(struct mc_core *core)
{
	bool is_old = true;
	struct mc_table *table = mc_table_get(core, 0, &is_old);

	assert_non_null(table);
	assert_false(is_old);
	return table;
}

static bool is_slow(const struct mc_table *table, const char *path)
{
	struct mc_host_way way;

	mc_table_way(table, path, &way);
	return way.is_slow;
}

/* --- tests --- */

NS_TEST(all_who_come_during_a_reading_share_the_next)
{
	struct mc_core *core = scene_core(1, 1000);
	struct asking first, others[THREADS];
	unsigned before;

	change_table();
	set_blocked(true);
	before = begun();
	begin_asking(&first, core);
	wait_for(&watch.begun, before + 1);
	change_table(); /* that reading may not have it */
	watch.asked = 0;
	for (int i = 0; i < THREADS; i++)
		begin_asking(&others[i], core);
	wait_for(&watch.asked, THREADS);
	set_blocked(false);
	assert_non_null(end_asking(&first));
	for (int i = 0; i < THREADS; i++) {
		assert_non_null(end_asking(&others[i]));
		assert_ptr_equal(others[i].table, others[0].table);
	}
	assert_int_equal(begun(), before + 2);
	for (int i = 0; i < THREADS; i++)
		mc_table_put(core, others[i].table);
	mc_table_put(core, first.table);
	mc_core_close(core);
}

NS_TEST(it_is_read_only_when_it_changed)
{
	struct mc_core *core = scene_core(1, 1000);
	unsigned before = begun();

	for (int i = 0; i < THREADS; i++)
		mc_table_put(core, now(core));
	assert_int_equal(begun(), before);
	mc_core_close(core);
}

NS_TEST(one_that_was_read_since_will_do)
{
	struct mc_core *core = scene_core(1, 1000);
	uint64_t begin = mc_clock_ns();
	struct mc_table *first, *same, *next;
	unsigned asked;
	bool is_old = true;

	change_table();
	first = now(core);
	change_table();
	asked = watch.asked;
	same = mc_table_get(core, begin, &is_old);
	assert_int_equal(watch.asked, asked); /* nothing has to be read for it */
	assert_ptr_equal(same, first);
	assert_false(is_old);
	next = mc_table_get(core, mc_clock_ns(), &is_old);
	assert_ptr_not_equal(next, first);
	assert_false(is_old);
	mc_table_put(core, first);
	mc_table_put(core, same);
	mc_table_put(core, next);
	mc_core_close(core);
}

NS_TEST(who_waits_since_then_takes_an_older_one)
{
	struct mc_core *core = scene_core(1, 1000);
	struct mc_table *first = now(core), *old;
	uint64_t begin;
	bool is_old = false;

	begin = mc_clock_ns();
	set_blocked(true);
	change_table();
	old = mc_table_get(core, begin, &is_old); /* does not wait until that ends */
	assert_true(mc_clock_ns() - begin >= NS_PER_S / 20);
	assert_ptr_equal(old, first);
	assert_true(is_old);
	set_blocked(false);
	mc_table_put(core, first);
	mc_table_put(core, old);
	first = now(core);
	assert_ptr_not_equal(first, old);
	mc_table_put(core, first);
	mc_core_close(core);
}

NS_TEST(one_that_cannot_be_read_is_tried_again)
{
	struct mc_core *core = scene_core(1, 1000);
	struct mc_table *table;
	bool is_old = true;

	change_table();
	set_error(-ENOMEM);
	table = mc_table_get(core, 0, &is_old);
	assert_null(table);
	assert_false(is_old);
	assert_true(is_slow(table, "/tmp"));
	assert_false(mc_table_has_overlay(table, true, 1));
	set_error(0);
	table = now(core);
	assert_false(is_slow(table, "/tmp"));
	mc_table_put(core, table);
	mc_core_close(core);
}

static uint64_t mount_overlay(const char *path)
{
	struct stat stat;

	scratch_mkdir("/tmp/lower");
	scratch_mount_overlay("/tmp/lower", path);
	assert_int_equal(lstat(path, &stat), 0);
	return stat.st_dev;
}

static void overlays(void)
{
	struct mc_core *core = scene_core(1, 1000);
	uint64_t dev = mount_overlay("/tmp/overlay");
	struct mc_table *table = now(core);
	int fuse;

	assert_true(mc_table_has_overlay(table, false, dev));
	assert_false(mc_table_has_overlay(table, false, dev + 1));
	assert_true(mc_table_has_overlay(table, true, dev + 1));
	mc_table_put(core, table);
	scratch_mkdir("/tmp/silent");
	fuse = scratch_mount_silent("/tmp/silent");
	assert_true(fuse >= 0);
	table = now(core);
	assert_true(mc_table_has_overlay(table, false, dev));
	assert_false(mc_table_has_overlay(table, true, dev));
	mc_table_put(core, table);
	close(fuse);
	scratch_umount("/tmp/silent");
	scratch_umount("/tmp/overlay");
	mc_core_close(core);
}

TEST(an_old_one_knows_no_overlay_where_a_server_may_stand_behind_it)
{
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		skip();
	hv_in_namespace(overlays);
}

TEST_MAIN()
