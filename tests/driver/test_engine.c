/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/engine.h"
#include "support/hv_test.h"

#include "fake_engine.h"
#include "scratch.h"

#define ID "3f4e8f2b1c0d9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b"
#define INSPECT                                                                                    \
	"{\"Id\":\"" ID                                                                            \
	"\",\"Name\":\"/web\",\"State\":{\"Running\":true,\"Pid\":7,\"StartedAt\":\"2024\"}}"
#define HEAD(status) "HTTP/1.1 " status "\r\nContent-Type: application/json\r\n"
#define CLOSED "Connection: close\r\n\r\n"

enum { PATIENCE_MS = 20000, DEADLINE_MS = 200, TOO_LONG = 9 << 20 };

static const struct fake_reply replies[] = {
	{"/containers/web/json", HEAD("200 OK") CLOSED INSPECT, 0, 0},
	{"/containers/chunked/json",
		HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 0, 0},
	{"/containers/padded/json", HEAD("200 OK") CLOSED INSPECT, 1 << 20, 0},
	{"/containers/gone/json",
		HEAD("404 Not Found") CLOSED "{\"message\":\"No such container: gone\"}", 0, 0},
	{"/containers/none/json",
		HEAD("404 Not Found") CLOSED
		"{\"cause\":\"no such container\",\"message\":\"no container with name or ID "
		"\\\"none\\\" found: no such container\",\"response\":404}",
		0, 0},
	{"/containers/proxy/json", HEAD("404 Not Found") CLOSED "404 page not found\n", 0, 0},
	{"/containers/other/json", HEAD("404 Not Found") CLOSED "{\"message\":\"page not found\"}",
		0, 0},
	{"/containers/ab/json",
		HEAD("500 Internal Server Error") CLOSED
		"{\"message\":\"Multiple IDs found with provided prefix: ab\"}",
		0, 0},
	{"/containers/cd/json",
		HEAD("404 Not Found") CLOSED
		"{\"message\":\"multiple IDs found with provided prefix: cd\"}",
		0, 0},
	{"/containers/broken/json",
		HEAD("500 Internal Server Error") CLOSED "{\"message\":\"disk is on fire\"}", 0, 0},
	{"/containers/bare/json", HEAD("503 Busy") CLOSED "<html>", 0, 0},
	{"/containers/kept/json", HEAD("200 OK") "Content-Length: 2\r\n\r\n{}", 0, FAKE_SERVES_ON},
	{"/containers/empty/json", HEAD("200 OK") "Content-Length: 0\r\n\r\n", 0, 0},
	{"/containers/html/json", HEAD("200 OK") CLOSED "<html>hello</html>", 0, 0},
	{"/containers/garbage/json", "\x01\x02\x03 this is no HTTP\r\n\r\n", 0, 0},
	{"/containers/moved/json", HEAD("301 Moved") "Location: http://example.invalid/\r\n" CLOSED,
		0, 0},
	{"/containers/mute/json", "", 0, 1},
	{"/containers/slow/json", HEAD("200 OK") "Content-Length: 100\r\n\r\n{", 0, 1},
	{"/containers/cut/json", HEAD("200 OK") "Content-Length: 5000\r\n\r\n{\"Id\":", 0, 0},
	{"/containers/huge/json", HEAD("200 OK") CLOSED INSPECT, TOO_LONG, 0},
	{"/containers/web/start", HEAD("204 No Content") CLOSED, 0, 0},
	{"/containers/lost/start", "", 0, 0},
	{"/info", HEAD("200 OK") CLOSED "{\"ID\":\"ABCD:EFGH\"}", 0, 0},
	{NULL, NULL, 0, 0},
};

struct fixture {
	char *dir;
	char *socket;
	struct fake_engine *fake;
	struct hv_engine *engine;
	struct hv_error err;
};

