/* SPDX-License-Identifier: Apache-2.0 */
/* Names that wait to be worked on, each at most once, and by one thread at a time.  A name may wait
 * for several kinds of work: then it is as many names.
 *
 * Names of new events (put) go first, in the order of the events; then names that were only added
 * or that failed before, the earliest due first.  Only some of the threads retry failed names: a
 * name that hangs may fail for as long as it likes, and the other threads are still free. */
#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "daemon/names.h"

struct hv_queue_item;

/* Kinds are numbers below this one, which the queue's user has names for; 0 where there is one. */
enum { HV_QUEUE_KINDS = 6 };

/* A name that was taken. */
struct hv_queued {
	unsigned kind;
	const char *name; /* borrowed until hv_queue_finish() or hv_queue_postpone() */
	unsigned tries;   /* how often it has failed so far */
};

struct hv_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hv_names items[HV_QUEUE_KINDS];
	TAILQ_HEAD(hv_queue_waiting, hv_queue_item) waiting; /* those not taken; as they are due */
	unsigned retries;     /* taken now although they failed before */
	unsigned retries_max; /* at once */
	long long moved_ms;   /* when a thread took or finished something last */
	bool is_stopped;
};

/* How long a failed name waits: doubled each time. */
enum { HV_QUEUE_RETRY_MIN_MS = 200, HV_QUEUE_RETRY_MAX_MS = 30000 };

/* Zeroed memory is not enough.  Nothing fails.  `retries_max`: how many threads at most retry
 * failed names; at least 1. */
void hv_queue_init(struct hv_queue *queue, unsigned retries_max) __attribute__((nonnull));
void hv_queue_done(struct hv_queue *queue) __attribute__((nonnull));

/* Queue `name` for a new event: before all names without one, and again if it is being worked on.
 * Without memory it is lost. */
void hv_queue_put(struct hv_queue *queue, unsigned kind, const char *name) __attribute__((nonnull));

/* Queue `name` after all new events, unless it is in the queue: a failed name keeps its time, and a
 * name that is being worked on is not worked on again. */
void hv_queue_add(struct hv_queue *queue, unsigned kind, const char *name) __attribute__((nonnull));

/* Wait for the next name, until `until_ms` (CLOCK_MONOTONIC; 0: for ever).  Returns false when the
 * queue was stopped, or that time has come and nothing is due. */
bool hv_queue_take(struct hv_queue *queue, long long until_ms, struct hv_queued *ret)
	__attribute__((nonnull, warn_unused_result));

/* The same without waiting.  Returns false when nothing is due now; `ret_next_ms` then is when
 * something will be (CLOCK_MONOTONIC), 0 if there is nothing. */
bool hv_queue_try(struct hv_queue *queue, struct hv_queued *ret, long long *ret_next_ms)
	__attribute__((nonnull, warn_unused_result));

/* Since when something is due, and no thread has taken or finished anything (CLOCK_MONOTONIC): then
 * all of them are held up.  0: nothing is due, or for those only that failed before. */
long long hv_queue_stuck_since(struct hv_queue *queue) __attribute__((nonnull));

/* How many names are in the queue: also names that are worked on or failed, no name that is
 * postponed. */
size_t hv_queue_count(struct hv_queue *queue) __attribute__((nonnull));

/* The name was worked on; if that failed it comes again later. */
void hv_queue_finish(struct hv_queue *queue, const struct hv_queued *queued, bool is_well)
	__attribute__((nonnull));

/* The name was worked on, and there is nothing to do yet: it comes again after so long, which is no
 * failure. */
void hv_queue_postpone(struct hv_queue *queue, const struct hv_queued *queued, long long delay_ms)
	__attribute__((nonnull));

/* Let everyone who waits go. */
void hv_queue_stop(struct hv_queue *queue) __attribute__((nonnull));

#endif
