/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/command.h"

static const struct hv_flag flags[] = {
	HV_FLAG("ro", 'r', NULL, "", read_only),
	HV_FLAG("lazy", 'l', NULL, "", lazy),
	HV_FLAG("target", 't', "PATH", "", target),
	HV_FLAG_LIST("filter", 'f', "KEY=VALUE", "", filters),
	HV_FLAGS_END,
};

static enum hv_code parse(const char *const words[], struct hv_options *options,
	struct hv_operands *operands, struct hv_error *err)
{
	int count = 0;

	*options = (struct hv_options){0};
	*operands = (struct hv_operands){0};
	while (words[count])
		count++;
	return hv_flags_parse(
		flags, count, (char *const *)(uintptr_t)words, options, operands, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

TEST(flags_stand_before_between_and_after_operands)
{
	struct hv_options options;
	struct hv_operands operands;
	struct hv_error err = {0};

	assert_int_equal(
		parse(WORDS("--ro", "a", "--target", "/t", "b", "-l"), &options, &operands, &err),
		HV_OK);
	assert_true(options.read_only && options.lazy);
	assert_string_equal(options.target, "/t");
	assert_int_equal(operands.count, 2);
	assert_string_equal(operands.items[0], "a");
	assert_string_equal(operands.items[1], "b");
}

TEST(two_dashes_end_the_flags)
{
	struct hv_options options;
	struct hv_operands operands;
	struct hv_error err = {0};

	assert_int_equal(parse(WORDS("--", "--ro", "-"), &options, &operands, &err), HV_OK);
	assert_false(options.read_only);
	assert_int_equal(operands.count, 2);
	assert_string_equal(operands.items[0], "--ro");
}

TEST(values_come_in_every_form)
{
	const char *const *const forms[] = {
		WORDS("--target", "/t"),
		WORDS("--target=/t"),
		WORDS("-t", "/t"),
		WORDS("-t/t"),
		WORDS("-t=/t"),
		WORDS("-lt", "/t"),
	};
	struct hv_options options;
	struct hv_operands operands;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(parse(forms[i], &options, &operands, &err), HV_OK);
		assert_string_equal(options.target, "/t");
		assert_int_equal(operands.count, 0);
	}
	assert_int_equal(parse(WORDS("--ro=false"), &options, &operands, &err), HV_OK);
	assert_false(options.read_only);
	assert_int_equal(parse(WORDS("--target="), &options, &operands, &err), HV_OK);
	assert_string_equal(options.target, "");
}

TEST(wrong_flags_are_named)
{
	const struct {
		const char *const *words;
		const char *text;
	} cases[] = {
		{WORDS("--r"), "unknown flag --r"},
		{WORDS("--row"), "unknown flag --row"},
		{WORDS("-x"), "unknown flag -x"},
		{WORDS("-rx"), "unknown flag -x in -rx"},
		{WORDS("--target"), "--target needs a value: PATH"},
		{WORDS("-t"), "--target needs a value: PATH"},
		{WORDS("--ro=maybe"), "--ro takes true or false, not \"maybe\""},
	};
	struct hv_options options;
	struct hv_operands operands;
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].words, &options, &operands, &err), HV_BAD_REQUEST);
		assert_string_equal(hv_error_text(&err), cases[i].text);
	}
	hv_error_done(&err);
}

