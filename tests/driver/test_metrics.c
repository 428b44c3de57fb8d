/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/metrics.h"

enum { THREADS = 4, ROUNDS = 20000, ALL = THREADS * ROUNDS };

/* The counts are the process's: each test looks at the difference. */
static unsigned long long count_requests(const char *endpoint, enum hv_code code)
{
	unsigned long long count = 0;

	for (size_t i = 0; i < HV_REQUESTS_MAX; i++) {
		const char *name = hv_request_endpoint(i);

		if (name && strcmp(name, endpoint) == 0)
			count += hv_request_read(i, code);
	}
	return count;
}

TEST(a_timing_is_in_the_first_bucket_that_holds_it)
{
	static const struct {
		long long us;
		size_t bucket;
	} cases[] = {{-5, 0}, {0, 0}, {500, 0}, {501, 1}, {1000, 1}, {10000000, 13}, {10000001, 14},
		{3600000000LL, 14}};
	struct hv_timing_counts before, after;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hv_timing_read(HV_TIME_HOLD, &before);
		hv_timing_add(HV_TIME_HOLD, cases[i].us);
		hv_timing_read(HV_TIME_HOLD, &after);
		for (size_t at = 0; at <= HV_TIMING_BUCKETS; at++)
			assert_int_equal(after.in[at] - before.in[at], at == cases[i].bucket);
		assert_true(after.sum_us - before.sum_us ==
			    (unsigned long long)(cases[i].us > 0 ? cases[i].us : 0));
	}
	hv_timing_read(HV_TIME_ATTACH_START, &after);
	assert_true(after.sum_us == 0);
}

TEST(requests_are_counted_by_endpoint_and_code)
{
	static const char one[] = "/One", two[] = "/Two";

	hv_request_add(one, HV_OK);
	hv_request_add(two, HV_OK);
	hv_request_add(one, HV_BUSY);
	hv_request_add(one, HV_OK);
	hv_request_add(NULL, HV_NO_SUCH_ENDPOINT);
	assert_int_equal(count_requests(one, HV_OK), 2);
	assert_int_equal(count_requests(one, HV_BUSY), 1);
	assert_int_equal(count_requests(two, HV_OK), 1);
	assert_int_equal(count_requests(two, HV_BUSY), 0);
	assert_int_equal(count_requests("other", HV_NO_SUCH_ENDPOINT), 1);
}

static void *count(void *argument)
{
	for (int i = 0; i < ROUNDS; i++) {
		hv_counter_add(HV_COUNT_COMMITS);
		hv_request_add(argument, HV_OK);
	}
	return NULL;
}

TEST(threads_lose_no_count)
{
	static char both[] = "/Both";
	pthread_t threads[THREADS];
	unsigned long long before = hv_counter_read(HV_COUNT_COMMITS);

	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, both), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(hv_counter_read(HV_COUNT_COMMITS) - before == ALL);
	assert_int_equal(count_requests(both, HV_OK), ALL);
}

/* The last of the tests: it takes all the room that is left. */
TEST(too_many_endpoints_count_as_one)
{
	static char names[HV_REQUESTS_MAX + 8][16];
	unsigned long long other = count_requests("other", HV_TIMEOUT), all = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(names[i], sizeof(names[i]), "/Many%zu", i);
		hv_request_add(names[i], HV_TIMEOUT);
	}
	for (size_t i = 0; i < HV_REQUESTS_MAX; i++)
		all += hv_request_read(i, HV_TIMEOUT);
	assert_int_equal(all, HV_REQUESTS_MAX + 8);
	assert_true(count_requests("other", HV_TIMEOUT) > other + 8);
}

TEST_MAIN()
