/* SPDX-License-Identifier: Apache-2.0 */
/* Rules, in an Engine whose containers do not run: their attachments are written down. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"
#include "support/hv_test.h"

#include "api_fixture.h"
#include "fake_engine.h"
#include "scratch.h"

#define OK "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define NO_SUCH_VOLUME                                                                             \
	"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{\"message\":\"no such volume\"}"
#define ID(digit)                                                                                  \
	digit digit digit digit "0000000000000000000000000000000000000000000000000000000000000000"
#define INSPECT(id, name)                                                                          \
	OK "{\"Id\":\"" id "\",\"Name\":\"/" name                                                  \
	   "\",\"State\":{\"Running\":false,\"Pid\":0,\"StartedAt\":\"0001-01-01T00:00:00Z\"}}"
#define LISTED(id, name, labels)                                                                   \
	"{\"Id\":\"" id "\",\"Names\":[\"/" name "\"],\"State\":\"created\",\"Labels\":{" labels   \
	"}}"
#define A ID("aaaa")
#define B ID("bbbb")
#define C ID("cccc")
#define FRONT "\"tier\":\"front\""

static const struct fake_reply replies[] = {
	{"/containers/json",
		OK "[" LISTED(A, "a", FRONT) "," LISTED(B, "b", FRONT) "," LISTED(C, "c", "") "]",
		0, 0},
	{"/containers/" A "/json", INSPECT(A, "a"), 0, 0},
	{"/containers/" B "/json", INSPECT(B, "b"), 0, 0},
	{"/containers/" C "/json", INSPECT(C, "c"), 0, 0},
	{"/containers/a/json", INSPECT(A, "a"), 0, 0},
	{"/containers/b/json", INSPECT(B, "b"), 0, 0},
	{NULL, NULL, 0, 0},
};

static struct fake_engine *start(struct fixture *fixture, char socket[static 100])
{
	snprintf(socket, 100, "%s/engine.sock", fixture->world->dir);
	fixture->engine_socket = socket;
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"other\"}"), 200);
	return fake_engine_new(socket, replies);
}

static struct json_object *first(struct fixture *fixture, const char *array)
{
	struct json_object *list = NULL;

	assert_true(json_object_object_get_ex(fixture->body, array, &list));
	assert_true(json_object_array_length(list) > 0);
	return json_object_array_get_idx(list, 0);
}

static size_t length(struct json_object *object, const char *name)
{
	struct json_object *list = NULL;

	assert_true(json_object_object_get_ex(object, name, &list));
	return json_object_array_length(list);
}

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value)
							       : NULL;
}

static int number(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return json_object_get_int(value);
}

static size_t records(struct fixture *fixture, const char *container)
{
	return row_count_records(fixture->world->store, NULL, NULL, container);
}

#define RULE "{\"Volume\":\"data\",\"Selector\":\"label:tier=front\",\"Target\":\"/m\"}"

/* The counts of the only rule. */
static void expect_counts(struct fixture *fixture, int pending, int failed, int skipped)
{
	struct json_object *rule;

	assert_int_equal(call(fixture, "/HotRules", "{}"), 200);
	rule = first(fixture, "Rules");
	assert_int_equal(number(rule, "Attached"), 0);
	assert_int_equal(number(rule, "Pending"), pending);
	assert_int_equal(number(rule, "Failed"), failed);
	assert_int_equal(number(rule, "Skipped"), skipped);
	assert_int_equal(length(rule, "Attachments"), pending);
	assert_int_equal(length(rule, "FailedContainers"), failed);
	assert_int_equal(length(rule, "SkippedContainers"), skipped);
}

API_TEST(hot_attach_with_a_selector_attaches_to_all_that_it_selects)
{
	struct fixture *fixture = *state;
	char socket[100], id[13];
	struct fake_engine *engine = start(fixture, socket);
	struct json_object *rule = NULL;

	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_int_equal(length(fixture->body, "Attachments"), 2);
	assert_int_equal(length(fixture->body, "Failed"), 0);
	assert_true(json_object_object_get_ex(fixture->body, "Rule", &rule));
	snprintf(id, sizeof(id), "%s", text(rule, "ID"));
	assert_int_equal(strlen(id), 12);
	assert_string_equal(text(rule, "Selector"), "label:tier=front");
	assert_string_equal(text(rule, "Target"), "/m");
	assert_string_equal(text(first(fixture, "Attachments"), "Rule"), id);
	assert_int_equal(records(fixture, C), 0);
	assert_int_equal(call(fixture, "/HotAttach", RULE), 200); /* again */
	assert_int_equal(records(fixture, NULL), 2);
	expect_counts(fixture, 2, 0, 0);
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"other\",\"Selector\":\"label:tier=front\",\"Target\":\"/m/\"}"),
		409);
	assert_non_null(strstr(text_at(fixture, "Err"), id));
	fake_engine_free(engine);
}

