/* The attachments already recorded at the target of a new one. */
#include "recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "container.h"
#include "cover.h"
#include "leftover.h"
#include "observe.h"
#include "source.h"

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_pending(const struct hv_record *record)
{
	return record->view.state == HV_PENDING;
}

/* Compare the requests while a result is not known yet; `b` is the new one. */
static bool is_same_wish(const struct hv_record *a, const struct hv_record *b)
{
	return a->may_map == b->may_map && a->must_map == b->must_map &&
	       a->is_suid_said == b->is_suid_said &&
	       (!a->is_suid_said || a->view.no_suid == b->view.no_suid);
}

static bool is_same(const struct hv_record *a, const struct hv_record *b)
{
	const struct hv_attachment *one = &a->view, *two = &b->view;
	bool is_known = !is_pending(a) && !is_pending(b);

	if (is_known && (one->no_suid != two->no_suid || one->is_mapped != two->is_mapped))
		return false;
	if (!is_known && !is_same_wish(a, b))
		return false;
	/* Where it stands already it needs nothing else to go. */
	if (!is_known && b->replace != HV_REPLACE_NO && a->replace != b->replace)
		return false;
	return strcmp(one->volume, two->volume) == 0 && one->read_only == two->read_only &&
	       is_same_text(one->subpath, two->subpath) && one->no_dev == two->no_dev &&
	       one->no_exec == two->no_exec && one->persist == two->persist &&
	       one->required == two->required;
}

static enum hv_code refuse(
	const struct hv_attempt *attempt, const struct hv_record *other, struct hv_error *err)
{
	const struct hv_attachment *view = &other->view;
	bool is_same_volume = strcmp(view->volume, attempt->volume.name) == 0;

	hv_fail(err, HV_TARGET_EXISTS,
		"volume '%s' is attached at %s in container '%s' already%s%s", view->volume,
		view->target, view->container_name, is_pending(other) ? ", when that starts" : "",
		is_same_volume ? ", with other options" : "");
	return hv_hint(err, "attach with --replace, or detach first: docker hostvol detach %s:%s",
		view->container_name, view->target);
}

/* Put it with those that the new one takes the place of, in the commit that finishes that. */
static enum hv_code add_replaced(
	struct hv_attempt *attempt, const struct hv_record *other, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const char *before = record->replaces ? record->replaces : "";
	char *all = NULL;

	if (hv_texts_add(&attempt->volumes_before, other->view.volume) < 0 ||
		asprintf(&all, "%s%s%s", before, *before ? " " : "", other->view.id) < 0)
		return hv_oom(err);
	free(record->replaces);
	record->replaces = all;
	return hv_leftovers_add(&record->leftovers, other, err);
}

static enum hv_code copy_before(
	struct hv_attempt *attempt, const struct hv_record *other, struct hv_error *err)
{
	free(attempt->made_before);
	free(attempt->path_before);
	attempt->made_before = strdup(other->made);
	attempt->path_before = strdup(other->path);
	if (!attempt->made_before || !attempt->path_before)
		return hv_oom(err);
	return HV_OK;
}

/* The new one takes its place.  That its mount is gone already is written down before, so that
 * nobody thinks later that it was taken out for the new one. */
static enum hv_code replace(
	struct hv_attempt *attempt, const struct hv_record *other, struct hv_error *err)
{
	bool is_mounted = hv_record_is_mounted(other);
	enum hv_code code = HV_OK;

	if (attempt->only_check)
		return HV_OK;
	if (is_mounted && attempt->is_mounted_before) /* a second one, known by another path */
		return refuse(attempt, other, err);
	if (!is_mounted)
		code = hv_store_attachment_note(attempt->attacher->store, other, err);
	if (code == HV_OK && (is_mounted || !attempt->path_before))
		code = copy_before(attempt, other, err);
	attempt->is_mounted_before = attempt->is_mounted_before || is_mounted;
	return code == HV_OK ? add_replaced(attempt, other, err) : code;
}

/* As the kernel sees it.  A process loses its namespaces a moment before it has ended: a record of
 * this very start that waits for the next one now says that this one is over, mounts or not. */
