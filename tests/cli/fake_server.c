/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/hv_test.h"

enum { REQUEST_MAX_BYTES = 65536 };

struct fake_server {
	int fd;
	char path[108];
	const struct fake_answer *answers;
	pthread_t thread;
	pthread_mutex_t lock; /* of log */
	char *log;
	size_t log_size;
	FILE *log_file;
};

/* Read up to the end of the body; NUL-terminate the request. */
static void read_request(int fd, char *buffer)
{
	size_t size = 0;

	for (;;) {
		ssize_t got = recv(fd, buffer + size, REQUEST_MAX_BYTES - 1 - size, 0);
		const char *end;
		const char *length;

		if (got <= 0)
			return;
		size += (size_t)got;
		buffer[size] = '\0';
		end = strstr(buffer, "\r\n\r\n");
		length = strstr(buffer, "Content-Length: ");
		if (end && size >= (size_t)(end + 4 - buffer) +
					   (length ? strtoul(length + 16, NULL, 10) : 0))
			return;
	}
}

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

static void send_answer(int fd, const struct fake_answer *answer)
{
	char head[160];
	size_t size = strlen(answer->body);
	char *pad;
	int length = snprintf(head, sizeof(head),
		"HTTP/1.1 %d Answer\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
		answer->status, size + answer->pad_bytes);

	send_all(fd, head, (size_t)length);
	send_all(fd, answer->body, size);
	if (!answer->pad_bytes)
		return;
	pad = malloc(answer->pad_bytes);
	if (!pad)
		return;
	memset(pad, ' ', answer->pad_bytes);
	send_all(fd, pad, answer->pad_bytes);
	free(pad);
}

static void answer_request(struct fake_server *server, int fd, char *request)
{
	static const struct fake_answer missing = {"", 404, "{\"message\":\"page not found\"}", 0};
	const struct fake_answer *answer = server->answers;
	const char *body = strstr(request, "\r\n\r\n");
	char *version = strstr(request, " HTTP/1.");

	if (!body || !version)
		return;
	*version = '\0';
	pthread_mutex_lock(&server->lock);
	fprintf(server->log_file, "%s%s%s\n", request, body[4] ? " " : "", body + 4);
	pthread_mutex_unlock(&server->lock);
	while (answer->request && strcmp(answer->request, request) != 0)
		answer++;
	if (!answer->request)
		answer = &missing;
	if (answer->status)
		send_answer(fd, answer);
}

static void *serve(void *user)
{
	struct fake_server *server = user;
	char *request = calloc(1, REQUEST_MAX_BYTES);
	int fd;

	while (request && (fd = accept(server->fd, NULL, NULL)) >= 0) {
		request[0] = '\0';
		read_request(fd, request);
		answer_request(server, fd, request);
		close(fd);
	}
	free(request);
	return NULL;
}

struct fake_server *fake_server_new(const char *path, const struct fake_answer *answers)
{
	struct fake_server *server = calloc(1, sizeof(*server));
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_non_null(server);
	snprintf(server->path, sizeof(server->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	server->answers = answers;
	server->log_file = open_memstream(&server->log, &server->log_size);
	assert_non_null(server->log_file);
	server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(server->fd >= 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 16), 0);
	assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return server;
}

char *fake_server_log(struct fake_server *server)
{
	char *copy;

	pthread_mutex_lock(&server->lock);
	fflush(server->log_file);
	copy = strdup(server->log);
	pthread_mutex_unlock(&server->lock);
	assert_non_null(copy);
	return copy;
}

void fake_server_free(struct fake_server *server)
{
	if (!server)
		return;
	shutdown(server->fd, SHUT_RDWR); /* ends the accept */
	pthread_join(server->thread, NULL);
	close(server->fd);
	unlink(server->path);
	fclose(server->log_file);
	free(server->log);
	pthread_mutex_destroy(&server->lock);
	free(server);
}
