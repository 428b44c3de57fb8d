/* SPDX-License-Identifier: Apache-2.0 */
/* A name that neither hostvol nor the Engine knows: guess the intention of the user. */
#include "name.h"

#include "attachments.h"
#include "container.h"

enum hv_code hv_volume_explain_unknown(
	const struct hv_attach_request *request, const char *target, struct hv_error *err)
{
	if (request->volume[0] == '/')
		return hv_hint(err,
			"give a directory of the host as \"Source\": {\"Path\": ...}: docker hostvol attach %s %s:%s",
			request->volume, request->container, target);
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
