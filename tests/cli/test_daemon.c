/* SPDX-License-Identifier: Apache-2.0 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "cli/daemon.h"
#include "cli/http.h"
#include "fake_server.h"

#define PLUGIN(name, enabled)                                                                      \
	"[{\"Id\":\"abc123\",\"Name\":\"" name "\",\"Enabled\":" enabled                           \
	",\"Config\":{\"Interface\":{\"Socket\":\"hostvol.sock\"}}}]"

/* A directory that is the Engine's plugin directory and holds the Engine's own socket. */
struct setting {
	char dir[40];
	char engine[64];
	char host[80];
	char plain[64];
	struct fake_server *server;
	struct hv_globals globals;
	struct hv_environment environment;
	struct hv_client daemon;
	struct hv_error err;
};

static int set_up(void **state)
{
	struct setting *setting = calloc(1, sizeof(*setting));

	assert_non_null(setting);
	strcpy(setting->dir, "/tmp/hostvol-test-XXXXXX");
	assert_non_null(mkdtemp(setting->dir));
	snprintf(setting->engine, sizeof(setting->engine), "%s/engine.sock", setting->dir);
	snprintf(setting->host, sizeof(setting->host), "unix://%s", setting->engine);
	snprintf(setting->plain, sizeof(setting->plain), "%s/hostvol.sock", setting->dir);
	setting->globals.host = setting->host;
	setting->environment.plugin_dir = setting->dir;
	*state = setting;
	return 0;
}

static int tear_down(void **state)
{
	struct setting *setting = *state;

	fake_server_free(setting->server);
	hv_client_done(&setting->daemon);
	hv_error_done(&setting->err);
	(void)unlink(setting->plain); /* not every test makes it */
	assert_int_equal(rmdir(setting->dir), 0);
	free(setting);
	return 0;
}

static enum hv_code find(struct setting *setting, const char *plugins)
{
	const struct fake_answer answers[] = {
		{"GET /plugins", 200, plugins, 0},
		{NULL, 0, NULL, 0},
	};
	enum hv_code code;

	setting->server = fake_server_new(setting->engine, answers);
	code = hv_client_find(
		&setting->globals, &setting->environment, &setting->daemon, &setting->err);
	fake_server_free(setting->server);
	setting->server = NULL;
	return code;
}

/* A socket file that nobody listens at. */
static void make_dead_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

#define DAEMON_TEST(name) STATE_TEST(name, struct setting, setting, set_up, tear_down)

DAEMON_TEST(enabled_plugin_gives_socket_and_driver_name)
{
	char expected[80];

	assert_int_equal(find(setting, PLUGIN("hostvol:latest", "true")), HV_OK);
	snprintf(expected, sizeof(expected), "%s/abc123/hostvol.sock", setting->dir);
	assert_string_equal(setting->daemon.socket, expected);
	assert_string_equal(setting->daemon.driver, "hostvol");
	hv_client_done(&setting->daemon);
	assert_int_equal(find(setting, PLUGIN("me/hostvol:1.0", "true")), HV_OK);
	assert_string_equal(setting->daemon.driver, "me/hostvol:1.0");
}

DAEMON_TEST(disabled_plugin_is_told_with_the_way_out)
{
	assert_int_equal(find(setting, PLUGIN("hostvol:latest", "false")), HV_NO_SUCH_ENDPOINT);
	assert_string_equal(hv_error_text(&setting->err),
		"the plugin hostvol:latest is installed but disabled");
	assert_string_equal(setting->err.hint, "docker plugin enable hostvol:latest");
}

DAEMON_TEST(missing_plugin_is_told)
{
	assert_int_equal(find(setting, "[]"), HV_NO_SUCH_ENDPOINT);
	assert_non_null(strstr(hv_error_text(&setting->err), "is not installed"));
	assert_non_null(setting->err.hint);
}

