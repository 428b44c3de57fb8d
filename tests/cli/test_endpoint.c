/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "cli/endpoint.h"

/* A configuration directory with two contexts and a damaged one. */
struct setting {
	char dir[64];
	struct hv_globals globals;
	struct hv_environment environment;
};

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void make_dir(const char *dir, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int set_up(void **state)
{
	static const char *const dirs[] = {"contexts", "contexts/meta", "contexts/meta/aa",
		"contexts/meta/bb", "contexts/meta/cc", "contexts/meta/empty"};
	struct setting *setting = calloc(1, sizeof(*setting));

	assert_non_null(setting);
	strcpy(setting->dir, "/tmp/hostvol-test-XXXXXX");
	assert_non_null(mkdtemp(setting->dir));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		make_dir(setting->dir, dirs[i]);
	write_file(setting->dir, "contexts/meta/aa/meta.json", "{\"Name\":");
	write_file(setting->dir, "contexts/meta/bb/meta.json",
		"{\"Name\":\"near\",\"Metadata\":{},\"Endpoints\":{\"docker\":"
		"{\"Host\":\"unix:///run/near.sock\",\"SkipTLSVerify\":false}}}");
	write_file(setting->dir, "contexts/meta/cc/meta.json",
		"{\"Name\":\"far\",\"Endpoints\":{\"docker\":{\"Host\":\"ssh://me@far\"}}}");
	setting->environment.docker_config = setting->dir;
	*state = setting;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"contexts/meta/aa/meta.json",
		"contexts/meta/bb/meta.json", "contexts/meta/cc/meta.json", "contexts/meta/aa",
		"contexts/meta/bb", "contexts/meta/cc", "contexts/meta/empty", "contexts/meta",
		"contexts", "config.json"};
	struct setting *setting = *state;
	char path[160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", setting->dir, names[i]);
		(void)remove(path); /* not every test has a config.json */
	}
	assert_int_equal(rmdir(setting->dir), 0);
	free(setting);
	return 0;
}

static void expect_socket(const struct setting *setting, const char *expected)
{
	struct hv_error err = {0};
	char *socket = NULL;
	enum hv_code code =
		hv_endpoint_resolve(&setting->globals, &setting->environment, &socket, &err);

	assert_string_equal(hv_error_text(&err), "");
	assert_int_equal(code, HV_OK);
	assert_string_equal(socket, expected);
	free(socket);
}

static void expect_failure(const struct setting *setting, enum hv_code expected, const char *words)
{
	struct hv_error err = {0};
	char *socket = NULL;

	assert_int_equal(
		hv_endpoint_resolve(&setting->globals, &setting->environment, &socket, &err),
		expected);
	assert_non_null(strstr(hv_error_text(&err), words));
	hv_error_done(&err);
}

#define ENDPOINT_TEST(name) STATE_TEST(name, struct setting, setting, set_up, tear_down)

ENDPOINT_TEST(nothing_set_means_the_default_socket)
{
	expect_socket(setting, "/var/run/docker.sock");
	setting->environment.docker_config = NULL;
	expect_socket(setting, "/var/run/docker.sock");
	setting->environment.home = "/does/not/exist";
	expect_socket(setting, "/var/run/docker.sock");
}

ENDPOINT_TEST(each_source_is_overruled_by_the_next)
{
	write_file(setting->dir, "config.json", "{\"currentContext\":\"near\"}");
	expect_socket(setting, "/run/near.sock");
	setting->environment.docker_context = "default";
	expect_socket(setting, "/var/run/docker.sock");
	setting->environment.docker_host = "unix:///run/env.sock";
	setting->environment.docker_context = "far";
	expect_socket(setting, "/run/env.sock");
	setting->globals.context = "near";
	expect_socket(setting, "/run/near.sock");
	setting->globals.host = "unix:///run/flag.sock";
	expect_socket(setting, "/run/flag.sock");
}

ENDPOINT_TEST(default_context_is_the_host_of_the_environment)
{
	setting->globals.context = "default";
	expect_socket(setting, "/var/run/docker.sock");
	setting->environment.docker_host = "unix:///run/env.sock";
	expect_socket(setting, "/run/env.sock");
}

ENDPOINT_TEST(config_flag_overrules_the_environment)
{
	write_file(setting->dir, "config.json", "{\"currentContext\":\"near\"}");
	setting->globals.config_dir = "/does/not/exist";
	expect_socket(setting, "/var/run/docker.sock");
	setting->environment.docker_config = NULL;
	setting->globals.config_dir = setting->dir;
	expect_socket(setting, "/run/near.sock");
}

ENDPOINT_TEST(remote_engines_are_refused)
{
	setting->globals.context = "far";
	expect_failure(setting, HV_UNSUPPORTED, "ssh://me@far");
	setting->globals.host = "tcp://10.0.0.1:2375";
	expect_failure(setting, HV_UNSUPPORTED, "needs a local Engine");
}

ENDPOINT_TEST(unknown_contexts_and_broken_files_are_told)
{
	setting->globals.context = "nowhere";
	expect_failure(setting, HV_BAD_REQUEST, "no Docker context \"nowhere\"");
	setting->globals.context = NULL;
	write_file(setting->dir, "config.json", "{\"currentContext\":");
	expect_failure(setting, HV_INTERNAL, "is not a JSON object");
}

TEST_MAIN()
