/* SPDX-License-Identifier: Apache-2.0 */
/* A mutex that is held until the end of a scope, and a wait that has an end. */
#ifndef WIRE_LOCK_H
#define WIRE_LOCK_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "wire/cleanup.h"

/* `hv_auto_unlock pthread_mutex_t *lock = hv_lock(...)`: unlocked after the value of a return
 * statement is known.  clang counts a lock that is only released as unused. */
#define hv_auto_unlock HV_AUTO(hv_unlock) __attribute__((unused))

static inline pthread_mutex_t *hv_lock(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	return lock;
}

static inline void hv_unlock(pthread_mutex_t **lock)
{
	pthread_mutex_unlock(*lock);
}

/* Wait for a change until that time by hv_clock_ms().  Returns false when it is over. */
static inline bool hv_wait_until(pthread_cond_t *change, pthread_mutex_t *lock, long long until_ms)
{
	const struct timespec until = {
		.tv_sec = until_ms / 1000,
		.tv_nsec = until_ms % 1000 * 1000000,
	};

	return pthread_cond_clockwait(change, lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT;
}

#endif
