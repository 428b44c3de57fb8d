/* The mountinfo file of a mount namespace, for parsing or polling. */
#ifndef MOUNTCORE_SRC_MOUNTS_H
#define MOUNTCORE_SRC_MOUNTS_H

#include <limits.h>

#include "mountcore/core.h"
#include "mountcore/mounts.h"

/* Open mountinfo as seen from the namespace `ns_fd` (MC_FD_NONE: our own).  Returns a descriptor.
 */
int mc_mountinfo_open(struct mc_core *core, int ns_fd, struct mc_err *err);

/* The part of the file system of `mount` that is at `path`, at or below its mountpoint.
 * Returns 0 or -ENAMETOOLONG. */
int mc_mount_part(const struct mc_mount *mount, const char *path, char ret[static PATH_MAX]);

#endif
