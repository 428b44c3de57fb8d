/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments below the target of another. */
#ifndef ATTACH_NESTED_H
#define ATTACH_NESTED_H

#include "mount.h"

/* Like hv_mount_op_mount(), but first unmount the attachments of attempt->siblings that it would
 * hide, and then attach them again on top of it.  A failed one is "pending", with the reason, and
 * is tried again. */
enum hv_code hv_nested_mount(struct hv_mount_op *attempt, struct hv_error *err);

#endif
