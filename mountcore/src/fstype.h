/* SPDX-License-Identifier: Apache-2.0 */
/* File systems with a server: a look-up of a name on them may wait for ever. */
#ifndef MOUNTCORE_SRC_FSTYPE_H
#define MOUNTCORE_SRC_FSTYPE_H

#include <stdbool.h>
#include <stdint.h>

/* `fstype` as mountinfo has it ("fuse.sshfs"), `magic` as statfs(2) and statmount(2) have it. */
bool mc_fstype_is_slow(const char *fstype);
bool mc_magic_is_slow(uint64_t magic);

/* Whether a look-up that ends on the root of such a mount can be left to the kernel's cache
 * (RESOLVE_CACHED).  9p asks its server about the root all the same (d_weak_revalidate); NFS does
 * not for a directory, and the others have no such call. */
bool mc_fstype_is_cached(const char *fstype);

/* FUSE, whose server AT_STATX_FORCE_SYNC always asks (fuse_update_get_attr()). */
bool mc_fstype_is_fuse(const char *fstype);

#endif
