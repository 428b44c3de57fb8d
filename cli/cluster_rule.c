/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cluster_rule.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "wire/clock.h"
#include "wire/text.h"

#include "cli/document.h"
#include "cli/place.h"

/* A command that is under way is not older, and has removed its carrier then. */
enum { STALE_MS = 5 * 60 * 1000 };

enum { NOT_FOUND = 404 };

static const char yes[] = "true";

/* 64-bit FNV-1a, of which an ID has the last 48 bits.  Source: draft-eastlake-fnv. */
static uint64_t hash(const char *text)
{
	uint64_t sum = 14695981039346656037U;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 1099511628211U;
	return sum;
}

enum hv_code hv_cluster_rule_init(
	const char *selector, const char *target, struct hv_cluster_rule *ret, struct hv_error *err)
{
	hv_auto_free char *place = NULL;

	ret->selector = strdup(selector);
	ret->target = strdup(target);
	if (!ret->selector || !ret->target)
		return hv_oom(err);
	hv_target_clean(ret->target);
	place = hv_text_format("%s:%s", selector, ret->target);
	if (!place)
		return hv_oom(err);
	snprintf(ret->id, sizeof(ret->id), "%012" PRIx64, hash(place) & 0xffffffffffffU);
	ret->name = hv_text_format("hostvol-rule-%s", ret->id);
	return ret->name ? HV_OK : hv_oom(err);
}

void hv_cluster_rule_done(struct hv_cluster_rule *rule)
{
	free(rule->name);
	free(rule->selector);
	free(rule->target);
	*rule = (struct hv_cluster_rule){.name = NULL};
}

static bool add_label(struct json_object *labels, const char *key, const char *value)
{
	struct json_object *text = json_object_new_string(value);

	return labels && text && json_object_object_add(labels, key, text) == 0;
}

struct json_object *hv_cluster_rule_spec(const struct hv_swarm *swarm,
	const struct hv_cluster_rule *rule, const struct hv_call *call,
	struct json_object *constraints, bool is_ending)
{
	hv_auto_json struct json_object *labels = json_object_new_object();
	const struct hv_carrier carrier = {rule->name, labels, call, constraints};

	if (!add_label(labels, HV_CARRIER_RULE, rule->id) ||
		!add_label(labels, HV_CARRIER_SELECTOR, rule->selector) ||
		!add_label(labels, HV_CARRIER_TARGET, rule->target) ||
		(is_ending && !add_label(labels, HV_CARRIER_ENDING, yes)))
		return NULL;
	return hv_carrier_spec(swarm, &carrier);
}

bool hv_carrier_is_ending(struct json_object *service)
{
	return hv_service_label(service, HV_CARRIER_ENDING);
}

struct json_object *hv_service_constraints(struct json_object *service)
{
	struct json_object *spec = hv_document_get(service, "Spec", json_type_object);
	struct json_object *template = hv_document_get(spec, "TaskTemplate", json_type_object);
	struct json_object *placement = hv_document_get(template, "Placement", json_type_object);
	struct json_object *list = hv_document_get(placement, "Constraints", json_type_array);

	return list && json_object_array_length(list) > 0 ? list : NULL;
}

static bool is_stale(struct json_object *service)
{
	const char *created = hv_document_text(service, "CreatedAt");
	long long ms = 0;

	return hv_service_label(service, HV_CARRIER_REQUEST) && created &&
	       hv_clock_parse_ms(created, &ms) && hv_clock_date_ms() - ms > STALE_MS;
}

void hv_cluster_remove_stale(const struct hv_swarm *swarm)
{
	for (size_t i = 0; i < json_object_array_length(swarm->services); i++) {
		struct json_object *service = json_object_array_get_idx(swarm->services, i);
		const char *id = hv_document_text(service, "ID");
		hv_auto_error struct hv_error ignored = {0};

		if (id && is_stale(service))
			(void)!hv_swarm_remove(swarm, id, &ignored);
	}
}

static struct json_object *constraints_of(const struct hv_cluster_question *question)
{
	return question->is_everywhere ? NULL : hv_service_constraints(question->service);
}

static struct json_object *build_question(
	const struct hv_swarm *swarm, const struct hv_cluster_question *question)
{
	hv_auto_json struct json_object *labels = json_object_new_object();
	char name[64];
	uint64_t number = 0;
	const struct hv_carrier carrier = {name, labels, question->call, constraints_of(question)};

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return NULL;
	snprintf(name, sizeof(name), "hostvol-request-%016" PRIx64, number);
	return add_label(labels, HV_CARRIER_REQUEST, yes) ? hv_carrier_spec(swarm, &carrier) : NULL;
}

