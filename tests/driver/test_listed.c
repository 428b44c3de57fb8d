/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/listed.h"

struct told {
	char text[256]; /* "a=web+k:v, " if a is named web, runs and has the label */
};

static void tell(void *context, struct hv_listed *listed)
{
	struct told *told = context;
	size_t used = strlen(told->text);

	used += (size_t)snprintf(told->text + used, sizeof(told->text) - used, "%s=%s%c",
		listed->id, listed->name, hv_listed_is_running(listed) ? '+' : '-');
	for (size_t i = 0; i < listed->labels.count; i++)
		used += (size_t)snprintf(told->text + used, sizeof(told->text) - used, "%s:%s,",
			listed->labels.items[i].key, listed->labels.items[i].value);
	snprintf(told->text + used, sizeof(told->text) - used, " ");
}

static bool feed(const char *text, size_t size, size_t piece, struct told *told)
{
	struct hv_listing listing = {.fn = tell, .context = told};
	enum hv_code code = HV_OK;
	bool is_whole;

	told->text[0] = '\0';
	for (size_t at = 0; at < size; at += piece)
		code = hv_listing_feed(&listing, text + at, piece < size - at ? piece : size - at);
	is_whole = hv_listing_is_whole(&listing);
	assert_int_equal(code != HV_OK, listing.err.message != NULL);
	hv_listing_done(&listing);
	return is_whole;
}

static void expect(const char *text, bool is_whole, const char *wanted)
{
	static const size_t pieces[] = {1, 2, 7, 1000};
	struct told told;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		assert_int_equal(feed(text, strlen(text), pieces[i], &told), is_whole);
		assert_string_equal(told.text, wanted);
	}
}

TEST(listing_feed_tells_names_and_labels)
{
	expect("[]\n", true, "");
	expect(" [ {\"Id\":\"a\",\"Names\":[\"/db/alias\",\"/web\"],\"State\":\"running\","
	       "\"Labels\":{\"k\":\"v\",\"e\":\"\"}} , {\"Id\":\"b\",\"Labels\":null}] ",
		true, "a=web+k:v,e:, b=b- ");
	expect("[{\"Id\":\"a\",\"Names\":[\"/w\"],\"State\":\"paused\","
	       "\"Labels\":{\"q\":\"\\\"}],[{\\\\\",\"u\":\"\\u00e4\"}}]",
		true, "a=w+q:\"}],[{\\,u:\xc3\xa4, ");
}

TEST(listing_feed_of_no_list_is_not_whole)
{
	static const char *const cases[] = {"", "[", "{\"message\":\"no\"}", "[]]", "[][]",
		"<html>", "[1]", "[\"a\"]", "[[]]", "[{\"Id\":1}]", "[{}]",
		"[{\"Id\":\"a\",\"Labels\":{\"k\":1}}]", "[{\"Id\":\"a\"]]"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(cases[i], false, "");
	expect("[{\"Id\":\"a\"},{\"Id\":\"b\"", false, "a=a- ");
}

TEST(listing_feed_of_an_endless_container_is_refused)
{
	char *text = malloc(HV_LISTED_MAX + 16);
	struct told told;

	assert_non_null(text);
	memset(text, ' ', HV_LISTED_MAX + 16);
	text[0] = '[';
	text[1] = '{';
	assert_false(feed(text, HV_LISTED_MAX + 16, 4096, &told));
	free(text);
}

TEST_MAIN()
