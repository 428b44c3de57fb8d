/* SPDX-License-Identifier: Apache-2.0 */
/* The mount of an attach. */
#ifndef ATTACH_MOUNT_H
#define ATTACH_MOUNT_H

#include "mount_op.h"

/* Prepare the mount.  Nothing is changed. */
enum hv_code hv_mount_op_prepare(struct hv_mount_op *attempt, struct hv_error *err);

/* Make the prepared mount and fill the record.  A failure leaves no mount. */
enum hv_code hv_mount_op_mount(struct hv_mount_op *attempt, struct hv_error *err);

/* Either hv_mount_op_mount() or hv_nested_mount(). */
typedef enum hv_code hv_mount_fn(struct hv_mount_op *attempt, struct hv_error *err);

/* Release the prepared mount: its descriptors would make the mount busy. */
void hv_mount_op_unprepare(struct hv_mount_op *attempt);

#endif
