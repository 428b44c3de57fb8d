/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a volume that is a file system (options type, device and o), before it is mounted.
 */
#ifndef VOLUME_FS_CHECK_H
#define VOLUME_FS_CHECK_H

#include "volume/volume.h"

#include "options.h"

/* Whether a new file system can be: the paths in its options exist on the host, and may be volumes.
 * Returns HV_OK, HV_BAD_REQUEST, HV_SOURCE_MISSING, HV_SOURCE_REFUSED, HV_TIMEOUT. */
enum hv_code hv_fs_check(struct hv_volumes *volumes, const char *name,
	const struct hv_volume_options *options, struct hv_error *err);

/* Whether options uid, gid and mode are left out, as they must be in another name (`from`) for a
 * volume that is a file system: its directory is mounted only while it is used.
 * Returns HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_fs_check_owner(
	const char *name, const char *from, const struct mc_owner *owner, struct hv_error *err);

#endif