static int open_socket(void *context)
{
	const struct fixture *fixture = context;
	int fd = open(fixture->socket, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct hv_engine_args args = {.open_socket = open_socket, .context = fixture};

	assert_non_null(fixture);
	fixture->dir = scratch_new();
	fixture->socket = scratch_path(fixture->dir, "docker.sock");
	fixture->fake = fake_engine_new(fixture->socket, replies);
	args.socket_path = fixture->socket;
	fixture->engine = hv_engine_new(&args);
	assert_non_null(fixture->engine);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	hv_engine_free(fixture->engine);
	fake_engine_free(fixture->fake);
	hv_error_done(&fixture->err);
	scratch_free(fixture->dir);
	free(fixture->socket);
	free(fixture);
	return 0;
}

static enum hv_code inspect(struct fixture *fixture, const char *name, long timeout_ms)
{
	struct hv_container container = {0};
	enum hv_code code;

	hv_error_done(&fixture->err);
	code = hv_engine_inspect(fixture->engine, name, timeout_ms, &container, &fixture->err);
	assert_int_equal(fixture->err.code, code);
	assert_true(code == HV_OK || !container.id);
	hv_container_done(&container);
	return code;
}

static bool told(const struct fixture *fixture, const char *text)
{
	if (strstr(hv_error_text(&fixture->err), text))
		return true;
	print_error("'%s' has no '%s'\n", hv_error_text(&fixture->err), text);
	return false;
}

#define ENGINE_TEST(name) STATE_TEST(name, struct fixture, fixture, setup, teardown)

ENGINE_TEST(a_container_is_found)
{
	struct hv_container container = {0};

	assert_int_equal(
		hv_engine_inspect(fixture->engine, "web", PATIENCE_MS, &container, &fixture->err),
		HV_OK);
	assert_string_equal(container.id, ID);
	assert_string_equal(container.name, "web");
	assert_int_equal(container.pid, 7);
	hv_container_done(&container);
	assert_int_equal(inspect(fixture, "padded", PATIENCE_MS), HV_OK);
}

ENGINE_TEST(what_the_engine_does_not_know_is_told_by_name)
{
	assert_int_equal(inspect(fixture, "gone", PATIENCE_MS), HV_NO_SUCH_CONTAINER);
	assert_true(told(fixture, "gone"));
	assert_non_null(fixture->err.hint);
	assert_int_equal(inspect(fixture, "none", PATIENCE_MS), HV_NO_SUCH_CONTAINER);
}

ENGINE_TEST(what_is_not_found_by_anything_else_is_no_container_that_is_gone)
{
	assert_int_equal(inspect(fixture, "proxy", PATIENCE_MS), HV_INTERNAL);
	assert_true(told(fixture, "404"));
	assert_int_equal(inspect(fixture, "other", PATIENCE_MS), HV_INTERNAL);
	assert_true(told(fixture, "page not found"));
}

ENGINE_TEST(a_prefix_of_two_containers_is_ambiguous)
{
	assert_int_equal(inspect(fixture, "ab", PATIENCE_MS), HV_AMBIGUOUS);
	assert_true(told(fixture, "'ab'"));
	assert_int_equal(inspect(fixture, "cd", PATIENCE_MS), HV_AMBIGUOUS);
}

ENGINE_TEST(names_that_no_container_has_are_not_even_sent)
{
	static const char *const names[] = {"", "../info", "a/b", "a b", "-x", ".x", "web?x=1",
		"web\r\nX: y", "%77eb", "web#", "w\xc3\xa9", "b\xff"};
	char longest[400];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(inspect(fixture, names[i], PATIENCE_MS), HV_NO_SUCH_CONTAINER);
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(inspect(fixture, longest, PATIENCE_MS), HV_NO_SUCH_CONTAINER);
	assert_int_equal(fake_engine_requests(fixture->fake), 0);
}

ENGINE_TEST(the_engines_own_failure_is_passed_on)
{
	assert_int_equal(inspect(fixture, "broken", PATIENCE_MS), HV_INTERNAL);
	assert_true(told(fixture, "disk is on fire"));
	assert_true(told(fixture, "500"));
	assert_int_equal(inspect(fixture, "bare", PATIENCE_MS), HV_INTERNAL);
	assert_true(told(fixture, "no reason given (HTTP 503)"));
	assert_int_equal(inspect(fixture, "moved", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(fake_engine_requests(fixture->fake), 3); /* not followed */
}

ENGINE_TEST(answers_that_make_no_sense_are_refused)
{
	static const char *const names[] = {
		"chunked", "empty", "html", "garbage", "cut", "huge", "unknown"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(inspect(fixture, names[i], PATIENCE_MS), HV_INTERNAL);
}

ENGINE_TEST(a_connection_is_used_again)
{
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
		assert_int_equal(fake_engine_requests(fixture->fake), i);
	}
	assert_int_equal(fake_engine_connections(fixture->fake), 1);
}

ENGINE_TEST(a_connection_that_the_engine_ended_is_made_again)
{
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	fake_engine_hang_up(fixture->fake);
	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_OK);
	assert_int_equal(fake_engine_connections(fixture->fake), 2);
}

/* The first one lives on, and would answer. */
ENGINE_TEST(a_connection_is_not_used_for_another_engine_at_the_same_path)
{
	struct fake_engine *first = fixture->fake;

	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	fixture->fake = fake_engine_new(fixture->socket, replies);
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(fake_engine_requests(first), 1);
	assert_int_equal(fake_engine_requests(fixture->fake), 1);
	fake_engine_free(first);
}

ENGINE_TEST(a_connection_is_not_used_after_a_request_that_failed)
{
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(inspect(fixture, "mute", DEADLINE_MS), HV_TIMEOUT);
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(fake_engine_connections(fixture->fake), 2);
}

ENGINE_TEST(a_start_has_a_connection_of_its_own)
{
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(
		hv_engine_start(fixture->engine, "web", PATIENCE_MS, &fixture->err), HV_OK);
	assert_int_equal(fake_engine_connections(fixture->fake), 2);
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(fake_engine_connections(fixture->fake), 2);
}

/* The Engine may have begun it before its connection ended. */
ENGINE_TEST(a_start_is_not_sent_again)
{
	assert_int_equal(inspect(fixture, "kept", PATIENCE_MS), HV_INTERNAL);
	assert_int_equal(
		hv_engine_start(fixture->engine, "lost", PATIENCE_MS, &fixture->err), HV_INTERNAL);
	assert_int_equal(fake_engine_posts(fixture->fake), 1);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

ENGINE_TEST(an_engine_that_does_not_answer_is_waited_for_until_the_deadline)
{
	long long start = now_ms();

	assert_int_equal(inspect(fixture, "mute", DEADLINE_MS), HV_TIMEOUT);
	assert_true(told(fixture, fixture->socket));
	assert_int_equal(inspect(fixture, "slow", DEADLINE_MS), HV_TIMEOUT);
	assert_true(now_ms() - start >= 2 * DEADLINE_MS - 20);
	assert_true(now_ms() - start < PATIENCE_MS);
}

ENGINE_TEST(no_engine_is_told_with_its_socket)
{
	fake_engine_free(fixture->fake);
	fixture->fake = NULL;
	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_INTERNAL); /* nobody listens */
	assert_true(told(fixture, fixture->socket));
	assert_int_equal(unlink(fixture->socket), 0);
	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_INTERNAL);
	assert_true(told(fixture, fixture->socket));
	assert_non_null(fixture->err.hint);
}

ENGINE_TEST(the_engine_tells_its_id)
{
	char *id = NULL;

	assert_int_equal(hv_engine_id(fixture->engine, PATIENCE_MS, &id, &fixture->err), HV_OK);
	assert_string_equal(id, "ABCD:EFGH");
	free(id);
}

static void expect_identity(struct fixture *fixture, const char *wanted)
{
	char *identity = NULL;

	assert_int_equal(
		hv_engine_identity(fixture->engine, PATIENCE_MS, &identity, &fixture->err), HV_OK);
	assert_string_equal(identity, wanted);
	free(identity);
}

ENGINE_TEST(an_engine_is_its_id_and_its_directory)
{
	long long containers = 0;
	char *identity = NULL;

	fake_engine_set(fixture->fake, "/info",
		HEAD("200 OK") CLOSED
		"{\"ID\":\"AB\",\"DockerRootDir\":\"/var/lib/docker\",\"Containers\":3}");
	expect_identity(fixture, "AB /var/lib/docker");
	fake_engine_set(fixture->fake, "/info", HEAD("200 OK") CLOSED "{\"ID\":\"CD\"}");
	expect_identity(fixture, "AB /var/lib/docker"); /* not asked again */
	assert_int_equal(hv_engine_identify(fixture->engine, PATIENCE_MS, &identity, &containers,
				 &fixture->err),
		HV_OK);
	assert_string_equal(identity, "CD ");
	assert_int_equal(containers, -1);
	free(identity);
}

/* Podman's. */
ENGINE_TEST(an_id_that_is_made_up_each_time_is_left_out)
{
	static const struct fake_reply podman[] = {
		{"/info",
			HEAD("200 OK") CLOSED
			"{\"ID\":\"#\",\"DockerRootDir\":\"/var/lib/containers/storage\"}",
			0, 0},
		{NULL, NULL, 0, 0},
	};

	fake_engine_free(fixture->fake);
	fixture->fake = fake_engine_new(fixture->socket, podman);
	expect_identity(fixture, " /var/lib/containers/storage");
}

/* dockerd makes its socket anew when it restarts. */
ENGINE_TEST(the_containers_of_a_volume_are_counted)
{
	static const char path[] =
		"/containers/json?all=1&filters=%7B%22volume%22%3A%5B%22data%22%5D%7D";
	const struct {
		const char *reply;
		enum hv_code code;
		size_t count;
	} cases[] = {
		{HEAD("200 OK") CLOSED "[]", HV_OK, 0},
		{HEAD("200 OK") CLOSED "[{\"Id\":\"a\",\"Mounts\":[]},{\"Id\":\"b\"}]\n", HV_OK, 2},
		{HEAD("200 OK") CLOSED "{}", HV_INTERNAL, 0},
		{HEAD("200 OK") CLOSED "[", HV_INTERNAL, 0},
		{HEAD("200 OK") CLOSED "", HV_INTERNAL, 0},
		{HEAD("404 Not Found") CLOSED "[]", HV_INTERNAL, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t count = 0;

		fake_engine_set(fixture->fake, path, cases[i].reply);
		assert_int_equal(hv_engine_volume_containers(
					 fixture->engine, "data", 5000, &count, &fixture->err),
			cases[i].code);
		assert_int_equal(count, cases[i].count);
		hv_error_done(&fixture->err);
	}
	assert_int_equal(hv_engine_volume_containers(
				 fixture->engine, "data\"]", 5000, &(size_t){0}, &fixture->err),
		HV_INTERNAL);
}

ENGINE_TEST(the_socket_is_opened_for_each_request)
{
	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_OK);
	fake_engine_free(fixture->fake);
	assert_int_equal(unlink(fixture->socket), 0);
	fixture->fake = fake_engine_new(fixture->socket, replies);
	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_OK);
}

ENGINE_TEST(no_request_leaves_a_descriptor_open)
{
	static const char *const names[] = {"web", "gone", "garbage", "cut", "huge", "bare"};
	unsigned fds;

	assert_int_equal(inspect(fixture, "web", PATIENCE_MS), HV_OK);
	fake_engine_free(fixture->fake); /* its descriptors come and go with its thread */
	fixture->fake = NULL;
	fds = hv_count_fds();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(unlink(fixture->socket), 0);
		fixture->fake = fake_engine_new(fixture->socket, replies);
		(void)inspect(fixture, names[i], PATIENCE_MS);
		fake_engine_free(fixture->fake);
		fixture->fake = NULL;
	}
	assert_int_equal(hv_count_fds(), fds);
}

TEST_MAIN()
