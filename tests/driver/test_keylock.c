/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "volume/keylock.h"

enum { THREADS = 8, ROUNDS = 2000, KEYS = 3, PATIENCE_SECONDS = 60 };

static struct hv_keylock keylock;
static long counts[KEYS]; /* each guarded by its key alone */
static atomic_int inside[KEYS];
static atomic_bool is_broken;

static const char *key_name(int key, char buffer[static 16])
{
	/* A copy for each thread: keys are compared, not pointers. */
	snprintf(buffer, 16, "volume%d", key);
	return buffer;
}

static void *work(void *argument)
{
	int seed = *(int *)argument;

	for (int i = 0; i < ROUNDS; i++) {
		int key = (seed + i) % KEYS;
		char name[16];

		HV_HOLD(hold, &keylock, key_name(key, name));
		if (atomic_fetch_add(&inside[key], 1) != 0)
			atomic_store(&is_broken, true);
		counts[key]++;
		atomic_fetch_sub(&inside[key], 1);
	}
	return NULL;
}

TEST(one_holder_for_each_key)
{
	pthread_t threads[THREADS];
	int seeds[THREADS];
	long total = 0;

	hv_keylock_init(&keylock);
	for (int i = 0; i < THREADS; i++) {
		seeds[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, work, &seeds[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int key = 0; key < KEYS; key++)
		total += counts[key];
	assert_false(atomic_load(&is_broken));
	assert_int_equal(total, THREADS * ROUNDS);
	assert_null(keylock.holds);
	hv_keylock_done(&keylock);
}

/* Would wait for ever, and be ended by the alarm, if one key held up the other. */
TEST(other_keys_are_not_waited_for)
{
	hv_keylock_init(&keylock);
	alarm(PATIENCE_SECONDS);
	{
		HV_HOLD(first, &keylock, "a");
		HV_HOLD(second, &keylock, "b");
		HV_HOLD(third, &keylock, "");

		hv_keylock_drop(&second);
		hv_keylock_take(&keylock, "b", &second);
	}
	alarm(0);
	assert_null(keylock.holds);
	hv_keylock_done(&keylock);
}

struct waiter {
	pthread_t thread;
	int started[2], done[2];
};

static void *wait_for_key(void *argument)
{
	const struct waiter *waiter = argument;

	(void)!write(waiter->started[1], "s", 1);
	{
		HV_HOLD(hold, &keylock, "a");
		(void)!write(waiter->done[1], "d", 1);
	}
	return NULL;
}

TEST(a_waiter_gets_the_key_when_it_is_dropped)
{
	struct waiter waiter;
	struct hv_keylock_hold hold = {0};
	char byte;

	hv_keylock_init(&keylock);
	assert_int_equal(pipe2(waiter.started, O_CLOEXEC), 0);
	assert_int_equal(pipe2(waiter.done, O_CLOEXEC), 0);
	hv_keylock_take(&keylock, "a", &hold);
	assert_int_equal(pthread_create(&waiter.thread, NULL, wait_for_key, &waiter), 0);
	assert_int_equal(read(waiter.started[0], &byte, 1), 1);
	alarm(PATIENCE_SECONDS);
	hv_keylock_drop(&hold);
	assert_int_equal(read(waiter.done[0], &byte, 1), 1);
	alarm(0);
	assert_int_equal(pthread_join(waiter.thread, NULL), 0);
	for (int i = 0; i < 2; i++) {
		close(waiter.started[i]);
		close(waiter.done[i]);
	}
	hv_keylock_done(&keylock);
}

struct sharer {
	pthread_t thread;
	bool is_shared;
	atomic_bool has_it;
};

static void *hold_once(void *argument)
{
	struct sharer *sharer = argument;
	struct hv_keylock_hold hold = {0};

	if (sharer->is_shared)
		hv_keylock_share(&keylock, "a", &hold);
	else
		hv_keylock_take(&keylock, "a", &hold);
	atomic_store(&sharer->has_it, true);
	hv_keylock_drop(&hold);
	return NULL;
}

/* Until so many hold the key or wait for it. */
static void wait_for_queue(unsigned wanted)
{
	for (unsigned count = 0; count != wanted; usleep(1000)) {
		count = 0;
		pthread_mutex_lock(&keylock.lock);
		for (const struct hv_keylock_hold *at = keylock.holds; at; at = at->next)
			count++;
		pthread_mutex_unlock(&keylock.lock);
	}
}

static void begin(struct sharer *sharer, unsigned wanted)
{
	assert_int_equal(pthread_create(&sharer->thread, NULL, hold_once, sharer), 0);
	wait_for_queue(wanted);
}

/* The shared hold that comes after it waits for the exclusive one, which waits for those before. */
TEST(shared_holds_share_the_key_and_pass_no_other)
{
	struct hv_keylock_hold first = {0}, second = {0}, third = {0};
	struct sharer taker = {.is_shared = false}, late = {.is_shared = true};

	hv_keylock_init(&keylock);
	alarm(PATIENCE_SECONDS);
	hv_keylock_share(&keylock, "a", &first);
	hv_keylock_share(&keylock, "a", &second);
	begin(&taker, 3);
	begin(&late, 4);
	hv_keylock_try(&keylock, "a", &third);
	assert_null(third.keylock);
	hv_keylock_drop(&first);
	assert_false(atomic_load(&taker.has_it) || atomic_load(&late.has_it));
	hv_keylock_drop(&second);
	assert_int_equal(pthread_join(taker.thread, NULL), 0);
	assert_int_equal(pthread_join(late.thread, NULL), 0);
	alarm(0);
	assert_null(keylock.holds);
	hv_keylock_done(&keylock);
}

TEST(dropping_what_is_not_held_is_fine)
{
	struct hv_keylock_hold never = {0}, once = {0};

	hv_keylock_init(&keylock);
	hv_keylock_drop(&never);
	hv_keylock_take(&keylock, "a", &once);
	hv_keylock_drop(&once);
	hv_keylock_drop(&once);
	hv_keylock_take(&keylock, "a", &once);
	hv_keylock_drop(&once);
	hv_keylock_done(&keylock);
}

TEST_MAIN()
