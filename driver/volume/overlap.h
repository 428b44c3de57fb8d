/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that are deleted with a volume (on-remove=purge), and other volumes that use them: by
 * name, by another mount of the directory, as an image or a layer of an overlay. */
#ifndef VOLUME_OVERLAP_H
#define VOLUME_OVERLAP_H

#include "mountcore/mounts.h"
#include "volume/volume.h"

/* Find a volume, be it one that is just being made, that has something of `volume`'s directory.
 * `host`: as of hv_table_read_host().  `ret_name`: its name, owned by the caller, or NULL.
 * Returns HV_OK or HV_STATE_UNREADABLE … */
enum hv_code hv_overlap_find(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, char **ret_name, struct hv_error *err);

/* Whether `path` is free of what is just being deleted.  HV_OK or HV_SOURCE_REFUSED. */
enum hv_code hv_overlap_check_path(
	struct hv_volumes *volumes, const char *path, struct hv_error *err);

/* The same of all that a volume has. */
enum hv_code hv_overlap_check(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

#endif
