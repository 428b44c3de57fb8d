/* The containers with attachments, and the processes that have the mounts, so that each end is
 * noticed. */
#ifndef DAEMON_PROCESSES_H
#define DAEMON_PROCESSES_H

#include "attach/attach.h"

#include "daemon/names.h"

struct hv_processes {
	struct hv_names containers; /* of struct hv_process, by ID */
	int epoll_fd;               /* borrowed */
};

struct hv_process {
	struct hv_named container;
	long long pid; /* 0: it does not run */
	uint64_t ns_ino;
	int pidfd; /* in epoll_fd, with a pointer to this as its data, until it was told of */
};

void hv_processes_done(struct hv_processes *processes) __attribute__((nonnull));

/* What was seen of a container, whose descriptor is taken over: one that has records is watched
 * from now on, with the descriptor of before if it is the same process; one that has none no more.
 * Returns 0 or -ENOMEM. */
int hv_processes_set(struct hv_processes *processes, const char *container_id, struct hv_seen *seen)
	__attribute__((nonnull, warn_unused_result));

/* A process has ended, as epoll told: that is told once. */
void hv_processes_ended(struct hv_processes *processes, struct hv_process *process)
	__attribute__((nonnull));

#endif
