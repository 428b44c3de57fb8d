/* /HotAttach, /HotDetach, /HotList, /HotCheck, /HotSet, /HotInfo.  Unknown fields are refused by
 * name: a misspelt "ReadOnly" must not attach writable. */
#include "hot_calls.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "mountcore/core.h"
#include "volume/mount_root.h"
#include "wire/utf8.h"

#include "reply.h"
#include "volume_view.h"

enum { SAMPLES_MAX = 1024, ENGINE_ID_TIMEOUT_MS = 2000 };

static enum hv_code call_hot_attach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_attach_request in = HV_ATTACH_REQUEST_INIT;
	struct hv_attachment attachment = {0};
	enum hv_code code = hv_fields_read(request->body, request->size, hv_attach_request_fields,
		HV_UNKNOWN_REFUSE, &in, err);

	if (code == HV_OK)
		code = hv_attach(api->attacher, &in, &attachment, err);
	if (code == HV_OK)
		code = hv_add(reply, "Attachment",
			hv_fields_write(hv_attachment_fields, &attachment), err);
	hv_attachment_done(&attachment);
	hv_fields_done(hv_attach_request_fields, &in);
	return code;
}

static enum hv_code call_hot_check(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_attach_request in = HV_ATTACH_REQUEST_INIT;
	struct hv_check *checks = NULL;
	struct json_object *array = json_object_new_array();
	size_t count = 0;
	enum hv_code code = hv_add(reply, "Checks", array, err);

	if (code == HV_OK)
		code = hv_fields_read(request->body, request->size, hv_attach_request_fields,
			HV_UNKNOWN_REFUSE, &in, err);
	if (code == HV_OK)
		code = hv_attach_check(api->attacher, &in, &checks, &count, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = hv_append(array, hv_fields_write(hv_check_fields, &checks[i]), err);
	hv_checks_free(checks, count);
	hv_fields_done(hv_attach_request_fields, &in);
	return code;
}

static enum hv_code call_hot_detach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_detach_request in = {0};
	struct hv_attachment attachment = {0};
	enum hv_code code = hv_fields_read(request->body, request->size, hv_detach_request_fields,
		HV_UNKNOWN_REFUSE, &in, err);

	if (code == HV_OK)
		code = hv_detach(api->attacher, &in, &attachment, err);
	if (code == HV_OK)
		code = hv_add(reply, "Attachment",
			hv_fields_write(hv_attachment_fields, &attachment), err);
	hv_attachment_done(&attachment);
	hv_fields_done(hv_detach_request_fields, &in);
	return code;
}

