/* SPDX-License-Identifier: Apache-2.0 */
/* Attach again, at a later start of the container of a record.
 *
 * Sequence, with the container held: prepare the mount; note it as pending, with its ID; mount and
 * verify; note it as attached.  After a kill in between, the note tells the daemon whether the
 * mount was made, so that it never mounts on top of it.  Neither note is synced to disk: a power
 * cut takes the mount along. */
#include "reattach.h"

#include <stdlib.h>
#include <string.h>

#include "wire/clock.h"
#include "wire/metrics.h"

#include "attachment.h"
#include "attachments.h"
#include "present.h"

/* "pending", and why.  A mount that stands stays noted, and is found later. */
static void note_failure(struct hv_mount_op *attempt, const struct hv_error *failure)
{
	struct hv_record *record = &attempt->record;
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code;

	if (attempt->is_mounted)
		return;
	/* The paths were not created, or are deleted again. */
	if (attempt->made_before && attempt->path_before) {
		free(record->made);
		free(record->path);
		record->made = mc_take_ptr(&attempt->made_before);
		record->path = mc_take_ptr(&attempt->path_before);
	}
	hv_attachment_set_pending(record);
	/* The start of one that is held is denied when that is over. */
	if (record->view.required && attempt->container.container.started_at)
		code = hv_record_set_problem(record, HV_PROBLEM_FAILED, &ignored,
			"it is required, but container '%s' had started before that could be refused: %s",
			record->view.container_name, hv_error_text(failure));
	else
		code = hv_record_set_problem(
			record, HV_PROBLEM_FAILED, &ignored, "%s", hv_error_text(failure));
	if (code == HV_OK)
		(void)!hv_store_attachment_note(attempt->attacher->store, record, &ignored);
}

static enum hv_code mount(
	struct hv_mount_op *attempt, const struct hv_again *how, struct hv_error *err)
{
	struct hv_store *store = attempt->attacher->store;
	struct hv_record *record = &attempt->record;

	if (!how->is_back) { /* these values are of an earlier start */
		record->view.late_ms = HV_LATE_UNKNOWN;
		record->refusal = HV_REFUSAL_NONE;
	}
	if (hv_store_volume_get(store, record->view.volume, &attempt->volume, err) != HV_OK)
		return err->code;
	if (hv_mount_op_find_present(attempt, err) != HV_OK)
		return err->code;
	record->view.read_only = record->view.read_only || attempt->volume.read_only;
	attempt->made_before = strdup(record->made);
	attempt->path_before = strdup(record->path);
	if (!attempt->made_before || !attempt->path_before)
		return hv_oom(err);
	if (hv_attachment_apply_container(attempt, err) != HV_OK ||
		hv_mount_op_prepare(attempt, err) != HV_OK ||
		hv_attachment_set_mount(attempt, false, err) != HV_OK)
		return err->code;
	hv_record_set_state(record, HV_PENDING);
	if (!how->is_back) /* as well as is known, if it is found by the note */
		record->view.late_ms = hv_target_late_ms(&attempt->container);
	if (hv_store_attachment_note(store, record, err) != HV_OK ||
		how->mount(attempt, err) != HV_OK)
		return err->code;
	return hv_target_check_alive(&attempt->container, err);
}

enum hv_code hv_reattach(struct hv_attacher *attacher, const struct hv_target *target,
	const struct hv_again *how, struct hv_record *record, struct hv_error *err)
{
	hv_auto_attempt struct hv_mount_op attempt = {
		.attacher = attacher,
		.siblings = how->siblings,
		.container = *target,
		.record = *record,
	};
	long long began_us = hv_clock_us();
	enum hv_code code;

	/* Cannot be too long: they were read into such buffers before. */
	strncpy(attempt.target, record->view.target, sizeof(attempt.target) - 1);
	if (record->view.subpath)
		strncpy(attempt.subpath, record->view.subpath, sizeof(attempt.subpath) - 1);
	attempt.record.is_back = how->is_back;
	code = mount(&attempt, how, err);
	if (code == HV_OK) {
		hv_record_set_state(&attempt.record, HV_ATTACHED);
		if (!how->is_back)
			attempt.record.view.late_ms = hv_target_late_ms(target);
		/* If this fails the first note finds the mount. */
		code = hv_store_attachment_note(attacher->store, &attempt.record, err);
	} else {
		note_failure(&attempt, err);
	}
	if (code == HV_OK && !how->is_back)
		hv_timing_add(HV_TIME_ATTACH_START, hv_clock_us() - began_us);
	attempt.record.is_back = false;
	*record = attempt.record; /* given back, as the container is */
	attempt.record = (struct hv_record){0};
	attempt.container = (struct hv_target){.ns = MC_NS_NONE};
	return code;
}
