/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/action.h"
#include "wire/attachment_state.h"

#include "cli/document.h"
#include "cli/filter.h"

enum { WORDS_MAX = 4 };

static enum hv_code parse_of(const struct hv_filter_set *set, const char *const *words,
	struct hv_filters *filters, struct hv_error *err)
{
	struct hv_values values = {0};

	while (values.count < WORDS_MAX && words[values.count]) {
		values.items[values.count] = words[values.count];
		values.count++;
	}
	*filters = (struct hv_filters){0};
	return hv_filters_parse(set, &values, filters, err);
}

static enum hv_code parse(
	const char *const *words, struct hv_filters *filters, struct hv_error *err)
{
	return parse_of(&hv_filters_of_ls, words, filters, err);
}

static struct json_object *attachment_of(const char *json)
{
	struct json_object *object = hv_document_parse(json, strlen(json), json_type_object);

	assert_non_null(object);
	return object;
}

TEST(hv_filters_match_one_key_or_other_keys_and)
{
	static const struct {
		const char *words[WORDS_MAX];
		bool is_met;
	} cases[] = {
		{{NULL}, true},
		{{"volume=data"}, true},
		{{"volume=dat"}, false},
		{{"container=web"}, true},
		{{"container=we"}, false}, /* of a name all, of an ID the beginning */
		{{"container=0011"}, true},
		{{"container=00112233445566778899"}, true},
		{{"container=11"}, false},
		{{"state=attached"}, true},
		{{"state=pending"}, false},
		{{"target=/mnt/data"}, true},
		{{"target=/mnt//data/."}, true},
		{{"target=/mnt"}, false},
		{{"volume=other", "volume=data"}, true},
		{{"volume=data", "volume=other"}, true},
		{{"volume=other", "volume=another"}, false},
		{{"volume=data", "state=attached"}, true},
		{{"volume=data", "state=missing"}, false},
		{{"state=missing", "volume=data", "state=attached"}, true},
	};
	struct json_object *attachment = attachment_of(
		"{\"ID\":\"0123456789ab\",\"Volume\":\"data\",\"ContainerName\":\"web\","
		"\"ContainerID\":\"00112233445566778899\",\"Target\":\"/mnt/data\","
		"\"State\":\"attached\"}");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_filters filters;
		struct hv_error err = {0};

		assert_int_equal(parse(cases[i].words, &filters, &err), HV_OK);
		assert_int_equal(hv_filters_match(&filters, attachment), cases[i].is_met);
		hv_filters_done(&filters);
	}
	json_object_put(attachment);
}

TEST(hv_filters_match_fields_absent_is_false)
{
	static const char *const words[] = {
		"container=web", "state=attached", "target=/a", "volume=data"};
	struct json_object *attachment = attachment_of("{\"ID\":\"0123456789ab\"}");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *const one[] = {words[i], NULL};
		struct hv_filters filters;
		struct hv_error err = {0};

		assert_int_equal(parse(one, &filters, &err), HV_OK);
		assert_false(hv_filters_match(&filters, attachment));
		assert_false(hv_filters_match(&filters, NULL));
		hv_filters_done(&filters);
	}
	json_object_put(attachment);
}

TEST(hv_filters_parse_wrong_words_are_refused)
{
	static const struct {
		const char *word;
		const char *message;
		const char *hint; /* or NULL */
	} cases[] = {
		{"volume", "--filter takes KEY=VALUE, not \"volume\"",
			"write a key of container, state, target and volume, such as --filter volume=data"},
		{"=data", "--filter takes KEY=VALUE, not \"=data\"",
			"write a key of container, state, target and volume, such as --filter volume=data"},
		{"label=a=b",
			"unknown filter \"label\": the known ones are container, state, target and volume",
			NULL},
		{"volum=data",
			"unknown filter \"volum\": the known ones are container, state, target and volume",
			"did you mean: --filter volume=data"},
		{"volumes=",
			"unknown filter \"volumes\": the known ones are container, state, target and volume",
			"did you mean: --filter volume="},
		{"volume=", "--filter volume= has no value", NULL},
		{"state=atached",
			"unknown state \"atached\": the states are attached, covered, missing and pending",
			"did you mean: --filter state=attached"},
		{"state=unknown",
			"unknown state \"unknown\": the states are attached, covered, missing and pending",
			NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const one[] = {cases[i].word, NULL};
		struct hv_filters filters;
		struct hv_error err = {0};

		assert_int_equal(parse(one, &filters, &err), HV_BAD_REQUEST);
		assert_string_equal(hv_error_text(&err), cases[i].message);
		assert_int_equal(!err.hint, !cases[i].hint);
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
		hv_filters_done(&filters);
		hv_error_done(&err);
	}
}

static void expect_keys(const struct hv_filter_set *set)
{
	static const char *const words[] = {"x=y", NULL};
	struct hv_filters filters;
	struct hv_error err = {0};

	assert_int_equal(parse_of(set, words, &filters, &err), HV_BAD_REQUEST);
	for (size_t i = 0; i < HV_FILTER_KEYS; i++)
		assert_int_equal(
			strstr(hv_error_text(&err), hv_filter_keys[i]) != NULL, set->has[i]);
	hv_error_done(&err);
}

/* The sentences list the keys, the states and the actions by hand. */
TEST(hv_filters_parse_refusals_name_every_key_state_and_action)
{
	static const char *const states[] = {"state=y", NULL}, *const actions[] = {
								       "action=y", NULL};
	struct hv_filters filters;
	struct hv_error err = {0};

	expect_keys(&hv_filters_of_ls);
	expect_keys(&hv_filters_of_events);
	assert_int_equal(parse(states, &filters, &err), HV_BAD_REQUEST);
	for (int i = HV_UNKNOWN_STATE + 1; i < HV_STATE_COUNT; i++)
		assert_non_null(strstr(hv_error_text(&err),
			hv_attachment_state_name((enum hv_attachment_state)i)));
	assert_int_equal(parse_of(&hv_filters_of_events, actions, &filters, &err), HV_BAD_REQUEST);
	for (int i = 0; i < HV_ACTION_COUNT; i++)
		assert_non_null(strstr(hv_error_text(&err), hv_action_name((enum hv_action)i)));
	hv_error_done(&err);
}

TEST(hv_filters_of_events_know_actions_and_no_states)
{
	static const char *const attach[] = {"action=attach", "volume=data", NULL},
				 *const state[] = {"state=attached", NULL},
				 *const wrong[] = {"action=atach", NULL};
	struct json_object *event = attachment_of(
		"{\"Action\":\"attach\",\"Volume\":\"data\",\"ContainerName\":\"web\"}");
	struct json_object *other = attachment_of("{\"Action\":\"late\",\"Volume\":\"data\"}");
	struct hv_filters filters;
	struct hv_error err = {0};

	assert_int_equal(parse_of(&hv_filters_of_events, attach, &filters, &err), HV_OK);
	assert_true(hv_filters_match(&filters, event));
	assert_false(hv_filters_match(&filters, other));
	hv_filters_done(&filters);
	assert_int_equal(parse_of(&hv_filters_of_events, state, &filters, &err), HV_BAD_REQUEST);
	assert_int_equal(parse(attach, &filters, &err), HV_BAD_REQUEST);
	assert_int_equal(parse_of(&hv_filters_of_events, wrong, &filters, &err), HV_BAD_REQUEST);
	assert_string_equal(err.hint, "did you mean: --filter action=attach");
	json_object_put(event);
	json_object_put(other);
	hv_error_done(&err);
}

TEST(hv_filters_select_keeps_the_order)
{
	static const char text[] = "[{\"Volume\":\"data\",\"ID\":\"1\"},{\"Volume\":\"x\"},"
				   "{\"Volume\":\"data\",\"ID\":\"2\"}]";
	static const char *const words[] = {"volume=data", NULL};
	struct json_object *list = hv_document_parse(text, strlen(text), json_type_array), *passed;
	struct hv_filters filters;
	struct hv_error err = {0};

	assert_non_null(list);
	assert_int_equal(parse(words, &filters, &err), HV_OK);
	passed = hv_filters_select(&filters, list);
	json_object_put(list);
	assert_int_equal(json_object_array_length(passed), 2);
	assert_string_equal(hv_document_text(json_object_array_get_idx(passed, 1), "ID"), "2");
	json_object_put(passed);
	hv_filters_done(&filters);
}

TEST(hv_filters_parse_failure_after_a_good_one_frees_it)
{
	static const char *const words[] = {"volume=data", "nothing", NULL};
	struct hv_filters filters;
	struct hv_error err = {0};

	assert_int_equal(parse(words, &filters, &err), HV_BAD_REQUEST);
	assert_int_equal(filters.count, 1);
	hv_filters_done(&filters);
	assert_int_equal(filters.count, 0);
	hv_error_done(&err);
}

TEST_MAIN()
