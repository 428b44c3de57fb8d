/* SPDX-License-Identifier: Apache-2.0 */
/* The containers with attachments, and the processes that have the mounts, so that each end, and
 * each change of their mount tables, is noticed. */
#ifndef DAEMON_PROCESSES_H
#define DAEMON_PROCESSES_H

#include "attach/attach.h"

#include "daemon/names.h"

struct hv_processes {
	struct hv_names containers; /* of struct hv_process, by ID */
	int epoll_fd;               /* borrowed: the processes' ends */
	int changes_fd;             /* owned: an epoll of their mount tables' changes */
};

struct hv_process {
	struct hv_named container;
	long long pid; /* 0: it does not run */
	uint64_t ns_ino;
	/* Both until its end was told of; MC_FD_NONE when that cannot be noticed. */
	int pidfd;               /* in epoll_fd, with a pointer to this as its data */
	int mountinfo;           /* in changes_fd, the same */
	bool is_changed;         /* its mount table, and that is to be told */
	bool is_again;           /* while it rested */
	long long pause_ms;      /* its shortest rest, twice as long each time that it was again */
	long long rest_until_ms; /* CLOCK_MONOTONIC */
};

/* Returns 0 or -ENOMEM (or no descriptor); release either way. */
int hv_processes_init(struct hv_processes *processes, int epoll_fd) __attribute__((nonnull));
void hv_processes_done(struct hv_processes *processes) __attribute__((nonnull));

/* Take over the result of a look at a container: watch a container that has records, with its
 * earlier descriptors if it is the same process; stop watching a container that has none.
 * Returns 0 or -ENOMEM. */
int hv_processes_set(struct hv_processes *processes, const char *container_id, struct hv_seen *seen)
	__attribute__((nonnull, warn_unused_result));

/* Whether the process that was seen is the one known of the container. */
bool hv_processes_has(const struct hv_processes *processes, const char *container_id,
	const struct hv_seen *seen) __attribute__((nonnull, warn_unused_result));

/* A process has ended, as epoll told: that is told once. */
void hv_processes_ended(struct hv_processes *processes, struct hv_process *process)
	__attribute__((nonnull));

/* A look at a container took so long of a processor: it rests until a small part of the time was
 * spent on it, and longer if it changes all the time. */
void hv_processes_rest(struct hv_processes *processes, const char *container_id, long long cost_us)
	__attribute__((nonnull));

/* How long it rests from now on, in milliseconds; 0 also if its process's end is not waited for. */
long long hv_processes_rest_ms(const struct hv_processes *processes, const char *container_id)
	__attribute__((nonnull, warn_unused_result));

/* Tell `fn` the containers whose mount tables have changed since they were seen or told last, and
 * those of which that cannot be known (before Linux 5.3).  Returns when the first rest of one that
 * was left out ends, by CLOCK_MONOTONIC in milliseconds: call again then; 0: none was. */
long long hv_processes_tell_changed(struct hv_processes *processes,
	void (*fn)(void *context, const char *container_id), void *context)
	__attribute__((nonnull(1, 2)));

#endif
