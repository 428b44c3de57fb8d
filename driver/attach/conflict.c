/* SPDX-License-Identifier: Apache-2.0 */
/* The attachments already recorded at the target of a new one. */
#include "conflict.h"

#include <stdlib.h>
#include <string.h>

#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "cover.h"
#include "follow.h"
#include "lease.h"
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
	       a->is_suid_explicit == b->is_suid_explicit &&
	       (!a->is_suid_explicit || a->view.no_suid == b->view.no_suid);
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
	       is_same_text(one->subpath, two->subpath) && is_same_text(one->as, two->as) &&
	       one->no_dev == two->no_dev && one->no_exec == two->no_exec &&
	       one->persist == two->persist && one->required == two->required &&
	       one->follow == two->follow && one->is_slave == two->is_slave;
}

static enum hv_code refuse(
	const struct hv_mount_op *attempt, const struct hv_record *other, struct hv_error *err)
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
	struct hv_mount_op *attempt, const struct hv_record *other, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const char *before = record->replaces ? record->replaces : "";
	char *all;

	if (hv_texts_add(&attempt->volumes_before, other->view.volume) < 0)
		return hv_oom(err);
	all = hv_text_format("%s%s%s", before, *before ? " " : "", other->view.id);
	if (!all)
		return hv_oom(err);
	free(record->replaces);
	record->replaces = all;
	attempt->has_replaced_kept |= other->view.driver != NULL;
	return hv_leftovers_add(&record->leftovers, other, err);
}

/* Its mount cannot be taken out under a mount that the host has made on its source. */
static enum hv_code refuse_passed_on(const struct hv_record *other, struct hv_error *err)
{
	const struct hv_attachment *view = &other->view;

	hv_fail(err, HV_TARGET_EXISTS,
		"volume '%s' at %s in container '%s' cannot be replaced: the host has mounted something on its directory since, which is on top",
		view->volume, view->target, view->container_name);
	return hv_hint(err, "detach it first: docker hostvol detach %s:%s", view->container_name,
		view->target);
}

/* The new one takes its place.  That its mount is gone already is written down before, so that
 * nobody thinks later that it was taken out for the new one. */
static enum hv_code replace(
	struct hv_mount_op *attempt, const struct hv_record *other, struct hv_error *err)
{
	bool is_mounted = hv_record_is_mounted(other);

	if (other->is_passed_on)
		return refuse_passed_on(other, err);
	if (attempt->only_check || hv_record_replaces(&attempt->record, other->view.id))
		return HV_OK;
	if (is_mounted && attempt->is_mounted_before) /* a second one, known by another path */
		return refuse(attempt, other, err);
	if (!is_mounted && hv_store_attachment_note(attempt->attacher->store, other, err) != HV_OK)
		return err->code;
	if (is_mounted || !attempt->path_before) {
		free(attempt->made_before);
		free(attempt->path_before);
		attempt->made_before = strdup(other->made);
		attempt->path_before = strdup(other->path);
		if (!attempt->made_before || !attempt->path_before)
			return hv_oom(err);
	}
	attempt->is_mounted_before |= is_mounted;
	return add_replaced(attempt, other, err);
}

/* As the kernel sees it, and whether it is what would be attached now, if it is what was asked for.
 * A process loses its namespaces a moment before it has ended: a record of this very start that
 * waits for the next one now says that this one is over, mounts or not. */
static enum hv_code look(const struct hv_mount_op *attempt, struct hv_record *other,
	struct hv_source_change *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	hv_auto_sight struct hv_sight sight = HV_SIGHT_NONE;
	bool is_of_start = !is_pending(other) && other->ns_ino == attempt->container.ns.ino;

	if ((!attempt->only_check && hv_record_settle_follow(attacher, other, err) != HV_OK) ||
		hv_attachment_refresh_in(attacher, &sight, other, err) != HV_OK)
		return err->code;
	if (is_of_start && is_pending(other))
		return hv_target_fail_changed(&attempt->container, err);
	if (!hv_record_is_mounted(other) || !is_same(other, &attempt->record))
		return HV_OK;
	return hv_record_check_source(attacher, &sight, other, NULL, ret, err);
}

/* Say that the lease of what is there stays as it is, since the request asks for none. */
static enum hv_code warn_lease(struct hv_record *other, struct hv_error *err)
{
	hv_auto_free char *text = hv_text_format(
		"it is attached already, until %s; to change that, attach it again with --for",
		other->view.until);

	if (!text || hv_texts_add(&other->view.warnings, text) < 0)
		return hv_oom(err);
	return HV_OK;
}

/* A lease that is asked for takes the place of the lease of `other`.  Without one, a lease that is
 * over is taken away: the attachment was about to be detached, and is asked for again. */
static enum hv_code renew(
	struct hv_mount_op *attempt, struct hv_record *other, struct hv_error *err)
{
	const struct hv_attachment *asked = &attempt->record.view;

	if (!asked->until && !other->view.until)
		return HV_OK;
	if (!asked->until && !hv_lease_is_over(&other->view))
		return warn_lease(other, err);
	if (hv_lease_copy(&other->view, asked, err) != HV_OK)
		return err->code;
	if (other->problem == HV_PROBLEM_LEASE)
		hv_record_set_state(other, other->view.state);
	if (attempt->only_check)
		return HV_OK;
	return hv_store_attachment_update(attempt->attacher->store, other, err);
}

