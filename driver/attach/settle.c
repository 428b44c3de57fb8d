/* What was begun is brought to its end: by the request that began it, when a step of it fails, and
 * by the reconciler, when the daemon was killed in between.  The record on disk says what is
 * wanted, the kernel says how far it came. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* Of the attachment that an unfinished one was to replace. */
struct replaced {
	char *volume; /* owned */
	bool is_gone; /* its mount has been taken out, perhaps before the new one was made */
};

/* One that covers the new one, which was put beneath it, is taken out now. */
static enum hv_code settle_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_record *old, struct replaced *ret, struct hv_error *err)
{
	enum hv_code code = hv_attachment_refresh(attacher, old, err);

	free(ret->volume);
	ret->volume = strdup(old->view.volume);
	if (code == HV_OK && !ret->volume)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	ret->is_gone = code == HV_OK && old->pid > 0 && !hv_record_is_mounted(old);
	if (code != HV_OK || !hv_record_is_mounted(record) || !hv_record_is_mounted(old))
		return code;
	*old->made = '\0'; /* the new one is on it */
	code = hv_record_unmount(attacher, old, true, err);
	return code == HV_OK ? hv_attachment_refresh(attacher, record, err) : code;
}

static enum hv_code find_replaced(struct hv_attacher *attacher, struct hv_record *record,
	struct replaced *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = record->replaces};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, &filter, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = settle_replaced(attacher, record, &records[i], ret, err);
	hv_records_free(records, count);
	return code;
}

/* It is an attachment: its mount stands, or is to be made again because there is no way back. */
static enum hv_code keep(struct hv_attacher *attacher, struct hv_record *record,
	const struct replaced *replaced, struct hv_repaired *ret, struct hv_error *err)
{
	enum hv_code code = HV_OK;

	if (!hv_record_is_mounted(record))
		code = hv_record_forget_mount(record, err);
	record->is_done = code == HV_OK;
	if (code == HV_OK)
		code = hv_store_attachment_update(attacher->store, record, err);
	if (code != HV_OK) {
		record->is_done = false;
		return code;
	}
	ret->adopted += hv_record_is_mounted(record);
	if (replaced->volume)
		hv_volume_unused(attacher->volumes, replaced->volume);
	return HV_OK;
}

/* It has come to nothing: what was made for it is removed, and the volume that waited for it. */
static enum hv_code take_back(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	enum hv_code code = hv_record_unmount(attacher, record, true, err);

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

	if (code == HV_OK && record->replaces)
		code = find_replaced(attacher, record, &replaced, err);
	if (code == HV_OK && (hv_record_is_mounted(record) || replaced.is_gone))
		code = keep(attacher, record, &replaced, ret, err);
	else if (code == HV_OK)
		code = take_back(attacher, record, err);
	free(replaced.volume);
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
