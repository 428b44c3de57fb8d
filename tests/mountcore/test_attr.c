/* SPDX-License-Identifier: Apache-2.0 */
/* The expected numbers are those of <sys/mount.h>, which has both families in glibc 2.36 and may
 * not be included beside <linux/mount.h>, where the library takes them from. */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "mountcore/attr.h"
#include "support/hv_test.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* 5.10; not in glibc 2.36 */
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

static const struct {
	const char *name;
	uint64_t set;
	uint64_t clear;
	unsigned long ms;
} rows[] = {
	{"ro", MOUNT_ATTR_RDONLY, 0, MS_RDONLY},
	{"nosuid", MOUNT_ATTR_NOSUID, 0, MS_NOSUID},
	{"nodev", MOUNT_ATTR_NODEV, 0, MS_NODEV},
	{"noexec", MOUNT_ATTR_NOEXEC, 0, MS_NOEXEC},
	{"nodiratime", MOUNT_ATTR_NODIRATIME, 0, MS_NODIRATIME},
	{"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0, MS_NOSYMFOLLOW},
	{"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, MS_NOATIME},
	{"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, MS_STRICTATIME},
	{"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME, MS_RELATIME},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

TEST(every_name_gives_its_bits_and_every_bit_its_name)
{
	char text[64];

	for (size_t i = 0; i < ROWS; i++) {
		struct mc_attr attr = {0};
		unsigned long ms = 0;

		assert_int_equal(mc_attr_add(&attr, rows[i].name), 0);
		assert_int_equal(attr.set, rows[i].set);
		assert_int_equal(attr.clear, rows[i].clear);
		assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), 0);
		assert_string_equal(text, rows[i].name);
		assert_int_equal(mc_attr_to_ms(&attr, &ms), 0);
		assert_int_equal(ms, rows[i].ms);
	}
}

TEST(a_name_that_is_not_in_the_table_changes_nothing)
{
	static const char *const names[] = {"", "rw", "RO", "ro ", "ro,nosuid", "bind", "rbind",
		"shared", "atime", "suid", "no"};
	struct mc_attr attr = {.set = MOUNT_ATTR_RDONLY, .clear = 0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(mc_attr_add(&attr, names[i]), -EINVAL);
	assert_int_equal(attr.set, MOUNT_ATTR_RDONLY);
	assert_int_equal(attr.clear, 0);
}

TEST(a_bit_that_is_not_in_the_table_is_refused_both_ways)
{
	uint64_t known = 0;
	char text[128];
	unsigned long ms = 0;

	for (size_t i = 0; i < ROWS; i++)
		known |= rows[i].set;
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct mc_attr attr = {.set = UINT64_C(1) << bit};
		int expected = attr.set & known ? 0 : -EINVAL;

		assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), expected);
		assert_int_equal(mc_attr_to_ms(&attr, &ms), expected);
	}
}

/* The atime modes are values of one field: two at a time are a third value, which nobody has. */
TEST(two_atime_modes_at_once_are_refused)
{
	const struct mc_attr attr = {
		.set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, .clear = MOUNT_ATTR__ATIME};
	char text[64];
	unsigned long ms = 0;

	assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), -EINVAL);
	assert_int_equal(mc_attr_to_ms(&attr, &ms), -EINVAL);
}

TEST(the_last_atime_mode_wins)
{
	struct mc_attr attr = {0};

	assert_int_equal(mc_attr_add(&attr, "noatime"), 0);
	assert_int_equal(mc_attr_add(&attr, "strictatime"), 0);
	assert_int_equal(attr.set, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(mc_attr_add(&attr, "relatime"), 0);
	assert_int_equal(attr.set, 0);
	assert_int_equal(attr.clear, MOUNT_ATTR__ATIME);
}

static void add_all(struct mc_attr *attr, char *names)
{
	char *next = names;

	for (char *name = strsep(&next, ","); name; name = strsep(&next, ","))
		assert_int_equal(mc_attr_add(attr, name), 0);
}

/* Every subset of the names. */
TEST(what_is_formatted_parses_to_the_same)
{
	for (unsigned set = 1; set < 1U << ROWS; set++) {
		struct mc_attr attr = {0}, again = {0};
		char text[128], copy[128];

		for (size_t i = 0; i < ROWS; i++)
			if (set & 1U << i)
				assert_int_equal(mc_attr_add(&attr, rows[i].name), 0);
		assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), 0);
		memcpy(copy, text, sizeof(copy));
		add_all(&again, copy);
		assert_int_equal(again.set, attr.set);
		assert_int_equal(again.clear, attr.clear);
	}
}

TEST(nothing_is_the_empty_string_and_no_flag)
{
	const struct mc_attr attr = {0};
	char text[8] = "x";
	unsigned long ms = 1;

	assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(mc_attr_to_ms(&attr, &ms), 0);
	assert_int_equal(ms, 0);
}

TEST(formatting_says_when_there_is_no_room)
{
	struct mc_attr attr = {0};
	char text[16];

	assert_int_equal(mc_attr_format(&attr, text, 0), -ENOSPC);
	assert_int_equal(mc_attr_add(&attr, "ro"), 0);
	assert_int_equal(mc_attr_add(&attr, "nosuid"), 0);
	for (size_t size = 0; size < sizeof("ro,nosuid"); size++)
		assert_int_equal(mc_attr_format(&attr, text, size), -ENOSPC);
	assert_int_equal(mc_attr_format(&attr, text, sizeof("ro,nosuid")), 0);
	assert_string_equal(text, "ro,nosuid");
}

TEST_MAIN()
