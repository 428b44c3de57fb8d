/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an attachment still is what its volume's path leads to: the directory may have been
 * deleted and made again, renamed, mounted over, or its server have ended. */
#include "source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/source.h"
#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "siblings.h"

void hv_source_change_done(struct hv_source_change *change)
{
	free(change->text);
	*change = (struct hv_source_change){0};
}

static __attribute__((format(printf, 4, 5))) enum hv_code tell(struct hv_source_change *ret,
	enum hv_source_kind kind, struct hv_error *err, const char *format, ...)
{
	va_list args;

	ret->kind = kind;
	va_start(args, format);
	ret->text = hv_text_format_list(format, args);
	va_end(args);
	return ret->text ? HV_OK : hv_oom(err);
}

/* Why the path leads nowhere. */
static enum hv_code tell_failure(const struct mc_err *cause, const char *path,
	struct hv_source_change *ret, struct hv_error *err)
{
	const char *reason = strerrordesc_np(-cause->code);

	if (cause->step == MC_STEP_HELPER)
		return tell(
			ret, HV_SOURCE_DEAD, err, "the file system of %s does not answer", path);
	if (mc_err_is_dead(cause->code))
		return tell(ret, HV_SOURCE_DEAD, err, "%s does not answer: %s", path, reason);
	if (cause->code == -ENOENT || cause->code == -ENOTDIR)
		return tell(ret, HV_SOURCE_GONE, err, "%s is not there any more", path);
	return tell(ret, HV_SOURCE_GONE, err, "%s cannot be opened any more: %s", path, reason);
}

/* Whether mounts below that of `record` may be others' than its source's: hostvol's own, or those
 * of a process that may mount. */
static enum hv_code has_others(struct hv_attacher *attacher, const struct hv_record *record,
	const struct mc_ns *ns, bool *ret, struct hv_error *err)
{
	size_t length = strlen(record->path);
	hv_auto_records struct hv_records siblings = {0};

	if (hv_siblings_read(attacher, record->view.container_id, &siblings, err) != HV_OK)
		return err->code;
	*ret = ns->may_mount;
	for (struct hv_record *other = NULL; (other = hv_records_next(&siblings, other));)
		*ret |= strncmp(other->path, record->path, length) == 0 &&
			other->path[length] == '/';
	return HV_OK;
}

/* A look at the source of a record. */
struct look {
	struct hv_attacher *attacher;
	const struct hv_sight *sight;
	const struct hv_record *record;
	struct hv_looks *looks; /* NULL: no mere look */
};

static int compare(const struct look *look, const struct mc_source_args *args,
	enum mc_source_is *ret, struct mc_err *err)
{
	struct mc_core *core = look->attacher->core;

	return look->looks ? hv_looks_compare(look->looks, core, args, ret, err)
			   : mc_source_compare(core, args, ret, err);
}

/* `source`: of record->view, or another one in its place. */
static enum hv_code check(
	const struct look *look, char *source, struct hv_source_change *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = look->attacher;
	const struct hv_sight *sight = look->sight;
	const struct hv_record *record = look->record;
	const struct hv_volume volume = {.source = source};
	struct mc_source_args args = {
		.is_look = look->looks != NULL,
		.source = volume.source,
		.beneath = hv_volume_allowed_root(attacher->volumes, &volume),
		.subpath = record->view.subpath,
		.root = {record->root_dev, record->root_ino},
		.mounts = sight->mounts,
		.mountinfo_id = record->mountinfo_id,
		.is_slave = record->view.is_slave,
	};
	enum mc_source_is is = MC_SOURCE_SAME;
	char path[PATH_MAX];
	struct mc_err cause = {0};
	int rc = compare(look, &args, &is, &cause);

	hv_attachment_host_path(
		&(struct hv_attachment){.source = source, .subpath = record->view.subpath}, path);
	if (rc == 0 && is == MC_SOURCE_MOUNTS) {
		if (has_others(attacher, record, &sight->ns, &args.has_others, err) != HV_OK)
			return err->code;
		if (args.has_others)
			rc = compare(look, &args, &is, &cause);
	}
	if (rc < 0 && (cause.step == MC_STEP_SETUP || cause.step == MC_STEP_ENTER))
		return hv_fail(
			err, HV_INTERNAL, "%s cannot be looked at: %s", path, strerrordesc_np(-rc));
	if (rc < 0)
		return tell_failure(&cause, path, ret, err);
	if (is == MC_SOURCE_OTHER)
		return tell(ret, HV_SOURCE_REPLACED, err, "%s has been replaced since", path);
	if (is == MC_SOURCE_MOUNTS)
		return tell(ret, HV_SOURCE_REPLACED, err, "the mounts below %s have changed since",
			path);
	return HV_OK;
}

