/* SPDX-License-Identifier: Apache-2.0 */
/* The leases of a container that are over: a detach of each, as a request's (detach.c).
 *
 * Nothing tells when the last user of a mount lets it go.  So a detach that is refused, since the
 * volume is in use, is tried again: as long after the last try as the lease has been over then,
 * from 200 ms to 5 s (lease.c).  When the grace is over as well it is lazy. */
#include <stdio.h>
#include <string.h>

#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "detach.h"
#include "lease.h"
#include "siblings.h"

/* "process 12 of the host (sh), process 13 of the host (cat)"; owned. */
static char *list_users(const struct hv_error *failure)
{
	char *all = hv_text_format("%s", "");

	for (unsigned i = 0; all && i < failure->busy_count; i++) {
		hv_auto_free char *before = all;

		all = hv_text_format("%s%sprocess %lld of the host (%s)", before,
			*before ? ", " : "", failure->busy[i].pid, failure->busy[i].command);
	}
	return all;
}

/* Why it is still attached, as its problem. */
static enum hv_code set_problem(
	struct hv_record *record, const struct hv_error *failure, struct hv_error *err)
{
	const char *until = record->view.until;
	hv_auto_free char *users = list_users(failure);

	if (!users)
		return hv_oom(err);
	if (*users)
		return hv_record_set_problem(record, HV_PROBLEM_LEASE, err,
			"its lease ended at %s, and it is in use by %s", until, users);
	return hv_record_set_problem(record, HV_PROBLEM_LEASE, err,
		"its lease ended at %s, and it cannot be detached: %s", until,
		hv_error_text(failure));
}

/* Note why it could not be detached, unless it was renewed meanwhile or its state tells that. */
static enum hv_code note_failure(struct hv_attacher *attacher, const struct hv_record *tried,
	const struct hv_error *failure, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = tried->view.id};
	hv_auto_records struct hv_records records = {0};
	hv_auto_free char *known = NULL;
	struct hv_record *record;

	HV_HOLD(hold, &attacher->locks, tried->view.container_id);
	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	record = records.items;
	if (records.count == 0 || !hv_lease_is_over(&record->view) || record->pid == 0 ||
		record->view.state != HV_ATTACHED)
		return HV_OK;
	if (record->problem == HV_PROBLEM_LEASE) {
		if (failure->code == HV_BUSY && failure->busy_count == 0)
			return HV_OK; /* its users were not looked for: those of before stay */
		known = mc_take_ptr(&record->view.problem);
	}
	if (set_problem(record, failure, err) != HV_OK)
		return err->code;
	if (known && record->view.problem && strcmp(known, record->view.problem) == 0)
		return HV_OK;
	return hv_store_attachment_note(attacher->store, record, err);
}

static enum hv_code expire(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_error struct hv_error failure = {0};
	bool is_kept = false;
	enum hv_code code = hv_detach_expired(attacher, record->view.id, &is_kept, &failure);

	snprintf(ret->name, sizeof(ret->name), "%s", record->view.container_name);
	if (code == HV_OK) {
		ret->expired += !is_kept;
		return HV_OK;
	}
	if (code == HV_NO_SUCH_ATTACHMENT)
		return HV_OK;
	if (code != HV_STATE_UNREADABLE)
		return note_failure(attacher, record, &failure, err);
	*err = failure;
	failure = (struct hv_error){0};
	return code;
}

enum hv_code hv_attachments_expire(struct hv_attacher *attacher, const char *container_id,
	struct hv_repaired *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};

	*ret = (struct hv_repaired){.records = 0};
	if (hv_siblings_read(attacher, container_id, &siblings, err) != HV_OK)
		return err->code;
	/* The deepest first: it is a use of the one below it. */
	for (size_t i = siblings.count; i-- > 0;) {
		const struct hv_record *record = &siblings.items[i];
		struct hv_error one = {0};

		/* Without a mount it ends with the next look at it (look.c). */
		if (!record->is_done || !hv_lease_is_over(&record->view) ||
			hv_attachment_has_ended(record))
			continue;
		if (expire(attacher, record, ret, &one) == HV_OK || err->code != HV_OK)
			hv_error_done(&one);
		else
			*err = one;
	}
	return err->code;
}
