/* SPDX-License-Identifier: Apache-2.0 */
/* Option on-remove: keep or delete a volume's data when the volume is removed. */
#ifndef VOLUME_PURGE_H
#define VOLUME_PURGE_H

#include "mountcore/mounts.h"
#include "volume/volume.h"

/* Whether a user's directory may be deleted with the volume: nothing is mounted there, nothing else
 * is in it or above it, and it is on the device that it was made on.  Returns HV_OK, also when it
 * is not to be; HV_SOURCE_REFUSED, HV_VOLUME_IN_USE …  `host`: as of hv_table_read_host(). */
enum hv_code hv_purge_check(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err);

/* The same of a directory of hostvol's own, with all of volumes/NAME: nothing is mounted there but
 * the volume's own file system. */
enum hv_code hv_purge_check_own(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err);

/* Delete a user's directory that hostvol made, by descriptor, if it still is that one.  Gone, or
 * another one in its place, is fine.  Returns 0 or a negative errno; -ETIME: there is so much in it
 * that Docker would not wait for the end. */
int hv_purge(struct hv_volumes *volumes, const struct hv_volume *volume);

#endif
