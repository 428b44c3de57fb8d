/* SPDX-License-Identifier: Apache-2.0 */
/* Restore the wanted attachments of a container. */
#ifndef ATTACH_REPAIR_H
#define ATTACH_REPAIR_H

#include "container.h"

/* Attach all wanted attachments to a container whose start is held, and refuse the start if a
 * required one is missing (repair.c).  Returns as hv_attachments_start(). */
enum hv_code hv_target_repair(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_repaired *ret, struct hv_error *err);

#endif
