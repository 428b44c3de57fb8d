/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of IDs: exchanged, looked up, as text. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "support/hv_test.h"

#include "idmap.h"

static const struct mc_idmap all = {1, {{0, 0, UINT32_MAX}}};
static const struct mc_idmap remapped = {2, {{0, 100000, 1000}, {1000, 300000, 64536}}};

static void check_swap(const struct mc_idmap *map, uint32_t a, uint32_t b, const char *expected)
{
	struct mc_idmap swapped;
	char text[MC_IDMAP_TEXT_SIZE];

	assert_int_equal(mc_idmap_swap(map, a, b, &swapped), 0);
	assert_int_equal(mc_idmap_format(&swapped, text), strlen(expected));
	assert_string_equal(text, expected);
	assert_int_equal(mc_idmap_swap(map, b, a, &swapped), 0);
	assert_int_equal(mc_idmap_format(&swapped, text), strlen(expected));
	assert_string_equal(text, expected);
}

TEST(mc_idmap_swap_exchanges_two)
{
	static const struct {
		const struct mc_idmap *map;
		uint32_t a, b;
		const char *expected;
	} cases[] = {
		{&all, 0, 1000,
			"1 1 999\n1001 1001 4294966294\n0 1000 1\n"
			"1000 0 1\n"},
		{&all, 0, 1, "2 2 4294967293\n0 1 1\n1 0 1\n"},
		{&all, 5, 6, "0 0 5\n7 7 4294967288\n5 6 1\n6 5 1\n"},
		{&all, 0, 4294967294, "1 1 4294967293\n0 4294967294 1\n4294967294 0 1\n"},
		{&all, 7, 7, "0 0 7\n8 8 4294967287\n7 7 1\n"},
		{&remapped, 0, 1000,
			"1 100001 999\n1001 300001 64535\n0 300000 1\n"
			"1000 100000 1\n"},
		{&remapped, 999, 1000,
			"0 100000 999\n1001 300001 64535\n999 300000 1\n"
			"1000 100999 1\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_swap(cases[i].map, cases[i].a, cases[i].b, cases[i].expected);
}

TEST(mc_idmap_compose_goes_through_both)
{
	static const struct mc_idmap shifted = {2, {{0, 500, 1000}, {5000, 99, 2}}};
	static const struct mc_idmap some = {2, {{600, 7, 100}, {100, 0, 1}}};
	struct mc_idmap both;
	char text[MC_IDMAP_TEXT_SIZE];

	assert_int_equal(mc_idmap_compose(&shifted, &remapped, &both), 0);
	assert_true(mc_idmap_format(&both, text) > 0);
	assert_string_equal(text, "0 100500 500\n500 300000 500\n5000 100099 2\n");
	assert_int_equal(mc_idmap_compose(&shifted, &some, &both), 0);
	assert_true(mc_idmap_format(&both, text) > 0);
	assert_string_equal(text, "100 7 100\n5001 0 1\n");
	assert_int_equal(mc_idmap_compose(&all, &all, &both), 0);
	assert_true(mc_idmap_format(&both, text) > 0);
	assert_string_equal(text, "0 0 4294967295\n");
}

TEST(mc_idmap_swap_with_an_id_of_no_map_takes_it_away)
{
	check_swap(&remapped, 70000, 1000,
		"0 100000 1000\n1001 300001 64535\n"
		"70000 300000 1\n");
	check_swap(&remapped, 70000, 80000, "0 100000 1000\n1000 300000 64536\n");
}

TEST(mc_idmap_swap_of_a_full_map_is_too_big)
{
	struct mc_idmap full = {MC_IDMAP_MAX, {{0}}}, swapped;

	for (uint32_t i = 0; i < MC_IDMAP_MAX; i++)
		full.extents[i] = (struct mc_extent){i * 10, i * 10, 10};
	assert_int_equal(mc_idmap_swap(&full, 3, 13, &swapped), -E2BIG);
}

TEST(mc_idmap_format_of_more_than_a_page_is_too_big)
{
	struct mc_idmap full = {MC_IDMAP_MAX, {{0}}};
	char text[MC_IDMAP_TEXT_SIZE];

	for (uint32_t i = 0; i < MC_IDMAP_MAX; i++)
		full.extents[i] = (struct mc_extent){i * 10 + 100000, i * 10 + 200000, 10};
	assert_int_equal(mc_idmap_format(&full, text), -E2BIG);
}

TEST(mc_idmap_find_tells_the_outer_id)
{
	uint32_t found = 0;

	assert_int_equal(mc_idmap_find(&remapped, 999, &found), 0);
	assert_int_equal(found, 100999);
	assert_int_equal(mc_idmap_find(&remapped, 65535, &found), 0);
	assert_int_equal(found, 364535);
	assert_int_equal(mc_idmap_find(&remapped, 65536, &found), -ERANGE);
	assert_int_equal(mc_idmap_find(&all, UINT32_MAX, &found), -ERANGE);
}

TEST(mc_idmap_find_inner_is_the_way_back)
{
	uint32_t found = 0;

	assert_int_equal(mc_idmap_find_inner(&remapped, 100999, &found), 0);
	assert_int_equal(found, 999);
	assert_int_equal(mc_idmap_find_inner(&remapped, 300000, &found), 0);
	assert_int_equal(found, 1000);
	assert_int_equal(mc_idmap_find_inner(&remapped, 0, &found), -ERANGE);
	assert_int_equal(mc_idmap_find_inner(&remapped, 101000, &found), -ERANGE);
}

TEST(mc_idmap_read_reads_the_kernel_s_text)
{
	char directory[] = "/tmp/hostvol-idmap-XXXXXX";
	struct mc_idmap map;
	mc_auto_fd dir = MC_FD_NONE, file = MC_FD_NONE;
	/* The second range has no numbers here. */
	static const char text[] = "         0     100000       1000\n"
				   "      1000 4294967295      64536\n";

	assert_non_null(mkdtemp(directory));
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = openat(dir, "uid_map", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(write(file, text, strlen(text)), strlen(text));
	assert_int_equal(mc_idmap_read(dir, "uid_map", &map), 0);
	assert_int_equal(map.count, 1);
	assert_int_equal(map.extents[0].inside, 0);
	assert_int_equal(map.extents[0].outside, 100000);
	assert_int_equal(map.extents[0].count, 1000);
	mc_idmap_make_identity(&map);
	assert_int_equal(map.extents[0].outside, 0);
	assert_int_equal(mc_idmap_read(dir, "gid_map", &map), -ENOENT);
	assert_int_equal(write(file, "x", 1), 1);
	assert_int_equal(mc_idmap_read(dir, "uid_map", &map), -EINVAL);
	assert_int_equal(unlinkat(dir, "uid_map", 0), 0);
	assert_int_equal(rmdir(directory), 0);
}

TEST_MAIN()
