/* SPDX-License-Identifier: Apache-2.0 */
/* Make a rule on all nodes, or look what that would do. */
#include "cli/cluster.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/cluster_rows.h"
#include "cli/cluster_rule.h"
#include "cli/document.h"
#include "cli/output.h"

static const char word[] = "service:";

bool hv_cluster_is_meant(const char *selector)
{
	return selector && strncmp(selector, word, strlen(word)) == 0;
}

/* An attach to the tasks of a service. */
struct making {
	const struct hv_invocation *run;
	const struct hv_swarm *swarm;
	struct json_object *body;
	struct json_object *service; /* borrowed */
	struct hv_cluster_rule rule;
	struct hv_carried carried;
	struct hv_replies replies;
	bool is_new; /* there was no carrier before */
};

#define auto_making HV_AUTO(making_done)
static void making_done(struct making *making)
{
	hv_cluster_rule_done(&making->rule);
	hv_carried_done(&making->carried);
	hv_replies_done(&making->replies);
}

static enum hv_code prepare(struct making *making, struct hv_error *err)
{
	const char *selector = hv_document_text(making->body, "Selector");
	const char *target = hv_document_text(making->body, "Target");
	struct json_object *clean;

	if (hv_swarm_get_service(making->swarm, selector + strlen(word), &making->service, err) !=
			HV_OK ||
		hv_cluster_rule_init(selector, target, &making->rule, err) != HV_OK)
		return err->code;
	clean = json_object_new_string(making->rule.target);
	return clean && json_object_object_add(making->body, "Target", clean) == 0 ? HV_OK
										   : hv_oom(err);
}

/* Of a body, all that makes one rule another; to be put. */
static struct json_object *copy_essence(struct json_object *body)
{
	struct json_object *copy = NULL;

	if (!body || json_object_deep_copy(body, &copy, NULL) < 0)
		return NULL;
	json_object_object_del(copy, "Each");
	json_object_object_del(copy, "VolumeOpts");
	json_object_object_del(copy, "ID");
	return copy;
}

static enum hv_code check_other(
	const struct making *making, struct json_object *carrier, struct hv_error *err)
{
	hv_auto_json struct json_object *body = hv_carrier_body(carrier);
	hv_auto_json struct json_object *there = copy_essence(body);
	hv_auto_json struct json_object *wanted = copy_essence(making->body);
	const char *volume = hv_document_text(there, "Volume");

	if (!volume)
		volume = hv_document_text(
			hv_document_get(there, "Source", json_type_object), "Path");
	if (hv_carrier_is_ending(carrier) || json_object_equal(there, wanted))
		return HV_OK;
	hv_fail(err, HV_TARGET_EXISTS,
		"rule %s attaches volume '%s' to %s at %s already, with other options",
		making->rule.id, volume ? volume : "", making->rule.selector, making->rule.target);
	return hv_hint(err, "end that first: docker hostvol detach %s", making->rule.id);
}

/* A new carrier, or the one that is there asks again. */
static enum hv_code send(struct making *making, struct hv_error *err)
{
	struct json_object *carrier = hv_swarm_find_service(making->swarm, making->rule.name);
	const struct hv_call call = {"/HotAttach", making->body, 0};
	struct json_object *id = json_object_new_string(making->rule.id);
	hv_auto_json struct json_object *spec = NULL;
	enum hv_code code;

	if (!id || json_object_object_add(making->body, "ID", id) < 0)
		return hv_oom(err);
	if (carrier && check_other(making, carrier, err) != HV_OK)
		return err->code;
	spec = hv_cluster_rule_spec(making->swarm, &making->rule, &call,
		hv_service_constraints(making->service), false);
	if (!spec)
		return hv_oom(err);
	making->is_new = !carrier;
	hv_cluster_remove_stale(making->swarm);
	code = hv_carrier_send(
		making->swarm, hv_document_text(carrier, "ID"), spec, &making->carried, err);
	if (code == HV_TIMEOUT) /* the Engine may do it all the same */
		return hv_hint(err, "repeat the command, or end rule %s: docker hostvol detach %s",
			making->rule.id, making->rule.id);
	if (code != HV_TARGET_EXISTS)
		return code;
	hv_fail(err, HV_TARGET_EXISTS, "rule %s is being made by another command", making->rule.id);
	return hv_hint(err, "try again");
}