DAEMON_TEST(plain_daemon_is_used_where_no_plugin_is_enabled)
{
	make_dead_socket(setting->plain);
	assert_int_equal(find(setting, PLUGIN("hostvol:latest", "false")), HV_OK);
	assert_string_equal(setting->daemon.socket, setting->plain);
	assert_string_equal(setting->daemon.driver, "hostvol");
	assert_string_equal(hv_error_text(&setting->err), "");
}

#define INFO(id)                                                                                   \
	"{\"Err\":\"\",\"EngineID\":\"" id "\",\"Settings\":{\"HOSTVOL_ENGINE\":\"/nowhere\"}}"

/* With no plugin, an Engine of this ID, and a daemon that answers HotInfo so. */
static enum hv_code find_plain(
	struct setting *setting, const char *id, const char *info, char **ret_log)
{
	const struct fake_answer answers[] = {
		{"GET /plugins", 200, "[]", 0},
		{"GET /info", 200, id, 0},
		{NULL, 0, NULL, 0},
	};
	const struct fake_answer daemon_answers[] = {
		{"POST /HotInfo", 200, info, 0},
		{NULL, 0, NULL, 0},
	};
	struct fake_server *daemon = fake_server_new(setting->plain, daemon_answers);
	enum hv_code code;

	setting->server = fake_server_new(setting->engine, answers);
	hv_client_done(&setting->daemon);
	hv_error_done(&setting->err);
	code = hv_client_find(
		&setting->globals, &setting->environment, &setting->daemon, &setting->err);
	*ret_log = fake_server_log(daemon);
	fake_server_free(daemon);
	fake_server_free(setting->server);
	setting->server = NULL;
	return code;
}

/* The docker command of the tunnel; the answer comes out of it. */
static void fake_docker(struct setting *setting, const char *info, char ret_path[static 64])
{
	FILE *file;

	snprintf(ret_path, 64, "%s/docker", setting->dir);
	file = fopen(ret_path, "we");
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\n[ \"$2\" = inspect ] || exit 0\n"
		"cat <<'END'\n{\"status\": 200, \"reply\": \"%s\"}\nEND\n",
		info);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(ret_path, 0700), 0);
	assert_int_equal(setenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", ret_path, 1), 0);
}

DAEMON_TEST(plain_daemon_of_this_engine_is_used)
{
	char info[300], *log = NULL;

	assert_int_equal(find_plain(setting, "{\"ID\":\"AB\"}", INFO("AB"), &log), HV_OK);
	assert_false(setting->daemon.is_remote);
	assert_string_equal(log, "POST /HotInfo {}\n");
	free(log);
	/* By its socket alone: Podman has no ID. */
	snprintf(info, sizeof(info),
		"{\"Err\":\"\",\"EngineID\":\"x\",\"Settings\":{\"HOSTVOL_ENGINE\":\"%s/../%s\"}}",
		setting->dir, setting->engine + sizeof("/tmp"));
	assert_int_equal(find_plain(setting, "{\"ID\":\"y\"}", info, &log), HV_OK);
	assert_false(setting->daemon.is_remote);
	free(log);
	/* A daemon without an Engine says so itself. */
	assert_int_equal(
		find_plain(setting, "{\"ID\":\"y\"}",
			"{\"Err\":\"\",\"EngineID\":\"\",\"EngineProblem\":\"down\"}", &log),
		HV_OK);
	assert_false(setting->daemon.is_remote);
	free(log);
}

