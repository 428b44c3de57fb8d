/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/container.h"

#define ID "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"

/* An answer of Docker 20.10, shortened. */
static const char running[] =
	"{\"Id\":\"" ID "\",\"Created\":\"2024-03-05T10:11:12.123456789Z\",\"Path\":\"sleep\","
	"\"Args\":[\"infinity\"],\"State\":{\"Status\":\"running\",\"Running\":true,\"Paused\":false,"
	"\"Restarting\":false,\"OOMKilled\":false,\"Dead\":false,\"Pid\":41234,\"ExitCode\":0,"
	"\"Error\":\"\",\"StartedAt\":\"2024-03-05T10:11:12.987654321Z\","
	"\"FinishedAt\":\"0001-01-01T00:00:00Z\"},\"Image\":\"sha256:aa\",\"Name\":\"/web\","
	"\"RestartCount\":0,\"Driver\":\"overlay2\",\"AppArmorProfile\":\"\",\"ExecIDs\":null,"
	"\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0},\"Binds\":null,\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{}},"
	"\"NanoCpus\":0,\"BlkioWeightDevice\":[],\"MemorySwappiness\":null,\"CpuShares\":0},"
	"\"GraphDriver\":{\"Data\":{\"LowerDir\":\"/var/lib/docker/overlay2/x-init/diff\"}},"
	"\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"data\",\"RW\":true}],"
	"\"Config\":{\"Hostname\":\"3f4e8f2b1c0d\",\"Env\":[\"PATH=/bin\"],\"Labels\":{}},"
	"\"NetworkSettings\":{\"Ports\":{},\"Networks\":{\"bridge\":{\"IPAMConfig\":null}}}}\n";

#define STATE(text) "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"State\":" text "}"
#define STARTED "\"StartedAt\":\"2024-03-05T10:11:12Z\""

static enum hv_code parse(const char *text, struct hv_container *ret, struct hv_error *err)
{
	*ret = (struct hv_container){0};
	return hv_container_parse(text, strlen(text), ret, err);
}

TEST(an_inspect_of_a_running_container_is_read)
{
	struct hv_container container;
	struct hv_error err = {0};

	assert_int_equal(parse(running, &container, &err), HV_OK);
	assert_string_equal(container.id, ID);
	assert_string_equal(container.name, "web");
	assert_true(container.is_running);
	assert_false(container.is_paused);
	assert_int_equal(container.pid, 41234);
	assert_string_equal(container.started_at, "2024-03-05T10:11:12.987654321Z");
	assert_string_equal(container.start_error, "");
	assert_string_equal(container.restart_policy, "always");
	hv_container_done(&container);
	assert_null(container.id);
	hv_container_done(&container);
}

TEST(the_runtime_is_read_where_it_is_told)
{
	static const char *const untold[] = {"{}", "null", "{\"Runtime\":null}"};
	struct hv_container container;
	struct hv_error err = {0};

	assert_int_equal(
		parse("{\"Id\":\"" ID "\",\"Name\":\"/web\",\"HostConfig\":{\"Runtime\":\"runsc\"},"
		      "\"State\":{" STARTED "}}",
			&container, &err),
		HV_OK);
	assert_string_equal(container.runtime, "runsc");
	hv_container_done(&container);
	for (size_t i = 0; i < sizeof(untold) / sizeof(untold[0]); i++) {
		char text[300];

		snprintf(text, sizeof(text),
			"{\"Id\":\"a\",\"Name\":\"/web\",\"HostConfig\":%s,\"State\":{" STARTED
			"}}",
			untold[i]);
		assert_int_equal(parse(text, &container, &err), HV_OK);
		assert_null(container.runtime);
		hv_container_done(&container);
	}
}

TEST(a_volume_of_any_driver_is_read)
{
	static const char local[] =
		"{\"CreatedAt\":\"2024-03-05T10:11:12Z\",\"Driver\":\"local\",\"Labels\":null,"
		"\"Mountpoint\":\"/var/lib/docker/volumes/v/_data\",\"Name\":\"v\","
		"\"Options\":{\"type\":\"nfs\"},\"Scope\":\"local\"}";
	static const char bare[] = "{\"Driver\":\"x:latest\",\"Name\":\"v\",\"Options\":null}";
	struct hv_engine_volume volume;
	struct hv_error err = {0};

	assert_int_equal(hv_engine_volume_parse(local, strlen(local), &volume, &err), HV_OK);
	assert_string_equal(volume.driver, "local");
	assert_string_equal(volume.mountpoint, "/var/lib/docker/volumes/v/_data");
	assert_string_equal(hv_opts_get(&volume.opts, "type"), "nfs");
	hv_engine_volume_done(&volume);
	assert_int_equal(hv_engine_volume_parse(bare, strlen(bare), &volume, &err), HV_OK);
	assert_null(volume.mountpoint);
	assert_int_equal(volume.opts.count, 0);
	hv_engine_volume_done(&volume);
	assert_int_equal(hv_engine_volume_parse("[]", 2, &volume, &err), HV_INTERNAL);
	hv_engine_volume_done(&volume);
	hv_error_done(&err);
}

TEST(an_inspect_of_a_stopped_container_is_read)
{
	struct hv_container container;
	struct hv_error err = {0};

	assert_int_equal(parse(STATE("{\"Running\":false,\"Paused\":false,\"Pid\":0," STARTED "}"),
				 &container, &err),
		HV_OK);
	assert_false(container.is_running);
	assert_int_equal(container.pid, 0);
	hv_container_done(&container);
}

TEST(a_name_without_a_slash_stays_whole)
{
	struct hv_container container;
	struct hv_error err = {0};

	assert_int_equal(parse("{\"Id\":\"" ID "\",\"Name\":\"a/web\",\"State\":{" STARTED "}}",
				 &container, &err),
		HV_OK);
	assert_string_equal(container.name, "a/web");
	hv_container_done(&container);
}

