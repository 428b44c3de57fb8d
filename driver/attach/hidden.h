/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings of everything that a new mount would hide. */
#ifndef ATTACH_HIDDEN_H
#define ATTACH_HIDDEN_H

#include "mount_op.h"

/* For the prepared mount: a sentence for each process that goes on using files it covers, for the
 * entries of the directory it covers, for each mount below its target that it hides, and for each
 * attachment that is put on top of it (hidden.c), among the warnings of its record.  Anything
 * unknown is left out. */
void hv_mount_op_find_hidden(struct hv_mount_op *attempt);

#endif
