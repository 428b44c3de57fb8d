/* SPDX-License-Identifier: Apache-2.0 */
/* The real server on a unix socket, with calls that need no volume behind it. */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/hv_test.h"

#include "client.h"
#include "daemon/listener.h"
#include "daemon/server.h"
#include "scratch.h"

enum { PATIENCE_SECONDS = 120, STOP_MS = 60000, PARALLEL = 50, HUGE_BYTES = 10 << 20 };

struct fixture {
	char *dir;
	char *socket;
	struct hv_log log;
	struct hv_api api;
	struct hv_server *server;
	struct hv_socket_file file;
	int listening;
	int entered[2]; /* a byte for each call that waits in open_state */
	int leave[2];   /* a byte lets one of them go on */
	atomic_bool waits;
};

static enum hv_code open_state(void *context, struct hv_error *err)
{
	struct fixture *fixture = context;
	char byte;

	if (atomic_load(&fixture->waits)) {
		(void)!write(fixture->entered[1], "e", 1);
		(void)!read(fixture->leave[0], &byte, 1);
	}
	return hv_fail(err, HV_STATE_UNREADABLE, "no state in this test");
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	assert_non_null(fixture);
	fixture->dir = scratch_new();
	fixture->socket = scratch_path(fixture->dir, "hostvol.sock");
	fixture->log.level = HV_LOG_ERROR;
	fixture->api.open_state = open_state;
	fixture->api.context = fixture;
	fixture->api.mode = "plain";
	assert_int_equal(pipe2(fixture->entered, O_CLOEXEC), 0);
	assert_int_equal(pipe2(fixture->leave, O_CLOEXEC), 0);
	fd = hv_listen(fixture->socket, &fixture->file);
	assert_true(fd >= 0);
	fixture->listening = fd;
	fixture->server = hv_server_start(fd, &fixture->api, &fixture->log);
	assert_non_null(fixture->server);
	alarm(PATIENCE_SECONDS);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->server)
		hv_server_stop(fixture->server, STOP_MS);
	alarm(0);
	for (int i = 0; i < 2; i++) {
		close(fixture->entered[i]);
		close(fixture->leave[i]);
	}
	scratch_free(fixture->dir);
	free(fixture->socket);
	free(fixture);
	return 0;
}

static void expect_activate(int fd)
{
	char body[CLIENT_BODY_MAX];

	client_post(fd, "/Plugin.Activate", "");
	assert_int_equal(client_receive(fd, body), 200);
	assert_string_equal(body, "{\"Err\":\"\",\"Implements\":[\"VolumeDriver\"]}");
}

/* The Engine keeps its connections. */
#define SERVER_TEST(name) STATE_TEST(name, struct fixture, fixture, setup, teardown)

