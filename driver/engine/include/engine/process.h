/* Whether a process is the container that the Engine said it is. */
#ifndef ENGINE_PROCESS_H
#define ENGINE_PROCESS_H

#include <stdbool.h>

#include "wire/container.h"

/* Whether process container->pid carries the marks of that container.  Call it while a pidfd on the
 * process is open and check the pidfd afterwards, so that all was read of one process.
 *
 * The start time decides: a process that took over a PID began after the container's StartedAt.
 * Where the wall clock was set since (StartedAt is wall time, /proc counts from boot) the container
 * ID in its cgroup, v1 or v2, is accepted instead.
 * Source: proc(5), cgroups(7). */
bool hv_process_is_container(const struct hv_container *container) __attribute__((nonnull));

#endif
