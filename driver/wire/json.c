/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "wire/attachment_state.h"
#include "wire/opts.h"
#include "wire/token.h"
#include "wire/utf8.h"

/* Requests are flat; the Engine's container inspect is the deepest thing read here. */
enum { DEPTH_MAX = 24, JSON_MAX = 256 << 20 };

static const char *skip_space(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
		at++;
	return at;
}

static int read_ascii(const char *bytes, size_t size, int depth, struct hv_json_text *ret)
{
	struct json_tokener *parser;
	size_t value_size = 0;

	if (!hv_json_has_tokens(bytes, size, &value_size)) {
		ret->error = json_tokener_error_parse_unexpected;
		return 0;
	}
	parser = json_tokener_new_ex(depth);
	if (!parser)
		return -ENOMEM;
	/* Not STRICT, which differs by version: hv_json_has_tokens() has refused bad tokens. */
	json_tokener_set_flags(parser, JSON_TOKENER_ALLOW_TRAILING_CHARS);
	ret->object = json_tokener_parse_ex(parser, bytes, (int)value_size);
	ret->error = (int)json_tokener_get_error(parser);
	ret->is_whole = value_size == size && skip_space(bytes + json_tokener_get_parse_end(parser),
						      bytes + size) == bytes + size;
	json_tokener_free(parser);
	return 0;
}

int hv_json_read(const char *bytes, size_t size, int depth, struct hv_json_text *ret)
{
	size_t ascii_size;
	hv_auto_free char *ascii = NULL;
	int rc = size <= JSON_MAX ? hv_utf8_escape(bytes, size, &ascii, &ascii_size) : -EFBIG;

	*ret = (struct hv_json_text){.error = json_tokener_error_parse_utf8_string};
	if (rc < 0)
		return rc == -EILSEQ ? 0 : rc;
	return read_ascii(ascii, ascii_size, depth, ret);
}

enum hv_code hv_json_parse(
	const char *bytes, size_t size, struct json_object **ret_object, struct hv_error *err)
{
	struct hv_json_text parsed;
	int rc;

	if (!bytes || skip_space(bytes, bytes + size) == bytes + size)
		return hv_fail(
			err, HV_BAD_REQUEST, "the request body is empty; a JSON object is needed");
	rc = hv_json_read(bytes, size, DEPTH_MAX, &parsed);
	if (rc == -EFBIG)
		return hv_fail(err, HV_BAD_REQUEST, "the request body is too long");
	if (rc < 0)
		return hv_oom(err);
	if (parsed.error == json_tokener_success && parsed.is_whole &&
		json_object_is_type(parsed.object, json_type_object)) {
		*ret_object = parsed.object;
		return HV_OK;
	}
	json_object_put(parsed.object);
	if (parsed.error == json_tokener_continue)
		return hv_fail(err, HV_BAD_REQUEST, "the request body is cut off in the middle");
	if (parsed.error != json_tokener_success)
		return hv_fail(err, HV_BAD_REQUEST, "the request body is not valid JSON: %s",
			json_tokener_error_desc((enum json_tokener_error)parsed.error));
	if (!parsed.is_whole)
		return hv_fail(err, HV_BAD_REQUEST, "there is text after the JSON object");
	return hv_fail(err, HV_BAD_REQUEST, "the request body must be a JSON object");
}

/* The type of a field's value in JSON, and in words. */
static const struct {
	enum json_type type;
	const char *words;
} values[] = {
	[HV_TYPE_STRING] = {json_type_string, "a string"},
	[HV_TYPE_BOOL] = {json_type_boolean, "true or false"},
	[HV_TYPE_TRISTATE] = {json_type_boolean, "true or false"},
	[HV_TYPE_INT] = {json_type_int, "a whole number"},
	[HV_TYPE_OPTS] = {json_type_object, "an object"},
	[HV_TYPE_TEXTS] = {json_type_array, "a list"},
	[HV_TYPE_STATE] = {json_type_string, "a string"},
	[HV_TYPE_PROPAGATION] = {json_type_string, "a string"},
};

static enum hv_code read_string(
	const struct hv_field *field, struct json_object *value, char **out, struct hv_error *err)
{
	const char *text = json_object_get_string(value);
	char *copy;

	if (json_object_is_type(value, json_type_boolean))
		text = json_object_get_boolean(value) ? "true" : "";
	else if (strlen(text) != (size_t)json_object_get_string_len(value))
		return hv_fail(
			err, HV_BAD_REQUEST, "\"%s\" has a NUL character in it", field->name);
	copy = strdup(text);
	if (!copy)
		return hv_oom(err);
	free(*out);
	*out = copy;
	return HV_OK;
}

