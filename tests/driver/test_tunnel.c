/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that come as volumes, volumes that come with an attachment, and second names. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/hv_test.h"
#include "wire/tunnel.h"

#include "api_fixture.h"
#include "tunnel.h"

#define NAME "hostvol-request-0123456789abcdef"

static unsigned ask(struct fixture *fixture, const char *request)
{
	struct json_object *body = json_object_new_object(), *opts = json_object_new_object();
	unsigned status;

	json_object_object_add(body, "Name", json_object_new_string(NAME));
	json_object_object_add(opts, "request", json_object_new_string(request));
	json_object_object_add(body, "Opts", opts);
	status = call(fixture, "/VolumeDriver.Create", json_object_to_json_string(body));
	json_object_put(body);
	return status;
}

static struct json_object *kept; /* last result of reply_of() */

static struct json_object *reply_of(struct fixture *fixture, int64_t *ret_status)
{
	struct json_object *volume, *status, *reply, *number;

	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"" NAME "\"}"), 200);
	assert_true(json_object_object_get_ex(fixture->body, "Volume", &volume));
	assert_true(json_object_object_get_ex(volume, "Status", &status));
	assert_true(json_object_object_get_ex(status, "reply", &reply));
	assert_true(json_object_object_get_ex(status, "status", &number));
	*ret_status = json_object_get_int64(number);
	json_object_put(kept);
	kept = json_tokener_parse(json_object_get_string(reply));
	return kept;
}

static const char *text_in(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return json_object_get_string(value);
}

API_TEST(an_answer_is_kept_until_it_is_removed)
{
	struct fixture *fixture = *state;
	struct json_object *reply;
	int64_t status;

	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Body\":{}}"), 200);
	reply = reply_of(fixture, &status);
	assert_int_equal(status, 200);
	assert_string_equal(text_in(reply, "Mode"), "plain");
	assert_int_equal(call(fixture, "/VolumeDriver.Path", "{\"Name\":\"" NAME "\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.List", "{}"), 200);
	assert_null(strstr(fixture->reply.body, NAME));
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"" NAME "\",\"ID\":\"a\"}"), 200);
	assert_non_null(strstr(text_in(fixture->body, "Err"), HV_TUNNEL_ANSWER "200 {"));
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"" NAME "\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"" NAME "\"}"), 404);
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

/* The answer that an error carries. */
static struct json_object *answer_in_error(struct fixture *fixture, const char *status)
{
	const char *text = text_in(fixture->body, "Err"), *start = HV_TUNNEL_ANSWER;

	assert_memory_equal(text, start, strlen(start));
	assert_memory_equal(text + strlen(start), status, strlen(status));
	json_object_put(kept);
	kept = json_tokener_parse(strchr(text, '{'));
	assert_non_null(kept);
	return kept;
}

API_TEST(an_answer_may_be_the_error_of_the_create)
{
	static const char request[] =
		"{\"Endpoint\":\"/HotInfo\",\"Answer\":\"error\",\"Body\":{}}";
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, request), 200);
	assert_string_equal(text_in(answer_in_error(fixture, "200 "), "Mode"), "plain");
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"" NAME "\"}"), 404);
	assert_int_equal(ask(fixture, request), 200); /* the Engine repeats it */
	assert_string_equal(text_in(answer_in_error(fixture, "200 "), "Mode"), "plain");
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

API_TEST(a_refusal_is_the_error_of_the_create_with_its_status)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotDetach\",\"Answer\":\"error\","
				      "\"Body\":{\"Selector\":\"service:x\",\"Target\":\"/m\"}}"),
		200);
	assert_string_equal(
		text_in(answer_in_error(fixture, "404 "), "Code"), "no-such-attachment");
}

API_TEST(answers_that_were_told_make_room_for_others)
{
	struct fixture *fixture = *state;
	char body[256];

	for (int i = 0; i < 3 * HV_TUNNEL_MAX; i++) {
		snprintf(body, sizeof(body),
			"{\"Name\":\"hostvol-request-%d\",\"Opts\":{\"request\":"
			"\"{\\\"Endpoint\\\":\\\"/HotInfo\\\",\\\"Answer\\\":\\\"error\\\","
			"\\\"Body\\\":{}}\"}}",
			i);
		assert_int_equal(call(fixture, "/VolumeDriver.Create", body), 200);
		answer_in_error(fixture, "200 ");
	}
}

