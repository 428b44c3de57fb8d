/* SPDX-License-Identifier: Apache-2.0 */
/* The attachments already recorded at a target. */
#ifndef ATTACH_RECORDED_H
#define ATTACH_RECORDED_H

#include "mount_op.h"

/* Check the attachments already recorded at the target (conflict.c): is one the same, is one in the
 * way, or is one only a memory, which the new one is to replace?  HV_OK: go on, unless
 * attempt->is_there: then it was asked for before, and is in `ret`. */
enum hv_code hv_mount_op_check_recorded(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err);

/* The same for the place that the target's symlinks lead to, once the mount is prepared; and
 * whether the one to be replaced is still on top. */
enum hv_code hv_mount_op_check_resolved(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err);

#endif
