/* SPDX-License-Identifier: Apache-2.0 */
/* Settle an unfinished attach or detach: in its own request, if a step of it fails, and in the
 * reconciler, if the daemon was killed in between.  The record on disk tells the goal, the kernel
 * how far it came. */
#include "settle.h"

#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "delete.h"
#include "leftover.h"
#include "observe.h"
#include "unmount.h"

/* Of the attachments that an unfinished one was to replace. */
struct replaced {
	struct hv_texts volumes;
	char *leftovers; /* the paths created for them, theirs until their end (leftover.c) */
	bool is_gone; /* the mount of one has been taken out, perhaps before the new one was made */
};

#define auto_replaced HV_AUTO(replaced_done)
static void replaced_done(struct replaced *replaced)
{
	hv_texts_done(&replaced->volumes);
	free(replaced->leftovers);
}

/* Unmount a replaced mount that covers the new one, which was put beneath it, or stands elsewhere.
 * A mount that was known to be missing before (conflict.c) was not unmounted for the new one. */
static enum hv_code settle_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_record *old, struct replaced *ret, struct hv_error *err)
{
	bool was_mounted = old->is_done && hv_record_is_mounted(old);
	bool keeps_made;

	if (hv_attachment_refresh(attacher, old, err) != HV_OK)
		return err->code;
	if (hv_texts_add(&ret->volumes, old->view.volume) < 0)
		return hv_oom(err);
	if (hv_leftovers_add(&ret->leftovers, old, err) != HV_OK)
		return err->code;
	if (was_mounted && old->pid > 0 && !hv_record_is_mounted(old))
		ret->is_gone = true;
	if (!hv_record_is_mounted(record) || !hv_record_is_mounted(old))
		return HV_OK;
	keeps_made = strcmp(old->path, record->path) == 0; /* the new one is on its mountpoint */
	if (hv_record_unmount(attacher, old, keeps_made, err) != HV_OK)
		return err->code;
	return hv_attachment_refresh(attacher, record, err);
}

static enum hv_code find_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct replaced *ret, struct hv_error *err)
{
	const char *at = record->replaces ? record->replaces : "";
	char id[HV_RECORD_ID_SIZE];

	while (hv_record_next_replaced(&at, id)) {
		const struct hv_record_filter filter = {.id = id};
		hv_auto_records struct hv_records found = {0};

		if (hv_records_list(attacher, &filter, &found, err) != HV_OK)
			return err->code;
		if (found.count > 0 &&
			settle_replaced(attacher, record, found.items, ret, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

enum hv_code hv_record_end_replaced(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	auto_replaced struct replaced replaced = {0};

	return find_replaced(attacher, record, &replaced, err);
}

/* It is an attachment: its mount stands, or is to be made again because there is no way back. */
static enum hv_code keep(struct hv_attacher *attacher, struct hv_record *record,
	const struct replaced *replaced, struct hv_repaired *ret, struct hv_error *err)
{
	if (!hv_record_is_mounted(record))
		hv_attachment_set_pending(record);
	record->is_done = true;
	if (hv_store_attachment_update(attacher->store, record, err) != HV_OK) {
		record->is_done = false;
		return err->code;
	}
	hv_attacher_notify(attacher, record->view.container_id, false);
	ret->adopted += hv_record_is_mounted(record);
	for (size_t i = 0; i < replaced->volumes.count; i++)
		hv_volume_release_idle(attacher->volumes, replaced->volumes.items[i]);
	return HV_OK;
}

/* The attach failed: delete the paths created for it, and the volume that waited for it, or was
 * borrowed. */
static enum hv_code take_back(struct hv_attacher *attacher, struct hv_record *record,
	const struct replaced *replaced, struct hv_error *err)
{
	enum hv_code code;

	if (replaced->leftovers && hv_leftovers_leave(record, replaced->leftovers, err) != HV_OK)
		return err->code;
	if (hv_record_unmount(attacher, record, false, err) != HV_OK ||
		hv_attachment_delete(attacher, record, err) != HV_OK)
		return err->code;
	if (!record->from_volume_option)
		return hv_volume_return(attacher->volumes, record->view.volume, err);
	code = hv_volume_rollback(attacher->volumes, record->view.volume, err);
	if (code != HV_NO_SUCH_VOLUME)
		return code;
	hv_error_done(err);
	return HV_OK;
}

enum hv_code hv_record_settle(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	auto_replaced struct replaced replaced = {0};

	if (hv_attachment_refresh(attacher, record, err) != HV_OK ||
		find_replaced(attacher, record, &replaced, err) != HV_OK)
		return err->code;
	if (hv_record_is_mounted(record) || replaced.is_gone)
		return keep(attacher, record, &replaced, ret, err);
	return take_back(attacher, record, &replaced, err);
}

enum hv_code hv_record_settle_end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	if (hv_attachment_refresh(attacher, record, err) != HV_OK)
		return err->code;
	if (hv_record_is_mounted(record)) {
		record->is_ending = record->is_ending_volume = false;
		if (hv_store_attachment_note(attacher->store, record, err) == HV_OK)
			hv_attacher_notify(attacher, record->view.container_id, false);
		return err->code;
	}
	if (hv_record_unmount(attacher, record, false, err) != HV_OK ||
		hv_attachment_delete_with_volume(attacher, record, err) != HV_OK)
		return err->code;
	ret->dropped++;
	return HV_OK;
}
