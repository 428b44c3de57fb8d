/* SPDX-License-Identifier: Apache-2.0 */
/* The mount root: the directory of our own mount namespace whose mounts the host is to see (a
 * managed plugin's propagated mount).
 *
 * The mount that the Engine makes for it can be missing on the host: dockerd takes it out if a
 * plugin is started while it still cleans up behind the one before.  Therefore a small tmpfs of our
 * own is mounted on top.  The directories that volumes are mounted on are in that and nowhere else:
 * where the host does not see it, there is no directory that a container could get in place of its
 * volume.  And it can be proven, and mended: the host has this tmpfs, or it is given it.
 *
 * Any thread but a worker, for all functions. */
#ifndef MOUNTCORE_MOUNT_ROOT_H
#define MOUNTCORE_MOUNT_ROOT_H

#include <stdbool.h>

#include "mountcore/core.h"

struct mc_mount_root;

/* Make `path` (absolute, no symlink in it) of our own namespace the mount root: mount the tmpfs on
 * it, unless an earlier process's is there.  Unmounts other mounts below `path`.  Changes the host
 * only by propagation from there.
 * Returns 0 with `ret`, to be closed by the caller; -ENOENT, -ENOMEM, or the error of mount(2).
 * Step MC_STEP_SETUP.
 * Source: mount_namespaces(7), Docker's "propagatedMount". */
int mc_mount_root_open(struct mc_core *core, const char *path, struct mc_mount_root **ret,
	struct mc_err *err) __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* NULL is ignored.  The mounts stay. */
void mc_mount_root_close(struct mc_mount_root *root);

/* Open the directory that volumes are mounted in (O_PATH); mount it again if it is gone.
 * Returns a descriptor, which the caller closes, -ESTALE (it was unmounted again at once), or the
 * error of mount(2) or openat(2). */
int mc_mount_root_dir(struct mc_mount_root *root) __attribute__((nonnull, warn_unused_result));

/* Whether the host sees the mount root and, unless `name` is NULL, a mount at `name` in it.  Looks
 * it up as the Engine will; with `is_slow` (the server of that mount may not answer) in the host's
 * mount table.
 * Returns 0, -ENOENT (it does not), or the error of looking.  Source: openat2(2), statx(2),
 * proc(5). */
int mc_mount_root_check(struct mc_mount_root *root, const char *name, bool is_slow)
	__attribute__((nonnull(1), warn_unused_result));

/* Have the host see the mount root, with the mount at `name`, as mc_mount_root_check() checks it.
 * If it does not, put a clone of the mount root at its place on the host: in the same peer group,
 * so it shows present and later mounts.  Mountpoints without a mount are deleted first.
 * Returns 0, -ENOENT (that place is not known, or it was unmounted at once), -ENOSYS (no
 * open_tree), or the error of open_tree(2), setns(2) or move_mount(2).
 * Source: mount_namespaces(7). */
int mc_mount_root_heal(struct mc_mount_root *root, const char *name, bool is_slow)
	__attribute__((nonnull(1), warn_unused_result));

/* Where it is on the host; "" if that is not known.  Borrowed. */
const char *mc_mount_root_place(const struct mc_mount_root *root) __attribute__((nonnull));

/* The directory below the tmpfs, the Engine's own, borrowed, open for reading; MC_FD_NONE if the
 * tmpfs was there before.  Its content was written while the host did not see the volumes. */
int mc_mount_root_below(const struct mc_mount_root *root) __attribute__((nonnull));

#endif
