/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on mount tables for several files of the library. */
#ifndef MOUNTCORE_SRC_MOUNTS_H
#define MOUNTCORE_SRC_MOUNTS_H

#include <limits.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"

/* The mount on top at `target`.  Returns 0 or -ENOENT. */
int mc_mounts_find_top(struct mc_mounts *mounts, const char *target, struct mc_mount *ret);

/* The mount on top of `mount`, on its very root.  Returns 0 or -ENOENT. */
int mc_mounts_find_on_root(
	struct mc_mounts *mounts, const struct mc_mount *mount, struct mc_mount *ret);

/* Take the mount on top of all that are on the root of `mount`, one on the other. */
void mc_mounts_climb(struct mc_mounts *mounts, struct mc_mount *mount);

/* The part of the file system of `mount` that is at `path`, at or below its mountpoint.
 * Returns 0 or -ENAMETOOLONG. */
int mc_mount_part(const struct mc_mount *mount, const char *path, char ret[static PATH_MAX]);

#endif
