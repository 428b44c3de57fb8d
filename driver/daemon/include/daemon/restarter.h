/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that start containers again whose start was refused (attach/attach.h).
 *
 * They are started with the first such container, and wait while there is none. */
#ifndef DAEMON_RESTARTER_H
#define DAEMON_RESTARTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "daemon/queue.h"
#include "daemon/reconciler.h"

enum { HV_RESTARTERS = 4 };

struct hv_restarter {
	const struct hv_reconciler_args *args; /* borrowed */
	const atomic_bool *has_engine;         /* borrowed */
	struct hv_queue queue;
	pthread_t threads[HV_RESTARTERS];
	unsigned count;
};

/* Zeroed memory is not enough.  Nothing fails. */
void hv_restarter_init(struct hv_restarter *restarter, const struct hv_reconciler_args *args,
	const atomic_bool *has_engine) __attribute__((nonnull));

/* Its start was refused.  Does not wait.  One thread. */
void hv_restarter_add(struct hv_restarter *restarter, const char *container_id)
	__attribute__((nonnull));

/* Let the threads end, and wait for them until that time of the wall clock.  Returns whether they
 * have: then the queue is what is left to be released. */
bool hv_restarter_stop(struct hv_restarter *restarter, const struct timespec *until)
	__attribute__((nonnull, warn_unused_result));

#endif
