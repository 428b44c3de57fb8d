/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that attach what is wanted to a container before its program begins.
 *
 * One reads what the gate tells (start/gate.h), and starts it anew when it has ended; others work
 * on starts that are held, one container each.  None of them waits for the Engine. */
#ifndef DAEMON_STARTER_H
#define DAEMON_STARTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "api/api.h"
#include "attach/attach.h"

#include "daemon/log.h"

struct hv_starter;

struct hv_starter_args {
	struct mc_core *core;
	struct hv_attacher *attacher;
	const struct hv_log *log;
	unsigned hold_ms; /* how long a start is held at most; 0: none is */
	/* Make sure that the attacher has its records; a failure is tried again. */
	enum hv_code (*open_state)(void *context, struct hv_error *err);
	void *context;
};

/* Start; the objects in `args` are borrowed.  Contacts nobody before it returns.
 * NULL if there is no memory or no thread. */
struct hv_starter *hv_starter_start(const struct hv_starter_args *args)
	__attribute__((nonnull, warn_unused_result));

/* A container with attachments runs, with this first process: follow the directory in which its
 * runtime keeps it, from now on.  Reads a few files of procfs.  Any thread. */
void hv_starter_learn(struct hv_starter *starter, pid_t pid) __attribute__((nonnull));

/* Attachments of this container came or went: hold its starts from now on, as long as it has one.
 * `is_undone`: and see whether it is about to start.  Does not wait.  Any thread. */
void hv_starter_look(struct hv_starter *starter, const char *container_id, bool is_undone)
	__attribute__((nonnull));

/* Whether starts are held, and why not.  Any thread. */
void hv_starter_tell(struct hv_starter *starter, struct hv_starts *ret) __attribute__((nonnull));

/* Let go what is held, stop and release.  Returns false when a thread was not done within
 * `timeout_ms`: then it still runs, and everything it uses must stay: exit. */
bool hv_starter_stop(struct hv_starter *starter, int timeout_ms)
	__attribute__((nonnull, warn_unused_result));

#endif
