/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/engine.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/container.h"
#include "wire/json.h"
#include "wire/text.h"

#include "cli/document.h"
#include "cli/http.h"

enum { ANSWER_DEPTH_MAX = 64 };

static enum hv_code fail_to_call(const char *socket, int error, struct hv_error *err)
{
	switch (-error) {
	case ENOENT:
	case ECONNREFUSED:
		hv_fail(err, HV_INTERNAL, "no Docker Engine answers at %s", socket);
		return hv_hint(err, "check whether it is running: systemctl status docker");
	case EACCES:
	case EPERM:
		hv_fail(err, HV_DENIED, "no permission to use the Docker Engine's socket %s",
			socket);
		return hv_hint(err, "run this with sudo");
	case ENAMETOOLONG:
		hv_fail(err, HV_BAD_REQUEST,
			"the path of the Docker Engine's socket is longer than %d bytes: %s",
			HV_SOCKET_PATH_MAX_BYTES, socket);
		return hv_hint(err, "give DOCKER_HOST a shorter path, such as a symlink");
	case ETIMEDOUT:
		return hv_fail(
			err, HV_TIMEOUT, "the Docker Engine at %s did not answer in time", socket);
	case EFBIG:
		return hv_fail(err, HV_INTERNAL, "the Docker Engine's answer is too long");
	case EPROTO:
		return hv_fail(err, HV_INTERNAL, "the server at %s is not a Docker Engine", socket);
	default:
		return hv_fail(err, HV_INTERNAL, "cannot ask the Docker Engine at %s: %s", socket,
			strerrordesc_np(-error));
	}
}

/* `path` is NULL on ENOMEM. */
static enum hv_code call(const char *socket, const char *method, const char *path, const char *body,
	struct hv_answer *ret, struct hv_error *err)
{
	const struct hv_request request = {socket, method, path, body, HV_TIMEOUT_SECONDS};
	int r;

	if (!path)
		return hv_oom(err);
	r = hv_http_call(&request, ret);
	return r < 0 ? fail_to_call(socket, r, err) : HV_OK;
}

/* The Engine's own words, where it has any. */
static enum hv_code fail_with_answer(
	const struct hv_answer *answer, const char *action, struct hv_error *err)
{
	hv_auto_free char *message =
		hv_engine_message_parse(answer->bytes ? answer->bytes : "", answer->size);

	if (message && *message)
		return hv_fail(
			err, HV_INTERNAL, "the Docker Engine cannot %s: %s", action, message);
	return hv_fail(err, HV_INTERNAL, "the Docker Engine cannot %s (HTTP status %ld)", action,
		answer->status);
}

enum hv_code hv_engine_ask(const struct hv_engine_request *request, struct json_object **ret,
	long *ret_status, struct hv_error *err)
{
	const char *body = request->body ? json_object_to_json_string_ext(
						   request->body, JSON_C_TO_STRING_PLAIN)
					 : NULL;
	const struct hv_request http = {request->socket, request->method, request->path, body,
		request->timeout_seconds > 0 ? request->timeout_seconds : HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	struct hv_json_text text;
	int r;

	*ret = NULL;
	*ret_status = 0;
	if (request->body && !body)
		return hv_oom(err);
	r = hv_http_call(&http, &answer);
	if (r < 0)
		return fail_to_call(request->socket, r, err);
	*ret_status = answer.status;
	if (answer.status < 200 || answer.status > 299)
		return fail_with_answer(&answer, request->action, err);
	if (answer.size == 0)
		return HV_OK;
	if (hv_json_read(answer.bytes, answer.size, ANSWER_DEPTH_MAX, &text) < 0)
		return hv_oom(err);
	*ret = text.object;
	return HV_OK;
}

/* The ID becomes part of a path. */
static bool is_hex(const char *text)
{
	return *text && !text[strspn(text, "0123456789abcdef")];
}

/* How well an entry of the list fits; 0: not at all. */
static int rank_plugin(struct json_object *item)
{
	struct json_object *config = hv_document_get(item, "Config", json_type_object);
	const char *socket =
		hv_document_text(hv_document_get(config, "Interface", json_type_object), "Socket");
	const char *name = hv_document_text(item, "Name");
	const char *id = hv_document_text(item, "Id");

	if (!socket || !name || !id || strcmp(socket, "hostvol.sock") != 0 || !is_hex(id))
		return 0;
	return 1 + 2 * hv_document_flag(item, "Enabled") + (strcmp(name, "hostvol:latest") == 0);
}

enum hv_code hv_plugin_choose(struct json_object *plugins, struct hv_plugin *ret)
{
	size_t count = json_object_array_length(plugins);
	struct json_object *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *item = json_object_array_get_idx(plugins, i);
		int rank = rank_plugin(item);

		if (rank > best_rank) {
			best = item;
			best_rank = rank;
		}
	}
	if (!best)
		return HV_NO_SUCH_ENDPOINT;
	ret->id = strdup(hv_document_text(best, "Id"));
	ret->name = strdup(hv_document_text(best, "Name"));
	ret->is_enabled = hv_document_flag(best, "Enabled");
	return ret->id && ret->name ? HV_OK : HV_INTERNAL;
}

