/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rule.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/types.h"

#include "cli/attachment.h"
#include "cli/document.h"
#include "cli/output.h"
#include "cli/template.h"

static const char *const headings[] = {
	"ID", "VOLUME", "SELECTOR", "TARGET", "MODE", "CONTAINERS", "SINCE", "PROBLEM"};

enum { COLUMNS_MAX = sizeof(headings) / sizeof(headings[0]) };

static void print_misses(struct json_object *answer, const char *name)
{
	struct json_object *list = hv_document_get(answer, name, json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *container = hv_document_text(item, "ContainerName");
		const char *why = hv_document_text(item, "Err");

		hv_line_print(stderr, "note: not in container '%s': %s", container ? container : "",
			why ? why : "");
	}
}

enum hv_code hv_rule_print(struct json_object *answer, struct hv_error *err)
{
	struct json_object *list = hv_document_get(answer, "Attachments", json_type_array);

	if (!list)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer has no list in it");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (hv_attachment_print_object(json_object_array_get_idx(list, i), err) != HV_OK)
			return err->code;
	print_misses(answer, "Failed");
	print_misses(answer, "Skipped");
	return HV_OK;
}

enum hv_code hv_rules_ask(
	const struct hv_client *daemon, struct json_object **ret, struct hv_error *err)
{
	hv_auto_json struct json_object *answer = NULL;
	struct json_object *rules;

	if (hv_client_call(daemon, &(struct hv_call){"/HotRules", NULL, 0}, &answer, err) != HV_OK)
		return err->code;
	rules = hv_document_get(answer, "Rules", json_type_array);
	if (!rules)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer has no list in it");
	*ret = json_object_get(rules);
	return HV_OK;
}

static bool has_text(struct json_object *rule, const char *key, const char *wanted)
{
	const char *text = hv_document_text(rule, key);

	return !wanted || (text && strcmp(text, wanted) == 0);
}

struct json_object *hv_rules_find(
	struct json_object *rules, const char *id, const char *selector, const char *target)
{
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		struct json_object *item = json_object_array_get_idx(rules, i);

		if (has_text(item, "ID", id) && has_text(item, "Selector", selector) &&
			has_text(item, "Target", target))
			return item;
	}
	return NULL;
}

/* --- ls --rules --- */

static long long count_misses(const struct hv_rule *rule)
{
	return rule->failed + rule->skipped;
}

static int add_row(struct hv_table *table, const struct hv_rule *rule, time_t now)
{
	char since[40], mode[48], containers[64], misses[80];
	const char *problem = count_misses(rule) > 0 ? misses : "";
	const char *const cells[COLUMNS_MAX] = {rule->id, rule->volume, rule->selector,
		rule->target, mode, containers, since, rule->problem ? rule->problem : problem};

	hv_since_format(rule->since ? rule->since : "", now, since, sizeof(since));
	snprintf(mode, sizeof(mode), "%s%s%s%s%s%s%s", rule->read_only ? "ro" : "rw",
		rule->no_suid == HV_TRUE ? ",nosuid" : "", rule->no_dev ? ",nodev" : "",
		rule->no_exec ? ",noexec" : "", rule->required ? ",required" : "",
		rule->follow ? ",follow" : "",
		rule->propagation && strcmp(rule->propagation, "slave") == 0 ? ",slave" : "");
	snprintf(containers, sizeof(containers), "%lld/%lld", rule->attached,
		rule->attached + rule->pending + count_misses(rule));
	snprintf(misses, sizeof(misses), "%lld failed, %lld skipped", rule->failed, rule->skipped);
	for (size_t i = 0; i < table->columns; i++)
		if (hv_table_add(table, cells[i]) < 0)
			return -1;
	return 0;
}

static enum hv_code add_item(
	struct hv_table *table, struct json_object *item, time_t now, struct hv_error *err)
{
	hv_auto_rule struct hv_rule rule = {.no_suid = HV_UNSET};

