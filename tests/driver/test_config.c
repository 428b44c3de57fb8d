/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "daemon/config.h"

static const char *const variables[] = {"HOSTVOL_LOG", "HOSTVOL_ALLOW", "HOSTVOL_STATE",
	"HOSTVOL_ENGINE", "HOSTVOL_REMOTE_ATTACH", "HOSTVOL_LEGACY", "HOSTVOL_HOLD_MS",
	"HOSTVOL_METRICS"};

enum { VARIABLES = sizeof(variables) / sizeof(variables[0]) };

static int clean_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < VARIABLES; i++)
		unsetenv(variables[i]);
	return 0;
}

/* Read a command line of up to two words; NULL ends it.  The configuration borrows them. */
static int read_words(struct hv_config *ret, const char *first, const char *second)
{
	static char name[] = "hostvold";
	static char words[2][256];
	char *arguments[] = {name, words[0], words[1], NULL};
	int count = first ? second ? 3 : 2 : 1;

	snprintf(words[0], sizeof(words[0]), "%s", first ? first : "");
	snprintf(words[1], sizeof(words[1]), "%s", second ? second : "");
	arguments[count] = NULL;
	optind = 0; /* from the beginning again */
	return hv_config_read(count, arguments, ret);
}

static const char *setting(const struct hv_config *config, const char *name)
{
	for (const struct hv_setting *at = config->settings; at->name; at++)
		if (strcmp(at->name, name) == 0)
			return at->value;
	fail_msg("no setting %s", name);
	return NULL;
}

/* An upgrade of the plugin does not set new values: the compiled-in ones count. */
#define CONFIG_TEST(name) TEST_WITH(name, clean_environment, NULL)

CONFIG_TEST(the_defaults_are_those_of_the_plugins_configuration)
{
	struct json_object *file = json_object_from_file(PLUGIN_CONFIG), *list = NULL;
	struct hv_config config;

	assert_non_null(file);
	assert_true(json_object_object_get_ex(file, "env", &list));
	assert_int_equal(json_object_array_length(list), VARIABLES);
	assert_int_equal(read_words(&config, "--managed", NULL), 0);
	for (size_t i = 0; i < VARIABLES; i++) {
		struct json_object *item = json_object_array_get_idx(list, i), *name, *value;

		assert_true(json_object_object_get_ex(item, "name", &name));
		assert_true(json_object_object_get_ex(item, "value", &value));
		assert_string_equal(setting(&config, json_object_get_string(name)),
			json_object_get_string(value));
	}
	hv_config_done(&config);
	json_object_put(file);
}

CONFIG_TEST(the_managed_plugin_mounts_below_its_propagated_mount)
{
	struct json_object *file = json_object_from_file(PLUGIN_CONFIG), *path = NULL,
			   *words = NULL;
	struct hv_config config;

	assert_non_null(file);
	assert_int_equal(read_words(&config, "--managed", NULL), 0);
	assert_true(config.is_managed);
	assert_true(json_object_object_get_ex(file, "propagatedMount", &path));
	assert_string_equal(config.mount_root, json_object_get_string(path));
	assert_true(json_object_object_get_ex(file, "entrypoint", &words));
	assert_string_equal(
		json_object_get_string(json_object_array_get_idx(words, 1)), "--managed");
	hv_config_done(&config);
	assert_int_equal(read_words(&config, NULL, NULL), 0);
	assert_false(config.is_managed);
	assert_string_not_equal(config.mount_root, json_object_get_string(path));
	hv_config_done(&config);
	json_object_put(file);
}

CONFIG_TEST(the_environment_goes_before_defaults_and_flags_before_both)
{
	struct hv_config config;

	setenv("HOSTVOL_LOG", "debug", 1);
	setenv("HOSTVOL_STATE", "/elsewhere", 1);
	setenv("HOSTVOL_ENGINE", "", 1); /* docker plugin set NAME= */
	setenv("HOSTVOL_REMOTE_ATTACH", "deny", 1);
	setenv("HOSTVOL_LEGACY", "1", 1);
	setenv("HOSTVOL_ALLOW", "/srv:/data", 1);
	assert_int_equal(read_words(&config, NULL, NULL), 0);
	assert_string_equal(config.log, "debug");
	assert_string_equal(config.state, "/elsewhere");
	assert_string_equal(config.engine, "/run/docker.sock");
	assert_string_equal(config.remote_attach, "deny");
	assert_string_equal(config.legacy, "1");
	assert_string_equal(config.allow[0], "/srv");
	assert_string_equal(setting(&config, "HOSTVOL_STATE"), "/elsewhere");
	hv_config_done(&config);
	assert_int_equal(read_words(&config, "--log=error", "--managed"), 0);
	assert_string_equal(config.log, "error");
	assert_string_equal(config.state, "/elsewhere");
	hv_config_done(&config);
	clean_environment(NULL);
}

