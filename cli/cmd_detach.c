/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json.h>

#include "cli/address.h"
#include "cli/attachment.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/document.h"
#include "cli/report.h"
#include "cli/rule.h"

enum { WAIT_MAX_SECONDS = 24 * 60 * 60 };

static const struct hv_flag flags[] = {
	HV_FLAG("lazy", 0, NULL, "Take it out now, though files in it are open", lazy),
	HV_FLAG("wait", 0, "SECONDS", "How long to wait for open files", wait),
	HV_FLAG("target", 0, "PATH", "The target, when CONTAINER stands alone", target),
	HV_FLAG("format", 0, "FORMAT", "With service: in a swarm: table (default) or json", format),
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

/* A detach of all addresses. */
struct detaching {
	const struct hv_invocation *run;
	struct hv_swarm swarm;
	struct hv_error unknown; /* why the Engine does not tell its role; or none */
	struct hv_client daemon;
};

#define auto_detaching HV_AUTO(detaching_done)
static void detaching_done(struct detaching *detaching)
{
	hv_swarm_done(&detaching->swarm);
	hv_error_done(&detaching->unknown);
	hv_client_done(&detaching->daemon);
}

/* A manager may be without hostvol. */
static bool needs_daemon(const struct hv_swarm *swarm, const struct hv_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (!hv_cluster_has_rule(swarm, &addresses->items[i]))
			return true;
	return false;
}

static enum hv_code detach_one(const struct hv_client *daemon, const struct hv_address *address,
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
	if (hv_client_call(daemon,
		    &(struct hv_call){"/HotDetach", body, (long)request.wait_seconds}, &answer,
		    err) != HV_OK)
		return err->code;
	return hv_document_get(answer, "Rule", json_type_object) ? hv_rule_print(answer, err)
								 : hv_attachment_print(answer, err);
}

/* Whether an address may be that of a rule on all nodes: then the Engine is asked for its swarm. */
static bool may_be_cluster(const struct hv_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->items[i].id ||
			hv_cluster_is_meant(addresses->items[i].place.selector))
			return true;
	return false;
}

static enum hv_code tell_unknown(const struct detaching *detaching, struct hv_error *err)
{
	const struct hv_error *unknown = &detaching->unknown;

	hv_fail(err, unknown->code, "%s", hv_error_text(unknown));
	return unknown->hint ? hv_hint(err, "%s", unknown->hint) : err->code;
}

/* An Engine that does not answer keeps nobody from detaching by an ID. */
static enum hv_code open_swarm(
	struct detaching *detaching, const struct hv_addresses *addresses, struct hv_error *err)
{
	struct hv_swarm *swarm = &detaching->swarm;
	bool is_service = false;

	for (size_t i = 0; i < addresses->count; i++)
		is_service = is_service || hv_cluster_is_meant(addresses->items[i].place.selector);
	if (hv_swarm_open(detaching->run, swarm, &detaching->unknown) != HV_OK) {
		swarm->role = HV_SWARM_NONE;
		if (is_service)
			return tell_unknown(detaching, err);
	}
	return is_service && swarm->role == HV_SWARM_WORKER ? hv_swarm_refuse_worker(swarm, err)
							    : HV_OK;
}

/* End a rule of all nodes that has no carrier any more.  On this node alone it would end only here,
 * and with a carrier come back. */
static enum hv_code detach_rule(const struct detaching *detaching, struct json_object *rule,
	const struct hv_detach_request *request, struct hv_error *err)
{
	const struct hv_swarm *swarm = &detaching->swarm;
	const struct hv_address address = {
		.place.selector =
			(char *)(uintptr_t)hv_document_text(rule, "Selector"), /* borrows */
		.place.target = (char *)(uintptr_t)hv_document_text(rule, "Target"),
	};

	if (detaching->unknown.code != HV_OK)
		return tell_unknown(detaching, err);
	return swarm->role == HV_SWARM_MANAGER
		       ? hv_cluster_detach(detaching->run, swarm, &address, request, err)
		       : hv_swarm_refuse_worker(swarm, err);
}

/* The rule of all nodes that has the ID of the address, to be put; NULL: it is none. */
static struct json_object *find_rule(
	const struct detaching *detaching, const struct hv_address *address)
{
	hv_auto_json struct json_object *rules = NULL;
	hv_auto_error struct hv_error ignored = {0};
	bool is_alone = detaching->swarm.role == HV_SWARM_NONE && detaching->unknown.code == HV_OK;
	struct json_object *rule;

	if (is_alone || !address->id || hv_rules_ask(&detaching->daemon, &rules, &ignored) != HV_OK)
		return NULL;
	rule = hv_rules_find(rules, address->id, NULL, NULL);
	return rule && hv_cluster_is_rule(rule) ? json_object_get(rule) : NULL;
}

static enum hv_code detach_address(
	const struct detaching *detaching, const struct hv_address *address, struct hv_error *err)
{
	const struct hv_options *options = &detaching->run->options;
	struct hv_detach_request request = {.lazy = options->lazy};
	hv_auto_json struct json_object *rule = NULL;

	if (parse_seconds(options->wait, &request.wait_seconds, err) != HV_OK)
		return err->code;
	if (hv_cluster_has_rule(&detaching->swarm, address))
		return hv_cluster_detach(detaching->run, &detaching->swarm, address, &request, err);
	rule = find_rule(detaching, address);
	return rule ? detach_rule(detaching, rule, &request, err)
		    : detach_one(&detaching->daemon, address, request, err);
}

/* Each is detached whatever becomes of the others, as `docker rm` does. */
static enum hv_exit detach(const struct hv_invocation *run, struct hv_error *err)
{
	auto_detaching struct detaching detaching = {.run = run, .swarm.role = HV_SWARM_NONE};
	hv_auto_addresses struct hv_addresses addresses = {0};
	enum hv_exit status = HV_EXIT_DONE;
	long long seconds = 0;

	if (parse_seconds(run->options.wait, &seconds, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (hv_addresses_parse(&run->operands, run->options.target, &addresses, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	if (may_be_cluster(&addresses) && open_swarm(&detaching, &addresses, err) != HV_OK)
		return HV_EXIT_FAILED;
	if (needs_daemon(&detaching.swarm, &addresses) &&
		hv_client_find(&run->globals, &run->environment, &detaching.daemon, err) != HV_OK)
		return HV_EXIT_FAILED;
	for (size_t i = 0; i < addresses.count; i++) {
		const struct hv_address *address = &addresses.items[i];
		hv_auto_error struct hv_error failure = {0};

		if (detach_address(&detaching, address, &failure) == HV_OK)
			continue;
		hv_report(addresses.count > 1 ? address->text : NULL, &failure);
		status = HV_EXIT_FAILED;
	}
	return status;
}

/* The value of --wait was forgotten, and the next word taken for it. */
static void hint_operands(const struct hv_invocation *run, struct hv_error *err)
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
		"cannot be detached, the rule stays. On a manager of a swarm, service:NAME is on all nodes.",
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
