/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/text.h"

#include "cli/document.h"
#include "cli/endpoint.h"
#include "cli/engine.h"
#include "cli/http.h"

enum { INFO_TIMEOUT_SECONDS = 15 };

static enum hv_code fill(struct hv_client *daemon, char *socket, char *driver, struct hv_error *err)
{
	daemon->socket = socket;
	daemon->driver = driver;
	return socket && driver ? HV_OK : hv_oom(err);
}

/* The Engine leaves the tag "latest" out of a driver's name. */
static char *driver_name(const char *plugin)
{
	static const char latest[] = ":latest";
	size_t length = strlen(plugin);
	size_t tail = sizeof(latest) - 1;

	if (length > tail && strcmp(plugin + length - tail, latest) == 0)
		return strndup(plugin, length - tail);
	return strdup(plugin);
}

/* A daemon that runs by itself has its socket right in the Engine's plugin directory.
 * `err` comes with the reason why no managed plugin is used. */
static enum hv_code find_plain(const char *plugin_dir, struct hv_client *ret, struct hv_error *err)
{
	hv_auto_free char *socket = hv_text_format("%s/hostvol.sock", plugin_dir);
	struct stat status;

	if (!socket)
		return hv_oom(err);
	if (stat(socket, &status) < 0 && errno == ENOENT)
		return err->code;
	/* Connecting reports any other error of stat() again. */
	hv_error_done(err);
	return fill(ret, strdup(socket), strdup("hostvol"), err);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return a && stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* Whether the daemon that gave `info` attaches to the containers of the Engine at `engine`.  One
 * that reaches no Engine attaches to none: it may say so itself. */
static bool is_owner(struct json_object *info, const char *engine)
{
	struct json_object *settings = hv_document_get(info, "Settings", json_type_object);
	const char *told = hv_document_text(info, "EngineID");
	hv_auto_free char *id = NULL;

	if (hv_document_text(info, "EngineProblem") || !told ||
		is_same_file(hv_document_text(settings, "HOSTVOL_ENGINE"), engine))
		return true;
	id = hv_engine_id(engine);
	return id && strcmp(id, told) == 0;
}

/* Calls go through the Engine from now on.  It may lead to the same daemon: dockerd finds it, too.
 */
static enum hv_code go_through_engine(
	const char *engine, struct hv_client *daemon, struct hv_error *err)
{
	hv_auto_json struct json_object *info = NULL;
	hv_auto_free char *id = hv_engine_id(engine);
	const char *told;

	daemon->is_remote = true;
	if (hv_client_call(daemon, &(struct hv_call){"/HotInfo", NULL, 0}, &info, err) != HV_OK)
		return hv_hint(err,
			"the hostvol daemon at %s serves another Engine than the one at %s; install the plugin there, from hostvol's source: scripts/build-plugin",
			daemon->socket, engine);
	told = hv_document_text(info, "EngineID");
	if (!told || !*told || !id || strcmp(told, id) == 0)
		return HV_OK;
	hv_fail(err, HV_NO_SUCH_ENDPOINT,
		"the hostvol daemon at %s serves another Engine than the one at %s", daemon->socket,
		engine);
	return hv_hint(err,
		"set the daemon's HOSTVOL_ENGINE to this Engine's socket, or install the plugin in this Engine, from hostvol's source: scripts/build-plugin");
}

/* Every Engine of a machine finds a daemon that runs by itself in /run/docker/plugins, but that one
 * attaches to the containers of one Engine only: the one of its HOSTVOL_ENGINE.  Check that it
 * serves the Engine at `engine`; assume so if it does not answer.  If it serves another one, send
 * all further calls through the Engine.  HV_NO_SUCH_ENDPOINT: the Engine would ask the same daemon.
 */
static enum hv_code check_owner(const char *engine, struct hv_client *daemon, struct hv_error *err)
{
	const struct hv_request request = {
		daemon->socket, "POST", "/HotInfo", "{}", INFO_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};
	hv_auto_json struct json_object *info = NULL;
	int error = hv_http_call(&request, &answer);
	bool is_ours = true;

	/* If it does not answer properly, the next request tells why. */
	if (error == 0 && answer.status == 200)
		info = hv_document_parse(answer.bytes, answer.size, json_type_object);
	if (info)
		is_ours = is_owner(info, engine);
	else if (error == -EACCES || error == -EPERM) /* all that can be told from outside */
		is_ours = is_same_file("/run/docker.sock", engine);
	return is_ours ? HV_OK : go_through_engine(engine, daemon, err);
}

static enum hv_code find_of_engine(
	const char *engine, const char *plugin_dir, struct hv_client *ret, struct hv_error *err)
{
	hv_auto_plugin struct hv_plugin plugin = {0};
	enum hv_code code = hv_engine_plugin(engine, &plugin, err);

	if (code == HV_OK && plugin.is_enabled)
		return fill(ret, hv_text_format("%s/%s/hostvol.sock", plugin_dir, plugin.id),
			driver_name(plugin.name), err);
	if (code == HV_OK) {
		hv_fail(err, HV_NO_SUCH_ENDPOINT, "the plugin %s is installed but disabled",
			plugin.name);
		hv_hint(err, "docker plugin enable %s", plugin.name);
	} else if (code != HV_NO_SUCH_ENDPOINT) {
		return code;
	}
	code = find_plain(plugin_dir, ret, err);
	return code == HV_OK ? check_owner(engine, ret, err) : code;
}

enum hv_code hv_client_find(const struct hv_globals *globals,
	const struct hv_environment *environment, struct hv_client *ret, struct hv_error *err)
{
	hv_auto_free char *engine = NULL;
	enum hv_code code;

	if (environment->hostvol_socket)
		return fill(ret, strdup(environment->hostvol_socket), strdup("hostvol"), err);
	ret->globals = globals;
	code = hv_endpoint_resolve(globals, environment, &engine, err);
	if (code == HV_UNSUPPORTED) {
		hv_error_done(err);
		ret->is_remote = true;
		return fill(ret, strdup(""), strdup("hostvol"), err);
	}
	if (code != HV_OK)
		return code;
	return find_of_engine(engine, environment->plugin_dir, ret, err);
}

enum hv_code hv_client_ask(const struct hv_globals *globals,
	const struct hv_environment *environment, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
{
	hv_auto_daemon struct hv_client daemon = {0};

	if (hv_client_find(globals, environment, &daemon, err) != HV_OK)
		return err->code;
	return hv_client_call(&daemon, call, ret, err);
}
