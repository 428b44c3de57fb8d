#include "daemon/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "mountcore/cleanup.h"

/* Out of epoll by hand: a helper that was forked meanwhile holds a copy of each descriptor, and
 * closing ours would leave it registered. */
static void leave(struct hv_processes *processes, struct hv_process *process)
{
	if (process->pidfd >= 0)
		(void)epoll_ctl(processes->epoll_fd, EPOLL_CTL_DEL, process->pidfd, NULL);
	mc_close_fd(&process->pidfd);
	process->pidfd = MC_FD_NONE;
}

static void release(struct hv_processes *processes, struct hv_process *process)
{
	leave(processes, process);
	free(process->container.name);
	free(process);
}

void hv_processes_done(struct hv_processes *processes)
{
	for (size_t i = 0; i < processes->containers.count; i++)
		release(processes, (struct hv_process *)processes->containers.items[i]);
	hv_names_done(&processes->containers);
}

static void forget(struct hv_processes *processes, struct hv_process *process)
{
	hv_names_remove(&processes->containers, process->container.name);
	release(processes, process);
}

static struct hv_process *add(struct hv_processes *processes, const char *container_id)
{
	struct hv_process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->pidfd = MC_FD_NONE;
	process->container.name = strdup(container_id);
	if (process->container.name &&
		hv_names_add(&processes->containers, &process->container) == 0)
		return process;
	release(processes, process);
	return NULL;
}

static void watch(struct hv_processes *processes, struct hv_process *process, struct hv_seen *seen)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = process};

	leave(processes, process);
	process->pid = seen->pid;
	process->ns_ino = seen->ns_ino;
	process->pidfd = mc_take_fd(&seen->pidfd);
	/* Without memory for it the next look at all sees the end. */
	if (process->pidfd >= 0)
		(void)epoll_ctl(processes->epoll_fd, EPOLL_CTL_ADD, process->pidfd, &event);
}

int hv_processes_set(struct hv_processes *processes, const char *container_id, struct hv_seen *seen)
{
	struct hv_process *process = hv_names_find(&processes->containers, container_id);
	int rc = 0;

	if (!process && seen->repaired.records > 0) {
		process = add(processes, container_id);
		rc = process ? 0 : -ENOMEM;
	}
	if (process && seen->repaired.records == 0)
		forget(processes, process);
	else if (process && (process->pid != seen->pid || process->ns_ino != seen->ns_ino))
		watch(processes, process, seen);
	mc_close_fd(&seen->pidfd);
	seen->pidfd = MC_FD_NONE;
	return rc;
}

void hv_processes_ended(struct hv_processes *processes, struct hv_process *process)
{
	leave(processes, process);
}
