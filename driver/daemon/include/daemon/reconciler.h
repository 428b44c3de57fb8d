/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that keep attachments true.
 *
 * One watches: the Engine's events, and the processes of containers that have attachments; it notes
 * what the kernel knows of them, and asks the Engine for nothing.  The others repair, container by
 * container, with back-off where that fails; none of it is waited for by a request. */
#ifndef DAEMON_RECONCILER_H
#define DAEMON_RECONCILER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "attach/attach.h"

#include "daemon/log.h"

struct hv_reconciler;
struct mc_core;

struct hv_reconciler_args {
	struct hv_engine *engine;
	struct hv_attacher *attacher;
	const struct mc_core *core; /* the threads are lent to it; NULL: they are not */
	const struct hv_log *log;
	/* Make sure that the attacher has its records; a failure is tried again. */
	enum hv_code (*open_state)(void *context, struct hv_error *err);
	/* The Engine tells its events: it is there, and may be another than before. */
	void (*on_engine)(void *context);
	/* A container with attachments was seen to run, with this first process; may be NULL. */
	void (*on_process)(void *context, pid_t pid);
	void *context;
	bool is_met_late; /* the Engine knows of this driver only when it has looked for it */
	/* 0 for each but in tests. */
	long long look_ms; /* how often mount tables are asked whether they have changed */
	long long ask_ms;  /* how often the Engine is asked which containers run */
	long long idle_ms; /* after so long a repairer that is not needed any more ends */
};

/* Start; the objects in `args` are borrowed.  Contacts nobody before it returns.
 * NULL if there is no memory or no thread. */
struct hv_reconciler *hv_reconciler_start(const struct hv_reconciler_args *args)
	__attribute__((nonnull, warn_unused_result));

/* Attachments of this container came, went or changed: look at it; `is_undone`: there may be
 * something to do for it.  Does not wait.  Any thread. */
void hv_reconciler_poke(struct hv_reconciler *reconciler, const char *container_id, bool is_undone)
	__attribute__((nonnull));

/* How many containers wait to be looked at or repaired, or are just now.  Any thread. */
size_t hv_reconciler_queued(struct hv_reconciler *reconciler) __attribute__((nonnull));

/* A rule may be to be applied to all containers.  Does not wait.  Any thread. */
void hv_reconciler_poke_rules(struct hv_reconciler *reconciler) __attribute__((nonnull));

/* Stop and release.  Returns false when a thread was not done within `timeout_ms`: then it still
 * runs, and everything it uses must stay: exit. */
bool hv_reconciler_stop(struct hv_reconciler *reconciler, int timeout_ms)
	__attribute__((nonnull, warn_unused_result));

#endif
