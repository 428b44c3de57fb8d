/* SPDX-License-Identifier: Apache-2.0 */
/* The record of an attachment is deleted. */
#ifndef ATTACH_DELETE_H
#define ATTACH_DELETE_H

#include "attach/attach.h"
#include "store/store.h"

/* Delete the record of an attachment.  Its leftovers go to an heir in the same commit. */
enum hv_code hv_attachment_delete(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Delete the record of an unmounted attachment; with is_ending_volume its volume too. */
enum hv_code hv_attachment_delete_with_volume(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err);

/* Delete the record of an attachment that is over, tell its end, and count it in ret->dropped. */
enum hv_code hv_record_drop_over(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err);

#endif
