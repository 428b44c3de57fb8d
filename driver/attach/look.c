/* SPDX-License-Identifier: Apache-2.0 */
/* Look at a container's attachments with the kernel alone.  Nothing here waits: not for the Engine,
 * not for a file system, and not for a thread that works on the container. */
#include "look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "delete.h"
#include "lease.h"

static void count_change(
	const struct hv_record *record, enum hv_attachment_state known, struct hv_repaired *ret)
{
	enum hv_attachment_state state = record->view.state;

	if (state == known)
		return;
	if (state == HV_PENDING)
		ret->pending++;
	else if (known == HV_PENDING)
		ret->adopted++;
	else if (state != HV_ATTACHED)
		ret->drifted++;
}

enum hv_code hv_record_look(struct hv_attacher *attacher, struct hv_sight *sight,
	struct hv_record *record, struct hv_repaired *ret, struct hv_error *err)
{
	long long known_pid = record->pid;
	enum hv_attachment_state known = record->view.state;

	if (hv_attachment_refresh_in(attacher, sight, record, err) != HV_OK)
		return err->code;
	/* A container whose start was refused for it is started again first (restart.c). */
	if (hv_attachment_has_ended(record) && record->refusal == HV_REFUSAL_NONE)
		return hv_record_drop_over(attacher, record, ret, err);
	if (known == record->view.state && known_pid == record->pid)
		return HV_OK;
	count_change(record, known, ret);
	if (hv_store_attachment_note(attacher->store, record, err) != HV_OK)
		return err->code;
	if (record->view.follow) /* its path may have changed meanwhile */
		hv_attacher_notify(attacher, record->view.container_id, false);
	return HV_OK;
}

void hv_seen_done(struct hv_seen *seen)
{
	mc_close_fd(&seen->mountinfo);
	mc_close_fd(&seen->pidfd);
}

/* Whether one that was begun is to take its place.  If its mount is gone it may have been taken out
 * for that, which hv_record_settle() has to find out. */
static bool is_being_replaced(const struct hv_records *records, const char *id)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(records, record));)
		if (!record->is_done && hv_record_replaces(record, id))
			return true;
	return false;
}

/* When it is to be looked at again for its lease, and whether there is a mount to take out then.
 * One without a mount ends with the look. */
static void note_lease(const struct hv_record *record, struct hv_seen *ret)
{
	long long wait_ms = hv_lease_wait_ms(&record->view);

	if (wait_ms < 0)
		return;
	ret->is_lease_over |= record->pid > 0 && hv_lease_is_over(&record->view);
	if (ret->lease_ms < 0 || wait_ms < ret->lease_ms)
		ret->lease_ms = wait_ms;
}

/* One record, whatever becomes of the others; the first failure is told. */
static void look_at(struct hv_attacher *attacher, struct hv_sight *sight, struct hv_record *record,
	bool is_replaced, struct hv_seen *ret, struct hv_error *err)
{
	struct hv_error one = {0};

	snprintf(ret->repaired.name, sizeof(ret->repaired.name), "%s", record->view.container_name);
	ret->repaired.records++;
	ret->repaired.awaited += record->refusal != HV_REFUSAL_NONE;
	if (!record->is_done || record->is_ending || is_replaced || record->former.mountinfo_id) {
		note_lease(record, ret);
		return; /* hv_attachments_settle() does what may take long */
	}
	if (hv_record_look(attacher, sight, record, &ret->repaired, &one) == HV_OK ||
		err->code != HV_OK)
		hv_error_done(&one);
	else
		*err = one;
	note_lease(record, ret);
	if (record->pid == 0 || sight->ns.pidfd < 0) /* or it was taken for the one before */
		return;
	hv_seen_done(ret);
	ret->pid = record->pid;
	ret->ns_ino = record->ns_ino;
	ret->pidfd = mc_take_fd(&sight->ns.pidfd);
	ret->mountinfo = mc_take_fd(&sight->mountinfo);
}

/* An attachment without a change needs no table. */
static void look_at_mounts(
	struct hv_attacher *attacher, struct hv_sight *sight, const struct hv_records *records)
{
	hv_auto_free struct hv_record **all =
		calloc(records->count + 1, sizeof(struct hv_record *));
	size_t count = 0;

	if (!all)
		return;
	for (struct hv_record *record = NULL; (record = hv_records_next(records, record));)
		all[count++] = record;
	hv_sight_look(attacher, sight, all, count);
}

enum hv_code hv_attachments_sync(struct hv_attacher *attacher, const char *container_id,
	struct hv_seen *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};
	hv_auto_records struct hv_records records = {0};

	*ret = HV_SEEN_NONE;
	HV_HOLD_IF_FREE(hold, &attacher->locks, container_id);
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;

	sight.is_watched = true;
	if (!hold.keylock)
		return hv_fail(err, HV_BUSY, "the container is being worked on");
	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	look_at_mounts(attacher, &sight, &records);
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		look_at(attacher, &sight, record, is_being_replaced(&records, record->view.id), ret,
			err);
	return err->code;
}
