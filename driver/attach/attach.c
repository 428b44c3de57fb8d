/* SPDX-License-Identifier: Apache-2.0 */
/* Attach.
 *
 * Sequence: read the request; look the volume up; find the container and make sure of it; then,
 * with the container held: answer a repeated request; with the volume held: prepare the mount,
 * commit the intent; mount and verify; commit the attachment.  On failure, undo backwards.
 * If the container does not run, only the record is written: its next start attaches the volume. */
#include "attach/attach.h"

#include <string.h>

#include "wire/clock.h"
#include "wire/metrics.h"

#include "attachment.h"
#include "attachments.h"
#include "conflict.h"
#include "container.h"
#include "created_dirs.h"
#include "hidden.h"
#include "keeper.h"
#include "mount.h"
#include "mount_op.h"
#include "nested.h"
#include "request.h"
#include "settle.h"
#include "siblings.h"
#include "subpath.h"

enum { TRIES_MAX = 3 };

/* The value of an option; "" without it. */
static const char *option(const struct hv_volume *volume, const char *key)
{
	const char *value = hv_opts_get(&volume->opts, key);

	return value ? value : "";
}

/* Write the intent, or the attachment that is only wanted yet, while the volume is held, so that it
 * cannot be removed under it.  Others that attach it wait for the disk together. */
static enum hv_code commit(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	const struct hv_volume *known = &attempt->volume;
	const char *rule = attempt->request->rule;
	hv_auto_volume struct hv_volume now = {0};
	bool is_as_changed;
	enum hv_code code;

	HV_SHARE(hold, hv_volumes_locks(attacher->volumes), known->name);
	if (rule && !hv_rules_allow(&attacher->rules, rule))
		return hv_fail(err, HV_NO_SUCH_ATTACHMENT, "rule %s was ended meanwhile", rule);
	/* A borrowed one may end with another attachment; it is borrowed again then. */
	attempt->is_outdated = hv_mount_op_has_borrowed(attempt);
	if (hv_store_volume_get(attacher->store, known->name, &now, err) != HV_OK)
		return err->code;
	if ((!attempt->follow && strcmp(now.source, known->source) != 0) ||
		strcmp(now.created_at, known->created_at) != 0)
		return hv_fail(
			err, HV_NO_SUCH_VOLUME, "volume '%s' was replaced meanwhile", now.name);
	is_as_changed = strcmp(option(&now, "as"), option(known, "as")) != 0;
	attempt->is_outdated = now.read_only != known->read_only || is_as_changed;
	if (attempt->is_outdated)
		return hv_fail(err, HV_BUSY, "option %s of volume '%s' was changed meanwhile",
			is_as_changed ? "as" : "ro", known->name);
	code = hv_store_attachment_put(attacher->store, &attempt->record, err);
	attempt->is_outdated = code == HV_NO_SUCH_VOLUME;
	return code;
}

/* Settle a failure after the intent was written, as after a crash: now or, if that fails as well,
 * later.  Returns HV_OK if the volume is attached all the same. */
static enum hv_code settle(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const struct hv_attachment *view = &record->view;
	struct hv_repaired ignored_counts = {0};
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code = HV_INTERNAL;

	record->is_done = false;
	if (!attempt->is_mounted && record->made)
		*record->made = '\0'; /* nothing was left */
	if (record->path && record->made)
		code = hv_record_settle(attempt->attacher, record, &ignored_counts, &ignored);
	if (code != HV_OK || record->is_done)
		hv_attacher_notify(attempt->attacher, view->container_id, true);
	if (code == HV_OK && hv_record_is_mounted(record)) {
		hv_error_done(err);
		return HV_OK;
	}
	if (code == HV_OK || !attempt->is_mounted || !hv_record_is_mounted(record))
		return err->code;
	/* The mount stands, and its record cannot be written. */
	hv_fail(err, HV_STATE_UNREADABLE,
		"volume '%s' is attached at %s in container '%s', but that is not recorded yet: %s",
		view->volume, view->target, view->container_name, hv_error_text(err));
	return hv_hint(
		err, "repair the disk: the attachment is then recorded, and can be detached");
}

static enum hv_code mount_and_record(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;

	if (hv_nested_mount(attempt, err) != HV_OK ||
		hv_target_check_alive(&attempt->container, err) != HV_OK)
		return err->code;
	/* The replaced mount was renamed inside the container, so that the new one does not take it
	 * out.  Do not look for it otherwise: before 6.8 another mount may have its number. */
	if (attempt->is_mounted_before && record->path &&
		strcmp(attempt->path_before, record->path) != 0 &&
		hv_record_end_replaced(attempt->attacher, record, err) != HV_OK)
		return err->code;
	record->is_done = true;
	return hv_store_attachment_update(attempt->attacher->store, record, err);
}

/* Preparing may be slow: it comes before the volume is held, which Docker's Mount needs. */
static enum hv_code attach_now(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	if (hv_mount_op_prepare(attempt, err) != HV_OK ||
		hv_mount_op_check_resolved(attempt, ret, err) != HV_OK)
		return err->code;
	if (attempt->is_there)
		return HV_OK;
	hv_mount_op_find_hidden(attempt);
	if (hv_attachment_set_mount(attempt, false, err) != HV_OK || commit(attempt, err) != HV_OK)
		return err->code;
	return mount_and_record(attempt, err) == HV_OK ? HV_OK : settle(attempt, err);
}

