/* Attach.
 *
 * Sequence: read the request; look the volume up; find the container and make sure of it; then,
 * with the container held: answer a repeated request; with the volume held: prepare the mount,
 * commit the intent; mount and verify; commit the attachment.  What fails is undone from the end.
 */
#include "attach/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"
#include "volume/explain.h"

#include "inside.h"

void hv_attempt_done(struct hv_attempt *attempt)
{
	mc_attach_free(attempt->mount);
	hv_record_done(&attempt->record);
	free(attempt->inherited);
	hv_volume_done(&attempt->volume);
	hv_target_close(&attempt->container);
}

static struct hv_names names_of(const struct hv_attempt *attempt)
{
	return (struct hv_names){attempt->volume.name, attempt->volume.source,
		attempt->container.container.name, attempt->target};
}

/* Attributes only ever add restrictions; what the source has already is cloned with it. */
static struct mc_attr attributes(const struct hv_attachment *view)
{
	struct mc_attr attr = {0};
	const struct {
		bool is_set;
		const char *name;
	} wanted[] = {{view->read_only, "ro"}, {view->no_suid, "nosuid"}, {view->no_dev, "nodev"},
		{view->no_exec, "noexec"}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (wanted[i].is_set)
			(void)!mc_attr_add(&attr, wanted[i].name); /* names of the table */
	return attr;
}

static enum hv_code new_id(char **ret, struct hv_error *err)
{
	unsigned char bytes[6];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes) ||
		asprintf(ret, "%02x%02x%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3],
			bytes[4], bytes[5]) < 0) {
		*ret = NULL;
		return hv_fail(err, HV_INTERNAL, "no random number for the attachment's ID");
	}
	return HV_OK;
}

