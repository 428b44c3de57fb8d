/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/document.h"

static struct json_object *parse(const char *text, enum json_type type)
{
	return hv_document_parse(text, strlen(text), type);
}

TEST(only_one_whole_document_of_the_type_is_taken)
{
	static const char *const wrong[] = {"", " ", "nonsense", "{", "[1", "[] []", "{} x", "null",
		"\"text\"", "<html>", "[\"\xff\"]", "[1,]"};
	struct json_object *document = parse(" [1] \n", json_type_array);

	assert_non_null(document);
	json_object_put(document);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_null(parse(wrong[i], json_type_array));
	assert_null(parse("{}", json_type_array));
	assert_null(parse("[]", json_type_object));
}

TEST(depth_is_bounded)
{
	char deep[400];

	memset(deep, '[', 200);
	memset(deep + 200, ']', 200);
	assert_null(hv_document_parse(deep, sizeof(deep), json_type_array));
}

TEST(members_of_another_type_count_as_absent)
{
	struct json_object *document =
		parse("{\"a\":1,\"b\":\"x\",\"c\":\"n\\u0000ul\",\"d\":true}", json_type_object);

	assert_non_null(document);
	assert_null(hv_document_text(document, "a"));
	assert_string_equal(hv_document_text(document, "b"), "x");
	assert_null(hv_document_text(document, "c"));
	assert_true(hv_document_flag(document, "d"));
	assert_false(hv_document_flag(document, "b"));
	assert_null(hv_document_text(NULL, "b"));
	assert_null(hv_document_get(
		hv_document_get(document, "b", json_type_object), "x", json_type_string));
	json_object_put(document);
}

TEST(printed_json_has_no_raw_control_character)
{
	struct json_object *document =
		parse("[\"\\u001b[0m\\u007f\\u009b\xc3\xa4\"]", json_type_array);
	struct json_object *again;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(document);
	assert_non_null(out);
	assert_int_equal(hv_document_print(out, document), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "\\u001b[0m\\u007f\\u009b\xc3\xa4"));
	again = parse(text, json_type_array);
	assert_true(json_object_equal(again, document));
	json_object_put(again);
	json_object_put(document);
	free(text);
}

TEST(printed_json_has_one_form_whatever_the_library)
{
	static const char *const cases[][2] = {
		{"[]", "[]\n"},
		{"[ ]", "[]\n"},
		{"[{},[]]", "[\n  {},\n  []\n]\n"},
		{"[{\"a\":{},\"b\":[1,{\"c\":true}],\"d\":null}]",
			"[\n  {\n    \"a\": {},\n    \"b\": [\n      1,\n      {\n        \"c\": true\n"
			"      }\n    ],\n    \"d\": null\n  }\n]\n"},
		{"[\"[]{},: \\\" \\\\\",\"/\"]", "[\n  \"[]{},: \\\" \\\\\",\n  \"/\"\n]\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *document = parse(cases[i][0], json_type_array);
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_non_null(document);
		assert_non_null(out);
		assert_int_equal(hv_document_print(out, document), 0);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, cases[i][1]);
		json_object_put(document);
		free(text);
	}
}

TEST(hv_document_print_line_prints_no_space_outside_of_strings)
{
	static const char *const cases[][2] = {
		{"[]", "[]"},
		{"[ {}, [ ] ]", "[{},[]]"},
		{"[{\"a\": {}, \"b\": [1, true, null]}]", "[{\"a\":{},\"b\":[1,true,null]}]"},
		{"[\"a b\\\" c\", \"/\"]", "[\"a b\\\" c\",\"/\"]"},
		{"[\"\\u001b\\u007f\\u009b\\n\"]", "[\"\\u001b\\u007f\\u009b\\n\"]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *document = parse(cases[i][0], json_type_array);
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		assert_non_null(document);
		assert_non_null(out);
		assert_int_equal(hv_document_print_line(out, document), 0);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, cases[i][1]);
		json_object_put(document);
		free(text);
	}
}

TEST_MAIN()
