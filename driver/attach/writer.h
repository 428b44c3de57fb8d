/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the container's user could write in a volume. */
#ifndef ATTACH_WRITER_H
#define ATTACH_WRITER_H

#include "mount_op.h"

/* A sentence if the user of the container's first process could not write in the directory that was
 * prepared, by owner and mode, with the owner that would help; NULL if it can, or nobody knows.
 * Access control lists and capabilities of a user other than root are not looked at.  Owned by the
 * caller. */
char *hv_mount_op_describe_writer(const struct hv_mount_op *attempt);

#endif
