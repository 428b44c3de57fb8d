/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP server of canned answers on a unix socket, in a thread. */
#ifndef TESTS_CLI_FAKE_SERVER_H
#define TESTS_CLI_FAKE_SERVER_H

#include <stdbool.h>

struct fake_answer {
	const char *request; /* "POST /HotList"; NULL ends the table */
	int status;          /* 0: close the connection without an answer */
	const char *body;
	unsigned long pad_bytes; /* spaces after the body */
};

struct fake_server;

/* Listen at `path`.  `answers` must outlive the server; any other request is answered with 404. */
struct fake_server *fake_server_new(const char *path, const struct fake_answer *answers);

/* The requests so far, one per line: method, path, body.  The caller frees it. */
char *fake_server_log(struct fake_server *server);

void fake_server_free(struct fake_server *server);

#endif
