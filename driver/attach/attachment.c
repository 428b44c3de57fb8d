/* The record of an attachment, and its states.  Asks neither the kernel nor the Engine. */
#include "attachment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

enum hv_code hv_record_set_problem(struct hv_record *record, enum hv_problem problem,
	const char *sentence, struct hv_error *err)
{
	char *copy = sentence ? strdup(sentence) : NULL;

	free(record->view.problem); /* only now: `sentence` may be in it */
	record->view.problem = copy;
	record->problem = copy ? problem : HV_PROBLEM_NONE;
	if (sentence && !copy)
		return hv_oom(err);
	return HV_OK;
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
	if (record->problem == HV_PROBLEM_DOUBTED)
		record->view.state = HV_ATTACHED;
	else
		hv_record_set_state(record, HV_ATTACHED);
}

bool hv_record_is_mounted(const struct hv_record *record)
{
	return record->pid > 0 &&
	       (record->view.state == HV_ATTACHED || record->view.state == HV_COVERED);
}

bool hv_record_is_over(const struct hv_record *record)
{
	return !record->view.persist && record->pid == 0;
}

void hv_record_forget_mount(struct hv_record *record)
{
	record->pid = 0;
	record->ns_ino = 0;
	record->mount_id = 0;
	record->mountinfo_id = 0;
	hv_record_set_state(record, HV_PENDING);
}

void hv_full_source(const struct hv_attachment *view, char ret[static PATH_MAX])
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
	char problem[512];

	snprintf(problem, sizeof(problem), "waits for volume '%.255s' at %.220s",
		outer->view.volume, outer->view.target);
	hv_record_set_state(record, HV_PENDING);
	return hv_record_set_problem(record, HV_PROBLEM_WAITING, problem, err);
}
