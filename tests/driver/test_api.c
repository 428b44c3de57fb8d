/* SPDX-License-Identifier: Apache-2.0 */
/* The whole interface but for HTTP, on a real store and a real mount library. */
#include <errno.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/hv_test.h"
#include "wire/clock.h"

#include "api_fixture.h"
#include "fake_engine.h"

static const char *const endpoints[] = {"/Plugin.Activate", "/VolumeDriver.Capabilities",
	"/VolumeDriver.Create", "/VolumeDriver.Remove", "/VolumeDriver.Mount",
	"/VolumeDriver.Unmount", "/VolumeDriver.Path", "/VolumeDriver.Get", "/VolumeDriver.List",
	"/HotAttach", "/HotDetach", "/HotList", "/HotInfo"};

enum { ENDPOINTS = sizeof(endpoints) / sizeof(endpoints[0]) };

static bool takes_no_body(const char *path)
{
	static const char *const paths[] = {
		"/Plugin.Activate", "/VolumeDriver.Capabilities", "/VolumeDriver.List", "/HotInfo"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strcmp(paths[i], path) == 0)
			return true;
	return false;
}

API_TEST(the_handshake_is_answered_to_the_letter)
{
	struct fixture *fixture = *state;

	assert_int_equal(call_bytes(fixture, "POST", "/Plugin.Activate", NULL, 0), 200);
	assert_string_equal(
		fixture->reply.body, "{\"Err\":\"\",\"Implements\":[\"VolumeDriver\"]}");
	assert_int_equal(call(fixture, "/VolumeDriver.Capabilities", "{}\n"), 200);
	assert_string_equal(
		fixture->reply.body, "{\"Err\":\"\",\"Capabilities\":{\"Scope\":\"local\"}}");
}

/* The Engine repeats a request with an empty body, which must never pass for a request.  Get and
 * Path do not answer it (0): an error would make the Engine forget the volume. */
static unsigned refusal(const char *endpoint, const char *body)
{
	bool is_get = strcmp(endpoint, "/VolumeDriver.Get") == 0 ||
		      strcmp(endpoint, "/VolumeDriver.Path") == 0;

	return is_get && !*body ? 0 : 400;
}

API_TEST(an_empty_or_senseless_body_is_refused_everywhere)
{
	static const char *const bodies[] = {"", "\n", "{", "null", "[]", "7", "{\"Name\":7}",
		"{\"Name\":\"a\"} x", "\xff", "{}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ENDPOINTS; i++) {
		for (size_t j = 0; j < sizeof(bodies) / sizeof(bodies[0]); j++) {
			unsigned status = call(fixture, endpoints[i], bodies[j]);

			if (takes_no_body(endpoints[i]))
				assert_int_equal(status, 200);
			else if (strcmp(endpoints[i], "/HotList") == 0 &&
				 strcmp(bodies[j], "{}") == 0)
				assert_int_equal(status, 200);
			else
				assert_int_equal(status, refusal(endpoints[i], bodies[j]));
		}
		if (!takes_no_body(endpoints[i]))
			assert_int_equal(call_bytes(fixture, "POST", endpoints[i], NULL, 0),
				refusal(endpoints[i], ""));
	}
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

API_TEST(only_post_is_answered)
{
	static const char *const methods[] = {
		"GET", "PUT", "HEAD", "DELETE", "post", "", "AVERYLONGMETHODNAMEINDEED"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ENDPOINTS; i++)
		for (size_t j = 0; j < sizeof(methods) / sizeof(methods[0]); j++)
			assert_int_equal(call_bytes(fixture, methods[j], endpoints[i],
						 "{\"Name\":\"data\"}", 15),
				405);
}

/* The value of a series, by all that stands before it in its line; -1: there is none. */
static double series(const struct fixture *fixture, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = fixture->reply.body; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ' ')
			return strtod(line + length, NULL);
	}
	return -1;
}

static void scrape(struct fixture *fixture)
{
	assert_int_equal(call_bytes(fixture, "GET", "/metrics", NULL, 0), 200);
	assert_string_equal(fixture->reply.type, "text/plain; version=0.0.4; charset=utf-8");
}