DAEMON_TEST(plain_daemon_of_another_engine_is_not_used)
{
	char docker[64], *log = NULL;

	fake_docker(setting, "{\\\"Err\\\":\\\"\\\",\\\"EngineID\\\":\\\"CD\\\"}", docker);
	assert_int_equal(find_plain(setting, "{\"ID\":\"CD\"}", INFO("AB"), &log), HV_OK);
	assert_true(setting->daemon.is_remote);
	free(log);
	/* The Engine leads to the same daemon. */
	fake_docker(setting, "{\\\"Err\\\":\\\"\\\",\\\"EngineID\\\":\\\"AB\\\"}", docker);
	assert_int_equal(
		find_plain(setting, "{\"ID\":\"CD\"}", INFO("AB"), &log), HV_NO_SUCH_ENDPOINT);
	assert_non_null(strstr(hv_error_text(&setting->err), "serves another Engine"));
	assert_non_null(setting->err.hint);
	free(log);
	assert_int_equal(unsetenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"), 0);
	assert_int_equal(unlink(docker), 0);
}

DAEMON_TEST(a_long_wait_through_the_engine_is_cut_in_pieces)
{
	struct json_object *body = json_object_new_object(), *answer = NULL;
	const struct hv_call call = {"/HotDetach", body, 50};
	char docker[64], path[64], log[1024] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/log", setting->dir);
	fake_docker(setting, "", docker);
	file = fopen(docker, "we"); /* busy, and then not */
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\n[ \"$2\" = create ] && echo \"$6\" >>%s && exit\n[ \"$2\" = rm ] && exit\n"
		"if [ $(wc -l <%s) = 1 ]; then\n"
		"echo '{\"status\": 409, \"reply\": \"{\\\"Err\\\":\\\"x\\\",\\\"Code\\\":\\\"busy\\\"}\"}'\n"
		"else echo '{\"status\": 200, \"reply\": \"{\\\"Err\\\":\\\"\\\"}\"}'; fi\n",
		path, path);
	assert_int_equal(fclose(file), 0);
	setting->daemon = (struct hv_client){.socket = strdup(""),
		.driver = strdup("hostvol"),
		.globals = &setting->globals,
		.is_remote = true};
	assert_int_equal(hv_client_call(&setting->daemon, &call, &answer, &setting->err), HV_OK);
	json_object_put(answer);
	json_object_put(body);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(log, 1, sizeof(log) - 1, file) > 0);
	fclose(file);
	assert_string_equal(log,
		"request={\"Endpoint\":\"\\/HotDetach\",\"Body\":{\"WaitSeconds\":20}}\n"
		"request={\"Endpoint\":\"\\/HotDetach\",\"Body\":{\"WaitSeconds\":20}}\n");
	assert_int_equal(unsetenv("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND"), 0);
	assert_int_equal(unlink(docker), 0);
	assert_int_equal(unlink(path), 0);
}

DAEMON_TEST(environment_overrules_the_engine)
{
	setting->environment.hostvol_socket = "/run/mine.sock";
	assert_int_equal(hv_client_find(&setting->globals, &setting->environment, &setting->daemon,
				 &setting->err),
		HV_OK);
	assert_string_equal(setting->daemon.socket, "/run/mine.sock");
}

DAEMON_TEST(silent_or_strange_engine_is_told)
{
	assert_int_equal(hv_client_find(&setting->globals, &setting->environment, &setting->daemon,
				 &setting->err),
		HV_INTERNAL);
	assert_non_null(strstr(hv_error_text(&setting->err), "no Docker Engine answers at /tmp/"));
	assert_int_equal(find(setting, "{\"not\":\"a list\"}"), HV_INTERNAL);
	assert_non_null(strstr(hv_error_text(&setting->err), "is not the JSON of a Docker Engine"));
	make_dead_socket(setting->engine);
	assert_int_equal(hv_client_find(&setting->globals, &setting->environment, &setting->daemon,
				 &setting->err),
		HV_INTERNAL);
	assert_non_null(strstr(hv_error_text(&setting->err), "no Docker Engine answers at /tmp/"));
	assert_int_equal(unlink(setting->engine), 0);
}

DAEMON_TEST(dead_daemon_is_told_with_the_way_out)
{
	struct json_object *answer = NULL;

	make_dead_socket(setting->plain);
	setting->environment.hostvol_socket = setting->plain;
	assert_int_equal(hv_client_ask(&setting->globals, &setting->environment,
				 &(struct hv_call){"/HotList", NULL, 0}, &answer, &setting->err),
		HV_INTERNAL);
	assert_non_null(
		strstr(hv_error_text(&setting->err), "nothing answers at the hostvol socket"));
	assert_non_null(strstr(setting->err.hint, "docker plugin enable hostvol"));
}

