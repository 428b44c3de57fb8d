/* SPDX-License-Identifier: Apache-2.0 */
/* Paths on the host: the directories that are attached. */
#ifndef MOUNTCORE_HOST_H
#define MOUNTCORE_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mountcore/attach.h"
#include "mountcore/core.h"

/* Resolve `path` (absolute, any symlinks in it) on the host to the path of a directory that has no
 * symlink in it.  Works under the helper's deadline: a path may lead to a server that does not
 * answer.
 * Returns 0, -EINVAL (not absolute), -ENOENT (and then `ret` is what it would be if the missing
 * directories were made, and `ret_missing`, which may be NULL, is how many those are), -ENOTDIR,
 * -ELOOP, -ETIMEDOUT.  Step MC_STEP_SOURCE or MC_STEP_HELPER.
 * Source: openat2(2).  Any thread. */
int mc_host_resolve(struct mc_core *core, const char *path, char ret[static PATH_MAX],
	unsigned *ret_missing, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* The same, but creates missing directories, 0755, and lists them in `ret_made` (may be NULL),
 * outermost first.  `is_known`: the path had no symlink in it; a symlink by now is refused (-ELOOP)
 * before anything is created.  Also returns the error of mkdir(2), step MC_STEP_MKDIR.
 * On failure deletes the new directories as mc_host_unmake() does. */
int mc_host_make(struct mc_core *core, const char *path, bool is_known, char ret[static PATH_MAX],
	struct mc_made *ret_made, struct mc_err *err)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Remove what mc_host_make() made for `path`, as it gave it in `ret`, if it is still empty and no
 * other mount namespace has something mounted on it.  An inode number of 0 in `made` is not known,
 * and matches all. */
void mc_host_unmake(struct mc_core *core, const char *path, const struct mc_made *made)
	__attribute__((nonnull));

/* Owner and mode of a directory; -1: unchanged. */
struct mc_owner {
	int64_t uid;
	int64_t gid;
	int mode; /* permission bits, 07777 */
};

/* Set owner and mode of the directory `path` (clean, no symlink in it) on the host, where they
 * differ.  Returns 0, -ENOENT, -ENOTDIR, -ELOOP (it has a symlink in it by now) with step
 * MC_STEP_SOURCE, or the error of fchown(2) or fchmod(2) with MC_STEP_OWNER; -ETIMEDOUT. */
int mc_host_own(struct mc_core *core, const char *path, const struct mc_owner *owner,
	struct mc_err *err) __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Read owner and mode of `path` (clean, no symlink in it) on the host.
 * Returns 0, -ENOENT, -ENOTDIR, -ELOOP or the error of fstat(2), with step MC_STEP_SOURCE;
 * -ETIMEDOUT.  Source: stat(2). */
int mc_host_owner(struct mc_core *core, const char *path, struct mc_owner *ret, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Whether `path` (clean, no symlink in it) on the host is on another mount than the root directory:
 * a mountpoint, or below one.  Returns 1, 0, or the error of reading the mount table.
 * Source: proc(5), mountinfo. */
int mc_host_is_on_mount(struct mc_core *core, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Whether process `pid` sees the same as we do at `path` (clean, no symlink in it): it is in our
 * mount namespace, or the mount there has propagated to its own.
 * Returns 1, 0, or an error: -ESRCH or -ENOENT (there is no such process), -EACCES.
 * Source: proc(5), /proc/PID/root; namespaces(7).  Any thread but a worker. */
int mc_host_is_seen(struct mc_core *core, pid_t pid, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Open `path` on the host with O_PATH, symlinks followed inside the host's root only.
 * For a file system that is always there (a socket below /run); may block on a network one.
 * Returns a descriptor or a negative errno.  Source: openat2(2). */
int mc_host_open(const struct mc_core *core, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Open the host's mount table, as mc_mountinfo_open() does. */
int mc_host_mountinfo_open(struct mc_core *core, struct mc_err *err)
	__attribute__((nonnull(1), warn_unused_result));

/* Whether reaching `path` (clean, no symlink) on the host passes a file system whose server may
 * never answer: FUSE, NFS, CIFS, 9p, Ceph and the like, or an overlay of one of them.  Asked of the
 * host's mount table, which is cached until the kernel says that it changed.  Source: proc(5),
 * mountinfo is pollable. */
bool mc_host_is_slow(struct mc_core *core, const char *path) __attribute__((nonnull));

/* Whether `path` itself is on such a file system, whatever is above it. */
bool mc_host_is_remote(struct mc_core *core, const char *path) __attribute__((nonnull));

/* How many helpers were killed past their deadline and have not ended: each waits for a file system
 * or a server that does not answer.  Any thread. */
unsigned mc_host_stuck(struct mc_core *core) __attribute__((nonnull));

#endif