/* As the one before, it lasts as long as that would have. */
static enum hv_code inherit_lease(
	struct hv_mount_op *attempt, const struct hv_record *other, struct hv_error *err)
{
	struct hv_attachment *view = &attempt->record.view;

	if (view->until || hv_lease_is_over(&other->view))
		return HV_OK;
	return hv_lease_copy(view, &other->view, err);
}

/* Of a rule, or of another one: it is left alone by this one. */
static bool is_of_another(const struct hv_mount_op *attempt, const struct hv_record *other)
{
	const char *rule = attempt->request->rule;

	return rule && !is_same_text(rule, other->view.rule);
}

/* It is wanted for itself from now on. */
static enum hv_code release_of_rule(
	struct hv_mount_op *attempt, struct hv_record *other, struct hv_error *err)
{
	if (attempt->only_check || attempt->request->rule || !other->view.rule)
		return HV_OK;
	free(other->view.rule);
	other->view.rule = NULL;
	return hv_store_rule_release(attempt->attacher->store, other->view.id, err);
}

/* The same is attached there, or wanted: that is the answer, unless there is something to do. */
static enum hv_code meet_same(struct hv_mount_op *attempt, struct hv_record *other,
	const struct hv_source_change *change, struct hv_attachment *ret, struct hv_error *err)
{
	bool is_new = hv_mount_op_is_running(attempt) && !hv_record_is_mounted(other);
	bool is_changed = change->kind != HV_SOURCE_SAME;

	if (!is_new && is_changed && attempt->record.replace == HV_REPLACE_NO)
		return hv_source_refuse(other, change, err);
	if (is_new || is_changed) /* now is the time for it */
		return inherit_lease(attempt, other, err) == HV_OK ? replace(attempt, other, err)
								   : err->code;
	if (release_of_rule(attempt, other, err) != HV_OK || renew(attempt, other, err) != HV_OK)
		return err->code;
	*ret = other->view;
	other->view = (struct hv_attachment){0};
	attempt->is_there = true;
	return HV_OK;
}

static enum hv_code resolve_conflict(struct hv_mount_op *attempt, struct hv_record *other,
	struct hv_attachment *ret, struct hv_error *err)
{
	hv_auto_source_change struct hv_source_change change = {0};
	bool is_wanted;

	if (look(attempt, other, &change, err) != HV_OK)
		return err->code;
	if (!other->is_done && !attempt->only_check && hv_record_is_mounted(other)) {
		other->is_done = true; /* an intent that was not settled yet */
		if (hv_store_attachment_update(attempt->attacher->store, other, err) != HV_OK)
			return err->code;
	}
	/* Nothing is mounted on it, and it cannot be taken out under what covers it. */
	if (other->view.state == HV_COVERED)
		return hv_record_fail_covered(attempt->attacher, other, HV_TARGET_EXISTS, err);
	is_wanted = hv_record_is_mounted(other) ||
		    (other->is_done && !hv_attachment_has_ended(other) && is_pending(other));
	if (is_wanted && is_of_another(attempt, other))
		return refuse(attempt, other, err);
	if (is_wanted && is_same(other, &attempt->record))
		return meet_same(attempt, other, &change, ret, err);
	if (is_wanted && attempt->record.replace == HV_REPLACE_NO)
		return refuse(attempt, other, err);
	return replace(attempt, other, err);
}

static bool is_at(const struct hv_record *record, const char *path)
{
	return strcmp(record->view.target, path) == 0 || strcmp(record->path, path) == 0;
}

/* Check the attachments recorded at `path`, but not at `but`, which may be NULL. */
static enum hv_code check_at(struct hv_mount_op *attempt, const char *path, const char *but,
	struct hv_attachment *ret, struct hv_error *err)
{
	const struct hv_records *siblings = attempt->siblings;

	for (struct hv_record *other = NULL; (other = hv_records_next(siblings, other));) {
		if (attempt->is_there)
			break;
		if (is_at(other, path) && !(but && is_at(other, but)) &&
			resolve_conflict(attempt, other, ret, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

enum hv_code hv_mount_op_check_recorded(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	return check_at(attempt, attempt->target, NULL, ret, err);
}

/* Whether the one to be replaced is not on top any more, since it was looked at. */
static bool is_covered_now(const struct hv_mount_op *attempt)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);

	return attempt->is_mounted_before && info->is_covering &&
	       strcmp(info->path, attempt->path_before) == 0;
}

enum hv_code hv_mount_op_check_resolved(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	const char *path = mc_attach_info(attempt->mount)->path;

	if (strcmp(path, attempt->target) != 0 &&
		check_at(attempt, path, attempt->target, ret, err) != HV_OK)
		return err->code;
	if (attempt->is_there || !is_covered_now(attempt))
		return HV_OK;
	hv_fail(err, HV_TARGET_EXISTS,
		"volume '%s' cannot be attached at %s in container '%s': the mounts there changed just now",
		attempt->volume.name, attempt->target, attempt->record.view.container_name);
	return hv_hint(err, "nothing was changed; try again");
}
