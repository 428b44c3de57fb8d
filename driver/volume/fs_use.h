/* SPDX-License-Identifier: Apache-2.0 */
/* File systems in hand: mounted on the host while somebody has them, and no longer. */
#ifndef VOLUME_FS_USE_H
#define VOLUME_FS_USE_H

#include "volume/volume.h"

/* Mount the volume's file system, if it is not mounted, and take it in hand: it stays mounted until
 * hv_fs_release().  Returns what hv_fs_mount() and hv_volume_own() give; `ret` is in hand with
 * HV_OK only. */
enum hv_code hv_fs_acquire(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct hv_volume_ref *ret, struct hv_error *err);

/* Release it, and unmount it if nobody uses it. */
void hv_fs_release(struct hv_volume_ref *use);

/* Whether anybody has it in hand or on record.  In doubt it is used.  The answer lasts while the
 * source is held (hv_volumes.fs_locks). */
bool hv_fs_is_used(struct hv_volumes *volumes, const char *source);

/* Unmount the volume's file system if nobody uses it. */
void hv_fs_unused(struct hv_volumes *volumes, const struct hv_volume *volume);

#endif
