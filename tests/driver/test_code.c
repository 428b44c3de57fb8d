/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/code.h"

TEST(every_code_has_a_kebab_case_name_of_its_own)
{
	for (enum hv_code code = HV_OK + 1; code < HV_CODE_COUNT; code++) {
		const char *name = hv_code_name(code);

		assert_true(strlen(name) > 2);
		for (const char *at = name; *at; at++)
			assert_true(islower((unsigned char)*at) || *at == '-');
		for (enum hv_code other = HV_OK; other < code; other++)
			assert_string_not_equal(name, hv_code_name(other));
	}
}

TEST(every_failure_has_a_status_of_failure)
{
	assert_int_equal(hv_code_status(HV_OK), 200);
	for (enum hv_code code = HV_OK + 1; code < HV_CODE_COUNT; code++)
		assert_true(hv_code_status(code) >= 400 && hv_code_status(code) <= 599);
}

TEST(names_are_parsed_back)
{
	for (enum hv_code code = HV_OK; code < HV_CODE_COUNT; code++)
		assert_int_equal(hv_code_parse(hv_code_name(code)), code);
}

TEST(unknown_names_are_internal)
{
	assert_int_equal(hv_code_parse("no-such-code"), HV_INTERNAL);
	assert_int_equal(hv_code_parse("busy "), HV_INTERNAL);
	assert_int_equal(hv_code_parse("Busy"), HV_INTERNAL);
}

TEST(a_code_out_of_range_is_internal)
{
	assert_string_equal(hv_code_name(HV_CODE_COUNT), "internal");
	assert_int_equal(hv_code_status((enum hv_code)1000), 500);
	assert_int_equal(hv_code_status((enum hv_code) - 1), 500);
}

/* The names are an interface: scripts compare with them. */
TEST(the_names_of_the_contract_are_known)
{
	static const char *const names[] = {"bad-request", "no-such-volume", "no-such-container",
		"no-such-attachment", "ambiguous", "not-running", "container-changed",
		"target-exists", "target-missing", "target-refused", "type-mismatch",
		"source-missing", "source-refused", "volume-in-use", "busy", "timeout",
		"unsupported", "denied", "state-unreadable"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_not_equal(hv_code_parse(names[i]), HV_INTERNAL);
	assert_int_equal(hv_code_parse("internal"), HV_INTERNAL);
}

TEST_MAIN()
