/* Attach again, at a later start of the container of a record.
 *
 * Sequence, with the container held: prepare the mount; note it as pending, with its ID; mount and
 * verify; note it as attached.  After a kill in between, the note tells the daemon whether the
 * mount was made, so that it never mounts on top of it.  Neither note is synced to disk: a power
 * cut takes the mount along. */
#include "again.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attachment.h"
#include "attempt.h"
#include "container.h"
#include "mount.h"

/* Restore the record: the paths were not created, or are deleted again. */
static void forget_made(struct hv_attempt *attempt)
{
	struct hv_record *record = &attempt->record;

	if (!attempt->made_before || !attempt->path_before)
		return;
	free(record->made);
	free(record->path);
	record->made = attempt->made_before;
	record->path = attempt->path_before;
	attempt->made_before = attempt->path_before = NULL;
}

/* "pending", and why.  A mount that stands stays noted, and is found later. */
static enum hv_code note_failure(struct hv_attempt *attempt, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	struct hv_error ignored = {0};
	char *problem = NULL;

	/* The start of one that is held is denied when that is over. */
	if (record->view.required && attempt->container.container.started_at &&
		asprintf(&problem,
			"it is required, but container '%s' had started before that could be refused: %s",
			record->view.container_name, hv_error_text(err)) < 0)
		problem = NULL;
	if (!attempt->is_mounted)
		forget_made(attempt);
	if (!attempt->is_mounted)
		hv_record_forget_mount(record);
	if (!attempt->is_mounted &&
		hv_record_set_problem(record, HV_PROBLEM_FAILED,
			problem ? problem : hv_error_text(err), &ignored) == HV_OK)
		(void)!hv_store_attachment_note(attempt->attacher->store, record, &ignored);
	hv_error_done(&ignored);
	free(problem);
	return err->code;
}

static enum hv_code prepare(struct hv_attempt *attempt, bool is_back, struct hv_error *err)
{
	struct hv_record *record = &attempt->record;
	enum hv_code code = hv_store_volume_get(
		attempt->attacher->store, record->view.volume, &attempt->volume, err);

	record->view.read_only = record->view.read_only || attempt->volume.read_only;
	attempt->made_before = strdup(record->made);
	attempt->path_before = strdup(record->path);
	if (!is_back) { /* these values are of an earlier start */
		record->view.late_ms = HV_LATE_UNKNOWN;
		record->refusal = HV_REFUSAL_NONE;
	}
	if (code == HV_OK && (!attempt->made_before || !attempt->path_before))
		code = hv_oom(err);
	if (code == HV_OK)
		code = hv_attempt_fit(attempt, err);
	if (code == HV_OK)
		code = hv_attempt_prepare(attempt, err);
	return code == HV_OK ? hv_attempt_fill_mount(attempt, false, err) : code;
}

/* How an attachment is made again. */
struct manner {
	const struct hv_siblings *siblings; /* as for hv_attach_again() */
	hv_mount_fn *mount;
	bool is_back; /* the mount was unmounted only for a moment */
};

static enum hv_code attach(
	struct hv_attempt *attempt, const struct manner *manner, struct hv_error *err)
{
	struct hv_store *store = attempt->attacher->store;
	struct hv_record *record = &attempt->record;
	enum hv_code code = prepare(attempt, manner->is_back, err);

	if (code == HV_OK)
		hv_record_set_state(record, HV_PENDING);
	if (code == HV_OK && !manner->is_back) /* as well as is known, if it is found by the note */
		record->view.late_ms = hv_target_late_ms(&attempt->container);
	if (code == HV_OK)
		code = hv_store_attachment_note(store, record, err);
	if (code == HV_OK)
		code = manner->mount(attempt, err);
	if (code == HV_OK)
		code = hv_target_check_alive(&attempt->container, err);
	if (code != HV_OK)
		return note_failure(attempt, err);
	hv_record_set_state(record, HV_ATTACHED);
	if (!manner->is_back)
		record->view.late_ms = hv_target_late_ms(&attempt->container);
	/* If this fails the first note finds the mount. */
	return hv_store_attachment_note(store, record, err);
}

static enum hv_code attach_again(struct hv_attacher *attacher, const struct hv_target *target,
	const struct manner *manner, struct hv_record *record, struct hv_error *err)
{
	struct hv_attempt attempt = {
		.attacher = attacher,
		.siblings = manner->siblings,
		.container = *target,
		.record = *record,
	};
	enum hv_code code;

	/* Cannot be too long: they were read into such buffers before. */
	strncpy(attempt.target, record->view.target, sizeof(attempt.target) - 1);
	if (record->view.subpath)
		strncpy(attempt.subpath, record->view.subpath, sizeof(attempt.subpath) - 1);
	code = attach(&attempt, manner, err);
	*record = attempt.record;
	attempt.record = (struct hv_record){0};
	attempt.container = (struct hv_target){.ns = MC_NS_NONE};
	hv_attempt_done(&attempt);
	return code;
}

enum hv_code hv_attach_again(struct hv_attacher *attacher, const struct hv_target *target,
	const struct hv_siblings *siblings, hv_mount_fn *mount, struct hv_record *record,
	struct hv_error *err)
{
	const struct manner manner = {.siblings = siblings, .mount = mount};

	return attach_again(attacher, target, &manner, record, err);
}

enum hv_code hv_attach_back(struct hv_attacher *attacher, const struct hv_target *target,
	struct hv_record *record, struct hv_error *err)
{
	const struct manner manner = {.mount = hv_attempt_mount, .is_back = true};

	return attach_again(attacher, target, &manner, record, err);
}
