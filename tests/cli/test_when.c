/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <time.h>

#include "support/hv_test.h"

#include "cli/when.h"

#define NOW 1700000000123LL

/* Two hours ahead of UTC. */
static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "HVT-2", 1);
	tzset();
	return 0;
}

#define WHEN_TEST(name) TEST_WITH(name, set_zone, NULL)

WHEN_TEST(times_are_read_as_docker_reads_them)
{
	static const struct {
		const char *text;
		long long ms;
	} cases[] = {
		{"0", NOW},
		{"0s", NOW},
		{"10m", NOW - 600000},
		{"1h30m", NOW - 5400000},
		{"1.5h", NOW - 5400000},
		{".5s", NOW - 500},
		{"2.s", NOW - 2000},
		{"250ms", NOW - 250},
		{"1h1m1s1ms1us1ns", NOW - 3661001},
		{"-10m", NOW + 600000},
		{"+10m", NOW - 600000},
		{"2023-11-14T22:13:20Z", 1700000000000},
		{"2023-11-14T22:13:20.5Z", 1700000000500},
		{"2023-11-15T00:13:20+02:00", 1700000000000},
		{"2023-11-15T00:13:20", 1700000000000},
		{"2023-11-15T00:13:20.25", 1700000000250},
		{"2023-11-15T00:13", 1699999980000},
		{"2023-11-15T00", 1699999200000},
		{"2023-11-15", 1699999200000},
		{"1700000000", 1700000000000},
		{"1700000000.123456789", 1700000000123},
		{"1", 1000},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long long ms = -1;

		if (!hv_when_parse(cases[i].text, NOW, &ms) || ms != cases[i].ms)
			fail_msg("%s: %lld, not %lld", cases[i].text, ms, cases[i].ms);
	}
}

WHEN_TEST(other_words_are_no_times)
{
	static const char *const cases[] = {"", "now", "yesterday", "10x", "m", "10m5", ".",
		"1.2.3s", "1700000000.", "1700000000x", "17000000000000000", "2023-11-15x",
		"2023-11", "2023-11-15T00:13:20Zulu", "-1700000000", "99999999999999999999h",
		"9999999999h", " 10m", "10m "};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		long long ms = -1;

		if (hv_when_parse(cases[i], NOW, &ms))
			fail_msg("'%s' is %lld", cases[i], ms);
	}
}

WHEN_TEST(times_are_written_in_utc)
{
	static const struct {
		long long ms;
		const char *text;
	} cases[] = {
		{NOW, "2023-11-14T22:13:20.123Z"},
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[HV_CLOCK_TEXT_SIZE];

		hv_when_format(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
	}
}

TEST_MAIN()
