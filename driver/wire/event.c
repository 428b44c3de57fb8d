#include "wire/event.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

struct event_top {
	char *type;
	char *action;
};

static const struct hv_field top_fields[] = {
	{"Type", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct event_top, type)},
	{"Action", HV_TYPE_STRING, HV_FIELD_REQUIRED, offsetof(struct event_top, action)},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static const struct hv_field actor_fields[] = {
	{"ID", HV_TYPE_STRING, HV_FIELD_REQUIRED, 0},
	{NULL, HV_TYPE_STRING, 0, 0},
};

static enum hv_code read_event(
	struct json_object *object, struct hv_event *ret, struct hv_error *err)
{
	struct event_top top = {0};
	struct json_object *actor = NULL;
	enum hv_code code = hv_fields_from(object, top_fields, HV_UNKNOWN_IGNORE, &top, err);

	ret->action = top.action;
	if (code == HV_OK && strcmp(top.type, "container") == 0) {
		if (json_object_object_get_ex(object, "Actor", &actor) &&
			json_object_is_type(actor, json_type_object))
			code = hv_fields_from(
				actor, actor_fields, HV_UNKNOWN_IGNORE, &ret->container, err);
		else
			code = hv_fail(err, HV_INTERNAL, "\"Actor\" is missing");
	}
	free(top.type);
	return code;
}

enum hv_code hv_event_parse(
	const char *bytes, size_t size, struct hv_event *ret, struct hv_error *err)
{
	struct json_object *object = NULL;
	enum hv_code code = hv_json_parse(bytes, size, &object, err);

	*ret = (struct hv_event){0};
	if (code == HV_OK)
		code = read_event(object, ret, err);
	json_object_put(object);
	if (code == HV_OK)
		return HV_OK;
	return hv_fail(err, HV_INTERNAL, "an event of the Docker Engine makes no sense: %s",
		hv_error_text(err));
}

void hv_event_done(struct hv_event *event)
{
	free(event->action);
	free(event->container);
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
	struct hv_event event = {0};
	enum hv_code code = HV_OK;

	if (size > 0 && line[size - 1] == '\r')
		size--;
	if (size > 0)
		code = hv_event_parse(line, size, &event, err);
	if (code == HV_OK && event.container)
		fn(context, &event);
	hv_event_done(&event);
	return code;
}

enum hv_code hv_event_lines_feed(struct hv_event_lines *lines, const char *bytes, size_t size,
	hv_event_fn fn, void *context, struct hv_error *err)
{
	enum hv_code code = HV_OK;
	const char *end;

	while (code == HV_OK && size > 0 && (end = memchr(bytes, '\n', size))) {
		size_t length = (size_t)(end - bytes);

		code = keep(lines, bytes, length, err);
		if (code == HV_OK && lines->size > 0)
			code = tell(lines->bytes, lines->size, fn, context, err);
		lines->size = 0;
		bytes += length + 1;
		size -= length + 1;
	}
	return code == HV_OK ? keep(lines, bytes, size, err) : code;
}

void hv_event_lines_done(struct hv_event_lines *lines)
{
	free(lines->bytes);
	*lines = (struct hv_event_lines){0};
}