	if (!json_object_is_type(item, json_type_object) ||
		hv_fields_from(item, hv_rule_fields, HV_UNKNOWN_IGNORE, &rule, err) != HV_OK)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's list makes no sense");
	return add_row(table, &rule, now) < 0 ? hv_oom(err) : HV_OK;
}

static bool has_problems(struct json_object *rules)
{
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		struct json_object *item = json_object_array_get_idx(rules, i);

		if (json_object_get_int64(json_object_object_get(item, "Failed")) > 0 ||
			json_object_get_int64(json_object_object_get(item, "Skipped")) > 0 ||
			hv_document_text(item, "Problem"))
			return true;
	}
	return false;
}

static enum hv_code print_table(struct json_object *rules, struct hv_error *err)
{
	hv_auto_table struct hv_table table = {
		.columns = has_problems(rules) ? COLUMNS_MAX : COLUMNS_MAX - 1};
	time_t now = time(NULL);

	for (size_t i = 0; i < table.columns; i++)
		if (hv_table_add(&table, headings[i]) < 0)
			return hv_oom(err);
	for (size_t i = 0; i < json_object_array_length(rules); i++)
		if (add_item(&table, json_object_array_get_idx(rules, i), now, err) != HV_OK)
			return err->code;
	hv_table_print(&table, stdout);
	return HV_OK;
}

static void print_ids(struct json_object *rules)
{
	for (size_t i = 0; i < json_object_array_length(rules); i++) {
		const char *id = hv_document_text(json_object_array_get_idx(rules, i), "ID");

		if (id)
			hv_line_print(stdout, "%s", id);
	}
}

/* Those of one volume, or all; to be put, NULL on ENOMEM. */
static struct json_object *select_rules(struct json_object *rules, const char *volume)
{
	hv_auto_json struct json_object *passed = json_object_new_array();

	for (size_t i = 0; passed && i < json_object_array_length(rules); i++) {
		struct json_object *item = json_object_array_get_idx(rules, i);

		if (!has_text(item, "Volume", volume))
			continue;
		if (json_object_array_add(passed, json_object_get(item)) < 0) {
			json_object_put(item);
			return NULL;
		}
	}
	return json_object_get(passed);
}

static enum hv_code print(const struct hv_options *options, const struct hv_template *template,
	struct json_object *rules, struct hv_error *err)
{
	int r;

	if (options->quiet) {
		print_ids(rules);
		return HV_OK;
	}
	if (!template->text && !(options->format && strcmp(options->format, "json") == 0))
		return print_table(rules, err);
	r = template->text ? hv_template_print(template, rules, stdout)
			   : hv_document_print(stdout, rules);
	return r < 0 ? hv_oom(err) : HV_OK;
}

static enum hv_code parse(
	const struct hv_options *options, struct hv_template *ret, struct hv_error *err)
{
	const char *format = options->format;

	if (options->container || options->filters.count > 0) {
		hv_fail(err, HV_BAD_REQUEST, "--rules goes with --volume, and no other filter");
		return hv_hint(err, "list the attachments in containers without --rules");
	}
	if (!format || strcmp(format, "json") == 0 || strcmp(format, "table") == 0)
		return HV_OK;
	return hv_template_parse(format, hv_rule_fields, ret, err);
}

enum hv_exit hv_rules_list(const struct hv_invocation *run, struct hv_error *err)
{
	hv_auto_template struct hv_template template = {0};
	hv_auto_daemon struct hv_client daemon = {0};
	hv_auto_json struct json_object *rules = NULL, *passed = NULL;

	if (parse(&run->options, &template, err) != HV_OK)
		return err->code == HV_BAD_REQUEST ? HV_EXIT_USAGE : HV_EXIT_FAILED;
	if (hv_client_find(&run->globals, &run->environment, &daemon, err) != HV_OK ||
		hv_rules_ask(&daemon, &rules, err) != HV_OK)
		return HV_EXIT_FAILED;
	passed = select_rules(rules, run->options.volume);
	if (!passed)
		hv_oom(err);
	else if (print(&run->options, &template, passed, err) == HV_OK)
		return HV_EXIT_DONE;
	return HV_EXIT_FAILED;
}
