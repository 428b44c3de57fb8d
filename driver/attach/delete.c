/* SPDX-License-Identifier: Apache-2.0 */
/* The record of an attachment is deleted, with its volume or not. */
#include "delete.h"

#include "attachments.h"
#include "lease.h"
#include "leftover.h"

/* With `volume`, which is retired in the same commit, or NULL.  `is_over`: nobody detached it.
 * The lease ended it if that is over and no request had begun to detach it. */
static enum hv_code drop(struct hv_attacher *attacher, const struct hv_record *record,
	const char *volume, bool is_over, struct hv_error *err)
{
	hv_auto_free char *id = NULL, *leftovers = NULL;
	struct hv_heir heir;
	const struct hv_heir *to;

	if (hv_leftovers_find_heir(attacher, record, &id, &leftovers, err) != HV_OK)
		return err->code;
	heir = (struct hv_heir){id, leftovers};
	to = id ? &heir : NULL;
	if (!volume && !record->is_ending && hv_lease_is_over(&record->view))
		return hv_store_attachment_drop_expired(attacher->store, &record->view, to, err);
	if (is_over)
		return hv_store_attachment_drop_over(attacher->store, record->view.id, to, err);
	if (!volume)
		return hv_store_attachment_drop(attacher->store, record->view.id, to, err);
	return hv_store_attachment_drop_with_volume(
		attacher->store, record->view.id, volume, to, err);
}

enum hv_code hv_attachment_delete(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	if (drop(attacher, record, NULL, false, err) != HV_OK)
		return err->code;
	hv_volume_release_idle(attacher->volumes, record->view.volume);
	return HV_OK;
}

enum hv_code hv_attachment_delete_with_volume(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;

	if (!record->is_ending_volume)
		return hv_attachment_delete(attacher, record, err);
	/* Nobody is about to use it, or to give it another name. */
	HV_HOLD(hold, hv_volumes_locks(attacher->volumes), view->volume);
	return drop(attacher, record, view->volume, false, err);
}

enum hv_code hv_record_drop_over(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	if (drop(attacher, record, NULL, true, err) != HV_OK)
		return err->code;
	hv_volume_release_idle(attacher->volumes, record->view.volume);
	ret->dropped++;
	if (!hv_lease_is_over(&record->view)) {
		hv_record_tell_end(attacher, record);
		return HV_OK;
	}
	ret->expired++;
	hv_attacher_notify(attacher, record->view.container_id, false);
	return HV_OK;
}