API_TEST(hot_attach_with_a_selector_of_no_container_keeps_the_rule)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"service:x\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(length(fixture->body, "Attachments"), 0);
	expect_counts(fixture, 0, 0, 0);
	fake_engine_free(engine);
}

API_TEST(hot_attach_with_an_id_makes_the_rule_of_that_id)
{
	static const char body[] =
		"{\"Volume\":\"data\",\"Selector\":\"service:x\",\"Target\":\"/m\","
		"\"ID\":\"0123456789ab\"}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/HotAttach", body), 200);
	assert_int_equal(call(fixture, "/HotAttach", body), 200); /* again */
	assert_int_equal(call(fixture, "/HotRules", "{}"), 200);
	assert_int_equal(length(fixture->body, "Rules"), 1);
	assert_string_equal(text(first(fixture, "Rules"), "ID"), "0123456789ab");
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"service:y\",\"Target\":\"/m\","
			"\"ID\":\"0123456789ab\"}"),
		400);
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"service:y\",\"Target\":\"/m\","
			"\"ID\":\"0123\"}"),
		400);
	assert_int_equal(call(fixture, "/HotAttach",
				 "{\"Volume\":\"data\",\"Container\":\"a\",\"Target\":\"/m\","
				 "\"ID\":\"0123456789ab\"}"),
		400);
	fake_engine_free(engine);
}

API_TEST(hot_attach_defines_a_missing_volume_and_takes_it_back_with_a_failure)
{
	static const char twice[] =
		"{\"Volume\":\"fresh\",\"Selector\":\"service:x\",\"Target\":\"/m\","
		"\"VolumeOpts\":{\"mode\":\"0700\"}}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);
	size_t before = row_count_volumes(fixture->world->store);

	fake_engine_set(engine, "/containers/" B "/json", "");
	fake_engine_set(engine, "/volumes/fresh", NO_SUCH_VOLUME);
	assert_int_not_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"fresh\",\"Selector\":\"label:tier=front\",\"Target\":\"/m\","
			"\"VolumeOpts\":{\"mode\":\"0700\"}}"),
		200);
	assert_int_equal(row_count_volumes(fixture->world->store), before);
	assert_int_equal(call(fixture, "/HotAttach", twice), 200);
	assert_int_equal(row_count_volumes(fixture->world->store), before + 1);
	assert_int_equal(call(fixture, "/HotAttach", twice), 200); /* again, as it is there */
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"other\",\"Selector\":\"service:z\",\"Target\":\"/m\","
			"\"VolumeOpts\":{\"attach\":\"a:/m\"}}"),
		400);
	fake_engine_free(engine);
}

/* That the Engine does not know a container any more is no failure; no answer is. */
API_TEST(hot_attach_with_a_selector_is_all_or_nothing_unless_each)
{
	static const char each[] = "{\"Volume\":\"data\",\"Selector\":\"label:tier=front\","
				   "\"Target\":\"/m\",\"Each\":true}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	fake_engine_set(engine, "/containers/" B "/json", "");
	assert_int_not_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_non_null(strstr(text_at(fixture, "Err"), "container 'b'"));
	assert_non_null(strstr(text_at(fixture, "Hint"), "--each"));
	assert_int_equal(records(fixture, NULL), 0);
	assert_int_equal(call(fixture, "/HotRules", "{}"), 200);
	assert_int_equal(length(fixture->body, "Rules"), 0);
	assert_int_equal(call(fixture, "/HotAttach", each), 200);
	assert_int_equal(length(fixture->body, "Attachments"), 1);
	assert_int_equal(length(fixture->body, "Failed"), 1);
	assert_string_equal(text(first(fixture, "Failed"), "ContainerName"), "b");
	expect_counts(fixture, 1, 1, 0);
	fake_engine_set(engine, "/containers/" B "/json", INSPECT(B, "b"));
	assert_int_equal(hv_rules_apply(fixture->attacher, &fixture->world->err), HV_OK);
	expect_counts(fixture, 2, 0, 0);
	fake_engine_free(engine);
}