DAEMON_TEST(a_path_too_long_for_a_socket_is_told)
{
	struct json_object *answer = NULL;
	char path[HV_SOCKET_PATH_MAX_BYTES + 2] = "/";

	memset(path + 1, 's', HV_SOCKET_PATH_MAX_BYTES);
	setting->environment.hostvol_socket = path;
	assert_int_equal(hv_client_ask(&setting->globals, &setting->environment,
				 &(struct hv_call){"/HotList", NULL, 0}, &answer, &setting->err),
		HV_BAD_REQUEST);
	assert_non_null(strstr(hv_error_text(&setting->err),
		"the path of the hostvol socket is longer than 107 bytes: /sss"));
	assert_non_null(strstr(setting->err.hint, "HOSTVOL_SOCKET"));
	path[HV_SOCKET_PATH_MAX_BYTES] = '\0'; /* as long as one may be: it is not there */
	assert_int_equal(hv_client_ask(&setting->globals, &setting->environment,
				 &(struct hv_call){"/HotList", NULL, 0}, &answer, &setting->err),
		HV_INTERNAL);
	assert_non_null(strstr(hv_error_text(&setting->err), "has no socket at /sss"));
}

DAEMON_TEST(an_engine_behind_a_path_too_long_is_told)
{
	char host[HV_SOCKET_PATH_MAX_BYTES + 20] = "unix:///";

	memset(host + strlen(host), 's', HV_SOCKET_PATH_MAX_BYTES);
	setting->globals.host = host;
	assert_int_equal(hv_client_find(&setting->globals, &setting->environment, &setting->daemon,
				 &setting->err),
		HV_BAD_REQUEST);
	assert_non_null(strstr(hv_error_text(&setting->err),
		"the path of the Docker Engine's socket is longer than 107 bytes: /sss"));
}

DAEMON_TEST(without_a_plugin_the_way_to_install_it_is_told)
{
	assert_int_equal(find(setting, "[]"), HV_NO_SUCH_ENDPOINT);
	assert_non_null(strstr(setting->err.hint, "scripts/quickstart"));
	assert_non_null(strstr(setting->err.hint, "scripts/build-plugin"));
	assert_null(strstr(setting->err.hint, "docker plugin install"));
}

DAEMON_TEST(socket_without_permission_is_told)
{
	struct json_object *answer = NULL;
	bool is_root = geteuid() == 0;
	enum hv_code code;

	make_dead_socket(setting->plain);
	assert_int_equal(chmod(setting->plain, 0), 0);
	setting->environment.hostvol_socket = setting->plain;
	if (is_root) /* root may use every socket */
		assert_int_equal(seteuid(65534), 0);
	code = hv_client_ask(&setting->globals, &setting->environment,
		&(struct hv_call){"/HotList", NULL, 0}, &answer, &setting->err);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(code, HV_DENIED);
	assert_string_equal(setting->err.hint, "run this with sudo");
}

TEST(hv_daemon_is_tunnelled_without_a_socket_to_write_to)
{
	static char none[] = "/nonexistent/hostvol.sock", any[] = "/dev/null", empty[] = "";
	static const struct hv_globals globals = {0};
	const struct hv_client here = {.socket = any, .globals = &globals};
	const struct hv_client away = {.socket = none, .globals = &globals};
	const struct hv_client fixed = {.socket = none}; /* HOSTVOL_SOCKET */
	const struct hv_client far = {.socket = empty, .globals = &globals, .is_remote = true};

	assert_false(hv_client_is_tunnelled(&here));
	assert_true(hv_client_is_tunnelled(&away));
	assert_false(hv_client_is_tunnelled(&fixed));
	assert_true(hv_client_is_tunnelled(&far));
}

TEST_MAIN()
