/* What a record says of its attachment, and the states that it goes through.  Asks nobody. */
#include "attachment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mountcore/path.h"

enum hv_code hv_record_set_state(struct hv_record *record, enum hv_attachment_state state,
	const char *problem, struct hv_error *err)
{
	struct hv_attachment *view = &record->view;
	char *new_problem = problem ? strdup(problem) : NULL;

	free(view->problem); /* only now: `problem` may be in it */
	view->problem = new_problem;
	view->state = state;
	if (problem && !view->problem)
		return hv_fail(err, HV_INTERNAL, "out of memory");
	return HV_OK;
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

enum hv_code hv_record_forget_mount(struct hv_record *record, struct hv_error *err)
{
	record->pid = 0;
	record->ns_ino = 0;
	record->mount_id = 0;
	record->mountinfo_id = 0;
	return hv_record_set_state(record, HV_PENDING, NULL, err);
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
	return hv_record_set_state(record, HV_PENDING, problem, err);
}

bool hv_record_is_doubted(const struct hv_record *record)
{
	const char *problem = record->view.problem;

	return problem && strncmp(problem, HV_DOUBT, sizeof(HV_DOUBT) - 1) == 0;
}