static bool may_have(const struct hv_reply *reply)
{
	return reply->may_be_done || reply->state == HV_NODE_LOST;
}

/* The nodes that may have the rule now: its keys; to be put, NULL on ENOMEM. */
static struct json_object *find_concern(const struct hv_replies *replies)
{
	struct json_object *concern = json_object_new_object();

	for (size_t i = 0; concern && i < replies->count; i++) {
		const struct hv_reply *reply = &replies->items[i];

		if (may_have(reply))
			json_object_object_add(concern, reply->id, NULL);
	}
	return concern;
}

/* Take it out where it is done, and remove the carrier.  A node that cannot be told keeps the
 * carrier.  By its ID: another rule may have the place. */
static enum hv_code undo(struct making *making, struct hv_error *err)
{
	struct hv_detach_request request = {.lazy = true};
	hv_auto_json struct json_object *body = NULL, *concern = find_concern(&making->replies);
	hv_auto_json struct json_object *others = hv_cluster_spare_others(&making->replies);
	hv_auto_replies struct hv_replies replies = {0};
	hv_auto_carried struct hv_carried carried = {0};
	struct hv_cluster_end end = {
		.id = making->carried.id, .seconds = HV_CLUSTER_SECONDS, .carried = &carried};
	struct hv_tally tally;

	request.id = making->rule.id;
	end.body = body = hv_fields_write(hv_detach_request_fields, &request);
	end.concern = concern;
	end.constraints = others;
	if (!body || !concern || !others)
		return hv_oom(err);
	if (hv_cluster_end(making->swarm, &making->rule, &end, &replies, err) != HV_OK)
		return err->code;
	tally = hv_replies_count(&replies, true);
	if (tally.refused + tally.absent == 0 &&
		hv_cluster_check_own(making->swarm, &making->rule, &carried, err) != HV_OK)
		return err->code;
	if (tally.refused + tally.absent == 0)
		return hv_swarm_remove(making->swarm, making->carried.id, err);
	return hv_fail(err, HV_UNSUPPORTED, "%zu of %zu nodes could not be told",
		tally.refused + tally.absent, tally.nodes);
}

/* Whether each node has refused, or has not been asked. */
static bool is_nowhere(const struct hv_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		if (may_have(&replies->items[i]))
			return false;
	return true;
}

static void take_back(struct making *making, const struct hv_tally *tally, struct hv_error *err)
{
	hv_auto_error struct hv_error failure = {0};
	enum hv_code code;

	if (hv_cluster_check_own(making->swarm, &making->rule, &making->carried, err) != HV_OK)
		return;
	code = is_nowhere(&making->replies)
		       ? hv_swarm_remove(making->swarm, making->carried.id, &failure)
		       : undo(making, &failure);
	if (code != HV_OK) {
		hv_fail(err, HV_UNSUPPORTED, "rule %s could not be taken back: %s", making->rule.id,
			hv_error_text(&failure));
		hv_hint(err, "end it: docker hostvol detach %s", making->rule.id);
		return;
	}
	if (tally->later == tally->nodes)
		hv_fail(err, HV_UNSUPPORTED, "no node can be asked now, so the rule is not kept");
	else
		hv_fail(err, HV_UNSUPPORTED, "%zu of %zu nodes do not have it, so it is on none",
			tally->refused + tally->absent, tally->nodes);
}

