/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"

#include <limits.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mountcore/core.h"
#include "wire/clock.h"
#include "wire/lock.h"

enum { LOOK_AGAIN_MS = 5, ROOM_MIN = 64, STACK_BYTES = 1 << 20 };

/* Of a server of metrics. */
enum { METRICS_CONNECTIONS = 16, METRICS_IDLE_SECONDS = 60, METRICS_BODY_MAX = 4096 };

enum connection {
	CONNECTION_NONE,
	CONNECTION_IDLE, /* between two requests */
	CONNECTION_BUSY,
};

/* Whether the thread of this connection was offered to mountcore. */
static _Thread_local bool is_lent;

struct hv_server {
	struct MHD_Daemon *daemon;
	struct hv_api *api;
	const struct hv_log *log;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int listening;              /* the socket, once nothing is accepted any more; else -1 */
	unsigned char *connections; /* enum connection, by descriptor, which is libmicrohttpd's */
	size_t room;
	unsigned connected;
	bool is_stopping;
	bool is_metrics; /* serves nothing else */
};

/* The body of one request as it comes in. */
struct upload {
	char *body;
	size_t size;  /* received, kept or not */
	bool is_lost; /* too long, or no memory */
};

static int socket_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* 0 where it cannot be seen from here. */
static pid_t client_of(struct MHD_Connection *connection)
{
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);

	return getsockopt(socket_of(connection), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
		       ? peer.pid
		       : 0;
}

/* With the lock.  Without memory the stop does not know of it, and does not wait for it. */
static void set(struct hv_server *server, int fd, enum connection state)
{
	size_t at = (size_t)fd, room = server->room;
	unsigned char *grown;

	while (at >= room)
		room = room ? room * 2 : ROOM_MIN;
	if (room > server->room) {
		grown = realloc(server->connections, room);
		if (!grown)
			return;
		memset(grown + server->room, CONNECTION_NONE, room - server->room);
		server->connections = grown;
		server->room = room;
	}
	server->connected += (state != CONNECTION_NONE);
	server->connected -= (server->connections[at] != CONNECTION_NONE);
	server->connections[at] = (unsigned char)state;
}

/* A request has begun on it, or its answer is out. */
static void set_busy(struct hv_server *server, struct MHD_Connection *connection, bool is_busy)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&server->lock);
	int fd = socket_of(connection);

	set(server, fd, is_busy ? CONNECTION_BUSY : CONNECTION_IDLE);
	if (!is_busy && server->is_stopping) /* else a client that never rests is never done */
		(void)shutdown(fd, SHUT_RD);
	pthread_cond_broadcast(&server->idle);
}

/* Called before the socket is closed. */
static void on_connection(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode what)
{
	struct hv_server *server = context;
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&server->lock);

	(void)state;
	set(server, socket_of(connection),
		what == MHD_CONNECTION_NOTIFY_CLOSED ? CONNECTION_NONE : CONNECTION_IDLE);
	pthread_cond_broadcast(&server->idle);
}

static void take_upload(struct upload *upload, const char *bytes, size_t size)
{
	char *grown;

	upload->size += size;
	if (upload->is_lost)
		return;
	grown = upload->size <= HV_BODY_MAX ? realloc(upload->body, upload->size) : NULL;
	upload->is_lost = !grown;
	if (!grown)
		return;
	memcpy(grown + upload->size - size, bytes, size);
	upload->body = grown;
}