static enum hv_code call_hot_list(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_list_request in = {0};
	struct hv_attachment *list = NULL;
	struct json_object *array = json_object_new_array();
	size_t count = 0;
	enum hv_code code = hv_add(reply, "Attachments", array, err);

	if (code == HV_OK)
		code = hv_fields_read(request->body, request->size, hv_list_request_fields,
			HV_UNKNOWN_REFUSE, &in, err);
	if (code == HV_OK)
		code = hv_attachments_list(api->attacher, &in, &list, &count, err);
	if (code == HV_OK && count == 0)
		code = hv_list_check_names(api->attacher, &in, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = hv_append(array, hv_fields_write(hv_attachment_fields, &list[i]), err);
	hv_attachments_free(list, count);
	hv_fields_done(hv_list_request_fields, &in);
	return code;
}

static enum hv_code add_set_volume(
	struct hv_api *api, const char *name, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	struct hv_volume volume = {0};
	enum hv_code code = hv_add(reply, "Volume", object, err);

	if (code == HV_OK)
		code = hv_store_volume_get(api->volumes->store, name, &volume, err);
	if (code == HV_OK)
		code = hv_add_volume(api, &volume, volume.source, object, err);
	hv_volume_done(&volume);
	return code;
}

/* Clear the references left by a killed dockerd if the Engine knows no container of the volume in
 * any state.  The Engine knows a container before it mounts for its start.  Returns whether to try
 * again. */
static bool forgive(struct hv_api *api, const struct hv_set_request *in)
{
	struct hv_error ignored = {0};
	long long references = 0;
	size_t containers = 0;
	bool is_forgiven =
		hv_opts_get(&in->opts, "ro") &&
		hv_store_ref_total(api->volumes->store, in->volume, &references, &ignored) ==
			HV_OK &&
		references > 0 &&
		hv_engine_volume_containers(api->engine, in->volume, ENGINE_ID_TIMEOUT_MS,
			&containers, &ignored) == HV_OK &&
		containers == 0 &&
		hv_volume_forgive(api->volumes, in->volume, references, &ignored) == HV_OK;

	hv_error_done(&ignored);
	return is_forgiven;
}

static enum hv_code call_hot_set(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct hv_set_request in = {0};
	enum hv_code code = hv_fields_read(
		request->body, request->size, hv_set_request_fields, HV_UNKNOWN_REFUSE, &in, err);

	if (code == HV_OK)
		code = hv_volume_set(api->volumes, in.volume, &in.opts, err);
	if (code == HV_VOLUME_IN_USE && forgive(api, &in)) {
		hv_error_done(err);
		code = hv_volume_set(api->volumes, in.volume, &in.opts, err);
	}
	if (code == HV_NO_SUCH_VOLUME && !err->hint)
		hv_hint(err, "list the volumes and their drivers: docker volume ls");
	if (code == HV_OK)
		code = add_set_volume(api, in.volume, reply, err);
	hv_fields_done(hv_set_request_fields, &in);
	return code;
}

static enum hv_code add_features(
	const struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	unsigned found = mc_core_features(api->core);
	enum hv_code code = hv_add(reply, "Features", object, err);

	for (unsigned bit = 1; code == HV_OK && mc_feature_name(bit); bit <<= 1)
		code = hv_add(object, mc_feature_name(bit),
			json_object_new_boolean((found & bit) != 0), err);
	return code;
}

static int compare_samples(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* How long the mount work of the last attaches took, in the kernel and around it. */
static enum hv_code add_timings(
	const struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	uint64_t samples[SAMPLES_MAX];
	unsigned count = mc_core_timings(api->core, samples, SAMPLES_MAX);
	struct json_object *object = json_object_new_object();
	enum hv_code code = hv_add(reply, "MountWork", object, err);

	qsort(samples, count, sizeof(samples[0]), compare_samples);
	if (code == HV_OK)
		code = hv_add(object, "Samples", json_object_new_int64(count), err);
	if (code == HV_OK && count > 0)
		code = hv_add(object, "P50Nanoseconds",
			json_object_new_int64((int64_t)samples[count / 2]), err);
	if (code == HV_OK && count > 0)
		code = hv_add(object, "P99Nanoseconds",
			json_object_new_int64((int64_t)samples[(size_t)count * 99 / 100]), err);
	return code;
}

static enum hv_code add_settings(
	const struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	enum hv_code code = hv_add(reply, "Settings", object, err);

	for (const struct hv_setting *at = api->settings; code == HV_OK && at->name; at++)
		code = hv_add_text(object, at->name, at->value, err);
	return code;
}

/* Problems are part of the information: the call itself succeeds. */
static enum hv_code add_health(struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct hv_error problem = {0};
	char *engine_id = NULL;
	enum hv_code code = hv_engine_id(api->engine, ENGINE_ID_TIMEOUT_MS, &engine_id, &problem);

	if (code != HV_OK)
		code = hv_add_text(reply, "EngineProblem", hv_error_text(&problem), err);
	if (code == HV_OK)
		code = hv_add_text(reply, "EngineID", engine_id ? engine_id : "", err);
	free(engine_id);
	if (code == HV_OK && api->open_state(api->context, &problem) != HV_OK)
		code = hv_add_text(reply, "StateProblem", hv_error_text(&problem), err);
	hv_error_done(&problem);
	return code;
}

struct strays {
	struct json_object *array;
	enum hv_code code;
	struct hv_error *err;
};

static void add_stray(void *context, const char *path)
{
	struct strays *strays = context;

	if (strays->code == HV_OK)
		strays->code = hv_append(strays->array, hv_utf8_json(path), strays->err);
}

/* Whether the host sees the mounts for docker run -v, and data containers wrote when it did not. */
static enum hv_code add_mount_root(
	struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct hv_error problem = {0};
	struct strays strays = {json_object_new_array(), HV_OK, err};
	enum hv_code code = hv_add(reply, "StrayData", strays.array, err);

	if (code == HV_OK)
		hv_mount_root_each_stray(api->volumes, add_stray, &strays);
	code = code == HV_OK ? strays.code : code;
	if (code == HV_OK && hv_mount_root_tell(api->volumes, &problem) != HV_OK)
		code = hv_add_text(reply, "MountRootProblem", hv_error_text(&problem), err);
	hv_error_done(&problem);
	return code;
}

/* Whether attachments are back before the program begins, and why not. */
static enum hv_code add_starts(struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	struct hv_starts starts = {0};
	enum hv_code code = hv_add(reply, "Starts", object, err);

	if (api->tell_starts)
		api->tell_starts(api->context, &starts);
	if (code == HV_OK)
		code = hv_add(object, "Held", json_object_new_boolean(starts.are_held), err);
	if (code == HV_OK)
		code = hv_add(
			object, "HoldMilliseconds", json_object_new_int64(starts.hold_ms), err);
	if (code == HV_OK && !starts.are_held)
		code = hv_add_text(object, "Reason", starts.reason, err);
	return code;
}

static enum hv_code call_hot_info(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct utsname kernel;
	enum hv_code code = hv_add_text(reply, "Version", HOSTVOL_VERSION, err);

	(void)request;
	if (code == HV_OK)
		code = hv_add_text(reply, "Mode", api->mode, err);
	if (code == HV_OK && uname(&kernel) == 0)
		code = hv_add_text(reply, "Kernel", kernel.release, err);
	if (code == HV_OK)
		code = hv_add_text(reply, "MountEngine", mc_core_engine(api->core), err);
	if (code == HV_OK)
		code = add_features(api, reply, err);
	if (code == HV_OK)
		code = add_settings(api, reply, err);
	if (code == HV_OK)
		code = add_timings(api, reply, err);
	if (code == HV_OK)
		code = add_mount_root(api, reply, err);
	if (code == HV_OK)
		code = add_starts(api, reply, err);
	return code == HV_OK ? add_health(api, reply, err) : code;
}

const struct hv_endpoint hv_hot_endpoints[] = {
	{"/HotAttach", call_hot_attach, HV_NEEDS_STATE},
	{"/HotDetach", call_hot_detach, HV_NEEDS_STATE},
	{"/HotList", call_hot_list, HV_NEEDS_STATE},
	{"/HotCheck", call_hot_check, HV_NEEDS_STATE},
	{"/HotSet", call_hot_set, HV_NEEDS_STATE},
	{"/HotInfo", call_hot_info, 0},
	{0},
};