/* Whether another command has changed the rule, which Swarm ends the tasks of this one for. */
static bool is_superseded(const struct making *making, struct hv_error *err)
{
	if (hv_cluster_check_own(making->swarm, &making->rule, &making->carried, err) == HV_BUSY)
		return true;
	hv_error_done(err);
	return false;
}

/* The table has told why. */
static enum hv_exit conclude(struct making *making, struct hv_error *err)
{
	const struct hv_tally tally = hv_replies_count(&making->replies, false);
	size_t missing = tally.refused + tally.absent;

	if (making->replies.is_interrupted) {
		hv_fail(err, HV_TIMEOUT, "interrupted: the nodes go on with rule %s",
			making->rule.id);
		hv_hint(err, "end it: docker hostvol detach %s", making->rule.id);
		return HV_EXIT_FAILED;
	}
	if (missing == 0 && (tally.done > 0 || !making->is_new))
		return HV_EXIT_DONE;
	if (making->is_new && (tally.done == 0 || making->run->options.all)) {
		take_back(making, &tally, err);
		return HV_EXIT_FAILED;
	}
	if (is_superseded(making, err))
		return HV_EXIT_FAILED;
	hv_fail(err, HV_UNSUPPORTED, "%zu of %zu nodes do not have it; the others have", missing,
		tally.nodes);
	hv_hint(err,
		"repeat the command when that is mended, or end rule %s: docker hostvol detach %s",
		making->rule.id, making->rule.id);
	return HV_EXIT_FAILED;
}

static enum hv_code check_options(const struct hv_options *options, struct hv_error *err)
{
	if (options->lease || options->grace) {
		hv_fail(err, HV_BAD_REQUEST,
			"a lease is of one container's attachment: --for contradicts a service");
		return hv_hint(err, "leave out --for and --grace, or name one container");
	}
	if (!options->once)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "a rule holds for each start: --once contradicts a service");
	return hv_hint(err, "leave out --once, or name one container");
}

/* Without any reply a node may have the rule all the same. */
static void fail_to_wait(struct making *making, struct hv_error *err)
{
	hv_auto_error struct hv_error failure = {0};

	if (!making->is_new || making->replies.count > 0 ||
		hv_cluster_check_own(making->swarm, &making->rule, &making->carried, &failure) !=
			HV_OK ||
		undo(making, &failure) != HV_OK)
		hv_hint(err, "repeat the command, or end rule %s: docker hostvol detach %s",
			making->rule.id, making->rule.id);
}

enum hv_exit hv_cluster_attach(const struct hv_invocation *run, const struct hv_swarm *swarm,
	struct json_object *body, struct hv_error *err)
{
	auto_making struct making making = {.run = run, .swarm = swarm, .body = body};
	struct hv_replies_wait wait = {.endpoint = "/HotAttach", .seconds = HV_CLUSTER_SECONDS};
	enum hv_exit status;
	bool is_json = false;

