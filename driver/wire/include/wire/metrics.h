/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of the process, for /metrics.
 *
 * Each layer counts where the thing happens.  Counting is an atomic addition: it takes no lock,
 * waits for nothing and cannot fail.  The counts begin at 0 with the process.  Any thread. */
#ifndef WIRE_METRICS_H
#define WIRE_METRICS_H

#include <stddef.h>

#include "wire/code.h"

enum hv_counter {
	HV_COUNT_COMMITS,     /* transactions of the store that were committed */
	HV_COUNT_LATE_STARTS, /* starts whose program began before all was attached */
	HV_COUNT_LOOKS,       /* of the checker, at one volume */
	HV_COUNTERS,
};

void hv_counter_add(enum hv_counter counter);
unsigned long long hv_counter_read(enum hv_counter counter);

enum hv_timing {
	HV_TIME_ATTACH_REQUEST, /* a mount made for a request */
	HV_TIME_ATTACH_START,   /* a mount made at a start of the container */
	HV_TIME_HOLD,           /* a start was kept from going on */
	HV_TIMINGS,
};

enum { HV_TIMING_BUCKETS = 14 };

/* The upper bound of each bucket, in microseconds. */
extern const long long hv_timing_bounds_us[HV_TIMING_BUCKETS];

/* One took so long, in microseconds.  Below 0 counts as 0. */
void hv_timing_add(enum hv_timing timing, long long us);

struct hv_timing_counts {
	/* How many took up to hv_timing_bounds_us[i], and no less than the bound before; the last
	 * one has the longer ones. */
	unsigned long long in[HV_TIMING_BUCKETS + 1];
	unsigned long long sum_us;
};
void hv_timing_read(enum hv_timing timing, struct hv_timing_counts *ret) __attribute__((nonnull));

/* How many endpoints have counts of their own; further ones count as one. */
enum { HV_REQUESTS_MAX = 32 };

/* A request was answered.  `endpoint` stays valid, and each endpoint has one address; NULL: there
 * is no such endpoint. */
void hv_request_add(const char *endpoint, enum hv_code code);

/* The endpoint with that number, NULL if there is none yet; the last number has the requests
 * without an endpoint, under the name "other". */
const char *hv_request_endpoint(size_t number);
unsigned long long hv_request_read(size_t number, enum hv_code code);

#endif
