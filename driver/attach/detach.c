/* SPDX-License-Identifier: Apache-2.0 */
/* Detach.
 *
 * Sequence, with the container held: find the record; look at its mount; note that it is about to
 * end; unmount; delete the record.  A failure is settled as after a crash. */
#include "detach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mountcore/path.h"

#include "attachment.h"
#include "attachments.h"
#include "container.h"
#include "cover.h"
#include "delete.h"
#include "follow.h"
#include "lease.h"
#include "observe.h"
#include "settle.h"
#include "siblings.h"
#include "unmount.h"

enum { WAIT_SECONDS_MAX = 24 * 60 * 60, WAIT_STEP_MS = 200, WAIT_STEP_MAX_MS = 1000 };

/* The users of one whose lease is over are looked for in the first tries of each such period. */
enum { USERS_MS = 30000, USERS_BEGIN_MS = 5000 };

enum hv_code hv_detach_check_wait(const struct hv_detach_request *request, struct hv_error *err)
{
	if (request->wait_seconds >= 0 && request->wait_seconds <= WAIT_SECONDS_MAX)
		return HV_OK;
	return hv_fail(
		err, HV_BAD_REQUEST, "\"WaitSeconds\" must be from 0 to %d", WAIT_SECONDS_MAX);
}

static enum hv_code check_request(const struct hv_detach_request *request, struct hv_error *err)
{
	bool has_id = request->id && *request->id;
	bool has_place =
		request->container && *request->container && request->target && *request->target;

	if (!has_id && !has_place)
		return hv_fail(
			err, HV_BAD_REQUEST, "\"ID\", or \"Container\" and \"Target\", is needed");
	if (has_id && has_place)
		return hv_fail(
			err, HV_BAD_REQUEST, "\"ID\" goes without \"Container\" and \"Target\"");
	return hv_detach_check_wait(request, err);
}

/* An attachment of a rule ends with the rule alone. */
static enum hv_code check_rule(struct hv_attacher *attacher,
	const struct hv_detach_request *request, const struct hv_attachment *view,
	struct hv_error *err)
{
	if (!view->rule || request->of_rule || !hv_rules_has(&attacher->rules, view->rule))
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST,
		"volume '%s' is attached at %s in container '%s' by rule %s, which holds for other containers too",
		view->volume, view->target, view->container_name, view->rule);
	return hv_hint(err, "end the rule, with all its attachments: docker hostvol detach %s",
		view->rule);
}

/* The record at `target` (NULL: any), or NULL.  A record with this very target goes before a record
 * whose symlinks led there. */
static struct hv_record *choose(const struct hv_records *records, const char *target)
{
	struct hv_record *found = NULL;

	for (struct hv_record *record = NULL; (record = hv_records_next(records, record));) {
		if (!record->is_done)
			continue;
		if (!target || strcmp(record->view.target, target) == 0)
			return record;
		if (!found && strcmp(record->path, target) == 0)
			found = record;
	}
	return found;
}

/* Find the record; `target` is NULL when the request names an ID.  Without a sentence if there is
 * none. */
static enum hv_code find(struct hv_attacher *attacher, const struct hv_record_filter *filter,
	const char *target, struct hv_record *ret, struct hv_error *err)
{
	hv_auto_records struct hv_records records = {0};
	struct hv_record *found;

	if (hv_records_list(attacher, filter, &records, err) != HV_OK)
		return err->code;
	found = choose(&records, target);
	if (!found)
		return HV_NO_SUCH_ATTACHMENT;
	*ret = *found;
	*found = (struct hv_record){0};
	return HV_OK;
}

static enum hv_code find_by_target(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_record *ret, struct hv_error *err)
{
	hv_auto_container struct hv_container container = {0};
	struct hv_record_filter filter = {0};
	char target[PATH_MAX];
	enum hv_code code;
	int rc = mc_path_clean(request->target, target, sizeof(target));

	if (rc == -ENAMETOOLONG)
		return hv_fail(err, HV_BAD_REQUEST, "the target path is too long");
	if (rc < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the target '%.255s' is not an absolute path",
			request->target);
	if (hv_engine_inspect(attacher->engine, request->container, HV_ENGINE_TIMEOUT_MS,
		    &container, err) != HV_OK)
		return err->code;
	filter.container_id = container.id;
	code = find(attacher, &filter, target, ret, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	hv_fail(err, code, "no volume is attached at %s in container '%s'", target, container.name);
	return hv_hint(err,
		"list the attachments (a docker run -v mount lasts as long as the container): docker hostvol ls --container %s",
		container.name);
}

static enum hv_code find_record(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_record *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = request->id};
	enum hv_code code;

	if (!request->id || !*request->id)
		return find_by_target(attacher, request, ret, err);
	code = find(attacher, &filter, NULL, ret, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	hv_fail(err, code, "no such attachment: %.64s", request->id);
	return hv_hint(err, "list the attachments: docker hostvol ls");
}

/* A record that was found a moment ago. */
static enum hv_code find_known(
	struct hv_attacher *attacher, const char *id, struct hv_record *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = id};
	enum hv_code code = find(attacher, &filter, NULL, ret, err);

