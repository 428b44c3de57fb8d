/* SPDX-License-Identifier: Apache-2.0 */
#include "drift.h"

#include <string.h>

#include "wire/text.h"

#include "attachment.h"

/* "process 12 (umount)"; its number is the host's.  Owned; NULL: it is not known. */
static char *name_process(const struct mc_watch_event *by)
{
	if (!by || by->pid <= 0)
		return NULL;
	return *by->command ? hv_text_format("process %d (%s)", (int)by->pid, by->command)
			    : hv_text_format("process %d", (int)by->pid);
}

enum hv_code hv_record_set_drift(struct hv_record *record, enum hv_attachment_state state,
	const char *sentence, const struct mc_watch_event *by, struct hv_error *err)
{
	const enum hv_problem problem =
		state == HV_MISSING ? HV_PROBLEM_UNMOUNTED : HV_PROBLEM_COVERED;
	hv_auto_free char *process = name_process(by);
	const char *known = record->view.problem;

	if (!process && known && record->view.state == state && record->problem == problem &&
		strncmp(known, sentence, strlen(sentence)) == 0)
		return HV_OK;
	hv_record_set_state(record, state);
	if (!process)
		return hv_record_set_problem(record, problem, err, "%s", sentence);
	return hv_record_set_problem(record, problem, err, "%s, by %s", sentence, process);
}
