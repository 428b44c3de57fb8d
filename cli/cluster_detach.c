/* SPDX-License-Identifier: Apache-2.0 */
/* End a rule on all nodes.
 *
 * Sequence: the carrier that is kept becomes one that ends the rule on each node, also on those
 * that cannot be asked now; when all have answered it is removed.  If a node refuses, the carrier
 * becomes as before, and the rule holds again where it had ended. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "wire/tunnel.h"

#include "cli/cluster.h"
#include "cli/cluster_rows.h"
#include "cli/cluster_rule.h"
#include "cli/document.h"

enum { RESTORE_SECONDS = 10 };

struct ending {
	const struct hv_invocation *run;
	const struct hv_swarm *swarm;
	struct hv_cluster_rule rule;
	struct json_object *carrier; /* borrowed; NULL: it is gone */
	struct json_object *body;
	struct hv_carried carried; /* by the carrier */
	struct hv_replies replies;
};

#define auto_ending HV_AUTO(ending_done)
static void ending_done(struct ending *ending)
{
	hv_cluster_rule_done(&ending->rule);
	json_object_put(ending->body);
	hv_carried_done(&ending->carried);
	hv_replies_done(&ending->replies);
}

/* The carrier of a rule's ID. */
static struct json_object *find_by_id(const struct hv_swarm *swarm, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(swarm->services); i++) {
		struct json_object *service = json_object_array_get_idx(swarm->services, i);
		const char *text = hv_service_label(service, HV_CARRIER_RULE);

		if (text && strcmp(text, id) == 0)
			return service;
	}
	return NULL;
}

bool hv_cluster_has_rule(const struct hv_swarm *swarm, const struct hv_address *address)
{
	if (swarm->role != HV_SWARM_MANAGER)
		return false;
	return address->id ? find_by_id(swarm, address->id) != NULL
			   : hv_cluster_is_meant(address->place.selector);
}

bool hv_cluster_is_rule(struct json_object *rule)
{
	hv_auto_cluster_rule struct hv_cluster_rule names = {.name = NULL};
	hv_auto_error struct hv_error ignored = {0};
	const char *selector = hv_document_text(rule, "Selector");
	const char *target = hv_document_text(rule, "Target"), *id = hv_document_text(rule, "ID");

	return selector && target && id && hv_cluster_is_meant(selector) &&
	       hv_cluster_rule_init(selector, target, &names, &ignored) == HV_OK &&
	       strcmp(names.id, id) == 0;
}

static enum hv_code prepare(
	struct ending *ending, const struct hv_address *address, struct hv_error *err)
{
	const char *selector = address->place.selector, *target = address->place.target;
	struct json_object *service = address->id ? find_by_id(ending->swarm, address->id) : NULL;

	if (service) {
		selector = hv_service_label(service, HV_CARRIER_SELECTOR);
		target = hv_service_label(service, HV_CARRIER_TARGET);
	}
	if (!selector || !target)
		return hv_fail(err, HV_INTERNAL, "the carrier of rule %s lacks its labels",
			address->id ? address->id : "");
	if (hv_cluster_rule_init(selector, target, &ending->rule, err) != HV_OK)
		return err->code;
	ending->carrier = hv_swarm_find_service(ending->swarm, ending->rule.name);
	return HV_OK;
}

static enum hv_code build(
	struct ending *ending, const struct hv_detach_request *request, struct hv_error *err)
{
	struct hv_detach_request whole = *request;

	whole.id = NULL;
	whole.container = NULL;
	whole.selector = ending->rule.selector;
	whole.target = ending->rule.target;
	ending->body = hv_fields_write(hv_detach_request_fields, &whole);
	return ending->body ? HV_OK : hv_oom(err);
}

/* The daemon would wait for less, and say nothing of that. */
static enum hv_code check_wait(const struct hv_detach_request *request, struct hv_error *err)
{
	if (request->wait_seconds <= HV_TUNNEL_WAIT_SECONDS)
		return HV_OK;
	hv_fail(err, HV_BAD_REQUEST, "the nodes of a swarm wait %d seconds at most, not %lld",
		HV_TUNNEL_WAIT_SECONDS, (long long)request->wait_seconds);
	return hv_hint(err, "repeat the command until it succeeds, with --wait %d",
		HV_TUNNEL_WAIT_SECONDS);
}