	if (code == HV_NO_SUCH_ATTACHMENT)
		return hv_fail(err, code, "attachment %s was detached meanwhile", id);
	return code;
}

static void sleep_ms(long long ms)
{
	const struct timespec step = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&step, NULL);
}

/* A detach, from its first try to its last. */
struct ending {
	struct hv_attacher *attacher;
	struct hv_record *record; /* as it was found last */
	char container[128];      /* its ID, which has 64 */
	struct hv_unmount_manner manner;
	bool with_volume;
	bool is_begun;    /* the store says that it is about to end, or its lease does */
	bool is_lease;    /* it is detached because its lease is over */
	bool is_kept;     /* it was renewed meanwhile, or is wanted without the rule */
	const char *rule; /* it ends with this rule; NULL: for itself */
};

/* Say in the store that it is about to be unmounted, so that after a crash an unmounted one is
 * known to be detached, and not missing. */
static enum hv_code intend(struct ending *ending, struct hv_error *err)
{
	struct hv_record *record = ending->record;

	/* An earlier try may have said so. */
	if (!record->is_ending || record->is_ending_volume != ending->with_volume) {
		record->is_ending = true;
		record->is_ending_volume = ending->with_volume;
		if (hv_store_attachment_update(ending->attacher->store, record, err) != HV_OK)
			return err->code;
	}
	ending->is_begun = true;
	return HV_OK;
}

/* Of a lease that is over.  Nothing is noted before: that it is over says why the mount is gone. */
static void choose_manner(struct ending *ending)
{
	const struct hv_record *record = ending->record;
	long long over_ms = hv_lease_over_ms(&record->view);

	ending->manner.is_lazy = hv_lease_is_grace_over(&record->view);
	ending->manner.is_quick =
		record->problem == HV_PROBLEM_LEASE && over_ms % USERS_MS >= USERS_BEGIN_MS;
}

/* Read the record again: another request may have taken it out meanwhile, or the container was
 * restarted and it was attached again.  With the container held. */
static enum hv_code find_again(struct ending *ending, struct hv_error *err)
{
	struct hv_record now = {0};

	if (find_known(ending->attacher, ending->record->view.id, &now, err) != HV_OK)
		return err->code;
	hv_record_done(ending->record);
	*ending->record = now;
	return HV_OK;
}

/* It is gone, as asked: the reconciler was quicker, after a program unmounted it. */
static enum hv_code accept_gone(
	const struct ending *ending, enum hv_code code, struct hv_error *err)
{
	if (code != HV_NO_SUCH_ATTACHMENT || !ending->is_begun)
		return code;
	hv_error_done(err);
	return HV_OK;
}

/* A request may have taken it out of the rule that ends.  An earlier try may have noted its end. */
static enum hv_code keep_if_released(struct ending *ending, struct hv_error *err)
{
	struct hv_record *record = ending->record;

	if (!ending->rule || (record->view.rule && strcmp(record->view.rule, ending->rule) == 0))
		return HV_OK;
	ending->is_kept = true;
	if (!record->is_ending)
		return HV_OK;
	record->is_ending = false;
	if (hv_store_attachment_update(ending->attacher->store, record, err) == HV_OK)
		hv_attacher_notify(ending->attacher, ending->container, false);
	return err->code;
}

static enum hv_code try_to_end(struct ending *ending, struct hv_error *err)
{
	struct hv_attacher *attacher = ending->attacher;
	struct hv_record *record = ending->record;

	HV_HOLD(hold, &attacher->locks, ending->container);
	if (find_again(ending, err) != HV_OK)
		return accept_gone(ending, err->code, err);
	if (hv_record_settle_follow(attacher, record, err) != HV_OK)
		return err->code;
	ending->is_kept = ending->is_lease && !hv_lease_is_over(&record->view);
	if (keep_if_released(ending, err) != HV_OK)
		return err->code;
	if (ending->is_kept)
		return HV_OK;
	if (hv_attachment_refresh(attacher, record, err) != HV_OK)
		return err->code;
	if (record->view.state == HV_COVERED)
		return hv_record_fail_covered(attacher, record, HV_BUSY, err);
	if (ending->is_lease)
		choose_manner(ending);
	else if (record->pid > 0 && intend(ending, err) != HV_OK)
		return err->code;
	if (hv_record_unmount_as(attacher, record, &ending->manner, err) != HV_OK)
		return err->code;
	record->is_ending_volume = ending->with_volume;
	return hv_attachment_delete_with_volume(attacher, record, err);
}

/* Settle a failed detach as after a crash: now or, if that fails as well, later.  If the mount
 * stands it was not detached, and the error is the last try's.  Returns HV_OK if it has ended all
 * the same. */
