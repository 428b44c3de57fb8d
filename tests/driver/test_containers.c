/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/containers.h"

struct told {
	char text[128]; /* "a+ b- " if a runs and b does not */
};

static void tell(void *context, const char *id, bool is_running)
{
	struct told *told = context;
	size_t used = strlen(told->text);

	snprintf(told->text + used, sizeof(told->text) - used, "%s%c ", id, is_running ? '+' : '-');
}

static bool feed(const char *text, size_t piece, struct told *told)
{
	struct hv_containers list = {.fn = tell, .context = told};
	size_t size = strlen(text);

	told->text[0] = '\0';
	for (size_t at = 0; at < size; at += piece)
		hv_containers_feed(&list, text + at, piece < size - at ? piece : size - at);
	return hv_containers_are_whole(&list);
}

static void expect(const char *text, bool is_whole, const char *wanted)
{
	static const size_t pieces[] = {1, 2, 7, 1000};
	struct told told;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		assert_int_equal(feed(text, pieces[i], &told), is_whole);
		assert_string_equal(told.text, wanted);
	}
}

TEST(each_container_is_told_with_its_state)
{
	expect("[]\n", true, "");
	expect("[{\"Id\":\"a\",\"State\":\"running\"}]", true, "a+ ");
	expect(" [ {\"State\" : \"exited\", \"Id\" : \"a\"} , {\"Id\":\"b\",\"State\":\"paused\"},"
	       "{\"Id\":\"c\",\"State\":\"restarting\"},{\"Id\":\"d\"}] ",
		true, "a- b+ c- d- ");
}

/* Labels and commands are anybody's. */
TEST(what_is_inside_a_container_or_in_its_texts_is_not_taken_for_it)
{
	expect("[{\"Id\":\"a\",\"Command\":\"}],\\\"Id\\\":\\\"x\\\\\",\"Labels\":{\"Id\":\"x\","
	       "\"State\":\"running\"},\"Mounts\":[{\"Id\":\"y\"}],\"State\":\"exited\"}]",
		true, "a- ");
	expect("[{\"Id\":\"a\",\"Image\":\"Id\",\"Names\":[\"State\"],\"State\":\"running\"}]",
		true, "a+ ");
}

TEST(what_is_cut_or_no_list_is_not_whole)
{
	expect("", false, "");
	expect("[{\"Id\":\"a\",\"State\":\"running\"},{\"Id\":\"b\"", false, "a+ ");
	expect("{\"message\":\"no\"}", false, "");
	expect("[]]", false, "");
	expect("[][]", false, "");
	expect("<html>", false, "");
}

TEST_MAIN()