API_TEST(metrics_are_text_and_read_only)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "get"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		assert_int_equal(call_bytes(fixture, methods[i], "/metrics", "{}", 2), 405);
	assert_int_equal(call_bytes(fixture, "HEAD", "/metrics", NULL, 0), 200);
	scrape(fixture);
	assert_true(series(fixture, "hostvol_build_info{version=\"" HOSTVOL_VERSION "\"}") == 1);
	assert_true(series(fixture, "hostvol_queue_length") == 0);
	assert_true(series(fixture, "hostvol_stuck_helpers") == 0);
	assert_true(series(fixture, "process_open_fds") > 2);
	assert_true(series(fixture, "process_resident_memory_bytes") > 100000);
	assert_true(series(fixture, "process_cpu_seconds_total") > 0);
	assert_true(series(fixture, "process_start_time_seconds") > 1.6e9);
	assert_true(series(fixture, "process_start_time_seconds") <= (double)time(NULL) + 1);
}

API_TEST(metrics_count_the_records)
{
	struct fixture *fixture = *state;

	row_add_volume(fixture->world->store, "data");
	row_put(fixture->world->store, "0123456789ab", "data", "c", true);
	row_put(fixture->world->store, "1123456789ab", "data", "c", true);
	row_put(fixture->world->store, "2123456789ab", "data", "c", false); /* an intent */
	scrape(fixture);
	assert_true(series(fixture, "hostvol_volumes") == 1);
	assert_true(series(fixture, "hostvol_attachments{state=\"attached\"}") == 2);
	assert_true(series(fixture, "hostvol_attachments{state=\"missing\"}") == 0);
	assert_true(series(fixture, "hostvol_commits_total") >= 4);
	fixture->is_unreadable = true;
	scrape(fixture);
	assert_true(series(fixture, "hostvol_volumes") == -1);
	assert_true(series(fixture, "hostvol_attachments{state=\"attached\"}") == -1);
	assert_true(series(fixture, "hostvol_commits_total") >= 4);
}

API_TEST(metrics_count_requests_by_endpoint_and_code)
{
	static const char list[] = "hostvol_requests_total{endpoint=\"/HotList\",code=\"ok\"}";
	static const char bad[] =
		"hostvol_requests_total{endpoint=\"/HotList\",code=\"bad-request\"}";
	static const char other[] =
		"hostvol_requests_total{endpoint=\"other\",code=\"no-such-endpoint\"}";
	struct fixture *fixture = *state;
	double lists, bads, others;

	call(fixture, "/HotList", "{}");
	call(fixture, "/HotList", "{");
	call(fixture, "/nowhere", "{}");
	scrape(fixture);
	lists = series(fixture, list);
	bads = series(fixture, bad);
	others = series(fixture, other);
	assert_true(lists >= 1 && bads >= 1 && others >= 1);
	call(fixture, "/HotList", "{}");
	call(fixture, "/HotList", "{\"Misspelt\":1}");
	call(fixture, "/elsewhere\"}\n", "{}");
	call(fixture, "/HotLis", "{}");
	scrape(fixture);
	assert_true(series(fixture, list) == lists + 1);
	assert_true(series(fixture, bad) == bads + 1);
	assert_true(series(fixture, other) == others + 2);
	assert_null(strstr(fixture->reply.body, "elsewhere"));
}

static size_t count_events(struct fixture *fixture, const char *body)
{
	struct json_object *array = NULL;

	assert_int_equal(call(fixture, "/HotEvents", body), 200);
	assert_true(json_object_object_get_ex(fixture->body, "Events", &array));
	return json_object_array_length(array);
}

static long long last_event(const struct fixture *fixture)
{
	struct json_object *last = NULL;

	assert_true(json_object_object_get_ex(fixture->body, "Last", &last));
	return json_object_get_int64(last);
}

API_TEST(events_are_listed)
{
	struct fixture *fixture = *state;

	assert_int_equal(count_events(fixture, "{}"), 0);
	assert_int_equal(last_event(fixture), 0);
	row_put(fixture->world->store, "0123456789ab", "data", "c", true);
	row_put(fixture->world->store, "1123456789ab", "data", "c", true);
	assert_int_equal(count_events(fixture, "{\"Since\":\"\"}"), 2);
	assert_int_equal(last_event(fixture), 2);
	assert_int_equal(count_events(fixture, "{\"After\":1,\"WaitSeconds\":60}"), 1);
	assert_non_null(strstr(fixture->reply.body, "{\"Seq\":2,\"Time\":\"20"));
	assert_non_null(strstr(fixture->reply.body,
		"Z\",\"Action\":\"attach\",\"Volume\":\"data\",\"ContainerID\":\"c\","
		"\"ContainerName\":\"web\",\"Target\":\"/mnt/data\",\"ID\":\"1123456789ab\"}]"));
	assert_int_equal(count_events(fixture, "{\"Limit\":1}"), 1);
	assert_int_equal(last_event(fixture), 2);
	assert_int_equal(count_events(fixture, "{\"After\":-1}"), 0);
	assert_int_equal(last_event(fixture), 2);
	assert_int_equal(count_events(fixture, "{\"Since\":\"2099-01-01T00:00:00Z\"}"), 0);
	assert_int_equal(count_events(fixture, "{\"Until\":\"2001-01-01T00:00:00Z\"}"), 0);
}

