/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "support/hv_test.h"
#include "wire/clock.h"

#include "workers.h"

enum { MAX = 4, KEPT = 1, PATIENCE_MS = 10000 };

struct piece {
	struct hv_work work;
};

/* The workers count, and wait while the site is closed. */
struct site {
	struct hv_workers workers;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_closed;
	unsigned begun, working, done;
};

static void begin(void *context)
{
	struct site *site = context;

	pthread_mutex_lock(&site->lock);
	site->begun++;
	pthread_cond_broadcast(&site->changed);
	pthread_mutex_unlock(&site->lock);
}

static void work_on(void *context, struct hv_work *work)
{
	struct site *site = context;

	pthread_mutex_lock(&site->lock);
	site->working++;
	pthread_cond_broadcast(&site->changed);
	while (site->is_closed)
		pthread_cond_wait(&site->changed, &site->lock);
	site->working--;
	site->done++;
	pthread_cond_broadcast(&site->changed);
	pthread_mutex_unlock(&site->lock);
	free((struct piece *)work);
}

/* Wait until *count is `wanted`. */
static void expect(struct site *site, const unsigned *count, unsigned wanted)
{
	struct timespec until;
	unsigned last;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&site->lock);
	while (*count != wanted && pthread_cond_timedwait(&site->changed, &site->lock, &until) == 0)
		continue;
	last = *count;
	pthread_mutex_unlock(&site->lock);
	assert_int_equal(last, wanted);
}

static void set_closed(struct site *site, bool is_closed)
{
	pthread_mutex_lock(&site->lock);
	site->is_closed = is_closed;
	pthread_cond_broadcast(&site->changed);
	pthread_mutex_unlock(&site->lock);
}

static void add(struct site *site, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct piece *piece = calloc(1, sizeof(*piece));

		assert_non_null(piece);
		hv_workers_add(&site->workers, &piece->work);
	}
}

static int open_site(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	assert_non_null(site);
	pthread_mutex_init(&site->lock, NULL);
	pthread_cond_init(&site->changed, NULL);
	hv_workers_init(&site->workers, &(struct hv_workers_args){
						.max = MAX,
						.kept = KEPT,
						.begin = begin,
						.work = work_on,
						.context = site,
					});
	*state = site;
	return 0;
}

static int close_site(void **state)
{
	struct site *site = *state;

	set_closed(site, false);
	hv_workers_stop(&site->workers);
	assert_true(hv_workers_wait(&site->workers, hv_clock_ms() + PATIENCE_MS));
	assert_null(hv_workers_take(&site->workers));
	hv_workers_done(&site->workers);
	pthread_cond_destroy(&site->changed);
	pthread_mutex_destroy(&site->lock);
	free(site);
	return 0;
}

#define WORKERS_TEST(name) STATE_TEST(name, struct site, site, open_site, close_site)

WORKERS_TEST(as_many_work_as_there_are_pieces_up_to_the_limit)
{
	site->is_closed = true;
	add(site, 2);
	expect(site, &site->working, 2);
	add(site, MAX);
	expect(site, &site->working, MAX);
	assert_int_equal(site->begun, MAX);
	set_closed(site, false);
	expect(site, &site->done, MAX + 2);
}

WORKERS_TEST(some_stay_and_take_up_what_comes_later)
{
	site->is_closed = true;
	add(site, KEPT);
	expect(site, &site->working, KEPT);
	set_closed(site, false);
	for (unsigned i = KEPT; i <= 20; i++) {
		expect(site, &site->done, i);
		add(site, 1);
	}
	expect(site, &site->done, 21);
	assert_true(site->workers.workers >= KEPT);
}

WORKERS_TEST(what_waits_is_done_before_the_end)
{
	site->is_closed = true;
	add(site, 3 * MAX);
	expect(site, &site->working, MAX);
	hv_workers_stop(&site->workers);
	assert_false(hv_workers_wait(&site->workers, hv_clock_ms() + 20));
	set_closed(site, false);
	assert_true(hv_workers_wait(&site->workers, hv_clock_ms() + PATIENCE_MS));
	assert_int_equal(site->done, 3 * MAX);
}

WORKERS_TEST(a_piece_that_nobody_took_up_is_given_back)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	assert_non_null(piece);
	site->workers.args.max = 0; /* as without a thread */
	hv_workers_add(&site->workers, &piece->work);
	assert_ptr_equal(hv_workers_take(&site->workers), &piece->work);
	free(piece);
}

WORKERS_TEST(a_piece_that_cannot_wait_is_refused_without_a_thread)
{
	struct piece *piece = calloc(1, sizeof(*piece));

	assert_non_null(piece);
	site->workers.args.max = 0;
	assert_false(hv_workers_try(&site->workers, &piece->work));
	assert_null(hv_workers_take(&site->workers));
	site->workers.args.max = MAX;
	assert_true(hv_workers_try(&site->workers, &piece->work));
	expect(site, &site->done, 1);
}

WORKERS_TEST(a_piece_that_nobody_took_up_is_done_when_there_is_a_thread_again)
{
	hv_workers_urge(&site->workers);
	assert_int_equal(site->workers.workers, 0);
	site->workers.args.max = 0;
	add(site, 1);
	hv_workers_urge(&site->workers);
	assert_int_equal(site->begun, 0);
	site->workers.args.max = MAX;
	hv_workers_urge(&site->workers);
	expect(site, &site->done, 1);
}

TEST_MAIN()
