/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/keeper.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/listed.h"

struct list {
	struct hv_keepers *ret;
	bool is_cut;
};

/* The first of its names.  Returns false without memory. */
static bool fill_keeper(struct hv_keeper *ret, const struct hv_listed *listed, const char *volume)
{
	const char *name = listed->names.count > 0 ? listed->names.items[0] : "";

	*ret = (struct hv_keeper){
		.id = strdup(listed->id),
		.name = strdup(name + (*name == '/')),
		.volume = strdup(volume),
		.state = strdup(listed->state),
	};
	return ret->id && ret->name && ret->volume && ret->state;
}

static void take(void *context, struct hv_listed *listed)
{
	struct list *list = context;
	const char *volume = hv_opts_get(&listed->labels, HV_KEEPER_LABEL);
	struct hv_keeper *items;

	if (!volume || !*volume)
		return;
	items = reallocarray(list->ret->items, list->ret->count + 1, sizeof(*items));
	if (items)
		list->ret->items = items;
	if (!items || !fill_keeper(&items[list->ret->count++], listed, volume))
		list->is_cut = true;
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
	struct list list = {.ret = ret};
	hv_auto_listing struct hv_listing listing = {.fn = take, .context = &list};

	if (hv_listing_feed(&listing, bytes, size) != HV_OK)
		return hv_fail(err, listing.err.code, "%s", hv_error_text(&listing.err));
	if (list.is_cut)
		return hv_oom(err);
	return hv_listing_is_whole(&listing)
		       ? HV_OK
		       : hv_fail(err, HV_INTERNAL,
				 "the Docker Engine's list of containers ends too early");
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
