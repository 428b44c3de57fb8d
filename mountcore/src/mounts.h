/* Functions on mount tables for several files of the library. */
#ifndef MOUNTCORE_SRC_MOUNTS_H
#define MOUNTCORE_SRC_MOUNTS_H

#include <limits.h>

#include "mountcore/mounts.h"

/* The part of the file system of `mount` that is at `path`, at or below its mountpoint.
 * Returns 0 or -ENAMETOOLONG. */
int mc_mount_part(const struct mc_mount *mount, const char *path, char ret[static PATH_MAX]);

#endif
