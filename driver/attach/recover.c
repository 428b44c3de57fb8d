#include <string.h>

#include "inside.h"

/* An attach that was begun and never acknowledged is brought to an end, whatever it came to: if its
 * mount stands at its place, it is an attachment; if not, what it made is removed. */
static enum hv_code settle(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code == HV_OK && strcmp(record->view.state, "attached") == 0) {
		record->is_done = true;
		return hv_store_attachment_put(attacher->store, record, err);
	}
	if (code == HV_OK)
		code = hv_record_unmount(attacher, record, true, err);
	return code == HV_OK ? hv_store_attachment_drop(attacher->store, record->view.id, err)
			     : code;
}

enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
{
	const struct hv_record_filter all = {0};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_attachment_list(attacher->store, &all, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++) {
		if (records[i].is_done)
			continue;
		code = settle(attacher, &records[i], err);
		if (code == HV_OK || code == HV_STATE_UNREADABLE)
			continue;
		/* One container that cannot be looked at must not hold up all volumes: the intent
		 * stays, and is settled when its target is asked for, or at the next start. */
		hv_error_done(err);
		code = HV_OK;
	}
	hv_records_free(records, count);
	return code;
}
