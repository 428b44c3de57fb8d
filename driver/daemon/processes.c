/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "mountcore/cleanup.h"
#include "wire/clock.h"

enum {
	CHANGED_MAX = 64,
	PAUSE_MIN_MS = 10,
	PAUSE_MAX_MS = 1000,
	SHARE = 20, /* looks at one container may take this part of the time */
	US_PER_MS = 1000,
};

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

void hv_processes_rest(struct hv_processes *processes, const char *container_id, long long cost_us)
{
	struct hv_process *process = hv_names_find(&processes->containers, container_id);
	long long rest_ms = cost_us * SHARE / US_PER_MS;

	if (process)
		process->rest_until_ms =
			hv_clock_ms() + (rest_ms > process->pause_ms ? rest_ms : process->pause_ms);
}

long long hv_processes_rest_ms(const struct hv_processes *processes, const char *container_id)
{
	const struct hv_process *process = hv_names_find(&processes->containers, container_id);
	long long left_ms =
		process && process->pidfd >= 0 ? process->rest_until_ms - hv_clock_ms() : 0;

	return left_ms > 0 ? left_ms : 0;
}

static void note_changed(struct hv_processes *processes)
{
	struct epoll_event changed[CHANGED_MAX];
	size_t left = processes->containers.count;
	int count = CHANGED_MAX;

	/* Each reported table is polled once more, and found unchanged. */
	for (; count == CHANGED_MAX && left > 0; left -= left < CHANGED_MAX ? left : CHANGED_MAX) {
		count = epoll_wait(processes->changes_fd, changed, CHANGED_MAX, 0);
		for (int i = 0; i < count; i++)
			((struct hv_process *)changed[i].data.ptr)->is_changed = true;
	}
	for (size_t i = 0; i < processes->containers.count; i++) {
		struct hv_process *process = (struct hv_process *)processes->containers.items[i];

		if (process->pid > 0 && process->mountinfo < 0)
			process->is_changed = true;
	}
}

/* It is told now.  Whether it changed again in its last rest is known by then. */
static void set_pause(struct hv_process *process)
{
	process->pause_ms = process->is_again ? 2 * process->pause_ms : PAUSE_MIN_MS;
	if (process->pause_ms > PAUSE_MAX_MS)
		process->pause_ms = PAUSE_MAX_MS;
	process->is_changed = process->is_again = false;
}

long long hv_processes_tell_changed(struct hv_processes *processes,
	void (*fn)(void *context, const char *container_id), void *context)
{
	long long now = hv_clock_ms(), next_ms = 0;

	note_changed(processes);
	for (size_t i = 0; i < processes->containers.count; i++) {
		struct hv_process *process = (struct hv_process *)processes->containers.items[i];

		if (process->is_changed && now < process->rest_until_ms) {
			process->is_again = true;
			if (next_ms == 0 || process->rest_until_ms < next_ms)
				next_ms = process->rest_until_ms;
		} else if (process->is_changed) {
			set_pause(process);
			fn(context, process->container.name);
		}
	}
	return next_ms;
}
