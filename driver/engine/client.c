/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MAX = 8 << 20 };

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_NOTHING);
}

struct hv_engine *hv_engine_new(const struct hv_engine_args *args)
{
	struct hv_engine *engine = calloc(1, sizeof(*engine));

	pthread_once(&curl_once, start_curl);
	if (!engine)
		return NULL;
	engine->args = *args;
	engine->socket_path = strdup(args->socket_path);
	if (!engine->socket_path) {
		free(engine);
		return NULL;
	}
	pthread_mutex_init(&engine->lock, NULL);
	return engine;
}

void hv_engine_free(struct hv_engine *engine)
{
	if (!engine)
		return;
	hv_engine_drop_kept(engine);
	pthread_mutex_destroy(&engine->lock);
	free(engine->identity);
	free(engine->socket_path);
	free(engine);
}

const char *hv_engine_socket(const struct hv_engine *engine)
{
	return engine->socket_path;
}

size_t hv_engine_take(char *bytes, size_t one, size_t count, void *context)
{
	struct hv_answer *answer = context;
	size_t size = one * count;
	char *grown;

	if (answer->size + size > ANSWER_MAX)
		return 0;
	grown = realloc(answer->bytes, answer->size + size + 1);
	if (!grown)
		return 0;
	memcpy(grown + answer->size, bytes, size);
	answer->bytes = grown;
	answer->size += size;
	grown[answer->size] = '\0';
	return size;
}

enum hv_code hv_engine_fail(const struct hv_engine *engine, CURLcode rc, struct hv_error *err)
{
	if (rc == CURLE_OPERATION_TIMEDOUT) {
		hv_fail(err, HV_TIMEOUT, "the Docker Engine at %s did not answer in time",
			engine->socket_path);
		return hv_hint(err, "nothing was changed; try again when docker ps answers");
	}
	hv_fail(err, HV_INTERNAL, "the Docker Engine at %s does not answer: %s",
		engine->socket_path, curl_easy_strerror(rc));
	return hv_hint(err, "check that dockerd runs and that HOSTVOL_ENGINE names its socket");
}

int hv_engine_open_socket(struct hv_engine *engine, struct hv_error *err)
{
	int fd = engine->args.open_socket(engine->args.context);

	if (fd >= 0)
		return fd;
	hv_fail(err, HV_INTERNAL, "the Docker Engine's socket %s cannot be opened: %s",
		engine->socket_path, strerrordesc_np(-fd));
	hv_hint(err, "check that dockerd runs and that HOSTVOL_ENGINE names its socket");
	return fd;
}

void hv_engine_prepare(CURL *curl, int socket_fd, const char *url)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", socket_fd);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
}

static void disconnect(struct hv_connection *connection)
{
	if (!connection->curl)
		return;
	curl_easy_cleanup(connection->curl);
	close(connection->socket_fd);
	*connection = (struct hv_connection){0};
}

void hv_engine_drop_kept(struct hv_engine *engine)
{
	disconnect(&engine->kept);
}

