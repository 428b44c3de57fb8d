/* Attach.
 *
 * Sequence: read the request; look the volume up; find the container and make sure of it; then,
 * with the container held: answer a repeated request; with the volume held: prepare the mount,
 * commit the intent; mount and verify; commit the attachment.  On failure, undo backwards.
 * If the container does not run, only the record is written: its next start attaches the volume. */
#include "attach/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attempt.h"
#include "container.h"
#include "hidden.h"
#include "made.h"
#include "mount.h"
#include "nested.h"
#include "recorded.h"
#include "request.h"
#include "settle.h"
#include "siblings.h"

/* Write the intent, or the attachment that is only wanted yet, while the volume is held, so that it
 * cannot be removed under it. */
static enum hv_code commit(struct hv_attempt *attempt, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	struct hv_volume now = {0};
	enum hv_code code;

	HV_HOLD(hold, &attacher->volumes->locks, attempt->volume.name);
	code = hv_store_volume_get(attacher->store, attempt->volume.name, &now, err);
	if (code == HV_OK && (strcmp(now.source, attempt->volume.source) != 0 ||
				     strcmp(now.created_at, attempt->volume.created_at) != 0))
		code = hv_fail(
			err, HV_NO_SUCH_VOLUME, "volume '%s' was replaced meanwhile", now.name);
	attempt->is_outdated = code == HV_OK && now.read_only != attempt->volume.read_only;
	if (attempt->is_outdated)
		code = hv_fail(err, HV_BUSY, "option ro of volume '%s' was changed meanwhile",
			attempt->volume.name);
	hv_volume_done(&now);
	return code == HV_OK ? hv_store_attachment_put(attacher->store, &attempt->record, err)
			     : code;
}

/* The container may make preparing slow: not while the volume is held, which Docker's Mount needs.
 */
static enum hv_code intend(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	enum hv_code code = hv_attempt_prepare(attempt, err);

	if (code == HV_OK)
		code = hv_attempt_check_resolved(attempt, ret, err);
	if (code == HV_OK)
		hv_attempt_find_hidden(attempt, &attempt->record.view.warnings);
	if (code == HV_OK)
		code = hv_attempt_fill_mount(attempt, false, err);
	return code == HV_OK ? commit(attempt, err) : code;
}

/* The mount stands, and its record cannot be written. */
static enum hv_code fail_unrecorded(const struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_attachment *view = &attempt->record.view;
	struct hv_error cause = *err;

	*err = (struct hv_error){0};
	hv_fail(err, HV_STATE_UNREADABLE,
		"volume '%s' is attached at %s in container '%s', but that is not recorded yet: %s",
		view->volume, view->target, view->container_name, hv_error_text(&cause));
	hv_error_done(&cause);
	return hv_hint(
		err, "repair the disk: the attachment is then recorded, and can be detached");
}

/* Settle a failure after the intent was written, as after a crash: now or, if that fails as well,
 * later.  Returns HV_OK if the volume is attached all the same. */
static enum hv_code settle(struct hv_attempt *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	struct hv_repaired ignored_counts = {0};
	struct hv_error ignored = {0};
	enum hv_code code;

	record->is_done = false;
	if (!attempt->is_mounted && record->made)
		*record->made = '\0'; /* nothing was left */
	code = !record->path || !record->made
		       ? HV_INTERNAL
		       : hv_record_settle(attempt->attacher, record, &ignored_counts, &ignored);
	hv_error_done(&ignored);
	if (code != HV_OK || record->is_done)
		hv_attacher_poke(attempt->attacher, record->view.container_id, true);
	if (code == HV_OK && hv_record_is_mounted(record)) {
		hv_error_done(err);
		return HV_OK;
	}
	return code != HV_OK && attempt->is_mounted && hv_record_is_mounted(record)
		       ? fail_unrecorded(attempt, err)
		       : err->code;
}

/* Whether the replaced mount was renamed inside the container, so that the new one does not take it
 * out.  Do not look for it otherwise: before 6.8 another mount may have its number. */
static bool stands_elsewhere(const struct hv_attempt *attempt)
{
	return attempt->is_mounted_before && attempt->record.path &&
	       strcmp(attempt->path_before, attempt->record.path) != 0;
}

static enum hv_code mount_and_record(struct hv_attempt *attempt, struct hv_error *err)
{
	enum hv_code code = hv_nested_mount(attempt, err);