TEST(hv_flags_parse_unknown_flags_near_to_known_ones_are_hinted_at)
{
	const struct {
		const char *const *words;
		const char *hint; /* or NULL */
	} cases[] = {
		{WORDS("--lzay"), "did you mean: --lazy"},
		{WORDS("--tagret=/t"), "did you mean: --target"},
		{WORDS("--LAZY"), "did you mean: --lazy"},
		{WORDS("-zazy"), "did you mean: --lazy"},
		{WORDS("-o"), NULL},
		{WORDS("--frobnicate"), NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_options options;
		struct hv_operands operands;
		struct hv_error err = {0};

		assert_int_equal(parse(cases[i].words, &options, &operands, &err), HV_BAD_REQUEST);
		assert_int_equal(!err.hint, !cases[i].hint);
		if (cases[i].hint)
			assert_string_equal(err.hint, cases[i].hint);
		hv_error_done(&err);
	}
}

TEST(hv_flags_parse_a_list_keeps_every_value)
{
	const char *words[2 * (HV_VALUES_MAX + 1) + 1] = {NULL};
	struct hv_options options;
	struct hv_operands operands;
	struct hv_error err = {0};

	assert_int_equal(parse(WORDS("--filter", "a=1", "x", "--filter=b=2", "-fc=3", "-rf", "d="),
				 &options, &operands, &err),
		HV_OK);
	assert_int_equal(options.filters.count, 4);
	assert_string_equal(options.filters.items[0], "a=1");
	assert_string_equal(options.filters.items[1], "b=2");
	assert_string_equal(options.filters.items[2], "c=3");
	assert_string_equal(options.filters.items[3], "d=");
	assert_int_equal(operands.count, 1);
	for (size_t i = 0; i + 1 < sizeof(words) / sizeof(words[0]); i += 2) {
		words[i] = "-f";
		words[i + 1] = "a=1";
	}
	assert_int_equal(parse(words, &options, &operands, &err), HV_BAD_REQUEST);
	assert_string_equal(hv_error_text(&err), "--filter is given more than 32 times");
	words[2 * (size_t)HV_VALUES_MAX] = NULL;
	assert_int_equal(parse(words, &options, &operands, &err), HV_OK);
	assert_int_equal(options.filters.count, HV_VALUES_MAX);
	hv_error_done(&err);
}

TEST(operands_beyond_the_kept_ones_are_counted)
{
	static const char *words[HV_OPERANDS_MAX + 2];
	static struct hv_operands operands;
	struct hv_options options;
	struct hv_error err = {0};

	for (size_t i = 0; i <= HV_OPERANDS_MAX; i++)
		words[i] = "a";
	assert_int_equal(parse(words, &options, &operands, &err), HV_OK);
	assert_int_equal(operands.count, HV_OPERANDS_MAX + 1);
}

static int parse_globals(
	const char *const words[], struct hv_globals *globals, struct hv_error *err)
{
	int count = 0;

	*globals = (struct hv_globals){0};
	while (words[count])
		count++;
	return hv_globals_parse(count, (char *const *)(uintptr_t)words, globals, err);
}

TEST(global_flags_end_at_the_first_word)
{
	struct hv_globals globals;
	struct hv_error err = {0};

	assert_int_equal(parse_globals(WORDS("-H", "unix:///a", "--log-level", "debug", "-D",
					       "hostvol", "-c", "x"),
				 &globals, &err),
		5);
	assert_string_equal(globals.host, "unix:///a");
	assert_null(globals.context);
	assert_int_equal(parse_globals(WORDS("--context=far", "--config", "/c", "--tls",
					       "--tlscacert=/x", "--tlsverify=false", "hostvol"),
				 &globals, &err),
		6);
	assert_string_equal(globals.context, "far");
	assert_string_equal(globals.config_dir, "/c");
	assert_int_equal(parse_globals(WORDS("-DHtcp://b", "-cfar", "w"), &globals, &err), 2);
	assert_string_equal(globals.host, "tcp://b");
	assert_string_equal(globals.context, "far");
}

TEST(global_flags_leave_unknown_ones_to_the_command)
{
	struct hv_globals globals;
	struct hv_error err = {0};

	assert_int_equal(parse_globals(WORDS("-D", "--ro", "x"), &globals, &err), 1);
	assert_int_equal(parse_globals(WORDS("--", "x"), &globals, &err), 0);
	assert_int_equal(parse_globals(WORDS("-H"), &globals, &err), -EINVAL);
	assert_string_equal(hv_error_text(&err), "--host needs a value: ADDRESS");
	hv_error_done(&err);
}

TEST_MAIN()
