/* SPDX-License-Identifier: Apache-2.0 */
/* A name that hostvol does not know: guess the intention of the user. */
#include "name.h"

#include <string.h>

#include "attachments.h"
#include "container.h"

/* The directory of a volume that `local` mounts something on is empty while no container uses it.
 */
static bool is_plain_directory(const struct hv_engine_volume *volume)
{
	return strcmp(volume->driver, "local") == 0 && volume->mountpoint &&
	       volume->mountpoint[0] == '/' && !hv_opts_get(&volume->opts, "type") &&
	       !hv_opts_get(&volume->opts, "device");
}

static enum hv_code explain_foreign(const struct hv_engine_volume *volume,
	const struct hv_attach_request *request, const char *target, struct hv_error *err)
{
	hv_fail(err, HV_NO_SUCH_VOLUME, "volume '%s' is a volume of the driver %s, not of hostvol",
		volume->name, volume->driver);
	if (is_plain_directory(volume))
		return hv_hint(err, "attach its directory: docker addvol %s %s %s",
			volume->mountpoint, request->container, target);
	if (strcmp(volume->driver, "local") == 0)
		return hv_hint(err,
			"create a volume with the same options for type, device and o, and attach that: docker volume create -d hostvol -o type=... -o device=... NAME");
	return hv_hint(err, "attach a directory of the host instead: docker addvol DIRECTORY %s %s",
		request->container, target);
}

enum hv_code hv_volume_explain_unknown(struct hv_attacher *attacher,
	const struct hv_attach_request *request, const char *target, struct hv_error *err)
{
	hv_auto_engine_volume struct hv_engine_volume volume = {0};
	hv_auto_error struct hv_error ignored = {0};

	if (request->volume[0] == '/')
		return hv_hint(err,
			"give a directory of the host as \"Source\": {\"Path\": ...}: docker hostvol attach %s %s:%s",
			request->volume, request->container, target);
	if (hv_engine_volume(attacher->engine, request->volume, HV_ENGINE_TIMEOUT_WHO_MS, &volume,
		    &ignored) == HV_OK)
		return explain_foreign(&volume, request, target, err);
	return hv_hint(err,
		"list the volumes and their drivers with docker volume ls; if you mean a directory of the host, write its absolute path: docker hostvol attach /DIRECTORY %s:%s",
		request->container, target);
}

enum hv_code hv_list_check_names(
	struct hv_attacher *attacher, const struct hv_list_request *request, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_container struct hv_container container = {0};
	enum hv_code code = HV_OK;

	if (request->volume && *request->volume)
		code = hv_store_volume_get(attacher->store, request->volume, &volume, err);
	if (code == HV_NO_SUCH_VOLUME)
		return hv_hint(err, "list the volumes and their drivers: docker volume ls");
	if (code != HV_OK || !request->container || !*request->container)
		return code;
	/* Fail only if the Engine says that there is none; an Engine that is silent is ignored. */
	if (hv_engine_inspect(attacher->engine, request->container, HV_ENGINE_TIMEOUT_WHO_MS,
		    &container, err) == HV_NO_SUCH_CONTAINER)
		return err->code;
	hv_error_done(err);
	return HV_OK;
}
