/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of every mount namespace of this machine.
 *
 * rmdir(2) and unlink(2) of a directory or file that is a mountpoint in another mount namespace
 * succeed, and take those mounts out without a word; data is deleted under mounts that nobody here
 * knows of.  So both are asked of the kernel first.
 *
 * A place in a file system is told as mountinfo tells it (column 3, and a path inside the file
 * system), never by stat: on btrfs the two have different device numbers.
 * Left out: a namespace that comes while this looks; a namespace that no process is in (a bind of
 * /proc/PID/ns/mnt, a descriptor) or only a thread, in mc_spot_find_user(), which is to name a
 * process, and before Linux 6.11, which lists them. */
#ifndef MOUNTCORE_NAMESPACES_H
#define MOUNTCORE_NAMESPACES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/busy.h"
#include "mountcore/core.h"
#include "mountcore/mounts.h"

/* A file or directory, by the file system that it is in. */
struct mc_spot {
	uint64_t dev;        /* makedev(), of mountinfo's column 3 */
	char path[PATH_MAX]; /* in that file system; "/" is its root */
};

/* Where `path` (clean, no symlink in it) of a mount table is: on the mount that it lies on, or that
 * is mounted there.  Nothing need be at `path`.  Returns 0, -ENOENT or -ENAMETOOLONG. */
int mc_spot_of(struct mc_mounts *mounts, const char *path, struct mc_spot *ret)
	__attribute__((nonnull, warn_unused_result));

/* Whether `spot` is `top` or below it. */
bool mc_spot_is_below(const struct mc_spot *spot, const struct mc_spot *top)
	__attribute__((nonnull));

/* Use of a file system by other namespaces. */
struct mc_spot_others {
	bool has_fs;  /* one of them has a mount of it */
	size_t taken; /* length of the longest part of spot->path that one of them has something
		       * mounted on; 0: none */
};

/* Look for `spot` and the directories above it, in every mount namespace but the one whose inode is
 * `but_ns`.  Returns 0, -ENOMEM, -E2BIG (a mount table of more than 256 MB), -EMFILE, or the error
 * of reading /proc: then nothing is known.  Source: proc_pid_mountinfo(5), namespaces(7),
 * ioctl_nsfs(2).  Any thread but a worker. */
int mc_spot_find_others(struct mc_core *core, const struct mc_spot *spot, uint64_t but_ns,
	struct mc_spot_others *ret) __attribute__((nonnull, warn_unused_result));

/* A process whose mount namespace has a mount. */
struct mc_spot_user {
	pid_t pid; /* as our procfs numbers it: the first one that was found */
	char command[MC_COMMAND_SIZE];
	bool is_host;          /* the namespace is the host's, or our own */
	char target[PATH_MAX]; /* the mountpoint, as the process sees it */
};

/* Find a process whose mount namespace has a mount of `data` or of something in it, or a mount on
 * something in it.  Ignores mounts at the `own_count` places `own` or below, in every namespace.
 * Returns 1, 0 (there is none), or as mc_spot_find_others(). */
int mc_spot_find_user(struct mc_core *core, const struct mc_spot *data, const struct mc_spot *own,
	size_t own_count, struct mc_spot_user *ret)
	__attribute__((nonnull(1, 2, 5), warn_unused_result));

#endif
