/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json.h>

#include "cli/address.h"
#include "cli/attachment.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/rule.h"

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

static enum hv_code detach_one(const struct hv_daemon *daemon, const struct hv_address *address,
	struct hv_detach_request request, struct hv_error *err)
{
	hv_auto_json struct json_object *body = NULL, *answer = NULL;

	request.id = (char *)(uintptr_t)address->id; /* borrows */
	request.container = address->place.container;
	request.selector = address->place.selector;
	request.target = address->place.target;
	body = hv_fields_write(hv_detach_request_fields, &request);
	if (!body)
		return hv_oom(err);
	if (hv_daemon_call(daemon,
		    &(struct hv_call){"/HotDetach", body, (long)request.wait_seconds}, &answer,
		    err) != HV_OK)
		return err->code;
	return hv_document_get(answer, "Rule", json_type_object) ? hv_rule_print(answer, err)
								 : hv_attachment_print(answer, err);
}

/* Each is detached whatever becomes of the others, as `docker rm` does. */
static enum hv_exit detach(const struct hv_run *run, struct hv_error *err)
{
	struct hv_detach_request request = {.lazy = run->options.lazy};
	hv_auto_addresses struct hv_addresses addresses = {0};
	hv_auto_daemon struct hv_daemon daemon = {0};
	enum hv_exit status = HV_EXIT_DONE;

	if (parse_seconds(run->options.wait, &request.wait_seconds, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (hv_addresses_parse(&run->operands, run->options.target, &addresses, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	if (hv_daemon_find(&run->globals, &run->environment, &daemon, err) != HV_OK)
		return HV_EXIT_FAILED;
	for (size_t i = 0; i < addresses.count; i++) {
		const struct hv_address *address = &addresses.items[i];
		hv_auto_error struct hv_error failure = {0};

		if (detach_one(&daemon, address, request, &failure) == HV_OK)
			continue;
		hv_report(addresses.count > 1 ? address->text : NULL, &failure);
		status = HV_EXIT_FAILED;
	}
	return status;
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
	.usage = "CONTAINER:TARGET|ID [CONTAINER:TARGET|ID...]",
	.notes =
		"ID is that of the attachment: 12 hex digits, as `docker hostvol ls` shows them. Of several\n"
		"attachments each is detached, also if another one cannot be.\n"
		"SELECTOR:TARGET, or the ID of a rule, ends the rule with all its attachments. If one of them\n"
		"cannot be detached, the rule stays.",
	.examples = "  docker hostvol detach web:/mnt/data\n"
		    "  docker hostvol detach --wait 60 web:/mnt/data\n"
		    "  docker hostvol detach web:/mnt/data web:/etc/app.conf\n"
		    "  docker hostvol detach $(docker hostvol ls -q --filter container=web)",
	.flags = flags,
	.operands_min = 1,
	.operands_max = HV_OPERANDS_MAX,
	.is_attachment = true,
	.run = detach,
	.hint = hint_operands,
};
