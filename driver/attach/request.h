/* SPDX-License-Identifier: Apache-2.0 */
/* A request to attach. */
#ifndef ATTACH_REQUEST_H
#define ATTACH_REQUEST_H

#include "mount_op.h"

/* Check the request and clean its parts.  Returns HV_OK, HV_BAD_REQUEST, HV_TARGET_REFUSED,
 * HV_UNSUPPORTED. */
enum hv_code hv_mount_op_read(struct hv_mount_op *attempt, struct hv_error *err);

#endif