SERVER_TEST(one_connection_carries_many_requests)
{
	int fd = client_connect(fixture->socket);
	char body[CLIENT_BODY_MAX];

	for (int i = 0; i < 3; i++) {
		expect_activate(fd);
		client_post(fd, "/VolumeDriver.Capabilities", "{}\n");
		assert_int_equal(client_receive(fd, body), 200);
		client_post(fd, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
		assert_int_equal(client_receive(fd, body), 503); /* a failure does not close it */
	}
	close(fd);
}

static void get(int fd, const char *path)
{
	char head[128];
	int length = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	client_send(fd, head, (size_t)length);
}

static int receive_long(int fd, char *ret_begin, size_t size)
{
	ssize_t got = recv(fd, ret_begin, size - 1, MSG_WAITALL);

	assert_true(got > 0);
	ret_begin[got] = '\0';
	return (int)strtol(ret_begin + 9, NULL, 10);
}

SERVER_TEST(metrics_are_text)
{
	char begin[400];
	int fd = client_connect(fixture->socket);

	get(fd, "/metrics");
	assert_int_equal(receive_long(fd, begin, sizeof(begin)), 200);
	assert_non_null(
		strstr(begin, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(begin, "\r\n\r\n# HELP hostvol_build_info "));
	close(fd);
}

SERVER_TEST(the_metrics_server_has_nothing_else)
{
	static const char *const paths[] = {
		"/Plugin.Activate", "/HotList", "/HotInfo", "/", "/metrics/", "/VolumeDriver.List"};
	char *where = scratch_path(fixture->dir, "metrics.sock"), begin[32], body[CLIENT_BODY_MAX];
	struct hv_server *server;
	int fd = hv_listen(where, NULL);

	assert_true(fd >= 0);
	server = hv_server_start_metrics(fd, &fixture->api, &fixture->log);
	assert_non_null(server);
	fd = client_connect(where);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		client_post(fd, paths[i], "{}");
		assert_int_equal(client_receive(fd, body), 404);
		assert_non_null(strstr(body, "\"Code\":\"no-such-endpoint\""));
	}
	client_post(fd, "/metrics", "{}");
	assert_int_equal(client_receive(fd, body), 405);
	get(fd, "/metrics");
	assert_int_equal(receive_long(fd, begin, sizeof(begin)), 200);
	close(fd);
	assert_true(hv_server_stop(server, STOP_MS));
	free(where);
}

SERVER_TEST(requests_may_come_before_the_answer)
{
	int fd = client_connect(fixture->socket);
	char body[CLIENT_BODY_MAX];

	client_post(fd, "/Plugin.Activate", "");
	client_post(fd, "/nowhere", "{}");
	client_post(fd, "/VolumeDriver.Capabilities", "{}");
	assert_int_equal(client_receive(fd, body), 200);
	assert_int_equal(client_receive(fd, body), 404);
	assert_int_equal(client_receive(fd, body), 200);
	close(fd);
}

static void expect_refusal(int fd, int status, const char *code)
{
	char body[CLIENT_BODY_MAX];
	struct json_object *object, *value = NULL;

	assert_int_equal(client_receive(fd, body), status);
	object = json_tokener_parse(body);
	assert_true(json_object_object_get_ex(object, "Code", &value));
	assert_string_equal(json_object_get_string(value), code);
	assert_true(json_object_object_get_ex(object, "Err", &value));
	assert_true(json_object_get_string_len(value) > 0);
	json_object_put(object);
}

SERVER_TEST(a_body_that_is_too_long_is_refused_in_json)
{
	int fd = client_connect(fixture->socket);

	client_post_padded(fd, "/VolumeDriver.Create", "{\"Name\":\"data\"}", HUGE_BYTES);
	expect_refusal(fd, 413, "bad-request");
	client_post_padded(fd, "/VolumeDriver.Create", "{\"Name\":\"data\"}", HV_BODY_MAX + 1);
	expect_refusal(fd, 413, "bad-request");
	expect_activate(fd);
	close(fd);
}

SERVER_TEST(a_body_of_just_the_limit_is_taken)
{
	int fd = client_connect(fixture->socket);

	client_post_padded(fd, "/VolumeDriver.Create", "{\"Name\":\"data\"}", HV_BODY_MAX);
	expect_refusal(fd, 503, "state-unreadable");
	close(fd);
}

SERVER_TEST(a_body_beyond_all_measure_ends_the_connection)
{
	static const char head[] = "POST /HotInfo HTTP/1.1\r\nHost: x\r\n"
				   "Content-Length: 1099511627776\r\n\r\n";
	int fd = client_connect(fixture->socket);
	char body[CLIENT_BODY_MAX], *chunk = calloc(1, 1 << 20);

	assert_non_null(chunk);
	client_send(fd, head, strlen(head));
	for (int i = 0; i < 2 * (HV_DISCARD_MAX >> 20); i++) /* sends nothing once it is closed */
		client_send(fd, chunk, 1 << 20);
	assert_int_equal(client_receive(fd, body), 0);
	close(fd);
	free(chunk);
}

SERVER_TEST(docker_gets_no_answer_rather_than_a_wrong_one)
{
	static const char *const paths[] = {"/VolumeDriver.Get", "/VolumeDriver.List",
		"/VolumeDriver.Path", "/VolumeDriver.Mount", "/VolumeDriver.Unmount"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = client_connect(fixture->socket);
		char body[CLIENT_BODY_MAX];

		client_post(fd, paths[i], "{\"Name\":\"data\",\"ID\":\"a\"}");
		assert_int_equal(client_receive(fd, body), 0);
		close(fd);
	}
}

SERVER_TEST(half_requests_and_silence_hold_nobody_up)
{
	static const char *const pieces[] = {"", "P", "POST /VolumeDriver.Create HTTP/1.1\r\n",
		"POST /VolumeDriver.Create HTTP/1.1\r\nContent-Length: 100\r\n\r\n{\"Na",
		"POST /VolumeDriver.Create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
		"\r\n\r\n\r\n", "GET", "\x16\x03\x01"};
	enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };
	int fds[PIECES], fd;

	for (size_t i = 0; i < PIECES; i++) {
		fds[i] = client_connect(fixture->socket);
		client_send(fds[i], pieces[i], strlen(pieces[i]));
	}
	fd = client_connect(fixture->socket);
	expect_activate(fd);
	for (size_t i = 0; i < PIECES; i++)
		close(fds[i]);
	expect_activate(fd);
	close(fd);
}

