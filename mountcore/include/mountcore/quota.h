/* A limit to what a directory may hold: a project quota of XFS or ext4. */
#ifndef MOUNTCORE_QUOTA_H
#define MOUNTCORE_QUOTA_H

#include <stdint.h>

#include "mountcore/core.h"

/* Limit what the directory `path` (clean, no symlink in it) on the host holds, all below it
 * included, to `bytes`, rounded up to 1 KiB; 0 takes the limit away.  The directory is given a
 * project ID that nobody uses, unless it has one of ours: what is in it before that is not counted,
 * so it should be empty.
 * Returns 0, or step MC_STEP_QUOTA
 *   -EOPNOTSUPP  the file system has no project quota, or does not enforce it
 *   -EEXIST      it belongs to a project of somebody else's
 *   -ENOSPC      no project ID is free
 * and for 0 `bytes` also 0 when there is none to take away.  MC_STEP_SOURCE for the directory,
 * MC_STEP_HELPER with -ETIMEDOUT.
 * Source: quotactl(2), ioctl_xfs_fssetxattr, XFS's and ext4's mount option prjquota. */
int mc_host_limit(struct mc_core *core, const char *path, uint64_t bytes, struct mc_err *err)
	__attribute__((nonnull(1, 2), warn_unused_result));

#endif
