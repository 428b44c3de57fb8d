/* Names that wait to be worked on, each at most once, and by one thread at a time. */
#ifndef DAEMON_QUEUE_H
#define DAEMON_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

struct hv_queue_item;

struct hv_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* CLOCK_MONOTONIC */
	struct hv_queue_item *items;
	bool is_stopped;
};

/* How long what failed waits: doubled each time. */
enum { HV_QUEUE_RETRY_MIN_MS = 200, HV_QUEUE_RETRY_MAX_MS = 30000 };

/* Zeroed memory is not enough.  Nothing fails. */
void hv_queue_init(struct hv_queue *queue) __attribute__((nonnull));
void hv_queue_done(struct hv_queue *queue) __attribute__((nonnull));

/* Let `name` be worked on as soon as possible; one that is being worked on, again afterwards.
 * Without memory it is lost. */
void hv_queue_put(struct hv_queue *queue, const char *name) __attribute__((nonnull));

/* The same for a name that is not in the queue: one that failed keeps its time, and one that is
 * being worked on is not worked on again. */
void hv_queue_add(struct hv_queue *queue, const char *name) __attribute__((nonnull));

/* Wait for the next name.  Returns false when the queue was stopped.  `ret_name` is borrowed until
 * hv_queue_finish(); `ret_tries` counts the failures so far. */
bool hv_queue_take(struct hv_queue *queue, const char **ret_name, unsigned *ret_tries)
	__attribute__((nonnull, warn_unused_result));

/* The name was worked on; if that failed it comes again later. */
void hv_queue_finish(struct hv_queue *queue, const char *name, bool is_well)
	__attribute__((nonnull));

/* Let everyone who waits go. */
void hv_queue_stop(struct hv_queue *queue) __attribute__((nonnull));

#endif
