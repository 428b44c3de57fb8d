/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/error.h"

TEST(an_empty_error_has_an_empty_sentence)
{
	struct hv_error err = {0};

	assert_string_equal(hv_error_text(&err), "");
	hv_error_done(&err);
	hv_error_done(&err);
}

TEST(fail_gives_back_the_code_and_formats_the_sentence)
{
	struct hv_error err = {0};

	assert_int_equal(hv_fail(&err, HV_BUSY, "volume '%s' has %d users", "data", 3), HV_BUSY);
	assert_int_equal(err.code, HV_BUSY);
	assert_string_equal(hv_error_text(&err), "volume 'data' has 3 users");
	assert_null(err.hint);
	hv_error_done(&err);
	assert_int_equal(err.code, HV_OK);
	assert_null(err.message);
}

TEST(a_second_failure_replaces_the_first_with_its_hint)
{
	struct hv_error err = {0};

	hv_fail(&err, HV_BUSY, "first");
	assert_int_equal(hv_hint(&err, "try %s", "again"), HV_BUSY);
	assert_string_equal(err.hint, "try again");
	hv_fail(&err, HV_TIMEOUT, "second");
	assert_string_equal(hv_error_text(&err), "second");
	assert_null(err.hint);
	hv_error_done(&err);
}

TEST(a_failure_may_quote_the_one_before)
{
	struct hv_error err = {0};

	hv_fail(&err, HV_INTERNAL, "inner");
	hv_hint(&err, "inner hint");
	hv_fail(&err, HV_DENIED, "outer: %s (%s)", hv_error_text(&err), err.hint);
	assert_string_equal(hv_error_text(&err), "outer: inner (inner hint)");
	hv_hint(&err, "from %s", hv_error_text(&err));
	hv_hint(&err, "again %s", err.hint);
	assert_string_equal(err.hint, "again from outer: inner (inner hint)");
	hv_error_done(&err);
}

TEST(a_lost_sentence_is_told_as_lack_of_memory)
{
	const struct hv_error err = {.code = HV_BUSY};

	assert_string_equal(hv_error_text(&err), "out of memory");
}

/* Names come cut ("%.64s") and from percent-decoded URLs; the sentence stands in JSON. */
TEST(a_sentence_is_always_utf8)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain", "plain"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"cut \xc3", "cut ?"},
		{"cut \xe2\x82", "cut ??"},
		{"\xff\xfe", "??"},
		{"\x80 alone", "? alone"},
		{"\xc3(", "?("},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_error err = {0};

		hv_fail(&err, HV_BAD_REQUEST, "%s", cases[i].in);
		hv_hint(&err, "%s", cases[i].in);
		assert_string_equal(hv_error_text(&err), cases[i].out);
		assert_string_equal(err.hint, cases[i].out);
		hv_error_done(&err);
	}
}

TEST_MAIN()
