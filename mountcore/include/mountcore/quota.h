/* SPDX-License-Identifier: Apache-2.0 */
/* A limit to what a directory may hold: a project quota of XFS or ext4. */
#ifndef MOUNTCORE_QUOTA_H
#define MOUNTCORE_QUOTA_H

#include <stdint.h>

#include "mountcore/core.h"

/* Limit the content of the directory `path` (clean, no symlink in it) on the host, all below it
 * included, to `bytes`, rounded up to 1 KiB; 0 removes the limit.  The directory gets a project ID
 * that nobody uses, unless it has one of ours.  Earlier content is not counted, so the directory
 * should be empty.
 * Returns 0, or step MC_STEP_QUOTA
 *   -EOPNOTSUPP  the file system has no project quota, or does not enforce it
 *   -EEXIST      it belongs to a foreign project
 *   -ENOSPC      no project ID is free
 * and for 0 `bytes` also 0 if there is no limit to remove.  MC_STEP_SOURCE for the directory,
 * MC_STEP_HELPER with -ETIMEDOUT.
 * Source: quotactl(2), ioctl_xfs_fssetxattr, XFS's and ext4's mount option prjquota. */
int mc_host_limit(struct mc_core *core, const char *path, uint64_t bytes, struct mc_err *err)
	__attribute__((nonnull(1, 2), warn_unused_result));

#endif
