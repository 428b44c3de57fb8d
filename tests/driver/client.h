/* SPDX-License-Identifier: Apache-2.0 */
/* A plain HTTP client on a unix socket: bytes as the test wants them. */
#ifndef TESTS_DRIVER_CLIENT_H
#define TESTS_DRIVER_CLIENT_H

#include <stddef.h>

enum { CLIENT_BODY_MAX = 4096 };

/* Connect; the caller closes it. */
int client_connect(const char *socket_path);

/* The same with a socket that there is. */
void client_connect_with(int fd, const char *socket_path);

/* Send bytes; those after the other end has closed are lost. */
void client_send(int fd, const char *bytes, size_t size);

/* Send a POST as the Engine does. */
void client_post(int fd, const char *path, const char *body);

/* Send a POST whose body is `body` and then spaces, `size` bytes together. */
void client_post_padded(int fd, const char *path, const char *body, size_t size);

/* Receive one answer.  Returns its HTTP status, or 0 when the connection was closed without one.
 * The body is a string. */
int client_receive(int fd, char body[static CLIENT_BODY_MAX]);

#endif
