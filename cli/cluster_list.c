/* SPDX-License-Identifier: Apache-2.0 */
/* docker hostvol ls --cluster: the attachments of all nodes. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/text.h"

#include "cli/attachment.h"
#include "cli/cluster.h"
#include "cli/cluster_rows.h"
#include "cli/cluster_rule.h"
#include "cli/document.h"
#include "cli/output.h"

static const char *const headings[] = {
	"NODE", "ID", "VOLUME", "CONTAINER", "TARGET", "MODE", "STATE", "SINCE"};

enum { COLUMNS = sizeof(headings) / sizeof(headings[0]) };

/* Each with its node, in one list; to be put, NULL on ENOMEM. */
static struct json_object *gather(const struct hv_replies *replies)
{
	hv_auto_json struct json_object *all = json_object_new_array();

	for (size_t i = 0; all && i < replies->count; i++) {
		const struct hv_reply *reply = &replies->items[i];
		struct json_object *list =
			hv_document_get(reply->answer, "Attachments", json_type_array);

		for (size_t k = 0; list && k < json_object_array_length(list); k++) {
			struct json_object *item = json_object_array_get_idx(list, k);
			struct json_object *name = json_object_new_string(reply->name);
			struct json_object *id = json_object_new_string(reply->id);

			if (!name || !id || json_object_object_add(item, "Node", name) < 0 ||
				json_object_object_add(item, "NodeID", id) < 0 ||
				json_object_array_add(all, json_object_get(item)) < 0)
				return NULL;
		}
	}
	return json_object_get(all);
}

static int add_row(struct hv_table *table, struct json_object *item, time_t now)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_attachment struct hv_attachment attachment = {0};
	char since[40];
	const char *node = hv_document_text(item, "Node");

	if (hv_fields_from(item, hv_attachment_fields, HV_UNKNOWN_IGNORE, &attachment, &ignored) !=
		HV_OK)
		return 0; /* of a newer version */
	hv_since_format(attachment.since ? attachment.since : "", now, since, sizeof(since));
	{
		const char *const cells[COLUMNS] = {node, attachment.id, attachment.volume,
			hv_attachment_container(&attachment), attachment.target,
			attachment.read_only ? "ro" : "rw",
			hv_attachment_state_name(attachment.state), since};

		for (size_t i = 0; i < COLUMNS; i++)
			if (hv_table_add(table, cells[i]) < 0)
				return -1;
	}
	return 0;
}

static int print_table(struct json_object *list)
{
	hv_auto_table struct hv_table table = {.columns = COLUMNS};
	time_t now = time(NULL);

	for (size_t i = 0; i < COLUMNS; i++)
		if (hv_table_add(&table, headings[i]) < 0)
			return -1;
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (add_row(&table, json_object_array_get_idx(list, i), now) < 0)
			return -1;
	hv_table_print(&table, stdout);
	return 0;
}

static void print_ids(struct json_object *list)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		const char *id = hv_document_text(json_object_array_get_idx(list, i), "ID");

		if (id)
			hv_line_print(stdout, "%s", id);
	}
}

/* Returns how many nodes should have answered and did not. */
static size_t tell_missing(const struct hv_replies *replies)
{
	size_t missing = 0;

	for (size_t i = 0; i < replies->count; i++) {
		const struct hv_reply *reply = &replies->items[i];
		enum hv_outcome outcome = hv_reply_judge(reply, false);

		if (outcome == HV_OUTCOME_DONE)
			continue;
		missing += outcome != HV_OUTCOME_LATER;
		hv_line_print(stderr, "note: nothing is known of node %s: %s", reply->name,
			hv_error_text(&reply->err));
	}
	return missing;
}

static enum hv_code ask(const struct hv_swarm *swarm, struct hv_replies *ret, struct hv_error *err)
{
	hv_auto_json struct json_object *body = json_object_new_object();
	const struct hv_call call = {"/HotList", body, 0};
	const struct hv_cluster_question question = {&call, NULL, true, HV_CLUSTER_SECONDS};

	return body ? hv_cluster_ask(swarm, &question, ret, err) : hv_oom(err);
}

static enum hv_exit list(const struct hv_invocation *run, const struct hv_swarm *swarm,
	const struct hv_filters *filters, bool is_json, struct hv_error *err)
{
	hv_auto_replies struct hv_replies replies = {0};
	hv_auto_json struct json_object *all = NULL, *passed = NULL;
	size_t missing;
	int r = 0;

	if (ask(swarm, &replies, err) != HV_OK)
		return HV_EXIT_FAILED;
	missing = tell_missing(&replies);
	all = gather(&replies);
	passed = all ? hv_filters_select(filters, all) : NULL;
	if (passed && run->options.quiet)
		print_ids(passed);
	else if (passed)
		r = is_json ? hv_document_print(stdout, passed) : print_table(passed);
	if (!passed || r < 0)
		hv_oom(err);
	else if (missing > 0)
		hv_fail(err, HV_TIMEOUT, "%zu of %zu nodes did not tell", missing, replies.count);
	return err->code == HV_OK ? HV_EXIT_DONE : HV_EXIT_FAILED;
}

/* --volume is a filter as well: a node need not know the volume. */
static enum hv_code parse_filters(
	const struct hv_options *options, struct hv_filters *ret, struct hv_error *err)
{
	struct hv_values values = options->filters;
	hv_auto_free char *volume = NULL;

	if (options->volume) {
		volume = hv_text_format("volume=%s", options->volume);
		if (!volume)
			return hv_oom(err);
		if (values.count == HV_VALUES_MAX)
			return hv_fail(err, HV_BAD_REQUEST, "there are too many filters");
		values.items[values.count++] = volume;
	}
	return hv_filters_parse(&hv_filters_of_ls, &values, ret, err);
}

enum hv_exit hv_cluster_list(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_swarm struct hv_swarm swarm = {.role = HV_SWARM_NONE};
	hv_auto_filters struct hv_filters filters = {.count = 0};
	bool is_json = false;

	if (hv_format_parse(run->options.format, &is_json, err) != HV_OK ||
		parse_filters(&run->options, &filters, err) != HV_OK)
		return HV_EXIT_USAGE;
	if (run->options.rules || run->options.container) {
		hv_fail(err, HV_BAD_REQUEST, "--cluster goes with --volume and --filter");
		hv_hint(err,
			"list the rules on all nodes: docker service ls --filter label=" HV_CARRIER_RULE);
		return HV_EXIT_USAGE;
	}
	if (hv_swarm_open(run, &swarm, err) != HV_OK)
		return HV_EXIT_FAILED;
	if (swarm.role == HV_SWARM_MANAGER)
		return list(run, &swarm, &filters, is_json, err);
	if (swarm.role == HV_SWARM_WORKER)
		hv_swarm_refuse_worker(&swarm, err);
	else
		hv_fail(err, HV_UNSUPPORTED,
			"this machine is in no swarm, which --cluster asks for");
	return HV_EXIT_FAILED;
}