/* The path leads nowhere, or cannot be followed. */
static enum hv_code tell_lost(
	const struct hv_error *lost, struct hv_source_change *ret, struct hv_error *err)
{
	if (lost->code == HV_TIMEOUT)
		return tell(ret, HV_SOURCE_DEAD, err, "%s", hv_error_text(lost));
	if (lost->code == HV_SOURCE_MISSING || lost->code == HV_SOURCE_REFUSED)
		return tell(ret, HV_SOURCE_GONE, err, "%s", hv_error_text(lost));
	return hv_fail(err, lost->code, "%s", hv_error_text(lost));
}

/* Compare one that follows its path with the thing there.  A symlink in the path is looked at
 * first: the recorded source may be on a server that ended.  Without one, the source is the path,
 * unless it was replaced by a symlink. */
static enum hv_code check_present(
	const struct look *look, struct hv_source_change *ret, struct hv_error *err)
{
	struct hv_attacher *attacher = look->attacher;
	const struct hv_record *record = look->record;
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_error struct hv_error lost = {0};
	char asked[PATH_MAX];

	if (hv_store_volume_get(attacher->store, record->view.volume, &volume, err) != HV_OK)
		return err->code;
	hv_volume_asked(attacher->volumes, &volume, asked);
	if (strcmp(asked, record->view.source) == 0) {
		if (check(look, asked, ret, err) != HV_OK || ret->kind == HV_SOURCE_SAME ||
			ret->kind == HV_SOURCE_DEAD)
			return err->code;
		hv_source_change_done(ret);
	}
	if (hv_volume_follow(attacher->volumes, &volume, look->looks != NULL, &lost) == HV_OK)
		return check(look, volume.source, ret, err);
	return tell_lost(&lost, ret, err);
}

enum hv_code hv_record_check_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	const struct hv_record *record, struct hv_looks *looks, struct hv_source_change *ret,
	struct hv_error *err)
{
	const struct look look = {attacher, sight, record, looks};

	return record->view.follow ? check_present(&look, ret, err)
				   : check(&look, record->view.source, ret, err);
}

/* A slave whose master is gone gets nothing any more. */
static enum hv_code note_master(
	const struct hv_sight *sight, struct hv_record *record, struct hv_error *err)
{
	struct mc_mount mount;
	char path[PATH_MAX];

	if (!record->view.is_slave || !sight->mounts ||
		mc_mounts_find(sight->mounts, record->mountinfo_id, &mount) < 0 || mount.is_slave)
		return HV_OK;
	hv_attachment_host_path(&record->view, path);
	return hv_record_set_problem(record, HV_PROBLEM_SOURCE, err,
		"propagation-lost: later mounts below %s do not appear in it, because its mount, or the one on the host, was made private",
		path);
}

enum hv_code hv_record_note_source(struct hv_attacher *attacher, const struct hv_sight *sight,
	struct hv_record *record, struct hv_looks *looks, struct hv_error *err)
{
	hv_auto_source_change struct hv_source_change change = {0};

	if (hv_record_check_source(attacher, sight, record, looks, &change, err) != HV_OK)
		return err->code;
	if (change.kind == HV_SOURCE_SAME)
		return note_master(sight, record, err);
	if (change.kind == HV_SOURCE_DEAD)
		return hv_record_set_problem(
			record, HV_PROBLEM_SOURCE, err, "source-dead: %s", change.text);
	if (record->problem == HV_PROBLEM_FOLLOW)
		return hv_record_set_problem(record, HV_PROBLEM_SOURCE, err,
			"source-replaced: %s; the container has what was attached, because it does not follow: %s",
			change.text, record->view.problem);
	return hv_record_set_problem(record, HV_PROBLEM_SOURCE, err,
		"source-replaced: %s; the container has what was attached", change.text);
}

/* It is attached, but not what would be attached now. */
enum hv_code hv_source_refuse(
	const struct hv_record *record, const struct hv_source_change *change, struct hv_error *err)
{
	const struct hv_attachment *view = &record->view;
	bool is_there = change->kind == HV_SOURCE_REPLACED;

	hv_fail(err, is_there ? HV_TARGET_EXISTS : HV_SOURCE_MISSING,
		"volume '%s' is attached at %s in container '%s' already, but %s", view->volume,
		view->target, view->container_name, change->text);
	if (change->kind == HV_SOURCE_DEAD)
		return hv_hint(err,
			"restart its server, or unmount it and mount it again; then attach with --replace");
	return is_there
		       ? hv_hint(err, "attach it again with --replace")
		       : hv_hint(err,
				 "create it again and attach with --replace, or detach: docker hostvol detach %s:%s",
				 view->container_name, view->target);
}
