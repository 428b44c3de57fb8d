/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that are made in a source for a subpath. */
#ifndef ATTACH_SUBPATH_H
#define ATTACH_SUBPATH_H

#include "mount_op.h"

/* Whether the request has what is missing of its subpath made. */
bool hv_mount_op_wants_subpath(const struct hv_mount_op *attempt);

/* Whether something of the source or of its subpath is missing that the attach would make first;
 * for a check. */
bool hv_mount_op_lacks_source(const struct hv_mount_op *attempt);

/* Make what is missing of the subpath, with the owner and the mode of the volume's directory.  The
 * volume is in use.  Returns HV_OK, also if nothing can be made: then the attach explains that. */
enum hv_code hv_mount_op_make_subpath(struct hv_mount_op *attempt, struct hv_error *err);

/* The attach failed: remove these directories, if they are empty. */
void hv_mount_op_unmake_subpath(struct hv_mount_op *attempt);

#endif
