/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/event.h"

#define EVENT(type, action, actor)                                                                 \
	"{\"status\":\"" action "\",\"id\":\"c1\",\"Type\":\"" type "\",\"Action\":\"" action      \
	"\",\"Actor\":" actor ",\"scope\":\"local\",\"time\":1709633472}"
#define C1 "{\"ID\":\"c1\",\"Attributes\":{\"name\":\"web\"}}"
#define START EVENT("container", "start", C1)
#define DIE EVENT("container", "die", C1)

struct seen {
	char text[256]; /* "start c1 die c1 " */
};

static void see(void *context, const struct hv_event *event)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%s %s ", event->action,
		event->container);
}

TEST(a_line_is_an_event)
{
	struct hv_event event;
	struct hv_error err = {0};

	assert_int_equal(hv_event_parse(START, strlen(START), &event, &err), HV_OK);
	assert_string_equal(event.action, "start");
	assert_string_equal(event.container, "c1");
	hv_event_done(&event);
}

TEST(an_event_of_a_keeper_names_its_volume)
{
	static const char keeper[] = EVENT("container", "destroy",
		"{\"ID\":\"k1\",\"Attributes\":{\"hostvol.keeps\":\"data\"}}");
	struct hv_event event;
	struct hv_error err = {0};

	assert_int_equal(hv_event_parse(keeper, strlen(keeper), &event, &err), HV_OK);
	assert_string_equal(event.keeps, "data");
	hv_event_done(&event);
	assert_int_equal(hv_event_parse(START, strlen(START), &event, &err), HV_OK);
	assert_null(event.keeps);
	hv_event_done(&event);
}

TEST(event_read_labels_gives_labels_and_name)
{
	static const char text[] = EVENT("container", "create",
		"{\"ID\":\"c1\",\"Attributes\":{\"image\":\"i\",\"name\":\"web\",\"tier\":\"front\",\"n\":1,"
		"\"nul\":\"a\"}}");
	struct hv_event event;
	struct hv_opts labels = {0};
	const char *name = NULL;
	struct hv_error err = {0};

	assert_int_equal(hv_event_parse(text, strlen(text), &event, &err), HV_OK);
	assert_int_equal(hv_event_read_labels(&event, &labels, &name), 0);
	assert_string_equal(name, "web");
	assert_int_equal(labels.count, 2);
	assert_string_equal(hv_opts_get(&labels, "tier"), "front");
	hv_opts_done(&labels);
	hv_event_done(&event);
}

TEST(event_read_labels_without_attributes_gives_none)
{
	static const char text[] = EVENT("container", "create", "{\"ID\":\"c1\"}");
	struct hv_event event;
	struct hv_opts labels = {0};
	const char *name = NULL;
	struct hv_error err = {0};

	assert_int_equal(hv_event_parse(text, strlen(text), &event, &err), HV_OK);
	assert_int_equal(hv_event_read_labels(&event, &labels, &name), 0);
	assert_string_equal(name, "");
	assert_int_equal(labels.count, 0);
	hv_event_done(&event);
}

TEST(what_is_not_of_a_container_names_none)
{
	static const char text[] = EVENT("network", "connect", "{}");
	struct hv_event event;
	struct hv_error err = {0};

	assert_int_equal(hv_event_parse(text, strlen(text), &event, &err), HV_OK);
	assert_null(event.container);
	hv_event_done(&event);
}

TEST(what_is_no_event_is_refused)
{
	static const char *const cases[] = {"", "{}", "[]", "7", "<html>",
		"{\"Type\":\"container\"}", EVENT("container", "start", "{}"),
		EVENT("container", "start", "7"), EVENT("container", "start", "{\"ID\":\"\"}"),
		EVENT("container", "", C1), EVENT("container", "start", "{\"ID\":7}")};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_event event;
		struct hv_error err = {0};

		assert_int_equal(
			hv_event_parse(cases[i], strlen(cases[i]), &event, &err), HV_INTERNAL);
		assert_non_null(strstr(hv_error_text(&err), "makes no sense"));
		hv_event_done(&event);
		hv_error_done(&err);
	}
}

TEST(the_stream_may_come_in_any_pieces)
{
	static const char text[] = START "\n\n" DIE "\r\n" EVENT("network", "x", "{}") "\n" START;

	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		struct hv_event_lines lines = {0};
		struct hv_error err = {0};
		struct seen seen = {""};

		for (size_t at = 0; at < strlen(text); at += piece) {
			size_t left = strlen(text) - at;

			assert_int_equal(hv_event_lines_feed(&lines, text + at,
						 left < piece ? left : piece, see, &seen, &err),
				HV_OK);
		}
		assert_string_equal(seen.text, "start c1 die c1 ");
		hv_event_lines_done(&lines);
	}
}

TEST(a_line_without_end_is_refused)
{
	struct hv_event_lines lines = {0};
	struct hv_error err = {0};
	struct seen seen = {""};
	char spaces[4096];
	enum hv_code code = HV_OK;
	unsigned rounds = 0;

	memset(spaces, ' ', sizeof(spaces));
	for (; code == HV_OK && rounds < 1000; rounds++)
		code = hv_event_lines_feed(&lines, spaces, sizeof(spaces), see, &seen, &err);
	assert_int_equal(code, HV_INTERNAL);
	assert_true(rounds * sizeof(spaces) <= HV_EVENT_LINE_MAX + sizeof(spaces));
	hv_event_lines_done(&lines);
	hv_error_done(&err);
}

TEST_MAIN()
