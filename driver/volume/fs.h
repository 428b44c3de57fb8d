/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that are file systems (options type, device and o): mounted on the host at the volume's
 * directory while Docker or an attachment uses them (in_use.c). */
#ifndef VOLUME_FS_H
#define VOLUME_FS_H

#include "mountcore/err.h"
#include "volume/volume.h"

/* Mount a file system that is not mounted.  Returns HV_OK, or a code of hv_fs_check(),
 * hv_fs_resolve() or hv_fs_explain(). */
enum hv_code hv_fs_mount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Fill `err` from what failed when it was mounted, or was about to be.  Returns the code. */
enum hv_code hv_fs_explain(
	const struct mc_err *cause, const struct hv_volume *volume, struct hv_error *err);

/* Unmount, lazily, the file system that was mounted for the volume, and nothing else. */
int hv_fs_take_out(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct mc_err *ret_cause);

/* Unmount it, used or not. */
enum hv_code hv_fs_unmount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif
