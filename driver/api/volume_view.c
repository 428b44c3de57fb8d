/* SPDX-License-Identifier: Apache-2.0 */
/* The view of a volume for Docker: from the records alone, with the secrets of its options masked.
 */
#include "volume_view.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"

static const char *mode_of(const struct hv_attachment *view)
{
	if (view->required)
		return view->read_only ? "ro,required" : "rw,required";
	return view->read_only ? "ro" : "rw";
}

static enum hv_code add_attachment(
	const struct hv_attachment *view, struct json_object *array, struct hv_error *err)
{
	struct json_object *item = json_object_new_object();

	if (hv_append(array, item, err) != HV_OK ||
		hv_add_text(item, "container", view->container_name, err) != HV_OK ||
		hv_add_text(item, "target", view->target, err) != HV_OK ||
		hv_add_text(item, "mode", mode_of(view), err) != HV_OK ||
		hv_add_text(item, "state", hv_attachment_state_name(view->state), err) != HV_OK)
		return err->code;
	return hv_add_text(item, "problem", view->problem, err);
}

/* The attachments of a volume, one after the other in what was read of all. */
struct attached {
	const struct hv_attachment *const *views;
	size_t count;
};

/* With the state that was known last. */
static enum hv_code add_attachments(
	const struct attached *attached, struct json_object *status, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();

	if (hv_add(status, "attachments", array, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < attached->count; i++)
		if (add_attachment(attached->views[i], array, err) != HV_OK)
			return err->code;
	return HV_OK;
}

/* The length of the key if this mount option is a secret, else 0.  credentials= is no secret: it
 * names a file. */
static size_t secret_key(const char *option)
{
	static const char *const keys[] = {
		"password=", "password2=", "passwd=", "pass=", "secret="};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strncasecmp(option, keys[i], strlen(keys[i])) == 0)
			return strlen(keys[i]);
	return 0;
}

/* Where the value ends: ",," is SMB's comma in it. */
static size_t value_size(const char *value)
{
	size_t size = strcspn(value, ",");

	while (value[size] == ',' && value[size + 1] == ',') {
		size += 2;
		size += strcspn(value + size, ",");
	}
	return size;
}

/* Option o of a mount with its secrets masked; the caller frees it.  NULL on ENOMEM. */
static char *mask(const char *o)
{
	static const char stars[] = "***"; /* no longer than the shortest of the keys */
	char *masked = malloc(2 * strlen(o) + 1), *to = masked;

	while (masked && *o) {
		size_t key = secret_key(o), size = key ? key : strcspn(o, ",");

		to = mempcpy(to, o, size);
		o += size;
		if (key) {
			to = mempcpy(to, stars, sizeof(stars) - 1);
			o += value_size(o);
		}
		if (*o)
			*to++ = *o++;
	}
	if (masked)
		*to = '\0';
	return masked;
}

