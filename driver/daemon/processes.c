/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "mountcore/cleanup.h"

enum { CHANGED_MAX = 64 };

/* Out of epoll by hand: a helper that was forked meanwhile holds a copy of each descriptor, and
 * closing ours would leave it registered. */
void hv_processes_ended(struct hv_processes *processes, struct hv_process *process)
{
	if (process->pidfd >= 0)
		(void)epoll_ctl(processes->epoll_fd, EPOLL_CTL_DEL, process->pidfd, NULL);
	if (process->mountinfo >= 0)
		(void)epoll_ctl(processes->changes_fd, EPOLL_CTL_DEL, process->mountinfo, NULL);
	mc_close_fd(&process->pidfd);
	mc_close_fd(&process->mountinfo);
}

static void release(struct hv_processes *processes, struct hv_process *process)
{
	hv_processes_ended(processes, process);
	free(process->container.name);
	free(process);
}

int hv_processes_init(struct hv_processes *processes, int epoll_fd)
{
	processes->epoll_fd = epoll_fd;
	processes->changes_fd = epoll_create1(EPOLL_CLOEXEC);
	return processes->changes_fd < 0 ? -ENOMEM : 0;
}

void hv_processes_done(struct hv_processes *processes)
{
	for (size_t i = 0; i < processes->containers.count; i++)
		release(processes, (struct hv_process *)processes->containers.items[i]);
	hv_names_done(&processes->containers);
	mc_close_fd(&processes->changes_fd);
}

static struct hv_process *add(struct hv_processes *processes, const char *container_id)
{
	struct hv_process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->pidfd = process->mountinfo = MC_FD_NONE;
	process->container.name = strdup(container_id);
	if (process->container.name &&
		hv_names_add(&processes->containers, &process->container) == 0)
		return process;
	release(processes, process);
	return NULL;
}

/* The table is watched only as long as the process's end is: it would keep the mounts. */
static void watch(struct hv_processes *processes, struct hv_process *process, struct hv_seen *seen)
{
	struct epoll_event end = {.events = EPOLLIN, .data.ptr = process};
	struct epoll_event change = {.events = EPOLLPRI, .data.ptr = process};

	hv_processes_ended(processes, process);
	process->pid = seen->pid;
	process->ns_ino = seen->ns_ino;
	if (seen->pidfd < 0)
		return;
	process->pidfd = mc_take_fd(&seen->pidfd);
	process->mountinfo = mc_take_fd(&seen->mountinfo);
	if (epoll_ctl(processes->epoll_fd, EPOLL_CTL_ADD, process->pidfd, &end) < 0 ||
		epoll_ctl(processes->changes_fd, EPOLL_CTL_ADD, process->mountinfo, &change) < 0)
		hv_processes_ended(processes, process); /* it is told each time */
}

bool hv_processes_has(
	const struct hv_processes *processes, const char *container_id, const struct hv_seen *seen)
{
	const struct hv_process *process = hv_names_find(&processes->containers, container_id);

	return process && process->pid == seen->pid && process->ns_ino == seen->ns_ino;
}

int hv_processes_set(struct hv_processes *processes, const char *container_id, struct hv_seen *seen)
{
	struct hv_process *process = hv_names_find(&processes->containers, container_id);
	bool is_wanted = seen->repaired.records > 0;

	if (!process && is_wanted)
		process = add(processes, container_id);
	if (process && !is_wanted) {
		hv_names_remove(&processes->containers, container_id);
		release(processes, process);
	} else if (process && !hv_processes_has(processes, container_id, seen)) {
		watch(processes, process, seen);
	}
	hv_seen_done(seen);
	return is_wanted && !process ? -ENOMEM : 0;
}

void hv_processes_tell_changed(struct hv_processes *processes,
	void (*fn)(void *context, const char *container_id), void *context)
{
	struct epoll_event changed[CHANGED_MAX];
	size_t left = processes->containers.count;
	int count = CHANGED_MAX;

	/* Each reported table is polled once more, and found unchanged. */
	for (; count == CHANGED_MAX && left > 0; left -= left < CHANGED_MAX ? left : CHANGED_MAX) {
		count = epoll_wait(processes->changes_fd, changed, CHANGED_MAX, 0);
		for (int i = 0; i < count; i++)
			fn(context,
				((const struct hv_process *)changed[i].data.ptr)->container.name);
	}
	for (size_t i = 0; i < processes->containers.count; i++) {
		const struct hv_process *process = (void *)processes->containers.items[i];

		if (process->pid > 0 && process->mountinfo < 0)
			fn(context, process->container.name);
	}
}
