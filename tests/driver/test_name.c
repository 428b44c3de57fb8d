/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"

#include "api_fixture.h"
#include "fake_engine.h"

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define NOT_FOUND "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
#define CONTAINER(name, runtime)                                                                   \
	"{\"Id\":\"0123456789ab\",\"Name\":\"/" name "\",\"HostConfig\":{\"Runtime\":\"" runtime   \
	"\"},\"State\":{\"Running\":true,\"Pid\":1,\"StartedAt\":\"2024\"}}"

static const struct fake_reply engine_replies[] = {
	{"/containers/web/json", OK CONTAINER("web", "runc"), 0, 0},
	{"/containers/kata/json", OK CONTAINER("kata", "io.containerd.kata.v2"), 0, 0},
	{"/containers/gvisor/json", OK CONTAINER("gvisor", "runsc-kvm"), 0, 0},
	{"/containers/typo/json", NOT_FOUND "{\"message\":\"No such container: typo\"}", 0, 0},
	{"/volumes/lv",
		OK
		"{\"Name\":\"lv\",\"Driver\":\"local\",\"Mountpoint\":\"/var/lib/docker/volumes/lv/_data\","
		"\"Options\":null}",
		0, 0},
	{"/volumes/nfs",
		OK
		"{\"Name\":\"nfs\",\"Driver\":\"local\",\"Mountpoint\":\"/var/lib/docker/volumes/nfs/_data\","
		"\"Options\":{\"type\":\"nfs\",\"device\":\":/x\"}}",
		0, 0},
	{"/volumes/far",
		OK
		"{\"Name\":\"far\",\"Driver\":\"sshfs:latest\",\"Mountpoint\":\"/mnt/volumes/far\"}",
		0, 0},
	{"/volumes/nope", NOT_FOUND "{\"message\":\"get nope: no such volume\"}", 0, 0},
	{"/volumes/broken", "HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", 0, 0},
	{NULL, NULL, 0, 0},
};

static struct fake_engine *answer_as_engine(struct fixture *fixture, char *ret_socket, size_t size)
{
	snprintf(ret_socket, size, "%s/engine.sock", fixture->world->dir);
	fixture->engine_socket = ret_socket;
	return fake_engine_new(ret_socket, engine_replies);
}

API_TEST(a_source_that_is_not_there_is_told_with_the_way_forward)
{
	static const struct {
		const char *volume, *code, *told, *hint;
	} cases[] = {
		{"lv", "source-missing", "there is no directory /var/lib/docker/volumes/lv/_data",
			"docker volume inspect lv"},
		{"nfs", "source-missing", "volume 'nfs' is not mounted on the host",
			"attach it while a container uses it"},
		{"far", "source-missing", "volume 'far' is not mounted on the host",
			"attach it while a container uses it"},
		{"nope", "no-such-volume", "no such volume: nope",
			"list the volumes and their drivers with docker volume ls"},
		{"/srv/dir", "no-such-volume", "no such volume: /srv/dir",
			"docker hostvol attach /srv/dir web:/m"},
	};
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = answer_as_engine(fixture, socket, sizeof(socket));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[200];

		snprintf(body, sizeof(body),
			"{\"Volume\":\"%s\",\"Container\":\"web\",\"Target\":\"/m/\"}",
			cases[i].volume);
		assert_int_equal(call(fixture, "/HotAttach", body), 404);
		assert_string_equal(text_at(fixture, "Code"), cases[i].code);
		assert_non_null(strstr(text_at(fixture, "Err"), cases[i].told));
		assert_non_null(strstr(text_at(fixture, "Hint"), cases[i].hint));
	}
	fake_engine_free(engine);
}

API_TEST(an_engine_that_does_not_know_is_not_taken_for_one_that_has_none)
{
	static const char body[] =
		"{\"Volume\":\"broken\",\"Container\":\"web\",\"Target\":\"/m\"}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = answer_as_engine(fixture, socket, sizeof(socket));

	assert_int_equal(call(fixture, "/HotAttach", body), 500);
	assert_string_equal(text_at(fixture, "Code"), "internal");
	assert_non_null(strstr(text_at(fixture, "Err"), "hostvol has no volume 'broken', and"));
	assert_non_null(strstr(text_at(fixture, "Err"), "HTTP 500"));
	fake_engine_free(engine);
	assert_int_equal(call(fixture, "/HotAttach", body), 500);
	assert_non_null(strstr(text_at(fixture, "Err"), "does not answer"));
	assert_non_null(strstr(text_at(fixture, "Hint"), "check that dockerd runs"));
}

API_TEST(a_runtime_that_sees_no_mount_of_the_host_is_refused)
{
	static const char *const names[] = {"kata", "gvisor"};
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = answer_as_engine(fixture, socket, sizeof(socket));

	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char body[200];

		snprintf(body, sizeof(body),
			"{\"Volume\":\"data\",\"Container\":\"%s\",\"Target\":\"/m\"}", names[i]);
		assert_int_equal(call(fixture, "/HotAttach", body), 501);
		assert_string_equal(text_at(fixture, "Code"), "unsupported");
		assert_non_null(strstr(text_at(fixture, "Err"), names[i]));
		assert_non_null(strstr(text_at(fixture, "Hint"), "docker run -v"));
	}
	fake_engine_free(engine);
}

API_TEST(a_name_that_does_not_exist_is_refused_with_a_hint)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = answer_as_engine(fixture, socket, sizeof(socket));

	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	assert_int_equal(call(fixture, "/HotList", "{\"Volume\":\"data\"}"), 200);
	assert_int_equal(call(fixture, "/HotList", "{\"Volume\":\"dta\"}"), 404);
	assert_string_equal(text_at(fixture, "Code"), "no-such-volume");
	assert_int_equal(call(fixture, "/HotList", "{\"Container\":\"web\"}"), 200);
	assert_int_equal(call(fixture, "/HotList", "{\"Container\":\"typo\"}"), 404);
	assert_string_equal(text_at(fixture, "Code"), "no-such-container");
	assert_int_equal(
		call(fixture, "/HotSet", "{\"Volume\":\"dta\",\"Opts\":{\"ro\":\"true\"}}"), 404);
	assert_non_null(strstr(text_at(fixture, "Hint"), "docker volume ls"));
	fake_engine_free(engine);
	/* An Engine that does not answer knows of no mistake. */
	assert_int_equal(call(fixture, "/HotList", "{\"Container\":\"typo\"}"), 200);
}

TEST_MAIN_IN_NAMESPACE()
