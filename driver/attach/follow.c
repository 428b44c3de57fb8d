/* SPDX-License-Identifier: Apache-2.0 */
/* Follow: replace the mount of an attachment by what its path leads to now.
 *
 * Sequence: compare the mount with the path, with nothing held, since a server may be waited for;
 * if they differ, with the container held: find the source, prepare the mount; note its ID, and the
 * one of the mount that it replaces; mount beneath that, and take it out; note that it is gone.
 * After a kill in between both IDs are known, and the mount table tells which of them stand.
 * Neither note is synced to disk: a power cut takes the mounts along.
 *
 * The Engine is not asked: the mount's namespace says that the container is the one of the record.
 */
#include "follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attachments.h"
#include "nested.h"
#include "observe.h"
#include "present.h"
#include "siblings.h"
#include "source.h"
#include "unmount.h"

/* --- what a crash leaves --- */

/* The former mount stands on top of the new one. */
static enum hv_code take_out(
	struct hv_attacher *attacher, const struct hv_record *record, struct hv_error *err)
{
	/* Strings are borrowed, but for those that the unmount may change. */
	struct hv_record old = *record;
	enum hv_code code;

	old.former = (struct hv_former){0};
	old.mount_id = record->former.mount_id;
	old.mountinfo_id = record->former.mountinfo_id;
	old.root_dev = record->former.root_dev;
	old.root_ino = record->former.root_ino;
	old.view.source = record->former.source;
	old.path = strdup(record->path);
	old.view.problem = NULL;
	old.problem = HV_PROBLEM_NONE;
	code = old.path ? hv_record_unmount(attacher, &old, true, err) : hv_oom(err);
	free(old.path);
	free(old.view.problem);
	return code;
}

enum hv_code hv_record_settle_follow(
	struct hv_attacher *attacher, struct hv_record *record, struct hv_error *err)
{
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;
	bool has_new, has_former;

	if (!record->former.mountinfo_id)
		return HV_OK;
	if (hv_sight_open(attacher, &sight, record, err) != HV_OK) {
		if (err->code != HV_OK)
			return err->code;
		hv_attachment_set_pending(record); /* they went with their container */
		return hv_store_attachment_note(attacher->store, record, err);
	}
	if (hv_sight_has_former(attacher, &sight, record, &has_new, &has_former, err) != HV_OK)
		return err->code;
	if (has_new && has_former && take_out(attacher, record, err) != HV_OK)
		return err->code;
	if (has_former && !has_new)
		hv_record_take_former(record);
	else
		hv_record_forget_former(record);
	/* Taken out for the new one, which did not come: there is no way back. */
	if (!has_new && !has_former && record->replace == HV_REPLACE_NONATOMIC)
		hv_attachment_set_pending(record);
	return has_new ? hv_store_attachment_followed(attacher->store, record, err)
		       : hv_store_attachment_note(attacher->store, record, err);
}

/* --- the replacement --- */

/* The container that a record's mount is in. */
static enum hv_code open_container(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_record *record = &attempt->record;
	struct hv_container *container = &attempt->container.container;

	container->id = strdup(record->view.container_id);
	container->name = strdup(record->view.container_name);
	container->started_at = record->started_at ? strdup(record->started_at) : NULL;
	container->pid = (int)record->pid;
	container->is_running = true;
	if (!container->id || !container->name || (record->started_at && !container->started_at))
		return hv_oom(err);
	return hv_record_open_ns(attempt->attacher, record, &attempt->container.ns, err);
}

static enum hv_code prepare(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const struct mc_attach_info *info;

	attempt->made_before = strdup(record->made);
	attempt->path_before = strdup(record->path);
	if (!attempt->made_before || !attempt->path_before)
		return hv_oom(err);
	if (hv_mount_op_find_present(attempt, err) != HV_OK ||
		hv_mount_op_prepare(attempt, err) != HV_OK)
		return err->code;
	info = mc_attach_info(attempt->mount);
	if (info->is_covering)
		return hv_fail(err, HV_BUSY, "%s in container '%s' is covered by another mount",
			record->view.target, record->view.container_name);
	if (strcmp(info->path, record->path) != 0)
		return hv_fail(err, HV_TARGET_REFUSED,
			"%s was renamed inside container '%s', and is %s there now",
			record->view.target, record->view.container_name, record->path);
	return HV_OK;
}

/* `attempt->record` has the present source already; `former` is taken over. */
static enum hv_code note_intent(
	struct hv_mount_op *attempt, const struct hv_former *former, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;

	record->former = *former;
	hv_record_set_state(record, HV_ATTACHED);
	if (hv_attachment_set_mount(attempt, false, err) != HV_OK)
		return err->code;
	return hv_store_attachment_note(attempt->attacher->store, record, err);
}

