#include "inside.h"

/* An attach that was begun and never acknowledged is taken back, whatever it came to: its mount if
 * it is there, the directories it was going to make if they are there and empty. */
enum hv_code hv_attachments_recover(struct hv_attacher *attacher, struct hv_error *err)
{
	const struct hv_record_filter all = {0};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code = hv_store_attachment_list(attacher->store, &all, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++) {
		if (records[i].is_done)
			continue;
		code = hv_record_unmount(attacher, &records[i], true, err);
		if (code == HV_OK)
			code = hv_store_attachment_drop(attacher->store, records[i].view.id, err);
	}
	hv_records_free(records, count);
	return code;
}
