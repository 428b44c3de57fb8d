/* Every Engine of a machine finds a daemon that runs by itself in /run/docker/plugins, but that one
 * attaches to the containers of one Engine only: the one of its HOSTVOL_ENGINE. */
#include "cli/owner.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/cleanup.h"

#include "cli/document.h"
#include "cli/engine.h"
#include "cli/http.h"

enum { INFO_TIMEOUT_SECONDS = 15 };

static const char default_engine[] = "/run/docker.sock";

static bool is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return a && stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

/* NULL if the daemon does not answer properly: the next request tells why. */
static struct json_object *ask_daemon(const char *socket, int *ret_error)
{
	const struct hv_request request = {socket, "POST", "/HotInfo", "{}", INFO_TIMEOUT_SECONDS};
	hv_auto_answer struct hv_answer answer = {0};

	*ret_error = hv_http_call(&request, &answer);
	return *ret_error < 0 || answer.status != 200
		       ? NULL
		       : hv_document_parse(answer.bytes, answer.size, json_type_object);
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
	const char *engine, struct hv_daemon *daemon, struct hv_error *err)
{
	hv_auto_json struct json_object *info = NULL;
	hv_auto_free char *id = hv_engine_id(engine);
	const char *told;
	enum hv_code code;

	daemon->is_remote = true;
	code = hv_daemon_call(daemon, &(struct hv_call){"/HotInfo", NULL, 0}, &info, err);
	if (code != HV_OK)
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

enum hv_code hv_owner_check(const char *engine, struct hv_daemon *daemon, struct hv_error *err)
{
	int error = 0;
	hv_auto_json struct json_object *info = ask_daemon(daemon->socket, &error);
	bool is_ours = true;

	if (info)
		is_ours = is_owner(info, engine);
	else if (error == -EACCES || error == -EPERM) /* all that can be told from outside */
		is_ours = is_same_file(default_engine, engine);
	return is_ours ? HV_OK : go_through_engine(engine, daemon, err);
}
