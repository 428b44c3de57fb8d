/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_engine.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/hv_test.h"

enum { KEPT_MAX = 64, SET_MAX = 16, REQUEST_MAX_BYTES = 4096 };

struct set {
	char *path;
	char *bytes;
};

struct fake_engine {
	const struct fake_reply *replies;
	pthread_t thread;
	atomic_uint requests;
	atomic_uint posts;
	atomic_uint deletes;
	atomic_uint connections;
	int listening;
	pthread_mutex_t lock; /* of what is below */
	int kept[KEPT_MAX];
	unsigned kept_count;
	int serving; /* of FAKE_SERVES_ON; -1: none */
	struct set sets[SET_MAX];
};

static void send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* A '#' is sent as the last digit of a number. */
static void send_text(int fd, const char *text, unsigned number)
{
	char digit = (char)('0' + number % 10);

	while (*text) {
		size_t length = strcspn(text, "#");

		send_all(fd, text, length);
		text += length;
		if (*text == '#' && text++)
			send_all(fd, &digit, 1);
	}
}

static void send_padding(int fd, size_t size)
{
	char spaces[4096];

	memset(spaces, ' ', sizeof(spaces));
	for (; size > sizeof(spaces); size -= sizeof(spaces))
		send_all(fd, spaces, sizeof(spaces));
	send_all(fd, spaces, size);
}

static bool is_post(const char *request)
{
	return strncmp(request, "POST ", 5) == 0;
}

static bool is_delete(const char *request)
{
	return strncmp(request, "DELETE ", 7) == 0;
}

static bool is_for(const char *request, const char *path)
{
	size_t length = strlen(path);
	size_t method = is_post(request) ? 5 : is_delete(request) ? 7 : 4;

	return (method > 4 || strncmp(request, "GET ", method) == 0) &&
	       strncmp(request + method, path, length) == 0 &&
	       (request[method + length] == ' ' || request[method + length] == '?');
}

/* Read the rest of the body: closing with some of it unread would reset the connection. */
static void drop_body(int fd, const char *request, size_t used)
{
	const char *length = strcasestr(request, "\r\nContent-Length: ");
	const char *end = strstr(request, "\r\n\r\n") + 4;
	size_t size = length && length < end ? strtoul(length + 18, NULL, 10) : 0;
	size_t have = used - (size_t)(end - request);
	char bytes[256];

	while (have < size) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			return;
		have += (size_t)got;
	}
}

/* Read the request.  Returns whether there was one. */
static bool receive(struct fake_engine *engine, int fd, char request[static REQUEST_MAX_BYTES])
{
	size_t used = 0;

	request[0] = '\0';
	while (!strstr(request, "\r\n\r\n")) {
		ssize_t size = recv(fd, request + used, REQUEST_MAX_BYTES - 1 - used, 0);

		if (size <= 0)
			return false;
		used += (size_t)size;
		request[used] = '\0';
	}
	drop_body(fd, request, used);
	atomic_fetch_add(&engine->requests, 1);
	if (is_delete(request))
		atomic_fetch_add(&engine->deletes, 1);
	if (is_post(request))
		atomic_fetch_add(&engine->posts, 1);
	return true;
}

static bool answer_set(struct fake_engine *engine, int fd, const char *request)
{
	bool is_answered = false;

	pthread_mutex_lock(&engine->lock);
	for (unsigned i = 0; i < SET_MAX && !is_answered; i++) {
		const struct set *set = &engine->sets[i];

		is_answered = set->path && is_for(request, set->path);
		if (is_answered)
			send_all(fd, set->bytes, strlen(set->bytes));
	}
	pthread_mutex_unlock(&engine->lock);
	return is_answered;
}

/* To be called before the answer is sent: a test that has read it may hang the connection up. */
static void serve_on(struct fake_engine *engine, int fd)
{
	int before;

	pthread_mutex_lock(&engine->lock);
	before = engine->serving;
	engine->serving = fd;
	pthread_mutex_unlock(&engine->lock);
	if (before >= 0 && before != fd)
		close(before);
}

/* Returns whether the connection is kept. */
static bool answer(struct fake_engine *engine, int fd, const char *request)
{
	const struct fake_reply *at = engine->replies;
	bool is_kept;

	if (answer_set(engine, fd, request))
		return false;
	while (at->path && !is_for(request, at->path))
		at++;
	if (!at->path)
		return false;
	if (at->keeps_waiting == FAKE_SERVES_ON)
		serve_on(engine, fd);
	send_text(fd, at->bytes, atomic_load(&engine->requests));
	send_padding(fd, at->padding);
	if (at->keeps_waiting == FAKE_SERVES_ON)
		return true;
	pthread_mutex_lock(&engine->lock);
	is_kept = at->keeps_waiting && engine->kept_count < KEPT_MAX;
	if (is_kept) {
		engine->kept[engine->kept_count++] = fd;
		engine->serving = engine->serving == fd ? -1 : engine->serving;
	}
	pthread_mutex_unlock(&engine->lock);
	return is_kept;
}

