/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP on the plugin's socket (libmicrohttpd). */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include "api/api.h"

#include "daemon/log.h"

struct hv_server;

enum {
	HV_BODY_MAX = 1 << 20,     /* bytes of a request that are kept */
	HV_DISCARD_MAX = 64 << 20, /* bytes that are read to be able to say so */
};

/* Serve `api` on the listening socket `fd`, which it takes over.  A thread for each connection: a
 * Mount that takes minutes holds nobody else up.  Idle connections are kept, never closed first:
 * the Engine repeats a request that met a closing connection with an empty body.
 * NULL when the server does not start.  Both arguments are borrowed. */
struct hv_server *hv_server_start(int fd, struct hv_api *api, const struct hv_log *log)
	__attribute__((nonnull, warn_unused_result));

/* Serve GET /metrics alone, with the same reply; every other path is no endpoint.  Few connections
 * at a time, and none that says nothing for long: anyone on the machine may make them.  Otherwise
 * as hv_server_start(). */
struct hv_server *hv_server_start_metrics(int fd, struct hv_api *api, const struct hv_log *log)
	__attribute__((nonnull, warn_unused_result));

/* Accept nothing new, wait up to `timeout_ms` until every request that was sent is answered, stop.
 * A later request fails at once (EPIPE): nothing is lost in a buffer.  Returns false if a request
 * is not answered in time: its thread still runs, and `server` and everything it uses must stay:
 * call again, or exit.  Source: shutdown(2), unix(7). */
bool hv_server_stop(struct hv_server *server, int timeout_ms) __attribute__((nonnull));

#endif
