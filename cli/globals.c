/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/globals.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/flags.h"

#define GLOBAL(name, letter, value, member)                                                        \
	{                                                                                          \
		name, value, NULL, offsetof(struct hv_globals, member), NULL, letter, false        \
	}

static const struct hv_flag global_flags[] = {
	GLOBAL("config", 0, "DIRECTORY", config_dir),
	GLOBAL("context", 'c', "CONTEXT", context),
	GLOBAL("host", 'H', "ADDRESS", host),
	GLOBAL("help", 'h', NULL, help),
	GLOBAL("version", 'v', NULL, version),
	GLOBAL("debug", 'D', NULL, ignored_flag),
	GLOBAL("log-level", 'l', "LEVEL", ignored_value),
	GLOBAL("tls", 0, NULL, ignored_flag),
	GLOBAL("tlsverify", 0, NULL, ignored_flag),
	GLOBAL("tlscacert", 0, "FILE", ignored_value),
	GLOBAL("tlscert", 0, "FILE", ignored_value),
	GLOBAL("tlskey", 0, "FILE", ignored_value),
	{NULL, NULL, NULL, 0, NULL, 0, false},
};

int hv_globals_parse(int argc, char *const argv[], struct hv_globals *globals, struct hv_error *err)
{
	int used = 0;

	while (used < argc) {
		int words = hv_flags_take(global_flags, argc - used, argv + used, globals, err);

		if (words < 0)
			return -EINVAL;
		if (words == 0)
			break;
		if (globals->word_count + (size_t)words > HV_GLOBAL_WORDS_MAX) {
			hv_fail(err, HV_BAD_REQUEST, "too many flags");
			return -EINVAL;
		}
		for (int i = 0; i < words; i++)
			globals->words[globals->word_count++] = argv[used + i];
		used += words;
	}
	return used;
}

const char *hv_globals_nearest(const char *word)
{
	return hv_flags_nearest(global_flags, word);
}

/* Docker takes an empty variable for one that is not set. */
static const char *read_variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

void hv_environment_read(struct hv_environment *ret)
{
	*ret = (struct hv_environment){
		.hostvol_socket = read_variable("HOSTVOL_SOCKET"),
		.docker_host = read_variable("DOCKER_HOST"),
		.docker_context = read_variable("DOCKER_CONTEXT"),
		.docker_config = read_variable("DOCKER_CONFIG"),
		.home = read_variable("HOME"),
		.caller = read_variable("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"),
		.plugin_dir = "/run/docker/plugins",
	};
}
