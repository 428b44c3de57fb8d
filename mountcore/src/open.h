/* SPDX-License-Identifier: Apache-2.0 */
/* openat2(2) on all kernels. */
#ifndef MOUNTCORE_SRC_OPEN_H
#define MOUNTCORE_SRC_OPEN_H

#include <limits.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <stdint.h>

struct mc_core;

/* How a path that a user named is resolved: no way out of the root, no magic link. */
#define MC_RESOLVE_USER ((uint64_t)(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS))
/* A path that we found out ourselves: no symlink either. */
#define MC_RESOLVE_KNOWN (MC_RESOLVE_USER | RESOLVE_NO_SYMLINKS)

/* Open what `path` is in `dirfd` as openat2 does with O_PATH | `flags` (O_NOFOLLOW, O_DIRECTORY)
 * and `resolve`, also on kernels that do not have it.  -EAGAIN with RESOLVE_CACHED only: a file
 * system might have to be asked. */
int mc_open(const struct mc_core *core, int dirfd, const char *path, int flags, uint64_t resolve);

/* Of a walk by hand: put `text`, `length` bytes of a symlink or a path, and a slash in front of
 * what is left to be walked.  Returns 0 or -ENAMETOOLONG. */
int mc_put_before(char rest[static PATH_MAX], const char *text, size_t length);

#endif