CONFIG_TEST(every_flag_is_taken)
{
	static const struct {
		const char *flag;
		size_t offset;
		const char *value;
	} cases[] = {
		{"--log", offsetof(struct hv_config, log), "warn"},
		{"--allow", offsetof(struct hv_config, allow_text), "/srv"},
		{"--state", offsetof(struct hv_config, state), "/s"},
		{"--engine", offsetof(struct hv_config, engine), "/e.sock"},
		{"--hold-ms", offsetof(struct hv_config, hold_text), "100"},
		{"--remote-attach", offsetof(struct hv_config, remote_attach), "deny"},
		{"--legacy", offsetof(struct hv_config, legacy), "1"},
		{"--metrics", offsetof(struct hv_config, metrics), "127.0.0.1:9478"},
		{"--metrics", offsetof(struct hv_config, metrics), "[::1]:1"},
		{"--metrics", offsetof(struct hv_config, metrics), ""},
		{"--socket", offsetof(struct hv_config, socket), "/s.sock"},
		{"--mount-root", offsetof(struct hv_config, mount_root), "/m"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_config config;
		const char *value;

		assert_int_equal(read_words(&config, cases[i].flag, cases[i].value), 0);
		memcpy(&value, (const char *)&config + cases[i].offset, sizeof(value));
		assert_string_equal(value, cases[i].value);
		hv_config_done(&config);
	}
}

CONFIG_TEST(allowed_directories_are_split_and_cleaned)
{
	struct hv_config config;

	assert_int_equal(read_words(&config, "--allow", "/srv//a/:/data/../b:/"), 0);
	assert_string_equal(config.allow[0], "/srv/a");
	assert_string_equal(config.allow[1], "/b");
	assert_string_equal(config.allow[2], "/");
	assert_null(config.allow[3]);
	hv_config_done(&config);
}

CONFIG_TEST(as_many_directories_as_there_is_room_for)
{
	char text[4 * (HV_ALLOW_MAX + 1) + 1] = "";
	struct hv_config config;

	for (size_t i = 0; i < HV_ALLOW_MAX; i++)
		snprintf(text + 4 * i, sizeof(text) - 4 * i, "/aa%s",
			i + 1 < HV_ALLOW_MAX ? ":" : "");
	assert_int_equal(read_words(&config, "--allow", text), 0);
	assert_string_equal(config.allow[HV_ALLOW_MAX - 1], "/aa");
	assert_null(config.allow[HV_ALLOW_MAX]);
	hv_config_done(&config);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), ":/b");
	assert_int_equal(read_words(&config, "--allow", text), -EINVAL);
	hv_config_done(&config);
}

CONFIG_TEST(a_start_is_held_for_as_long_as_is_said)
{
	struct hv_config config;

	assert_int_equal(read_words(&config, NULL, NULL), 0);
	assert_int_equal(config.hold_ms, 2000);
	hv_config_done(&config);
	assert_int_equal(read_words(&config, "--hold-ms", "60000"), 0);
	assert_int_equal(config.hold_ms, 60000);
	hv_config_done(&config);
	assert_int_equal(read_words(&config, "--hold-ms", "0"), 0);
	assert_int_equal(config.hold_ms, 0);
	hv_config_done(&config);
}

CONFIG_TEST(bad_values_are_refused)
{
	static const char *const cases[][2] = {
		{"--log", "verbose"},
		{"--log", ""},
		{"--log", "INFO"},
		{"--allow", ""},
		{"--allow", "srv"},
		{"--allow", "/srv:"},
		{"--allow", ":/srv"},
		{"--allow", "/srv::/data"},
		{"--state", "var"},
		{"--state", ""},
		{"--engine", "tcp://127.0.0.1:2375"},
		{"--engine", "unix:///run/docker.sock"},
		{"--hold-ms", ""},
		{"--hold-ms", "-1"},
		{"--hold-ms", " 1"},
		{"--hold-ms", "1s"},
		{"--hold-ms", "60001"},
		{"--hold-ms", "99999999999999999999"},
		{"--remote-attach", "yes"},
		{"--legacy", "true"},
		{"--metrics", "9478"},
		{"--metrics", "localhost:9478"},
		{"--socket", "hostvol.sock"},
		{"--mount-root", "volumes"},
		{"--unknown", NULL},
		{"--state", NULL},
		{"--managed=1", NULL},
		{"word", NULL},
		{"--", "word"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_config config;

		assert_int_equal(read_words(&config, cases[i][0], cases[i][1]), -EINVAL);
		hv_config_done(&config);
	}
}

CONFIG_TEST(bad_values_of_the_environment_are_refused)
{
	struct hv_config config;

	for (size_t i = 0; i < VARIABLES; i++) {
		setenv(variables[i], "nonsense", 1);
		assert_int_equal(read_words(&config, NULL, NULL), -EINVAL);
		hv_config_done(&config);
		unsetenv(variables[i]);
	}
}

CONFIG_TEST(questions_are_answered)
{
	struct hv_config config;

	assert_int_equal(read_words(&config, "--help", NULL), 1);
	hv_config_done(&config);
	assert_int_equal(read_words(&config, "--version", NULL), 1);
	hv_config_done(&config);
}

TEST_MAIN()
