/* Volumes that are file systems (options type, device and o): mounted on the host at the volume's
 * directory while Docker or an attachment uses them. */
#ifndef VOLUME_FS_H
#define VOLUME_FS_H

#include "volume/volume.h"

#include "options.h"

/* Unmount it, used or not. */
enum hv_code hv_fs_unmount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif
