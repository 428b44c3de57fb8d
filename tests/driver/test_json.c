/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/json.h"
#include "wire/opts.h"
#include "wire/types.h"
#include "wire/utf8.h"

struct sample {
	char *text;
	bool flag;
	long long number;
	struct hv_opts opts;
};

static const struct hv_field fields[] = {
	{"Text", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct sample, text)},
	{"Flag", HV_TYPE_BOOL, HV_FIELD_OPTIONAL, offsetof(struct sample, flag)},
	{"Number", HV_TYPE_INT, HV_FIELD_OPTIONAL, offsetof(struct sample, number)},
	{"Opts", HV_TYPE_OPTS, HV_FIELD_OPTIONAL, offsetof(struct sample, opts)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

struct refused {
	const char *bytes;
	const char *sentence; /* a part of it */
	size_t size;          /* 0: up to the NUL */
};

#define DEEP10 "[[[[[[[[[["
#define SIZED(text) (sizeof(text) - 1)

static const struct refused refused[] = {
	{"", "is empty", 0},
	{" \t\r\n", "is empty", 0},
	{"{", "cut off", 0},
	{"{\"Text\":\"a", "cut off", 0},
	{"{\"Text\":\"a\"", "cut off", 0},
	{"{\"Text\":\"a\",", "cut off", 0},
	{"{\"Text\":\"a\\", "cut off", 0},
	{"{\"Text\":\"a\\u00", "cut off", 0},
	{"{\"Text\":\"a\"}x", "text after", 0},
	{"{\"Text\":\"a\"} {}", "text after", 0},
	{"{\"Text\":\"a\"}\0", "text after", SIZED("{\"Text\":\"a\"}\0")},
	{"{\"Text\":\"a\"}\0x", "text after", SIZED("{\"Text\":\"a\"}\0x")},
	{"\0", "", 1},
	{"{\"Text\":\0\"a\"}", "", SIZED("{\"Text\":\0\"a\"}")},
	{"{\"Text\":\"a\0b\"}", "", SIZED("{\"Text\":\"a\0b\"}")},
	{"null ", "must be a JSON object", 0},
	{"null", "", 0}, /* for json-c not over yet */
	{"[]", "must be a JSON object", 0},
	{"\"Text\"", "must be a JSON object", 0},
	{"true ", "must be a JSON object", 0},
	{"12 ", "must be a JSON object", 0},
	{"nonsense", "not valid JSON", 0},
	{"{Text:1}", "not valid JSON", 0},
	{"{'Text':'a'}", "not valid JSON", 0},
	{"{\"Text\":\"a\",}", "not valid JSON", 0},
	{"{\"Text\" \"a\"}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Opts\":{\"a\":\"b\",}}", "not valid JSON", 0},
	{"{'Text':\"a\"}", "not valid JSON", 0},
	{"{\"Text\":'a'}", "not valid JSON", 0},
	{"{\"Text\":NaN}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":NaN}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":Infinity}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":-Infinity}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":-01}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":00}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":1.}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":.5}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":1e}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":+1}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Number\":0x1}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Flag\":True}", "not valid JSON", 0},
	{"{\"Text\":\"a\",\"Flag\":NULL}", "not valid JSON", 0},
	{"{\"Text\":\"a\tb\"}", "not valid JSON", 0},
	{"{\"Text\":\"a\nb\"}", "not valid JSON", 0},
	{"{\"Te\txt\":\"a\"}", "not valid JSON", 0},
	{"{\"Text\":\"a\\x\"}", "not valid JSON", 0},
	{"{\"Text\":\"a\"/**/}", "not valid JSON", 0},
	{"{\"Text\":\"a\"} // c", "text after", 0},
	{"/* c */ {\"Text\":\"a\"}", "not valid JSON", 0},
	{"{\"Text\":" DEEP10 DEEP10 DEEP10 "]]]]]", "not valid JSON", 0},
	{"{\"Text\":\"\xff\"}", "not valid JSON", 0},
	{"{\"Text\":\"\xc3(\"}", "not valid JSON", 0},
	{"\xef\xbb\xbf{\"Text\":\"a\"}", "not valid JSON", 0},
	{"{\"Text\":1}", "\"Text\" must be a string", 0},
	{"{\"Text\":true}", "\"Text\" must be a string", 0},
	{"{\"Text\":{}}", "\"Text\" must be a string", 0},
	{"{\"Text\":[\"a\"]}", "\"Text\" must be a string", 0},
	{"{\"Text\":\"a\\u0000b\"}", "NUL", 0},
	{"{\"Text\":\"\\u0000\"}", "NUL", 0},
	{"{\"Flag\":1}", "\"Flag\" must be true or false", 0},
	{"{\"Flag\":\"true\"}", "\"Flag\" must be true or false", 0},
	{"{\"Number\":\"1\"}", "\"Number\" must be a whole number", 0},
	{"{\"Number\":1.5}", "\"Number\" must be a whole number", 0},
	{"{\"Number\":1e3}", "\"Number\" must be a whole number", 0},
	{"{\"Number\":false}", "\"Number\" must be a whole number", 0},
	{"{\"Opts\":[]}", "\"Opts\" must be an object", 0},
	{"{\"Opts\":\"ro\"}", "\"Opts\" must be an object", 0},
	{"{\"Opts\":{\"ro\":true}}", "option \"ro\" must be a string", 0},
	{"{\"Opts\":{\"ro\":null}}", "option \"ro\" must be a string", 0},
	{"{\"Opts\":{\"a\":\"b\",\"size\":10}}", "option \"size\" must be a string", 0},
	{"{\"Opts\":{\"path\":\"/a\\u0000b\"}}", "NUL", 0},
	{"{\"Opts\":{\"path\\u0000x\":\"/a\"},\"Text\":\"a\"}", "NUL", 0},
	{"{\"Text\\u0000x\":\"a\"}", "NUL", 0},
	{"{}", "\"Text\" is missing", 0},
	{"{\"Text\":null}", "\"Text\" is missing", 0},
	{"{\"Text\":\"\"}", "\"Text\" is empty", 0},
	{"{\"Text\":\"a\",\"Texts\":\"b\"}", "unknown field \"Texts\"", 0},
	{"{\"text\":\"a\"}", "unknown field \"text\"", 0},
	{"{\"Text\":\"a\",\"\":1}", "unknown field \"\"", 0},
};

TEST(what_is_no_such_object_is_refused_with_a_reason)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct refused *at = &refused[i];
		struct sample sample = {0};
		struct hv_error err = {0};
		enum hv_code code =
			hv_fields_read(at->bytes, at->size ? at->size : strlen(at->bytes), fields,
				HV_UNKNOWN_REFUSE, &sample, &err);

		if (code != HV_BAD_REQUEST || !strstr(hv_error_text(&err), at->sentence))
			print_error("case %zu, %s: code '%s', '%s'\n", i, at->bytes,
				hv_code_name(code), hv_error_text(&err));
		assert_int_equal(code, HV_BAD_REQUEST);
		assert_int_equal(err.code, HV_BAD_REQUEST);
		assert_non_null(strstr(hv_error_text(&err), at->sentence));
		hv_fields_done(fields, &sample);
		hv_error_done(&err);
	}
}

static void read(const char *text, enum hv_unknown unknown, struct sample *ret)
{
	struct hv_error err = {0};

	assert_int_equal(hv_fields_read(text, strlen(text), fields, unknown, ret, &err), HV_OK);
	assert_int_equal(err.code, HV_OK);
	assert_null(err.message);
}

TEST(a_null_body_is_an_empty_one)
{
	struct sample sample = {0};
	struct hv_error err = {0};

	assert_int_equal(
		hv_fields_read(NULL, 0, fields, HV_UNKNOWN_REFUSE, &sample, &err), HV_BAD_REQUEST);
	hv_error_done(&err);
}

