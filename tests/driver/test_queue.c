/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/hv_test.h"

#include "daemon/queue.h"

static struct hv_queue queue;

static int set_up(void **state)
{
	(void)state;
	hv_queue_init(&queue, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hv_queue_done(&queue);
	return 0;
}

static void expect_next(const char *name, unsigned tries)
{
	struct hv_queued next = {0};

	assert_true(hv_queue_take(&queue, 0, &next));
	assert_string_equal(next.name, name);
	assert_int_equal(next.tries, tries);
}

#define QUEUE_TEST(name) TEST_WITH(name, set_up, tear_down)

QUEUE_TEST(names_come_once_and_in_order)
{
	hv_queue_put(&queue, 0, "a");
	hv_queue_put(&queue, 0, "b");
	hv_queue_put(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	expect_next("b", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "b"}, true);
	assert_int_equal(hv_queue_count(&queue), 0);
}

QUEUE_TEST(a_name_waits_for_each_kind_of_work)
{
	struct hv_queued first = {0}, second = {0};

	hv_queue_put(&queue, 1, "a");
	hv_queue_put(&queue, 0, "a");
	hv_queue_put(&queue, 1, "a");
	assert_int_equal(hv_queue_count(&queue), 2);
	assert_true(hv_queue_take(&queue, 0, &first));
	assert_true(hv_queue_take(&queue, 0, &second)); /* two threads may have them at once */
	assert_int_equal(first.kind, 1);
	assert_int_equal(second.kind, 0);
	hv_queue_finish(&queue, &first, false);
	hv_queue_finish(&queue, &second, true);
	assert_int_equal(hv_queue_count(&queue), 1);
	assert_true(hv_queue_take(&queue, 0, &first));
	assert_int_equal(first.kind, 1);
	assert_int_equal(first.tries, 1);
}

QUEUE_TEST(what_is_postponed_comes_again_and_did_not_fail)
{
	struct hv_queued queued = {0};
	long long next_ms;

	hv_queue_add(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_postpone(&queue, &(struct hv_queued){.name = "a"}, 60000);
	assert_false(hv_queue_try(&queue, &queued, &next_ms));
	hv_queue_add(&queue, 0, "a"); /* keeps its time */
	assert_false(hv_queue_try(&queue, &queued, &next_ms));
	hv_queue_put(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_postpone(&queue, &(struct hv_queued){.name = "a"}, 1);
	expect_next("a", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	assert_int_equal(hv_queue_count(&queue), 0);
}

/* As a container with a lease, which is not to be looked at until the lease ends. */
QUEUE_TEST(what_is_postponed_is_not_counted_until_it_is_due)
{
	hv_queue_put(&queue, 0, "a");
	assert_int_equal(hv_queue_count(&queue), 1);
	expect_next("a", 0);
	assert_int_equal(hv_queue_count(&queue), 1);
	hv_queue_postpone(&queue, &(struct hv_queued){.name = "a"}, 60000);
	assert_int_equal(hv_queue_count(&queue), 0);
	hv_queue_put(&queue, 0, "a");
	assert_int_equal(hv_queue_count(&queue), 1);
	expect_next("a", 0);
	hv_queue_put(&queue, 0, "a");
	hv_queue_postpone(&queue, &(struct hv_queued){.name = "a"}, 60000);
	assert_int_equal(hv_queue_count(&queue), 1);
	expect_next("a", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	assert_int_equal(hv_queue_count(&queue), 1);
}

QUEUE_TEST(what_is_put_while_it_is_worked_on_comes_again_and_to_nobody_else_before)
{
	hv_queue_put(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_put(&queue, 0, "a");
	hv_queue_put(&queue, 0, "b");
	expect_next("b", 0); /* and not "a" */
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	expect_next("a", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "b"}, true);
	assert_int_equal(hv_queue_count(&queue), 0);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void sleep_ms(int ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000L};

	nanosleep(&time, NULL);
}

QUEUE_TEST(what_failed_comes_later_or_when_it_is_put_again)
{
	long long start = now_ms();

	hv_queue_put(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	expect_next("a", 1);
	assert_true(now_ms() - start >= HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	start = now_ms();
	hv_queue_put(&queue, 0, "a");
	expect_next("a", 2);
	assert_true(now_ms() - start < HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
}

QUEUE_TEST(what_is_only_added_does_not_hurry)
{
	long long start;

	hv_queue_add(&queue, 0, "a");
	expect_next("a", 0);
	hv_queue_add(&queue, 0, "a"); /* it is being worked on */
	start = now_ms();
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	hv_queue_add(&queue, 0, "a");
	expect_next("a", 1);
	assert_true(now_ms() - start >= HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	assert_int_equal(hv_queue_count(&queue), 0);
}

static void fail_once(const char *name)
{
	hv_queue_put(&queue, 0, name);
	expect_next(name, 0);
	hv_queue_finish(&queue, &(struct hv_queued){.name = name}, false);
}

QUEUE_TEST(what_has_just_happened_goes_before_what_failed_and_what_was_added)
{
	fail_once("failed");
	hv_queue_add(&queue, 0, "added");
	sleep_ms(2 * HV_QUEUE_RETRY_MIN_MS); /* "failed" is due as well */
	hv_queue_put(&queue, 0, "b");
	hv_queue_put(&queue, 0, "a");
	expect_next("b", 0); /* as it happened */
	expect_next("a", 0);
	expect_next("added", 0); /* due before the other */
	expect_next("failed", 1);
}

QUEUE_TEST(what_failed_is_tried_again_by_so_many_threads_only)
{
	struct hv_queued queued = {0};
	long long next_ms;

	fail_once("a");
	fail_once("b");
	expect_next("a", 1);
	sleep_ms(2 * HV_QUEUE_RETRY_MIN_MS); /* "b" is due, and nobody may take it */
	assert_false(hv_queue_try(&queue, &queued, &next_ms));
	assert_int_equal(next_ms, 0);
	hv_queue_put(&queue, 0, "c");
	expect_next("c", 0);
	hv_queue_put(&queue, 0, "b"); /* something has happened to it: then it may */
	expect_next("b", 1);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "b"}, false);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, true);
	expect_next("b", 2);
}

QUEUE_TEST(who_does_not_wait_is_told_when_to_come_again)
{
	struct hv_queued queued = {0};
	long long next_ms = -1, start;

	assert_false(hv_queue_try(&queue, &queued, &next_ms));
	assert_int_equal(next_ms, 0);
	start = now_ms();
	fail_once("a");
	assert_false(hv_queue_try(&queue, &queued, &next_ms));
	assert_true(next_ms >= start + HV_QUEUE_RETRY_MIN_MS);
	hv_queue_put(&queue, 0, "b");
	assert_true(hv_queue_try(&queue, &queued, &next_ms));
	assert_string_equal(queued.name, "b");
}

QUEUE_TEST(that_all_threads_are_held_up_is_seen)
{
	long long since, before;

	assert_int_equal(hv_queue_stuck_since(&queue), 0);
	hv_queue_put(&queue, 0, "a");
	expect_next("a", 0);
	assert_int_equal(hv_queue_stuck_since(&queue), 0);
	sleep_ms(2); /* that nothing moved before it came says nothing */
	before = now_ms();
	hv_queue_put(&queue, 0, "b");
	since = hv_queue_stuck_since(&queue);
	assert_true(since >= before && since <= now_ms());
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	expect_next("b", 0);
	expect_next("a", 1);
	hv_queue_finish(&queue, &(struct hv_queued){.name = "b"}, false);
	sleep_ms(2 * HV_QUEUE_RETRY_MIN_MS);
	assert_int_equal(hv_queue_stuck_since(&queue), 0); /* "b" failed, and has to wait */
}

QUEUE_TEST(many_names_keep_their_order)
{
	enum { NAMES = 1000 };
	char name[16];

	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "%d", i * 7919 % NAMES);
		hv_queue_put(&queue, 0, name);
	}
	for (int i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "%d", i * 7919 % NAMES);
		expect_next(name, 0);
		hv_queue_finish(&queue, &(struct hv_queued){.name = name}, true);
	}
	assert_int_equal(hv_queue_count(&queue), 0);
}

QUEUE_TEST(nobody_waits_for_a_stopped_queue)
{
	struct hv_queued queued = {0};

	hv_queue_put(&queue, 0, "a");
	hv_queue_stop(&queue);
	assert_false(hv_queue_take(&queue, 0, &queued));
}

QUEUE_TEST(who_waits_until_a_time_takes_what_is_due_and_else_leaves_then)
{
	struct hv_queued queued = {0};
	long long start = now_ms();

	assert_false(hv_queue_take(&queue, start + 20, &queued));
	assert_true(now_ms() >= start + 20);
	hv_queue_put(&queue, 0, "a");
	assert_true(hv_queue_take(&queue, start, &queued)); /* late, and it is due */
	assert_string_equal(queued.name, "a");
	hv_queue_finish(&queue, &(struct hv_queued){.name = "a"}, false);
	assert_false(hv_queue_take(&queue, start, &queued)); /* it failed: not due yet */
}

TEST_MAIN()