API_TEST(events_are_asked_for_with_sense)
{
	static const char *const bodies[] = {"{\"Since\":\"yesterday\"}", "{\"Until\":\"10m\"}",
		"{\"Limit\":-1}", "{\"Limit\":1001}", "{\"WaitSeconds\":61}",
		"{\"WaitSeconds\":-1}", "{\"Wait\":1}", "{\"After\":\"1\"}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(call(fixture, "/HotEvents", bodies[i]), 400);
}

struct waiter {
	struct fixture *fixture;
	struct hv_events events;
};

static void *wait_for_event(void *argument)
{
	static const struct hv_events_request request = {.after = -1, .wait_seconds = 60};
	struct waiter *waiter = argument;
	struct hv_error err = {0};

	assert_int_equal(
		hv_attachments_events(waiter->fixture->attacher, &request, &waiter->events, &err),
		HV_OK);
	return NULL;
}

API_TEST(a_request_that_waits_ends_with_the_event)
{
	struct waiter waiter = {.fixture = *state};
	const struct hv_events_request now = {.after = -1, .wait_seconds = 60};
	long long began_ms = hv_clock_ms();
	struct hv_error err = {0};
	pthread_t thread;

	alarm(50);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_event, &waiter), 0);
	/* Whether the thread waits already cannot be seen: put another row until it is done. */
	for (int i = 0; pthread_tryjoin_np(thread, NULL) != 0; i++) {
		const struct timespec pause = {.tv_nsec = 10000000};
		char id[16];

		snprintf(id, sizeof(id), "%012x", (unsigned)i);
		row_put(waiter.fixture->world->store, id, "data", "c", true);
		nanosleep(&pause, NULL);
	}
	assert_true(waiter.events.count > 0);
	assert_string_equal(waiter.events.items[0].action, "attach");
	hv_events_done(&waiter.events);
	/* And with the daemon. */
	hv_attacher_stop(waiter.fixture->attacher);
	assert_int_equal(
		hv_attachments_events(waiter.fixture->attacher, &now, &waiter.events, &err), HV_OK);
	assert_int_equal(waiter.events.count, 0);
	assert_true(hv_clock_ms() - began_ms < 30000);
	alarm(0);
}

API_TEST(other_paths_are_no_endpoints)
{
	static const char *const paths[] = {"", "/", "/VolumeDriver", "/VolumeDriver.create",
		"/VolumeDriver.Get/", "//VolumeDriver.Get", "/HotAttach\n", "/\xff\xc3",
		"/hotattach", "*",
		"/12345678901234567890123456789012345678901234567890123456789012\xe2\x82\xac"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(call(fixture, paths[i], "{}"), 404);
		assert_string_equal(text_at(fixture, "Code"), "no-such-endpoint");
	}
}

