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

static void every_name_gives_its_bits_and_every_bit_its_name(void **state)
{
	char text[64];

	(void)state;
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

static void a_name_that_is_not_in_the_table_changes_nothing(void **state)
{
	static const char *const names[] = {"", "rw", "RO", "ro ", "ro,nosuid", "bind", "rbind",
		"shared", "atime", "suid", "no"};
	struct mc_attr attr = {.set = MOUNT_ATTR_RDONLY, .clear = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(mc_attr_add(&attr, names[i]), -EINVAL);
	assert_int_equal(attr.set, MOUNT_ATTR_RDONLY);
	assert_int_equal(attr.clear, 0);
}

static void a_bit_that_is_not_in_the_table_is_refused_both_ways(void **state)
{
	uint64_t known = 0;
	char text[128];
	unsigned long ms = 0;

	(void)state;
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
static void two_atime_modes_at_once_are_refused(void **state)
{
	const struct mc_attr attr = {
		.set = MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, .clear = MOUNT_ATTR__ATIME};
	char text[64];
	unsigned long ms = 0;

	(void)state;
	assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), -EINVAL);
	assert_int_equal(mc_attr_to_ms(&attr, &ms), -EINVAL);
}

static void the_last_atime_mode_wins(void **state)
{
	struct mc_attr attr = {0};

	(void)state;
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
static void what_is_formatted_parses_to_the_same(void **state)
{
	(void)state;
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

static void nothing_is_the_empty_string_and_no_flag(void **state)
{
	const struct mc_attr attr = {0};
	char text[8] = "x";
	unsigned long ms = 1;

	(void)state;
	assert_int_equal(mc_attr_format(&attr, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(mc_attr_to_ms(&attr, &ms), 0);
	assert_int_equal(ms, 0);
}

static void formatting_says_when_there_is_no_room(void **state)
{
	struct mc_attr attr = {0};
	char text[16];

	(void)state;
	assert_int_equal(mc_attr_format(&attr, text, 0), -ENOSPC);
	assert_int_equal(mc_attr_add(&attr, "ro"), 0);
	assert_int_equal(mc_attr_add(&attr, "nosuid"), 0);
	for (size_t size = 0; size < sizeof("ro,nosuid"); size++)
		assert_int_equal(mc_attr_format(&attr, text, size), -ENOSPC);
	assert_int_equal(mc_attr_format(&attr, text, sizeof("ro,nosuid")), 0);
	assert_string_equal(text, "ro,nosuid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_gives_its_bits_and_every_bit_its_name),
		cmocka_unit_test(a_name_that_is_not_in_the_table_changes_nothing),
		cmocka_unit_test(a_bit_that_is_not_in_the_table_is_refused_both_ways),
		cmocka_unit_test(two_atime_modes_at_once_are_refused),
		cmocka_unit_test(the_last_atime_mode_wins),
		cmocka_unit_test(what_is_formatted_parses_to_the_same),
		cmocka_unit_test(nothing_is_the_empty_string_and_no_flag),
		cmocka_unit_test(formatting_says_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
