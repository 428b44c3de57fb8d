/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/cleanup.h"
#include "wire/keeper.h"

TEST(keepers_parse_takes_the_containers_with_the_label)
{
	static const char list[] =
		"[{\"Id\":\"a\",\"Names\":[\"/web\"],\"Labels\":null},"
		"{\"Id\":\"b\",\"Names\":[\"/hostvol-keeps-v\"],\"State\":\"running\",\"Labels\":{\"hostvol.keeps\":\"v\"}},"
		"{\"Id\":\"c\",\"Labels\":{\"hostvol.keeps\":\"v\"}},"
		"{\"Id\":\"d\",\"Names\":[\"/x\"],\"Labels\":{\"hostvol.keeps\":\"\"}}]";
	hv_auto_keepers struct hv_keepers keepers = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_keepers_parse(list, strlen(list), &keepers, &err), HV_OK);
	assert_int_equal(keepers.count, 2);
	assert_string_equal(keepers.items[0].id, "b");
	assert_string_equal(keepers.items[0].name, "hostvol-keeps-v");
	assert_string_equal(keepers.items[0].volume, "v");
	assert_true(hv_keeper_is_running(&keepers.items[0]));
	assert_string_equal(keepers.items[1].name, "");
	assert_false(hv_keeper_is_running(&keepers.items[1]));
}

TEST(keepers_parse_refuses_another_answer)
{
	static const char *const cases[] = {"", "{}", "[", "[7]", "[] x", "null",
		"[{\"Id\":\"\",\"Names\":[\"/x\"],\"Labels\":{\"hostvol.keeps\":\"v\"}}]",
		"[{\"Names\":[\"/x\"],\"Labels\":{\"hostvol.keeps\":\"v\"}}]"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hv_auto_keepers struct hv_keepers keepers = {0};
		struct hv_error err = {0};

		assert_int_equal(
			hv_keepers_parse(cases[i], strlen(cases[i]), &keepers, &err), HV_INTERNAL);
		hv_error_done(&err);
	}
}

TEST(a_keeper_has_the_volume_as_it_is_and_nothing_else)
{
	const struct hv_keeper_args args = {"hostvol-keeps-v", "v", "local"};
	hv_auto_json struct json_object *body = hv_keeper_body(&args);
	const char *text;

	assert_non_null(body);
	text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
	assert_non_null(strstr(text, "\"Image\":\"hostvol-keeper:1\""));
	assert_non_null(strstr(text, "\"Entrypoint\":[\"\\/keep\"]"));
	assert_non_null(strstr(text, "\"CapDrop\":[\"ALL\"]"));
	assert_non_null(strstr(text, "\"RestartPolicy\":{\"Name\":\"always\"}"));
	assert_non_null(strstr(text, "\"ReadOnly\":true"));
	assert_non_null(strstr(text, "\"hostvol.keeps\":\"v\""));
	assert_non_null(strstr(text, "\"NetworkMode\":\"none\""));
	assert_non_null(strstr(text, "\"Source\":\"v\""));
	assert_non_null(strstr(text, "\"NoCopy\":true"));
}

TEST_MAIN()
