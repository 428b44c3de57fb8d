/* SPDX-License-Identifier: Apache-2.0 */
/* Attachments below the target of another, of the same container.
 *
 * A mount hides what is mounted below it.  Those of ours that are below a target are taken out
 * before the mount is made, and attached again on top of it.  A daemon that is killed in between
 * finds them "pending", and attaches them with the next look at the container. */
#include "nested.h"

#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "leftover.h"
#include "observe.h"
#include "reattach.h"
#include "unmount.h"

/* Leave the created paths to `outer`, which is mounted on or over them: they go with it. */
static enum hv_code leave(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_record *outer, struct hv_error *err)
{
	struct hv_heir heir = {.id = outer->view.id};

	if (hv_leftovers_add(&outer->leftovers, record, err) != HV_OK)
		return err->code;
	heir.leftovers = outer->leftovers;
	return heir.leftovers ? hv_store_attachment_leave(attacher->store, &heir, err) : HV_OK;
}

/* Say that it is pending, and take it out.  It stays noted if that fails: it is found then. */
static enum hv_code lift(struct hv_attacher *attacher, struct hv_record *record,
	struct hv_record *outer, struct hv_error *err)
{
	if (hv_record_wait_for(record, outer, err) != HV_OK ||
		hv_store_attachment_note(attacher->store, record, err) != HV_OK ||
		leave(attacher, record, outer, err) != HV_OK ||
		hv_record_unmount(attacher, record, true, err) != HV_OK)
		return err->code;
	hv_attachment_set_pending(record);
	if (hv_record_wait_for(record, outer, err) != HV_OK)
		return err->code;
	return hv_store_attachment_note(attacher->store, record, err);
}

static bool is_in_the_way(
	struct hv_attacher *attacher, struct hv_record *record, const struct hv_record *outer)
{
	hv_auto_error struct hv_error ignored = {0};

	/* An attachment that follows its path is among the siblings too, as it was read: its
	 * strings are the attempt's by now. */
	return strcmp(record->view.id, outer->view.id) != 0 && record->is_done &&
	       !record->is_ending && record->pid > 0 && record->ns_ino == outer->ns_ino &&
	       hv_record_is_below(record, outer->path) &&
	       hv_attachment_refresh(attacher, record, &ignored) == HV_OK &&
	       record->view.state == HV_ATTACHED;
}

/* Unmount the attachments below the path of the attempt's, which is about to be mounted: those of
 * `ret_is_lifted` are to be put back either way.  The lock of the container is held. */
static enum hv_code lift_all(struct hv_mount_op *attempt, bool *ret_is_lifted, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	struct hv_record *outer = &attempt->record;

	/* The deepest first: it would go with what it is on. */
	for (size_t i = attempt->siblings->count; i-- > 0;) {
		struct hv_record *record = &attempt->siblings->items[i];
		enum hv_code code;

		if (!is_in_the_way(attacher, record, outer))
			continue;
		code = lift(attacher, record, outer, err);
		ret_is_lifted[i] = record->pid == 0; /* else it stands, and is found */
		if (code != HV_OK)
			return code;
	}
	return HV_OK;
}

/* Attach them again, on top.  A failed one is "pending", with the reason, and is tried again. */
static void put_back(struct hv_mount_op *attempt, const bool *is_lifted)
{
	const struct hv_again how = {.mount = hv_mount_op_mount, .is_back = true};
	struct hv_attacher *attacher = attempt->attacher;
	const struct hv_target *target = &attempt->container;
	bool is_left = false;

	for (size_t i = 0; i < attempt->siblings->count; i++) {
		hv_auto_error struct hv_error ignored = {0};

		if (is_lifted[i] && hv_reattach(attacher, target, &how,
					    &attempt->siblings->items[i], &ignored) != HV_OK)
			is_left = true;
	}
	if (is_left) /* to be tried again */
		hv_attacher_notify(attacher, target->container.id, true);
}

enum hv_code hv_nested_mount(struct hv_mount_op *attempt, struct hv_error *err)
{
	hv_auto_free bool *is_lifted = NULL; /* of each of the siblings */
	enum hv_code code;

	if (!attempt->siblings)
		return hv_mount_op_mount(attempt, err);
	is_lifted = calloc(attempt->siblings->count + 1, sizeof(bool));
	code = is_lifted ? lift_all(attempt, is_lifted, err) : hv_oom(err);
	if (code == HV_OK)
		code = hv_mount_op_mount(attempt, err);
	else
		hv_mount_op_unprepare(attempt);
	if (is_lifted)
		put_back(attempt, is_lifted);
	return code;
}
