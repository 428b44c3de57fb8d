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
#include "container.h"
#include "cover.h"
#include "delete.h"
#include "observe.h"
#include "settle.h"
#include "siblings.h"
#include "unmount.h"

enum { WAIT_SECONDS_MAX = 24 * 60 * 60, WAIT_STEP_MS = 200, WAIT_STEP_MAX_MS = 1000 };

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
	if (request->wait_seconds < 0 || request->wait_seconds > WAIT_SECONDS_MAX)
		return hv_fail(err, HV_BAD_REQUEST, "\"WaitSeconds\" must be from 0 to %d",
			WAIT_SECONDS_MAX);
	return HV_OK;
}

/* The record at `target` (NULL: any); `count` if there is none.  A record with this very target
 * goes before a record whose symlinks led there. */
static size_t choose(const struct hv_record *records, size_t count, const char *target)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		if (!records[i].is_done)
			continue;
		if (!target || strcmp(records[i].view.target, target) == 0)
			return i;
		if (found == count && strcmp(records[i].path, target) == 0)
			found = i;
	}
	return found;
}

/* Find the record; `target` is NULL when the request names an ID. */
static enum hv_code find(struct hv_attacher *attacher, const struct hv_record_filter *filter,
	const char *target, struct hv_record *ret, struct hv_error *err)
{
	struct hv_record *records = NULL;
	size_t count = 0, at;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, filter, &records, &count, err);

	if (code != HV_OK)
		return code;
	at = choose(records, count, target);
	if (at < count) {
		*ret = records[at];
		records[at] = (struct hv_record){0};
	}
	hv_records_free(records, count);
	return at < count ? HV_OK : HV_NO_SUCH_ATTACHMENT;
}

static enum hv_code find_by_target(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_record *ret, struct hv_error *err)
{
	struct hv_container container = {0};
	struct hv_record_filter filter = {0};
	char target[PATH_MAX];
	enum hv_code code;
	int rc = mc_path_clean(request->target, target, sizeof(target));

	if (rc == -ENAMETOOLONG)
		return hv_fail(err, HV_BAD_REQUEST, "the target path is too long");
	if (rc < 0)
		return hv_fail(err, HV_BAD_REQUEST, "the target '%.255s' is not an absolute path",
			request->target);
	code = hv_engine_inspect(
		attacher->engine, request->container, HV_ENGINE_TIMEOUT_MS, &container, err);
	if (code == HV_OK) {
		filter.container_id = container.id;
		code = find(attacher, &filter, target, ret, err);
	}
	if (code == HV_NO_SUCH_ATTACHMENT) {
		hv_fail(err, code, "no volume is attached at %s in container '%s'", target,
			container.name);
		hv_hint(err,
			"list the attachments (a docker run -v mount lasts as long as the container): docker hostvol ls --container %s",
			container.name);
	}
	hv_container_done(&container);
	return code;
}

static enum hv_code find_record(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_record *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = request->id};
	enum hv_code code;

	if (!request->id || !*request->id)
		return find_by_target(attacher, request, ret, err);
	code = find(attacher, &filter, NULL, ret, err);
	if (code == HV_NO_SUCH_ATTACHMENT) {
		hv_fail(err, code, "no such attachment: %.64s", request->id);
		hv_hint(err, "list the attachments: docker hostvol ls");
	}
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
	struct hv_record record; /* as it was found last */
	char container[128];     /* its ID, which has 64 */
	struct hv_unmount_manner manner;
	bool with_volume;
	bool is_begun; /* the store says that it is about to end */
};

/* Say in the store that it is about to be unmounted, so that after a crash an unmounted one is
 * known to be detached, and not missing. */
static enum hv_code intend(struct ending *ending, struct hv_error *err)
{
	struct hv_record *record = &ending->record;

	enum hv_code code = HV_OK;

	/* An earlier try may have said so. */
	if (!record->is_ending || record->is_ending_volume != ending->with_volume) {
		record->is_ending = true;
		record->is_ending_volume = ending->with_volume;
		code = hv_store_attachment_update(ending->attacher->store, record, err);
	}
	ending->is_begun = ending->is_begun || code == HV_OK;
	return code;
}

/* Read the record again: another request may have taken it out meanwhile, or the container was
 * restarted and it was attached again.  With the container held. */
static enum hv_code find_again(struct ending *ending, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = ending->record.view.id};
	struct hv_record now = {0};
	enum hv_code code = find(ending->attacher, &filter, NULL, &now, err);

	if (code == HV_NO_SUCH_ATTACHMENT)
		return hv_fail(
			err, code, "attachment %s was detached meanwhile", ending->record.view.id);
	if (code == HV_OK) {
		hv_record_done(&ending->record);
		ending->record = now;
	}
	return code;
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

static enum hv_code try_to_end(struct ending *ending, struct hv_error *err)
{
	struct hv_record *record = &ending->record;
	enum hv_code code;