static enum hv_code mount(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	struct hv_former former = {.mount_id = record->mount_id,
		.mountinfo_id = record->mountinfo_id,
		.root_dev = record->root_dev,
		.root_ino = record->root_ino,
		.is_mapped = record->view.is_mapped,
		.no_suid = record->view.no_suid,
		.source = strdup(record->view.source)};

	if (!former.source)
		return hv_oom(err);
	if (hv_store_volume_get(attempt->attacher->store, record->view.volume, &attempt->volume,
		    err) != HV_OK ||
		prepare(attempt, err) != HV_OK) {
		record->former = former;
		hv_record_take_former(record); /* it stays what it was */
		return err->code;
	}
	if (note_intent(attempt, &former, err) != HV_OK || hv_nested_mount(attempt, err) != HV_OK)
		return err->code;
	hv_record_forget_former(record);
	return hv_store_attachment_followed(attempt->attacher->store, record, err);
}

/* With the container held; `record` is one of `siblings`. */
static enum hv_code replace(struct hv_attacher *attacher, const struct hv_records *siblings,
	struct hv_record *record, struct hv_error *err)
{
	hv_auto_attempt struct hv_mount_op attempt = {
		.attacher = attacher,
		.siblings = siblings,
		.container = {.ns = MC_NS_NONE},
		.record = *record,
		.follow = true,
		.is_following = true,
	};
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code;

	/* Cannot be too long: they were read into such buffers before. */
	strncpy(attempt.target, record->view.target, sizeof(attempt.target) - 1);
	if (record->view.subpath)
		strncpy(attempt.subpath, record->view.subpath, sizeof(attempt.subpath) - 1);
	code = open_container(&attempt, err);
	if (code == HV_OK)
		code = mount(&attempt, err);
	if (code != HV_OK && hv_record_settle_follow(attacher, &attempt.record, &ignored) != HV_OK)
		hv_attacher_notify(attacher, record->view.container_id, true);
	*record = attempt.record; /* given back */
	attempt.record = (struct hv_record){0};
	return code;
}

/* --- the look before --- */

/* Why it does not follow: HV_OK clears that. */
static enum hv_code note_problem(struct hv_attacher *attacher, struct hv_record *record,
	const struct hv_error *why, struct hv_error *err)
{
	const char *text = why->code == HV_OK ? NULL : hv_error_text(why);
	const char *known = record->problem == HV_PROBLEM_FOLLOW ? record->view.problem : NULL;

	if ((!text && !known) || (text && known && strcmp(text, known) == 0))
		return HV_OK;
	if (!text)
		hv_record_set_state(record, record->view.state);
	else if (hv_record_set_problem(record, HV_PROBLEM_FOLLOW, err, "%s", text) != HV_OK)
		return err->code;
	return hv_store_attachment_note(attacher->store, record, err);
}

static struct hv_record *find(const struct hv_records *records, const char *id)
{
	for (struct hv_record *record = NULL; (record = hv_records_next(records, record));)
		if (strcmp(record->view.id, id) == 0)
			return record;
	return NULL;
}

/* Whether it is one to follow, as the store has it. */
static bool is_followed(const struct hv_record *record)
{
	return record && record->view.follow && record->is_done && !record->is_ending &&
	       !hv_attachment_has_ended(record);
}

/* Compare, waiting for nobody else's lock. */
static enum hv_code look(struct hv_attacher *attacher, struct hv_record *record,
	enum hv_follow_is *ret, struct hv_error *err)
{
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;
	hv_auto_source_change struct hv_source_change change = {0};

	*ret = HV_FOLLOW_AWAY;
	if (record->former.mountinfo_id) { /* to be settled first */
		*ret = HV_FOLLOW_OTHER;
		return HV_OK;
	}
	if (hv_attachment_refresh_in(attacher, &sight, record, err) != HV_OK)
		return err->code;
	if (record->view.state != HV_ATTACHED)
		return HV_OK;
	if (hv_record_check_source(attacher, &sight, record, NULL, &change, err) != HV_OK)
		return err->code;
	if (change.kind == HV_SOURCE_SAME)
		*ret = HV_FOLLOW_SAME;
	else if (change.kind == HV_SOURCE_REPLACED)
		*ret = HV_FOLLOW_OTHER;
	else
		*ret = change.kind == HV_SOURCE_DEAD ? HV_FOLLOW_DEAD : HV_FOLLOW_GONE;
	return HV_OK;
}

