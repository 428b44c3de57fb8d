/* SPDX-License-Identifier: Apache-2.0 */
/* Attach again, to a later start. */
#ifndef ATTACH_AGAIN_H
#define ATTACH_AGAIN_H

#include "mount.h"

/* How an attachment is made again. */
struct hv_again {
	/* The records of the container, or NULL: none of them is at or below the target. */
	const struct hv_records *siblings;
	hv_mount_fn *mount; /* makes the mount */
	bool is_back;       /* it was taken out only for a moment: how late it was stays */
};

/* Attach what a record wants to the container that runs, whose lock is held (reattach.c).  The
 * record says what came of it; when it failed that is "pending", with the reason. */
enum hv_code hv_reattach(struct hv_attacher *attacher, const struct hv_target *target,
	const struct hv_again *how, struct hv_record *record, struct hv_error *err);

#endif
