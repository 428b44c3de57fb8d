/* SPDX-License-Identifier: Apache-2.0 */
/* The present source of an attachment that follows its path. */
#ifndef ATTACH_PRESENT_H
#define ATTACH_PRESENT_H

#include "mount_op.h"

/* Whether the attachment of a request follows its path; if it does, find the source there. */
enum hv_code hv_mount_op_decide_follow(struct hv_mount_op *attempt, struct hv_error *err);

/* Have the volume and the record of an attempt name the source as its path leads now, if the record
 * follows that.  Returns as hv_volume_follow(). */
enum hv_code hv_mount_op_find_present(struct hv_mount_op *attempt, struct hv_error *err);

#endif
