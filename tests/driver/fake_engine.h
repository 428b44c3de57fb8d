/* SPDX-License-Identifier: Apache-2.0 */
/* An Engine that answers on its socket as badly as a test wants: a real one would not. */
#ifndef TESTS_DRIVER_FAKE_ENGINE_H
#define TESTS_DRIVER_FAKE_ENGINE_H

#include <stddef.h>

struct fake_reply {
	const char *path; /* "/info", without the query; NULL ends the table */
	/* Of the whole answer, headers too; then the connection is closed.  '#' is the number of
	 * the request. */
	const char *bytes;
	size_t padding;    /* spaces behind them */
	int keeps_waiting; /* the connection stays open and nothing more comes; or FAKE_SERVES_ON */
};

/* The next request on that connection is answered as well.  There is one such connection. */
enum { FAKE_SERVES_ON = 2 };

struct fake_engine;

/* Listen on `socket`.  Both arguments are borrowed; paths that are not in the table are answered
 * with an empty connection. */
struct fake_engine *fake_engine_new(const char *socket, const struct fake_reply *replies);
void fake_engine_free(struct fake_engine *engine);

/* From now on answer `path` with these bytes, copied, instead of what the table says; "" closes. */
void fake_engine_set(struct fake_engine *engine, const char *path, const char *bytes);

/* Send bytes on every connection that was kept waiting; NULL: close them. */
void fake_engine_send(struct fake_engine *engine, const char *bytes);

/* How many connections are kept waiting. */
unsigned fake_engine_kept(struct fake_engine *engine);

/* End the connection on which the next request would be answered. */
void fake_engine_hang_up(struct fake_engine *engine);

/* How many connections were made. */
unsigned fake_engine_connections(struct fake_engine *engine);

/* How many requests came. */
unsigned fake_engine_requests(struct fake_engine *engine);

/* How many of them were to do something (POST). */
unsigned fake_engine_posts(struct fake_engine *engine);

/* How many of them were to remove something (DELETE). */
unsigned fake_engine_deletes(struct fake_engine *engine);

#endif