static enum hv_code refuse_none(const struct ending *ending, struct hv_error *err)
{
	hv_fail(err, HV_NO_SUCH_ATTACHMENT, "no rule attaches a volume to %s at %s on any node",
		ending->rule.selector, ending->rule.target);
	return hv_hint(err, "list the rules: docker service ls --filter label=" HV_CARRIER_RULE);
}

static bool have_none(const struct hv_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		if (replies->items[i].err.code != HV_NO_SUCH_ATTACHMENT)
			return false;
	return true;
}

/* It may be gone. */
static struct json_object *find_service(const struct ending *ending)
{
	const char *selector = ending->rule.selector;
	const char *colon = selector ? strchr(selector, ':') : NULL;

	return colon ? hv_swarm_find_service(ending->swarm, colon + 1) : NULL;
}

/* Without a carrier, which somebody has removed: each node may have the rule still. */
static enum hv_code end_without(struct ending *ending, long seconds, struct hv_error *err)
{
	const struct hv_call call = {"/HotDetach", ending->body, 0};
	const struct hv_cluster_question question = {&call, find_service(ending), true, seconds};

	if (hv_cluster_ask(ending->swarm, &question, &ending->replies, err) != HV_OK ||
		hv_cluster_check_none(ending->swarm, &ending->rule, err) != HV_OK)
		return err->code;
	return have_none(&ending->replies) ? refuse_none(ending, err) : HV_OK;
}

/* Whether a task of the carrier may have made the rule on its node. */
static bool may_have_made(struct json_object *task)
{
	struct json_object *status = hv_document_get(task, "Status", json_type_object);
	const char *state = hv_document_text(status, "State");
	const char *text = hv_document_text(status, "Err");

	if (!state || strcmp(state, "pending") == 0 || strcmp(state, "new") == 0)
		return false;
	return !text || hv_answer_may_be_done(text);
}

/* The nodes that an earlier detach has noted. */
static bool add_former(struct json_object *carrier, struct json_object *concern)
{
	const char *nodes = hv_service_label(carrier, HV_CARRIER_NODES);

	for (const char *at = nodes ? nodes : ""; *at; at += strspn(at, ",")) {
		size_t length = strcspn(at, ",");
		hv_auto_free char *id = strndup(at, length);

		if (!id || json_object_object_add(concern, id, NULL) < 0)
			return false;
		at += length;
	}
	return true;
}

