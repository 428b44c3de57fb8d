/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <string.h>

#include "support/hv_test.h"

#include "cli/document.h"
#include "cli/engine.h"

#define PLUGIN(id, name, enabled, socket)                                                          \
	"{\"Id\":\"" id "\",\"Name\":\"" name "\",\"Enabled\":" enabled                            \
	",\"Config\":{\"Interface\":{\"Socket\":\"" socket "\",\"Types\":[]}}}"

static enum hv_code choose(const char *text, struct hv_plugin *ret)
{
	struct json_object *plugins = hv_document_parse(text, strlen(text), json_type_array);
	enum hv_code code;

	assert_non_null(plugins);
	code = hv_plugin_choose(plugins, ret);
	json_object_put(plugins);
	return code;
}

static void expect_choice(const char *text, const char *id, bool is_enabled)
{
	struct hv_plugin plugin = {0};

	assert_int_equal(choose(text, &plugin), HV_OK);
	assert_string_equal(plugin.id, id);
	assert_int_equal(plugin.is_enabled, is_enabled);
	hv_plugin_done(&plugin);
}

TEST(socket_name_tells_the_plugin)
{
	expect_choice("[" PLUGIN("aa", "sshfs:latest", "true", "sshfs.sock") "," PLUGIN(
			      "bb", "me/volumes:1", "true", "hostvol.sock") "]",
		"bb", true);
}

TEST(enabled_goes_before_the_usual_name)
{
	expect_choice("[" PLUGIN("aa", "hostvol:latest", "false", "hostvol.sock") "," PLUGIN(
			      "bb", "hostvol:old", "true", "hostvol.sock") "]",
		"bb", true);
	expect_choice("[" PLUGIN("aa", "hostvol:old", "true", "hostvol.sock") "," PLUGIN(
			      "bb", "hostvol:latest", "true", "hostvol.sock") "]",
		"bb", true);
	expect_choice("[" PLUGIN("aa", "hostvol:old", "false", "hostvol.sock") "]", "aa", false);
}

TEST(what_is_no_plugin_of_ours_is_passed_over)
{
	static const char *const cases[] = {
		"[]",
		"[null, 3, [], {}]",
		"[" PLUGIN("aa", "sshfs:latest", "true", "sshfs.sock") "]",
		"[" PLUGIN("../../tmp", "hostvol:latest", "true", "hostvol.sock") "]",
		"[" PLUGIN("", "hostvol:latest", "true", "hostvol.sock") "]",
		"[{\"Id\":\"aa\",\"Name\":\"hostvol:latest\",\"Enabled\":true,\"Config\":{}}]",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_plugin plugin = {0};

		assert_int_equal(choose(cases[i], &plugin), HV_NO_SUCH_ENDPOINT);
		hv_plugin_done(&plugin);
	}
}

TEST_MAIN()
