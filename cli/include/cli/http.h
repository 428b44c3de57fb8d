/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request over a unix socket. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stddef.h>

#include "wire/cleanup.h"

/* Longer than the daemon lets a file system take to be mounted, 100 s. */
enum { HV_TIMEOUT_SECONDS = 130, HV_ANSWER_MAX_BYTES = 16 << 20 };

/* The longest path that a socket has on Linux.  Source: unix(7). */
enum { HV_SOCKET_PATH_MAX_BYTES = 107 };

struct hv_request {
	const char *socket;
	const char *method;
	const char *path;
	const char *body;     /* JSON, or NULL for none */
	long timeout_seconds; /* of the whole exchange */
};

struct hv_answer {
	long status;
	char *bytes; /* owned, never NULL after success, a NUL follows */
	size_t size;
};

/* Returns 0 whatever the status is; -ENOENT, -ECONNREFUSED, -EACCES as connect(2) has it,
 * -ENAMETOOLONG for a socket's path of more than HV_SOCKET_PATH_MAX_BYTES, -ETIMEDOUT, -EFBIG for
 * an answer over HV_ANSWER_MAX_BYTES, -EPROTO when the connection was closed early or spoke no
 * HTTP, -ENOMEM.  The caller frees `ret` with hv_answer_done() on success. Source: libcurl,
 * CURLOPT_UNIX_SOCKET_PATH.  Any thread. */
int hv_http_call(const struct hv_request *request, struct hv_answer *ret)
	__attribute__((nonnull, warn_unused_result));

void hv_answer_done(struct hv_answer *answer) __attribute__((nonnull));
#define hv_auto_answer HV_AUTO(hv_answer_done)

/* `text` with what a URL's path reserves percent-encoded, owned by the caller; NULL on ENOMEM. */
char *hv_url_escape(const char *text) __attribute__((nonnull, warn_unused_result));

#endif
