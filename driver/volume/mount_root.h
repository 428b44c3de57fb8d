/* SPDX-License-Identifier: Apache-2.0 */
/* The proof that the host sees a volume that was mounted for Docker. */
#ifndef VOLUME_SRC_MOUNT_ROOT_H
#define VOLUME_SRC_MOUNT_ROOT_H

#include "volume/volume.h"

/* Release the mount root that hv_mount_root_open() took; none is fine. */
void hv_mount_root_close(struct hv_volumes *volumes);

/* Have the host see the mount root, before anything is mounted in it.  HV_OK or HV_INTERNAL. */
enum hv_code hv_mount_root_ready(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Prove that the host sees the volume at `mountpoint`, or, of a plain daemon, the process that asks
 * for it (0: not known).  HV_OK or HV_INTERNAL: then no container may be started with it. */
enum hv_code hv_mount_root_prove(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *mountpoint, pid_t client, struct hv_error *err);

#endif