/* Record what is wanted of a container that does not run. */
static enum hv_code record_wanted(struct hv_mount_op *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const struct mc_made nothing = {0};

	if (hv_mount_op_wants_subpath(attempt) &&
		(hv_volume_acquire(attempt->attacher->volumes, &attempt->volume, &attempt->use,
			 err) != HV_OK ||
			hv_mount_op_make_subpath(attempt, err) != HV_OK))
		return err->code;
	record->path = strdup(attempt->path_before ? attempt->path_before : attempt->target);
	record->made = hv_made_join(attempt->made_before, &nothing);
	record->is_done = true;
	if (!record->path || !record->made)
		return hv_oom(err);
	return commit(attempt, err);
}

static enum hv_code hold_and_attach(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	bool is_running = hv_mount_op_is_running(attempt);
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, attempt->container.container.id);
	if (is_running && hv_target_check_alive(&attempt->container, err) != HV_OK)
		return err->code;
	if (hv_mount_op_read_siblings(attempt, err) != HV_OK ||
		hv_mount_op_check_recorded(attempt, ret, err) != HV_OK)
		return err->code;
	if (!attempt->is_there) {
		code = is_running ? attach_now(attempt, ret, err) : record_wanted(attempt, err);
		if (code != HV_OK)
			return code;
	}
	attempt->is_waited_for = hv_siblings_wait(attempt->siblings);
	if (attempt->is_there)
		return HV_OK;
	for (size_t i = 0; i < attempt->volumes_before.count; i++)
		hv_volume_release_idle(attacher->volumes, attempt->volumes_before.items[i]);
	*ret = attempt->record.view;
	attempt->record.view = (struct hv_attachment){0};
	return HV_OK;
}

/* A volume of another driver must not be removed from now on. */
static enum hv_code keep(struct hv_mount_op *attempt, struct hv_error *err)
{
	if (!attempt->record.view.driver)
		return HV_OK;
	attempt->is_kept = true;
	return hv_keeper_hold(attempt->attacher, &attempt->volume, err);
}

/* The replaced ones may be removed. */
static void release_replaced(struct hv_mount_op *attempt)
{
	const struct hv_texts *names = &attempt->volumes_before;

	for (size_t i = 0; attempt->has_replaced_kept && i < names->count; i++) {
		hv_auto_error struct hv_error ignored = {0};

		(void)!hv_keeper_check(attempt->attacher, names->items[i], &ignored);
	}
}

static enum hv_code open_container(struct hv_mount_op *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;

	if (request->created_name)
		return hv_target_take_created(attempt->attacher, request->container,
			request->created_name, &attempt->container, err);
	return hv_target_open(attempt->attacher, request->container, &attempt->container, err);
}

static enum hv_code try_attach(
	struct hv_mount_op *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_target *container = &attempt->container;
	enum hv_code code;

	if (hv_mount_op_read(attempt, err) != HV_OK ||
		hv_mount_op_find_volume(attempt, err) != HV_OK)
		return err->code;
	code = open_container(attempt, err);
	if (code != HV_OK && !(code == HV_NOT_RUNNING && request->persist))
		return code;
	hv_error_done(err);
	if (hv_mount_op_fill(attempt, err) != HV_OK || keep(attempt, err) != HV_OK)
		return err->code;
	code = hold_and_attach(attempt, ret, err);
	/* A stopped container may have started while its record was written; and other attachments
	 * may wait for this one. */
	if (code == HV_OK)
		hv_attacher_notify(attempt->attacher, container->container.id,
			!hv_mount_op_is_running(attempt) || attempt->is_waited_for);
	return code;
}

/* The attach failed: the directories made in the source, and the borrowed volume. */
static void take_back(struct hv_mount_op *attempt)
{
	hv_auto_error struct hv_error ignored = {0};

	hv_mount_op_unmake_subpath(attempt);
	/* The next start finds a volume that stays. */
	if (hv_mount_op_has_borrowed(attempt) && !attempt->only_check && attempt->volume.name)
		(void)!hv_volume_return(attempt->attacher->volumes, attempt->volume.name, &ignored);
	hv_error_done(&ignored);
	if (attempt->is_kept && attempt->volume.name)
		(void)!hv_keeper_check(attempt->attacher, attempt->volume.name, &ignored);
}

enum hv_code hv_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
{
	long long began_us = hv_clock_us();

	for (int tries = 1;; tries++) {
		hv_auto_attempt struct hv_mount_op attempt = {
			.attacher = attacher, .request = request, .container = {.ns = MC_NS_NONE}};
		enum hv_code code = try_attach(&attempt, ret, err);

		if (code == HV_OK && attempt.is_mounted)
			hv_timing_add(HV_TIME_ATTACH_REQUEST, hv_clock_us() - began_us);
		if (code == HV_OK)
			release_replaced(&attempt);
		else
			take_back(&attempt);
		if (!attempt.is_outdated || tries == TRIES_MAX)
			return code;
		hv_error_done(err); /* once more; that it changes all the time nobody needs */
	}
}