static bool is_same_file(int a, int b)
{
	struct stat first, second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* Takes over `socket_fd`. */
static struct hv_connection connect_anew(int socket_fd)
{
	const struct hv_connection connection = {curl_easy_init(), socket_fd};

	if (!connection.curl)
		close(socket_fd);
	return connection;
}

/* The connection that is kept, if nobody uses it and it was made to the same file; else a new one.
 * Takes over `socket_fd`. */
static struct hv_connection connect_to(
	struct hv_engine *engine, int socket_fd, unsigned *ret_forgotten)
{
	struct hv_connection connection;

	pthread_mutex_lock(&engine->lock);
	connection = engine->kept;
	engine->kept = (struct hv_connection){0};
	*ret_forgotten = engine->forgotten;
	pthread_mutex_unlock(&engine->lock);
	if (connection.curl && is_same_file(connection.socket_fd, socket_fd)) {
		close(socket_fd);
		curl_easy_reset(connection.curl);
		return connection;
	}
	disconnect(&connection);
	return connect_anew(socket_fd);
}

/* Whether the Engine left the connection open. */
static bool is_open(const struct hv_connection *connection)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	return curl_easy_getinfo(connection->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	       fd != CURL_SOCKET_BAD;
}

/* Keep it, unless another is kept already, or another Engine may answer now. */
static void keep(struct hv_engine *engine, struct hv_connection *connection, unsigned forgotten)
{
	pthread_mutex_lock(&engine->lock);
	if (!engine->kept.curl && engine->forgotten == forgotten && is_open(connection)) {
		engine->kept = *connection;
		*connection = (struct hv_connection){0};
	}
	pthread_mutex_unlock(&engine->lock);
	disconnect(connection);
}

static CURLcode perform(
	CURL *curl, int socket_fd, const struct hv_engine_request *request, long *ret_status)
{
	struct curl_slist *headers = NULL;
	CURLcode rc;

	if (request->is_post) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)request->body_size);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	}
	if (request->is_delete)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	if (request->body) {
		headers = curl_slist_append(NULL, request->header);
		if (!headers)
			return CURLE_OUT_OF_MEMORY;
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	}
	hv_engine_prepare(curl, socket_fd, request->url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, request->take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, request->context);
	rc = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	if (rc == CURLE_OK)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	return rc;
}

enum hv_code hv_engine_perform(struct hv_engine *engine, const struct hv_engine_request *request,
	long *ret_status, struct hv_error *err)
{
	int socket_fd = hv_engine_open_socket(engine, err);
	struct hv_connection connection;
	bool is_change = request->is_post || request->is_delete;
	unsigned forgotten = 0;
	CURLcode rc;

	if (socket_fd < 0)
		return err->code;
	/* If the Engine ends a connection that was used before, libcurl sends the request again:
	 * a change has one of its own. */
	connection =
		is_change ? connect_anew(socket_fd) : connect_to(engine, socket_fd, &forgotten);
	if (!connection.curl)
		return hv_oom(err);
	rc = perform(connection.curl, connection.socket_fd, request, ret_status);
	if (rc != CURLE_OK) {
		disconnect(&connection);
		return hv_engine_fail(engine, rc, err);
	}
	if (is_change)
		disconnect(&connection);
	else
		keep(engine, &connection, forgotten);
	return HV_OK;
}

enum hv_code hv_engine_get(struct hv_engine *engine, const char *url, long timeout_ms,
	struct hv_answer *ret, struct hv_error *err)
{
	const struct hv_engine_request request = {
		.url = url, .timeout_ms = timeout_ms, .take = hv_engine_take, .context = ret};

	return hv_engine_perform(engine, &request, &ret->status, err);
}

enum hv_code hv_engine_delete(struct hv_engine *engine, const char *url, long timeout_ms,
	struct hv_answer *ret, struct hv_error *err)
{
	const struct hv_engine_request request = {.url = url,
		.is_delete = true,
		.timeout_ms = timeout_ms,
		.take = hv_engine_take,
		.context = ret};

	return hv_engine_perform(engine, &request, &ret->status, err);
}

enum hv_code hv_engine_post(struct hv_engine *engine, const char *url, const char *body,
	long timeout_ms, struct hv_answer *ret, struct hv_error *err)
{
	const struct hv_engine_request request = {.url = url,
		.is_post = true,
		.body = body,
		.body_size = body ? strlen(body) : 0,
		.header = "Content-Type: application/json",
		.timeout_ms = timeout_ms,
		.take = hv_engine_take,
		.context = ret};

	return hv_engine_perform(engine, &request, &ret->status, err);
}

bool hv_engine_is_reference(const char *text)
{
	static const char first[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

	return text[0] && strchr(first, text[0]) && text[strspn(text, rest)] == '\0' &&
	       strlen(text) <= 255;
}
