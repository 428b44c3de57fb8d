/* SPDX-License-Identifier: Apache-2.0 */
/* A start is refused: the container has an attachment that it is not to start without.
 *
 * Its first process waits to execute the program, and is killed there; then the runtime fails to
 * open its state file, if the start is held there (start/gate.h).  The Engine takes that for a
 * failed start, says so to who asked for it, and does not try again, whatever the container's
 * restart policy says. */
#include "refuse.h"

#include <stdio.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"

static bool is_needed(const struct hv_record *record)
{
	return record->view.required && record->is_done && !record->is_ending &&
	       !hv_attachment_has_ended(record);
}

/* Its problem tells why it is not mounted, or else `other`.  `rc`: the result of the kill. */
static void note(struct hv_attacher *attacher, struct hv_record *record, int rc, const char *other)
{
	const char *reason = record->view.problem ? record->view.problem : other;
	const char *name = record->view.container_name;
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code;

	record->refusal = rc == 0 ? HV_REFUSAL_NEW : HV_REFUSAL_NONE;
	if (rc == 0)
		code = hv_record_set_problem(record, HV_PROBLEM_REFUSED, &ignored,
			"the start of container '%s' was refused, because this is required: %s",
			name, reason);
	else
		code = hv_record_set_problem(record, HV_PROBLEM_REFUSED, &ignored,
			"it is required, but the start of container '%s' could not be refused (%s): %s",
			name, strerrordesc_np(-rc), reason);
	if (code == HV_OK)
		(void)!hv_store_attachment_note(attacher->store, record, &ignored);
}

bool hv_start_refuse(struct hv_attacher *attacher, const struct mc_ns *ns,
	struct hv_records *siblings, struct hv_repaired *ret)
{
	bool lacks = false;
	int rc = 0;

	for (struct hv_record *record = NULL; (record = hv_records_next(siblings, record));) {
		if (!is_needed(record) || hv_record_is_mounted(record))
			continue;
		if (!lacks) /* the first */
			rc = mc_ns_kill(ns);
		lacks = true;
		note(attacher, record, rc, "it was not tried");
		ret->refused += rc == 0;
	}
	if (lacks)
		hv_attacher_notify(attacher, siblings->items[0].view.container_id, false);
	return lacks && rc == 0;
}

enum hv_code hv_start_note_denied(struct hv_attacher *attacher, const char *container_id,
	unsigned hold_ms, struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	char late[64];
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, container_id);
	snprintf(late, sizeof(late), "it was not attached within %u ms", hold_ms);
	code = hv_siblings_read(attacher, container_id, &siblings, err);
	for (struct hv_record *record = NULL; (record = hv_records_next(&siblings, record));) {
		if (!is_needed(record))
			continue;
		snprintf(ret->name, sizeof(ret->name), "%s", record->view.container_name);
		note(attacher, record, 0, late);
		ret->refused++;
	}
	hv_attacher_notify(attacher, container_id, false);
	return code;
}
