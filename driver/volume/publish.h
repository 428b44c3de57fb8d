/* SPDX-License-Identifier: Apache-2.0 */
/* The mount of a volume for Docker; hv_volume_mount() and hv_volume_unmount() are in
 * volume/volume.h. */
#ifndef VOLUME_PUBLISH_H
#define VOLUME_PUBLISH_H

#include "volume/volume.h"

/* Take the mount for Docker out, lazily, with its mountpoint.  HV_OK if there is none. */
enum hv_code hv_volume_unpublish(
	struct hv_volumes *volumes, const char *name, struct hv_error *err);

#endif
