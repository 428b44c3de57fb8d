/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/filter.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/action.h"
#include "wire/attachment_state.h"
#include "wire/cleanup.h"

#include "cli/document.h"
#include "cli/nearest.h"
#include "cli/place.h"

#define STATES "attached, covered, missing and pending"
#define ACTIONS                                                                                    \
	"attach, covered, detach, end, follow, late, missing, pending, reattach, refused, "        \
	"uncovered, volume-ok and volume-problem"

const char *const hv_filter_keys[HV_FILTER_KEYS] = {
	[HV_FILTER_ACTION] = "action",
	[HV_FILTER_CONTAINER] = "container",
	[HV_FILTER_STATE] = "state",
	[HV_FILTER_TARGET] = "target",
	[HV_FILTER_VOLUME] = "volume",
};

const struct hv_filter_set hv_filters_of_ls = {
	.has = {[HV_FILTER_CONTAINER] = true,
		[HV_FILTER_STATE] = true,
		[HV_FILTER_TARGET] = true,
		[HV_FILTER_VOLUME] = true},
	.list = "container, state, target and volume",
};

const struct hv_filter_set hv_filters_of_events = {
	.has = {[HV_FILTER_ACTION] = true,
		[HV_FILTER_CONTAINER] = true,
		[HV_FILTER_TARGET] = true,
		[HV_FILTER_VOLUME] = true},
	.list = "action, container, target and volume",
};

static enum hv_code fail_key(
	const struct hv_filter_set *set, const char *word, size_t length, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = word, .length = length};

	for (size_t i = 0; i < HV_FILTER_KEYS; i++)
		if (set->has[i])
			hv_nearest_add(&nearest, hv_filter_keys[i]);
	hv_fail(err, HV_BAD_REQUEST, "unknown filter \"%.*s\": the known ones are %s", (int)length,
		word, set->list);
	if (!nearest.name)
		return err->code;
	return hv_hint(err, "did you mean: --filter %s%s", nearest.name, word + length);
}

static enum hv_code fail_state(const char *word, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = word, .length = strlen(word)};

	for (int i = HV_UNKNOWN_STATE + 1; i < HV_STATE_COUNT; i++)
		hv_nearest_add(&nearest, hv_attachment_state_name((enum hv_attachment_state)i));
	hv_fail(err, HV_BAD_REQUEST, "unknown state \"%s\": the states are " STATES, word);
	if (!nearest.name)
		return err->code;
	return hv_hint(err, "did you mean: --filter state=%s", nearest.name);
}

static enum hv_code fail_action(const char *word, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = word, .length = strlen(word)};

	for (int i = 0; i < HV_ACTION_COUNT; i++)
		hv_nearest_add(&nearest, hv_action_name((enum hv_action)i));
	hv_fail(err, HV_BAD_REQUEST, "unknown action \"%s\": the actions are " ACTIONS, word);
	if (!nearest.name)
		return err->code;
	return hv_hint(err, "did you mean: --filter action=%s", nearest.name);
}

static enum hv_code check_value(
	const struct hv_filter *filter, const char *value, struct hv_error *err)
{
	if (filter->key == HV_FILTER_STATE && hv_attachment_state_parse(value) == HV_UNKNOWN_STATE)
		return fail_state(value, err);
	if (filter->key == HV_FILTER_ACTION && hv_action_parse(value) == HV_ACTION_COUNT)
		return fail_action(value, err);
	return HV_OK;
}

static enum hv_code find_key(const struct hv_filter_set *set, const char *word, size_t length,
	enum hv_filter_key *ret, struct hv_error *err)
{
	for (int i = 0; i < HV_FILTER_KEYS; i++)
		if (set->has[i] && strncmp(hv_filter_keys[i], word, length) == 0 &&
			!hv_filter_keys[i][length]) {
			*ret = (enum hv_filter_key)i;
			return HV_OK;
		}
	return fail_key(set, word, length, err);
}

static enum hv_code add(const struct hv_filter_set *set, const char *word,
	struct hv_filters *filters, struct hv_error *err)
{
	const char *equals = strchr(word, '=');
	struct hv_filter *filter = &filters->items[filters->count];

	if (!equals || equals == word) {
		hv_fail(err, HV_BAD_REQUEST, "--filter takes KEY=VALUE, not \"%s\"", word);
		return hv_hint(err, "write a key of %s, such as --filter volume=data", set->list);
	}
	if (find_key(set, word, (size_t)(equals - word), &filter->key, err) != HV_OK)
		return err->code;
	if (!equals[1])
		return hv_fail(err, HV_BAD_REQUEST, "--filter %s has no value", word);
	if (check_value(filter, equals + 1, err) != HV_OK)
		return err->code;
	filter->value = strdup(equals + 1);
	if (!filter->value)
		return hv_oom(err);
	if (filter->key == HV_FILTER_TARGET)
		hv_target_clean(filter->value);
	filters->count++;
	return HV_OK;
}

enum hv_code hv_filters_parse(const struct hv_filter_set *set, const struct hv_values *values,
	struct hv_filters *ret, struct hv_error *err)
{
	for (size_t i = 0; i < values->count; i++)
		if (add(set, values->items[i], ret, err) != HV_OK)
			return err->code;
	return HV_OK;
}

static bool has_text(struct json_object *item, const char *field, const char *value)
{
	const char *text = hv_document_text(item, field);

	return text && strcmp(text, value) == 0;
}

static bool has_value(struct json_object *item, const struct hv_filter *filter)
{
	const char *id;

	switch (filter->key) {
	case HV_FILTER_ACTION:
		return has_text(item, "Action", filter->value);
	case HV_FILTER_CONTAINER:
		id = hv_document_text(item, "ContainerID");
		return has_text(item, "ContainerName", filter->value) ||
		       (id && strncmp(id, filter->value, strlen(filter->value)) == 0);
	case HV_FILTER_STATE:
		return has_text(item, "State", filter->value);
	case HV_FILTER_TARGET:
		return has_text(item, "Target", filter->value);
	case HV_FILTER_VOLUME:
		return has_text(item, "Volume", filter->value);
	case HV_FILTER_KEYS:
		break;
	}
	return false;
}

bool hv_filters_match(const struct hv_filters *filters, struct json_object *item)
{
	for (int key = 0; key < HV_FILTER_KEYS; key++) {
		bool is_given = false, is_met = false;

		for (size_t i = 0; i < filters->count && !is_met; i++) {
			if ((int)filters->items[i].key != key)
				continue;
			is_given = true;
			is_met = has_value(item, &filters->items[i]);
		}
		if (is_given && !is_met)
			return false;
	}
	return true;
}

struct json_object *hv_filters_select(const struct hv_filters *filters, struct json_object *list)
{
	hv_auto_json struct json_object *passed = json_object_new_array();
	size_t count = json_object_array_length(list);

	for (size_t i = 0; passed && i < count; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (!hv_filters_match(filters, item))
			continue;
		if (json_object_array_add(passed, json_object_get(item)) < 0) {
			json_object_put(item);
			return NULL;
		}
	}
	return json_object_get(passed);
}

void hv_filters_done(struct hv_filters *filters)
{
	for (size_t i = 0; i < filters->count; i++)
		free(filters->items[i].value);
	*filters = (struct hv_filters){0};
}