static enum hv_code refresh(const struct hv_attempt *attempt, struct hv_sight *sight,
	struct hv_record *other, struct hv_error *err)
{
	bool is_of_start = !is_pending(other) && other->ns_ino == attempt->container.ns.ino;
	enum hv_code code = hv_attachment_refresh_in(attempt->attacher, sight, other, err);

	if (code == HV_OK && is_of_start && is_pending(other))
		return hv_target_fail_changed(&attempt->container, err);
	return code;
}

/* The same, and whether it is what would be attached now, if it is what was asked for. */
static enum hv_code look(const struct hv_attempt *attempt, struct hv_record *other,
	struct hv_source_change *ret, struct hv_error *err)
{
	struct hv_sight sight = HV_SIGHT_NONE;
	enum hv_code code = refresh(attempt, &sight, other, err);

	if (code == HV_OK && hv_record_is_mounted(other) && is_same(other, &attempt->record))
		code = hv_record_check_source(attempt->attacher, &sight, other, false, ret, err);
	hv_sight_done(&sight);
	return code;
}

/* The same is attached there, or wanted: that is the answer, unless there is something to do. */
static enum hv_code meet_same(struct hv_attempt *attempt, struct hv_record *other,
	const struct hv_source_change *change, struct hv_attachment *ret, struct hv_error *err)
{
	bool is_running = attempt->container.ns.ns_fd >= 0;

	if (is_running && !hv_record_is_mounted(other))
		return replace(attempt, other, err); /* now is the time for it */
	if (change->kind != HV_SOURCE_SAME)
		return attempt->record.replace == HV_REPLACE_NO
			       ? hv_source_refuse(other, change, err)
			       : replace(attempt, other, err);
	*ret = other->view;
	other->view = (struct hv_attachment){0};
	return HV_TARGET_EXISTS;
}

static enum hv_code meet(struct hv_attempt *attempt, struct hv_record *other,
	struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_source_change change = {0};
	bool is_wanted;
	enum hv_code code = look(attempt, other, &change, err);

	if (code == HV_OK && !other->is_done && !attempt->only_check &&
		hv_record_is_mounted(other)) {
		other->is_done = true; /* an intent that was not settled yet */
		code = hv_store_attachment_update(attempt->attacher->store, other, err);
	}
	if (code != HV_OK) {
		hv_source_change_done(&change);
		return code;
	}
	/* Nothing is mounted on it, and it cannot be taken out under what covers it. */
	if (other->view.state == HV_COVERED) {
		hv_source_change_done(&change);
		return hv_record_fail_covered(attempt->attacher, other, HV_TARGET_EXISTS, err);
	}
	is_wanted = hv_record_is_mounted(other) ||
		    (other->is_done && !hv_record_is_over(other) && is_pending(other));
	if (is_wanted && is_same(other, &attempt->record))
		code = meet_same(attempt, other, &change, ret, err);
	else if (is_wanted && attempt->record.replace == HV_REPLACE_NO)
		code = refuse(attempt, other, err);
	else
		code = replace(attempt, other, err);
	hv_source_change_done(&change);
	return code;
}

static bool is_at(const struct hv_record *record, const char *path)
{
	return strcmp(record->view.target, path) == 0 || strcmp(record->path, path) == 0;
}

/* Check the attachments recorded at `path`, but not at `but`, which may be NULL. */
static enum hv_code check_at(struct hv_attempt *attempt, const char *path, const char *but,
	struct hv_attachment *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {
		.container_id = attempt->container.container.id,
	};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(attempt->attacher->store, &filter, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		if (is_at(&records[i], path) && !(but && is_at(&records[i], but)))
			code = meet(attempt, &records[i], ret, err);
	hv_records_free(records, count);
	return code;
}

enum hv_code hv_attempt_check_recorded(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	return check_at(attempt, attempt->target, NULL, ret, err);
}

enum hv_code hv_attempt_check_resolved(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	const char *path = mc_attach_info(attempt->mount)->path;

	if (strcmp(path, attempt->target) == 0)
		return HV_OK;
	return check_at(attempt, path, attempt->target, ret, err);
}
