/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute paths as text: no file system is asked. */
#ifndef MOUNTCORE_PATH_H
#define MOUNTCORE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "mountcore/decls.h"

MC_DECLS_BEGIN

/* Clean an absolute path: one slash between components, no "." and "..", no slash at the end.
 * `ret` has room for `size` bytes.  Returns 0, -EINVAL (empty or relative), -ENAMETOOLONG.
 * Source: path_resolution(7).  ".." is taken as text: no symlink is followed. */
int mc_path_clean(const char *path, char *ret, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* Whether `path` is `top` or below it.  Both clean. */
bool mc_path_is_below(const char *path, const char *top) __attribute__((nonnull));

/* Whether nothing may be mounted at `path` (clean, as seen in the container): the root itself, and
 * /proc, /sys, /dev with all below, which the runtime's security rests on. */
bool mc_path_is_refused(const char *path) __attribute__((nonnull));

MC_DECLS_END

#endif
