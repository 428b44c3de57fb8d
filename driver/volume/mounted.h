/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts at a volume's mountpoint: hostvol's own and others'.
 *
 * Any process that may mount can put a mount on top, also by propagation from the host.  A plugin
 * that was killed comes back in a new mount namespace, with copies that have other IDs.  So a mount
 * is known by the directory that it shows, which is recorded before it is made: it holds that
 * inode, and no other directory can have the number meanwhile.  Of two mounts that show the same,
 * the one on top is another's. */
#ifndef VOLUME_MOUNTED_H
#define VOLUME_MOUNTED_H

#include "mountcore/attach.h"
#include "store/store.h"
#include "volume/volume.h"

/* Whether the mount on top at the mountpoint, which shows `top`, is one of `roots`.  `ret_count`:
 * how many mounts stand there.  HV_OK, HV_TARGET_EXISTS (it is another's), HV_INTERNAL. */
enum hv_code hv_mounted_check(struct hv_volumes *volumes, const char *name,
	const struct hv_mounted_roots *roots, const struct mc_file_id *top, unsigned *ret_count,
	struct hv_error *err);

/* Take hostvol's own out of the mount root `root_fd`, lazily, and its record.  None is fine.
 * Returns HV_OK,
 * HV_TARGET_EXISTS (another's is on top: both stay), HV_STATE_UNREADABLE, or the code of a
 * failed unmount. */
enum hv_code hv_mounted_take_out(
	struct hv_volumes *volumes, const char *name, int root_fd, struct hv_error *err);

/* Delete the record of hostvol's own where none is mounted, not to take another's mount that comes
 * later for one of them.  Returns HV_OK or HV_STATE_UNREADABLE. */
enum hv_code hv_mounted_forget(struct hv_volumes *volumes, const char *name, struct hv_error *err);

/* Whether something is mounted on top of one of hostvol's own.  HV_OK or HV_TARGET_EXISTS. */
enum hv_code hv_mounted_tell(struct hv_volumes *volumes, struct hv_error *err);

#endif
