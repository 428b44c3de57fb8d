/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that write what the rules want in containers that are just created.
 *
 * They ask the Engine for nothing about a container, so that it is in time for its first start.
 * They are started with the first such container, and a few stay. */
#ifndef DAEMON_RULER_H
#define DAEMON_RULER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "wire/event.h"

#include "daemon/reconciler.h"
#include "workers.h"

struct hv_ruler {
	const struct hv_reconciler_args *args; /* borrowed */
	struct hv_workers workers;
	atomic_uint waiting;
};

/* Zeroed memory is not enough.  Nothing fails. */
void hv_ruler_init(struct hv_ruler *ruler, const struct hv_reconciler_args *args)
	__attribute__((nonnull));

/* A container was created.  Does not wait.  Returns false if a rule may select it and it is not
 * taken up: then the list of all containers is to be asked for.  One thread. */
bool hv_ruler_meet(struct hv_ruler *ruler, const struct hv_event *event)
	__attribute__((nonnull, warn_unused_result));

/* Let the threads end, and wait for them until that time (CLOCK_MONOTONIC).  Returns whether they
 * have. */
bool hv_ruler_stop(struct hv_ruler *ruler, long long until_ms)
	__attribute__((nonnull, warn_unused_result));

/* When they have. */
void hv_ruler_done(struct hv_ruler *ruler) __attribute__((nonnull));

#endif
