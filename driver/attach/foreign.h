/* SPDX-License-Identifier: Apache-2.0 */
/* A source of an attachment that is no volume of hostvol. */
#ifndef ATTACH_FOREIGN_H
#define ATTACH_FOREIGN_H

#include "mount_op.h"

/* Borrow the directory of the host at attempt->path. */
enum hv_code hv_mount_op_borrow_path(struct hv_mount_op *attempt, struct hv_error *err);

/* Ask the Engine for the volume of the request, which hostvol does not have (HV_NO_SUCH_VOLUME in
 * `err`), and borrow it.  Returns HV_OK, HV_NO_SUCH_VOLUME (the Engine does not know it
 * either), HV_SOURCE_MISSING (its data is not on the host now), the code of an Engine that does not
 * answer … */
enum hv_code hv_mount_op_borrow_volume(struct hv_mount_op *attempt, struct hv_error *err);

#endif
