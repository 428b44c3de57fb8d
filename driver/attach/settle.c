/* Settle an unfinished attach or detach: in its own request, if a step of it fails, and in the
 * reconciler, if the daemon was killed in between.  The record on disk tells the goal, the kernel
 * how far it came. */
#include "settle.h"

#include <string.h>

#include "attachment.h"
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

static void done_with(struct replaced *replaced)
{
	hv_texts_done(&replaced->volumes);
	free(replaced->leftovers);
}

/* Unmount a replaced mount that covers the new one, which was put beneath it, or stands elsewhere.
 * A mount that was known to be missing before (recorded.c) was not unmounted for the new one. */
static enum hv_code settle_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_record *old, struct replaced *ret, struct hv_error *err)
{
	bool was_mounted = old->is_done && hv_record_is_mounted(old);
	enum hv_code code = hv_attachment_refresh(attacher, old, err);

	if (code == HV_OK && hv_texts_add(&ret->volumes, old->view.volume) < 0)
		return hv_oom(err);
	if (code == HV_OK)
		code = hv_leftovers_add(&ret->leftovers, old, err);
	if (code != HV_OK)
		return code;
	if (was_mounted && old->pid > 0 && !hv_record_is_mounted(old))
		ret->is_gone = true;
	if (!hv_record_is_mounted(record) || !hv_record_is_mounted(old))
		return HV_OK;
	code = strcmp(old->path, record->path) == 0 /* the new one is on its mountpoint */
		       ? hv_record_lift(attacher, old, err)
		       : hv_record_unmount(attacher, old, true, err);
	return code == HV_OK ? hv_attachment_refresh(attacher, record, err) : code;
}

static enum hv_code find_one(struct hv_attacher *attacher, struct hv_record *record, const char *id,
	struct replaced *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = id};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, &filter, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = settle_replaced(attacher, record, &records[i], ret, err);
	hv_records_free(records, count);
	return code;
}

static enum hv_code find_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct replaced *ret, struct hv_error *err)
{
	const char *at = record->replaces ? record->replaces : "";
	char id[HV_RECORD_ID_SIZE];
	enum hv_code code = HV_OK;

	while (code == HV_OK && hv_record_next_replaced(&at, id))
		code = find_one(attacher, record, id, ret, err);
	return code;
}

enum hv_code hv_record_end_replaced(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	struct replaced replaced = {0};
	enum hv_code code = find_replaced(attacher, record, &replaced, err);

	done_with(&replaced);
	return code;
}

/* It is an attachment: its mount stands, or is to be made again because there is no way back. */
static enum hv_code keep(struct hv_attacher *attacher, struct hv_record *record,
	const struct replaced *replaced, struct hv_repaired *ret, struct hv_error *err)
{
	enum hv_code code;

	if (!hv_record_is_mounted(record))
		hv_record_forget_mount(record);
	record->is_done = true;
	code = hv_store_attachment_update(attacher->store, record, err);
	if (code != HV_OK) {
		record->is_done = false;
		return code;
	}
	ret->adopted += hv_record_is_mounted(record);
	for (size_t i = 0; i < replaced->volumes.count; i++)
		hv_volume_unused(attacher->volumes, replaced->volumes.items[i]);
	return HV_OK;
}

/* The attach failed: delete the paths created for it, and the volume that waited for it. */
static enum hv_code take_back(struct hv_attacher *attacher, struct hv_record *record,
	const struct replaced *replaced, struct hv_error *err)
{
	enum hv_code code = HV_OK;

	if (replaced->leftovers)
		code = hv_leftovers_leave(record, replaced->leftovers, err);
	if (code == HV_OK)
		code = hv_record_unmount(attacher, record, true, err);
	if (code == HV_OK)
		code = hv_record_drop(attacher, record, err);
	if (code == HV_OK && record->is_own)
		code = hv_volume_give_up(attacher->volumes, record->view.volume, err);
	if (code != HV_NO_SUCH_VOLUME)
		return code;
	hv_error_done(err);
	return HV_OK;
}

enum hv_code hv_record_settle(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	struct replaced replaced = {0};
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code == HV_OK)
		code = find_replaced(attacher, record, &replaced, err);
	if (code == HV_OK && (hv_record_is_mounted(record) || replaced.is_gone))
		code = keep(attacher, record, &replaced, ret, err);
	else if (code == HV_OK)
		code = take_back(attacher, record, &replaced, err);
	done_with(&replaced);
	return code;
}

enum hv_code hv_record_settle_end(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code != HV_OK)
		return code;
	if (hv_record_is_mounted(record)) {
		record->is_ending = record->is_ending_volume = false;
		return hv_store_attachment_note(attacher->store, record, err);
	}
	code = hv_record_unmount(attacher, record, true, err);
	if (code == HV_OK)
		code = hv_record_end(attacher, record, err);
	ret->dropped += code == HV_OK;
	return code;
}
