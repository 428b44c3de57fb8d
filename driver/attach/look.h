/* SPDX-License-Identifier: Apache-2.0 */
/* Look at a container with the kernel alone. */
#ifndef ATTACH_LOOK_H
#define ATTACH_LOOK_H

#include "observe.h"

/* Update a finished record from the kernel, on disk too.  `sight`: as for
 * hv_attachment_refresh_in(). */
enum hv_code hv_record_look(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_repaired *ret, struct hv_error *err);

#endif
