/* SPDX-License-Identifier: Apache-2.0 */
/* A volume that is just being made, attached or removed, brought to its end. */
#ifndef VOLUME_LIFECYCLE_H
#define VOLUME_LIFECYCLE_H

#include "volume/volume.h"

/* Take back what was begun for a volume that comes to nothing: its directories, if they are empty,
 * and its record. */
enum hv_code hv_volume_undo(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* A volume whose removal was begun is there as before. */
void hv_volume_stay(struct hv_volumes *volumes, const struct hv_volume *volume);

/* Delete the data of a retired volume and forget it. */
enum hv_code hv_volume_finish_remove(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Bring a volume that is in any phase but HV_VOLUME_READY to an end, as one whose request was never
 * answered. */
enum hv_code hv_volume_settle(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err);

/* Finish the removals that were begun of volumes whose data is a directory of the user's. */
void hv_volumes_finish_purges(struct hv_volumes *volumes);

#endif
