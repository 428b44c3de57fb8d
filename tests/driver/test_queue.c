#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/hv_test.h"

#include "daemon/queue.h"

static struct hv_queue queue;

static int set_up(void **state)
{
	(void)state;
	hv_queue_init(&queue);
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
	const char *next = NULL;
	unsigned next_tries = 0;

	assert_true(hv_queue_take(&queue, &next, &next_tries));
	assert_string_equal(next, name);
	assert_int_equal(next_tries, tries);
}

static void names_come_once_and_in_order(void **state)
{
	(void)state;
	hv_queue_put(&queue, "a");
	hv_queue_put(&queue, "b");
	hv_queue_put(&queue, "a");
	expect_next("a", 0);
	hv_queue_finish(&queue, "a", true);
	expect_next("b", 0);
	hv_queue_finish(&queue, "b", true);
	assert_null(queue.items);
}

static void what_is_put_while_it_is_worked_on_comes_again_and_to_nobody_else_before(void **state)
{
	(void)state;
	hv_queue_put(&queue, "a");
	expect_next("a", 0);
	hv_queue_put(&queue, "a");
	hv_queue_put(&queue, "b");
	expect_next("b", 0); /* and not "a" */
	hv_queue_finish(&queue, "a", true);
	expect_next("a", 0);
	hv_queue_finish(&queue, "a", true);
	hv_queue_finish(&queue, "b", true);
	assert_null(queue.items);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void what_failed_comes_later_or_when_it_is_put_again(void **state)
{
	long long start = now_ms();

	(void)state;
	hv_queue_put(&queue, "a");
	expect_next("a", 0);
	hv_queue_finish(&queue, "a", false);
	expect_next("a", 1);
	assert_true(now_ms() - start >= HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, "a", false);
	start = now_ms();
	hv_queue_put(&queue, "a");
	expect_next("a", 2);
	assert_true(now_ms() - start < HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, "a", true);
}

static void what_is_only_added_does_not_hurry(void **state)
{
	long long start;

	(void)state;
	hv_queue_add(&queue, "a");
	expect_next("a", 0);
	hv_queue_add(&queue, "a"); /* it is being worked on */
	start = now_ms();
	hv_queue_finish(&queue, "a", false);
	hv_queue_add(&queue, "a");
	expect_next("a", 1);
	assert_true(now_ms() - start >= HV_QUEUE_RETRY_MIN_MS);
	hv_queue_finish(&queue, "a", true);
	assert_null(queue.items);
}

static void nobody_waits_for_a_stopped_queue(void **state)
{
	const char *name;
	unsigned tries;

	(void)state;
	hv_queue_put(&queue, "a");
	hv_queue_stop(&queue);
	assert_false(hv_queue_take(&queue, &name, &tries));
}

#define QUEUED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUED(names_come_once_and_in_order),
		QUEUED(what_is_put_while_it_is_worked_on_comes_again_and_to_nobody_else_before),
		QUEUED(what_failed_comes_later_or_when_it_is_put_again),
		QUEUED(what_is_only_added_does_not_hurry),
		QUEUED(nobody_waits_for_a_stopped_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
