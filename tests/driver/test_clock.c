/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "support/hv_test.h"
#include "wire/clock.h"

TEST(times_are_read_to_the_millisecond)
{
	static const struct {
		const char *text;
		long long ms;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01T00:00:01.5Z", 1500},
		{"1970-01-01T00:00:01.123456789Z", 1123},
		{"1970-01-01T00:00:00.0009Z", 0},
		{"1970-01-01T02:00:00.007+02:00", 7},
		{"2024-02-29T12:00:00.25Z", 1709208000250},
		{"0001-01-01T00:00:00Z", -62135596800000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long long ms = 0;

		assert_true(hv_clock_parse_ms(cases[i].text, &ms));
		assert_true(ms == cases[i].ms);
	}
}

TEST(times_are_written_as_they_are_read)
{
	static const struct {
		const char *text;
		long long seconds;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2024-02-29T12:00:00Z", 1709208000},
		{"9999-12-31T23:59:59Z", 253402300799},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = hv_clock_format(cases[i].seconds);
		long long ms = 0;

		assert_non_null(text);
		assert_string_equal(text, cases[i].text);
		assert_true(hv_clock_parse_ms(text, &ms));
		assert_true(ms == cases[i].seconds * 1000);
		free(text);
	}
	assert_null(hv_clock_format(INT64_MAX));
}

TEST(what_is_no_time_is_refused)
{
	static const char *const cases[] = {"", "yesterday", "2024-01-01", "2024-01-01T00:00:00",
		"2024-01-01T00:00:00Zulu", "2024-13-01T00:00:00Z"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long long ms;

		assert_false(hv_clock_parse_ms(cases[i], &ms));
	}
}

TEST_MAIN()