static bool hangs_up(const char *path)
{
	static const char *const paths[] = {"Get", "List", "Path", "Mount", "Unmount"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (strncmp(path, "/VolumeDriver.", 14) == 0 && strcmp(path + 14, paths[i]) == 0)
			return true;
	return false;
}

API_TEST(with_unreadable_state_docker_keeps_its_records)
{
	struct fixture *fixture = *state;

	fixture->is_unreadable = true;
	for (size_t i = 0; i < ENDPOINTS; i++) {
		unsigned status = call(fixture, endpoints[i], "{\"Name\":\"data\"}");

		if (hangs_up(endpoints[i])) {
			assert_true(fixture->reply.hang_up);
			assert_int_equal(fixture->reply.err.code, HV_STATE_UNREADABLE);
		} else if (strcmp(endpoints[i], "/HotInfo") == 0) {
			assert_int_equal(status, 200); /* it is what explains */
			assert_string_equal(text_at(fixture, "StateProblem"), "the disk is gone");
		} else if (takes_no_body(endpoints[i])) {
			assert_int_equal(status, 200);
		} else {
			assert_int_equal(status, 503);
			assert_string_equal(text_at(fixture, "Code"), "state-unreadable");
			assert_non_null(strstr(text_at(fixture, "Err"), "the disk is gone"));
		}
	}
}

/* Docker shows Err alone; our own command shows the hint on a line of its own. */
API_TEST(the_hint_is_folded_for_docker_only)
{
	struct fixture *fixture = *state;

	fixture->is_unreadable = true;
	call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	assert_string_equal(text_at(fixture, "Err"), "the disk is gone (put it back)");
	call(fixture, "/HotList", "{}");
	assert_string_equal(text_at(fixture, "Err"), "the disk is gone");
	assert_string_equal(text_at(fixture, "Hint"), "put it back");
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(object, name, &value));
	return value;
}

static void expect_rfc3339(const char *text)
{
	struct tm parts = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
	struct timespec now; /* time(2) may be a tick behind */
	time_t when;

	assert_non_null(rest);
	assert_int_equal(*rest, '.');
	rest += 1 + strspn(rest + 1, "0123456789");
	assert_string_equal(rest, "Z");
	when = timegm(&parts);
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
	assert_true(when <= now.tv_sec && when > now.tv_sec - 600);
}

API_TEST(a_volume_lives_through_all_calls)
{
	struct fixture *fixture = *state;
	struct json_object *volume;
	char mountpoint[256], source[256];

	snprintf(mountpoint, sizeof(mountpoint), "%s/data", fixture->world->mounts);
	snprintf(source, sizeof(source), "%s/volumes/data/_data", fixture->world->state);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\",\"Opts\":null}\n"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 200);
	volume = member(fixture->body, "Volume");
	assert_string_equal(json_object_get_string(member(volume, "Name")), "data");
	assert_string_equal(json_object_get_string(member(volume, "Mountpoint")), source);
	expect_rfc3339(json_object_get_string(member(volume, "CreatedAt")));
	volume = member(volume, "Status");
	assert_string_equal(json_object_get_string(member(volume, "source")), source);
	assert_string_equal(json_object_get_string(member(volume, "kind")), "managed");
	assert_int_equal(json_object_array_length(member(volume, "attachments")), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Path", "{\"Name\":\"data\"}"), 200);
	assert_string_equal(text_at(fixture, "Mountpoint"), mountpoint);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"a\"}"), 200);
	assert_string_equal(text_at(fixture, "Mountpoint"), mountpoint);
	assert_int_equal(world_count_mounts(fixture->world, "data"), 1);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"a\"}"), 200);
	assert_int_equal(world_count_mounts(fixture->world, "data"), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 404);
}

API_TEST(a_mount_that_nobody_waits_for_is_taken_back)
{
	struct fixture *fixture = *state;

	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	assert_null(fixture->reply.mounted.volume);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"a\"}"), 200);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"b\"}"), 200);
	assert_string_equal(fixture->reply.mounted.volume, "data");
	hv_api_unanswered(&fixture->api, &fixture->reply.mounted);
	assert_null(fixture->reply.mounted.volume);
	assert_int_equal(world_count_mounts(fixture->world, "data"), 1); /* "a" has it */
	assert_int_equal(
		call(fixture, "/VolumeDriver.Unmount", "{\"Name\":\"data\",\"ID\":\"a\"}"), 200);
	assert_int_equal(world_count_mounts(fixture->world, "data"), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
}

API_TEST(an_unknown_volume_is_not_found)
{
	static const char *const paths[] = {"Get", "Path", "Mount", "Remove"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/VolumeDriver.%s", paths[i]);
		assert_int_equal(call(fixture, path, "{\"Name\":\"nobody\",\"ID\":\"a\"}"), 404);
		assert_string_equal(text_at(fixture, "Code"), "no-such-volume");
		assert_non_null(strstr(text_at(fixture, "Err"), "nobody"));
	}
	assert_int_equal(
		call(fixture, "/VolumeDriver.Unmount", "{\"Name\":\"nobody\",\"ID\":\"a\"}"), 200);
}

