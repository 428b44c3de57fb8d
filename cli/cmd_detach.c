/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json.h>

#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/place.h"

enum { WAIT_MAX_SECONDS = 24 * 60 * 60 };

static const struct hv_flag flags[] = {
	HV_FLAG("lazy", 0, NULL, "Take it out now, though files in it are open", lazy),
	HV_FLAG("wait", 0, "SECONDS", "How long to wait for open files", wait),
	HV_FLAG("target", 0, "PATH", "The target, when CONTAINER stands alone", target),
	HV_FLAGS_HELP,
};

static enum hv_code parse_seconds(const char *text, long long *ret, struct hv_error *err)
{
	char *end = NULL;
	long long seconds;

	if (!text)
		return HV_OK;
	errno = 0;
	seconds = strtoll(text, &end, 10);
	if (errno || end == text || *end || seconds < 0 || seconds > WAIT_MAX_SECONDS)
		return hv_fail(err, HV_BAD_REQUEST,
			"--wait takes a number of seconds from 0 to %d, not \"%s\"",
			WAIT_MAX_SECONDS, text);
	*ret = seconds;
	return HV_OK;
}

static enum hv_exit detach(const struct hv_run *run, struct hv_error *err)
{
	const char *what = run->operands.items[0];
	struct hv_detach_request request = {.lazy = run->options.lazy}; /* borrows */
	hv_auto_place struct hv_place place = {0};
	hv_auto_json struct json_object *body = NULL, *answer = NULL;

	if (parse_seconds(run->options.wait, &request.wait_seconds, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (!run->options.target && hv_attachment_id_is(what))
		request.id = (char *)(uintptr_t)what;
	else if (hv_place_parse(what, run->options.target, &place, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	request.container = place.container;
	request.target = place.target;
	body = hv_fields_write(hv_detach_request_fields, &request);
	if (!body)
		hv_oom(err);
	if (!body ||
		hv_daemon_ask(&run->globals, &run->environment,
			&(struct hv_call){"/HotDetach", body, (long)request.wait_seconds}, &answer,
			err) != HV_OK ||
		hv_attachment_print(answer, err) != HV_OK)
		return HV_EXIT_FAILED;
	return HV_EXIT_DONE;
}

/* The value of --wait was forgotten, and the next word taken for it. */
static void hint_operands(const struct hv_run *run, struct hv_error *err)
{
	long long seconds;

	if (run->operands.count == 0)
		(void)!parse_seconds(run->options.wait, &seconds, err);
}

const struct hv_command hv_cmd_detach = {
	.name = "detach",
	.summary = "Take a volume out of a container",
	.usage = "CONTAINER:TARGET | ID",
	.notes = "ID is that of the attachment: 12 hex digits, as `docker hostvol ls` shows them.",
	.examples = "  docker hostvol detach web:/mnt/data\n"
		    "  docker hostvol detach --wait 60 web:/mnt/data",
	.flags = flags,
	.operands_min = 1,
	.operands_max = 1,
	.run = detach,
	.hint = hint_operands,
};
