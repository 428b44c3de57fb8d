/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/keeper.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cleanup.h"
#include "wire/json.h"

enum { DEPTH_MAX = 24 };

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	if (!json_object_object_get_ex(object, key, &value) ||
		!json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

static const char *name_of(struct json_object *object)
{
	struct json_object *names = NULL, *first;
	const char *name;

	if (!json_object_object_get_ex(object, "Names", &names) ||
		!json_object_is_type(names, json_type_array) ||
		json_object_array_length(names) == 0)
		return "";
	first = json_object_array_get_idx(names, 0);
	name = json_object_is_type(first, json_type_string) ? json_object_get_string(first) : "";
	return name[0] == '/' ? name + 1 : name;
}

static enum hv_code add(struct json_object *item, struct hv_keepers *ret, struct hv_error *err)
{
	struct json_object *labels = NULL;
	struct hv_keeper *items, *keeper;
	const char *id, *volume, *state;

	if (!json_object_is_type(item, json_type_object))
		return hv_fail(err, HV_INTERNAL, "a container is no object");
	if (!json_object_object_get_ex(item, "Labels", &labels) ||
		!json_object_is_type(labels, json_type_object))
		return HV_OK;
	id = text_of(item, "Id");
	volume = text_of(labels, HV_KEEPER_LABEL);
	state = text_of(item, "State");
	if (!id || !*id || !volume || !*volume)
		return HV_OK;
	items = reallocarray(ret->items, ret->count + 1, sizeof(*items));
	if (!items)
		return hv_oom(err);
	ret->items = items;
	keeper = &items[ret->count++];
	*keeper = (struct hv_keeper){
		strdup(id), strdup(name_of(item)), strdup(volume), strdup(state ? state : "")};
	return keeper->id && keeper->name && keeper->volume && keeper->state ? HV_OK : hv_oom(err);
}

bool hv_keeper_is_running(const struct hv_keeper *keeper)
{
	static const char *const states[] = {"running", "paused", "restarting"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(keeper->state, states[i]) == 0)
			return true;
	return false;
}

enum hv_code hv_keepers_parse(
	const char *bytes, size_t size, struct hv_keepers *ret, struct hv_error *err)
{
	struct hv_json_text parsed;
	int rc = hv_json_read(bytes, size, DEPTH_MAX, &parsed);
	hv_auto_json struct json_object *list = parsed.object;

	if (rc < 0 || parsed.error != json_tokener_success || !parsed.is_whole ||
		!json_object_is_type(list, json_type_array))
		return hv_fail(
			err, HV_INTERNAL, "the Docker Engine's list of containers makes no sense");
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (add(json_object_array_get_idx(list, i), ret, err) != HV_OK)
			return err->code;
	return HV_OK;
}

void hv_keepers_done(struct hv_keepers *keepers)
{
	for (size_t i = 0; i < keepers->count; i++) {
		free(keepers->items[i].id);
		free(keepers->items[i].name);
		free(keepers->items[i].volume);
		free(keepers->items[i].state);
	}
	free(keepers->items);
	*keepers = (struct hv_keepers){0};
}

static bool put(struct json_object *object, const char *key, struct json_object *value)
{
	if (value && json_object_object_add(object, key, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool put_text(struct json_object *object, const char *key, const char *text)
{
	return put(object, key, json_object_new_string(text));
}

/* Returns `value`, which is in `object` now; NULL on ENOMEM. */
static struct json_object *put_new(
	struct json_object *object, const char *key, struct json_object *value)
{
	return put(object, key, value) ? value : NULL;
}

static struct json_object *put_object(struct json_object *object, const char *key)
{
	return put_new(object, key, json_object_new_object());
}

static struct json_object *add_object(struct json_object *array)
{
	struct json_object *value = json_object_new_object();

	if (value && json_object_array_add(array, value) == 0)
		return value;
	json_object_put(value);
	return NULL;
}

/* It needs nothing: no network, no capability, no log, no file to write.  The limit of PIDs counts
 * the threads of runc, which starts it. */
static const char host_config[] =
	"{\"NetworkMode\":\"none\",\"ReadonlyRootfs\":true,\"CapDrop\":[\"ALL\"],"
	"\"SecurityOpt\":[\"no-new-privileges\"],\"PidsLimit\":64,\"Init\":false,"
	"\"RestartPolicy\":{\"Name\":\"always\"},\"LogConfig\":{\"Type\":\"none\"}}";

/* The volume, as it is: nothing of the image is copied into it. */
static bool put_mounts(struct json_object *host, const struct hv_keeper_args *args)
{
	struct json_object *array = json_object_new_array(), *mount, *options, *driver;

	if (!put(host, "Mounts", array))
		return false;
	mount = add_object(array);
	if (!mount || !put_text(mount, "Type", "volume") ||
		!put_text(mount, "Source", args->volume) ||
		!put_text(mount, "Target", "/hostvol-keeps") ||
		!put(mount, "ReadOnly", json_object_new_boolean(true)))
		return false;
	options = put_object(mount, "VolumeOptions");
	if (!options || !put(options, "NoCopy", json_object_new_boolean(true)))
		return false;
	driver = put_object(options, "DriverConfig");
	return driver && put_text(driver, "Name", args->driver);
}

static bool fill(struct json_object *body, const struct hv_keeper_args *args)
{
	struct json_object *labels = put_object(body, "Labels");
	struct json_object *program = put_new(body, "Entrypoint", json_object_new_array());
	struct json_object *host = put_new(body, "HostConfig", json_tokener_parse(host_config));

	/* As PID 1 it takes no notice of any other signal. */
	return labels && program && host && put_text(body, "StopSignal", "SIGKILL") &&
	       json_object_array_add(program, json_object_new_string("/" HV_KEEPER_PROGRAM)) == 0 &&
	       put_text(labels, HV_KEEPER_LABEL, args->volume) &&
	       put_text(body, "Image", HV_KEEPER_IMAGE) && put_mounts(host, args);
}

struct json_object *hv_keeper_body(const struct hv_keeper_args *args)
{
	struct json_object *body = json_object_new_object();

	if (body && fill(body, args))
		return body;
	json_object_put(body);
	return NULL;
}