API_TEST(bad_creates_are_refused_with_their_reason)
{
	static const struct {
		const char *body, *told;
	} cases[] = {
		{"{\"Name\":\"\"}", "\"Name\" is empty"},
		{"{\"Opts\":{}}", "\"Name\" is missing"},
		{"{\"Name\":null}", "\"Name\" is missing"},
		{"{\"Name\":\"../../etc/x y\"}", "is not a volume name"},
		{"{\"Name\":\"data\",\"Opts\":{\"colour\":\"red\"}}", "unknown option 'colour'"},
		{"{\"Name\":\"data\",\"Opts\":{\"path\":\"srv\"}}", "absolute"},
		{"{\"Name\":\"data\",\"Opts\":[]}", "must be an object"},
		{"{\"Name\":\"da\\u0000ta\"}", "NUL"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(call(fixture, "/VolumeDriver.Create", cases[i].body), 400);
		assert_non_null(strstr(text_at(fixture, "Err"), cases[i].told));
	}
	assert_int_equal(row_count_volumes(fixture->world->store), 0);
}

API_TEST(list_shows_each_volume_with_dockers_mountpoint)
{
	struct fixture *fixture = *state;
	struct json_object *volumes, *first;
	char mountpoint[256];

	assert_int_equal(call(fixture, "/VolumeDriver.List", "{}"), 200);
	assert_int_equal(json_object_array_length(member(fixture->body, "Volumes")), 0);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"bb\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"aa\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.List", ""), 200);
	volumes = member(fixture->body, "Volumes");
	assert_int_equal(json_object_array_length(volumes), 2);
	first = json_object_array_get_idx(volumes, 0);
	snprintf(mountpoint, sizeof(mountpoint), "%s/aa", fixture->world->mounts);
	assert_string_equal(json_object_get_string(member(first, "Name")), "aa");
	assert_string_equal(json_object_get_string(member(first, "Mountpoint")), mountpoint);
	expect_rfc3339(json_object_get_string(member(first, "CreatedAt")));
}

/* List shows these `targets` of the volume at `at`, oldest first. */
static void expect_listed_targets(struct fixture *fixture, size_t at, const char *targets)
{
	struct json_object *volume =
		json_object_array_get_idx(member(fixture->body, "Volumes"), at);
	struct json_object *list = member(member(volume, "Status"), "attachments");
	char text[64] = "";

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		strncat(text,
			json_object_get_string(
				member(json_object_array_get_idx(list, i), "target")),
			sizeof(text) - strlen(text) - 1);
		strncat(text, " ", sizeof(text) - strlen(text) - 1);
	}
	assert_string_equal(text, targets);
}

static void put_at(struct fixture *fixture, const char *id, const char *volume, const char *target)
{
	struct hv_record record = row_record(id, volume, "c1");
	struct hv_error err = {0};

	free(record.view.target);
	record.view.target = strdup(target);
	record.is_done = target[1] != '-';
	assert_int_equal(hv_store_attachment_put(fixture->world->store, &record, &err), HV_OK);
	hv_record_done(&record);
}

API_TEST(list_shows_the_attachments_of_each_volume)
{
	struct fixture *fixture = *state;

	put_at(fixture, "f", "bb", "/1");
	put_at(fixture, "e", "aaa", "/2"); /* of none that is listed */
	put_at(fixture, "d", "cc", "/3");
	put_at(fixture, "c", "bb", "/-");
	put_at(fixture, "b", "zz", "/5");
	put_at(fixture, "a", "bb", "/6");
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"aa\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"bb\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"cc\"}"), 200);
	assert_int_equal(call(fixture, "/VolumeDriver.List", ""), 200);
	expect_listed_targets(fixture, 0, "");
	expect_listed_targets(fixture, 1, "/1 /6 ");
	expect_listed_targets(fixture, 2, "/3 ");
}

API_TEST(get_shows_attachments_and_remove_needs_the_engine_for_them)
{
	struct fixture *fixture = *state;
	struct json_object *status;

	call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	row_put(fixture->world->store, "0123456789ab", "data", "c1", true);
	row_put(fixture->world->store, "0123456789ac", "data", "c1", false); /* an intent */
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 200);
	status = member(member(fixture->body, "Volume"), "Status");
	assert_int_equal(json_object_array_length(member(status, "attachments")), 1);
	status = json_object_array_get_idx(member(status, "attachments"), 0);
	assert_string_equal(json_object_get_string(member(status, "container")), "web");
	assert_string_equal(json_object_get_string(member(status, "target")), "/mnt/data");
	assert_string_equal(json_object_get_string(member(status, "mode")), "rw");
	assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 409);
	assert_string_equal(text_at(fixture, "Code"), "volume-in-use");
	assert_non_null(strstr(text_at(fixture, "Err"), "'web' at /mnt/data"));
	assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 200);
}

