/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and unmounts in other mount namespaces, told as they happen, with the process that made
 * them (Linux 6.15).
 *
 * The kernel does not tell in which of the namespaces a mount came or went, but the unique ID of a
 * mount is never used again on a machine: a caller knows its own (mc_attach_info()), and
 * mc_mount_has_id() tells whether another is in a namespace.  A change of attributes, such as a
 * remount, is not told, nor is a renamed mountpoint. */
#ifndef MOUNTCORE_WATCH_H
#define MOUNTCORE_WATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/busy.h"
#include "mountcore/core.h"
#include "mountcore/decls.h"

MC_DECLS_BEGIN

struct mc_watch;

/* A set: a mount that was moved came and went. */
enum mc_watch_what {
	MC_WATCH_CAME = 1,
	MC_WATCH_WENT = 2,
	MC_WATCH_LOST = 4, /* events were lost here: look at all namespaces */
};

struct mc_watch_event {
	unsigned what;                 /* enum mc_watch_what */
	pid_t pid;                     /* of the process that did it, as our procfs numbers it; 0:
					* it is in no PID namespace of ours */
	uint64_t mount_id;             /* unique on the machine; 0 with MC_WATCH_LOST */
	char command[MC_COMMAND_SIZE]; /* /proc/PID/comm; "" if the process has ended already */
	uint64_t reserved[2];          /* 0 */
};

/* Watch no namespace yet.  A watch costs one of the user's fs.fanotify.max_user_groups (128).
 * Returns 0; -EINVAL, -ENOSYS or -EPERM where the kernel or a filter has it not, as
 * MC_FEATURE_MOUNT_WATCH tells; -EMFILE (too many groups or descriptors), -ENOMEM.  The caller
 * closes `ret` with mc_watch_close(), before the core.
 * Source: fanotify_init(2), FAN_REPORT_MNT. */
int mc_watch_open(const struct mc_core *core, struct mc_watch **ret)
	__attribute__((nonnull, warn_unused_result));

/* Readable (poll(2)) while there is something to read.  Borrowed. */
int mc_watch_fd(const struct mc_watch *watch) __attribute__((nonnull));

/* Watch the mount namespace `ns_fd` as well; again is no error.  It is not kept alive: when its
 * last process ends, the unmount of all its mounts is told, and it is watched no longer.
 * Returns 0; -ENOSPC, -ENOMEM (too many marks), -EPERM (no CAP_SYS_ADMIN in its user namespace),
 * -EINVAL (no mount namespace).  Any thread.
 * Source: fanotify_mark(2), FAN_MARK_MNTNS. */
int mc_watch_add(const struct mc_watch *watch, int ns_fd)
	__attribute__((nonnull, warn_unused_result));

/* Watch it no longer.  Returns 0, or -ENOENT: it was not watched.  Any thread. */
int mc_watch_remove(const struct mc_watch *watch, int ns_fd) __attribute__((nonnull));

/* Take at most `size` events, oldest first, without waiting for any.  An event is there when the
 * system call that made it returns.  The kernel keeps 16384 (fs.fanotify.max_queued_events), and
 * puts MC_WATCH_LOST in place of more.
 * Returns how many, or -EINVAL if `size` is 0.  One thread at a time. */
int mc_watch_read(const struct mc_watch *watch, struct mc_watch_event *ret, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* NULL is ignored. */
void mc_watch_close(struct mc_watch *watch);

MC_DECLS_END

#endif
