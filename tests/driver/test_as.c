/* SPDX-License-Identifier: Apache-2.0 */
#include "support/hv_test.h"
#include "wire/as.h"

TEST(hv_as_parse_reads_a_user_and_perhaps_a_group)
{
	static const struct {
		const char *text;
		struct hv_as as;
		const char *formatted; /* NULL: the same */
	} good[] = {
		{"0", {1, 0}, NULL},
		{"1000", {1001, 0}, NULL},
		{"1000:1000", {1001, 1001}, NULL},
		{"0:0", {1, 1}, NULL},
		{"33:4294967294", {34, 4294967295}, NULL},
		{"4294967294:4294967294", {4294967295, 4294967295}, NULL},
		{"007:08", {8, 9}, "7:8"},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct hv_as as = {7, 7};
		char text[HV_AS_SIZE];

		assert_true(hv_as_parse(good[i].text, &as));
		assert_int_equal(as.uid, good[i].as.uid);
		assert_int_equal(as.gid, good[i].as.gid);
		hv_as_format(&as, text);
		assert_string_equal(text, good[i].formatted ? good[i].formatted : good[i].text);
	}
}

TEST(hv_as_parse_refuses_all_else)
{
	static const char *const bad[] = {"", ":", "1000:", ":1000", "www-data", "1000:www-data",
		"-1", "+1", " 1", "1 ", "1:2:3", "4294967295", "1:4294967295", "99999999999",
		"18446744073709551617", "0x10", "1.5", "1,2"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct hv_as as = {7, 7};
		char text[HV_AS_SIZE];

		assert_false(hv_as_parse(bad[i], &as));
		assert_int_equal(as.uid, 0);
		assert_int_equal(as.gid, 0);
		hv_as_format(&as, text);
		assert_string_equal(text, "");
	}
}

TEST_MAIN()
