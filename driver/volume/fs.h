/* Volumes that are file systems (options type, device and o): mounted on the host at the volume's
 * directory while Docker or an attachment uses them. */
#ifndef VOLUME_FS_H
#define VOLUME_FS_H

#include "volume/volume.h"

#include "options.h"

/* Whether a new one can be: what its options name on the host is there, and may be a volume.
 * Returns HV_OK, HV_BAD_REQUEST, HV_SOURCE_MISSING, HV_SOURCE_REFUSED, HV_TIMEOUT. */
enum hv_code hv_fs_check(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_error *err);

/* Whether options uid, gid and mode are left out, as they must be in another name (`from`) for a
 * volume that is a file system: its directory is mounted only while it is used.
 * Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_fs_check_owner(
	const char *name, const char *from, const struct mc_owner *owner, struct hv_error *err);

/* Unmount it, used or not. */
enum hv_code hv_fs_unmount(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif
