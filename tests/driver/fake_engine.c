#include "fake_engine.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/hv_test.h"

enum { KEPT_MAX = 16, REQUEST_MAX_BYTES = 4096 };

struct fake_engine {
	const struct fake_reply *replies;
	pthread_t thread;
	atomic_uint requests;
	int listening;
	int kept[KEPT_MAX];
	unsigned kept_count;
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

static void send_padding(int fd, size_t size)
{
	char spaces[4096];

	memset(spaces, ' ', sizeof(spaces));
	for (; size > sizeof(spaces); size -= sizeof(spaces))
		send_all(fd, spaces, sizeof(spaces));
	send_all(fd, spaces, size);
}

/* Read the request's head and find its answer. */
static const struct fake_reply *receive(struct fake_engine *engine, int fd)
{
	char request[REQUEST_MAX_BYTES] = "";
	size_t used = 0;
	const struct fake_reply *at = engine->replies;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t size = recv(fd, request + used, sizeof(request) - 1 - used, 0);

		if (size <= 0)
			return NULL;
		used += (size_t)size;
		request[used] = '\0';
	}
	atomic_fetch_add(&engine->requests, 1);
	for (; at->path; at++)
		if (strncmp(request, "GET ", 4) == 0 &&
			strncmp(request + 4, at->path, strlen(at->path)) == 0 &&
			request[4 + strlen(at->path)] == ' ')
			return at;
	return NULL;
}

static void *serve(void *argument)
{
	struct fake_engine *engine = argument;
	int fd;

	while ((fd = accept4(engine->listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		const struct fake_reply *reply = receive(engine, fd);

		if (reply) {
			send_all(fd, reply->bytes, strlen(reply->bytes));
			send_padding(fd, reply->padding);
		}
		if (reply && reply->keeps_waiting && engine->kept_count < KEPT_MAX)
			engine->kept[engine->kept_count++] = fd;
		else
			close(fd);
	}
	return NULL;
}

struct fake_engine *fake_engine_new(const char *socket_path, const struct fake_reply *replies)
{
	struct fake_engine *engine = calloc(1, sizeof(*engine));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(engine);
	assert_true(strlen(socket_path) < sizeof(address.sun_path));
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	engine->replies = replies;
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
	for (unsigned i = 0; i < engine->kept_count; i++)
		close(engine->kept[i]);
	close(engine->listening);
	free(engine);
}

unsigned fake_engine_requests(struct fake_engine *engine)
{
	return atomic_load(&engine->requests);
}