API_TEST(an_answer_goes_nowhere_else)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Answer\":\"log\",\"Body\":{}}"), 400);
	assert_int_equal(
		ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Answer\":true,\"Body\":{}}"), 400);
}

API_TEST(a_refusal_is_an_answer_too)
{
	struct fixture *fixture = *state;
	struct json_object *reply;
	int64_t status;

	assert_int_equal(
		ask(fixture, "{\"Endpoint\":\"/HotAttach\",\"Body\":{\"Volume\":\"/nobody\","
			     "\"Container\":\"web\",\"Target\":\"/x\"}}"),
		200);
	reply = reply_of(fixture, &status);
	assert_int_equal(status, 404);
	assert_string_equal(text_in(reply, "Code"), "no-such-volume");
	assert_non_null(strstr(text_in(reply, "Err"), "nobody"));
	assert_non_null(text_in(reply, "Hint"));
}

/* 90000 would be refused: it is 25 by then. */
API_TEST(nobody_waits_longer_than_the_engine_does)
{
	struct fixture *fixture = *state;
	struct json_object *reply;
	int64_t status;

	assert_int_equal(
		ask(fixture, "{\"Endpoint\":\"/HotDetach\",\"Body\":{\"ID\":\"0123456789ab\","
			     "\"WaitSeconds\":90000}}"),
		200);
	reply = reply_of(fixture, &status);
	assert_string_equal(text_in(reply, "Code"), "no-such-attachment");
}

API_TEST(an_answer_is_forgotten_after_a_minute)
{
	struct fixture *fixture = *state;

	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Body\":{}}"), 200);
	for (int i = 0; i < HV_TUNNEL_MAX; i++)
		fixture->api.tunnel.items[i].since -= HV_TUNNEL_SECONDS + 1;
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"" NAME "\"}"), 404);
}

/* As if the answer had taken longer than one is kept. */
static void answer_late(
	struct hv_api *api, const struct hv_http_request *http, struct hv_reply *ret)
{
	(void)http;
	for (int i = 0; i < HV_TUNNEL_MAX; i++)
		api->tunnel.items[i].since -= HV_TUNNEL_SECONDS + 1;
	ret->status = 200;
	ret->body = strdup("{}");
}

/* Create a request whose answer is the error, with that handler; returns the error, to be freed. */
static char *ask_handler(struct fixture *fixture, const char *request, hv_handler handle)
{
	char key[] = "request", name[] = NAME;
	struct hv_opt opt = {key, (char *)(uintptr_t)request};
	const struct hv_driver_request in = {.name = name, .opts = {&opt, 1}};
	struct json_object *reply = json_object_new_object();
	struct hv_error err = {0};
	hv_tunnel_call create = hv_tunnel_find(&fixture->api, "/VolumeDriver.Create", &in);
	char *text;

	assert_int_equal(create(&fixture->api, &in, handle, reply, &err), HV_OK);
	text = strdup(text_in(reply, "Err"));
	json_object_put(reply);
	return text;
}

API_TEST(an_answer_that_took_long_is_told)
{
	char *text = ask_handler(*state,
		"{\"Endpoint\":\"/HotInfo\",\"Answer\":\"error\",\"Body\":{}}", answer_late);

	assert_string_equal(text, HV_TUNNEL_ANSWER "200 {}");
	free(text);
}

static void answer_long(
	struct hv_api *api, const struct hv_http_request *http, struct hv_reply *ret)
{
	(void)api;
	(void)http;
	ret->status = 200;
	ret->body = calloc(1, HV_TUNNEL_ERROR_MAX + 2);
	assert_non_null(ret->body);
	memset(ret->body, ' ', HV_TUNNEL_ERROR_MAX + 1);
}

API_TEST(a_change_whose_answer_is_too_long_tells_that_it_is_done)
{
	char *text = ask_handler(*state,
		"{\"Endpoint\":\"/HotAttach\",\"Answer\":\"error\",\"Body\":{}}", answer_long);

	assert_non_null(strstr(text, HV_TUNNEL_ANSWER "200 {\"Err\":\"\",\"Note\":\"it is done"));
	free(text);
}

API_TEST(what_the_engine_repeats_is_answered_once)
{
	struct fixture *fixture = *state;
	struct json_object *reply;
	int64_t status;

	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Body\":{}}"), 200);
	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotList\",\"Body\":{}}"), 200);
	reply = reply_of(fixture, &status);
	assert_string_equal(text_in(reply, "Mode"), "plain"); /* of the first */
}

