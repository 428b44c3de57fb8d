/* SPDX-License-Identifier: Apache-2.0 */
/* A volume is to be removed: its attachments end, or keep it. */
#include <string.h>

#include "attach/attach.h"
#include "attach/rules.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "delete.h"
#include "detach.h"
#include "observe.h"
#include "orphan.h"

/* Detach what came with the volume: strictly, so that a busy one keeps the volume. */
static enum hv_code end_own(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	enum hv_code code;

	if (!record->is_done)
		return HV_OK; /* an intent: hv_volume_remove() has the last word */
	code = hv_detach_with_volume(attacher, record->view.id, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	hv_error_done(err); /* someone else was quicker */
	return HV_OK;
}

/* Forget an attachment that has ended, but not one that is just being made or ended. */
static enum hv_code drop_ended(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	struct hv_repaired ignored = {0};

	HV_HOLD(hold, &attacher->locks, record->view.container_id);
	return hv_record_drop_over(attacher, record, &ignored, err);
}

/* Forget an attachment that is in nobody's way any more; count one that is. */
static enum hv_code release(struct hv_attacher *attacher, struct hv_record *record,
	size_t *ret_others, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	hv_auto_container struct hv_container container = {0};
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code == HV_OK && hv_attachment_has_ended(record))
		return drop_ended(attacher, record, err);
	hv_error_done(err); /* a failed look does not mean that it is over */
	code = hv_container_find(
		attacher, view->container_id, HV_ENGINE_TIMEOUT_REMOVE_MS, &container, err);
	*ret_others += code == HV_OK;
	if (code == HV_OK)
		return HV_OK;
	if (code == HV_NO_SUCH_CONTAINER) {
		hv_error_done(err);
		code = hv_orphan_check(attacher, record, HV_ENGINE_TIMEOUT_REMOVE_MS, err);
		if (code == HV_OK)
			return drop_ended(attacher, record, err);
		if (code == HV_VOLUME_IN_USE)
			return code;
	}
	hv_fail(err, HV_VOLUME_IN_USE,
		"volume '%s' is attached to container '%s' at %s, and the Docker Engine does not say whether that still exists",
		view->volume, view->container_name, view->target);
	return hv_hint(err, "try again when the Engine answers");
}

/* Of the volume's own rule, which ends with the volume. */
static bool is_of_own_rule(const struct hv_rule_records *rules, const struct hv_record *record)
{
	for (size_t i = 0; record->view.rule && i < rules->count; i++)
		if (rules->items[i].from_volume_option &&
			strcmp(rules->items[i].id, record->view.rule) == 0)
			return true;
	return false;
}

enum hv_code hv_attachments_release_volume(
	struct hv_attacher *attacher, const char *volume, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume};
	hv_auto_rule_records struct hv_rule_records rules = {0};
	hv_auto_records struct hv_records records = {0};
	size_t others = 0;

	if (hv_records_list(attacher, &filter, &records, err) != HV_OK ||
		hv_store_rule_list(attacher->store, volume, &rules, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		if (!record->from_volume_option && !is_of_own_rule(&rules, record) &&
			release(attacher, record, &others, err) != HV_OK)
			return err->code;
	for (size_t i = 0; i < rules.count; i++)
		others += !rules.items[i].from_volume_option;
	/* The volume's own go last, and only if nothing else keeps the volume. */
	if (others > 0)
		return HV_OK;
	if (hv_rules_end_own(attacher, volume, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		if (record->from_volume_option && end_own(attacher, record, err) != HV_OK)
			return err->code;
	return HV_OK;
}