TEST(every_type_is_read)
{
	struct sample sample = {0};

	read(" {\"Text\":\"a\",\"Flag\":true,\"Number\":-7,\"Opts\":{\"z\":\"1\",\"a\":\"\"}}\n",
		HV_UNKNOWN_REFUSE, &sample);
	assert_string_equal(sample.text, "a");
	assert_true(sample.flag);
	assert_true(sample.number == -7);
	assert_int_equal(sample.opts.count, 2);
	assert_string_equal(sample.opts.items[0].key, "z");
	assert_string_equal(hv_opts_get(&sample.opts, "a"), "");
	hv_fields_done(fields, &sample);
	assert_null(sample.text);
	assert_int_equal(sample.opts.count, 0);
}

TEST(null_is_the_same_as_absent)
{
	struct sample sample = {.flag = true, .number = 5};

	read("{\"Text\":\"a\",\"Flag\":null,\"Number\":null,\"Opts\":null}", HV_UNKNOWN_REFUSE,
		&sample);
	assert_true(sample.flag);
	assert_true(sample.number == 5);
	assert_int_equal(sample.opts.count, 0);
	hv_fields_done(fields, &sample);
}

TEST(the_last_of_two_equal_keys_counts_and_nothing_leaks)
{
	struct sample sample = {0};

	read("{\"Text\":\"a\",\"Opts\":{\"k\":\"1\",\"k\":\"2\"},\"Text\":\"b\",\"Opts\":{\"k\":\"3\"}}",
		HV_UNKNOWN_REFUSE, &sample);
	assert_string_equal(sample.text, "b");
	assert_int_equal(sample.opts.count, 1);
	assert_string_equal(hv_opts_get(&sample.opts, "k"), "3");
	hv_fields_done(fields, &sample);
}

TEST(a_string_that_is_set_already_is_replaced)
{
	struct sample sample = {.text = strdup("default")};

	read("{\"Text\":\"a\"}", HV_UNKNOWN_REFUSE, &sample);
	assert_string_equal(sample.text, "a");
	hv_fields_done(fields, &sample);
}

TEST(unknown_fields_can_be_ignored_whatever_they_hold)
{
	struct sample sample = {0};

	read("{\"New\":{\"deep\":[1,{\"er\":null}]},\"Text\":\"a\",\"text\":\"b\"}",
		HV_UNKNOWN_IGNORE, &sample);
	assert_string_equal(sample.text, "a");
	hv_fields_done(fields, &sample);
}

TEST(escapes_are_read_as_characters)
{
	struct sample sample = {0};

	read("{\"Text\":\"\\u003c\\u0026\\/\\\\u0000\\u00fc\\u2028\\ud83d\\ude00\\n\"}",
		HV_UNKNOWN_REFUSE, &sample);
	assert_string_equal(sample.text, "<&/\\u0000\xc3\xbc\xe2\x80\xa8\xf0\x9f\x98\x80\n");
	hv_fields_done(fields, &sample);
}

TEST(a_long_unknown_field_is_named_in_valid_utf8)
{
	char body[400];
	int used = snprintf(body, sizeof(body), "{\"Text\":\"a\",\"x");
	struct sample sample = {0};
	struct hv_error err = {0};
	struct json_object *text;

	for (int i = 0; i < 60; i++) /* euro signs, so that a cut at 64 bytes splits one */
		used += snprintf(body + used, sizeof(body) - (size_t)used, "\xe2\x82\xac");
	snprintf(body + used, sizeof(body) - (size_t)used, "\":1}");
	assert_int_equal(
		hv_fields_read(body, strlen(body), fields, HV_UNKNOWN_REFUSE, &sample, &err),
		HV_BAD_REQUEST);
	text = json_object_new_object();
	json_object_object_add(text, "Text", json_object_new_string(hv_error_text(&err)));
	hv_fields_done(fields, &sample);
	hv_error_done(&err);
	read(json_object_to_json_string(text), HV_UNKNOWN_REFUSE, &sample);
	assert_non_null(strstr(sample.text, "unknown field \"x\xe2\x82\xac"));
	json_object_put(text);
	hv_fields_done(fields, &sample);
}

