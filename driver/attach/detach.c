#include "mountcore/detach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mountcore/path.h"
#include "volume/explain.h"

#include "inside.h"

enum { WAIT_SECONDS_MAX = 24 * 60 * 60, WAIT_STEP_MS = 200 };

/* Where the mount was cloned from on the host. */
void hv_full_source(const struct hv_attachment *view, char ret[static PATH_MAX])
{
	const char *subpath = view->subpath ? view->subpath : "";

	snprintf(ret, PATH_MAX, "%s%s%s", view->source, *subpath ? "/" : "", subpath);
}

static void tell_busy(const struct mc_busy *busy, struct hv_error *err)
{
	for (unsigned i = 0; i < busy->count && err->busy_count < HV_BUSY_MAX; i++) {
		struct hv_busy *entry = &err->busy[err->busy_count++];

		entry->pid = busy->entries[i].pid;
		memcpy(entry->command, busy->entries[i].command, sizeof(entry->command));
		for (char *at = entry->command; *at; at++)
			if (*at < ' ' || *at > '~') /* it may call itself anything */
				*at = '?';
		entry->why = mc_busy_why_name(busy->entries[i].why);
	}
}

/* For mc_detach(), to whom 0 is whatever is there: not for one whose own mount was never seen. */
static uint64_t mount_id_of(const struct hv_record *record)
{
	return record->mount_id || record->mountinfo_id ? record->mount_id : UINT64_MAX;
}

/* Take it out of the open namespace `ns`, at the path that it was found at. */
static enum hv_code unmount_in(struct hv_attacher *attacher, const struct mc_ns *ns,
	const struct hv_record *record, bool lazy, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	const struct hv_names names = {
		view->volume, view->source, view->container_name, view->target, view->subpath};
	char source[PATH_MAX];
	struct mc_made made;
	struct mc_busy busy = {0};
	struct mc_err cause = {0};
	const struct mc_detach_args args = {
		.place = hv_place_of(ns),
		.path = record->path,
		.mount_id = mount_id_of(record),
		.root = {record->root_dev, record->root_ino},
		.mountinfo_id = record->mountinfo_id,
		.source = source,
		.lazy = lazy,
		.made = &made,
	};

	hv_full_source(view, source);
	hv_made_parse(record->made, &made);
	if (mc_detach(attacher->core, &args, &busy, &cause) == 0 || !mc_ns_is_alive(ns))
		return HV_OK;
	if (!hv_record_is_mounted(record))
		return HV_OK; /* what was made for it is removed where that could be done */
	hv_explain(err, &cause, &names);
	tell_busy(&busy, err);
	return err->code;
}

enum hv_code hv_record_unmount(
	struct hv_attacher *attacher, struct hv_record *record, bool lazy, struct hv_error *err)
{
	struct mc_ns ns;
	enum hv_code code = hv_attachment_refresh(attacher, record, err);

	if (code != HV_OK)
		return code;
	code = hv_record_open_ns(attacher, record, &ns, err);
	if (code == HV_NOT_RUNNING)
		return HV_OK; /* the mount went with its namespace */
	if (code != HV_OK)
		return code;
	code = unmount_in(attacher, &ns, record, lazy, err);
	mc_ns_close(&ns);
	return code;
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
	if (request->wait_seconds < 0 || request->wait_seconds > WAIT_SECONDS_MAX)
		return hv_fail(err, HV_BAD_REQUEST, "\"WaitSeconds\" must be from 0 to %d",
			WAIT_SECONDS_MAX);
	return HV_OK;
}

static bool is_at(const struct hv_record *record, const char *target)
{
	return strcmp(record->view.target, target) == 0 || strcmp(record->path, target) == 0;
}

/* Find the record; `target` is NULL when the request names an ID. */
static enum hv_code find(struct hv_attacher *attacher, const struct hv_record_filter *filter,
	const char *target, struct hv_record *ret, struct hv_error *err)
{
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(attacher->store, filter, &records, &count, err);

	if (code != HV_OK)
		return code;
	code = HV_NO_SUCH_ATTACHMENT;
	for (size_t i = 0; i < count && code != HV_OK; i++) {
		if (!records[i].is_done || (target && !is_at(&records[i], target)))
			continue;
		*ret = records[i];
		records[i] = (struct hv_record){0};
		code = HV_OK;
	}
	hv_records_free(records, count);
	return code;
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
		hv_hint(err, "docker hostvol ls --container %s lists what is", container.name);
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
		hv_hint(err, "docker hostvol ls lists them");
	}
	return code;
}

static void sleep_step(void)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000L};

	nanosleep(&step, NULL);
}

/* Unmount and forget, with the container held: the record is read again, since another request may
 * have taken it out, or the container was restarted and it was attached again. */
static enum hv_code unmount_held(
	struct hv_attacher *attacher, struct hv_record *record, bool lazy, struct hv_error *err)
{
	const struct hv_record_filter filter = {.id = record->view.id};
	char container[128]; /* an ID has 64 */
	struct hv_record now = {0};
	enum hv_code code;

	snprintf(container, sizeof(container), "%s", record->view.container_id);
	HV_HOLD(hold, &attacher->locks, container);
	code = find(attacher, &filter, NULL, &now, err);
	if (code == HV_NO_SUCH_ATTACHMENT)
		return hv_fail(err, code, "attachment %s was detached meanwhile", record->view.id);
	if (code == HV_OK) {
		hv_record_done(record);
		*record = now;
		code = hv_record_unmount(attacher, record, lazy, err);
	}
	return code == HV_OK ? hv_store_attachment_drop(attacher->store, record->view.id, err)
			     : code;
}

/* Again and again while it is busy and there is time. */
static enum hv_code unmount_within(struct hv_attacher *attacher,
	const struct hv_detach_request *request, struct hv_record *record, struct hv_error *err)
{
	long long left_ms = request->wait_seconds * 1000;
	enum hv_code code = unmount_held(attacher, record, request->lazy, err);

	for (; code == HV_BUSY && left_ms > 0 && !attacher->is_stopping; left_ms -= WAIT_STEP_MS) {
		sleep_step();
		hv_error_done(err);
		code = unmount_held(attacher, record, request->lazy, err);
	}
	return code;
}

enum hv_code hv_detach(struct hv_attacher *attacher, const struct hv_detach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_record record = {0};
	enum hv_code code = check_request(request, err);

	if (code == HV_OK)
		code = find_record(attacher, request, &record, err);
	if (code == HV_OK)
		code = unmount_within(attacher, request, &record, err);
	if (code == HV_OK) {
		hv_attacher_poke(attacher, NULL);
		*ret = record.view;
		record.view = (struct hv_attachment){0};
	}
	hv_record_done(&record);
	return code;
}
