/* Paths on the host: the directories that are attached. */
#ifndef MOUNTCORE_HOST_H
#define MOUNTCORE_HOST_H

#include <limits.h>
#include <stdbool.h>

#include "mountcore/core.h"

/* Resolve `path` (absolute, any symlinks in it) on the host to the path of a directory that has no
 * symlink in it.  With `mkdir` the directories that are missing are made, 0755.
 * Works under the helper's deadline: a path may lead to a server that does not answer.
 * Returns 0, -EINVAL (not absolute), -ENOENT, -ENOTDIR, -ELOOP, -ETIMEDOUT; with mkdir also what
 * mkdir(2) gives, and then nothing it made remains.  Step MC_STEP_SOURCE or MC_STEP_MKDIR.
 * Source: openat2(2).  Any thread. */
int mc_host_resolve(struct mc_core *core, const char *path, bool mkdir, char ret[static PATH_MAX],
	struct mc_err *err) __attribute__((nonnull(1, 2, 4), warn_unused_result));

/* Open `path` on the host with O_PATH, symlinks followed inside the host's root only.
 * For a file system that is always there (a socket below /run); may block on a network one.
 * Returns a descriptor or a negative errno.  Source: openat2(2). */
int mc_host_open(const struct mc_core *core, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Whether reaching `path` (clean, no symlink) on the host passes a file system whose server may
 * never answer: FUSE, NFS, CIFS, 9p, Ceph and the like.  Asked of the host's mount table, which is
 * cached until the kernel says that it changed.  Source: proc(5), mountinfo is pollable. */
bool mc_host_is_slow(struct mc_core *core, const char *path) __attribute__((nonnull));

#endif
