/* SPDX-License-Identifier: Apache-2.0 */
/* A change of the options of a volume in hand. */
#ifndef VOLUME_SET_H
#define VOLUME_SET_H

#include "volume/volume.h"

/* Record on-remove=keep for a volume of hostvol's own that has data and says nothing about it, with
 * its name held; `volume` has the option then.  Returns HV_OK, also where nothing is to be
 * recorded, or a code of hv_volume_set(). */
enum hv_code hv_volume_keep_data(
	struct hv_volumes *volumes, struct hv_volume *volume, struct hv_error *err);

#endif
