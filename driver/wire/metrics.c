/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { OTHER = HV_REQUESTS_MAX - 1 };

const long long hv_timing_bounds_us[HV_TIMING_BUCKETS] = {500, 1000, 2500, 5000, 10000, 25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};

static atomic_ullong counters[HV_COUNTERS];

static struct {
	atomic_ullong in[HV_TIMING_BUCKETS + 1];
	atomic_ullong sum_us;
} timings[HV_TIMINGS];

/* A slot belongs to the first endpoint that takes it, for ever. */
static struct {
	const char *_Atomic endpoint;
	atomic_ullong counts[HV_CODE_COUNT];
} requests[HV_REQUESTS_MAX];

static void add(atomic_ullong *count, unsigned long long number)
{
	atomic_fetch_add_explicit(count, number, memory_order_relaxed);
}

static unsigned long long read(atomic_ullong *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

void hv_counter_add(enum hv_counter counter)
{
	add(&counters[counter], 1);
}

unsigned long long hv_counter_read(enum hv_counter counter)
{
	return read(&counters[counter]);
}

void hv_timing_add(enum hv_timing timing, long long us)
{
	size_t at = 0;

	while (at < HV_TIMING_BUCKETS && us > hv_timing_bounds_us[at])
		at++;
	add(&timings[timing].in[at], 1);
	add(&timings[timing].sum_us, us > 0 ? (unsigned long long)us : 0);
}

void hv_timing_read(enum hv_timing timing, struct hv_timing_counts *ret)
{
	for (size_t i = 0; i <= HV_TIMING_BUCKETS; i++)
		ret->in[i] = read(&timings[timing].in[i]);
	ret->sum_us = read(&timings[timing].sum_us);
}

static bool is_slot_of(size_t number, const char *endpoint)
{
	const char *owner = atomic_load(&requests[number].endpoint);

	return owner == endpoint ||
	       (!owner && (atomic_compare_exchange_strong(
				   &requests[number].endpoint, &owner, endpoint) ||
				  owner == endpoint));
}

static size_t find_slot(const char *endpoint)
{
	size_t number = 0;

	while (endpoint && number < OTHER && !is_slot_of(number, endpoint))
		number++;
	return endpoint ? number : OTHER;
}

void hv_request_add(const char *endpoint, enum hv_code code)
{
	add(&requests[find_slot(endpoint)].counts[code], 1);
}

const char *hv_request_endpoint(size_t number)
{
	return number == OTHER ? "other" : atomic_load(&requests[number].endpoint);
}

unsigned long long hv_request_read(size_t number, enum hv_code code)
{
	return read(&requests[number].counts[code]);
}