/* And are not refused: an Engine's answer may have one that nobody asks for. */
TEST(numbers_beyond_64_bits_do_not_wrap)
{
	struct sample sample = {0};

	read("{\"Text\":\"a\",\"Number\":-99999999999999999999999,"
	     "\"X\":18446744073709551616,\"Y\":[0,-0,1.5e+3,0.0]}",
		HV_UNKNOWN_IGNORE, &sample);
	assert_true(sample.number == INT64_MIN);
	read("{\"Text\":\"a\",\"Number\":99999999999999999999999}", HV_UNKNOWN_REFUSE, &sample);
	assert_true(sample.number == INT64_MAX);
	hv_fields_done(fields, &sample);
}

TEST(empty_members_are_left_out_if_optional)
{
	struct sample sample = {0};
	struct json_object *object = hv_fields_write(fields, &sample);

	assert_non_null(object);
	assert_string_equal(
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN), "{\"Text\":\"\"}");
	json_object_put(object);
}

static void fill_attachment(struct hv_attachment *in)
{
	static char odd[] = "\"quoted\" \\back\\ \x01\x1f\x7f\n\t/slash <tag>& "
			    "\xc3\xbc\xe2\x80\xa8\xf0\x9f\x98\x80";
	static char id[] = "0123456789ab", name[] = "-";

	*in = (struct hv_attachment){
		.id = id,
		.volume = odd,
		.source = odd,
		.subpath = odd,
		.container_id = name,
		.container_name = odd,
		.target = odd,
		.read_only = true,
		.no_dev = true,
		.persist = true,
		.required = true,
		.as = odd,
		.until = name,
		.grace_seconds = 7,
		.late_ms = 17,
		.state = HV_COVERED,
		.since = name,
		.problem = odd,
	};
}

TEST(an_attachment_survives_writing_and_reading)
{
	struct hv_attachment in, out = {0};
	struct json_object *object;
	struct hv_error err = {0};
	const char *text;

	fill_attachment(&in);
	object = hv_fields_write(hv_attachment_fields, &in);
	assert_non_null(object);
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	assert_int_equal(hv_fields_read(text, strlen(text), hv_attachment_fields, HV_UNKNOWN_REFUSE,
				 &out, &err),
		HV_OK);
	assert_string_equal(out.id, in.id);
	assert_string_equal(out.volume, in.volume);
	assert_string_equal(out.source, in.source);
	assert_string_equal(out.subpath, in.subpath);
	assert_string_equal(out.container_name, in.container_name);
	assert_string_equal(out.target, in.target);
	assert_string_equal(out.as, in.as);
	assert_string_equal(out.problem, in.problem);
	assert_int_equal(out.state, HV_COVERED);
	assert_true(out.read_only && out.no_dev && out.persist && out.required);
	assert_false(out.no_suid || out.no_exec);
	assert_string_equal(out.until, "-");
	assert_int_equal(out.grace_seconds, 7);
	assert_int_equal(out.late_ms, 17);
	json_object_put(object);
	hv_attachment_done(&out);
}

/* A command may be older than its daemon. */
TEST(a_state_is_read_by_its_word)
{
	static const struct {
		const char *text;
		enum hv_code code;
		enum hv_attachment_state state;
	} cases[] = {
		{"{\"State\":\"missing\"}", HV_OK, HV_MISSING},
		{"{\"State\":\"of another version\"}", HV_OK, HV_UNKNOWN_STATE},
		{"{\"State\":\"\"}", HV_OK, HV_UNKNOWN_STATE},
		{"{\"State\":3}", HV_BAD_REQUEST, HV_UNKNOWN_STATE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_attachment out = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_fields_read(cases[i].text, strlen(cases[i].text),
					 hv_attachment_fields, HV_UNKNOWN_IGNORE, &out, &err),
			cases[i].code);
		assert_int_equal(out.state, cases[i].state);
		hv_attachment_done(&out);
		hv_error_done(&err);
	}
}

