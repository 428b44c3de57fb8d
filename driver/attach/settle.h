/* SPDX-License-Identifier: Apache-2.0 */
/* Settle an unfinished attach or detach. */
#ifndef ATTACH_SETTLE_H
#define ATTACH_SETTLE_H

#include "attach/attach.h"
#include "store/store.h"

/* Settle an attach that was begun and never acknowledged: if its mount stands in its place, it is
 * an attachment; if not, delete the paths created for it.  If it was to replace a mount that is
 * gone, attach it again, since only that is left to do.  With the container held. */
enum hv_code hv_record_settle(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* Settle a detach that was begun and never answered: if the mount stands, it was not detached; if
 * not, finish it and count it as dropped; with is_ending_volume the volume is left to do.  With the
 * container held. */
enum hv_code hv_record_settle_end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* Take out those that the record replaces and that stand all the same: it was put beneath one, or
 * one was renamed away inside.  Both are of a container that is held. */
enum hv_code hv_record_end_replaced(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

#endif
