/* SPDX-License-Identifier: Apache-2.0 */
/* The record of an attachment, and its states.  Asks neither the kernel nor the Engine. */
#include "attachment.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"
#include "wire/text.h"

#include "attachments.h"
#include "lease.h"

enum hv_code hv_records_list(struct hv_attacher *attacher, const struct hv_record_filter *filter,
	struct hv_records *ret, struct hv_error *err)
{
	return hv_store_attachment_list(attacher->store, filter, ret, err);
}

enum hv_code hv_record_set_problem(struct hv_record *record, enum hv_problem problem,
	struct hv_error *err, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = hv_text_format_list(format, args);
	va_end(args);
	free(record->view.problem); /* only now: an argument may be in it */
	record->view.problem = text;
	record->problem = text ? problem : HV_PROBLEM_NONE;
	return text ? HV_OK : hv_oom(err);
}

void hv_record_set_state(struct hv_record *record, enum hv_attachment_state state)
{
	record->view.state = state;
	free(record->view.problem);
	record->view.problem = NULL;
	record->problem = HV_PROBLEM_NONE;
}

void hv_record_set_attached(struct hv_record *record)
{
	bool is_late = record->problem == HV_PROBLEM_LEASE && hv_lease_is_over(&record->view);
	bool is_kept =
		record->problem == HV_PROBLEM_DOUBTED || record->problem == HV_PROBLEM_FOLLOW;

	if (is_kept || is_late)
		record->view.state = HV_ATTACHED;
	else
		hv_record_set_state(record, HV_ATTACHED);
}

bool hv_record_is_mounted(const struct hv_record *record)
{
	return record->pid > 0 &&
	       (record->view.state == HV_ATTACHED || record->view.state == HV_COVERED);
}

bool hv_attachment_has_ended(const struct hv_record *record)
{
	return record->pid == 0 && (!record->view.persist || hv_lease_is_over(&record->view));
}

void hv_attachment_set_pending(struct hv_record *record)
{
	record->pid = 0;
	record->ns_ino = 0;
	record->mount_id = 0;
	record->mountinfo_id = 0;
	hv_record_forget_former(record);
	hv_record_set_state(record, HV_PENDING);
}

void hv_record_forget_former(struct hv_record *record)
{
	free(record->former.source);
	record->former = (struct hv_former){0};
}

void hv_record_take_former(struct hv_record *record)
{
	struct hv_former *former = &record->former;

	record->mount_id = former->mount_id;
	record->mountinfo_id = former->mountinfo_id;
	record->root_dev = former->root_dev;
	record->root_ino = former->root_ino;
	record->view.is_mapped = former->is_mapped;
	record->view.no_suid = former->no_suid;
	free(record->view.source);
	record->view.source = former->source;
	*former = (struct hv_former){0};
}

void hv_attachment_host_path(const struct hv_attachment *view, char ret[static PATH_MAX])
{
	const char *subpath = view->subpath ? view->subpath : "";

	snprintf(ret, PATH_MAX, "%s%s%s", view->source, *subpath ? "/" : "", subpath);
}

bool hv_record_is_below(const struct hv_record *record, const char *path)
{
	return mc_path_is_below(record->path, path) && strcmp(record->path, path) != 0;
}

enum hv_code hv_record_wait_for(
	struct hv_record *record, const struct hv_record *outer, struct hv_error *err)
{
	hv_record_set_state(record, HV_PENDING);
	return hv_record_set_problem(record, HV_PROBLEM_WAITING, err,
		"waits for volume '%.255s' at %.220s", outer->view.volume, outer->view.target);
}