/* 0 says that nobody may use it any more. */
TEST(a_grace_is_written_when_there_is_a_lease)
{
	struct hv_attachment in = {.grace_seconds = HV_GRACE_UNSAID};
	struct json_object *object = hv_fields_write(hv_attachment_fields, &in), *grace = NULL;

	assert_false(json_object_object_get_ex(object, "Grace", &grace) ||
		     json_object_object_get_ex(object, "Until", &grace));
	json_object_put(object);
	in.grace_seconds = 0;
	object = hv_fields_write(hv_attachment_fields, &in);
	assert_true(json_object_object_get_ex(object, "Grace", &grace));
	assert_int_equal(json_object_get_int64(grace), 0);
	json_object_put(object);
}

/* 0 says that it was there in time. */
TEST(lateness_is_written_when_it_is_known)
{
	struct hv_attachment in = {.late_ms = HV_LATE_UNKNOWN};
	struct json_object *object = hv_fields_write(hv_attachment_fields, &in), *late = NULL;

	assert_false(json_object_object_get_ex(object, "Late", &late));
	json_object_put(object);
	in.late_ms = 0;
	object = hv_fields_write(hv_attachment_fields, &in);
	assert_true(json_object_object_get_ex(object, "Late", &late));
	assert_int_equal(json_object_get_int64(late), 0);
	json_object_put(object);
}

/* Also by parsers of which char has a sign. */
TEST(characters_beyond_ascii_are_read_as_they_are)
{
	static const struct {
		const char *json, *escaped;
	} cases[] = {
		{"plain \\u0026 \\\\", "plain \\u0026 \\\\"},
		{"\xc2\x80 \xc3\xa9 \xdf\xbf", "\\u0080 \\u00e9 \\u07ff"},
		{"\xe0\xa0\x80\xe2\x80\xb9\xef\xbf\xbf", "\\u0800\\u2039\\uffff"},
		{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\\ud800\\udc00\\udbff\\udfff"},
	};
	static const char *const not_utf8[] = {
		"\xff", "\xc3", "a\xe2\x80", "\xf0\x90\x80", "\xed\xa0\x80", "\xc0\x80"};
	char *escaped;
	size_t size;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			hv_utf8_escape(cases[i].json, strlen(cases[i].json), &escaped, &size), 0);
		assert_string_equal(escaped, cases[i].escaped);
		assert_int_equal(size, strlen(cases[i].escaped));
		free(escaped);
	}
	for (size_t i = 0; i < sizeof(not_utf8) / sizeof(not_utf8[0]); i++) {
		char *bytes =
			strndup(not_utf8[i], strlen(not_utf8[i])); /* its end is looked after */

		assert_int_equal(hv_utf8_escape(bytes, strlen(bytes), &escaped, &size), -EILSEQ);
		free(bytes);
	}
}

TEST(what_is_not_utf8_is_written_as_replacement_characters)
{
	static const struct {
		const char *text;
		const char *clean;
	} cases[] = {
		{"a\xff"
		 "b",
			"a\xef\xbf\xbd"
			"b"},
		{"caf\xe9", "caf\xef\xbf\xbd"},
		{"\xc3\xbc\xe2\x80\xa8\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf",
			"\xc3\xbc\xe2\x80\xa8\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf"},
		{"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
		{"\xe2\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* cut */
		{"", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample in = {0}, out = {0};
		struct json_object *object;
		struct hv_error err = {0};
		const char *text;

		in.text = strdup(cases[i].text);
		assert_int_equal(hv_opts_add(&in.opts, "path", cases[i].text), 0);
		object = hv_fields_write(fields, &in);
		assert_non_null(object);
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
		assert_int_equal(*cases[i].text ? HV_OK : HV_BAD_REQUEST,
			hv_fields_read(text, strlen(text), fields, HV_UNKNOWN_REFUSE, &out, &err));
		assert_string_equal(out.text, cases[i].clean);
		assert_string_equal(hv_opts_get(&out.opts, "path"), cases[i].clean);
		assert_int_equal(hv_utf8_is_valid(cases[i].text),
			strcmp(cases[i].text, cases[i].clean) == 0);
		json_object_put(object);
		hv_fields_done(fields, &in);
		hv_fields_done(fields, &out);
		hv_error_done(&err);
	}
}

TEST_MAIN()
