/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's own calls: Plugin.Activate and VolumeDriver.*.
 * Source: Docker volume plugin protocol. */
#include "driver_calls.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "attach/rules.h"

#include "reply.h"
#include "volume_view.h"

enum { ENGINE_TIMEOUT_MS = 2000 };

static enum hv_code call_activate(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();

	(void)api;
	(void)request; /* the only call that comes without a body */
	if (hv_add(reply, "Implements", array, err) != HV_OK)
		return err->code;
	return hv_append(array, json_object_new_string("VolumeDriver"), err);
}

static enum hv_code call_capabilities(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();

	(void)api;
	(void)request;
	if (hv_add(reply, "Capabilities", object, err) != HV_OK)
		return err->code;
	return hv_add_text(object, "Scope", "local", err);
}

/* Option attach: the volume comes with its attachment or not at all. */
static enum hv_code attach_own(
	struct hv_api *api, const char *volume, const char *value, struct hv_error *err)
{
	struct hv_attach_place place;
	struct hv_attach_request request = HV_ATTACH_REQUEST_INIT;
	hv_auto_attachment struct hv_attachment attachment = {0};
	hv_auto_rule_view struct hv_rule_view view = {0};
	enum hv_code code;

	if (api->tunnel.is_denied) {
		hv_fail(err, HV_DENIED,
			"volume '%s' cannot be attached as part of its creation: option attach is switched off",
			volume);
		return hv_hint(err, "ask the administrator to set HOSTVOL_REMOTE_ATTACH=allow");
	}
	code = hv_volume_read_attach(value, &place, err);
	if (code != HV_OK)
		return code;
	request.volume = (char *)(uintptr_t)volume; /* read from, never freed */
	if (place.is_selector)
		request.selector = place.container;
	else
		request.container = place.container;
	request.target = place.target;
	request.read_only = place.read_only;
	request.required = place.required;
	request.from_volume_option = true;
	if (place.is_selector)
		return hv_rule_attach(api->attacher, &request, &view, err);
	code = hv_attach(api->attacher, &request, &attachment, err);
	if (code == HV_NO_SUCH_CONTAINER)
		hv_hint(err,
			"leave out option attach for a container that does not exist yet; give it the volume under volumes: in its Compose file, or with docker run -v");
	return code;
}

static enum hv_code call_create(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	const struct hv_driver_request *in = request->in;
	const char *attach = hv_opts_get(&in->opts, "attach");
	hv_auto_error struct hv_error ignored = {0};
	enum hv_code code = hv_volume_create(api->volumes, in->name, &in->opts, err);

	(void)reply;
	if (code != HV_OK || !attach)
		return code;
	code = attach_own(api, in->name, attach, err);
	if (code != HV_OK) /* no effect on a volume that existed before */
		(void)!hv_volume_rollback(api->volumes, in->name, &ignored);
	return code;
}

/* Podman's `volume prune` and `system prune --volumes` remove volumes of plugins, which Docker's do
 * not: there on-remove is keep if nothing is said.  An Engine that does not tell what it is may be
 * Podman; the managed plugin's is Docker. */
static bool may_be_podman(struct hv_api *api)
{
	struct hv_engine_kind kind = {0};
	hv_auto_error struct hv_error ignored = {0};

	return strcmp(api->mode, "plain") == 0 &&
	       (hv_engine_learn(api->engine, ENGINE_TIMEOUT_MS, &kind, &ignored) != HV_OK ||
		       kind.is_podman);
}

static enum hv_code call_remove(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	const char *name = request->in->name;
	bool is_podman = may_be_podman(api), is_attached = false;
	enum hv_code code = hv_volume_is_attached(api->attacher, name, &is_attached, err);

	(void)reply;
	if (code != HV_OK)
		return code;
	/* Before attachments end: a volume that stays keeps its options and its attachments.
	 * hv_volume_remove() checks again, with the volume held. */
	if (is_attached &&
		(hv_volume_prepare_removal(api->volumes, name, is_podman, err) != HV_OK ||
			hv_attachments_release_volume(api->attacher, name, err) != HV_OK))
		return err->code;
	return hv_volume_remove(api->volumes, name, is_podman, err);
}

static enum hv_code call_mount(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_driver_request *in = request->in;
	hv_auto_free char *mountpoint = NULL;
	enum hv_code code = hv_volume_mount(
		api->volumes, in->name, in->id ? in->id : "", request->client, &mountpoint, err);

	if (code != HV_OK)
		return code;
	*request->mounted = (struct hv_mounted){.volume = in->name, .id = in->id};
	in->name = in->id = NULL;
	return hv_add_text(reply, "Mountpoint", mountpoint, err);
}

void hv_api_unanswered(struct hv_api *api, struct hv_mounted *mounted)
{
	const char *id = mounted->id ? mounted->id : "";
	hv_auto_error struct hv_error ignored = {0};

	if (mounted->volume)
		(void)!hv_volume_unmount(api->volumes, mounted->volume, id, &ignored);
	hv_mounted_done(mounted);
}

static enum hv_code call_unmount(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	const struct hv_driver_request *in = request->in;

	(void)reply;
	return hv_volume_unmount(api->volumes, in->name, in->id ? in->id : "", err);
}

static enum hv_code call_path(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	const char *name = request->in->name;
	hv_auto_volume struct hv_volume volume = {0};
	hv_auto_free char *mountpoint = NULL;

	if (hv_volume_get(api->volumes, name, &volume, err) != HV_OK)
		return err->code;
	mountpoint = hv_volume_mountpoint(api->volumes, name);
	return hv_add(
		reply, "Mountpoint", mountpoint ? json_object_new_string(mountpoint) : NULL, err);
}

static enum hv_code call_get(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_volume struct hv_volume volume = {0};
	struct json_object *object;

	if (hv_volume_get(api->volumes, request->in->name, &volume, err) != HV_OK)
		return err->code;
	object = json_object_new_object();
	if (hv_add(reply, "Volume", object, err) != HV_OK)
		return err->code;
	/* The host's directory: the Engine shows it as it is. */
	return hv_add_volume(api, &volume, volume.source, object, err);
}

static enum hv_code call_list(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();
	hv_auto_volume_list struct hv_volume_list list = {0};

	(void)request;
	if (hv_add(reply, "Volumes", array, err) != HV_OK ||
		hv_volumes_list(api->volumes, &list, err) != HV_OK)
		return err->code;
	return hv_append_volumes(api, &list, array, err);
}

const struct hv_endpoint hv_driver_endpoints[] = {
	{"/Plugin.Activate", call_activate, 0},
	{"/VolumeDriver.Capabilities", call_capabilities, 0},
	{"/VolumeDriver.Create", call_create, HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT},
	{"/VolumeDriver.Remove", call_remove, HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT},
	{"/VolumeDriver.Mount", call_mount,
		HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT | HV_HANGS_UP},
	{"/VolumeDriver.Unmount", call_unmount,
		HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT | HV_HANGS_UP},
	{"/VolumeDriver.Path", call_path,
		HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT | HV_HANGS_UP | HV_IS_SURE},
	{"/VolumeDriver.Get", call_get,
		HV_NAMES_VOLUME | HV_NEEDS_STATE | HV_FOLDS_HINT | HV_HANGS_UP | HV_IS_SURE},
	{"/VolumeDriver.List", call_list,
		HV_NEEDS_STATE | HV_FOLDS_HINT | HV_HANGS_UP | HV_IS_SURE},
	{0},
};