static int serving(struct fake_engine *engine)
{
	int fd;

	pthread_mutex_lock(&engine->lock);
	fd = engine->serving;
	pthread_mutex_unlock(&engine->lock);
	return fd;
}

static void hang_up(struct fake_engine *engine, int fd)
{
	pthread_mutex_lock(&engine->lock);
	if (engine->serving == fd)
		engine->serving = -1;
	pthread_mutex_unlock(&engine->lock);
	close(fd);
}

/* The next connection that has a request, an old one or a new one; -1: it is over. */
static int next(struct fake_engine *engine)
{
	struct pollfd fds[] = {{.fd = serving(engine), .events = POLLIN},
		{.fd = engine->listening, .events = POLLIN}};
	int fd;

	if (poll(fds, 2, -1) < 0)
		return -1;
	if (fds[0].revents)
		return fds[0].fd;
	fd = accept4(engine->listening, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		atomic_fetch_add(&engine->connections, 1);
	return fd;
}

static void *serve(void *argument)
{
	struct fake_engine *engine = argument;
	char request[REQUEST_MAX_BYTES];
	int fd;

	while ((fd = next(engine)) >= 0)
		if (!receive(engine, fd, request) || !answer(engine, fd, request))
			hang_up(engine, fd);
	return NULL;
}

void fake_engine_hang_up(struct fake_engine *engine)
{
	int fd = serving(engine);

	assert_true(fd >= 0);
	shutdown(fd, SHUT_RDWR);
}

void fake_engine_set(struct fake_engine *engine, const char *path, const char *bytes)
{
	struct set *free_one = NULL;

	pthread_mutex_lock(&engine->lock);
	for (unsigned i = SET_MAX; i-- > 0;)
		if (!engine->sets[i].path || strcmp(engine->sets[i].path, path) == 0)
			free_one = &engine->sets[i];
	assert_non_null(free_one);
	free(free_one->path);
	free(free_one->bytes);
	free_one->path = strdup(path);
	free_one->bytes = strdup(bytes);
	pthread_mutex_unlock(&engine->lock);
}

void fake_engine_send(struct fake_engine *engine, const char *bytes)
{
	pthread_mutex_lock(&engine->lock);
	for (unsigned i = 0; i < engine->kept_count; i++) {
		if (bytes)
			send_all(engine->kept[i], bytes, strlen(bytes));
		else
			close(engine->kept[i]);
	}
	if (!bytes)
		engine->kept_count = 0;
	pthread_mutex_unlock(&engine->lock);
}

unsigned fake_engine_kept(struct fake_engine *engine)
{
	unsigned count;

	pthread_mutex_lock(&engine->lock);
	count = engine->kept_count;
	pthread_mutex_unlock(&engine->lock);
	return count;
}

struct fake_engine *fake_engine_new(const char *socket_path, const struct fake_reply *replies)
{
	struct fake_engine *engine = calloc(1, sizeof(*engine));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(engine);
	assert_true(strlen(socket_path) < sizeof(address.sun_path));
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	engine->replies = replies;
	engine->serving = -1;
	pthread_mutex_init(&engine->lock, NULL);
	(void)unlink(socket_path); /* of one before, as dockerd does */
	engine->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(engine->listening >= 0);
	assert_int_equal(
		bind(engine->listening, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(engine->listening, KEPT_MAX), 0);
	assert_int_equal(pthread_create(&engine->thread, NULL, serve, engine), 0);
	return engine;
}

void fake_engine_free(struct fake_engine *engine)
{
	if (!engine)
		return;
	shutdown(engine->listening, SHUT_RDWR); /* ends the accept */
	pthread_join(engine->thread, NULL);
	fake_engine_send(engine, NULL);
	if (engine->serving >= 0)
		close(engine->serving);
	for (unsigned i = 0; i < SET_MAX; i++) {
		free(engine->sets[i].path);
		free(engine->sets[i].bytes);
	}
	pthread_mutex_destroy(&engine->lock);
	close(engine->listening);
	free(engine);
}

unsigned fake_engine_connections(struct fake_engine *engine)
{
	return atomic_load(&engine->connections);
}

unsigned fake_engine_requests(struct fake_engine *engine)
{
	return atomic_load(&engine->requests);
}

unsigned fake_engine_posts(struct fake_engine *engine)
{
	return atomic_load(&engine->posts);
}

unsigned fake_engine_deletes(struct fake_engine *engine)
{
	return atomic_load(&engine->deletes);
}
