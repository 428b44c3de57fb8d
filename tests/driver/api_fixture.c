/* SPDX-License-Identifier: Apache-2.0 */
#include "api_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/tunnel.h"

#include "attacher.h"

static const struct hv_setting settings[] = {{"HOSTVOL_LOG", "info"}, {NULL, NULL}};

static int open_socket(void *context)
{
	const struct fixture *fixture = context;
	int fd = fixture->engine_socket ? open(fixture->engine_socket, O_PATH | O_CLOEXEC) : -1;

	return fd < 0 ? -ENOENT : fd;
}

static enum hv_code open_state(void *context, struct hv_error *err)
{
	const struct fixture *fixture = context;

	if (!fixture->is_unreadable)
		return HV_OK;
	hv_fail(err, HV_STATE_UNREADABLE, "the disk is gone");
	return hv_hint(err, "put it back");
}

static bool has_state(void *context)
{
	const struct fixture *fixture = context;

	return !fixture->is_unreadable;
}

int api_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct hv_engine_args args = {.open_socket = open_socket,
		.context = fixture,
		.socket_path = "/nowhere/docker.sock"};
	void *world = NULL;

	assert_non_null(fixture);
	world_setup(&world);
	fixture->world = world;
	fixture->engine = hv_engine_new(&args);
	fixture->attacher = attacher_new(fixture->world, fixture->engine);
	fixture->api = (struct hv_api){
		.core = fixture->world->core,
		.engine = fixture->engine,
		.volumes = fixture->world->volumes,
		.attacher = fixture->attacher,
		.mode = "plain",
		.settings = settings,
		.open_state = open_state,
		.has_state = has_state,
		.context = fixture,
	};
	*state = fixture;
	return 0;
}

static void forget_reply(struct fixture *fixture)
{
	json_object_put(fixture->body);
	fixture->body = NULL;
	hv_reply_done(&fixture->reply);
}

int api_teardown(void **state)
{
	struct fixture *fixture = *state;
	void *world = fixture->world;

	forget_reply(fixture);
	hv_tunnel_done(&fixture->api.tunnel);
	hv_attacher_free(fixture->attacher);
	hv_engine_free(fixture->engine);
	free(fixture);
	return world_teardown(&world);
}

static struct json_object *parse(const char *text)
{
	struct json_tokener *parser = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(parser, text, (int)strlen(text) + 1);
	if (!object)
		print_error("'%s': %s\n", text,
			json_tokener_error_desc(json_tokener_get_error(parser)));
	json_tokener_free(parser);
	assert_true(json_object_is_type(object, json_type_object));
	return object;
}

const char *text_at(struct fixture *fixture, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(fixture->body, name, &value))
		return NULL;
	assert_true(json_object_is_type(value, json_type_string));
	return json_object_get_string(value);
}

/* Returns the HTTP status.  Asserts the rules for all answers. */
unsigned call_bytes(struct fixture *fixture, const char *method, const char *path, const char *body,
	size_t size)
{
	const struct hv_http_request request = {method, path, body, size, 0};

	forget_reply(fixture);
	hv_api_handle(&fixture->api, &request, &fixture->reply);
	if (fixture->reply.hang_up) {
		assert_null(fixture->reply.body);
		return 0;
	}
	assert_non_null(fixture->reply.body);
	if (fixture->reply.type) /* it is no JSON */
		return fixture->reply.status;
	fixture->body = parse(fixture->reply.body);
	assert_non_null(text_at(fixture, "Err"));
	if (fixture->reply.status == 200) {
		if (strncmp(text_at(fixture, "Err"), HV_TUNNEL_ANSWER, strlen(HV_TUNNEL_ANSWER)) !=
			0) /* which is an answer in an error */
			assert_string_equal(text_at(fixture, "Err"), "");
		assert_null(text_at(fixture, "Code"));
	} else {
		unsigned status = hv_code_status(hv_code_parse(text_at(fixture, "Code")));

		assert_true(strlen(text_at(fixture, "Err")) > 0);
		if (fixture->reply.allow)
			assert_string_equal(fixture->reply.allow,
				strcmp(path, HV_METRICS_PATH) == 0 ? "GET, HEAD" : "POST");
		assert_int_equal(fixture->reply.allow ? 405 : status, fixture->reply.status);
	}
	return fixture->reply.status;
}

unsigned call(struct fixture *fixture, const char *path, const char *body)
{
	return call_bytes(fixture, "POST", path, body, strlen(body));
}
