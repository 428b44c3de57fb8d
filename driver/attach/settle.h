/* What was begun is brought to its end. */
#ifndef ATTACH_SETTLE_H
#define ATTACH_SETTLE_H

#include "attach/attach.h"

/* An attach that was begun and never acknowledged is brought to an end, whatever it came to: if its
 * mount stands at its place, it is an attachment; if not, what it made is removed.  One that was to
 * replace a mount that is gone is attached again, since that is what is left to do.  With the
 * container held. */
enum hv_code hv_record_settle(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* A detach that was begun and never answered: where the mount stands it has not been; anywhere else
 * it is brought to its end, and counted as dropped; of is_ending_volume the volume is left to do.
 * With the container held. */
enum hv_code hv_record_settle_end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

/* Take out those that the record replaces and that stand all the same: it was put beneath one, or
 * one was renamed away inside.  Both are of a container that is held. */
enum hv_code hv_record_end_replaced(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err);

#endif
