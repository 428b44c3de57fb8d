/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of the host that a file system is mounted from, by its options type, device and o. */
#ifndef VOLUME_FS_SOURCE_H
#define VOLUME_FS_SOURCE_H

#include "options.h"

/* Call `visit` for each path of the host that it is mounted from, as it is written: its device, or
 * the layers of an overlay (`key`: the option, "device" or "o"), until it returns another than
 * HV_OK. */
typedef enum hv_code (*hv_fs_visit)(
	void *context, const char *key, const char *path, struct hv_error *err);
enum hv_code hv_fs_each_path(const struct hv_volume_options *options, hv_fs_visit visit,
	void *context, struct hv_error *err);

#endif
