/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/clock.h"

#include "cli/document.h"
#include "cli/http.h"
#include "cli/tunnel.h"

enum { ENGINE_WAIT_SECONDS = 20 };

void hv_client_done(struct hv_client *daemon)
{
	free(daemon->socket);
	free(daemon->driver);
	*daemon = (struct hv_client){0};
}

bool hv_client_is_tunnelled(const struct hv_client *daemon)
{
	return daemon->is_remote || (daemon->globals && access(daemon->socket, W_OK) < 0);
}

static enum hv_code fail_to_call(const struct hv_client *daemon, int error, struct hv_error *err)
{
	const char *socket = daemon->socket;

	switch (-error) {
	case ENOENT:
		hv_fail(err, HV_INTERNAL, "the hostvol daemon has no socket at %s", socket);
		return hv_hint(err, "run this on the Docker Engine's machine, or in its VM");
	case ECONNREFUSED:
		hv_fail(err, HV_INTERNAL, "nothing answers at the hostvol socket %s", socket);
		return hv_hint(err,
			"restart the hostvold service, or the plugin: docker plugin disable %s && docker plugin enable %s",
			daemon->driver, daemon->driver);
	case EACCES:
	case EPERM:
		hv_fail(err, HV_DENIED, "no permission to use the hostvol socket %s", socket);
		return hv_hint(err, "run this with sudo");
	case ENAMETOOLONG:
		hv_fail(err, HV_BAD_REQUEST,
			"the path of the hostvol socket is longer than %d bytes: %s",
			HV_SOCKET_PATH_MAX_BYTES, socket);
		return hv_hint(err, "set HOSTVOL_SOCKET to a shorter path, such as a symlink");
	case ETIMEDOUT:
		hv_fail(err, HV_TIMEOUT, "the hostvol daemon at %s did not answer in time", socket);
		return hv_hint(err, "check whether it is still at work: docker hostvol ls");
	case EFBIG:
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer is too long");
	case EPROTO:
		return hv_fail(err, HV_INTERNAL,
			"the hostvol daemon at %s closed the connection without a proper answer",
			socket);
	default:
		return hv_fail(err, HV_INTERNAL, "cannot ask the hostvol daemon at %s: %s", socket,
			strerrordesc_np(-error));
	}
}

/* Copy the processes that keep the mount busy, with known reasons. */
static void take_busy(struct json_object *answer, struct hv_error *err)
{
	static const char *const reasons[] = {"cwd", "root", "open file", "mapping"};
	struct json_object *list = hv_document_get(answer, "Busy", json_type_array);
	size_t count = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < count && err->busy_count < HV_BUSY_MAX; i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *command = hv_document_text(item, "Command");
		const char *why = hv_document_text(item, "Why");
		struct hv_busy *entry = &err->busy[err->busy_count++];

		entry->pid = json_object_get_int64(json_object_object_get(item, "Pid"));
		snprintf(entry->command, sizeof(entry->command), "%s", command ? command : "");
		entry->why = "in use";
		for (size_t r = 0; why && r < sizeof(reasons) / sizeof(reasons[0]); r++)
			if (strcmp(why, reasons[r]) == 0)
				entry->why = reasons[r];
	}
}

enum hv_code hv_daemon_judge(struct json_object *answer, long status, const char *endpoint,
	struct json_object **ret, struct hv_error *err)
{
	const char *sentence = hv_document_text(answer, "Err");
	const char *name = hv_document_text(answer, "Code");
	const char *hint = hv_document_text(answer, "Hint");
	enum hv_code code = hv_code_parse(name && *name ? name : "internal");

	if (status == 200 && (!sentence || !*sentence)) {
		*ret = json_object_get(answer);
		return HV_OK;
	}
	if (!sentence || !*sentence)
		return hv_fail(err, code,
			"the hostvol daemon refused %s with HTTP status %ld and no reason",
			endpoint, status);
	hv_fail(err, code, "%s", sentence);
	take_busy(answer, err);
	return hint && *hint ? hv_hint(err, "%s", hint) : code;
}

/* A call that waits is made again and again: the Engine gives up on one after 30 seconds. */
static enum hv_code call_through_engine(const struct hv_client *daemon, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
{
	time_t end = hv_clock_seconds() + call->extra_seconds, left = call->extra_seconds;
	enum hv_code code;

	do {
		hv_auto_json struct json_object *answer = NULL;
		long status = 0;

		hv_error_done(err);
		if (call->extra_seconds != 0)
			json_object_object_add(call->body, "WaitSeconds",
				json_object_new_int64(
					left < ENGINE_WAIT_SECONDS ? left : ENGINE_WAIT_SECONDS));
		code = hv_tunnel_call(daemon->globals, daemon->driver, call, &answer, &status, err);
		if (code == HV_OK)
			code = hv_daemon_judge(answer, status, call->endpoint, ret, err);
		left = end - hv_clock_seconds();
	} while (code == HV_BUSY && left > 0);
	return code;
}

enum hv_code hv_client_call(const struct hv_client *daemon, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
{
	const char *body = call->body ? json_object_to_json_string(call->body) : "{}";
	const struct hv_request request = {daemon->socket, "POST", call->endpoint, body,
		HV_TIMEOUT_SECONDS + call->extra_seconds};
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_json struct json_object *document = NULL;
	int r;

	if (!body)
		return hv_oom(err);
	if (daemon->is_remote)
		return call_through_engine(daemon, call, ret, err);
	r = hv_http_call(&request, &answer);
	/* Without root; or the Engine that told of the plugin is elsewhere. */
	if (daemon->globals && (r == -EACCES || r == -EPERM || r == -ENOENT))
		return call_through_engine(daemon, call, ret, err);
	if (r < 0)
		return fail_to_call(daemon, r, err);
	document = hv_document_parse(answer.bytes, answer.size, json_type_object);
	if (!document)
		return hv_fail(err, HV_INTERNAL,
			"the answer from %s to %s is not JSON (HTTP status %ld)", daemon->socket,
			call->endpoint, answer.status);
	return hv_daemon_judge(document, answer.status, call->endpoint, ret, err);
}
