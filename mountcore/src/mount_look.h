/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOUNTCORE_SRC_MOUNT_LOOK_H
#define MOUNTCORE_SRC_MOUNT_LOOK_H

#include <stdbool.h>

#include "mountcore/mounts.h"

/* Whether the mount is in the namespace under both numbers, with no other mount on it, and no
 * server stands behind it.  False also if that cannot be told from outside (before Linux 6.12). */
bool mc_mount_look_is_plain(
	const struct mc_core *core, int ns_fd, uint64_t mount_id, uint64_t mountinfo_id);

/* Whether a server stands behind it.  True also if that cannot be told. */
bool mc_mount_look_is_slow(int ns_fd, uint64_t mount_id);

/* Whether another mount stands at `path` or below, of those on mount `mount_id` of the namespace
 * and on these.  True also if that cannot be told. */
bool mc_mount_look_has_below(int ns_fd, uint64_t mount_id, const char *path);

#endif
