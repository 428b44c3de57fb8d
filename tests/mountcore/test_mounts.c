/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "mountcore/cleanup.h"
#include "mountcore/mounts.h"
#include "support/hv_test.h"

#include "mounts.h"

static int parse_sample(const char *name, struct mc_mounts **ret)
{
	char path[256];
	mc_auto_file stream = NULL;

	snprintf(path, sizeof(path), "%s/%s", SAMPLES, name);
	stream = fopen(path, "re");
	assert_non_null(stream);
	return mc_mounts_parse(stream, ret);
}

static struct mc_mounts *read_sample(const char *name)
{
	struct mc_mounts *mounts = NULL;

	assert_int_equal(parse_sample(name, &mounts), 0);
	assert_non_null(mounts);
	return mounts;
}

static int parse_text(const char *text, struct mc_mounts **ret)
{
	char *copy = strdup(text);
	mc_auto_file stream = fmemopen(copy, strlen(copy), "r");
	int rc;

	assert_non_null(stream);
	rc = mc_mounts_parse(stream, ret);
	free(copy);
	return rc;
}

TEST(the_columns_are_those_of_proc_5)
{
	struct mc_mounts *mounts = read_sample("stacked");
	struct mc_mount mount;
	size_t at = 0;

	assert_int_equal(mc_mounts_count(mounts), 5);
	assert_true(mc_mounts_next(mounts, &at, &mount));
	assert_int_equal(mount.id, 127);
	assert_int_equal(mount.parent_id, 126);
	assert_int_equal(mount.dev, makedev(254, 0));
	assert_string_equal(mount.root, "/");
	assert_string_equal(mount.target, "/");
	assert_string_equal(mount.fstype, "ext4");
	assert_false(mount.is_shared);
	mc_mounts_free(mounts);
}

TEST(iteration_keeps_the_order_and_ends)
{
	static const uint64_t ids[] = {127, 150, 151, 152, 153};
	struct mc_mounts *mounts = read_sample("stacked");
	struct mc_mount mount;
	size_t at = 0;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_true(mc_mounts_next(mounts, &at, &mount));
		assert_int_equal(mount.id, ids[i]);
	}
	assert_false(mc_mounts_next(mounts, &at, &mount));
	assert_false(mc_mounts_next(mounts, &at, &mount));
	mc_mounts_free(mounts);
}

/* 0: nothing covers it. */
static void expect_cover(struct mc_mounts *mounts, uint64_t id, uint64_t cover)
{
	struct mc_mount mount;

	assert_int_equal(mc_mounts_find_cover(mounts, id, &mount), cover != 0);
	if (cover)
		assert_int_equal(mount.id, cover);
}

TEST(only_the_top_of_a_stack_is_not_covered)
{
	struct mc_mounts *mounts = read_sample("stacked");

	expect_cover(mounts, 151, 152);
	expect_cover(mounts, 152, 153);
	expect_cover(mounts, 153, 0);
	expect_cover(mounts, 127, 0); /* a child elsewhere does not cover */
	expect_cover(mounts, 150, 0);
	expect_cover(mounts, 999, 0);
	mc_mounts_free(mounts);
}

TEST(a_mount_on_a_directory_above_covers)
{
	struct mc_mounts *mounts = read_sample("nested");

	expect_cover(mounts, 150, 152); /* /mnt/o/sub, and /mnt/o came later */
	expect_cover(mounts, 151, 152); /* the same below that one */
	expect_cover(mounts, 152, 0);
	expect_cover(mounts, 153, 0);   /* on the one that covers */
	expect_cover(mounts, 154, 155); /* on the lower one of a stack */
	expect_cover(mounts, 155, 0);
	mc_mounts_free(mounts);
}

static void check_tree(
	struct mc_mounts *mounts, uint64_t id, const uint64_t *expected, size_t count)
{
	mc_auto_free uint64_t *ids = NULL;
	size_t found = 0;

	assert_int_equal(mc_mounts_tree(mounts, id, &ids, &found), 0);
	assert_int_equal(found, count);
	assert_int_equal(ids[0], id);
	assert_memory_equal(ids, expected, count * sizeof(*ids));
}

TEST(a_tree_is_the_mount_and_all_below_it)
{
	static const uint64_t all[] = {127, 150, 151, 152, 153}, top[] = {153};
	struct mc_mounts *mounts = read_sample("stacked");
	uint64_t *ids = NULL;
	size_t count = 0;

	check_tree(mounts, 127, all, 5);
	check_tree(mounts, 151, all + 2, 3);
	check_tree(mounts, 153, top, 1);
	assert_int_equal(mc_mounts_tree(mounts, 126, &ids, &count), -ENOENT);
	assert_null(ids);
	mc_mounts_free(mounts);
}

/* A moved mount keeps its place in the table, also before its new parent. */
TEST(a_tree_is_found_whatever_the_order_of_the_table)
{
	static const uint64_t expected[] = {30, 20, 10};
	struct mc_mounts *mounts = NULL;

	assert_int_equal(parse_text("10 20 0:10 / /a/b/c rw - tmpfs c rw\n"
				    "20 30 0:20 / /a/b rw - tmpfs b rw\n"
				    "30 1 0:30 / /a rw - tmpfs a rw\n"
				    "40 1 0:40 / /ab rw - tmpfs ab rw\n",
				 &mounts),
		0);
	check_tree(mounts, 30, expected, 3);
	mc_mounts_free(mounts);
}

