/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/event.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"
#include "wire/keeper.h"

static const struct hv_field event_fields[] = {
	{"Type", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct hv_event, type)},
	{"Action", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct hv_event, action)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field actor_fields[] = {
	{"ID", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct hv_event, container)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field attribute_fields[] = {
	{HV_KEEPER_LABEL, HV_TYPE_STRING, 0, offsetof(struct hv_event, keeps)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static enum hv_code read_event(
	struct json_object *object, struct hv_event *ret, struct hv_error *err)
{
	struct json_object *actor = NULL, *attributes = NULL;

	if (hv_fields_from(object, event_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		return err->code;
	if (strcmp(ret->type, "container") != 0)
		return HV_OK;
	if (!json_object_object_get_ex(object, "Actor", &actor) ||
		!json_object_is_type(actor, json_type_object))
		return hv_fail(err, HV_INTERNAL, "\"Actor\" is missing");
	if (hv_fields_from(actor, actor_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK ||
		!json_object_object_get_ex(actor, "Attributes", &attributes) ||
		!json_object_is_type(attributes, json_type_object))
		return err->code;
	ret->attributes = json_object_get(attributes);
	/* A label of somebody else's may be anything: it does not end the stream. */
	if (hv_fields_from(attributes, attribute_fields, HV_UNKNOWN_IGNORE, ret, err) != HV_OK)
		hv_error_done(err);
	return HV_OK;
}

/* A text without NUL, or NULL. */
static const char *text_of(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

int hv_event_read_labels(const struct hv_event *event, struct hv_opts *ret, const char **ret_name)
{
	*ret_name = "";
	if (!event->attributes)
		return 0;
	json_object_object_foreach(event->attributes, key, value)
	{
		const char *text = text_of(value);

		if (text && strcmp(key, "name") == 0)
			*ret_name = text;
		else if (text && strcmp(key, "image") != 0 && hv_opts_add(ret, key, text) < 0)
			return -ENOMEM;
	}
	return 0;
}

enum hv_code hv_event_parse(
	const char *bytes, size_t size, struct hv_event *ret, struct hv_error *err)
{
	hv_auto_json struct json_object *object = NULL;

	*ret = (struct hv_event){0};
	if (hv_json_parse(bytes, size, &object, err) == HV_OK &&
		read_event(object, ret, err) == HV_OK)
		return HV_OK;
	return hv_fail(err, HV_INTERNAL, "an event of the Docker Engine makes no sense: %s",
		hv_error_text(err));
}

void hv_event_done(struct hv_event *event)
{
	free(event->type);
	free(event->action);
	free(event->container);
	free(event->keeps);
	json_object_put(event->attributes);
	*event = (struct hv_event){0};
}

static enum hv_code keep(
	struct hv_event_lines *lines, const char *bytes, size_t size, struct hv_error *err)
{
	char *grown;

	if (size == 0)
		return HV_OK;
	if (lines->size + size > HV_EVENT_LINE_MAX)
		return hv_fail(err, HV_INTERNAL, "an event of the Docker Engine is too long");
	grown = realloc(lines->bytes, lines->size + size);
	if (!grown)
		return hv_oom(err);
	memcpy(grown + lines->size, bytes, size);
	lines->bytes = grown;
	lines->size += size;
	return HV_OK;
}

static enum hv_code tell(
	const char *line, size_t size, hv_event_fn fn, void *context, struct hv_error *err)
{
	hv_auto_event struct hv_event event = {0};

	if (size > 0 && line[size - 1] == '\r')
		size--;
	if (size == 0)
		return HV_OK;
	if (hv_event_parse(line, size, &event, err) != HV_OK)
		return err->code;
	if (event.container)
		fn(context, &event);
	return HV_OK;
}

enum hv_code hv_event_lines_feed(struct hv_event_lines *lines, const char *bytes, size_t size,
	hv_event_fn fn, void *context, struct hv_error *err)
{
	const char *end;

	while (size > 0 && (end = memchr(bytes, '\n', size))) {
		size_t length = (size_t)(end - bytes);
		enum hv_code code = keep(lines, bytes, length, err);

		if (code == HV_OK)
			code = tell(lines->bytes, lines->size, fn, context, err);
		lines->size = 0;
		if (code != HV_OK)
			return code;
		bytes += length + 1;
		size -= length + 1;
	}
	return keep(lines, bytes, size, err);
}

void hv_event_lines_done(struct hv_event_lines *lines)
{
	free(lines->bytes);
	*lines = (struct hv_event_lines){0};
}
