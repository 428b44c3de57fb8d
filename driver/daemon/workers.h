/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that take up pieces of work, as many as there are pieces, up to a limit.  A few stay once
 * they were needed. */
#ifndef DAEMON_WORKERS_H
#define DAEMON_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

/* A piece of work is a struct of the caller's that begins with this. */
struct hv_work {
	STAILQ_ENTRY(hv_work) entry;
};

struct hv_workers_args {
	unsigned max;
	unsigned kept;                /* so many wait for work; beginning a thread takes time */
	void (*begin)(void *context); /* called first by each thread */
	void (*work)(void *context, struct hv_work *work); /* takes `work` over */
	void *context;
};

struct hv_workers {
	struct hv_workers_args args;
	pthread_mutex_t lock;  /* of all that follows */
	pthread_cond_t wanted; /* of idle workers: a piece waits, or the end */
	pthread_cond_t left;   /* a worker has ended */
	STAILQ_HEAD(hv_work_queue, hv_work) waiting;
	unsigned count; /* of what waits */
	unsigned workers, idle;
	bool is_stopping;
};

void hv_workers_init(struct hv_workers *workers, const struct hv_workers_args *args);

/* Hand a piece over.  Without a thread for it, a worker that has done its own takes it; without any
 * worker it waits for the next piece, or hv_workers_urge().  Any thread. */
void hv_workers_add(struct hv_workers *workers, struct hv_work *work);

/* The same for a piece that cannot wait: false if there is no worker and none can be begun.  Then
 * it is the caller's still. */
bool hv_workers_try(struct hv_workers *workers, struct hv_work *work)
	__attribute__((warn_unused_result));

/* Try again to begin a worker, if there is none and a piece waits. */
void hv_workers_urge(struct hv_workers *workers);

/* Have each worker end when nothing waits. */
void hv_workers_stop(struct hv_workers *workers);

/* Behind hv_workers_stop(): wait for their end until that time, by CLOCK_MONOTONIC in milliseconds.
 * Returns whether all have ended. */
bool hv_workers_wait(struct hv_workers *workers, long long until_ms);

/* Take out a piece that nobody took up; NULL if there is none. */
struct hv_work *hv_workers_take(struct hv_workers *workers);

/* When all have ended, and nothing waits. */
void hv_workers_done(struct hv_workers *workers);

#endif