/* What the finished record will say, but for what only the mount tells. */
enum hv_code hv_attempt_fill(struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	struct hv_attachment *view = &attempt->record.view;

	view->volume = strdup(attempt->volume.name);
	view->source = strdup(attempt->volume.source);
	view->container_id = strdup(attempt->container.container.id);
	view->container_name = strdup(attempt->container.container.name);
	view->target = strdup(attempt->target);
	view->since = hv_now();
	view->state = strdup("attached");
	view->subpath = attempt->subpath[0] ? strdup(attempt->subpath) : NULL;
	view->read_only = request->read_only || attempt->volume.read_only;
	view->is_mapped = attempt->may_map && attempt->container.ns.userns_fd >= 0;
	/* A mapped set-user-ID file would be root's on the host. */
	view->no_suid =
		request->no_suid == HV_UNSAID ? view->is_mapped : request->no_suid == HV_TRUE;
	view->no_dev = request->no_dev;
	view->no_exec = request->no_exec;
	view->persist = request->persist;
	if (!view->volume || !view->source || !view->container_id || !view->container_name ||
		!view->target || !view->since || !view->state)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	return new_id(&view->id, err);
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool is_same(const struct hv_attachment *a, const struct hv_attachment *b)
{
	return strcmp(a->volume, b->volume) == 0 && a->read_only == b->read_only &&
	       a->no_suid == b->no_suid && a->is_mapped == b->is_mapped &&
	       is_same_text(a->subpath, b->subpath) && a->no_dev == b->no_dev &&
	       a->no_exec == b->no_exec && a->persist == b->persist;
}

/* A record whose mount is gone is in nobody's way; one that is to be replaced goes when the new one
 * is there. */
static enum hv_code forget_or_replace(struct hv_attempt *attempt, const struct hv_record *other,
	bool is_live, struct hv_error *err)
{
	if (!is_live)
		return hv_store_attachment_drop(attempt->attacher->store, other->view.id, err);
	free(attempt->record.replaces);
	free(attempt->inherited);
	attempt->record.replaces = strdup(other->view.id);
	attempt->inherited = strdup(other->made);
	if (!attempt->record.replaces || !attempt->inherited)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	return HV_OK;
}

/* An attachment is recorded at this target already: is it the one asked for, is it in the way, or
 * is it only a memory?  HV_OK: go on.  HV_TARGET_EXISTS with an empty error: it is in `ret`. */
static enum hv_code meet_recorded(struct hv_attempt *attempt, struct hv_record *other,
	struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	enum hv_code code = hv_attachment_refresh(attacher, other, err);
	bool is_live = code == HV_OK && strcmp(other->view.state, "missing") != 0;

	if (is_live && !other->is_done) { /* an intent that could not be settled at start */
		other->is_done = true;
		code = hv_store_attachment_put(attacher->store, other, err);
	}
	if (code != HV_OK)
		return code;
	if (is_live && is_same(&other->view, &attempt->record.view)) {
		*ret = other->view;
		other->view = (struct hv_attachment){0};
		return HV_TARGET_EXISTS;
	}
	if (!is_live || attempt->replace != MC_REPLACE_NO)
		return forget_or_replace(attempt, other, is_live, err);
	hv_fail(err, HV_TARGET_EXISTS, "volume '%s' is attached at %s in container '%s' already",
		other->view.volume, attempt->target, other->view.container_name);
	return hv_hint(err, "docker hostvol detach %s:%s, or attach with --replace",
		other->view.container_name, attempt->target);
}

static enum hv_code check_recorded(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {
		.container_id = attempt->container.container.id,
	};
	struct hv_record *records = NULL;
	size_t count = 0;
	enum hv_code code =
		hv_store_attachment_list(attempt->attacher->store, &filter, &records, &count, err);

	for (size_t i = 0; code == HV_OK && i < count; i++)
		if (strcmp(records[i].view.target, attempt->target) == 0 ||
			strcmp(records[i].path, attempt->target) == 0)
			code = meet_recorded(attempt, &records[i], ret, err);
	hv_records_free(records, count);
	return code;
}

enum hv_code hv_attempt_prepare(struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_attachment *view = &attempt->record.view;
	const struct mc_attach_args args = {
		.source = attempt->volume.source,
		.beneath = hv_volume_beneath(attempt->attacher->volumes, &attempt->volume),
		.subpath = view->subpath,
		.may_be_file = view->subpath != NULL,
		.attr = attributes(view),
		.idmap = view->is_mapped,
		.lock = view->read_only,
		.place = hv_place_of(&attempt->container.ns),
		.target = attempt->target,
		.mkdir = attempt->request->mkdir,
		.replace = attempt->replace,
	};
	const struct hv_names names = names_of(attempt);
	struct mc_err cause = {0};

	if (mc_attach_prepare(attempt->attacher->core, &args, &attempt->mount, &cause) < 0)
		return hv_explain(err, &cause, &names);
	return HV_OK;
}

/* Copy what the mount tells into the record.  Before commit `made` is what will be made. */
static enum hv_code fill_mount(struct hv_attempt *attempt, bool is_done, struct hv_error *err)
{
	const struct mc_attach_info *info = mc_attach_info(attempt->mount);
	struct hv_record *record = &attempt->record;
	const struct mc_made expected = {
		.count = info->to_make,
		.is_file = info->to_make > 0 && !info->is_dir,
	};

	free(record->path);
	free(record->made);
	record->path = strdup(info->path);
	record->made = attempt->inherited ? strdup(attempt->inherited)
					  : hv_made_format(is_done ? &info->made : &expected);
	record->pid = attempt->container.container.pid;
	record->ns_ino = attempt->container.ns.ino;
	record->mount_id = info->mount_id;
	record->mountinfo_id = info->mountinfo_id;
	record->is_done = is_done;
	return record->path && record->made ? HV_OK : hv_fail(err, HV_INTERNAL, "out of memory");
}

/* Prepare, then write the intent while the volume is held, so that it cannot be removed under it.
 * The container may make preparing slow: not while the volume is held, which Docker's Mount needs.
 */
static enum hv_code intend(struct hv_attempt *attempt, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	struct hv_volume now = {0};
	enum hv_code code = hv_attempt_prepare(attempt, err);

	if (code == HV_OK)
		code = fill_mount(attempt, false, err);
	if (code != HV_OK)
		return code;
	HV_HOLD(hold, &attacher->volumes->locks, attempt->volume.name);
	code = hv_store_volume_get(attacher->store, attempt->volume.name, &now, err);
	if (code == HV_OK && (strcmp(now.source, attempt->volume.source) != 0 ||
				     strcmp(now.created_at, attempt->volume.created_at) != 0))
		code = hv_fail(
			err, HV_NO_SUCH_VOLUME, "volume '%s' was replaced meanwhile", now.name);
	hv_volume_done(&now);
	return code == HV_OK ? hv_store_attachment_put(attacher->store, &attempt->record, err)
			     : code;
}

/* The process that was identified: a container that restarted has another. */
static enum hv_code check_alive(const struct hv_attempt *attempt, struct hv_error *err)
{
	if (mc_ns_is_alive(&attempt->container.ns))
		return HV_OK;
	hv_fail(err, HV_CONTAINER_CHANGED, "container '%s' was stopped or restarted meanwhile",
		attempt->container.container.name);
	return hv_hint(err, "nothing was changed; try again");
}

/* Undo what failed after the intent was written.  An intent whose mount may stand, because it could
 * not be taken out, stays: it is settled later. */
static void retract(struct hv_attempt *attempt, bool is_mounted)
{
	struct hv_attacher *attacher = attempt->attacher;
	struct hv_error ignored = {0};
	enum hv_code code = HV_OK;

	if (is_mounted)
		code = hv_record_unmount(attacher, &attempt->record, true, &ignored);
	if (code == HV_OK)
		(void)!hv_store_attachment_drop(attacher->store, attempt->record.view.id, &ignored);
	hv_error_done(&ignored);
}

static enum hv_code mount_and_record(struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_names names = names_of(attempt);
	struct mc_err cause = {0};
	bool is_mounted = mc_attach_commit(attempt->mount, &cause) == 0;
	enum hv_code code =
		is_mounted ? fill_mount(attempt, true, err) : hv_explain(err, &cause, &names);

	/* The prepared mount's descriptors would make it busy. */
	mc_attach_free(attempt->mount);
	attempt->mount = NULL;
	if (code == HV_OK)
		code = check_alive(attempt, err);
	if (code == HV_OK)
		code = hv_store_attachment_put(attempt->attacher->store, &attempt->record, err);
	if (code != HV_OK)
		retract(attempt, is_mounted);
	return code;
}

static enum hv_code attach_to(
	struct hv_attempt *attempt, struct hv_attachment *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = attempt->attacher;
	enum hv_code code = hv_attempt_fill(attempt, err);

	if (code != HV_OK)
		return code;
	HV_HOLD(hold, &attacher->locks, attempt->container.container.id);
	code = check_alive(attempt, err);
	if (code == HV_OK)
		code = check_recorded(attempt, ret, err);
	if (code == HV_TARGET_EXISTS && err->code == HV_OK)
		return HV_OK; /* asked before: `ret` is the answer of then */
	if (code == HV_OK)
		code = intend(attempt, err);
	if (code == HV_OK)
		code = mount_and_record(attempt, err);
	if (code == HV_OK) {
		*ret = attempt->record.view;
		attempt->record.view = (struct hv_attachment){0};
	}
	return code;
}

enum hv_code hv_attempt_find_volume(struct hv_attempt *attempt, struct hv_error *err)
{
	const struct hv_attach_request *request = attempt->request;
	enum hv_code code = hv_store_volume_get(
		attempt->attacher->store, request->volume, &attempt->volume, err);

	if (code == HV_NO_SUCH_VOLUME)
		hv_hint(err,
			"docker volume ls -f driver=hostvol lists them; a directory is added with: docker addvol /DIR %s %s",
			request->container, attempt->target);
	return code;
}

enum hv_code hv_attach(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_attachment *ret, struct hv_error *err)
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
	if (code == HV_OK)
		code = attach_to(&attempt, ret, err);
	hv_attempt_done(&attempt);
	return code;
}
