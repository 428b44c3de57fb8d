/* SPDX-License-Identifier: Apache-2.0 */
/* A container's process and its mount namespace. */
#ifndef MOUNTCORE_NS_H
#define MOUNTCORE_NS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/core.h"
#include "mountcore/decls.h"
#include "mountcore/fd.h"

MC_DECLS_BEGIN

struct mc_ns {
	int pidfd;     /* owned; stays valid when the PID is used again; /proc/PID where there are
			* no pidfds (before 5.3) */
	int ns_fd;     /* owned; keeps the namespace alive, so close it soon */
	uint64_t ino;  /* inode of the mount namespace: tells two starts of a container apart */
	int userns_fd; /* owned; its user namespace if it is another than ours, else MC_FD_NONE */
	uint32_t uid;  /* its root user, as we number users and groups */
	uint32_t gid;
	bool may_mount; /* CAP_SYS_ADMIN is in the process's bounding set: it can change its mounts
			 */
	uint64_t reserved[4]; /* 0 */
};

/* Open process `pid` (as our procfs numbers it) and its mount namespace.
 * The pidfd is checked after the namespace was opened: both belong to one process.
 * Returns 0, -ESRCH (no such process, or it ended meanwhile), -EXDEV (its mount namespace is the
 * host's or our own: not a container's), -EPERM, -EACCES, -EINVAL (a user namespace without a
 * root).  Step MC_STEP_PROCESS.
 * Source: pidfd_open(2), namespaces(7), user_namespaces(7).  Any thread; mc_ns_close() it. */
int mc_ns_open(const struct mc_core *core, pid_t pid, struct mc_ns *ret, struct mc_err *err)
	__attribute__((nonnull(1, 3), warn_unused_result));

/* Whether the root directory of process `pid` differs from the host's.  While a runtime sets up a
 * container, its first process is in a new mount namespace for a while before that has the
 * container's root.  Returns 1, 0, -ESRCH or the error of stat(2).  May wait for the file system
 * that the root is on.  Source: proc_pid_root(5). */
int mc_ns_has_own_root(const struct mc_core *core, pid_t pid)
	__attribute__((nonnull, warn_unused_result));

/* Whether the process still runs. */
bool mc_ns_is_alive(const struct mc_ns *ns) __attribute__((nonnull));

/* Kill the process (SIGKILL).  Returns 0, also when it has ended; -ENOSYS before Linux 5.1.
 * Source: pidfd_send_signal(2). */
int mc_ns_kill(const struct mc_ns *ns) __attribute__((nonnull, warn_unused_result));

/* Whether the user namespace of process `pid` has the user `uid`, as we number users.
 * Returns 1, 0, -ESRCH, or another error of opening its uid_map.  Source: user_namespaces(7). */
int mc_ns_has_user(const struct mc_core *core, pid_t pid, uint32_t uid)
	__attribute__((nonnull, warn_unused_result));

/* Close the descriptors; the empty struct of MC_NS_NONE is ignored. */
void mc_ns_close(struct mc_ns *ns) __attribute__((nonnull));

#define MC_NS_NONE ((struct mc_ns){.pidfd = -1, .ns_fd = -1, .userns_fd = -1})

MC_DECLS_END

#endif