	HV_HOLD(hold, &ending->attacher->locks, ending->container);
	code = find_again(ending, err);
	if (code != HV_OK)
		return accept_gone(ending, code, err);
	code = hv_attachment_refresh(ending->attacher, record, err);
	if (code == HV_OK && record->view.state == HV_COVERED)
		return hv_record_fail_covered(ending->attacher, record, HV_BUSY, err);
	if (code == HV_OK && record->pid > 0)
		code = intend(ending, err);
	if (code == HV_OK)
		code = hv_record_unmount_as(ending->attacher, record, &ending->manner, err);
	record->is_ending_volume = ending->with_volume;
	return code == HV_OK ? hv_record_end(ending->attacher, record, err) : code;
}

/* The mount is gone, and the record cannot be ended. */
static enum hv_code fail_unrecorded(const struct ending *ending, struct hv_error *err)
{
	const struct hv_attachment *view = &ending->record.view;
	struct hv_error cause = *err;

	*err = (struct hv_error){0};
	hv_fail(err, HV_STATE_UNREADABLE,
		"volume '%s' was taken out at %s in container '%s', but that is not recorded yet: %s",
		view->volume, view->target, view->container_name, hv_error_text(&cause));
	hv_error_done(&cause);
	return hv_hint(err, "repair the disk: the detach is then recorded");
}

/* Settle a failed detach as after a crash: now or, if that fails as well, later.  If the mount
 * stands it was not detached, and the error is the last try's.  Returns HV_OK if it has ended all
 * the same. */
static enum hv_code settle(struct ending *ending, struct hv_error *err)
{
	struct hv_record *record = &ending->record;
	struct hv_repaired counts = {0};
	struct hv_error ignored = {0};
	enum hv_code code;

	HV_HOLD(hold, &ending->attacher->locks, ending->container);
	code = find_again(ending, &ignored);
	if (code == HV_OK && record->is_ending)
		code = hv_record_settle_end(ending->attacher, record, &counts, &ignored);
	hv_error_done(&ignored);
	if (counts.dropped > 0) {
		hv_error_done(err);
		return HV_OK;
	}
	if (code == HV_OK || code == HV_NO_SUCH_ATTACHMENT)
		return accept_gone(ending, code == HV_OK ? err->code : code, err);
	hv_attacher_poke(ending->attacher, ending->container, true);
	return ending->is_begun && !hv_record_is_mounted(record) ? fail_unrecorded(ending, err)
								 : err->code;
}

/* Again and again while it is busy and there is time. */
static enum hv_code end_within(struct ending *ending, long long wait_seconds, struct hv_error *err)
{
	long long left_ms = wait_seconds * 1000, step_ms = WAIT_STEP_MS;
	enum hv_code code;

	ending->manner.is_quick = left_ms > 0;
	code = try_to_end(ending, err);
	while (code == HV_BUSY && left_ms > 0 && !ending->attacher->is_stopping) {
		if (step_ms > left_ms)
			step_ms = left_ms;
		sleep_ms(step_ms);
		left_ms -= step_ms;
		step_ms = step_ms * 2 < WAIT_STEP_MAX_MS ? step_ms * 2 : WAIT_STEP_MAX_MS;
		ending->manner.is_quick = left_ms > 0;
		hv_error_done(err);
		code = try_to_end(ending, err);
	}
	return code == HV_OK ? code : settle(ending, err);
}

/* Whether another one waits, perhaps for this one's place. */
static bool is_waited(struct hv_attacher *attacher, const char *container_id)
{
	struct hv_siblings siblings = {0};
	struct hv_error ignored = {0};
	bool is_so = hv_siblings_read(attacher, container_id, &siblings, &ignored) == HV_OK &&
		     hv_siblings_wait(&siblings);

	hv_siblings_done(&siblings);
	hv_error_done(&ignored);
	return is_so;
}

/* End the attachment that was found; the record is given back as it was. */
static enum hv_code end_found(struct ending *ending, long long wait_seconds, struct hv_error *err)
{
	enum hv_code code;

	snprintf(ending->container, sizeof(ending->container), "%s",
		ending->record.view.container_id);
	code = end_within(ending, wait_seconds, err);
	if (code == HV_OK)
		hv_attacher_poke(ending->attacher, ending->container,
			is_waited(ending->attacher, ending->container));
	return code;
}

enum hv_code hv_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
{
	struct ending ending = {.attacher = attacher, .manner.is_lazy = request->lazy};
	enum hv_code code = check_request(request, err);

	if (code == HV_OK)
		code = find_record(attacher, request, &ending.record, err);
	if (code == HV_OK)
		code = end_found(&ending, request->wait_seconds, err);
	if (code == HV_OK) {
		*ret = ending.record.view;
		ending.record.view = (struct hv_attachment){0};
	}
	hv_record_done(&ending.record);
	return code;
}

enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = id};
	struct ending ending = {.attacher = attacher, .with_volume = true};
	enum hv_code code = find(attacher, &filter, NULL, &ending.record, err);

	if (code == HV_OK)
		code = end_found(&ending, 0, err);
	else if (code == HV_NO_SUCH_ATTACHMENT)
		hv_fail(err, code, "attachment %s was detached meanwhile", id);
	hv_record_done(&ending.record);
	return code;
}
