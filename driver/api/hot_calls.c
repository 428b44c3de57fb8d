/* SPDX-License-Identifier: Apache-2.0 */
/* /HotAttach, /HotDetach, /HotList, /HotCheck, /HotEvents, /HotSet, /HotInfo.  Unknown fields are
 * refused by name: a misspelt "ReadOnly" must not attach writable. */
#include "hot_calls.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "attach/rules.h"
#include "mountcore/core.h"
#include "volume/mount_root.h"
#include "wire/utf8.h"

#include "reply.h"
#include "rule_calls.h"
#include "volume_view.h"

enum { SAMPLES_MAX = 1024, ENGINE_ID_TIMEOUT_MS = 2000 };

static enum hv_code attach(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_attachment struct hv_attachment attachment = {0};

	if (in->selector)
		return hv_answer_rule_attach(api, in, reply, err);
	if (hv_attach(api->attacher, in, &attachment, err) != HV_OK)
		return err->code;
	return hv_add(reply, "Attachment", hv_fields_write(hv_attachment_fields, &attachment), err);
}

/* Define the volume, which does not exist, and attach it; if that fails it is gone again. */
static enum hv_code create_and_attach(struct hv_api *api, const struct hv_attach_request *in,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_error struct hv_error ignored = {0};

	if (hv_volume_create(api->volumes, in->volume, &in->volume_opts, err) != HV_OK)
		return err->code;
	if (attach(api, in, reply, err) != HV_OK)
		(void)!hv_volume_remove(api->volumes, in->volume, false, &ignored);
	return err->code;
}

static enum hv_code call_hot_attach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_attach_request struct hv_attach_request in = HV_ATTACH_REQUEST_INIT;
	enum hv_code code = hv_attach_request_read(request->body, request->size, &in, err);

	if (code == HV_OK)
		code = hv_attach_request_check(&in, err);
	if (code == HV_OK)
		code = attach(api, &in, reply, err);
	if (code != HV_NO_SUCH_VOLUME || in.volume_opts.count == 0 || !in.volume)
		return code;
	hv_error_done(err);
	return create_and_attach(api, &in, reply, err);
}