API_TEST(hot_detach_of_a_rule_ends_it_with_its_attachments)
{
	struct fixture *fixture = *state;
	char socket[100], body[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_int_equal(
		call(fixture, "/HotDetach", "{\"Container\":\"a\",\"Target\":\"/m\"}"), 400);
	assert_non_null(strstr(text_at(fixture, "Hint"), "docker hostvol detach "));
	assert_int_equal(
		call(fixture, "/HotDetach", "{\"Selector\":\"label:tier\",\"Target\":\"/m\"}"),
		404);
	assert_int_equal(call(fixture, "/HotDetach",
				 "{\"Selector\":\"label:tier=front\",\"Target\":\"/m/\"}"),
		200);
	assert_int_equal(length(fixture->body, "Attachments"), 2);
	assert_int_equal(records(fixture, NULL), 0);
	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_int_equal(call(fixture, "/HotRules", "{}"), 200);
	snprintf(body, sizeof(body), "{\"ID\":\"%s\"}", text(first(fixture, "Rules"), "ID"));
	assert_int_equal(call(fixture, "/HotDetach", body), 200);
	assert_int_equal(call(fixture, "/HotDetach", body), 404);
	assert_int_equal(records(fixture, NULL), 0);
	assert_false(hv_rules_are_any(fixture->attacher));
	fake_engine_free(engine);
}

API_TEST(an_attachment_of_no_rule_goes_before_a_rule)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/HotAttach",
				 "{\"Volume\":\"other\",\"Container\":\"a\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_int_equal(length(fixture->body, "Attachments"), 1);
	assert_int_equal(length(fixture->body, "Skipped"), 1);
	expect_counts(fixture, 1, 0, 1);
	assert_int_equal(
		call(fixture, "/HotDetach", "{\"Container\":\"a\",\"Target\":\"/m\"}"), 200);
	assert_int_equal(hv_rules_apply(fixture->attacher, &fixture->world->err), HV_OK);
	expect_counts(fixture, 2, 0, 0);
	/* Asked for by itself, it is of no rule any more. */
	assert_int_equal(call(fixture, "/HotAttach",
				 "{\"Volume\":\"data\",\"Container\":\"a\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(hv_rules_apply(fixture->attacher, &fixture->world->err), HV_OK);
	expect_counts(fixture, 1, 0, 1);
	fake_engine_free(engine);
}

API_TEST(an_older_rule_goes_before_a_younger_one)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"other\",\"Selector\":\"label:tier\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(length(fixture->body, "Skipped"), 2);
	assert_int_equal(records(fixture, NULL), 2);
	assert_int_equal(call(fixture, "/HotDetach",
				 "{\"Selector\":\"label:tier=front\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(hv_rules_apply(fixture->attacher, &fixture->world->err), HV_OK);
	expect_counts(fixture, 2, 0, 0);
	fake_engine_free(engine);
}

API_TEST(a_volume_that_a_rule_needs_is_not_removed)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"service:x\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 409);
	assert_non_null(strstr(text_at(fixture, "Err"), "service:x"));
	assert_int_equal(
		call(fixture, "/HotDetach", "{\"Selector\":\"service:x\",\"Target\":\"/m\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
	fake_engine_free(engine);
}

API_TEST(a_container_that_is_created_has_what_the_rules_want_without_the_engine)
{
	static const char d[] = ID("dddd");
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);
	struct hv_opts front = {0}, none = {0};

	assert_int_equal(hv_opts_add(&front, "tier", "front"), 0);
	assert_false(hv_rules_may_want(fixture->attacher, d));
	assert_int_equal(call(fixture, "/HotAttach", RULE), 200);
	assert_false(hv_rules_may_want(fixture->attacher, d)); /* nobody would tell */
	hv_rules_set_told(fixture->attacher, true);
	assert_true(hv_rules_may_want(fixture->attacher, d));
	assert_true(hv_rules_select(fixture->attacher, d, &front));
	assert_true(hv_rules_may_want(fixture->attacher, d));
	hv_rules_apply_created(fixture->attacher, d, "d", &front);
	assert_false(hv_rules_may_want(fixture->attacher, d));
	assert_int_equal(records(fixture, d), 1);
	hv_rules_apply_created(fixture->attacher, d, "d", &front); /* again */
	assert_int_equal(records(fixture, d), 1);
	assert_true(hv_rules_may_want(fixture->attacher, C));
	assert_false(hv_rules_select(fixture->attacher, C, &none));
	assert_false(hv_rules_may_want(fixture->attacher, C));
	hv_rules_wait(fixture->attacher, ID("eeee"), 1); /* over: it is of another Engine */
	assert_false(hv_rules_may_want(fixture->attacher, ID("eeee")));
	hv_opts_done(&front);
	fake_engine_free(engine);
}

API_TEST(hot_check_with_a_selector_lists_all_containers)
{
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/HotCheck", RULE), 200);
	assert_non_null(strstr(text(first(fixture, "Checks"), "Detail"), "2 containers"));
	assert_non_null(strstr(fixture->reply.body, "a: target"));
	assert_non_null(strstr(fixture->reply.body, "b: target"));
	assert_null(strstr(fixture->reply.body, "c: target"));
	assert_int_equal(records(fixture, NULL), 0);
	fake_engine_free(engine);
}

/* The detail of the first check of that selector, which selects none. */
static const char *check_none(struct fixture *fixture, const char *selector)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"Volume\":\"data\",\"Selector\":\"%s\",\"Target\":\"/m\"}",
		selector);
	assert_int_equal(call(fixture, "/HotCheck", body), 200);
	assert_int_equal(length(fixture->body, "Checks"), 1);
	return text(first(fixture, "Checks"), "Detail");
}

#define NONE "it selects 0 containers now, and each that is created later"
#define PROJECT "com.docker.compose.project"
#define SERVICE "com.docker.compose.service"
#define COMPOSE(project, service) "\"" PROJECT "\":\"" project "\",\"" SERVICE "\":\"" service "\""

API_TEST(a_selector_that_selects_none_is_told_the_nearest_values)
{
	static const char *const cases[][2] = {
		{"compose:shop/wbe",
			NONE "; containers with " PROJECT "=shop have " SERVICE "=db, web"},
		{"compose:shp/web", NONE "; containers have " PROJECT "=blog, shop"},
		{"compose:shp", NONE "; containers have " PROJECT "=blog, shop"},
		{"label:" SERVICE "=w", NONE "; containers have " SERVICE "=db, web"},
		{"label:nothing=x", NONE},
		{"label:nothing", NONE},
		{"service:web", NONE},
	};
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	fake_engine_set(engine, "/containers/json",
		OK "[" LISTED(A, "a", COMPOSE("shop", "web")) "," LISTED(B, "b",
			COMPOSE("shop", "db")) "," LISTED(C, "c", COMPOSE("blog", "web")) "]");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(check_none(fixture, cases[i][0]), cases[i][1]);
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"compose:shop/wbe\",\"Target\":\"/m\"}"),
		200);
	assert_string_equal(text_at(fixture, "Near"),
		"containers with " PROJECT "=shop have " SERVICE "=db, web");
	assert_int_equal(
		call(fixture, "/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"compose:shop/web\",\"Target\":\"/m\"}"),
		200);
	assert_null(strstr(fixture->reply.body, "Near"));
	fake_engine_free(engine);
}

