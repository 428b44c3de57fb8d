/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/document.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"

#include "cli/cleanup.h"

enum { DEPTH_MAX = 64, FILE_MAX_BYTES = 1 << 20 };

struct json_object *hv_document_parse(const char *bytes, size_t size, enum json_type type)
{
	struct hv_json_text text;

	if (hv_json_read(bytes, size, DEPTH_MAX, &text) < 0)
		return NULL;
	if (json_object_is_type(text.object, type) && text.is_whole)
		return text.object;
	json_object_put(text.object);
	return NULL;
}

int hv_document_read(const char *path, struct json_object **ret)
{
	hv_auto_file FILE *file = fopen(path, "re");
	hv_auto_free char *bytes = NULL;
	size_t size;

	if (!file)
		return -errno;
	bytes = malloc(FILE_MAX_BYTES + 1);
	if (!bytes)
		return -ENOMEM;
	size = fread(bytes, 1, FILE_MAX_BYTES + 1, file);
	if (ferror(file))
		return -EIO;
	if (size > FILE_MAX_BYTES)
		return -EFBIG;
	*ret = hv_document_parse(bytes, size, json_type_object);
	return *ret ? 0 : -EBADMSG;
}

struct json_object *hv_document_get(
	struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		value = json_object_object_get(object, key);
	return json_object_is_type(value, type) ? value : NULL;
}

const char *hv_document_text(struct json_object *object, const char *key)
{
	struct json_object *value = hv_document_get(object, key, json_type_string);
	const char *text = json_object_get_string(value);

	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

bool hv_document_flag(struct json_object *object, const char *key)
{
	return json_object_get_boolean(hv_document_get(object, key, json_type_boolean));
}

static void begin_line(FILE *out, unsigned depth)
{
	fprintf(out, "\n%*s", (int)(2 * depth), "");
}

/* Print a character that is in no string, with the white space that belongs to it. */
static void print_mark(FILE *out, const char *at, unsigned *depth)
{
	bool is_end = *at == ']' || *at == '}', is_begin = *at == '[' || *at == '{';

	if (is_end && at[-1] != '[' && at[-1] != '{')
		begin_line(out, --*depth);
	putc(*at, out);
	if (is_begin && at[1] != ']' && at[1] != '}')
		begin_line(out, ++*depth);
	else if (*at == ',')
		begin_line(out, *depth);
	else if (*at == ':')
		putc(' ', out);
}

/* Print what `at` points to in a string.  Returns how many bytes that is. */
static size_t print_in_string(FILE *out, const char *at)
{
	const unsigned char *bytes = (const unsigned char *)at;
	/* How json-c leaves a character that a terminal obeys: DEL, or C1 as two bytes of UTF-8. */
	bool is_del = bytes[0] == 0x7f,
	     is_c1 = bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] <= 0x9f;
	size_t length = at[0] == '\\' || is_c1 ? 2 : 1;

	if (is_del || is_c1)
		fprintf(out, "\\u%04x", bytes[length - 1]);
	else
		fwrite(at, 1, length, out);
	return length;
}

/* In one line; borrowed from the document; NULL on ENOMEM. */
static const char *text_of(struct json_object *document)
{
	return json_object_to_json_string_ext(
		document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

int hv_document_print_line(FILE *out, struct json_object *document)
{
	const char *text = text_of(document);
	bool is_string = false;

	if (!text)
		return -ENOMEM;
	while (*text) {
		size_t length = 1;

		if (*text == '"')
			is_string = !is_string;
		if (is_string)
			length = print_in_string(out, text);
		else if (*text != ' ')
			putc(*text, out);
		text += length;
	}
	return 0;
}

/* The lines are made here: each version of json-c has its own form of empty arrays and objects. */
int hv_document_print(FILE *out, struct json_object *document)
{
	const char *text = text_of(document);
	bool is_string = false;
	unsigned depth = 0;

	if (!text)
		return -ENOMEM;
	while (*text) {
		size_t length = 1;

		if (*text == '"') {
			is_string = !is_string;
			putc('"', out);
		} else if (is_string) {
			length = print_in_string(out, text);
		} else {
			print_mark(out, text, &depth);
		}
		text += length;
	}
	putc('\n', out);
	return 0;
}
