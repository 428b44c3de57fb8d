#include "cli/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "wire/cleanup.h"

#include "cli/endpoint.h"
#include "cli/engine.h"
#include "cli/output.h"
#include "cli/owner.h"

static enum hv_code fill(struct hv_daemon *daemon, char *socket, char *driver, struct hv_error *err)
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
static enum hv_code find_plain(const char *plugin_dir, struct hv_daemon *ret, struct hv_error *err)
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

static enum hv_code find_of_engine(
	const char *engine, const char *plugin_dir, struct hv_daemon *ret, struct hv_error *err)
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
	return code == HV_OK ? hv_owner_check(engine, ret, err) : code;
}

enum hv_code hv_daemon_find(const struct hv_globals *globals,
	const struct hv_environment *environment, struct hv_daemon *ret, struct hv_error *err)
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

enum hv_code hv_daemon_ask(const struct hv_globals *globals,
	const struct hv_environment *environment, const struct hv_call *call,
	struct json_object **ret, struct hv_error *err)
{
	hv_auto_daemon struct hv_daemon daemon = {0};

	if (hv_daemon_find(globals, environment, &daemon, err) != HV_OK)
		return err->code;
	return hv_daemon_call(&daemon, call, ret, err);
}