API_TEST(of_many_nearest_values_and_of_long_ones_some_are_left_out)
{
	static const char long_value[] =
		"0123456789012345678901234567890123456789012345678901234567890123";
	struct fixture *fixture = *state;
	char socket[100], list[8192];
	struct fake_engine *engine = start(fixture, socket);
	size_t used;

	used = (size_t)snprintf(
		list, sizeof(list), OK "[" LISTED(A, "a", "\"t\":\"%s\""), long_value);
	for (int i = 0; i < 20; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
			"," LISTED(B, "b", "\"t\":\"v%d\""), i % 10);
	snprintf(list + used, sizeof(list) - used, "]");
	fake_engine_set(engine, "/containers/json", list);
	assert_string_equal(check_none(fixture, "label:t=x"),
		NONE "; containers have t=v0, v1, v2, v3, v4, v5, v6, v7, ...");
	fake_engine_free(engine);
}

API_TEST(create_with_a_selector_makes_a_rule_that_ends_with_the_volume)
{
	static const char create[] =
		"{\"Name\":\"own\",\"Opts\":{\"attach\":\"label:tier=front:/m:ro\"}}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	fake_engine_set(engine, "/containers/" B "/json", "");
	assert_int_not_equal(call(fixture, "/VolumeDriver.Create", create), 200);
	assert_false(hv_rules_are_any(fixture->attacher));
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"own\"}"), 404);
	assert_int_equal(records(fixture, NULL), 0);
	fake_engine_set(engine, "/containers/" B "/json", INSPECT(B, "b"));
	assert_int_equal(call(fixture, "/VolumeDriver.Create", create), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", create), 200); /* again */
	expect_counts(fixture, 2, 0, 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"own\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"own\"}"), 200);
	assert_false(hv_rules_are_any(fixture->attacher));
	assert_int_equal(records(fixture, NULL), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"own\"}"), 404);
	fake_engine_free(engine);
}

