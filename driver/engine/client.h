/* SPDX-License-Identifier: Apache-2.0 */
/* The client of the Engine, and how each request to it is made. */
#ifndef ENGINE_CLIENT_H
#define ENGINE_CLIENT_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "engine/engine.h"

/* A handle of libcurl with its connection, and the socket file (O_PATH) that it was made to. */
struct hv_connection {
	CURL *curl; /* NULL: none */
	int socket_fd;
};

struct hv_engine {
	struct hv_engine_args args;
	char *socket_path;
	pthread_mutex_t lock;      /* of all below */
	struct hv_connection kept; /* for the next request */
	char *identity;            /* NULL: not asked since it was forgotten */
	unsigned forgotten;        /* how often: another Engine may answer since (about.c) */
	struct hv_engine_kind kind;
	bool is_kind_known;
};

struct hv_answer {
	char *bytes; /* owned; NULL: none */
	size_t size;
	long status;
};

/* Borrowed; "" if there is none. */
static inline const char *hv_answer_text(const struct hv_answer *answer)
{
	return answer->bytes ? answer->bytes : "";
}

#define hv_auto_answer HV_AUTO(hv_answer_done)
static inline void hv_answer_done(struct hv_answer *answer)
{
	free(answer->bytes);
}

/* Room for every URL with a name or an ID in it. */
enum { HV_URL_MAX = 512 };

struct hv_engine_request {
	const char *url;
	bool is_post;
	bool is_delete;
	const void *body; /* of a POST; NULL: an empty one */
	size_t body_size;
	const char *header; /* "Content-Type: …", if there is a body */
	long timeout_ms;    /* of all of it */
	/* Given the answer's body as it comes: libcurl's CURLOPT_WRITEFUNCTION. */
	size_t (*take)(char *bytes, size_t one, size_t count, void *context);
	void *context;
};

/* For `take` of a request, with the struct hv_answer as its context. */
size_t hv_engine_take(char *bytes, size_t one, size_t count, void *context);

/* HV_OK whatever the status. */
enum hv_code hv_engine_perform(struct hv_engine *engine, const struct hv_engine_request *request,
	long *ret_status, struct hv_error *err);

/* GET `url`.  The caller frees `ret` with hv_answer_done().  HV_OK whatever the status. */
enum hv_code hv_engine_get(struct hv_engine *engine, const char *url, long timeout_ms,
	struct hv_answer *ret, struct hv_error *err);

/* The same with POST and this body of JSON (NULL: an empty one), or with DELETE.  It is sent at
 * most once.
 */
enum hv_code hv_engine_post(struct hv_engine *engine, const char *url, const char *body,
	long timeout_ms, struct hv_answer *ret, struct hv_error *err);
enum hv_code hv_engine_delete(struct hv_engine *engine, const char *url, long timeout_ms,
	struct hv_answer *ret, struct hv_error *err);

/* Whether the Engine takes `text` for a name or an ID, of 255 bytes at most: nothing else is sent,
 * so that nothing needs to be escaped. */
bool hv_engine_is_reference(const char *text);

/* Close the connection that is kept.  The caller holds the lock. */
void hv_engine_drop_kept(struct hv_engine *engine);

/* Open the Engine's socket file for one request.  Returns a descriptor, which the caller closes
 * when the request is over, or a negative errno with the sentence in `err`. */
int hv_engine_open_socket(struct hv_engine *engine, struct hv_error *err);

/* Set the options of every request: the socket, the URL, no proxy, no signals. */
void hv_engine_prepare(CURL *curl, int socket_fd, const char *url);

/* Why there was no answer. */
enum hv_code hv_engine_fail(const struct hv_engine *engine, CURLcode rc, struct hv_error *err);

#endif