static void log_failure(
	const struct hv_server *server, const char *path, const struct hv_reply *reply)
{
	enum hv_level level = reply->status >= 500 ? HV_LOG_ERROR : HV_LOG_INFO;

	if (server->is_metrics) /* a stranger is not to fill the log */
		level = HV_LOG_DEBUG;
	if (reply->err.code != HV_OK)
		hv_log_line(server->log, level, "%s: %s: %s", path, hv_code_name(reply->err.code),
			hv_error_text(&reply->err));
	else
		hv_log_line(server->log, HV_LOG_DEBUG, "%s: done", path);
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct hv_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!reply->body)
		return MHD_NO; /* closes the connection */
	response = MHD_create_response_from_buffer(
		strlen(reply->body), reply->body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	reply->body = NULL;
	(void)MHD_add_response_header(
		response, "Content-Type", reply->type ? reply->type : "application/json");
	if (reply->allow)
		(void)MHD_add_response_header(response, "Allow", reply->allow);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* A client that has gone by now does not learn of its mount.  A client that goes later counts as
 * told: libmicrohttpd does not report whether it hung up before or after it got the answer. */
static void take_back(
	struct hv_server *server, struct MHD_Connection *connection, struct hv_reply *reply)
{
	struct pollfd client = {.fd = socket_of(connection)};

	if (!reply->mounted.volume || poll(&client, 1, 0) <= 0 || !(client.revents & POLLHUP))
		return;
	hv_log_line(server->log, HV_LOG_WARN,
		"/VolumeDriver.Mount: nobody waits for the mount of volume '%s' any more: it is taken back",
		reply->mounted.volume);
	hv_api_unanswered(server->api, &reply->mounted);
}

static enum MHD_Result answer(struct hv_server *server, struct MHD_Connection *connection,
	const char *method, const char *path, const struct upload *upload)
{
	const struct hv_http_request request = {
		.method = method,
		.path = path,
		.body = upload->body,
		.size = upload->size,
		.client = client_of(connection),
	};
	HV_AUTO(hv_reply_done) struct hv_reply reply = {0};

	if (!is_lent && server->api->core && !server->is_metrics)
		(void)!mc_core_lend_thread(server->api->core); /* else it takes longer */
	is_lent = true;
	if (server->is_metrics && strcmp(path, HV_METRICS_PATH) != 0)
		hv_api_refuse_path(&reply, path);
	else if (upload->is_lost)
		hv_api_refuse_size(&reply, HV_BODY_MAX);
	else
		hv_api_handle(server->api, &request, &reply);
	log_failure(server, path, &reply);
	take_back(server, connection, &reply);
	return send_reply(connection, &reply);
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *bytes, size_t *size,
	void **state)
{
	struct hv_server *server = context;
	struct upload *upload = *state;

	(void)version;
	if (!upload) { /* the headers are in */
		upload = calloc(1, sizeof(*upload));
		*state = upload;
		if (upload)
			set_busy(server, connection, true);
		return upload ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		take_upload(upload, bytes, *size);
		*size = 0;
		return upload->size <= (server->is_metrics ? METRICS_BODY_MAX : HV_DISCARD_MAX)
			       ? MHD_YES
			       : MHD_NO;
	}
	return answer(server, connection, method, path, upload);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct hv_server *server = context;
	struct upload *upload = *state;

	(void)why;
	if (!upload)
		return;
	free(upload->body);
	free(upload);
	*state = NULL;
	set_busy(server, connection, false);
}

static void release(struct hv_server *server)
{
	pthread_cond_destroy(&server->idle);
	pthread_mutex_destroy(&server->lock);
	free(server->connections);
	free(server);
}

static struct hv_server *start(
	int fd, struct hv_api *api, const struct hv_log *log, bool is_metrics)
{
	struct hv_server *server = calloc(1, sizeof(*server));
	/* Descriptors are the limit: without one nothing is accepted, while at this limit
	 * libmicrohttpd would accept and close. */
	unsigned connections = is_metrics ? METRICS_CONNECTIONS : (unsigned)INT_MAX;
	unsigned idle_seconds = is_metrics ? METRICS_IDLE_SECONDS : 0; /* 0: no limit */

	if (!server) {
		close(fd);
		return NULL;
	}
	server->api = api;
	server->log = log;
	server->is_metrics = is_metrics;
	server->listening = -1;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->idle, NULL);
	server->daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
					 MHD_USE_ITC | MHD_USE_POLL,
			0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
			idle_seconds, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
			MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
	if (server->daemon)
		return server;
	close(fd);
	release(server);
	return NULL;
}

struct hv_server *hv_server_start(int fd, struct hv_api *api, const struct hv_log *log)
{
	return start(fd, api, log, false);
}

struct hv_server *hv_server_start_metrics(int fd, struct hv_api *api, const struct hv_log *log)
{
	return start(fd, api, log, true);
}

/* With the lock: end each connection between two requests.  Requests in its buffer are still read
 * and answered; a later write fails at once, so the client knows that it was not received. */
static bool is_over(struct hv_server *server)
{
	for (size_t fd = 0; fd < server->room; fd++) {
		int unread = 0;

		if (server->connections[fd] == CONNECTION_IDLE &&
			ioctl((int)fd, FIONREAD, &unread) == 0 && unread == 0)
			(void)shutdown((int)fd, SHUT_RD);
	}
	return server->connected == 0;
}

/* Wait until that time for the end of all connections.  Returns false when a thread is in a call,
 * which stopping would wait for. */
static bool end_connections(struct hv_server *server, long long until_ms)
{
	hv_auto_unlock pthread_mutex_t *lock = hv_lock(&server->lock);

	server->is_stopping = true;
	while (hv_clock_ms() < until_ms && !is_over(server))
		/* Nobody tells what has arrived. */
		(void)hv_wait_until(&server->idle, lock, hv_clock_ms() + LOOK_AGAIN_MS);
	return server->room == 0 || !memchr(server->connections, CONNECTION_BUSY, server->room);
}

bool hv_server_stop(struct hv_server *server, int timeout_ms)
{
	long long until_ms = hv_clock_ms() + timeout_ms;

	if (server->listening < 0)
		server->listening = MHD_quiesce_daemon(server->daemon);
	if (!end_connections(server, until_ms))
		return false;
	MHD_stop_daemon(server->daemon);
	if (server->listening >= 0)
		close(server->listening);
	release(server);
	return true;
}
