/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a process is the container that the Engine said it is. */
#ifndef ENGINE_PROCESS_H
#define ENGINE_PROCESS_H

#include <stdbool.h>

#include "wire/container.h"

/* Check that process container->pid carries the marks of that container.  Call it while a pidfd on
 * the process is open and check the pidfd afterwards, so that all was read of one process.
 *
 * The container's ID in its cgroup, v1 or v2, decides: an Engine of another PID namespace may tell
 * the number of any process.  Where the cgroup has no container's ID (Podman with
 * --cgroups=disabled) the start time does: a process that took over a PID began after the
 * container's StartedAt.  With started_at NULL, of a start that is under way, the caller makes sure
 * of that.  `ret_is_sure`: the cgroup and the time say so, and the process began shortly before
 * StartedAt: the Engine need not be asked once more whether it is still the same start.
 * Returns 0; -ESRCH when it is another process, or none; another negative errno when it cannot be
 * looked at: descriptors may have run out.  Source: proc(5), cgroups(7). */
int hv_process_check(const struct hv_container *container, bool *ret_is_sure)
	__attribute__((nonnull, warn_unused_result));

/* When the process began, in clock ticks since boot: no two processes of one number have the same.
 * Returns 0, -ESRCH when there is none, or another negative errno.  Source: proc_pid_stat(5), 22.
 */
int hv_process_start_ticks(int pid, unsigned long long *ret)
	__attribute__((nonnull, warn_unused_result));

/* Whose cgroup it is that /proc/PID/cgroup tells. */
enum hv_cgroup {
	HV_CGROUP_OF_NONE,    /* no container's */
	HV_CGROUP_OF_IT,      /* the container's, or one below it */
	HV_CGROUP_OF_ANOTHER, /* another container's */
};

/* Judge `text` of such a file for the container `id`.  `own` is ours: a container that we are in
 * ourselves says nothing of who else is in it. */
enum hv_cgroup hv_cgroup_judge(const char *text, const char *own, const char *id)
	__attribute__((nonnull));

#endif
