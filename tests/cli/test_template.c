/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/types.h"

#include "cli/document.h"
#include "cli/template.h"

#define LIST                                                                                       \
	"[{\"ID\":\"a\",\"Volume\":\"data\",\"ContainerName\":\"web\",\"Target\":\"/a/long/one\"," \
	"\"ReadOnly\":true,\"Late\":7,\"Warnings\":[\"x\",\"y z\"]},"                              \
	"{\"ID\":\"b\",\"Volume\":\"v\\u001b\\tw\",\"Target\":\"/\\u009b\",\"ReadOnly\":false}]"

/* Parsed and printed; the caller frees it. */
static char *format(const char *text)
{
	struct json_object *list = hv_document_parse(LIST, strlen(LIST), json_type_array);
	struct hv_template template = {0};
	struct hv_error err = {0};
	char *printed = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&printed, &size);

	assert_non_null(list);
	assert_non_null(out);
	assert_int_equal(hv_template_parse(text, hv_attachment_fields, &template, &err), HV_OK);
	assert_int_equal(hv_template_print(&template, list, out), 0);
	assert_int_equal(fclose(out), 0);
	hv_template_done(&template);
	json_object_put(list);
	return printed;
}

TEST(hv_template_print_fields_and_text_make_lines)
{
	static const struct {
		const char *format;
		const char *expected;
	} cases[] = {
		{"{{.ID}}", "a\nb\n"},
		{"{{ .ID }}", "a\nb\n"},
		{"<{{.ID}}{{.Volume}}>", "<adata>\n<bv??w>\n"},
		{"{{.ContainerName}}:{{.Target}}", "web:/a/long/one\n:/?\n"},
		{"{{.ID}}\\t{{.ReadOnly}}\\n{{.Late}}", "a\ttrue\n7\nb\tfalse\n\n"},
		{"\\x{{.ID}}\\", "\\xa\\\n\\xb\\\n"},
		{"{ {{.ID}} } }}", "{ a } }}\n{ b } }}\n"},
		{"{{.ID}}}", "a}\nb}\n"},
		{"{{.Warnings}}", "[\"x\",\"y z\"]\n\n"},
		{"{{json .Volume}}", "\"data\"\n\"v\\u001b\\tw\"\n"},
		{"{{json .Late}} {{  json   .Target  }}", "7 \"/a/long/one\"\nnull \"/\\u009b\"\n"},
		{"{\"id\":{{json .ID}}}", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n"},
		{"{{json .}}",
			"{\"ID\":\"a\",\"Volume\":\"data\",\"ContainerName\":\"web\",\"Target\":\"/a/long/one\","
			"\"ReadOnly\":true,\"Late\":7,\"Warnings\":[\"x\",\"y z\"]}\n"
			"{\"ID\":\"b\",\"Volume\":\"v\\u001b\\tw\",\"Target\":\"/\\u009b\",\"ReadOnly\":false}\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *printed = format(cases[i].format);

		assert_string_equal(printed, cases[i].expected);
		free(printed);
	}
}

TEST(hv_template_print_table_has_headings_and_columns)
{
	static const struct {
		const char *format;
		const char *expected;
	} cases[] = {
		{"table {{.ID}}", "ID\na\nb\n"},
		{"table{{.ID}}", "ID\na\nb\n"},
		{"table   {{.Target}}\\t{{.ID}}", "TARGET        ID\n"
						  "/a/long/one   a\n"
						  "/?            b\n"},
		{"table {{.ContainerName}}\\t{{.ContainerID}}\\t{{.IDMapped}}",
			"CONTAINER NAME   CONTAINER ID   ID MAPPED\n"
			"web                             \n"
			"                                \n"},
		{"table {{.ID}}, {{.ReadOnly}}\\t{{json .Late}} {{json .}}",
			"ID, READ ONLY   LATE JSON\n"
			"a, true         7 {\"ID\":\"a\",\"Volume\":\"data\",\"ContainerName\":\"web\","
			"\"Target\":\"/a/long/one\",\"ReadOnly\":true,\"Late\":7,\"Warnings\":[\"x\",\"y z\"]}\n"
			"b, false        null {\"ID\":\"b\",\"Volume\":\"v\\u001b\\tw\",\"Target\":\"/\\u009b\","
			"\"ReadOnly\":false}\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *printed = format(cases[i].format);

		assert_string_equal(printed, cases[i].expected);
		free(printed);
	}
}

static void expect_refused(const char *text, const char *message, const char *hint)
{
	struct hv_template template = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_template_parse(text, hv_attachment_fields, &template, &err), HV_BAD_REQUEST);
	/* The list of the fields grows. */
	assert_int_equal(strncmp(hv_error_text(&err), message, strlen(message)), 0);
	assert_int_equal(!err.hint, !hint);
	if (hint)
		assert_string_equal(err.hint, hint);
	hv_template_done(&template);
	hv_error_done(&err);
}

TEST(hv_template_parse_wrong_templates_are_refused)
{
#define WORD "--format takes table, json or a template such as '{{.Volume}}', not "
#define ACTION "--format understands {{.FIELD}}, {{json .FIELD}} and {{json .}}, not "
	static const struct {
		const char *format;
		const char *message;
		const char *hint; /* or NULL */
	} cases[] = {
		{"", WORD "\"\"", NULL},
		{"xml", WORD "\"xml\"", NULL},
		{"jsno", WORD "\"jsno\"", "did you mean: --format json"},
		{"Table", WORD "\"Table\"", "did you mean: --format table"},
		{"{.ID}", WORD "\"{.ID}\"", NULL},
		{"{{.ID", ACTION "\"{{.ID\"; the fields are ID, Volume, ", NULL},
		{"{{.ID}", ACTION "\"{{.ID}\"; the fields are ID, ", NULL},
		{"a {{}} b", ACTION "\"{{}}\"; the fields are ID, ", NULL},
		{"{{.}}", ACTION "\"{{.}}\"; the fields are ID, ", NULL},
		{"{{ID}}", ACTION "\"{{ID}}\"; the fields are ID, ", NULL},
		{"{{json}}", ACTION "\"{{json}}\"; the fields are ID, ", NULL},
		{"{{json }}", ACTION "\"{{json }}\"; the fields are ID, ", NULL},
		{"{{json ID}}", ACTION "\"{{json ID}}\"; the fields are ID, ", NULL},
		{"{{json.ID}}", ACTION "\"{{json.ID}}\"; the fields are ID, ", NULL},
		{"{{json . .ID}}", ACTION "\"{{json . .ID}}\"; the fields are ID, ", NULL},
		{"{{.ID .Volume}}", ACTION "\"{{.ID .Volume}}\"; the fields are ID, ", NULL},
		{"{{.ID.Volume}}", ACTION "\"{{.ID.Volume}}\"; the fields are ID, ", NULL},
		{"{{range .ID}}x{{end}}", ACTION "\"{{range .ID}}\"; the fields are ID, ", NULL},
		{"{{- .ID}}", ACTION "\"{{- .ID}}\"; the fields are ID, ", NULL},
		{"{{upper .ID}}", ACTION "\"{{upper .ID}}\"; the fields are ID, ", NULL},
		{"{{{.ID}}}", ACTION "\"{{{.ID}}\"; the fields are ID, ", NULL},
		{"{{.Volum}}",
			"unknown field \"Volum\" in --format; the fields are ID, Volume, Driver, ",
			"did you mean: {{.Volume}}"},
		{"{{json .state}}", "unknown field \"state\" in --format; the fields are ID, ",
			"did you mean: {{.State}}"},
		{"{{.Frobnicate}}", "unknown field \"Frobnicate\" in --format; the fields are ID, ",
			NULL},
		{"table {{.ID}}\\n{{.Volume}}",
			"a table has one line for each attachment: it takes no \\n", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refused(cases[i].format, cases[i].message, cases[i].hint);
#undef WORD
#undef ACTION
}

TEST(hv_template_parse_every_field_of_an_attachment_is_known)
{
	for (const struct hv_field *field = hv_attachment_fields; field->name; field++) {
		struct hv_template template = {0};
		struct hv_error err = {0};
		char text[80];

		snprintf(text, sizeof(text), "{{.%s}}", field->name);
		assert_int_equal(
			hv_template_parse(text, hv_attachment_fields, &template, &err), HV_OK);
		assert_int_equal(template.count, 1);
		assert_string_equal(template.parts[0].text, field->name);
		hv_template_done(&template);
	}
}

TEST(hv_template_parse_size_and_parts_are_bounded)
{
	char text[HV_TEMPLATE_MAX_BYTES + 2];
	struct hv_template template = {0};
	struct hv_error err = {0};

	memset(text, 'x', sizeof(text));
	memcpy(text, "{{.ID}}", 7);
	text[HV_TEMPLATE_MAX_BYTES + 1] = '\0';
	expect_refused(text, "--format is longer than 4096 bytes", NULL);
	text[HV_TEMPLATE_MAX_BYTES] = '\0';
	assert_int_equal(hv_template_parse(text, hv_attachment_fields, &template, &err), HV_OK);
	assert_int_equal(template.count, 2);
	hv_template_done(&template);
	for (size_t i = 0; i <= HV_TEMPLATE_PARTS_MAX; i++)
		memcpy(text + 7 * i, "{{.ID}}", 8);
	expect_refused(text, "--format has more than 64 parts", NULL);
	text[7 * (size_t)HV_TEMPLATE_PARTS_MAX] = '\0';
	assert_int_equal(hv_template_parse(text, hv_attachment_fields, &template, &err), HV_OK);
	assert_int_equal(template.count, HV_TEMPLATE_PARTS_MAX);
	hv_template_done(&template);
}

/* The names of the fields fit into a sentence. */
TEST(hv_template_parse_refusal_lists_the_last_field)
{
	const struct hv_field *last = hv_attachment_fields;
	struct hv_template template = {0};
	struct hv_error err = {0};
	const char *text;

	while (last[1].name)
		last++;
	assert_int_equal(
		hv_template_parse("{{x}}", hv_attachment_fields, &template, &err), HV_BAD_REQUEST);
	text = hv_error_text(&err);
	assert_string_equal(text + strlen(text) - strlen(last->name), last->name);
	hv_template_done(&template);
	hv_error_done(&err);
}

TEST_MAIN()