static void *ask(void *argument)
{
	const struct fixture *fixture = argument;
	int fd = client_connect(fixture->socket);

	for (int i = 0; i < 20; i++)
		expect_activate(fd);
	close(fd);
	return NULL;
}

SERVER_TEST(many_connections_are_served_at_once)
{
	pthread_t threads[PARALLEL];

	for (int i = 0; i < PARALLEL; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, fixture), 0);
	for (int i = 0; i < PARALLEL; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

enum { MANY = 2000 };

/* Each on a connection of its own, which stays open: none of them is closed first. */
SERVER_TEST(thousands_of_connections_at_once_are_all_served)
{
	int *fds = calloc(MANY, sizeof(*fds));
	char body[CLIENT_BODY_MAX];
	struct rlimit files;

	assert_non_null(fds);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_max < 3UL * MANY)
		skip();
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (int i = 0; i < MANY; i++) {
		fds[i] = client_connect(fixture->socket);
		client_post(fds[i], "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	}
	for (int i = 0; i < MANY; i++)
		assert_int_equal(client_receive(fds[i], body), 503);
	for (int i = 0; i < MANY; i++) {
		expect_activate(fds[i]);
		close(fds[i]);
	}
	free(fds);
}

SERVER_TEST(another_method_is_told_the_one_that_there_is)
{
	static const char get[] = "GET /VolumeDriver.List HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = client_connect(fixture->socket);
	char answer[1024] = "";

	client_send(fd, get, sizeof(get) - 1);
	while (!strstr(answer, "}")) {
		size_t used = strlen(answer);
		ssize_t size = recv(fd, answer + used, sizeof(answer) - 1 - used, 0);

		assert_true(size > 0);
		answer[used + (size_t)size] = '\0';
	}
	assert_non_null(strstr(answer, " 405 "));
	assert_non_null(strstr(answer, "\r\nAllow: POST\r\n"));
	expect_activate(fd);
	close(fd);
}

/* Ask for something that waits in open_state, and wait until it does. */
static int ask_and_wait(struct fixture *fixture)
{
	int fd = client_connect(fixture->socket);
	char byte;

	atomic_store(&fixture->waits, true);
	client_post(fd, "/VolumeDriver.Create", "{\"Name\":\"data\"}");
	assert_int_equal(read(fixture->entered[0], &byte, 1), 1);
	return fd;
}

/* A client that connects while no descriptor is left waits for one. */
SERVER_TEST(without_descriptors_nobody_is_turned_away)
{
	struct rlimit before, few;
	int fds[PARALLEL], slow = ask_and_wait(fixture);
	char body[CLIENT_BODY_MAX];

	atomic_store(&fixture->waits, false);
	for (int i = 0; i < PARALLEL; i++)
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)fds[PARALLEL - 1] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int i = 0; i < PARALLEL; i++) {
		client_connect_with(fds[i], fixture->socket);
		client_post(fds[i], "/Plugin.Activate", "");
	}
	assert_int_equal(write(fixture->leave[1], "l", 1), 1);
	expect_refusal(slow, 503, "state-unreadable");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	close(slow); /* now there is one: it is looked again */
	for (int i = 0; i < PARALLEL; i++) {
		assert_int_equal(client_receive(fds[i], body), 200);
		close(fds[i]);
	}
}

SERVER_TEST(a_call_that_takes_long_holds_nobody_up)
{
	int slow = ask_and_wait(fixture), fd = client_connect(fixture->socket);

	expect_activate(fd);
	assert_int_equal(write(fixture->leave[1], "l", 1), 1);
	expect_refusal(slow, 503, "state-unreadable");
	close(slow);
	close(fd);
}

