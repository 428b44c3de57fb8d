#include <ctype.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/code.h"

static void every_code_has_a_kebab_case_name_of_its_own(void **state)
{
	(void)state;
	for (enum hv_code code = HV_OK + 1; code < HV_CODE_COUNT; code++) {
		const char *name = hv_code_name(code);

		assert_true(strlen(name) > 2);
		for (const char *at = name; *at; at++)
			assert_true(islower((unsigned char)*at) || *at == '-');
		for (enum hv_code other = HV_OK; other < code; other++)
			assert_string_not_equal(name, hv_code_name(other));
	}
}

static void every_failure_has_a_status_of_failure(void **state)
{
	(void)state;
	assert_int_equal(hv_code_status(HV_OK), 200);
	for (enum hv_code code = HV_OK + 1; code < HV_CODE_COUNT; code++)
		assert_true(hv_code_status(code) >= 400 && hv_code_status(code) <= 599);
}

static void names_are_parsed_back(void **state)
{
	(void)state;
	for (enum hv_code code = HV_OK; code < HV_CODE_COUNT; code++)
		assert_int_equal(hv_code_parse(hv_code_name(code)), code);
}

static void unknown_names_are_internal(void **state)
{
	(void)state;
	assert_int_equal(hv_code_parse("no-such-code"), HV_INTERNAL);
	assert_int_equal(hv_code_parse("busy "), HV_INTERNAL);
	assert_int_equal(hv_code_parse("Busy"), HV_INTERNAL);
}

static void a_code_out_of_range_is_internal(void **state)
{
	(void)state;
	assert_string_equal(hv_code_name(HV_CODE_COUNT), "internal");
	assert_int_equal(hv_code_status((enum hv_code)1000), 500);
	assert_int_equal(hv_code_status((enum hv_code) - 1), 500);
}

/* The names are an interface: scripts compare with them. */
static void the_names_of_the_contract_are_known(void **state)
{
	static const char *const names[] = {"bad-request", "no-such-volume", "no-such-container",
		"no-such-attachment", "ambiguous", "not-running", "container-changed",
		"target-exists", "target-missing", "target-refused", "type-mismatch",
		"source-missing", "source-refused", "volume-in-use", "busy", "timeout",
		"unsupported", "denied", "state-unreadable"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_not_equal(hv_code_parse(names[i]), HV_INTERNAL);
	assert_int_equal(hv_code_parse("internal"), HV_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_kebab_case_name_of_its_own),
		cmocka_unit_test(every_failure_has_a_status_of_failure),
		cmocka_unit_test(names_are_parsed_back),
		cmocka_unit_test(unknown_names_are_internal),
		cmocka_unit_test(a_code_out_of_range_is_internal),
		cmocka_unit_test(the_names_of_the_contract_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
