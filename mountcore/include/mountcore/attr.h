/* SPDX-License-Identifier: Apache-2.0 */
/* Mount attributes, in one table that serves the option strings and both mount APIs. */
#ifndef MOUNTCORE_ATTR_H
#define MOUNTCORE_ATTR_H

#include <stddef.h>
#include <stdint.h>

#include "mountcore/decls.h"

MC_DECLS_BEGIN

/* Attributes as mount_setattr(2) takes them.  A type of its own, so that an MS_ value of mount(2)
 * cannot be passed by mistake: the two families use the same bits for different things. */
struct mc_attr {
	uint64_t set;   /* MOUNT_ATTR_* to set */
	uint64_t clear; /* MOUNT_ATTR_* to clear; an atime mode clears MOUNT_ATTR__ATIME */
};

/* Add the attribute called `name` ("ro", "nosuid", "noatime" …) to `attr`.
 * Returns 0, or -EINVAL for a name that is not in the table.
 * Source: mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS.  Any thread. */
int mc_attr_add(struct mc_attr *attr, const char *name)
	__attribute__((nonnull, warn_unused_result));

/* The comma-separated option string of what `attr` sets, "" for nothing.
 * Returns 0, -EINVAL for a bit that is not in the table, -ENOSPC if `size` is too small.
 * Source: mount_setattr(2). */
int mc_attr_format(const struct mc_attr *attr, char *ret, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* `attr` as the flags of mount(2), for kernels without mount_setattr.
 * Returns 0 or -EINVAL for a bit that is not in the table.  Source: mount(2). */
int mc_attr_to_ms(const struct mc_attr *attr, unsigned long *ret_ms)
	__attribute__((nonnull, warn_unused_result));

MC_DECLS_END

#endif