static void expect_option(struct fixture *fixture, const char *text)
{
	struct json_object *status = member(member(fixture->body, "Volume"), "Status");

	assert_string_equal(json_object_get_string(member(member(status, "options"), "o")), text);
}

API_TEST(passwords_are_not_shown)
{
	static const struct {
		const char *o, *shown;
	} cases[] = {
		{"username=u,password=hunter2,ro", "username=u,password=***,ro"},
		{"password=a,,b,,c,vers=3", "password=***,vers=3"},
		{"pass=,ro", "pass=***,ro"},
		{"Passwd=x,password2=y", "Passwd=***,password2=***"},
		{"name=admin,secret=QUJD==", "name=admin,secret=***"},
		{"secret=a,,", "secret=***"},
		{"credentials=/etc/smb,nopassword=1,compass=n",
			"credentials=/etc/smb,nopassword=1,compass=n"},
		{"", ""},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[256];

		snprintf(body, sizeof(body),
			"{\"Name\":\"data\",\"Opts\":{\"type\":\"cifs\",\"device\":\"//h/s\",\"o\":\"%s\"}}",
			cases[i].o);
		assert_int_equal(call(fixture, "/VolumeDriver.Create", body), 200);
		assert_int_equal(call(fixture, "/VolumeDriver.Get", "{\"Name\":\"data\"}"), 200);
		expect_option(fixture, cases[i].shown);
		assert_int_equal(
			call(fixture, "/HotSet", "{\"Volume\":\"data\",\"Opts\":{\"uid\":\"5\"}}"),
			200);
		expect_option(fixture, cases[i].shown);
		assert_int_equal(call(fixture, "/VolumeDriver.Remove", "{\"Name\":\"data\"}"), 200);
	}
}

API_TEST(hot_calls_refuse_fields_they_do_not_know)
{
	static const char *const paths[] = {
		"/HotAttach", "/HotDetach", "/HotList", "/HotCheck", "/HotSet"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(call(fixture, paths[i], "{\"Readonly\":true}"), 400);
		assert_non_null(strstr(text_at(fixture, "Err"), "\"Readonly\""));
	}
}

API_TEST(hot_attach_tells_what_is_wrong)
{
#define ATTACH(volume, target)                                                                     \
	"{\"Volume\":\"" volume "\",\"Container\":\"web\",\"Target\":\"" target "\"}"
#define WITH(more) "{\"Volume\":\"data\",\"Container\":\"web\",\"Target\":\"/m\"," more "}"
	static const struct {
		const char *body;
		unsigned status;
		const char *code;
	} cases[] = {
		{ATTACH("data", "mnt"), 400, "bad-request"},
		{ATTACH("data", "/mnt/\\u001b[2J"), 400, "bad-request"},
		{ATTACH("data", "/"), 403, "target-refused"},
		{ATTACH("data", "/mnt/../proc/1"), 403, "target-refused"},
		{ATTACH("/nobody", "/mnt"), 404, "no-such-volume"},
		{ATTACH("nobody", "/mnt"), 500, "internal"}, /* no Engine, which may know it */
		{ATTACH("data", "/mnt"), 500, "internal"},   /* no Engine */
		{WITH("\"Propagation\":\"slave\""), 500, "internal"}, /* no Engine */
		{WITH("\"Propagation\":\"slave\",\"ReadOnly\":true"), 400, "bad-request"},
		{WITH("\"Propagation\":\"slave\",\"NoSuid\":true"), 400, "bad-request"},
		{WITH("\"Propagation\":\"slave\",\"As\":\"1000\""), 400, "bad-request"},
		{WITH("\"Propagation\":\"slave\",\"IDMap\":\"always\""), 400, "bad-request"},
		{WITH("\"Propagation\":\"shared\""), 400, "bad-request"},
		{WITH("\"Replace\":\"maybe\""), 400, "bad-request"},
		{WITH("\"Replace\":1"), 400, "bad-request"},
		{WITH("\"IDMap\":\"perhaps\""), 400, "bad-request"},
		{WITH("\"As\":\"www-data\""), 400, "bad-request"},
		{WITH("\"As\":\"1000:\""), 400, "bad-request"},
		{WITH("\"As\":\"4294967295\""), 400, "bad-request"},
		{WITH("\"As\":1000"), 400, "bad-request"},
		{WITH("\"Subpath\":\"/etc\""), 400, "bad-request"},
		{WITH("\"Subpath\":\"a/../b\""), 400, "bad-request"},
		{WITH("\"Subpath\":\"..\""), 400, "bad-request"},
		{WITH("\"NoSuid\":\"no\""), 400, "bad-request"},
		{WITH("\"Subpath\":\"..a/b..\",\"Replace\":true,\"IDMap\":\"never\",\"As\":\"1000:1000\""),
			500, "internal"}, /* all that, and no Engine */
		{"{\"Volume\":\"data\",\"Container\":\"web\"}", 400, "bad-request"},
	};
	struct fixture *fixture = *state;

	call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(call(fixture, "/HotAttach", cases[i].body), cases[i].status);
		assert_string_equal(text_at(fixture, "Code"), cases[i].code);
	}
	assert_int_equal(row_count_records(fixture->world->store, NULL, NULL, NULL), 0);
}