/* The nodes that may have the rule: its keys.  To be put. */
static enum hv_code find_concern(
	const struct ending *ending, struct json_object **ret, struct hv_error *err)
{
	hv_auto_json struct json_object *tasks = NULL, *concern = json_object_new_object();
	const char *id = hv_document_text(ending->carrier, "ID");

	if (!concern || !id)
		return hv_oom(err);
	if (hv_swarm_list_tasks(ending->swarm, id, NULL, &tasks, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < json_object_array_length(tasks); i++) {
		struct json_object *task = json_object_array_get_idx(tasks, i);
		const char *node = hv_document_text(task, "NodeID");

		if (node && may_have_made(task))
			json_object_object_add(concern, node, NULL);
	}
	if (!add_former(ending->carrier, concern))
		return hv_oom(err);
	*ret = json_object_get(concern);
	return HV_OK;
}

/* The rule holds again where it had ended, unless its carrier is one that ends it. */
static enum hv_code restore(const struct ending *ending, struct hv_error *err)
{
	const char *id = hv_document_text(ending->carrier, "ID");
	struct json_object *spec = hv_document_get(ending->carrier, "Spec", json_type_object);
	hv_auto_carried struct hv_carried carried = {0};
	hv_auto_replies struct hv_replies replies = {0};
	const struct hv_replies_wait wait = {.endpoint = "/HotAttach", .seconds = RESTORE_SECONDS};

	if (!id || hv_carrier_is_ending(ending->carrier))
		return hv_fail(err, HV_UNSUPPORTED, "nothing tells the nodes to keep it");
	if (hv_carrier_send(ending->swarm, id, spec, &carried, err) != HV_OK ||
		hv_replies_wait(ending->swarm, &carried, &wait, &replies, err) != HV_OK)
		return err->code;
	if (hv_replies_count(&replies, false).refused > 0)
		return hv_fail(err, HV_UNSUPPORTED, "a node refuses to make it again");
	return HV_OK;
}

static enum hv_code fail_refused(
	const struct ending *ending, const struct hv_tally *tally, struct hv_error *err)
{
	hv_auto_error struct hv_error failure = {0};

	if (restore(ending, &failure) == HV_OK) {
		hv_fail(err, HV_BUSY, "%zu of %zu nodes cannot detach it, and the rule stays",
			tally->refused, tally->nodes);
		return hv_hint(err, "end its use there, or detach with --wait or --lazy");
	}
	hv_fail(err, HV_BUSY, "%zu of %zu nodes cannot detach it; it has ended on the others",
		tally->refused, tally->nodes);
	return hv_hint(err, "end its use there, and repeat the command");
}

/* Whether a node had the rule, and has ended it. */
static bool is_ended_anywhere(const struct hv_replies *replies)
{
	for (size_t i = 0; i < replies->count; i++)
		if (replies->items[i].state == HV_NODE_ANSWERED &&
			replies->items[i].err.code == HV_OK)
			return true;
	return false;
}

/* No carrier tells them later. */
static enum hv_code fail_untold(
	const struct ending *ending, const struct hv_tally *tally, struct hv_error *err)
{
	size_t untold = tally->absent + tally->later;

	if (is_ended_anywhere(&ending->replies))
		hv_fail(err, HV_TIMEOUT,
			"%zu of %zu nodes could not be asked, and may keep the rule", untold,
			tally->nodes);
	else
		hv_fail(err, HV_TIMEOUT,
			"no node has a rule for %s at %s, but %zu of %zu could not be asked",
			ending->rule.selector, ending->rule.target, untold, tally->nodes);
	return hv_hint(err,
		"repeat the command when they are back: the service that would tell them is gone");
}

static enum hv_code conclude(const struct ending *ending, struct hv_error *err)
{
	const struct hv_tally tally = hv_replies_count(&ending->replies, true);
	const char *id = hv_document_text(ending->carrier, "ID");

	if (id &&
		hv_cluster_check_own(ending->swarm, &ending->rule, &ending->carried, err) != HV_OK)
		return err->code;
	if (tally.refused > 0)
		return fail_refused(ending, &tally, err);
	if (!id && tally.absent + tally.later > 0)
		return fail_untold(ending, &tally, err);
	if (tally.absent > 0 || ending->replies.is_interrupted) {
		hv_fail(err, HV_TIMEOUT, "%zu of %zu nodes have not detached it yet", tally.absent,
			tally.nodes);
		return hv_hint(err,
			"repeat the command when they are back: they detach it then, by service %s",
			ending->rule.name);
	}
	return id ? hv_swarm_remove(ending->swarm, id, err) : HV_OK;
}

static enum hv_code end(struct ending *ending, long seconds, struct hv_error *err)
{
	hv_auto_json struct json_object *concern = NULL;
	const struct json_object *carrier = ending->carrier;
	struct hv_cluster_end how = {
		.body = ending->body, .seconds = seconds, .carried = &ending->carried};

	if (!carrier)
		return end_without(ending, seconds, err);
	hv_cluster_remove_stale(ending->swarm);
	if (find_concern(ending, &concern, err) != HV_OK)
		return err->code;
	how.id = hv_document_text(ending->carrier, "ID");
	how.concern = concern;
	/* Its tasks tell which containers are former ones. */
	how.service = hv_document_text(find_service(ending), "ID");
	return hv_cluster_end(ending->swarm, &ending->rule, &how, &ending->replies, err);
}

enum hv_code hv_cluster_detach(const struct hv_invocation *run, const struct hv_swarm *swarm,
	const struct hv_address *address, const struct hv_detach_request *request,
	struct hv_error *err)
{
	auto_ending struct ending ending = {.run = run, .swarm = swarm};
	long seconds = HV_CLUSTER_SECONDS + (long)request->wait_seconds;
	bool is_json = false;

	if (hv_format_parse(run->options.format, &is_json, err) != HV_OK ||
		check_wait(request, err) != HV_OK || prepare(&ending, address, err) != HV_OK ||
		build(&ending, request, err) != HV_OK || end(&ending, seconds, err) != HV_OK)
		return err->code;
	/* First: to print may end the command, if nobody reads that. */
	(void)!conclude(&ending, err);
	return hv_replies_print(&ending.replies, true, is_json) < 0 ? hv_oom(err) : err->code;
}
