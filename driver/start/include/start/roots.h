/* SPDX-License-Identifier: Apache-2.0 */
/* Where runtimes keep a directory for each of their containers. */
#ifndef START_ROOTS_H
#define START_ROOTS_H

#include <limits.h>
#include <sys/types.h>

/* Of Docker and Podman as they are installed; ended by NULL. */
extern const char *const hv_roots_usual[];

/* The one of a container that runs, from what keeps it (containerd's shim, Podman's conmon), the
 * parent of its first process.  It may have symlinks in it.
 * Returns 0; -ESRCH when the process has ended; -ENOENT when that does not tell.
 * Source: proc(5); containerd, core/runtime/v2/README.md; conmon(8).  Any thread. */
int hv_root_find(pid_t pid, char ret[static PATH_MAX]) __attribute__((nonnull, warn_unused_result));

#endif
