/* SPDX-License-Identifier: Apache-2.0 */
/* Where volumes are mounted for Docker; hv_volume_mountpoint() is in volume/volume.h. */
#ifndef VOLUME_SRC_MOUNTPOINT_H
#define VOLUME_SRC_MOUNTPOINT_H

#include "volume/volume.h"

/* Open the directory that volumes are mounted in for Docker (O_PATH).  Returns a descriptor or a
 * negative errno. */
int hv_mount_root_dir(const struct hv_volumes *volumes);

#endif