API_TEST(more_than_there_is_room_for_is_refused)
{
	struct fixture *fixture = *state;
	char body[256];

	for (int i = 0; i <= HV_TUNNEL_MAX; i++) {
		snprintf(body, sizeof(body),
			"{\"Name\":\"hostvol-request-%d\",\"Opts\":{\"request\":"
			"\"{\\\"Endpoint\\\":\\\"/HotInfo\\\",\\\"Body\\\":{}}\"}}",
			i);
		assert_int_equal(
			call(fixture, "/VolumeDriver.Create", body), i < HV_TUNNEL_MAX ? 200 : 409);
	}
	/* Replies that nobody fetched in a minute make room. */
	for (int i = 0; i < HV_TUNNEL_MAX; i++)
		fixture->api.tunnel.items[i].since -= HV_TUNNEL_SECONDS + 1;
	assert_int_equal(call(fixture, "/VolumeDriver.Create", body), 200);
}

API_TEST(requests_that_make_no_sense_are_refused)
{
	static const char *const bad[] = {"", "x", "[]", "{}", "{\"Endpoint\":\"/HotInfo\"}",
		"{\"Endpoint\":1,\"Body\":{}}", "{\"Endpoint\":\"/HotInfo\",\"Body\":[]}",
		"{\"Endpoint\":\"/VolumeDriver.Remove\",\"Body\":{\"Name\":\"data\"}}",
		"{\"Endpoint\":\"/HotInfo\",\"Body\":{},\"More\":1}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ask(fixture, bad[i]), 400);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"" NAME "\"}"), 400);
	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"data\",\"Opts\":{\"request\":"
				 "\"{\\\"Endpoint\\\":\\\"/HotInfo\\\",\\\"Body\\\":{}}\"}}"),
		400);
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

API_TEST(both_can_be_switched_off)
{
	struct fixture *fixture = *state;

	fixture->api.tunnel.is_denied = true;
	assert_int_equal(ask(fixture, "{\"Endpoint\":\"/HotInfo\",\"Body\":{}}"), 403);
	assert_non_null(strstr(text_at(fixture, "Err"), "HOSTVOL_REMOTE_ATTACH"));
	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"data\",\"Opts\":{\"attach\":\"web:/x\"}}"),
		403);
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

API_TEST(a_create_whose_attach_fails_leaves_nothing)
{
	struct fixture *fixture = *state;

	assert_true(call(fixture, "/VolumeDriver.Create",
			    "{\"Name\":\"data\",\"Opts\":{\"attach\":\"web:/x\"}}") >= 400);
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 404);
}

API_TEST(a_second_name_keeps_the_first)
{
	struct fixture *fixture = *state;
	struct json_object *volume, *status;
	char source[256];

	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"data\",\"Opts\":{\"ro\":\"true\"}}"),
		200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"alias\",\"Opts\":{\"from\":\"data\"}}"),
		200);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"alias\"}"), 200);
	assert_true(json_object_object_get_ex(fixture->body, "Volume", &volume));
	assert_true(json_object_object_get_ex(volume, "Status", &status));
	snprintf(source, sizeof(source), "%s/volumes/data/_data", fixture->world->state);
	assert_string_equal(text_in(status, "source"), source);
	assert_string_equal(text_in(status, "kind"), "alias");
	assert_string_equal(text_in(status, "read_only"), "true");
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"alias\",\"ID\":\"a\"}"), 200);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Unmount", "{\"Name\":\"alias\",\"ID\":\"a\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 409);
	assert_non_null(strstr(text_at(fixture, "Err"), "'alias' is another name"));
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"alias\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"a\"}"),
		200); /* its data is there */
	assert_int_equal(
		call(fixture, "/VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"a\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
}

API_TEST(second_names_that_cannot_be_are_refused)
{
	struct fixture *fixture = *state;

	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"alias\",\"Opts\":{\"from\":\"nobody\"}}"),
		404);
	assert_int_equal(call(fixture, "/VolumeDriver.Create",
				 "{\"Name\":\"alias\",\"Opts\":{\"from\":\"alias\"}}"),
		400);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Create",
			"{\"Name\":\"alias\",\"Opts\":{\"from\":\"data\",\"path\":\"/srv\"}}"),
		400);
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

static void run(void)
{
	int rc = hv_run_tests();

	json_object_put(kept);
	exit(rc);
}

int main(void)
{
	return hv_run_in_namespace(run);
}
