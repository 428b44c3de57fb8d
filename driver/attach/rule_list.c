/* SPDX-License-Identifier: Apache-2.0 */
/* Show the rules, and the effect that a new one would have. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"
#include "mountcore/path.h"
#include "wire/text.h"

#include "attachment.h"
#include "attachments.h"
#include "rule_end.h"
#include "rule_place.h"

void hv_rule_views_free(struct hv_rule_view *views, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hv_rule_view_done(&views[i]);
	free(views);
}

static enum hv_code take_records(struct hv_attacher *attacher, const char *rule,
	struct hv_rule_view *ret, struct hv_error *err)
{
	const struct hv_record_filter filter = {.rule = rule};
	hv_auto_records struct hv_records records = {0};

	if (hv_records_list(attacher, &filter, &records, err) != HV_OK)
		return err->code;
	ret->attachments = calloc(records.count + 1, sizeof(*ret->attachments));
	if (!ret->attachments)
		return hv_oom(err);
	for (struct hv_record *record = NULL; (record = hv_records_next(&records, record));) {
		if (!record->is_done)
			continue;
		ret->attachments[ret->count++] = record->view;
		record->view = (struct hv_attachment){0};
	}
	return HV_OK;
}

static enum hv_code show(struct hv_attacher *attacher, const struct hv_rule_record *rule,
	struct hv_rule_view *ret, struct hv_error *err)
{
	if (hv_rule_view_fill(ret, rule, err) != HV_OK ||
		take_records(attacher, rule->id, ret, err) != HV_OK ||
		hv_rules_problem(&attacher->rules, rule->id, &ret->problem, err) != HV_OK)
		return err->code;
	return hv_rules_misses(&attacher->rules, rule->id, &ret->misses, err);
}

enum hv_code hv_rules_list(struct hv_attacher *attacher, struct hv_rule_view **ret,
	size_t *ret_count, struct hv_error *err)
{
	hv_auto_rule_records struct hv_rule_records rules = {0};
	struct hv_rule_view *views;

	if (hv_rules_match(&attacher->rules, NULL, &rules, err) != HV_OK)
		return err->code;
	views = calloc(rules.count + 1, sizeof(*views));
	if (!views)
		return hv_oom(err);
	for (size_t i = 0; i < rules.count; i++) {
		if (show(attacher, &rules.items[i], &views[i], err) == HV_OK)
			continue;
		hv_rule_views_free(views, rules.count);
		return err->code;
	}
	*ret = views;
	*ret_count = rules.count;
	return HV_OK;
}

/* --- check --- */

struct list {
	struct hv_check *items;
	size_t count;
};

static enum hv_code add(struct list *list, char *name, bool ok, char *detail, struct hv_error *err)
{
	struct hv_check *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (items)
		list->items = items;
	if (!items || !name || !detail) {
		free(name);
		free(detail);
		return hv_oom(err);
	}
	items[list->count++] = (struct hv_check){.name = name, .ok = ok, .detail = detail};
	return HV_OK;
}

/* The steps of one container, which may be a skipped one. */
static enum hv_code check_place(struct hv_attacher *attacher,
	const struct hv_attach_request *request, const struct hv_rule_place *place,
	const struct hv_rule_record *rule, struct list *list, struct hv_error *err)
{
	struct hv_attach_request one = *request;
	hv_auto_attachment struct hv_attachment there = {0};
	struct hv_check *checks = NULL;
	size_t count = 0;
	enum hv_code code = hv_rule_look(attacher, rule, place, &there, err);

	if (code == HV_TARGET_EXISTS) {
		hv_auto_free char *why = hv_text_format("skipped: %s", hv_error_text(err));

		hv_error_done(err);
		return add(list, hv_text_format("%s: rule", place->name), true,
			why ? strdup(why) : NULL, err);
	}
	if (code != HV_OK)
		return code;
	one.container = place->id;
	one.selector = NULL;
	code = hv_attach_check(attacher, &one, &checks, &count, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = add(list, hv_text_format("%s: %s", place->name, checks[i].name),
			checks[i].ok, checks[i].detail ? strdup(checks[i].detail) : NULL, err);
	hv_checks_free(checks, count);
	return code;
}

/* The rule that has that selector and target already, or a blank one. */
static enum hv_code find_rule(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_rule_record *ret, struct hv_error *err)
{
	char target[PATH_MAX];
	enum hv_code code;

	if (mc_path_clean(request->target, target, sizeof(target)) < 0)
		snprintf(target, sizeof(target), "%s", request->target); /* a step tells why */
	code = hv_rules_find(&attacher->rules, request->selector, target, ret, err);
	if (code != HV_NO_SUCH_ATTACHMENT)
		return code;
	ret->id = strdup("");
	ret->target = strdup(target);
	return ret->id && ret->target ? HV_OK : hv_oom(err);
}

static enum hv_code check_all(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct list *list, struct hv_error *err)
{
	hv_auto_rule_record struct hv_rule_record rule = {0};
	hv_auto_rule_places struct hv_rule_places places = {0};
	hv_auto_free char *near = NULL;
	enum hv_code code = find_rule(attacher, request, &rule, err);

	if (code == HV_OK)
		code = hv_rule_list_places(attacher, request->selector, &places, &near, err);
	if (code == HV_OK)
		code = add(list, strdup("selector"), true,
			hv_text_format(
				"it selects %zu container%s now, and each that is created later%s%s",
				places.count, places.count == 1 ? "" : "s", near ? "; " : "",
				near ? near : ""),
			err);
	for (size_t i = 0; code == HV_OK && i < places.count; i++)
		code = check_place(attacher, request, &places.items[i], &rule, list, err);
	return code;
}

enum hv_code hv_rule_check(struct hv_attacher *attacher, const struct hv_attach_request *request,
	struct hv_check **ret, size_t *ret_count, struct hv_error *err)
{
	struct list list = {0};
	enum hv_code code = check_all(attacher, request, &list, err);

	if (code != HV_OK) {
		hv_checks_free(list.items, list.count);
		return code;
	}
	*ret = list.items;
	*ret_count = list.count;
	return HV_OK;
}