static enum hv_code settle(struct ending *ending, struct hv_error *err)
{
	struct hv_attacher *attacher = ending->attacher;
	struct hv_record *record = ending->record;
	const struct hv_attachment *view = &record->view;
	struct hv_repaired counts = {0};
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code;

	HV_HOLD(hold, &attacher->locks, ending->container);
	code = find_again(ending, &ignored);
	if (code == HV_OK && record->is_ending)
		code = hv_record_settle_end(attacher, record, &counts, &ignored);
	if (counts.dropped > 0) {
		hv_error_done(err);
		return HV_OK;
	}
	if (code == HV_OK || code == HV_NO_SUCH_ATTACHMENT)
		return accept_gone(ending, code == HV_OK ? err->code : code, err);
	hv_attacher_notify(attacher, ending->container, true);
	if (!ending->is_begun || hv_record_is_mounted(record))
		return err->code;
	/* The mount is gone, and the record cannot be ended. */
	hv_fail(err, HV_STATE_UNREADABLE,
		"volume '%s' was taken out at %s in container '%s', but that is not recorded yet: %s",
		view->volume, view->target, view->container_name, hv_error_text(err));
	return hv_hint(err, "repair the disk: the detach is then recorded");
}

/* Whether another one waits, perhaps for this one's place. */
static bool is_waited(struct hv_attacher *attacher, const char *container_id)
{
	hv_auto_records struct hv_records siblings = {0};
	hv_auto_error struct hv_error ignored = {0};

	return hv_siblings_read(attacher, container_id, &siblings, &ignored) == HV_OK &&
	       hv_siblings_wait(&siblings);
}

/* End the attachment that was found, again and again while it is busy and there is time; the record
 * is given back as it was. */
static enum hv_code end_found(struct ending *ending, long long wait_seconds, struct hv_error *err)
{
	struct hv_attacher *attacher = ending->attacher;
	long long left_ms = wait_seconds * 1000, step_ms = WAIT_STEP_MS;
	enum hv_code code;

	snprintf(ending->container, sizeof(ending->container), "%s",
		ending->record->view.container_id);
	for (;;) {
		ending->manner.is_quick = left_ms > 0;
		code = try_to_end(ending, err);
		if (code != HV_BUSY || left_ms <= 0 || attacher->is_stopping)
			break;
		if (step_ms > left_ms)
			step_ms = left_ms;
		sleep_ms(step_ms);
		left_ms -= step_ms;
		step_ms = step_ms * 2 < WAIT_STEP_MAX_MS ? step_ms * 2 : WAIT_STEP_MAX_MS;
		hv_error_done(err);
	}
	if (code != HV_OK)
		code = settle(ending, err);
	if (code == HV_OK)
		hv_attacher_notify(
			attacher, ending->container, is_waited(attacher, ending->container));
	return code;
}

enum hv_code hv_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
{
	hv_auto_record struct hv_record record = {0};
	hv_auto_error struct hv_error ignored = {0};
	struct ending ending = {
		.attacher = attacher,
		.record = &record,
		.manner.is_lazy = request->lazy,
		.rule = request->of_rule,
	};
	enum hv_code code;

	if (check_request(request, err) != HV_OK ||
		find_record(attacher, request, &record, err) != HV_OK ||
		check_rule(attacher, request, &record.view, err) != HV_OK)
		return err->code;
	code = end_found(&ending, request->wait_seconds, err);
	if (code != HV_OK)
		return code;
	if (ending.is_kept)
		return hv_fail(err, HV_NO_SUCH_ATTACHMENT,
			"attachment %s was taken out of its rule meanwhile", record.view.id);
	/* For `docker volume rm` to work at once; else the reconciler does it. */
	if (record.view.driver)
		(void)!hv_keeper_check(attacher, record.view.volume, &ignored);
	if (!request->of_rule) /* one may have waited for the place */
		hv_attacher_notify_rules(attacher);
	*ret = record.view;
	record.view = (struct hv_attachment){0};
	return HV_OK;
}

enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err)
{
	hv_auto_record struct hv_record record = {0};
	struct ending ending = {.attacher = attacher, .record = &record, .with_volume = true};

	if (find_known(attacher, id, &record, err) != HV_OK)
		return err->code;
	return end_found(&ending, 0, err);
}

enum hv_code hv_detach_expired(
	struct hv_attacher *attacher, const char *id, bool *ret_is_kept, struct hv_error *err)
{
	hv_auto_record struct hv_record record = {0};
	struct ending ending = {
		.attacher = attacher, .record = &record, .is_begun = true, .is_lease = true};
	enum hv_code code;

	if (find_known(attacher, id, &record, err) != HV_OK)
		return accept_gone(&ending, err->code, err);
	code = end_found(&ending, 0, err);
	if (code != HV_OK)
		return code;
	*ret_is_kept = ending.is_kept;
	if (!ending.is_kept) /* a rule may have waited for the place */
		hv_attacher_notify_rules(attacher);
	return HV_OK;
}