/* A Create that comes again for a volume whose rule was ended, and a container that refuses. */
API_TEST(create_again_that_fails_with_a_selector_leaves_the_volume)
{
	static const char create[] =
		"{\"Name\":\"own\",\"Opts\":{\"attach\":\"label:tier=front:/m\"}}";
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	assert_int_equal(call(fixture, "/VolumeDriver.Create", create), 200);
	assert_int_equal(call(fixture, "/HotDetach",
				 "{\"Selector\":\"label:tier=front\",\"Target\":\"/m\"}"),
		200);
	fake_engine_set(engine, "/containers/" B "/json", "");
	assert_int_not_equal(call(fixture, "/VolumeDriver.Create", create), 200);
	assert_false(hv_rules_are_any(fixture->attacher));
	assert_int_equal(records(fixture, NULL), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"own\"}"), 200);
	fake_engine_free(engine);
}

API_TEST(a_rule_borrows_a_path_only_while_it_is_attached)
{
	static const char d[] = ID("dddd");
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;
	char socket[100], body[300], *path = scratch_path(world->dir, "srv");
	struct fake_engine *engine = start(fixture, socket);
	struct hv_opts labels = {0};

	world_mkdir(world, "srv");
	assert_int_equal(hv_opts_add(&labels, "new", "1"), 0);
	snprintf(body, sizeof(body),
		"{\"Source\":{\"Path\":\"%s\"},\"Selector\":\"label:new\",\"Target\":\"/m\"}",
		path);
	assert_int_equal(call(fixture, "/HotAttach", body), 200);
	assert_int_equal(call(fixture, "/HotAttach", body), 200); /* again */
	expect_counts(fixture, 0, 0, 0);
	assert_string_equal(text(first(fixture, "Rules"), "Volume"), path);
	assert_false(row_has_volume(world->store, path));
	hv_rules_apply_created(fixture->attacher, d, "d", &labels);
	expect_counts(fixture, 1, 0, 0);
	assert_true(row_has_volume(world->store, path));
	assert_int_equal(
		call(fixture, "/HotDetach", "{\"Selector\":\"label:new\",\"Target\":\"/m\"}"), 200);
	assert_int_equal(records(fixture, NULL), 0);
	assert_false(row_has_volume(world->store, path));
	hv_opts_done(&labels);
	fake_engine_free(engine);
	free(path);
}

#define KEEPER                                                                                     \
	"{\"Id\":\"k1\",\"Names\":[\"/hostvol-keeps-lv\"],\"State\":\"running\","                  \
	"\"Labels\":{\"hostvol.keeps\":\"lv\"," FRONT "}}"

/* An Engine that has the volume lv of the driver local, and its keeper. */
static void tell_foreign(struct fixture *fixture, struct fake_engine *engine)
{
	char answer[400];

	snprintf(answer, sizeof(answer),
		OK
		"{\"Name\":\"lv\",\"Driver\":\"local\",\"Mountpoint\":\"%s/srv\",\"Options\":null}",
		fixture->world->dir);
	fake_engine_set(engine, "/volumes/lv", answer);
	fake_engine_set(engine, "/containers/json",
		OK "[" LISTED(A, "a", FRONT) "," LISTED(B, "b", FRONT) "," KEEPER "]");
	fake_engine_set(engine, "/containers/k1/json",
		OK "{\"Id\":\"k1\",\"Name\":\"/hostvol-keeps-lv\",\"State\":{\"Running\":true,"
		   "\"Pid\":7,\"StartedAt\":\"2999-01-01T00:00:00Z\"}}");
	fake_engine_set(engine, "/containers/k1", "HTTP/1.1 204 No Content\r\n\r\n");
	fake_engine_set(engine, "/images/hostvol-keeper:1", OK "[]");
}

