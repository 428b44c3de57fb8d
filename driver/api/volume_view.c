/* The view of a volume for Docker: from the store alone, with the secrets of its options masked. */
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
	enum hv_code code = hv_append(array, item, err);

	if (code == HV_OK)
		code = hv_add_text(item, "container", view->container_name, err);
	if (code == HV_OK)
		code = hv_add_text(item, "target", view->target, err);
	if (code == HV_OK)
		code = hv_add_text(item, "mode", mode_of(view), err);
	if (code == HV_OK)
		code = hv_add_text(item, "state", hv_attachment_state_name(view->state), err);
	if (code == HV_OK && view->problem)
		code = hv_add_text(item, "problem", view->problem, err);
	return code;
}

/* The attachments of a volume, one after the other in what was read of all. */
struct attached {
	struct hv_record *const *records;
	size_t count;
};

/* With the state that was known last. */
static enum hv_code add_attachments(
	const struct attached *attached, struct json_object *status, struct hv_error *err)
{
	struct json_object *array = json_object_new_array();
	enum hv_code code = hv_add(status, "attachments", array, err);

	for (size_t i = 0; code == HV_OK && i < attached->count; i++)
		if (attached->records[i]->is_done)
			code = add_attachment(&attached->records[i]->view, array, err);
	return code;
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
	enum hv_code code = hv_add(status, "options", object, err);

	for (size_t i = 0; code == HV_OK && i < opts->count; i++) {
		const char *key = opts->items[i].key, *value = opts->items[i].value;
		char *masked = strcmp(key, "o") == 0 ? mask(value) : NULL;

		if (!masked && strcmp(key, "o") == 0)
			code = hv_oom(err);
		else
			code = hv_add_text(object, key, masked ? masked : value, err);
		free(masked);
	}
	return code;
}

static enum hv_code add_volume(const struct hv_volume *volume, const char *mountpoint,
	const struct attached *attached, struct json_object *object, struct hv_error *err)
{
	struct json_object *status = json_object_new_object();
	enum hv_code code = hv_add(object, "Status", status, err);

	if (code == HV_OK)
		code = hv_add_text(object, "Name", volume->name, err);
	if (code == HV_OK)
		code = hv_add_text(object, "Mountpoint", mountpoint, err);
	if (code == HV_OK)
		code = hv_add_text(object, "CreatedAt", volume->created_at, err);
	if (code == HV_OK)
		code = hv_add_text(status, "source", volume->source, err);
	if (code == HV_OK)
		code = hv_add_text(status, "kind", volume->kind, err);
	if (code == HV_OK && volume->read_only)
		code = hv_add(status, "read_only", json_object_new_boolean(1), err);
	if (code == HV_OK && volume->opts.count > 0)
		code = add_options(&volume->opts, status, err);
	if (code == HV_OK)
		code = add_attachments(attached, status, err);
	return code;
}

static int compare_volumes(const void *a, const void *b)
{
	struct hv_record *const *one = a, *const *two = b;
	int order = strcmp((*one)->view.volume, (*two)->view.volume);

	return order ? order : (*one > *two) - (*one < *two); /* as they were read: oldest first */
}

/* All records that match, by volume.  The caller frees both. */
static enum hv_code read_attached(struct hv_api *api, const struct hv_record_filter *filter,
	struct hv_record **ret, struct hv_record ***ret_sorted, size_t *ret_count,
	struct hv_error *err)
{
	enum hv_code code =
		hv_store_attachment_list(api->volumes->store, filter, ret, ret_count, err);

	if (code != HV_OK)
		return code;
	*ret_sorted = calloc(*ret_count + 1, sizeof(struct hv_record *));
	if (!*ret_sorted)
		return hv_oom(err);
	for (size_t i = 0; i < *ret_count; i++)
		(*ret_sorted)[i] = &(*ret)[i];
	qsort(*ret_sorted, *ret_count, sizeof(struct hv_record *), compare_volumes);
	return HV_OK;
}

/* From the store alone: Get is asked before nearly every other call. */
enum hv_code hv_add_volume(struct hv_api *api, const struct hv_volume *volume,
	const char *mountpoint, struct json_object *object, struct hv_error *err)
{
	const struct hv_record_filter filter = {.volume = volume->name};
	struct hv_record *records = NULL, **sorted = NULL;
	size_t count = 0;
	enum hv_code code = read_attached(api, &filter, &records, &sorted, &count, err);

	if (code == HV_OK)
		code = add_volume(
			volume, mountpoint, &(struct attached){sorted, count}, object, err);
	free(sorted);
	hv_records_free(records, count);
	return code;
}

static enum hv_code add_listed(struct hv_api *api, const struct hv_volume *volume,
	const struct attached *attached, struct json_object *array, struct hv_error *err)
{
	/* The Engine maps List's mountpoints from our root to the host's. */
	char *mountpoint = hv_volume_mountpoint(api->volumes, volume->name);
	struct json_object *object = json_object_new_object();
	enum hv_code code = mountpoint ? hv_append(array, object, err) : hv_oom(err);

	if (code == HV_OK)
		code = add_volume(volume, mountpoint, attached, object, err);
	free(mountpoint);
	return code;
}

/* The part of `all`, which is sorted as the volumes are, that belongs to this one; `all` then
 * begins after it. */
static struct attached take_attached(struct attached *all, const char *volume)
{
	struct attached ret;

	while (all->count > 0 && strcmp(all->records[0]->view.volume, volume) < 0)
		*all = (struct attached){all->records + 1, all->count - 1};
	ret.records = all->records;
	while (all->count > 0 && strcmp(all->records[0]->view.volume, volume) == 0)
		*all = (struct attached){all->records + 1, all->count - 1};
	ret.count = (size_t)(all->records - ret.records);
	return ret;
}

enum hv_code hv_append_volumes(struct hv_api *api, const struct hv_volume *volumes, size_t count,
	struct json_object *array, struct hv_error *err)
{
	struct hv_record *records = NULL, **sorted = NULL;
	struct attached left = {0};
	enum hv_code code = read_attached(
		api, &(struct hv_record_filter){0}, &records, &sorted, &left.count, err);
	const size_t records_count = left.count;

	left.records = sorted;
	for (size_t i = 0; code == HV_OK && i < count; i++) {
		const struct attached attached = take_attached(&left, volumes[i].name);

		/* Docker looks at each that is listed, and so would wait for a Create that is not
		 * done. */
		if (volumes[i].phase == HV_THERE)
			code = add_listed(api, &volumes[i], &attached, array, err);
	}
	free(sorted);
	hv_records_free(records, records_count);
	return code;
}