static enum hv_code read_opts(struct json_object *value, struct hv_opts *out, struct hv_error *err)
{
	json_object_object_foreach(value, key, item)
	{
		const char *text = json_object_get_string(item);

		if (!json_object_is_type(item, json_type_string))
			return hv_fail(err, HV_BAD_REQUEST, "option \"%s\" must be a string", key);
		if (strlen(text) != (size_t)json_object_get_string_len(item))
			return hv_fail(err, HV_BAD_REQUEST,
				"option \"%s\" has a NUL character in it", key);
		if (hv_opts_add(out, key, text) < 0)
			return hv_oom(err);
	}
	return HV_OK;
}

int hv_texts_add(struct hv_texts *texts, const char *text)
{
	char **items = reallocarray(texts->items, texts->count + 1, sizeof(*items));
	char *copy;

	if (!items)
		return -ENOMEM;
	texts->items = items;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	items[texts->count++] = copy;
	return 0;
}

void hv_texts_done(struct hv_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->items[i]);
	free(texts->items);
	*texts = (struct hv_texts){0};
}

static enum hv_code read_texts(const struct hv_field *field, struct json_object *value,
	struct hv_texts *out, struct hv_error *err)
{
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		if (!json_object_is_type(item, json_type_string))
			return hv_fail(err, HV_BAD_REQUEST, "\"%s\" must be a list of strings",
				field->name);
		if (hv_texts_add(out, json_object_get_string(item)) < 0)
			return hv_oom(err);
	}
	return HV_OK;
}

static enum hv_code read_field(
	const struct hv_field *field, struct json_object *value, char *out, struct hv_error *err)
{
	bool may_be_bool = field->flags & HV_FIELD_OR_BOOL;
	void *member = out + field->offset;

	if (!value) /* null is the same as absent */
		return HV_OK;
	if (!json_object_is_type(value, values[field->type].type) &&
		!(may_be_bool && json_object_is_type(value, json_type_boolean)))
		return hv_fail(err, HV_BAD_REQUEST, "\"%s\" must be %s", field->name,
			values[field->type].words);
	switch (field->type) {
	case HV_TYPE_STRING:
		return read_string(field, value, member, err);
	case HV_TYPE_BOOL:
		*(bool *)member = json_object_get_boolean(value);
		return HV_OK;
	case HV_TYPE_TRISTATE:
		*(enum hv_tristate *)member = json_object_get_boolean(value) ? HV_TRUE : HV_FALSE;
		return HV_OK;
	case HV_TYPE_INT:
		*(long long *)member = json_object_get_int64(value);
		return HV_OK;
	case HV_TYPE_OPTS:
		return read_opts(value, member, err);
	case HV_TYPE_TEXTS:
		return read_texts(field, value, member, err);
	case HV_TYPE_STATE:
		*(enum hv_attachment_state *)member =
			hv_attachment_state_parse(json_object_get_string(value));
		return HV_OK;
	case HV_TYPE_PROPAGATION:
		*(bool *)member = strcmp(json_object_get_string(value), "slave") == 0;
		return HV_OK;
	}
	return hv_fail(err, HV_INTERNAL, "field \"%s\" has no type", field->name);
}

static const struct hv_field *find_field(const struct hv_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

static enum hv_code check_required(
	const struct hv_field *fields, const char *out, struct hv_error *err)
{
	for (; fields->name; fields++) {
		char *text;

		if (!(fields->flags & HV_FIELD_REQUIRED) || fields->type != HV_TYPE_STRING)
			continue;
		memcpy(&text, out + fields->offset, sizeof(text));
		if (!text)
			return hv_fail(err, HV_BAD_REQUEST, "\"%s\" is missing", fields->name);
		if (!*text)
			return hv_fail(err, HV_BAD_REQUEST, "\"%s\" is empty", fields->name);
	}
	return HV_OK;
}

enum hv_code hv_fields_from(struct json_object *object, const struct hv_field *fields,
	enum hv_unknown unknown, void *out, struct hv_error *err)
{
	json_object_object_foreach(object, key, value)
	{
		const struct hv_field *field = find_field(fields, key);
		enum hv_code code;

		if (!field && unknown == HV_UNKNOWN_IGNORE)
			continue;
		if (!field)
			return hv_fail(err, HV_BAD_REQUEST, "unknown field \"%.64s\"", key);
		code = read_field(field, value, out, err);
		if (code != HV_OK)
			return code;
	}
	return check_required(fields, out, err);
}

/* Whether a \u0000 is anywhere.  json-c ends a name there: "Name\u0000x" would pass for "Name". */
static bool has_nul_escape(const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;

	while ((at = memchr(at, '\\', (size_t)(end - at))) && end - at >= 6) {
		if (memcmp(at, "\\u0000", 6) == 0)
			return true;
		at += 2;
	}
	return false;
}

enum hv_code hv_fields_read(const char *bytes, size_t size, const struct hv_field *fields,
	enum hv_unknown unknown, void *out, struct hv_error *err)
{
	hv_auto_json struct json_object *object = NULL;

	if (hv_json_parse(bytes, size, &object, err) != HV_OK)
		return err->code;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): HV_OK came with an object */
	if (hv_fields_from(object, fields, unknown, out, err) != HV_OK)
		return err->code;
	if (has_nul_escape(bytes, size))
		return hv_fail(err, HV_BAD_REQUEST, "a field's name has a NUL character in it");
	return HV_OK;
}