static enum hv_code call_hot_check(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_attach_request struct hv_attach_request in = HV_ATTACH_REQUEST_INIT;
	struct hv_check *checks = NULL;
	struct json_object *array = json_object_new_array();
	size_t count = 0;
	enum hv_code code;

	if (hv_add(reply, "Checks", array, err) != HV_OK ||
		hv_attach_request_read(request->body, request->size, &in, err) != HV_OK ||
		hv_attach_request_check(&in, err) != HV_OK)
		return err->code;
	if (in.selector)
		return hv_answer_rule_check(api, &in, array, err);
	code = hv_attach_check(api->attacher, &in, &checks, &count, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = hv_append(array, hv_fields_write(hv_check_fields, &checks[i]), err);
	hv_checks_free(checks, count);
	return code;
}

static enum hv_code call_hot_detach(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_detach_request struct hv_detach_request in = {0};
	hv_auto_attachment struct hv_attachment attachment = {0};
	enum hv_code code = hv_fields_read(request->body, request->size, hv_detach_request_fields,
		HV_UNKNOWN_REFUSE, &in, err);

	if (code == HV_OK && (in.selector || (in.id && hv_rule_is_there(api->attacher, in.id))))
		return hv_answer_rule_detach(api, &in, reply, err);
	if (code == HV_OK)
		code = hv_detach(api->attacher, &in, &attachment, err);
	if (code != HV_OK)
		return code;
	return hv_add(reply, "Attachment", hv_fields_write(hv_attachment_fields, &attachment), err);
}

static enum hv_code call_hot_list(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_list_request struct hv_list_request in = {0};
	struct hv_attachment *list = NULL;
	struct json_object *array = json_object_new_array();
	size_t count = 0;
	enum hv_code code;

	if (hv_add(reply, "Attachments", array, err) != HV_OK ||
		hv_fields_read(request->body, request->size, hv_list_request_fields,
			HV_UNKNOWN_REFUSE, &in, err) != HV_OK)
		return err->code;
	code = hv_attachments_list(api->attacher, &in, &list, &count, err);
	if (code == HV_OK && count == 0)
		code = hv_list_check_names(api->attacher, &in, err);
	for (size_t i = 0; code == HV_OK && i < count; i++)
		code = hv_append(array, hv_fields_write(hv_attachment_fields, &list[i]), err);
	hv_attachments_free(list, count);
	return code;
}

static enum hv_code call_hot_events(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_events_request struct hv_events_request in = {0};
	hv_auto_events struct hv_events events = {0};
	struct json_object *array = json_object_new_array();

	if (hv_add(reply, "Events", array, err) != HV_OK ||
		hv_fields_read(request->body, request->size, hv_events_request_fields,
			HV_UNKNOWN_REFUSE, &in, err) != HV_OK ||
		hv_attachments_events(api->attacher, &in, &events, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < events.count; i++)
		if (hv_append(array, hv_fields_write(hv_attachment_event_fields, &events.items[i]),
			    err) != HV_OK)
			return err->code;
	return hv_add(reply, "Last", json_object_new_int64(events.last), err);
}

static enum hv_code add_set_volume(
	struct hv_api *api, const char *name, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	hv_auto_volume struct hv_volume volume = {0};

	if (hv_add(reply, "Volume", object, err) != HV_OK ||
		hv_volume_get(api->volumes, name, &volume, err) != HV_OK)
		return err->code;
	return hv_add_volume(api, &volume, volume.source, object, err);
}

/* Clear the references left by a killed dockerd if the Engine knows no container of the volume in
 * any state.  The Engine knows a container before it mounts for its start.  Returns whether to try
 * again. */
static bool forgive(struct hv_api *api, const struct hv_set_request *in)
{
	hv_auto_error struct hv_error ignored = {0};
	long long references = 0;
	size_t containers = 0;

	return hv_opts_get(&in->opts, "ro") &&
	       hv_volume_references(api->volumes, in->volume, &references, &ignored) == HV_OK &&
	       references > 0 &&
	       hv_engine_volume_containers(api->engine, in->volume, ENGINE_ID_TIMEOUT_MS,
		       &containers, &ignored) == HV_OK &&
	       containers == 0 &&
	       hv_volume_forgive(api->volumes, in->volume, references, &ignored) == HV_OK;
}

static enum hv_code call_hot_set(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	hv_auto_set_request struct hv_set_request in = {0};
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
	return code == HV_OK ? add_set_volume(api, in.volume, reply, err) : code;
}

static enum hv_code add_features(
	const struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	unsigned found = mc_core_features(api->core);

	if (hv_add(reply, "Features", object, err) != HV_OK)
		return err->code;
	for (unsigned bit = 1; mc_feature_name(bit); bit <<= 1)
		if (hv_add(object, mc_feature_name(bit),
			    json_object_new_boolean((found & bit) != 0), err) != HV_OK)
			return err->code;
	return HV_OK;
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

	qsort(samples, count, sizeof(samples[0]), compare_samples);
	if (hv_add(reply, "MountWork", object, err) != HV_OK ||
		hv_add(object, "Samples", json_object_new_int64(count), err) != HV_OK)
		return err->code;
	if (count == 0)
		return HV_OK;
	if (hv_add(object, "P50Nanoseconds", json_object_new_int64((int64_t)samples[count / 2]),
		    err) != HV_OK)
		return err->code;
	return hv_add(object, "P99Nanoseconds",
		json_object_new_int64((int64_t)samples[(size_t)count * 99 / 100]), err);
}

static enum hv_code add_settings(
	const struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();

	if (hv_add(reply, "Settings", object, err) != HV_OK)
		return err->code;
	for (const struct hv_setting *at = api->settings; at->name; at++)
		if (hv_add_text(object, at->name, at->value, err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* Problems are part of the information: the call itself succeeds. */
static enum hv_code add_health(struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	hv_auto_error struct hv_error problem = {0};
	hv_auto_free char *engine_id = NULL;

	if (hv_engine_id(api->engine, ENGINE_ID_TIMEOUT_MS, &engine_id, &problem) != HV_OK &&
		hv_add_text(reply, "EngineProblem", hv_error_text(&problem), err) != HV_OK)
		return err->code;
	if (hv_add_text(reply, "EngineID", engine_id ? engine_id : "", err) != HV_OK)
		return err->code;
	if (api->open_state(api->context, &problem) != HV_OK)
		return hv_add_text(reply, "StateProblem", hv_error_text(&problem), err);
	if (hv_volumes_tell_damage(api->volumes, &problem) == HV_OK &&
		hv_attachments_tell_damage(api->attacher, &problem) == HV_OK)
		return HV_OK;
	return hv_add_text(reply, "RecordsProblem", hv_error_text(&problem), err);
}

struct listing {
	struct json_object *array;
	enum hv_code code;
	struct hv_error *err;
};

static void add_stray(void *context, const char *path)
{
	struct listing *strays = context;

	if (strays->code == HV_OK)
		strays->code = hv_append(strays->array, hv_utf8_json(path), strays->err);
}

/* Whether the host sees the mounts for docker run -v, and data containers wrote when it did not. */
static enum hv_code add_mount_root(
	struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	hv_auto_error struct hv_error problem = {0};
	struct listing strays = {json_object_new_array(), HV_OK, err};

	if (hv_add(reply, "StrayData", strays.array, err) != HV_OK)
		return err->code;
	hv_mount_root_each_stray(api->volumes, add_stray, &strays);
	if (strays.code != HV_OK || hv_mount_root_tell(api->volumes, &problem) == HV_OK)
		return strays.code;
	return hv_add_text(reply, "MountRootProblem", hv_error_text(&problem), err);
}

static void add_problem(void *context, const char *volume, enum hv_health health,
	const char *sentence, const char *hint)
{
	struct listing *problems = context;
	struct json_object *object = json_object_new_object();

	if (problems->code == HV_OK)
		problems->code = hv_append(problems->array, object, problems->err);
	else
		json_object_put(object);
	if (problems->code == HV_OK)
		problems->code = hv_add_text(object, "Volume", volume, problems->err);
	if (problems->code == HV_OK)
		problems->code = hv_add_text(object, "Kind", hv_health_name(health), problems->err);
	if (problems->code == HV_OK)
		problems->code = hv_add_text(object, "Problem", sentence, problems->err);
	if (problems->code == HV_OK)
		problems->code = hv_add_text(object, "Hint", hint, problems->err);
}

static enum hv_code add_problems(
	struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct listing problems = {json_object_new_array(), HV_OK, err};

	if (hv_add(reply, "VolumeProblems", problems.array, err) != HV_OK)
		return err->code;
	if (api->health.each_problem)
		api->health.each_problem(api->health.context, add_problem, &problems);
	return problems.code;
}

/* Whether attachments are back before the program begins, and why not. */
static enum hv_code add_starts(struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	struct hv_starts starts = {0};

	if (api->tell_starts)
		api->tell_starts(api->context, &starts);
	if (hv_add(reply, "Starts", object, err) != HV_OK ||
		hv_add(object, "Held", json_object_new_boolean(starts.are_held), err) != HV_OK ||
		hv_add(object, "HoldMilliseconds", json_object_new_int64(starts.hold_ms), err) !=
			HV_OK)
		return err->code;
	return starts.are_held ? HV_OK : hv_add_text(object, "Reason", starts.reason, err);
}

/* Whether unmounts in containers are noticed at once. */
static enum hv_code add_drift(struct hv_api *api, struct json_object *reply, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();
	const char *problem = hv_attacher_watch_problem(api->attacher);

	if (hv_add(reply, "Drift", object, err) != HV_OK ||
		hv_add(object, "Told", json_object_new_boolean(!problem), err) != HV_OK)
		return err->code;
	return problem ? hv_add_text(object, "Reason", problem, err) : HV_OK;
}

static enum hv_code call_hot_info(struct hv_api *api, const struct hv_request *request,
	struct json_object *reply, struct hv_error *err)
{
	struct utsname kernel;
	const char *release = uname(&kernel) == 0 ? kernel.release : NULL;

	(void)request;
	if (hv_add_text(reply, "Version", HOSTVOL_VERSION, err) != HV_OK ||
		hv_add_text(reply, "Mode", api->mode, err) != HV_OK ||
		hv_add_text(reply, "Kernel", release, err) != HV_OK ||
		hv_add_text(reply, "MountEngine", mc_core_engine(api->core), err) != HV_OK ||
		add_features(api, reply, err) != HV_OK || add_settings(api, reply, err) != HV_OK ||
		add_timings(api, reply, err) != HV_OK || add_mount_root(api, reply, err) != HV_OK ||
		add_starts(api, reply, err) != HV_OK || add_problems(api, reply, err) != HV_OK ||
		add_drift(api, reply, err) != HV_OK)
		return err->code;
	if (hv_add_text(reply, "MetricsProblem", api->metrics_problem, err) != HV_OK)
		return err->code;
	return add_health(api, reply, err);
}

const struct hv_endpoint hv_hot_endpoints[] = {
	{"/HotAttach", call_hot_attach, HV_NEEDS_STATE},
	{"/HotDetach", call_hot_detach, HV_NEEDS_STATE},
	{"/HotList", call_hot_list, HV_NEEDS_STATE},
	{"/HotCheck", call_hot_check, HV_NEEDS_STATE},
	{"/HotEvents", call_hot_events, HV_NEEDS_STATE},
	{"/HotSet", call_hot_set, HV_NEEDS_STATE},
	{"/HotInfo", call_hot_info, 0},
	{0},
};
