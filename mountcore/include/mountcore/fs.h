/* SPDX-License-Identifier: Apache-2.0 */
/* File systems mounted on the host while they are used: as `mount -t TYPE -o OPTIONS DEVICE` does,
 * but without its helper programs. */
#ifndef MOUNTCORE_FS_H
#define MOUNTCORE_FS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "mountcore/core.h"

enum { MC_FS_TYPE_SIZE = 64, MC_FS_DATA_SIZE = 4096, MC_FS_OPTION_SIZE = 64 };

struct mc_fs {
	char type[MC_FS_TYPE_SIZE];
	char device[PATH_MAX];
	unsigned long flags;        /* MS_* of mount(2) */
	char data[MC_FS_DATA_SIZE]; /* the options that are the file system's own */
};

/* Read an option string: split at commas, of which no quote and no backslash hides one.  The words
 * without a value that mount(8) knows are flags; all else is the file system's own, as it is, in
 * its order.  Options that say nothing to the kernel (defaults, auto, noauto, nofail,
 * _netdev, loop) are left out.
 * Returns 0; -ENAMETOOLONG: a part is too long; -EINVAL: an option makes no sense here (remount,
 * bind, a propagation, user, X-…), and `refused` is which.
 * Source: mount(8), libmount's option maps; parseOptions() of github.com/moby/sys/mount. */
int mc_fs_read(const char *type, const char *device, const char *options, struct mc_fs *ret,
	char refused[static MC_FS_OPTION_SIZE]) __attribute__((nonnull, warn_unused_result));

/* Mount `fs` on the directory `path` (clean, no symlink in it) of the host, unless something is
 * mounted there.  A regular file as device (its path absolute) is mounted by the loop device that
 * it has, so that all its mounts are of one file system; or by a new one, which goes with the last
 * mount.  Works under mount_timeout_ms of core.h.
 * Returns 1 if it was mounted, 0 if something was; else step MC_STEP_FS with what mount(2) gave:
 * -ENODEV (the kernel has no such type), -ENOENT (device), -ENOTBLK, -EINVAL …; -EBUSY: the device
 * is in use, read-only against writable; MC_STEP_SOURCE for the directory.  -ETIMEDOUT with
 * MC_STEP_HELPER: it may be mounted later, where the directory is still the same.
 * Source: mount(2), loop(4). */
int mc_host_mount(struct mc_core *core, const struct mc_fs *fs, const char *path,
	struct mc_err *err) __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Whether `path` (clean) is a mountpoint on the host.  Returns 1, 0, or the error of reading the
 * mount table.  Source: proc(5), mountinfo. */
int mc_host_is_mounted(struct mc_core *core, const char *path, struct mc_err *err)
	__attribute__((nonnull(1, 2), warn_unused_result));

/* Unmount lazily the mount that mc_host_mount() made at `path`: a mount of the file system that
 * mount(2) makes of `type` and `device` (struct mc_fs).  Any other mount stays, with all below it.
 * Succeeds if nothing is mounted.  A device under another name in the mount table (a symlink's
 * target, an image's loop device) is examined.  Works under mount_timeout_ms of core.h.  Returns 0,
 * or
 *   step IDENTITY  -ESTALE: something else is mounted there, or on top of ours
 *   step UMOUNT    the error of umount2(2)
 *   step HELPER    -ETIMEDOUT
 * umount2(2) takes a path: after the last look at the mount table, a process that may mount on the
 * host can still put another mount there, which goes instead.
 * Source: proc(5), mountinfo; umount2(2), loop(4). */
int mc_host_unmount(struct mc_core *core, const char *type, const char *device, const char *path,
	struct mc_err *err) __attribute__((nonnull(1, 2, 3, 4), warn_unused_result));

/* Resolve `path` (absolute, any symlinks in it) on the host: its path without a symlink and its
 * type, as in stat(2)'s st_mode.  Under the helper's deadline.
 * Returns 0, -ENOENT, -ENOTDIR, -ELOOP, -ETIMEDOUT …  Step MC_STEP_SOURCE or MC_STEP_HELPER. */
int mc_host_find(struct mc_core *core, const char *path, char ret[static PATH_MAX],
	mode_t *ret_mode, struct mc_err *err)
	__attribute__((nonnull(1, 2, 3, 4), warn_unused_result));

#endif
