/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over a Unix socket, one after the other on one connection. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HTTP_ANSWER_MAX = 65536 };

/* Returns a descriptor, or -1. */
static inline int http_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whether the answer in `bytes` is complete: headers, then as many bytes as they say. */
static inline int http_is_complete(const char *bytes, size_t size)
{
	const char *body = strstr(bytes, "\r\n\r\n");
	const char *length = strcasestr(bytes, "\r\nContent-Length:");

	if (body && strncmp(bytes, "HTTP/1.1 204", 12) == 0)
		return 1;
	return body && length &&
	       size - (size_t)(body + 4 - bytes) >= strtoul(length + 17, NULL, 10);
}

/* Returns 0 if the answer is one of success, else -1. */
static inline int http_ask(int fd, const char *method, const char *endpoint, const char *body)
{
	char bytes[HTTP_ANSWER_MAX];
	size_t used = 0;
	int size = snprintf(bytes, sizeof(bytes),
		"%s %s HTTP/1.1\r\nHost: hostvol\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		method, endpoint, strlen(body), body);

	if (size < 0 || write(fd, bytes, (size_t)size) != size)
		return -1;
	bytes[0] = '\0';
	while (!http_is_complete(bytes, used)) {
		ssize_t got = read(fd, bytes + used, sizeof(bytes) - 1 - used);

		if (got <= 0)
			return -1;
		used += (size_t)got;
		bytes[used] = '\0';
	}
	if (strncmp(bytes, "HTTP/1.1 20", 11) == 0)
		return 0;
	fprintf(stderr, "%s\n", bytes);
	return -1;
}

#endif
