/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/output.h"

TEST(control_characters_become_question_marks)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{"plain /path", "plain /path"},
		{"\x1b[31mred\n", "?[31mred?"},
		{"tab\tdel\x7f", "tab?del?"},
		{"\xc2\x9b[2J", "?[2J"}, /* CSI as a C1 control */
		{"\x9b[2J", "?[2J"},     /* the same, not UTF-8 */
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb3", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xb3"},
		{"cut \xe2\x82", "cut ??"},
		{"overlong \xc0\x8a", "overlong ??"},
		{"surrogate \xed\xa0\x80", "surrogate ???"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = strdup(cases[i].text);

		assert_non_null(text);
		hv_text_clean(text);
		assert_string_equal(text, cases[i].expected);
		free(text);
	}
}

TEST(times_read_as_in_docker)
{
	static const struct {
		const char *since;
		const char *expected;
	} cases[] = {
		{"2026-01-31T12:00:00Z", "Less than a second ago"},
		{"2026-01-31T12:00:09Z", "Less than a second ago"}, /* the future */
		{"2026-01-31T11:59:59Z", "1 second ago"},
		{"2026-01-31T11:59:13.123456789Z", "47 seconds ago"},
		{"2026-01-31T11:58:59Z", "About a minute ago"},
		{"2026-01-31T11:57:30Z", "2 minutes ago"},
		{"2026-01-31T11:00:00Z", "About an hour ago"},
		{"2026-01-31T13:57:30+02:00", "2 minutes ago"},
		{"2026-01-31T05:00:00Z", "7 hours ago"},
		{"2026-01-28T12:00:00Z", "3 days ago"},
		{"2026-01-10T12:00:00Z", "3 weeks ago"},
		{"2025-10-31T12:00:00Z", "3 months ago"},
		{"2020-01-31T12:00:00Z", "6 years ago"},
		{"", "-"},
		{"yesterday", "-"},
		{"2026-01-31T12:00:00", "-"},
		{"2026-01-31T12:00:00Zulu", "-"},
	};
	char buffer[40];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hv_since_format(cases[i].since, 1769860800, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].expected);
	}
}

TEST(what_is_left_reads_the_same)
{
	static const struct {
		const char *until;
		const char *expected;
	} cases[] = {
		{"2026-01-31T12:00:01Z", "1 second"},
		{"2026-01-31T12:00:47Z", "47 seconds"},
		{"2026-01-31T12:01:00Z", "About a minute"},
		{"2026-01-31T12:10:00Z", "10 minutes"},
		{"2026-01-31T13:59:59Z", "2 hours"},
		{"2026-02-03T12:00:00Z", "3 days"},
		{"2026-01-31T12:00:00Z", "over"},
		{"2025-01-31T12:00:00Z", "over"},
		{"", "-"},
		{"soon", "-"},
	};
	char buffer[40];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hv_until_format(cases[i].until, 1769860800, buffer, sizeof(buffer));
		assert_string_equal(buffer, cases[i].expected);
	}
}

TEST(columns_are_padded_and_cells_cleaned)
{
	static const char *const cells[] = {
		"ID", "TARGET", "LAST", "1", "/mnt/a/long/one", "x", "\xc3\xa4", NULL, "a\nb"};
	struct hv_table table = {.columns = 3};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		assert_int_equal(hv_table_add(&table, cells[i]), 0);
	hv_table_print(&table, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, "ID        TARGET            LAST\n"
				  "1         /mnt/a/long/one   x\n"
				  "\xc3\xa4                           a?b\n");
	hv_table_done(&table);
	free(text);
}

TEST_MAIN()