/* As it is now, with its container held. */
static enum hv_code follow(struct hv_attacher *attacher, const char *container_id, const char *id,
	enum hv_follow_is *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_error struct hv_error noted = {0};
	struct hv_record *record;
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, container_id);
	if (hv_siblings_read(attacher, container_id, &siblings, err) != HV_OK)
		return err->code;
	record = find(&siblings, id);
	*ret = HV_FOLLOW_OVER;
	if (!is_followed(record))
		return HV_OK;
	if (hv_record_settle_follow(attacher, record, err) != HV_OK ||
		look(attacher, record, ret, err) != HV_OK || *ret != HV_FOLLOW_OTHER)
		return err->code;
	code = replace(attacher, &siblings, record, err);
	if (code == HV_OK)
		*ret = HV_FOLLOW_DONE;
	else if (record->view.state == HV_ATTACHED && code != HV_NOT_RUNNING)
		(void)!note_problem(attacher, record, err, &noted);
	return code;
}

enum hv_code hv_attachment_note_unwatched(
	struct hv_attacher *attacher, const char *id, const char *why, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = id};
	hv_auto_records struct hv_records found = {0}, now = {0};
	hv_auto_error struct hv_error reason = {0};
	struct hv_record *record;

	if (hv_records_list(attacher, &filter, &found, err) != HV_OK)
		return err->code;
	record = find(&found, id);
	if (!record)
		return HV_OK;
	if (why)
		hv_fail(&reason, HV_INTERNAL, "%s", why);
	HV_HOLD(hold, &attacher->locks, record->view.container_id);
	if (hv_records_list(attacher, &filter, &now, err) != HV_OK)
		return err->code;
	record = find(&now, id);
	return is_followed(record) && record->view.state == HV_ATTACHED &&
			       !record->former.mountinfo_id
		       ? note_problem(attacher, record, &reason, err)
		       : HV_OK;
}

enum hv_code hv_attachment_follow(
	struct hv_attacher *attacher, const char *id, enum hv_follow_is *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = id};
	hv_auto_records struct hv_records found = {0};
	struct hv_record *record;

	*ret = HV_FOLLOW_OVER;
	if (hv_records_list(attacher, &filter, &found, err) != HV_OK)
		return err->code;
	record = find(&found, id);
	if (!is_followed(record))
		return HV_OK;
	if (record->pid == 0) {
		*ret = HV_FOLLOW_AWAY;
		if (record->problem != HV_PROBLEM_NONE) /* else it waits for a start */
			hv_attacher_notify(attacher, record->view.container_id, true);
		return HV_OK;
	}
	if (look(attacher, record, ret, err) != HV_OK)
		return err->code;
	if (*ret == HV_FOLLOW_SAME && record->problem == HV_PROBLEM_FOLLOW)
		return hv_attachment_note_unwatched(attacher, id, NULL, err);
	return *ret == HV_FOLLOW_OTHER ? follow(attacher, record->view.container_id, id, ret, err)
				       : HV_OK;
}

/* --- which --- */

static enum hv_code add(struct hv_attacher *attacher, const struct hv_record *record,
	struct hv_followed_list *ret, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	char asked[PATH_MAX], path[PATH_MAX];
	const char *subpath = record->view.subpath ? record->view.subpath : "";
	struct hv_followed *items;

	if (hv_store_volume_get(attacher->store, record->view.volume, &volume, err) != HV_OK)
		return err->code;
	hv_volume_asked(attacher->volumes, &volume, asked);
	if (snprintf(path, sizeof(path), "%s%s%s", asked, *subpath ? "/" : "", subpath) >=
		(int)sizeof(path))
		return HV_OK; /* nothing can be there */
	items = reallocarray(ret->items, ret->count + 1, sizeof(*items));
	if (!items)
		return hv_oom(err);
	ret->items = items;
	items[ret->count] =
		(struct hv_followed){strdup(record->view.id), strdup(record->view.container_id),
			strdup(record->view.container_name), strdup(path), record->view.state};
	ret->count++;
	return items[ret->count - 1].id && items[ret->count - 1].container_id &&
			       items[ret->count - 1].container_name && items[ret->count - 1].path
		       ? HV_OK
		       : hv_oom(err);
}

enum hv_code hv_attachments_followed(struct hv_attacher *attacher, const char *container_id,
	struct hv_followed_list *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.container_id = container_id};
	hv_auto_records struct hv_records records = {0};

	*ret = (struct hv_followed_list){0};
	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));)
		if (is_followed(record) && add(attacher, record, ret, err) != HV_OK) {
			if (err->code != HV_NO_SUCH_VOLUME)
				return err->code;
			hv_error_done(err);
		}
	return HV_OK;
}

void hv_followed_list_done(struct hv_followed_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].id);
		free(list->items[i].container_id);
		free(list->items[i].container_name);
		free(list->items[i].path);
	}
	free(list->items);
	*list = (struct hv_followed_list){0};
}
