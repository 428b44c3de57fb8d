/* SPDX-License-Identifier: Apache-2.0 */
#include "support/hv_test.h"
#include "wire/opts.h"

static void add(struct hv_opts *opts, const char *key, const char *value)
{
	assert_int_equal(hv_opts_add(opts, key, value), 0);
}

TEST(options_keep_their_order_and_are_found_by_key)
{
	struct hv_opts opts = {0};

	add(&opts, "path", "/srv");
	add(&opts, "ro", "");
	add(&opts, "", "no key");
	assert_int_equal(opts.count, 3);
	assert_string_equal(opts.items[0].key, "path");
	assert_string_equal(opts.items[2].value, "no key");
	assert_string_equal(hv_opts_get(&opts, "ro"), "");
	assert_string_equal(hv_opts_get(&opts, ""), "no key");
	assert_null(hv_opts_get(&opts, "Path"));
	hv_opts_done(&opts);
	assert_int_equal(opts.count, 0);
	assert_null(hv_opts_get(&opts, "path"));
	hv_opts_done(&opts);
}

TEST(order_does_not_matter_to_equality)
{
	struct hv_opts a = {0}, b = {0};

	assert_true(hv_opts_is_equal(&a, &b));
	add(&a, "path", "/srv");
	add(&a, "ro", "true");
	add(&b, "ro", "true");
	assert_false(hv_opts_is_equal(&a, &b));
	assert_false(hv_opts_is_equal(&b, &a));
	add(&b, "path", "/srv");
	assert_true(hv_opts_is_equal(&a, &b));
	hv_opts_done(&b);
	add(&b, "path", "/srv");
	add(&b, "ro", "false");
	assert_false(hv_opts_is_equal(&a, &b));
	hv_opts_done(&b);
	add(&b, "path", "/srv");
	add(&b, "mkdir", "true");
	assert_false(hv_opts_is_equal(&a, &b));
	hv_opts_done(&a);
	hv_opts_done(&b);
}

TEST_MAIN()