TEST(what_is_no_container_is_refused_and_leaks_nothing)
{
	static const char *const cases[] = {
		"",
		"{}",
		"[]",
		"null",
		"<html>502 Bad Gateway</html>",
		"{\"Id\":\"" ID "\",\"Name\":\"/web\"}",
		"{\"Id\":\"\",\"Name\":\"/web\",\"State\":{" STARTED "}}",
		"{\"Id\":\"" ID "\",\"State\":{" STARTED "}}",
		"{\"Id\":7,\"Name\":\"/web\",\"State\":{" STARTED "}}",
		"{\"Id\":\"" ID "\",\"Name\":\"/we\\u0000b\",\"State\":{" STARTED "}}",
		STATE("null"),
		STATE("[]"),
		STATE("\"running\""),
		STATE("{}"),
		STATE("{\"Running\":true,\"Pid\":5}"),
		STATE("{\"Running\":true,\"Pid\":-1," STARTED "}"),
		STATE("{\"Running\":true,\"Pid\":4294967297," STARTED "}"),
		STATE("{\"Running\":true,\"Pid\":\"5\"," STARTED "}"),
		STATE("{\"Running\":\"yes\"," STARTED "}"),
		STATE("{\"StartedAt\":\"\"}"),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_container container;
		struct hv_error err = {0};

		assert_int_equal(parse(cases[i], &container, &err), HV_INTERNAL);
		assert_non_null(strstr(hv_error_text(&err), "makes no sense: "));
		assert_null(container.id);
		hv_container_done(&container);
		hv_error_done(&err);
	}
}

TEST(every_cut_of_an_inspect_is_refused)
{
	size_t size = strlen(running) - 1; /* without the newline */

	for (size_t cut = 0; cut < size; cut++) {
		struct hv_container container = {0};
		struct hv_error err = {0};

		assert_int_equal(hv_container_parse(running, cut, &container, &err), HV_INTERNAL);
		hv_container_done(&container);
		hv_error_done(&err);
	}
}

static char *message(const char *text)
{
	return hv_engine_message_parse(text, strlen(text));
}

TEST(the_engines_message_is_found)
{
	char *text = message("{\"message\":\"No such container: web\"}\n");

	assert_string_equal(text, "No such container: web");
	free(text);
	assert_null(message(""));
	assert_null(message("page not found"));
	assert_null(message("{\"message\":5}"));
	assert_null(message("{\"message\":null}"));
	assert_null(message("{\"other\":\"x\"}"));
	assert_null(message("{\"message\":\"x\"} and more"));
}

TEST(what_the_engine_tells_of_itself_is_read)
{
	static const char info[] = "{\"ID\":\"ABCD:EFGH\",\"Containers\":3,\"Plugins\":{},"
				   "\"DockerRootDir\":\"/var/lib/docker\"}";
	struct hv_engine_info about = {0};
	struct hv_error err = {0};

	assert_int_equal(hv_engine_info_parse(info, strlen(info), &about, &err), HV_OK);
	assert_string_equal(about.id, "ABCD:EFGH");
	assert_string_equal(about.root, "/var/lib/docker");
	assert_int_equal(about.containers, 3);
	hv_engine_info_done(&about);
	assert_int_equal(hv_engine_info_parse("{}", 2, &about, &err), HV_OK);
	assert_null(about.id);
	assert_null(about.root);
	assert_int_equal(about.containers, -1);
	hv_engine_info_done(&about);
	assert_int_equal(hv_engine_info_parse("<html>", 6, &about, &err), HV_INTERNAL);
	hv_engine_info_done(&about);
	hv_error_done(&err);
}

TEST(the_remapped_root_is_read)
{
	static const struct {
		const char *info;
		uint32_t uid, gid;
	} cases[] = {
		{"{\"DockerRootDir\":\"/d/300000.300001\",\"SecurityOptions\":[\"name=seccomp,profile=default\",\"name=userns\"]}",
			300000, 300001},
		{"{\"DockerRootDir\":\"/d/300000.300001\",\"SecurityOptions\":[\"name=seccomp\"]}",
			0, 0},
		{"{\"DockerRootDir\":\"/d/300000.300001\"}", 0, 0},
		{"{\"DockerRootDir\":\"/d/300000.300001x\",\"SecurityOptions\":[\"name=userns\"]}",
			0, 0},
		{"{\"DockerRootDir\":\"/var/lib/docker\",\"SecurityOptions\":[\"name=userns\"]}", 0,
			0},
		{"{\"SecurityOptions\":[\"name=userns\",3,null]}", 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hv_engine_info about = {0};
		struct hv_error err = {0};

		assert_int_equal(
			hv_engine_info_parse(cases[i].info, strlen(cases[i].info), &about, &err),
			HV_OK);
		assert_int_equal(about.remap_uid, cases[i].uid);
		assert_int_equal(about.remap_gid, cases[i].gid);
		hv_engine_info_done(&about);
	}
}

TEST(podman_is_known_by_its_component)
{
	static const char podman[] =
		"{\"Components\":[{\"Name\":\"Podman Engine\",\"Version\":\"5.8.6\"},{\"Name\":\"Conmon\"}]}";
	static const char docker[] =
		"{\"Platform\":{\"Name\":\"\"},\"Components\":[{\"Name\":\"Engine\"},{\"Name\":\"runc\"}]}";

	assert_true(hv_version_is_podman(podman, strlen(podman)));
	assert_false(hv_version_is_podman(docker, strlen(docker)));
	assert_false(hv_version_is_podman("{}", 2));
	assert_false(hv_version_is_podman("[", 1));
}

TEST_MAIN()