int hv_json_count(const char *bytes, size_t size, size_t *ret)
{
	struct hv_json_text parsed;
	int rc = hv_json_read(bytes, size, DEPTH_MAX, &parsed);
	hv_auto_json struct json_object *list = parsed.object;

	if (rc < 0)
		return rc;
	if (parsed.error != json_tokener_success || !parsed.is_whole ||
		!json_object_is_type(list, json_type_array))
		return -EINVAL;
	*ret = json_object_array_length(list);
	return 0;
}

static struct json_object *write_opts(const struct hv_opts *opts)
{
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; object && i < opts->count; i++)
		json_object_object_add(
			object, opts->items[i].key, hv_utf8_json(opts->items[i].value));
	return object;
}

static struct json_object *write_texts(const struct hv_texts *texts)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < texts->count; i++)
		json_object_array_add(array, hv_utf8_json(texts->items[i]));
	return array;
}

static bool write_field(const struct hv_field *field, const char *in, struct json_object *object)
{
	const void *member = in + field->offset;
	bool is_optional = field->flags & HV_FIELD_OPTIONAL;
	struct json_object *value = NULL;

	switch (field->type) {
	case HV_TYPE_STRING: {
		const char *text = *(char *const *)member;

		if (is_optional && (!text || !*text))
			return true;
		value = hv_utf8_json(text ? text : "");
		break;
	}
	case HV_TYPE_BOOL:
		if (is_optional && !*(const bool *)member)
			return true;
		value = json_object_new_boolean(*(const bool *)member);
		break;
	case HV_TYPE_TRISTATE:
		if (*(const enum hv_tristate *)member == HV_UNSET)
			return true;
		value = json_object_new_boolean(*(const enum hv_tristate *)member == HV_TRUE);
		break;
	case HV_TYPE_INT:
		if ((is_optional && !*(const long long *)member) ||
			(field->flags & HV_FIELD_UNKNOWN && *(const long long *)member < 0))
			return true;
		value = json_object_new_int64(*(const long long *)member);
		break;
	case HV_TYPE_OPTS:
		if (is_optional && !((const struct hv_opts *)member)->count)
			return true;
		value = write_opts(member);
		break;
	case HV_TYPE_TEXTS:
		if (is_optional && !((const struct hv_texts *)member)->count)
			return true;
		value = write_texts(member);
		break;
	case HV_TYPE_STATE:
		value = json_object_new_string(
			hv_attachment_state_name(*(const enum hv_attachment_state *)member));
		break;
	case HV_TYPE_PROPAGATION:
		value = json_object_new_string(*(const bool *)member ? "slave" : "private");
		break;
	}
	return value && json_object_object_add(object, field->name, value) == 0;
}

struct json_object *hv_fields_write(const struct hv_field *fields, const void *in)
{
	struct json_object *object = json_object_new_object();

	for (; object && fields->name; fields++) {
		if (!write_field(fields, in, object)) {
			json_object_put(object);
			return NULL;
		}
	}
	return object;
}

void hv_fields_done(const struct hv_field *fields, void *out)
{
	for (; fields->name; fields++) {
		void *member = (char *)out + fields->offset;

		if (fields->type == HV_TYPE_STRING) {
			free(*(char **)member);
			*(char **)member = NULL;
		} else if (fields->type == HV_TYPE_OPTS) {
			hv_opts_done(member);
		} else if (fields->type == HV_TYPE_TEXTS) {
			hv_texts_done(member);
		}
	}
}