static void *stop_server(void *argument)
{
	struct fixture *fixture = argument;

	hv_server_stop(fixture->server, STOP_MS);
	fixture->server = NULL;
	return NULL;
}

SERVER_TEST(stop_waits_for_the_request_under_way)
{
	int slow = ask_and_wait(fixture);
	struct timespec soon;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, stop_server, fixture), 0);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec++;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &soon), ETIMEDOUT);
	assert_int_equal(write(fixture->leave[1], "l", 1), 1);
	expect_refusal(slow, 503, "state-unreadable");
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(fixture->server);
	close(slow);
}

static void *stop_soon(void *argument)
{
	const struct timespec pause = {.tv_nsec = 2000000};

	nanosleep(&pause, NULL);
	return stop_server(argument);
}

/* Ask until it cannot be sent any more.  Returns NULL if all that was sent has been answered. */
static void *ask_until_the_end(void *argument)
{
	static const char request[] = "POST /Plugin.Activate HTTP/1.1\r\nHost: x\r\n"
				      "Content-Length: 0\r\n\r\n";
	const int *fd = argument;
	char body[CLIENT_BODY_MAX];

	while (send(*fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == sizeof(request) - 1)
		if (client_receive(*fd, body) != 200)
			return argument;
	return NULL;
}

SERVER_TEST(stop_answers_all_that_was_sent)
{
	pthread_t threads[PARALLEL], stopper;
	int fds[PARALLEL];
	void *lost;

	for (int i = 0; i < PARALLEL; i++) {
		fds[i] = client_connect(fixture->socket);
		expect_activate(fds[i]);
	}
	for (int i = 0; i < PARALLEL; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_until_the_end, &fds[i]), 0);
	assert_int_equal(pthread_create(&stopper, NULL, stop_soon, fixture), 0);
	for (int i = 0; i < PARALLEL; i++) {
		assert_int_equal(pthread_join(threads[i], &lost), 0);
		assert_null(lost);
	}
	assert_int_equal(pthread_join(stopper, NULL), 0);
	assert_null(fixture->server);
	for (int i = 0; i < PARALLEL; i++)
		close(fds[i]);
}

/* They lie in the sockets' buffers when the stop begins. */
SERVER_TEST(stop_answers_what_nobody_has_read_yet)
{
	char body[CLIENT_BODY_MAX];
	int fds[PARALLEL];

	for (int i = 0; i < PARALLEL; i++) {
		fds[i] = client_connect(fixture->socket);
		if (i % 2) /* of the others the connection is new, too */
			expect_activate(fds[i]);
	}
	for (int i = 0; i < PARALLEL; i++)
		client_post(fds[i], "/Plugin.Activate", "");
	hv_unlisten(fixture->listening, fixture->socket, &fixture->file);
	assert_int_equal(access(fixture->socket, F_OK), -1);
	stop_server(fixture);
	for (int i = 0; i < PARALLEL; i++) {
		assert_int_equal(client_receive(fds[i], body), 200);
		close(fds[i]);
	}
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A client that never finishes its request is waited for as long as was said, no longer. */
SERVER_TEST(stop_waits_no_longer_than_it_was_told)
{
	static const char half[] = "POST /VolumeDriver.Create HTTP/1.1\r\nHost: x\r\n"
				   "Expect: 100-continue\r\nContent-Length: 100\r\n\r\n";
	int fd = client_connect(fixture->socket);
	char answer[64] = "";
	long long start;

	client_send(fd, half, strlen(half));
	assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0); /* the headers were read */
	assert_non_null(strstr(answer, "100"));
	start = now_ms();
	assert_false(hv_server_stop(fixture->server, 700));
	assert_true(now_ms() - start >= 650);
	assert_true(now_ms() - start < 30000);
	close(fd);
	assert_true(hv_server_stop(fixture->server, STOP_MS));
	fixture->server = NULL;
}

SERVER_TEST(idle_connections_do_not_delay_the_stop)
{
	int fd = client_connect(fixture->socket);
	long long start;

	expect_activate(fd);
	start = now_ms();
	hv_server_stop(fixture->server, STOP_MS);
	fixture->server = NULL;
	assert_true(now_ms() - start < STOP_MS / 2);
	close(fd);
}

TEST_MAIN()
