/* SPDX-License-Identifier: Apache-2.0 */
/* Starts that are refused for what they lack. */
#ifndef ATTACH_REFUSE_H
#define ATTACH_REFUSE_H

#include "mountcore/ns.h"

#include "siblings.h"

/* The start of a container that lacks something required was denied, the hold of `hold_ms` being
 * over: note it. */
enum hv_code hv_start_note_denied(struct hv_attacher *attacher, const char *container_id,
	unsigned hold_ms, struct hv_repaired *ret, struct hv_error *err);

/* Refuse a start (refuse.c): if one of the container's attachments is required, and is not mounted
 * now that all were tried, kill the container's first process `ns`, which waits to execute its
 * program, and note why with each that lacks.  With the container held; counts ret->refused.
 * Returns whether the start was refused. */
bool hv_start_refuse(struct hv_attacher *attacher, const struct mc_ns *ns,
	struct hv_records *siblings, struct hv_repaired *ret);

#endif