void hv_plugin_done(struct hv_plugin *plugin)
{
	free(plugin->id);
	free(plugin->name);
	*plugin = (struct hv_plugin){0};
}

enum hv_code hv_engine_plugin(const char *socket, struct hv_plugin *ret, struct hv_error *err)
{
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_json struct json_object *plugins = NULL;
	enum hv_code code = call(socket, "GET", "/plugins", NULL, &answer, err);

	if (code != HV_OK)
		return code;
	if (answer.status == 404) { /* Podman */
		hv_fail(err, HV_NO_SUCH_ENDPOINT, "the Engine at %s knows no managed plugins",
			socket);
		return hv_hint(err,
			"start the hostvold service; if its socket is elsewhere, set HOSTVOL_SOCKET");
	}
	if (answer.status != 200)
		return fail_with_answer(&answer, "list its plugins", err);
	plugins = hv_document_parse(answer.bytes, answer.size, json_type_array);
	if (!plugins)
		return hv_fail(err, HV_INTERNAL,
			"the answer from %s about plugins is not the JSON of a Docker Engine",
			socket);
	code = hv_plugin_choose(plugins, ret);
	if (code == HV_INTERNAL)
		return hv_oom(err);
	if (code != HV_NO_SUCH_ENDPOINT)
		return HV_OK;
	hv_fail(err, code, "the hostvol plugin is not installed in the Docker Engine at %s",
		socket);
	return hv_hint(err,
		"start the hostvold service, or install the plugin from hostvol's source: scripts/quickstart, or scripts/build-plugin for the plugin alone");
}

static char *ask_id(const char *socket)
{
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_about struct hv_engine_info about = {0};

	if (call(socket, "GET", "/info", NULL, &answer, &ignored) != HV_OK ||
		answer.status != 200 ||
		hv_engine_info_parse(answer.bytes, answer.size, &about, &ignored) != HV_OK)
		return NULL;
	return about.id ? strdup(about.id) : NULL;
}

char *hv_engine_id(const char *socket)
{
	hv_auto_free char *first = ask_id(socket), *second = first ? ask_id(socket) : NULL;

	return second && strcmp(first, second) == 0 ? strdup(first) : NULL;
}

/* `prefix`, the escaped `name`, `suffix`; NULL on ENOMEM. */
static char *join_path(const char *prefix, const char *name, const char *suffix)
{
	hv_auto_free char *escaped = hv_url_escape(name);

	return escaped ? hv_text_format("%s%s%s", prefix, escaped, suffix) : NULL;
}

enum hv_code hv_engine_check_running(const char *socket, const char *name, struct hv_error *err)
{
	hv_auto_free char *path = join_path("/containers/", name, "/json");
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_container struct hv_container container = {0};

	if (call(socket, "GET", path, NULL, &answer, err) != HV_OK)
		return err->code;
	if (answer.status == 404) {
		hv_fail(err, HV_NO_SUCH_CONTAINER, "no such container: %s", name);
		return hv_hint(err, "list the containers: docker ps -a");
	}
	if (answer.status != 200)
		return fail_with_answer(&answer, "look up the container", err);
	if (hv_container_parse(answer.bytes, answer.size, &container, err) != HV_OK)
		return err->code;
	if (container.is_running)
		return HV_OK;
	hv_fail(err, HV_NOT_RUNNING, "container %s is not running", container.name);
	return hv_hint(err, "docker start %s", name);
}

bool hv_engine_has_volume(const char *socket, const char *name)
{
	hv_auto_free char *path = join_path("/volumes/", name, "");
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_answer struct hv_answer answer = {0};

	return call(socket, "GET", path, NULL, &answer, &ignored) == HV_OK && answer.status == 200;
}

enum hv_code hv_engine_volume_create(const char *socket, const char *driver, const char *name,
	const char *path, struct hv_error *err)
{
	hv_auto_json struct json_object *body = json_object_new_object(),
					*opts = json_object_new_object();
	hv_auto_answer struct hv_answer answer = {0};
	const char *text;

	if (!body || !opts)
		return hv_oom(err);
	json_object_object_add(opts, "path", json_object_new_string(path));
	json_object_object_add(body, "Name", json_object_new_string(name));
	json_object_object_add(body, "Driver", json_object_new_string(driver));
	json_object_object_add(body, "DriverOpts", json_object_get(opts));
	text = json_object_to_json_string(body);
	if (!text)
		return hv_oom(err);
	if (call(socket, "POST", "/volumes/create", text, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 201 && answer.status != 200)
		return fail_with_answer(&answer, "define the volume", err);
	return HV_OK;
}

enum hv_code hv_engine_volume_remove(const char *socket, const char *name, struct hv_error *err)
{
	hv_auto_free char *path = join_path("/volumes/", name, "");
	hv_auto_answer struct hv_answer answer = {0};

	if (call(socket, "DELETE", path, NULL, &answer, err) != HV_OK)
		return err->code;
	if (answer.status != 204 && answer.status != 404)
		return fail_with_answer(&answer, "remove the volume", err);
	return HV_OK;
}
