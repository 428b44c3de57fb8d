/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/hv_test.h"

enum { HEAD_MAX = 2048 };

void client_connect_with(int fd, const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	assert_true(strlen(socket_path) < sizeof(address.sun_path));
	memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
}

int client_connect(const char *socket_path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	client_connect_with(fd, socket_path);
	return fd;
}

void client_send(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		bytes += sent;
		size -= (size_t)sent;
	}
}

void client_post_padded(int fd, const char *path, const char *body, size_t size)
{
	char head[HEAD_MAX];
	char *bytes = malloc(size + 1);
	int length = snprintf(head, sizeof(head),
		"POST %s HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
		"Content-Length: %zu\r\n"
		"Accept: application/vnd.docker.plugins.v1.2+json\r\n\r\n",
		path, size);

	assert_non_null(bytes);
	assert_true(length > 0 && length < HEAD_MAX && strlen(body) <= size);
	memset(bytes, ' ', size);
	for (size_t i = 0; body[i]; i++)
		bytes[i] = body[i];
	client_send(fd, head, (size_t)length);
	client_send(fd, bytes, size);
	free(bytes);
}

void client_post(int fd, const char *path, const char *body)
{
	client_post_padded(fd, path, body, strlen(body));
}

/* Up to and with the empty line.  Returns false when the connection was closed before. */
static bool receive_head(int fd, char head[static HEAD_MAX])
{
	size_t used = 0;

	head[0] = '\0';
	while (!strstr(head, "\r\n\r\n")) {
		assert_true(used < HEAD_MAX - 1);
		if (recv(fd, head + used, 1, 0) != 1)
			return false;
		head[++used] = '\0';
	}
	return true;
}

int client_receive(int fd, char body[static CLIENT_BODY_MAX])
{
	char head[HEAD_MAX];
	const char *at;
	size_t size, used = 0;

	body[0] = '\0';
	if (!receive_head(fd, head))
		return 0;
	assert_int_equal(strncmp(head, "HTTP/1.1 ", 9), 0);
	at = strcasestr(head, "Content-Length: ");
	assert_non_null(at);
	size = strtoul(at + 16, NULL, 10);
	assert_true(size < CLIENT_BODY_MAX);
	while (used < size) {
		ssize_t got = recv(fd, body + used, size - used, 0);

		assert_true(got > 0);
		used += (size_t)got;
	}
	body[used] = '\0';
	return (int)strtol(head + 9, NULL, 10);
}