#define CONTAINERS(list) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" list

/* As when dockerd was killed: nobody tells of the end of its containers. */
API_TEST(set_forgives_references_of_no_container)
{
	static const struct fake_reply replies[] = {
		{"/containers/json", CONTAINERS("[{\"Id\":\"a\"}]"), 0, 0}, {NULL, NULL, 0, 0}};
	static const char set[] = "{\"Volume\":\"data\",\"Opts\":{\"ro\":\"true\"}}";
	struct fixture *fixture = *state;
	struct fake_engine *engine;
	char socket[100];

	snprintf(socket, sizeof(socket), "%s/engine.sock", fixture->world->dir);
	fixture->engine_socket = socket;
	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	assert_int_equal(
		call(fixture, "/VolumeDriver.Mount", "{\"Name\":\"data\",\"ID\":\"x\"}"), 200);
	assert_int_equal(call(fixture, "/HotSet", set), 409); /* no Engine can tell */
	engine = fake_engine_new(socket, replies);
	assert_int_equal(call(fixture, "/HotSet", set), 409);
	fake_engine_set(engine, "/containers/json", CONTAINERS("[]"));
	assert_int_equal(call(fixture, "/HotSet", set), 200);
	fake_engine_free(engine);
}

API_TEST(hot_info_tells_the_version_and_what_does_not_work)
{
	struct fixture *fixture = *state;

	assert_int_equal(call(fixture, "/HotInfo", ""), 200);
	assert_string_equal(text_at(fixture, "Version"), HOSTVOL_VERSION);
	assert_string_equal(text_at(fixture, "Mode"), "plain");
	assert_string_equal(text_at(fixture, "EngineID"), "");
	assert_non_null(strstr(text_at(fixture, "EngineProblem"), "/nowhere/docker.sock"));
	assert_string_equal(
		json_object_get_string(member(member(fixture->body, "Settings"), "HOSTVOL_LOG")),
		"info");
	assert_int_equal(
		json_object_get_int(member(member(fixture->body, "MountWork"), "Samples")), 0);
	assert_null(text_at(fixture, "StateProblem"));
	assert_null(text_at(fixture, "RecordsProblem"));
	/* True, or why not. */
	assert_true(json_object_get_boolean(member(member(fixture->body, "Drift"), "Told")) ==
		    !json_object_object_get(member(fixture->body, "Drift"), "Reason"));
}

API_TEST(hot_info_tells_a_record_that_is_damaged)
{
	struct fixture *fixture = *state;
	struct volume_fixture *world = fixture->world;

	assert_int_equal(call(fixture, "/VolumeDriver.Create", "{\"Name\":\"data\"}"), 200);
	assert_int_equal(
		hv_store_volume_set_phase(world->store, "data", (enum hv_phase)4, &world->err),
		HV_OK);
	assert_int_equal(call(fixture, "/VolumeDriver.List", ""), 200);
	assert_int_equal(call(fixture, "/HotInfo", ""), 200);
	assert_null(text_at(fixture, "StateProblem"));
	assert_non_null(
		strstr(text_at(fixture, "RecordsProblem"), "column phase of volume 'data'"));
}

TEST_MAIN_IN_NAMESPACE()
