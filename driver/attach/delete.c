/* The record of an attachment is deleted, with its volume or not. */
#include "delete.h"

#include "attachments.h"
#include "leftover.h"

/* With `volume`, which is retired in the same commit, or NULL. */
static enum hv_code drop(struct hv_attacher *attacher, const struct hv_record *record,
	const char *volume, struct hv_error *err)
{
	struct hv_store *store = attacher->store;
	struct hv_inheritance inheritance = {0};
	enum hv_code code = hv_inheritance_find(attacher, record, &inheritance, err);
	const struct hv_heir heir = {inheritance.id, inheritance.leftovers};
	const struct hv_heir *to = heir.id ? &heir : NULL;

	if (code == HV_OK)
		code = volume ? hv_store_attachment_drop_with_volume(
					store, record->view.id, volume, to, err)
			      : hv_store_attachment_drop(store, record->view.id, to, err);
	hv_inheritance_done(&inheritance);
	return code;
}

enum hv_code hv_record_drop(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code = drop(attacher, record, NULL, err);

	if (code == HV_OK)
		hv_volume_unused(attacher->volumes, record->view.volume);
	return code;
}

enum hv_code hv_record_end(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;

	if (!record->is_ending_volume)
		return hv_record_drop(attacher, record, err);
	/* Nobody is about to use it, or to give it another name. */
	HV_HOLD(hold, &attacher->volumes->locks, view->volume);
	return drop(attacher, record, view->volume, err);
}

enum hv_code hv_record_drop_over(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code = hv_record_drop(attacher, record, err);

	if (code == HV_OK)
		hv_record_tell_end(attacher, record);
	return code;
}
