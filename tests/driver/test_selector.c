/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "support/hv_test.h"
#include "wire/selector.h"

static bool matches(const char *text, const char *const *labels)
{
	struct hv_selector selector;
	struct hv_opts opts = {0};
	struct hv_error err = {0};
	bool is_match;

	for (; labels[0]; labels += 2)
		assert_int_equal(hv_opts_add(&opts, labels[0], labels[1]), 0);
	assert_int_equal(hv_selector_parse(text, &selector, &err), HV_OK);
	is_match = hv_selector_match(&selector, &opts);
	hv_selector_done(&selector);
	hv_opts_done(&opts);
	return is_match;
}

TEST(selector_match_compares_all_labels)
{
	static const char *const web[] = {"com.docker.compose.project", "shop",
		"com.docker.compose.service", "web", "tier", "front=1", "empty", "", NULL};
	static const char *const task[] = {"com.docker.swarm.service.name", "web", NULL};
	static const char *const none[] = {NULL};
	static const struct {
		const char *text;
		bool web, task;
	} cases[] = {
		{"label:tier", true, false},
		{"label:tier=front=1", true, false},
		{"label:tier=front", false, false},
		{"label:tie", false, false},
		{"label:empty=", true, false},
		{"label:tier=", false, false},
		{"label:com.docker.swarm.service.name=web", false, true},
		{"compose:shop", true, false},
		{"compose:shop/web", true, false},
		{"compose:shop/db", false, false},
		{"compose:web", false, false},
		{"service:web", false, true},
		{"service:we", false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(matches(cases[i].text, web), cases[i].web);
		assert_int_equal(matches(cases[i].text, task), cases[i].task);
		assert_false(matches(cases[i].text, none));
	}
}

TEST(selector_match_a_keeper_never)
{
	static const char *const keeper[] = {"hostvol.keeps", "data", "tier", "front", NULL};

	assert_false(matches("label:tier", keeper));
	assert_false(matches("label:hostvol.keeps", keeper));
}

TEST(selector_miss_tells_the_first_label_that_has_another_value)
{
	static const char *const web[] = {"com.docker.compose.project", "shop",
		"com.docker.compose.service", "web", "tier", "front", NULL};
	static const char *const keeper[] = {"hostvol.keeps", "1", "tier", "front", NULL};
	static const struct {
		const char *text, *const *labels, *value;
		size_t at;
	} cases[] = {
		{"compose:shop/wbe", web, "web", 1},
		{"compose:shp/web", web, "shop", 0},
		{"compose:shp/wbe", web, "shop", 0},
		{"compose:shp", web, "shop", 0},
		{"label:tier=back", web, "front", 0},
		{"compose:shop/web", web, NULL, 0},
		{"label:tie", web, NULL, 0},
		{"service:web", web, NULL, 0},
		{"label:tier=back", keeper, NULL, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_selector selector;
		struct hv_opts opts = {0};
		struct hv_error err = {0};
		size_t at = 0;
		const char *value;

		for (const char *const *label = cases[i].labels; label[0]; label += 2)
			assert_int_equal(hv_opts_add(&opts, label[0], label[1]), 0);
		assert_int_equal(hv_selector_parse(cases[i].text, &selector, &err), HV_OK);
		value = hv_selector_miss(&selector, &opts, &at);
		if (cases[i].value)
			assert_string_equal(value, cases[i].value);
		else
			assert_null(value);
		if (value)
			assert_int_equal(at, cases[i].at);
		hv_selector_done(&selector);
		hv_opts_done(&opts);
	}
}

TEST(selector_parse_malformed_refuses_with_hint)
{
	static const char *const cases[] = {"", "web", "label:", "label:=x",
		"compose:", "compose:/", "compose:/web", "compose:shop/", "compose:a/b/c",
		"service:", "label:a\nb", "label", "Label:a"};
	char text[HV_SELECTOR_MAX + 2];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_selector selector;
		struct hv_error err = {0};

		assert_int_equal(hv_selector_parse(cases[i], &selector, &err), HV_BAD_REQUEST);
		assert_non_null(strstr(err.hint, "label:KEY"));
		hv_selector_done(&selector);
		hv_error_done(&err);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "label:", 6);
	for (size_t length = HV_SELECTOR_MAX; length <= HV_SELECTOR_MAX + 1; length++) {
		struct hv_selector selector;
		struct hv_error err = {0};

		text[length] = '\0';
		assert_int_equal(hv_selector_parse(text, &selector, &err),
			length > HV_SELECTOR_MAX ? HV_BAD_REQUEST : HV_OK);
		hv_selector_done(&selector);
		hv_error_done(&err);
		text[length] = 'a';
	}
}

TEST(selector_is_told_from_a_container)
{
	static const struct {
		const char *text;
		bool is_meant;
		size_t length;
	} cases[] = {
		{"label:a:/m", true, 7},
		{"label:a=http://x:80/y:/m:ro", true, 21},
		{"label:/m", false, 5},
		{"compose:/m", false, 7},
		{"compose:shop/web:/m", true, 16},
		{"service:web", true, 0},
		{"web:/m", false, 3},
		{"labels:/m", false, 6},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(hv_selector_is_meant(cases[i].text), cases[i].is_meant);
		assert_int_equal(hv_selector_length(cases[i].text), cases[i].length);
	}
}

TEST_MAIN()
