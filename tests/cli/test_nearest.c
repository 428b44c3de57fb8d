/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "support/hv_test.h"

#include "cli/nearest.h"

static const char *find(const char *word, const char *const *names)
{
	struct hv_nearest nearest = {.word = word, .length = strlen(word)};

	while (*names)
		hv_nearest_add(&nearest, *names++);
	return nearest.name;
}

TEST(hv_nearest_add_word_with_slips_finds_the_name)
{
	static const char *const names[] = {"attach", "detach", "inspect", "ls", "set", NULL};
	static const struct {
		const char *word;
		const char *name; /* or NULL */
	} cases[] = {
		{"attach", "attach"},
		{"ATTACH", "attach"},
		{"atach", "attach"},   /* one less */
		{"attaach", "attach"}, /* one more */
		{"attavh", "attach"},  /* another one */
		{"dteach", "detach"},  /* two exchanged */
		{"dtaech", "detach"},  /* exchanged, and two letters apart */
		{"insepct", "inspect"},
		{"nispetc", "inspect"}, /* exchanged twice */
		{"inspct", "inspect"},
		{"inspection", NULL}, /* three more */
		{"l", "ls"},
		{"lss", "ls"},
		{"sl", "ls"},
		{"rm", NULL},
		{"sat", "set"},
		{"sit-", "set"}, /* two of four letters */
		{"si", NULL},    /* two of three */
		{"", NULL},
		{"frobnicate", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found = find(cases[i].word, names);

		if (!cases[i].name)
			assert_null(found);
		else
			assert_string_equal(found ? found : "", cases[i].name);
	}
}

TEST(hv_nearest_add_names_at_one_distance_keeps_the_first)
{
	static const char *const names[] = {"rw", "ro", NULL};

	assert_string_equal(find("rx", names), "rw");
	assert_string_equal(find("ro", names), "ro");
}

TEST(hv_nearest_add_long_words_are_near_to_nothing)
{
	char word[66];
	char name[66];
	const char *const names[] = {name, NULL};

	memset(word, 'a', sizeof(word));
	memset(name, 'a', sizeof(name));
	word[65] = name[65] = '\0';
	assert_null(find(word, names));
	word[64] = name[64] = '\0';
	assert_ptr_equal(find(word, names), name);
}

TEST(hv_nearest_add_reads_no_more_than_the_length)
{
	struct hv_nearest nearest = {.word = "volume=data", .length = 6};

	hv_nearest_add(&nearest, "volume");
	assert_string_equal(nearest.name, "volume");
	assert_int_equal(nearest.distance, 0);
}

TEST_MAIN()