	if (code == HV_OK)
		code = hv_target_check_alive(&attempt->container, err);
	if (code == HV_OK && stands_elsewhere(attempt))
		code = hv_record_end_replaced(attempt->attacher, &attempt->record, err);
	attempt->record.is_done = code == HV_OK;
	if (code == HV_OK)
		code = hv_store_attachment_update(attempt->attacher->store, &attempt->record, err);
	return code == HV_OK ? code : settle(attempt, err);
}

/* Record what is wanted of a container that does not run. */
static enum hv_code record_wanted(struct hv_attempt *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	const struct mc_made nothing = {0};

	record->path = strdup(attempt->path_before ? attempt->path_before : attempt->target);
	record->made = hv_made_join(attempt->made_before, &nothing);
	record->is_done = true;
	if (!record->path || !record->made)
		return hv_oom(err);
	return commit(attempt, err);
}

/* With the container held, which runs or does not, and its records read. */
static enum hv_code attach_held(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	bool is_running = attempt->container.ns.ns_fd >= 0;
	enum hv_code code = hv_attempt_check_recorded(attempt, ret, err);

	if (code == HV_OK)
		code = is_running ? intend(attempt, ret, err) : record_wanted(attempt, err);
	if (code == HV_TARGET_EXISTS && err->code == HV_OK)
		return HV_OK; /* asked before: `ret` is the answer of then */
	if (code == HV_OK && is_running)
		code = mount_and_record(attempt, err);
	for (size_t i = 0; code == HV_OK && i < attempt->volumes_before.count; i++)
		hv_volume_unused(attempt->attacher->volumes, attempt->volumes_before.items[i]);
	if (code == HV_OK) {
		*ret = attempt->record.view;
		attempt->record.view = (struct hv_attachment){0};
	}
	return code;
}

static enum hv_code hold_and_attach(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	const char *container = attempt->container.container.id;
	struct hv_siblings siblings = {0};
	enum hv_code code = HV_OK;

	HV_HOLD(hold, &attempt->attacher->locks, container);
	if (attempt->container.ns.ns_fd >= 0)
		code = hv_target_check_alive(&attempt->container, err);
	if (code == HV_OK)
		code = hv_siblings_read(attempt->attacher, container, &siblings, err);
	attempt->siblings = &siblings;
	if (code == HV_OK)
		code = attach_held(attempt, ret, err);
	attempt->is_waited_for = hv_siblings_wait(&siblings);
	attempt->siblings = NULL;
	hv_siblings_done(&siblings);
	return code;
}

static enum hv_code attach_to(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	enum hv_code code = hv_attempt_fill(attempt, err);

	if (code == HV_OK)
		code = hold_and_attach(attempt, ret, err);
	/* A stopped container may have started while its record was written; and other attachments
	 * may wait for this one. */
	if (code == HV_OK)
		hv_attacher_poke(attempt->attacher, attempt->container.container.id,
			attempt->container.ns.ns_fd < 0 || attempt->is_waited_for);
	return code;
}

/* `ret_is_outdated`: the volume was changed meanwhile, and nothing was done. */
static enum hv_code try_attach(struct hv_attacher *attacher,
	const struct hv_attach_request *request, struct hv_attachment *ret, bool *ret_is_outdated,
	struct hv_error *err)
{
	struct hv_attempt attempt = {
		.attacher = attacher,
		.request = request,
		.container = {.ns = MC_NS_NONE},
	};
	enum hv_code code = hv_attempt_read(&attempt, err);

	if (code == HV_OK)
		code = hv_attempt_find_volume(&attempt, err);
	if (code == HV_OK)
		code = hv_target_open(attacher, request->container, &attempt.container, err);
	if (code == HV_NOT_RUNNING && request->persist) {
		hv_error_done(err);
		code = HV_OK;
	}
	if (code == HV_OK)
		code = attach_to(&attempt, ret, err);
	*ret_is_outdated = attempt.is_outdated;
	hv_attempt_done(&attempt);
	return code;
}

enum hv_code hv_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
{
	bool is_outdated = false;
	enum hv_code code = try_attach(attacher, request, ret, &is_outdated, err);

	if (!is_outdated)
		return code;
	hv_error_done(err); /* once more; that it changes all the time nobody needs */
	return try_attach(attacher, request, ret, &is_outdated, err);
}
