/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that repair: they take containers from a queue, and are more while all are held up.
 */
#ifndef DAEMON_REPAIRERS_H
#define DAEMON_REPAIRERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "daemon/queue.h"

enum { HV_REPAIRERS_MAX = 64 };

struct hv_repairers_args {
	void (*begin)(void *context); /* the first that each thread does */
	/* Repair one.  Returns whether it is well: if not, it comes again later. */
	bool (*repair)(void *context, const struct hv_queued *queued);
	/* A thread has ended: let hv_repairers_tend() be called. */
	void (*wake)(void *context);
	void *context;
	long long idle_ms; /* after so long a thread that is not needed any more ends */
};

struct hv_repairer {
	struct hv_repairers *all;
	pthread_t thread;
	bool is_hired; /* ends when it is not needed any more */
	bool is_used;  /* to be joined */
	atomic_bool is_over;
};

struct hv_repairers {
	struct hv_repairers_args args;
	struct hv_queue queue;
	struct hv_repairer threads[HV_REPAIRERS_MAX];
	unsigned count;
	atomic_llong needed_ms; /* when they were all held up last */
	long long tend_ms;      /* when to look whether all are held up; 0: no need */
	atomic_bool is_stopping;
};

/* Set up; no thread yet.  Nothing fails. */
void hv_repairers_init(struct hv_repairers *repairers, const struct hv_repairers_args *args)
	__attribute__((nonnull));

/* Start the first threads.  Returns false when there are not enough; stop them then. */
bool hv_repairers_start(struct hv_repairers *repairers)
	__attribute__((nonnull, warn_unused_result));

/* Start more if all of them are held up, join those that were not needed any more.  One thread. */
void hv_repairers_tend(struct hv_repairers *repairers) __attribute__((nonnull));

/* Let them end.  Does not wait. */
void hv_repairers_stop(struct hv_repairers *repairers) __attribute__((nonnull));

/* Wait for it, until this time (CLOCK_REALTIME).  Returns false when one still runs; else the queue
 * is what is left to be released. */
bool hv_repairers_join(struct hv_repairers *repairers, const struct timespec *until)
	__attribute__((nonnull, warn_unused_result));

#endif
