/* SPDX-License-Identifier: Apache-2.0 */
/* Durations that are measured, in nanoseconds. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static inline int compare_samples(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static inline void sort_samples(uint64_t *samples, size_t count)
{
	qsort(samples, count, sizeof(*samples), compare_samples);
}

#endif