enum hv_code hv_cluster_ask(const struct hv_swarm *swarm,
	const struct hv_cluster_question *question, struct hv_replies *ret, struct hv_error *err)
{
	hv_auto_json struct json_object *spec = build_question(swarm, question);
	hv_auto_carried struct hv_carried carried = {0};
	hv_auto_error struct hv_error failure = {0};
	const struct hv_replies_wait wait = {
		.service = hv_document_text(question->service, "ID"),
		.endpoint = question->call->endpoint,
		.is_everywhere = !constraints_of(question),
		.counts_drained = question->is_everywhere,
		.seconds = question->seconds,
	};
	enum hv_code code;

	if (!spec)
		return hv_oom(err);
	hv_cluster_remove_stale(swarm);
	if (hv_carrier_send(swarm, NULL, spec, &carried, err) != HV_OK)
		return err->code;
	code = hv_replies_wait(swarm, &carried, &wait, ret, err);
	if (code == HV_OK && ret->is_interrupted)
		code = hv_fail(err, HV_TIMEOUT, "interrupted before all nodes had answered");
	if (hv_swarm_remove(swarm, carried.id, &failure) == HV_OK || code != HV_OK)
		return code;
	hv_fail(err, failure.code, "%s", hv_error_text(&failure));
	return hv_hint(err, "docker service rm %s", carried.id);
}

/* Swarm keeps only the last few tasks of a node, which tell whether it may have the rule. */
static bool add_nodes(struct json_object *spec, struct json_object *concern)
{
	hv_auto_free char *nodes = strdup("");

	if (!concern)
		return true;
	json_object_object_foreach(concern, id, value)
	{
		char *longer =
			nodes ? hv_text_format("%s%s%s", nodes, *nodes ? "," : "", id) : NULL;

		(void)value;
		free(nodes);
		nodes = longer;
	}
	return nodes && add_label(hv_document_get(spec, "Labels", json_type_object),
				HV_CARRIER_NODES, nodes);
}

static enum hv_code fail_changed(const struct hv_cluster_rule *rule, struct hv_error *err)
{
	hv_error_done(err);
	hv_fail(err, HV_BUSY, "rule %s was changed by another command meanwhile", rule->id);
	return hv_hint(err, "list the rules: docker service ls --filter label=" HV_CARRIER_RULE);
}

enum hv_code hv_cluster_check_own(const struct hv_swarm *swarm, const struct hv_cluster_rule *rule,
	const struct hv_carried *carried, struct hv_error *err)
{
	hv_auto_json struct json_object *service = NULL;
	long status = 0;

	if (hv_swarm_inspect(swarm, carried->id, &service, &status, err) != HV_OK &&
		status != NOT_FOUND)
		return err->code;
	return hv_carrier_has_request(service, carried->volume) ? HV_OK : fail_changed(rule, err);
}

enum hv_code hv_cluster_check_none(
	const struct hv_swarm *swarm, const struct hv_cluster_rule *rule, struct hv_error *err)
{
	hv_auto_json struct json_object *service = NULL;
	long status = 0;

	if (hv_swarm_inspect(swarm, rule->name, &service, &status, err) == HV_OK)
		return fail_changed(rule, err);
	if (status != NOT_FOUND)
		return err->code;
	hv_error_done(err);
	return HV_OK;
}

struct json_object *hv_cluster_spare_others(const struct hv_replies *replies)
{
	hv_auto_json struct json_object *list = json_object_new_array();

	for (size_t i = 0; list && i < replies->count; i++) {
		const struct hv_reply *reply = &replies->items[i];
		hv_auto_free char *text = NULL;

		if (reply->state != HV_NODE_ANSWERED || reply->err.code != HV_TARGET_EXISTS)
			continue;
		text = hv_text_format("node.id!=%s", reply->id);
		if (!text || json_object_array_add(list, json_object_new_string(text)) < 0)
			return NULL;
	}
	return json_object_get(list);
}

enum hv_code hv_cluster_end(const struct hv_swarm *swarm, const struct hv_cluster_rule *rule,
	const struct hv_cluster_end *end, struct hv_replies *ret, struct hv_error *err)
{
	const struct hv_call call = {"/HotDetach", end->body, 0};
	hv_auto_json struct json_object *spec =
		hv_cluster_rule_spec(swarm, rule, &call, end->constraints, true);
	const struct hv_replies_wait wait = {
		.service = end->service,
		.endpoint = call.endpoint,
		.concern = end->concern,
		.is_everywhere =
			!end->constraints || json_object_array_length(end->constraints) == 0,
		.seconds = end->seconds,
	};

	if (!spec || !add_nodes(spec, end->concern))
		return hv_oom(err);
	if (hv_carrier_send(swarm, end->id, spec, end->carried, err) != HV_OK)
		return err->code;
	return hv_replies_wait(swarm, end->carried, &wait, ret, err);
}
