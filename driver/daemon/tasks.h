/* SPDX-License-Identifier: Apache-2.0 */
/* The work that repairers do. */
#ifndef DAEMON_TASKS_H
#define DAEMON_TASKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "attach/attach.h"

#include "daemon/queue.h"
#include "daemon/reconciler.h"

/* Kinds of work in the repairers' queue, and the name that goes with each. */
enum hv_task {
	HV_TASK_REPAIR,  /* a container */
	HV_TASK_EXPIRE,  /* a container: leases of it are over */
	HV_TASK_COMPARE, /* "": have those repaired of which the Engine and their records differ */
	HV_TASK_KEEP,    /* a volume, or "" for all: look at its keepers (attach/attach.h) */
	HV_TASK_RULES,   /* "": apply them to all containers that the Engine has */
	HV_TASK_INTRODUCE, /* "": the Engine is to meet this driver */
};

/* Borrowed, all of it. */
struct hv_tasks {
	const struct hv_reconciler_args *args;
	const atomic_bool *has_engine; /* the Engine tells its events */
	struct hv_queue *queue;        /* for further work */
	/* Mounts of the container came or went, which the watcher does not know.  Any thread. */
	void (*on_change)(void *context, const char *container_id);
	void *context;
	size_t listed; /* how many containers the Engine listed last; of HV_TASK_COMPARE */
};

/* Do it, and log it.  Returns whether it is well: if not, it is to be tried again later.  Any
 * thread. */
bool hv_task_do(struct hv_tasks *tasks, const struct hv_queued *queued) __attribute__((nonnull));

/* Log it, and have keepers looked at where it was perhaps the last attachment.  Returns how many
 * mounts came or went. */
unsigned hv_tasks_tell(const struct hv_tasks *tasks, const struct hv_repaired *repaired)
	__attribute__((nonnull));

/* Log it: as a warning the first time, unless a further try is the usual. */
void hv_tasks_tell_failure(const struct hv_tasks *tasks, const char *container_id, unsigned tries,
	const struct hv_error *err) __attribute__((nonnull));

#endif