/* The kernel puts what propagates from the host beneath what a container has mounted. */
TEST(the_mount_on_top_may_be_the_older_one)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount top;

	assert_int_equal(parse_text("10 1 0:10 / /a rw - tmpfs ours rw\n"
				    "20 30 0:20 / /a rw - tmpfs container rw\n"
				    "30 10 0:30 / /a rw - tmpfs host rw\n",
				 &mounts),
		0);
	assert_int_equal(mc_mounts_find_top(mounts, "/a", &top), 0);
	assert_int_equal(top.id, 20);
	mc_mounts_free(mounts);
	assert_int_equal(parse_text("10 20 0:10 / /a rw - tmpfs circle rw\n"
				    "20 10 0:20 / /a rw - tmpfs circle rw\n",
				 &mounts),
		0);
	assert_int_equal(mc_mounts_find_top(mounts, "/a", &top), 0);
	mc_mounts_free(mounts);
}

TEST(escapes_are_undone)
{
	static const struct {
		uint64_t id;
		const char *target;
	} rows[] = {
		{154, "/mnt/a b"},
		{155, "/mnt/tab\tx"},
		{157, "/mnt/back\\slash"},
		{158, "/mnt/new\nline"},
		{159, "/mnt/hash#x"},
	};
	struct mc_mounts *mounts = read_sample("escaped");
	struct mc_mount mount;

	assert_int_equal(mc_mounts_count(mounts), 7);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(mc_mounts_find(mounts, rows[i].id, &mount), 0);
		assert_string_equal(mount.target, rows[i].target);
		assert_string_equal(mount.fstype, "tmpfs");
	}
	mc_mounts_free(mounts);
}

TEST(a_deleted_source_stays_readable)
{
	struct mc_mounts *mounts = read_sample("deleted");
	struct mc_mount mount;

	assert_int_equal(mc_mounts_find(mounts, 160, &mount), 0);
	assert_string_equal(mount.target, "/mnt/one");
	assert_string_equal(mount.root, "/src/gone//deleted");
	mc_mounts_free(mounts);
}

TEST(long_options_are_no_obstacle)
{
	struct mc_mounts *mounts = read_sample("overlay");
	struct mc_mount mount;

	assert_int_equal(mc_mounts_find(mounts, 163, &mount), 0);
	assert_string_equal(mount.fstype, "overlay");
	assert_true(mount.is_shared);
	mc_mounts_free(mounts);
}

TEST(shared_is_told_from_the_other_optional_fields)
{
	static const struct {
		uint64_t id;
		bool is_shared;
	} rows[] = {{150, false}, {164, true}, {165, true}, {166, false}, {167, true}};
	struct mc_mounts *mounts = read_sample("propagation");
	struct mc_mount mount;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(mc_mounts_find(mounts, rows[i].id, &mount), 0);
		assert_int_equal(mount.is_shared, rows[i].is_shared);
	}
	mc_mounts_free(mounts);
}

TEST(only_a_slave_is_not_shared)
{
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;

	assert_int_equal(
		parse_text("36 35 98:0 / /x rw master:4 - tmpfs shared:1 rw\n", &mounts), 0);
	assert_int_equal(mc_mounts_find(mounts, 36, &mount), 0);
	assert_false(mount.is_shared);
	mc_mounts_free(mounts);
}

TEST(a_line_that_cannot_be_read_is_an_error)
{
	static const char *const lines[] = {
		"36 35 98:0 / /x rw,relatime\n",       /* ends before the separator */
		"36 35 98:0 / /x rw,relatime - \n",    /* no type */
		"36 35 98:0 /\n",                      /* no target */
		"36 35 980 / /x rw - tmpfs none rw\n", /* device is not MAJOR:MINOR */
		"36 x 98:0 / /x rw - tmpfs none rw\n",
	};
	struct mc_mounts *mounts = NULL;

	assert_int_equal(parse_sample("broken", &mounts), -EINVAL);
	assert_int_equal(parse_sample("cut", &mounts), -EINVAL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "1 0 8:1 / / rw - ext4 /dev/sda rw\n%s", lines[i]);
		assert_int_equal(parse_text(text, &mounts), -EINVAL);
		assert_null(mounts);
	}
}

TEST(an_empty_table_has_no_mount)
{
	struct mc_mounts *mounts = read_sample("empty");
	struct mc_mount mount;
	size_t at = 0;

	assert_int_equal(mc_mounts_count(mounts), 0);
	assert_false(mc_mounts_next(mounts, &at, &mount));
	assert_int_equal(mc_mounts_find(mounts, 1, &mount), -ENOENT);
	mc_mounts_free(mounts);
}

TEST(our_own_table_is_read)
{
	mc_auto_file stream = fopen("/proc/self/mountinfo", "re");
	struct mc_mounts *mounts = NULL;
	struct mc_mount mount;
	bool has_root = false;

	assert_non_null(stream);
	assert_int_equal(mc_mounts_parse(stream, &mounts), 0);
	for (size_t at = 0; mc_mounts_next(mounts, &at, &mount);)
		has_root |= strcmp(mount.target, "/") == 0;
	assert_true(has_root);
	mc_mounts_free(mounts);
	mc_mounts_free(NULL);
}

TEST_MAIN()
