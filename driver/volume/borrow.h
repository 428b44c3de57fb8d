/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes that exist for attachments only. */
#ifndef VOLUME_BORROW_H
#define VOLUME_BORROW_H

#include "volume/volume.h"

/* The name of a borrowed volume, which is held, is to be that of a volume of hostvol: forget the
 * borrowed one, or refuse while it is attached.  Returns HV_OK, HV_VOLUME_EXISTS … */
enum hv_code hv_borrowed_clear(
	struct hv_volumes *volumes, const struct hv_volume *borrowed, struct hv_error *err);

#endif
