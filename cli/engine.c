#include "cli/engine.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cleanup.h"
#include "wire/container.h"

#include "cli/document.h"
#include "cli/http.h"

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

static enum hv_code call(
	const struct hv_request *request, struct hv_answer *ret, struct hv_error *err)
{
	int r = hv_http_call(request, ret);

	return r < 0 ? fail_to_call(request->socket, r, err) : HV_OK;
}

/* The Engine's own words, where it has any. */
static enum hv_code fail_with_answer(
	const struct hv_answer *answer, const char *action, struct hv_error *err)
{
	hv_auto_free char *message = hv_engine_message_parse(answer->bytes, answer->size);

	if (message && *message)
		return hv_fail(
			err, HV_INTERNAL, "the Docker Engine cannot %s: %s", action, message);
	return hv_fail(err, HV_INTERNAL, "the Docker Engine cannot %s (HTTP status %ld)", action,
		answer->status);
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
	const struct hv_request request = {socket, "GET", "/plugins", NULL, HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_json struct json_object *plugins = NULL;
	enum hv_code code = call(&request, &answer, err);

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
		return hv_fail(err, code, "out of memory");
	if (code != HV_NO_SUCH_ENDPOINT)
		return HV_OK;
	hv_fail(err, code, "the hostvol plugin is not installed in the Docker Engine at %s",
		socket);
	return hv_hint(err,
		"start the hostvold service, or install the plugin from hostvol's source: scripts/quickstart, or scripts/build-plugin for the plugin alone");
}

static char *ask_id(const char *socket)
{
	const struct hv_request request = {socket, "GET", "/info", NULL, HV_TIMEOUT_SECONDS};
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_answer struct hv_answer answer = {0};
	struct hv_about about = {0};
	char *id = NULL;

	if (call(&request, &answer, &ignored) == HV_OK && answer.status == 200 &&
		hv_about_parse(answer.bytes, answer.size, &about, &ignored) == HV_OK && about.id)
		id = strdup(about.id);
	hv_about_done(&about);
	return id;
}

char *hv_engine_id(const char *socket)
{
	char *first = ask_id(socket), *second = first ? ask_id(socket) : NULL;
	bool is_same = first && second && strcmp(first, second) == 0;

	free(second);
	if (is_same)
		return first;
	free(first);
	return NULL;
}

/* `prefix`, the escaped `name`, `suffix`; NULL on ENOMEM. */
static char *join_path(const char *prefix, const char *name, const char *suffix)
{
	hv_auto_free char *escaped = hv_url_escape(name);
	char *path = NULL;

	if (!escaped || asprintf(&path, "%s%s%s", prefix, escaped, suffix) < 0)
		return NULL;
	return path;
}

static enum hv_code check_state(
	const struct hv_answer *answer, const char *name, struct hv_error *err)
{
	struct hv_container container = {0};
	enum hv_code code = hv_container_parse(answer->bytes, answer->size, &container, err);

	if (code == HV_OK && !container.is_running) {
		hv_fail(err, HV_NOT_RUNNING, "container %s is not running", container.name);
		code = hv_hint(err, "docker start %s", name);
	}
	hv_container_done(&container);
	return code;
}

enum hv_code hv_engine_check_running(
	const char *socket, const char *container, struct hv_error *err)
{
	hv_auto_free char *path = join_path("/containers/", container, "/json");
	const struct hv_request request = {socket, "GET", path, NULL, HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	enum hv_code code;

	if (!path)
		return hv_oom(err);
	code = call(&request, &answer, err);
	if (code != HV_OK)
		return code;
	if (answer.status == 404) {
		hv_fail(err, HV_NO_SUCH_CONTAINER, "no such container: %s", container);
		return hv_hint(err, "list the containers: docker ps -a");
	}
	if (answer.status != 200)
		return fail_with_answer(&answer, "look up the container", err);
	return check_state(&answer, container, err);
}

bool hv_engine_has_volume(const char *socket, const char *name)
{
	hv_auto_free char *path = join_path("/volumes/", name, "");
	const struct hv_request request = {socket, "GET", path, NULL, HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};

	return path && hv_http_call(&request, &answer) == 0 && answer.status == 200;
}

static struct json_object *volume_body(const char *driver, const char *name, const char *path)
{
	struct json_object *body = json_object_new_object();
	struct json_object *opts = json_object_new_object();

	if (!body || !opts) {
		json_object_put(body);
		json_object_put(opts);
		return NULL;
	}
	json_object_object_add(opts, "path", json_object_new_string(path));
	json_object_object_add(body, "Name", json_object_new_string(name));
	json_object_object_add(body, "Driver", json_object_new_string(driver));
	json_object_object_add(body, "DriverOpts", opts);
	return body;
}

enum hv_code hv_engine_volume_create(const char *socket, const char *driver, const char *name,
	const char *path, struct hv_error *err)
{
	hv_auto_json struct json_object *body = volume_body(driver, name, path);
	const char *text = body ? json_object_to_json_string(body) : NULL;
	const struct hv_request request = {
		socket, "POST", "/volumes/create", text, HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	enum hv_code code;

	if (!text)
		return hv_oom(err);
	code = call(&request, &answer, err);
	if (code == HV_OK && answer.status != 201 && answer.status != 200)
		code = fail_with_answer(&answer, "define the volume", err);
	return code;
}

enum hv_code hv_engine_volume_remove(const char *socket, const char *name, struct hv_error *err)
{
	hv_auto_free char *path = join_path("/volumes/", name, "");
	const struct hv_request request = {socket, "DELETE", path, NULL, HV_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	enum hv_code code;

	if (!path)
		return hv_oom(err);
	code = call(&request, &answer, err);
	if (code == HV_OK && answer.status != 204 && answer.status != 404)
		code = fail_with_answer(&answer, "remove the volume", err);
	return code;
}