/* The current options: Docker itself shows the options given at create. */
static enum hv_code add_options(
	const struct hv_opts *opts, struct json_object *status, struct hv_error *err)
{
	struct json_object *object = json_object_new_object();

	if (hv_add(status, "options", object, err) != HV_OK)
		return err->code;
	for (size_t i = 0; i < opts->count; i++) {
		const char *key = opts->items[i].key, *value = opts->items[i].value;
		bool is_o = strcmp(key, "o") == 0;
		hv_auto_free char *masked = is_o ? mask(value) : NULL;

		if (is_o && !masked)
			return hv_oom(err);
		if (hv_add_text(object, key, is_o ? masked : value, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}

static const struct hv_field status_fields[] = {
	{"source", HV_TYPE_STRING, HV_FIELD_OPTIONAL, offsetof(struct hv_volume, source)},
	{"kind", HV_TYPE_STRING, HV_FIELD_OPTIONAL, offsetof(struct hv_volume, kind)},
	{"read_only", HV_TYPE_BOOL, HV_FIELD_OPTIONAL, offsetof(struct hv_volume, read_only)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

/* By the last look at the volume; NULL: none is known. */
static char *find_problem(const struct hv_api *api, const char *volume)
{
	return api->health.tell_problem ? api->health.tell_problem(api->health.context, volume)
					: NULL;
}

static enum hv_code add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, const struct attached *attached, struct json_object *object,
	struct hv_error *err)
{
	hv_auto_free char *problem = find_problem(api, volume->name);
	struct json_object *status = hv_fields_write(status_fields, volume);

	if (hv_add(object, "Status", status, err) != HV_OK ||
		hv_add_text(object, "Name", volume->name, err) != HV_OK ||
		hv_add_text(object, "Mountpoint", mountpoint, err) != HV_OK ||
		hv_add_text(object, "CreatedAt", volume->created_at, err) != HV_OK)
		return err->code;
	if (hv_add_text(status, "problem", problem, err) != HV_OK)
		return err->code;
	if (volume->opts.count > 0 && add_options(&volume->opts, status, err) != HV_OK)
		return err->code;
	return add_attachments(attached, status, err);
}

static int compare_volumes(const void *a, const void *b)
{
	const struct hv_attachment *const *one = a, *const *two = b;
	int order = strcmp((*one)->volume, (*two)->volume);

	return order ? order : (*one > *two) - (*one < *two); /* as they were read: oldest first */
}

/* Attachments as they were read, and by volume. */
struct found {
	struct hv_attachment *views;
	const struct hv_attachment **sorted;
	size_t count;
};

static void found_done(struct found *found)
{
	free(found->sorted);
	hv_attachments_free(found->views, found->count);
}

/* All attachments of `volume`; NULL: of all volumes. */
static enum hv_code find(
	struct hv_api *api, const char *volume, struct found *ret, struct hv_error *err)
{
	if (hv_attachments_read(api->attacher, volume, &ret->views, &ret->count, err) != HV_OK)
		return err->code;
	ret->sorted = calloc(ret->count + 1, sizeof(struct hv_attachment *));
	if (!ret->sorted)
		return hv_oom(err);
	for (size_t i = 0; i < ret->count; i++)
		ret->sorted[i] = &ret->views[i];
	qsort(ret->sorted, ret->count, sizeof(struct hv_attachment *), compare_volumes);
	return HV_OK;
}

/* From the records alone: Get is asked before nearly every other call. */
enum hv_code hv_add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, struct json_object *object, struct hv_error *err)
{
	HV_AUTO(found_done) struct found found = {0};

	if (find(api, volume->name, &found, err) != HV_OK)
		return err->code;
	return add_volume(api, volume, mountpoint, &(struct attached){found.sorted, found.count},
		object, err);
}

static enum hv_code add_listed(struct hv_api *api, const struct hv_volume *volume,
	const struct attached *attached, struct json_object *array, struct hv_error *err)
{
	/* The Engine maps List's mountpoints from our root to the host's. */
	hv_auto_free char *mountpoint = hv_volume_mountpoint(api->volumes, volume->name);
	struct json_object *object;

	if (!mountpoint)
		return hv_oom(err);
	object = json_object_new_object();
	if (hv_append(array, object, err) != HV_OK)
		return err->code;
	return add_volume(api, volume, mountpoint, attached, object, err);
}

/* The part of `all`, which is sorted as the volumes are, that belongs to this one; `all` then
 * begins after it. */
static struct attached take_attached(struct attached *all, const char *volume)
{
	struct attached ret;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a list if it has a count */
	while (all->count > 0 && strcmp(all->views[0]->volume, volume) < 0)
		*all = (struct attached){all->views + 1, all->count - 1};
	ret.views = all->views;
	while (all->count > 0 && strcmp(all->views[0]->volume, volume) == 0)
		*all = (struct attached){all->views + 1, all->count - 1};
	ret.count = (size_t)(all->views - ret.views);
	return ret;
}

enum hv_code hv_append_volumes(struct hv_api *api, const struct hv_volume_list *volumes,
	struct json_object *array, struct hv_error *err)
{
	HV_AUTO(found_done) struct found found = {0};
	struct attached left;

	if (find(api, NULL, &found, err) != HV_OK)
		return err->code;
	left = (struct attached){found.sorted, found.count};
	for (size_t i = 0; i < volumes->count; i++) {
		const struct hv_volume *volume = &volumes->items[i];
		const struct attached attached = take_attached(&left, volume->name);

		/* Docker looks at each that is listed, and so would wait for a Create that is not
		 * done. */
		if (volume->phase == HV_VOLUME_READY &&
			add_listed(api, volume, &attached, array, err) != HV_OK)
			return err->code;
	}
	return HV_OK;
}
