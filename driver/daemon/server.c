#include "daemon/server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct hv_server {
	struct MHD_Daemon *daemon;
	struct hv_api *api;
	const struct hv_log *log;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	int listening;   /* the socket, once nothing is accepted any more; else -1 */
	unsigned active; /* requests whose answer is not out yet */
};

/* The body of one request as it comes in. */
struct upload {
	char *body;
	size_t size;  /* received, kept or not */
	bool is_lost; /* too long, or no memory */
};

static void begin(struct hv_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->active++;
	pthread_mutex_unlock(&server->lock);
}

static void end(struct hv_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->active--;
	pthread_cond_broadcast(&server->idle);
	pthread_mutex_unlock(&server->lock);
}

static void take_upload(struct upload *upload, const char *bytes, size_t size)
{
	char *grown;

	upload->size += size;
	if (upload->is_lost)
		return;
	grown = upload->size <= HV_BODY_MAX ? realloc(upload->body, upload->size) : NULL;
	if (!grown) {
		upload->is_lost = true;
		return;
	}
	memcpy(grown + upload->size - size, bytes, size);
	upload->body = grown;
}

static void log_failure(
	const struct hv_server *server, const char *path, const struct hv_reply *reply)
{
	enum hv_level level = reply->status >= 500 ? HV_LOG_ERROR : HV_LOG_INFO;

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
	(void)MHD_add_response_header(response, "Content-Type", "application/json");
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(struct hv_server *server, struct MHD_Connection *connection,
	const char *method, const char *path, const struct upload *upload)
{
	struct hv_reply reply;
	enum MHD_Result result;

	if (upload->is_lost)
		hv_api_refuse_size(&reply, HV_BODY_MAX);
	else
		hv_api_handle(server->api, method, path, upload->body, upload->size, &reply);
	log_failure(server, path, &reply);
	result = send_reply(connection, &reply);
	hv_reply_done(&reply);
	return result;
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
			begin(server);
		return upload ? MHD_YES : MHD_NO;
	}
	if (*size > 0) {
		take_upload(upload, bytes, *size);
		*size = 0;
		return upload->size <= HV_DISCARD_MAX ? MHD_YES : MHD_NO;
	}
	return answer(server, connection, method, path, upload);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct upload *upload = *state;

	(void)connection;
	(void)why;
	if (!upload)
		return;
	free(upload->body);
	free(upload);
	*state = NULL;
	end(context);
}

struct hv_server *hv_server_start(int fd, struct hv_api *api, const struct hv_log *log)
{
	struct hv_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->api = api;
	server->log = log;
	server->listening = -1;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->idle, NULL);
	server->daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
					 MHD_USE_ITC | MHD_USE_POLL,
			0, NULL, NULL, on_request, server, MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned)HV_CONNECTIONS_MAX,
			MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_END);
	if (server->daemon)
		return server;
	close(fd);
	free(server);
	return NULL;
}

bool hv_server_stop(struct hv_server *server, int timeout_ms)
{
	struct timespec deadline;
	int rc = 0;

	if (server->listening < 0)
		server->listening = MHD_quiesce_daemon(server->daemon);
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (deadline.tv_nsec >= 1000000000L) {
		deadline.tv_nsec -= 1000000000L;
		deadline.tv_sec++;
	}
	pthread_mutex_lock(&server->lock);
	while (server->active > 0 && rc == 0)
		rc = pthread_cond_timedwait(&server->idle, &server->lock, &deadline);
	rc = server->active > 0;
	pthread_mutex_unlock(&server->lock);
	if (rc) /* stopping would join the thread that is held */
		return false;
	MHD_stop_daemon(server->daemon);
	if (server->listening >= 0)
		close(server->listening);
	pthread_cond_destroy(&server->idle);
	pthread_mutex_destroy(&server->lock);
	free(server);
	return true;
}