	if (check_options(&run->options, err) != HV_OK ||
		hv_format_parse(run->options.format, &is_json, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (prepare(&making, err) != HV_OK || send(&making, err) != HV_OK)
		return HV_EXIT_FAILED;
	wait.service = hv_document_text(making.service, "ID");
	wait.is_everywhere = !hv_service_constraints(making.service);
	if (hv_replies_wait(swarm, &making.carried, &wait, &making.replies, err) != HV_OK) {
		fail_to_wait(&making, err);
		return HV_EXIT_FAILED;
	}
	/* First: to print may end the command, if nobody reads that. */
	status = conclude(&making, err);
	if (hv_replies_print(&making.replies, false, is_json) == 0)
		return status;
	hv_oom(err);
	return HV_EXIT_FAILED;
}

/* --- check --- */

/* Those of former tasks left out, in a new list, to be put; NULL on ENOMEM, or if there is none. */
static struct json_object *select_checks(
	const struct hv_replies *replies, const struct hv_reply *reply)
{
	struct json_object *list = hv_document_get(reply->answer, "Checks", json_type_array);
	hv_auto_json struct json_object *passed = list ? json_object_new_array() : NULL;

	for (size_t i = 0; passed && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *name = hv_document_text(item, "Name");
		const char *colon = name ? strchr(name, ':') : NULL;
		hv_auto_free char *container = colon ? strndup(name, (size_t)(colon - name)) : NULL;

		if (container && !hv_replies_has_task(replies, container))
			continue;
		if (json_object_array_add(passed, json_object_get(item)) < 0)
			return NULL;
	}
	return json_object_get(passed);
}

/* An object for each node, in an array to be put; NULL on ENOMEM. */
static struct json_object *build_checks(const struct hv_replies *replies, bool *ret_all)
{
	hv_auto_json struct json_object *rows = json_object_new_array();

	*ret_all = true;
	for (size_t i = 0; rows && i < replies->count; i++) {
		const struct hv_reply *reply = &replies->items[i];
		struct json_object *row = json_object_new_object();
		struct json_object *checks = select_checks(replies, reply);

		if (!row || json_object_array_add(rows, row) < 0)
			return NULL;
		json_object_object_add(row, "Node", json_object_new_string(reply->name));
		json_object_object_add(row, "NodeID", json_object_new_string(reply->id));
		if (checks)
			json_object_object_add(row, "Checks", checks);
		else
			json_object_object_add(
				row, "Err", json_object_new_string(hv_error_text(&reply->err)));
		for (size_t k = 0; checks && k < json_object_array_length(checks); k++)
			*ret_all = *ret_all &&
				   hv_document_flag(json_object_array_get_idx(checks, k), "OK");
		*ret_all = *ret_all && (checks || hv_reply_judge(reply, false) == HV_OUTCOME_LATER);
	}
	return json_object_get(rows);
}

static void print_check(const char *node, struct json_object *check)
{
	const char *name = hv_document_text(check, "Name");
	const char *detail = hv_document_text(check, "Detail");

	hv_line_print(stdout, "%-4s  %s: %s: %s", hv_document_flag(check, "OK") ? "ok" : "FAIL",
		node, name ? name : "", detail ? detail : "");
}

static void print_checks(struct json_object *rows)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		struct json_object *list = hv_document_get(row, "Checks", json_type_array);
		const char *node = hv_document_text(row, "Node"),
			   *why = hv_document_text(row, "Err");

		if (why)
			hv_line_print(stdout, "FAIL  %s: %s", node, why);
		for (size_t k = 0; list && k < json_object_array_length(list); k++)
			print_check(node, json_object_array_get_idx(list, k));
	}
}

enum hv_exit hv_cluster_check(const struct hv_invocation *run, const struct hv_swarm *swarm,
	struct json_object *body, struct hv_error *err)
{
	auto_making struct making making = {.run = run, .swarm = swarm, .body = body};
	const struct hv_call call = {"/HotCheck", body, 0};
	struct hv_cluster_question question = {.call = &call, .seconds = HV_CLUSTER_SECONDS};
	hv_auto_json struct json_object *rows = NULL;
	bool is_json = false, is_ok = false;

	if (check_options(&run->options, err) != HV_OK ||
		hv_format_parse(run->options.format, &is_json, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (prepare(&making, err) != HV_OK)
		return HV_EXIT_FAILED;
	question.service = making.service;
	if (hv_cluster_ask(swarm, &question, &making.replies, err) != HV_OK)
		return HV_EXIT_FAILED;
	rows = build_checks(&making.replies, &is_ok);
	if (rows && !is_json)
		print_checks(rows);
	if (!rows || (is_json && hv_document_print(stdout, rows) < 0))
		hv_oom(err);
	else if (is_ok)
		return HV_EXIT_DONE;
	else
		hv_fail(err, HV_INTERNAL, "the attach would be refused; nothing was changed");
	return HV_EXIT_FAILED;
}
