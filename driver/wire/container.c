/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/container.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

/* All that is read of the answer, from objects within each other. */
struct inspect {
	struct hv_container container;
	long long pid;
	char *status;
};

static const struct hv_field inspect_fields[] = {
	{"Id", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct inspect, container.id)},
	{"Name", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct inspect, container.name)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field state_fields[] = {
	{"Running", HV_TYPE_BOOL, 0, offsetof(struct inspect, container.is_running)},
	{"Paused", HV_TYPE_BOOL, 0, offsetof(struct inspect, container.is_paused)},
	{"Pid", HV_TYPE_INT, 0, offsetof(struct inspect, pid)},
	{"StartedAt", HV_TYPE_STRING, HV_FIELD_REQUIRED,
		offsetof(struct inspect, container.started_at)},
	{"Error", HV_TYPE_STRING, 0, offsetof(struct inspect, container.start_error)},
	{"Status", HV_TYPE_STRING, 0, offsetof(struct inspect, status)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field host_fields[] = {
	{"Runtime", HV_TYPE_STRING, 0, offsetof(struct inspect, container.runtime)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field policy_fields[] = {
	{"Name", HV_TYPE_STRING, 0, offsetof(struct inspect, container.restart_policy)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

#define hv_auto_inspect HV_AUTO(inspect_done)
static void inspect_done(struct inspect *inspect)
{
	hv_container_done(&inspect->container);
	free(inspect->status);
}

static bool get_object(struct json_object *object, const char *key, struct json_object **ret)
{
	return json_object_object_get_ex(object, key, ret) &&
	       json_object_is_type(*ret, json_type_object);
}

static enum hv_code read_inspect(
	struct json_object *object, struct inspect *ret, struct hv_error *err)
{
	struct json_object *state = NULL, *host = NULL, *policy = NULL;

	if (hv_fields_from(object, inspect_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return err->code;
	if (!get_object(object, "State", &state))
		return hv_fail(err, HV_INTERNAL, "\"State\" is missing");
	if (hv_fields_from(state, state_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return err->code;
	if (ret->pid < 0 || ret->pid > INT32_MAX)
		return hv_fail(err, HV_INTERNAL, "\"Pid\" is out of range");
	/* An Engine that does not tell the following is no reason to fail. */
	if (!get_object(object, "HostConfig", &host))
		return HV_OK;
	if (hv_fields_from(host, host_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return err->code;
	if (!get_object(host, "RestartPolicy", &policy))
		return HV_OK;
	return hv_fields_from(policy, policy_fields, HV_UNKNOWN_IGNORE, ret, err);
}

static enum hv_code fail_senseless(const char *about, struct hv_error *err)
{
	return hv_fail(err, HV_INTERNAL, "the Docker Engine's answer about %s makes no sense: %s",
		about, hv_error_text(err));
}

enum hv_code hv_container_parse(
	const char *bytes, size_t size, struct hv_container *ret, struct hv_error *err)
{
	hv_auto_json struct json_object *object = NULL;
	hv_auto_inspect struct inspect read = {0};
	char *name;

	if (hv_json_parse(bytes, size, &object, err) != HV_OK ||
		read_inspect(object, &read, err) != HV_OK)
		return fail_senseless("the container", err);
	name = read.container.name;
	if (name[0] == '/')
		memmove(name, name + 1, strlen(name));
	read.container.is_created = read.status && strcmp(read.status, "created") == 0;
	read.container.pid = (int)read.pid;
	*ret = read.container;
	read.container = (struct hv_container){0};
	return HV_OK;
}

static const struct hv_field about_fields[] = {
	{"ID", HV_TYPE_STRING, 0, offsetof(struct hv_engine_info, id)},
	{"DockerRootDir", HV_TYPE_STRING, 0, offsetof(struct hv_engine_info, root)},
	{"Containers", HV_TYPE_INT, 0, offsetof(struct hv_engine_info, containers)},
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
	hv_auto_error struct hv_error ignored = {0};
	hv_auto_json struct json_object *object = NULL;

	return hv_json_parse(bytes, size, &object, &ignored) == HV_OK &&
	       has_text(object, key, wanted);
}

bool hv_version_is_podman(const char *bytes, size_t size)
{
	return answer_has(bytes, size, "Components", "Podman Engine");
}

/* The data directory ends in /UID.GID then. */
static void read_remap(const char *bytes, size_t size, struct hv_engine_info *ret)
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

enum hv_code hv_engine_info_parse(
	const char *bytes, size_t size, struct hv_engine_info *ret, struct hv_error *err)
{
	*ret = (struct hv_engine_info){.containers = -1};
	if (hv_fields_read(bytes, size, about_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return fail_senseless("itself", err);
	read_remap(bytes, size, ret);
	return HV_OK;
}

void hv_engine_info_done(struct hv_engine_info *about)
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
	if (hv_fields_read(bytes, size, volume_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return fail_senseless("the volume", err);
	return HV_OK;
}

void hv_engine_volume_done(struct hv_engine_volume *volume)
{
	hv_fields_done(volume_fields, volume);
}

char *hv_engine_message_parse(const char *bytes, size_t size)
{
	static const struct hv_field fields[] = {
		{"message", HV_TYPE_STRING, 0, 0},
		{NULL, HV_TYPE_STRING, 0, 0},
	};
	hv_auto_error struct hv_error ignored = {0};
	char *text = NULL;

	if (hv_fields_read(bytes, size, fields, HV_UNKNOWN_IGNORE, &text, &ignored) == HV_OK)
		return text;
	free(text);
	return NULL;
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
