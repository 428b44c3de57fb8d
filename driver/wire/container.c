#include "wire/container.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

struct inspect {
	char *id;
	char *name;
};

struct inspect_state {
	bool is_running;
	bool is_paused;
	long long pid;
	char *started_at;
	char *error;
	char *status;
};

static const struct hv_field inspect_fields[] = {
	{"Id", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct inspect, id)},
	{"Name", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct inspect, name)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field state_fields[] = {
	{"Running", HV_TYPE_BOOL, 0, offsetof(struct inspect_state, is_running)},
	{"Paused", HV_TYPE_BOOL, 0, offsetof(struct inspect_state, is_paused)},
	{"Pid", HV_TYPE_INT, 0, offsetof(struct inspect_state, pid)},
	{"StartedAt", HV_TYPE_STRING, HV_FIELD_REQUIRED,
		offsetof(struct inspect_state, started_at)},
	{"Error", HV_TYPE_STRING, 0, offsetof(struct inspect_state, error)},
	{"Status", HV_TYPE_STRING, 0, offsetof(struct inspect_state, status)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

struct inspect_host {
	char *runtime;
	char *restart_policy; /* no field of its object */
};

struct inspect_policy {
	char *name;
};

static const struct hv_field policy_fields[] = {
	{"Name", HV_TYPE_STRING, 0, offsetof(struct inspect_policy, name)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field host_fields[] = {
	{"Runtime", HV_TYPE_STRING, 0, offsetof(struct inspect_host, runtime)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static bool get_object(struct json_object *object, const char *key, struct json_object **ret)
{
	return json_object_object_get_ex(object, key, ret) &&
	       json_object_is_type(*ret, json_type_object);
}

/* An Engine that does not tell it is no reason to fail. */
static enum hv_code read_host(
	struct json_object *object, struct inspect_host *ret, struct hv_error *err)
{
	struct json_object *host = NULL, *policy = NULL;
	struct inspect_policy read = {0};
	enum hv_code code = HV_OK;

	if (!get_object(object, "HostConfig", &host))
		return HV_OK;
	code = hv_fields_from(host, host_fields, HV_UNKNOWN_IGNORE, ret, err);
	if (code == HV_OK && get_object(host, "RestartPolicy", &policy))
		code = hv_fields_from(policy, policy_fields, HV_UNKNOWN_IGNORE, &read, err);
	ret->restart_policy = read.name;
	return code;
}

static enum hv_code read_container(
	struct json_object *object, struct hv_container *ret, struct hv_error *err)
{
	struct inspect top = {0};
	struct inspect_state state = {0};
	struct json_object *inner = NULL;
	struct inspect_host host = {0};
	enum hv_code code = hv_fields_from(object, inspect_fields, HV_UNKNOWN_IGNORE, &top, err);

	if (code == HV_OK && !get_object(object, "State", &inner))
		code = hv_fail(err, HV_INTERNAL, "\"State\" is missing");
	if (code == HV_OK)
		code = hv_fields_from(inner, state_fields, HV_UNKNOWN_IGNORE, &state, err);
	if (code == HV_OK && (state.pid < 0 || state.pid > INT32_MAX))
		code = hv_fail(err, HV_INTERNAL, "\"Pid\" is out of range");
	if (code == HV_OK)
		code = read_host(object, &host, err);
	if (code != HV_OK) {
		free(host.runtime);
		free(host.restart_policy);
		hv_fields_done(inspect_fields, &top);
		hv_fields_done(state_fields, &state);
		return code;
	}
	if (top.name[0] == '/')
		memmove(top.name, top.name + 1, strlen(top.name));
	*ret = (struct hv_container){
		.is_created = state.status && strcmp(state.status, "created") == 0,
		.id = top.id,
		.name = top.name,
		.is_running = state.is_running,
		.is_paused = state.is_paused,
		.pid = (int)state.pid,
		.started_at = state.started_at,
		.runtime = host.runtime,
		.start_error = state.error,
		.restart_policy = host.restart_policy,
	};
	free(state.status);
	return HV_OK;
}

enum hv_code hv_container_parse(
	const char *bytes, size_t size, struct hv_container *ret, struct hv_error *err)
{
	struct json_object *object = NULL;
	enum hv_code code = hv_json_parse(bytes, size, &object, err);

	if (code == HV_OK)
		code = read_container(object, ret, err);
	json_object_put(object);
	if (code == HV_OK)
		return HV_OK;
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine's answer about the container makes no sense: %s",
		hv_error_text(err));
}

static const struct hv_field about_fields[] = {
	{"ID", HV_TYPE_STRING, 0, offsetof(struct hv_about, id)},
	{"DockerRootDir", HV_TYPE_STRING, 0, offsetof(struct hv_about, root)},
	{"Containers", HV_TYPE_INT, 0, offsetof(struct hv_about, containers)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

/* Whether an element of the array `key` has a text (or, in an object, a "Name") that begins with
 * `wanted`. */
static bool has_text(struct json_object *object, const char *key, const char *wanted)
{
	struct json_object *array = NULL, *item, *name;

	if (!json_object_object_get_ex(object, key, &array) ||
		!json_object_is_type(array, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		item = json_object_array_get_idx(array, i);
		if (json_object_is_type(item, json_type_object) &&
			json_object_object_get_ex(item, "Name", &name))
			item = name;
		if (json_object_is_type(item, json_type_string) &&
			strncmp(json_object_get_string(item), wanted, strlen(wanted)) == 0)
			return true;
	}
	return false;
}

static bool answer_has(const char *bytes, size_t size, const char *key, const char *wanted)
{
	struct hv_error ignored = {0};
	struct json_object *object = NULL;
	bool has = hv_json_parse(bytes, size, &object, &ignored) == HV_OK &&
		   has_text(object, key, wanted);

	json_object_put(object);
	hv_error_done(&ignored);
	return has;
}

bool hv_version_is_podman(const char *bytes, size_t size)
{
	return answer_has(bytes, size, "Components", "Podman Engine");
}

/* The data directory ends in /UID.GID then. */
static void read_remap(const char *bytes, size_t size, struct hv_about *ret)
{
	const char *last = ret->root ? strrchr(ret->root, '/') : NULL;
	unsigned uid, gid;
	int end = 0;

	/* NOLINTNEXTLINE(cert-err34-c): an overflowing ID is nobody's */
	if (!last || sscanf(last, "/%u.%u%n", &uid, &gid, &end) < 2 || last[end] ||
		!answer_has(bytes, size, "SecurityOptions", "name=userns"))
		return;
	ret->remap_uid = uid;
	ret->remap_gid = gid;
}

enum hv_code hv_about_parse(
	const char *bytes, size_t size, struct hv_about *ret, struct hv_error *err)
{
	*ret = (struct hv_about){.containers = -1};
	if (hv_fields_read(bytes, size, about_fields, HV_UNKNOWN_IGNORE, ret, err) == HV_OK) {
		read_remap(bytes, size, ret);
		return HV_OK;
	}
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine's answer about itself makes no sense: %s", hv_error_text(err));
}

void hv_about_done(struct hv_about *about)
{
	hv_fields_done(about_fields, about);
}

static const struct hv_field volume_fields[] = {
	{"Name", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct hv_engine_volume, name)},
	{"Driver", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct hv_engine_volume, driver)},
	{"Mountpoint", HV_TYPE_STRING, 0, offsetof(struct hv_engine_volume, mountpoint)},
	{"Options", HV_TYPE_OPTS, 0, offsetof(struct hv_engine_volume, opts)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

enum hv_code hv_engine_volume_parse(
	const char *bytes, size_t size, struct hv_engine_volume *ret, struct hv_error *err)
{
	*ret = (struct hv_engine_volume){0};
	if (hv_fields_read(bytes, size, volume_fields, HV_UNKNOWN_IGNORE, ret, err) == HV_OK)
		return HV_OK;
	return hv_fail(err, HV_INTERNAL,
		"the Docker Engine's answer about the volume makes no sense: %s",
		hv_error_text(err));
}

void hv_engine_volume_done(struct hv_engine_volume *volume)
{
	hv_fields_done(volume_fields, volume);
}

static char *parse_string(const char *bytes, size_t size, const char *name)
{
	struct hv_error err = {0};
	char *text = NULL;
	const struct hv_field fields[] = {
		{name, HV_TYPE_STRING, 0, 0},
		{NULL, HV_TYPE_STRING, 0, 0},
	};
	enum hv_code code = hv_fields_read(bytes, size, fields, HV_UNKNOWN_IGNORE, &text, &err);

	hv_error_done(&err);
	if (code == HV_OK)
		return text;
	free(text);
	return NULL;
}

char *hv_engine_message_parse(const char *bytes, size_t size)
{
	return parse_string(bytes, size, "message");
}

void hv_container_done(struct hv_container *container)
{
	free(container->id);
	free(container->name);
	free(container->started_at);
	free(container->runtime);
	free(container->start_error);
	free(container->restart_policy);
	*container = (struct hv_container){0};
}
