/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that hears of mounts in containers.
 *
 * It does nothing else: a process that unmounts a volume may end a moment later, and has its name
 * until then only. */
#ifndef DAEMON_HEARER_H
#define DAEMON_HEARER_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "attach/attach.h"

struct hv_hearer {
	struct hv_attacher *attacher;     /* borrowed */
	void (*on_mounts)(void *context); /* something came or went, in some container */
	void *context;
	int stop_fd; /* eventfd */
	bool is_started;
	pthread_t thread;
};

/* Zeroed memory is not enough.  Nothing fails. */
void hv_hearer_init(struct hv_hearer *hearer, struct hv_attacher *attacher,
	void (*on_mounts)(void *context), void *context) __attribute__((nonnull));

/* Start it, where the kernel tells.  Returns false if there is no thread or no descriptor. */
bool hv_hearer_start(struct hv_hearer *hearer) __attribute__((nonnull, warn_unused_result));

/* Let it end, and wait for that until `until` (CLOCK_REALTIME).  Returns whether it has. */
bool hv_hearer_stop(struct hv_hearer *hearer, const struct timespec *until)
	__attribute__((nonnull, warn_unused_result));

/* When it has. */
void hv_hearer_done(struct hv_hearer *hearer) __attribute__((nonnull));

#endif
