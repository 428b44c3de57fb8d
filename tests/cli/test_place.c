/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/place.h"

struct split {
	const char *text;
	const char *container;
	const char *target;
	struct hv_mode mode;
};

TEST(text_splits_at_the_first_colon)
{
	static const struct split cases[] = {
		{"web:/mnt/data", "web", "/mnt/data", {0}},
		{"web:/mnt/data:ro", "web", "/mnt/data", {.is_read_only = true}},
		{"web:/mnt/data:rw", "web", "/mnt/data", {.is_read_write = true}},
		{"web:/a:required", "web", "/a", {.is_required = true}},
		{"web:/a:ro,required", "web", "/a", {.is_read_only = true, .is_required = true}},
		{"web:/a:required,rw", "web", "/a", {.is_read_write = true, .is_required = true}},
		{"web:ro", "web", "ro", {0}},
		{"web:relative", "web", "relative", {0}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_place place = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_place_parse(cases[i].text, NULL, &place, &err), HV_OK);
		assert_int_equal(hv_place_mode_parse(&place, &err), HV_OK);
		assert_string_equal(place.container, cases[i].container);
		assert_string_equal(place.target, cases[i].target);
		assert_memory_equal(&place.mode, &cases[i].mode, sizeof(place.mode));
		hv_place_done(&place);
	}
}

TEST(what_has_no_two_parts_is_refused_with_a_hint)
{
	static const char *const cases[] = {"web", "", ":/mnt", ":", "web:", "web::ro"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_place place = {0};
		struct hv_error err = {0};
		enum hv_code code = hv_place_parse(cases[i], NULL, &place, &err);

		if (code == HV_OK)
			code = hv_place_mode_parse(&place, &err);
		assert_int_equal(code, HV_BAD_REQUEST);
		assert_non_null(strstr(err.hint, "CONTAINER:TARGET"));
		hv_place_done(&place);
		hv_error_done(&err);
	}
}

/* Not taken for a part of the target: it would be attached writable, at "/a:RO". */
TEST(what_is_no_mode_is_refused)
{
	static const char *const cases[] = {"web:/a:y", "web:/a:ro,z", "web:/a:rslave",
		"web:/a:nocopy", "web:/a:RO", "web:/a:b", "web:/a:b:ro", "web:/a:ro:ro",
		"web:/a:", "web:/a:readonly", "web:/a:ro,", "web:/a:,ro", "web:/a:ro,rw",
		"web:/a:ro,ro", "web:/a:require"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_place place = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_place_parse(cases[i], NULL, &place, &err), HV_OK);
		assert_int_equal(hv_place_mode_parse(&place, &err), HV_BAD_REQUEST);
		assert_non_null(strstr(err.hint, "--target"));
		hv_place_done(&place);
		hv_error_done(&err);
	}
}

TEST(target_flag_takes_any_path_and_a_container_alone)
{
	struct hv_place place = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_place_parse("web", "/a:ro", &place, &err), HV_OK);
	assert_string_equal(place.container, "web");
	assert_string_equal(place.target, "/a:ro");
	hv_place_done(&place);
	assert_int_equal(hv_place_parse("web:/b", "/a", &place, &err), HV_BAD_REQUEST);
	assert_int_equal(hv_place_parse("", "/a", &place, &err), HV_BAD_REQUEST);
	assert_int_equal(hv_place_parse("web", "", &place, &err), HV_BAD_REQUEST);
	hv_error_done(&err);
}

TEST(place_parse_of_a_selector_splits_at_the_last_slash_behind_a_colon)
{
	static const struct {
		const char *text, *flag, *selector, *target;
		struct hv_mode mode;
	} cases[] = {
		{"label:a:/m", NULL, "label:a", "/m", {0}},
		{"label:a=http://b:80/c:/m:ro", NULL, "label:a=http://b:80/c", "/m",
			{.is_read_only = true}},
		{"compose:shop/web:/m", NULL, "compose:shop/web", "/m", {0}},
		{"service:web:/m", NULL, "service:web", "/m", {0}},
		{"label:a:b", "/m", "label:a:b", "/m", {0}},
	};
	struct hv_place container = {0};
	struct hv_error err = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_place place = {0};

		assert_int_equal(hv_place_parse(cases[i].text, cases[i].flag, &place, &err), HV_OK);
		assert_int_equal(hv_place_mode_parse(&place, &err), HV_OK);
		assert_null(place.container);
		assert_string_equal(place.selector, cases[i].selector);
		assert_string_equal(place.target, cases[i].target);
		assert_memory_equal(&place.mode, &cases[i].mode, sizeof(place.mode));
		hv_place_done(&place);
	}
	assert_int_equal(hv_place_parse("label:/m", NULL, &container, &err), HV_OK);
	assert_string_equal(container.container, "label");
	hv_place_done(&container);
}

TEST(place_parse_of_a_wrong_selector_is_refused)
{
	static const char *const cases[] = {
		"label:a", "label::/m", "compose:a/b/c:/m", "service:web", "compose:a/:/m"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_place place = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_place_parse(cases[i], NULL, &place, &err), HV_BAD_REQUEST);
		assert_non_null(err.hint);
		hv_place_done(&place);
		hv_error_done(&err);
	}
}

TEST(flag_and_mode_must_agree)
{
	struct hv_place place = {.mode = {.is_read_write = true}};
	struct hv_error err = {0};
	bool is_read_only = true;

	assert_int_equal(hv_place_read_only(&place, true, &is_read_only, &err), HV_BAD_REQUEST);
	assert_int_equal(hv_place_read_only(&place, false, &is_read_only, &err), HV_OK);
	assert_false(is_read_only);
	place.mode = (struct hv_mode){0};
	assert_int_equal(hv_place_read_only(&place, true, &is_read_only, &err), HV_OK);
	assert_true(is_read_only);
	hv_error_done(&err);
}

TEST(ids_are_twelve_hex_digits)
{
	assert_true(hv_attachment_id_is("0123456789ab"));
	assert_true(hv_attachment_id_is("ABCDEF012345"));
	assert_false(hv_attachment_id_is(""));
	assert_false(hv_attachment_id_is("0123456789a"));
	assert_false(hv_attachment_id_is("0123456789abc"));
	assert_false(hv_attachment_id_is("0123456789ag"));
	assert_false(hv_attachment_id_is("web:/mnt/dat"));
}

TEST(hv_target_clean_takes_out_slashes_and_dots)
{
	static const char *const cases[][2] = {{"/a", "/a"}, {"/a/", "/a"}, {"//a", "/a"},
		{"/./a/.", "/a"}, {"/a//.", "/a"}, {"/", "/"}, {"//", "/"}, {"/.a/b.", "/.a/b."},
		{"/a/..", "/a/.."}, {"", ""}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[16];

		snprintf(text, sizeof(text), "%s", cases[i][0]);
		hv_target_clean(text);
		assert_string_equal(text, cases[i][1]);
	}
}

TEST_MAIN()
