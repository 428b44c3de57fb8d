/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "support/hv_test.h"

#include "cli/duration.h"

TEST(durations_are_read_as_docker_writes_them)
{
	static const struct {
		const char *text;
		long long seconds;
	} cases[] = {
		{"0", 0},
		{"0s", 0},
		{"90s", 90},
		{"2h", 7200},
		{"1h30m", 5400},
		{"1h0m5s", 3605},
		{"007m", 420},
		{"1m1h", 3660},
		{"87600h", 315360000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_error err = {0};
		long long seconds = -1;

		assert_int_equal(hv_duration_parse("for", cases[i].text, &seconds, &err), HV_OK);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

TEST(what_is_no_duration_is_refused_with_a_hint)
{
	static const char *const form =
		"write hours, minutes and seconds, such as 90s, 2h or 1h30m";
	static const struct {
		const char *text, *hint;
	} cases[] = {
		{"", form},
		{"-1h", form},
		{"+1h", form},
		{" 1h", form},
		{"1h ", form},
		{"h", form},
		{"1.5h", form},
		{"500ms", form},
		{"1h30", form},
		{"1w", form},
		{"2hours", form},
		{"90", "write the unit: --for 90s"},
		{"00", "write the unit: --for 00s"},
		{"2d", "write hours: --for 48h"},
		{"99999999999999999999d", form},
		{"87601h", NULL},
		{"315360001s", NULL},
		{"99999999999999999999h", NULL},
		{"99999999999999999999s99999999999999999999s", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_error err = {0};
		long long seconds = -1;

		assert_int_equal(
			hv_duration_parse("for", cases[i].text, &seconds, &err), HV_BAD_REQUEST);
		assert_int_equal(seconds, -1);
		assert_non_null(strstr(hv_error_text(&err), "--for takes "));
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
		else
			assert_null(err.hint);
		hv_error_done(&err);
	}
}

TEST_MAIN()
