/* SPDX-License-Identifier: Apache-2.0 */
#include "held.h"

#include <string.h>

#include "engine/process.h"
#include "wire/clock.h"

#include "start/first.h"
#include "start/state.h"

static int read_first(const struct hv_gate_news *news, struct hv_first *ret)
{
	unsigned long long ticks = 0;
	pid_t pid;
	int rc;

	if (news->kind != HV_GATE_SET_UP)
		return hv_state_read(news->fd, ret);
	pid = hv_first_find(news->runtime);
	rc = pid < 0 ? pid : hv_process_start_ticks(pid, &ticks);
	*ret = (struct hv_first){.pid = pid, .start_ticks = (long long)ticks};
	return rc;
}

/* Read the start from the held state file, or from the process that is about to write it.  HV_OK,
 * or HV_INTERNAL with the sentence. */
static enum hv_code read_start(
	const struct hv_gate_news *news, struct hv_start *ret, struct hv_error *err)
{
	struct hv_first first = {0};
	int rc = read_first(news, &first);

	*ret = (struct hv_start){
		.container_id = news->id,
		.pid = first.pid,
		.start_ticks = first.start_ticks,
		.held_until_ms = news->until_ms,
		.is_set_up = news->kind == HV_GATE_SET_UP,
	};
	return rc == 0 ? HV_OK
		       : hv_fail(err, HV_INTERNAL, "its runtime's state file cannot be read: %s",
				 strerrordesc_np(-rc));
}

void hv_held_attach(
	struct hv_attacher *attacher, const struct hv_gate_news *news, struct hv_held_result *ret)
{
	struct hv_start start;
	enum hv_code code = read_start(news, &start, &ret->err);

	ret->is_early = code != HV_OK; /* of a file that tells nothing yet it is not the start */
	if (code == HV_OK)
		code = hv_attachments_start(attacher, &start, &ret->repaired, &ret->err);
	ret->is_early |= code == HV_BUSY || (start.is_set_up && code != HV_OK);
	if (ret->is_early && (start.is_set_up || code == HV_BUSY)) /* it is held once more */
		hv_error_done(&ret->err);
}

void hv_held_deny(struct hv_attacher *attacher, const struct hv_gate_news *news, unsigned hold_ms,
	struct hv_held_result *ret)
{
	struct hv_start start;

	if (read_start(news, &start, &ret->err) == HV_OK)
		(void)!hv_attachments_denied(attacher, &start, hold_ms, &ret->repaired, &ret->err);
}

void hv_held_tell(
	const struct hv_log *log, const struct hv_gate_news *news, struct hv_held_result *result)
{
	const struct hv_repaired *repaired = &result->repaired;
	const struct hv_log_count counts[] = {
		{repaired->attached, HV_LOG_INFO,
			hv_clock_ms() < news->until_ms ? "attached before its program began"
						       : "attached at its start, not all in time"},
		{repaired->adopted, HV_LOG_INFO, "found attached"},
		{repaired->entered, HV_LOG_WARN,
			"over the directory that its program begins in: its runtime had entered that"},
		{repaired->refused, HV_LOG_WARN, hv_log_refused},
	};

	hv_log_counts(log, repaired->name, counts, sizeof(counts) / sizeof(counts[0]));
	if (result->err.code != HV_OK)
		hv_log_line(log, HV_LOG_WARN, "start of container %.12s: %s", news->id,
			hv_error_text(&result->err));
	hv_error_done(&result->err);
}
