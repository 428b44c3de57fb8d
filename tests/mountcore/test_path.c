/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "mountcore/path.h"
#include "support/hv_test.h"

TEST(cleaning_gives_one_slash_between_components_and_no_dots)
{
	static const struct {
		const char *path;
		const char *clean;
	} rows[] = {
		{"/", "/"},
		{"//", "/"},
		{"/.", "/"},
		{"/..", "/"},
		{"/../..", "/"},
		{"/a", "/a"},
		{"/a/", "/a"},
		{"/a//", "/a"},
		{"//a///b", "/a/b"},
		{"/a/./b/.", "/a/b"},
		{"/a/..", "/"},
		{"/a/../b", "/b"},
		{"/a/b/../../c", "/c"},
		{"/a/b/../../../../c", "/c"},
		{"/../a", "/a"},
		{"/...", "/..."},
		{"/.a/..b/c..", "/.a/..b/c.."},
		{"/a b/\tc\n", "/a b/\tc\n"},
	};
	char clean[PATH_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(clean, 'x', sizeof(clean));
		assert_int_equal(mc_path_clean(rows[i].path, clean, sizeof(clean)), 0);
		assert_string_equal(clean, rows[i].clean);
	}
}

TEST(a_relative_or_empty_path_is_not_cleaned)
{
	static const char *const rows[] = {"", ".", "..", "a", "a/b", "./a", " /a", "../a"};
	char clean[PATH_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mc_path_clean(rows[i], clean, sizeof(clean)), -EINVAL);
}

TEST(the_result_must_fit_with_its_nul)
{
	char clean[8];

	assert_int_equal(mc_path_clean("/abcdef", clean, 8), 0);
	assert_int_equal(mc_path_clean("/abcdef", clean, 7), -ENAMETOOLONG);
	assert_int_equal(mc_path_clean("/abc/de", clean, 7), -ENAMETOOLONG);
	assert_int_equal(mc_path_clean("/", clean, 2), 0);
	assert_int_equal(mc_path_clean("/", clean, 1), -ENAMETOOLONG);
	assert_int_equal(mc_path_clean("/", clean, 0), -ENAMETOOLONG);
	assert_int_equal(mc_path_clean("/a", clean, 0), -ENAMETOOLONG);
}

TEST(a_path_of_path_max_is_too_long_and_one_byte_less_fits)
{
	char path[PATH_MAX + 2], clean[PATH_MAX];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[PATH_MAX] = '\0';
	assert_int_equal(mc_path_clean(path, clean, sizeof(clean)), -ENAMETOOLONG);
	path[PATH_MAX - 1] = '\0';
	assert_int_equal(mc_path_clean(path, clean, sizeof(clean)), 0);
	assert_string_equal(clean, path);
}

TEST(below_means_whole_components)
{
	static const struct {
		const char *path;
		const char *top;
		bool is_below;
	} rows[] = {
		{"/", "/", true},
		{"/a", "/", true},
		{"/a", "/a", true},
		{"/a/b", "/a", true},
		{"/a/b/c", "/a/b", true},
		{"/ab", "/a", false},
		{"/a", "/a/b", false},
		{"/a", "/ab", false},
		{"/", "/a", false},
		{"/b/a", "/a", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mc_path_is_below(rows[i].path, rows[i].top), rows[i].is_below);
}

TEST(the_root_and_the_kernel_s_own_trees_are_refused)
{
	static const char *const refused[] = {"/", "/proc", "/proc/1", "/proc/self/fd", "/sys",
		"/sys/fs/cgroup", "/dev", "/dev/shm", "/dev/pts/0"};
	static const char *const allowed[] = {"/procfoo", "/proc2", "/devices", "/devil/x",
		"/system", "/sy", "/mnt", "/mnt/proc", "/mnt/dev/shm", "/a", "/d"};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_true(mc_path_is_refused(refused[i]));
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		assert_false(mc_path_is_refused(allowed[i]));
}

TEST_MAIN()