API_TEST(a_rule_of_a_volume_of_another_driver_keeps_it_while_it_is_attached)
{
	static const char attach[] = "{\"Volume\":\"lv\",\"Selector\":\"label:tier=front\","
				     "\"Target\":\"/m\",\"As\":\"1000:1000\"}";
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	world_mkdir(world, "srv");
	tell_foreign(fixture, engine);
	assert_int_equal(call(fixture, "/HotAttach", attach), 200);
	assert_int_equal(length(fixture->body, "Attachments"), 2);
	assert_string_equal(text(first(fixture, "Attachments"), "Driver"), "local");
	assert_string_equal(text(first(fixture, "Attachments"), "As"), "1000:1000");
	expect_counts(fixture, 2, 0, 0);
	assert_int_equal(records(fixture, "k1"), 0);
	assert_true(row_has_volume(world->store, "lv"));
	assert_int_equal(fake_engine_deletes(engine), 0);
	assert_int_equal(call(fixture, "/HotDetach",
				 "{\"Selector\":\"label:tier=front\",\"Target\":\"/m\"}"),
		200);
	assert_int_equal(records(fixture, NULL), 0);
	assert_false(row_has_volume(world->store, "lv"));
	assert_true(fake_engine_deletes(engine) > 0);
	fake_engine_free(engine);
}

API_TEST(a_request_with_a_selector_that_is_wrong_is_refused)
{
	static const struct {
		const char *path, *body;
		unsigned status;
	} cases[] = {
		{"/HotAttach", "{\"Volume\":\"data\",\"Target\":\"/m\"}", 400},
		{"/HotAttach", "{\"Volume\":\"data\",\"Container\":\"\",\"Target\":\"/m\"}", 400},
		{"/HotAttach", "{\"Volume\":\"data\",\"Selector\":\"\",\"Target\":\"/m\"}", 400},
		{"/HotAttach", "{\"Volume\":\"data\",\"Selector\":\"web\",\"Target\":\"/m\"}", 400},
		{"/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"label:a\",\"Container\":\"a\",\"Target\":\"/m\"}",
			400},
		{"/HotAttach",
			"{\"Volume\":\"data\",\"Container\":\"a\",\"Target\":\"/m\",\"Each\":true}",
			400},
		{"/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"label:a\",\"Target\":\"/m\",\"Persist\":false}",
			400},
		{"/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"label:a\",\"Target\":\"/m\",\"For\":60}",
			400},
		{"/HotCheck",
			"{\"Volume\":\"data\",\"Selector\":\"label:a\",\"Target\":\"/m\",\"For\":60}",
			400},
		{"/HotAttach",
			"{\"Source\":{\"Path\":\"/nowhere/x\"},\"Selector\":\"label:a\",\"Target\":\"/m\"}",
			404},
		{"/HotAttach",
			"{\"Volume\":\"data\",\"Selector\":\"label:a\",\"Target\":\"/proc\"}", 403},
		{"/HotAttach", "{\"Volume\":\"nobody\",\"Selector\":\"label:a\",\"Target\":\"/m\"}",
			404},
		{"/HotDetach", "{\"Selector\":\"label:a\"}", 400},
		{"/HotDetach", "{\"Selector\":\"label:a\",\"ID\":\"0123456789ab\"}", 400},
		{"/HotDetach", "{\"Selector\":\"label:a\",\"Target\":\"/m\",\"Container\":\"a\"}",
			400},
		{"/HotRules", "{\"Volume\":\"data\"}", 400},
	};
	struct fixture *fixture = *state;
	char socket[100];
	struct fake_engine *engine = start(fixture, socket);

	fake_engine_set(engine, "/volumes/nobody", NO_SUCH_VOLUME);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(call(fixture, cases[i].path, cases[i].body), cases[i].status);
	assert_false(hv_rules_are_any(fixture->attacher));
	fake_engine_free(engine);
}

TEST_MAIN_IN_NAMESPACE()
