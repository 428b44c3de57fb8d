/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/template.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "cli/document.h"
#include "cli/nearest.h"
#include "cli/output.h"

#define TABLE "table"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

enum { ACTION_SHOWN_MAX = 80, NAMES_MAX_BYTES = 512 };

static char *skip_spaces(char *at)
{
	return at + strspn(at, " \t\n");
}

/* \t and \n become the characters, in place; docker knows no other. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		bool is_escape = at[0] == '\\' && (at[1] == 't' || at[1] == 'n');

		if (is_escape)
			at++;
		if (!is_escape)
			*to++ = *at;
		else
			*to++ = *at == 't' ? '\t' : '\n';
	}
	*to = '\0';
}

/* The names of the fields, with commas between. */
static void list_names(const struct hv_field *fields, char *ret, size_t size_bytes)
{
	size_t used = 0;

	ret[0] = '\0';
	for (; fields->name && used < size_bytes; fields++)
		used += (size_t)snprintf(
			ret + used, size_bytes - used, "%s%s", used ? ", " : "", fields->name);
}

/* It has no {{ in it. */
static enum hv_code fail_word(const char *format, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = format, .length = strlen(format)};

	hv_fail(err, HV_BAD_REQUEST,
		"--format takes table, json or a template such as '{{.Volume}}', not \"%s\"",
		format);
	hv_nearest_add(&nearest, TABLE);
	hv_nearest_add(&nearest, "json");
	return nearest.name ? hv_hint(err, "did you mean: --format %s", nearest.name) : err->code;
}

static enum hv_code fail_action(
	const struct hv_field *fields, const char *body, const char *end, struct hv_error *err)
{
	size_t length = end ? (size_t)(end - body) : strlen(body);
	char names[NAMES_MAX_BYTES];

	list_names(fields, names, sizeof(names));
	return hv_fail(err, HV_BAD_REQUEST,
		"--format understands {{.FIELD}}, {{json .FIELD}} and {{json .}}, not \"{{%.*s%s\"; the fields are %s",
		(int)(length < ACTION_SHOWN_MAX ? length : ACTION_SHOWN_MAX), body, end ? "}}" : "",
		names);
}

static enum hv_code check_field(
	const struct hv_field *fields, const char *name, struct hv_error *err)
{
	struct hv_nearest nearest = {.word = name, .length = strlen(name)};
	char names[NAMES_MAX_BYTES];

	for (const struct hv_field *field = fields; field->name; field++) {
		if (strcmp(field->name, name) == 0)
			return HV_OK;
		hv_nearest_add(&nearest, field->name);
	}
	list_names(fields, names, sizeof(names));
	hv_fail(err, HV_BAD_REQUEST, "unknown field \"%.*s\" in --format; the fields are %s",
		ACTION_SHOWN_MAX, name, names);
	return nearest.name ? hv_hint(err, "did you mean: {{.%s}}", nearest.name) : err->code;
}

static enum hv_code add(struct hv_template *template, enum hv_template_type type, const char *text,
	struct hv_error *err)
{
	if (template->count == HV_TEMPLATE_PARTS_MAX)
		return hv_fail(err, HV_BAD_REQUEST, "--format has more than %d parts",
			HV_TEMPLATE_PARTS_MAX);
	template->parts[template->count++] = (struct hv_template_part){type, text};
	for (; type == HV_TEMPLATE_TEXT && *text; text++)
		template->columns += *text == '\t';
	return HV_OK;
}

/* `body` begins after the {{.  Cuts the field's name out of it. */
static enum hv_code take_action(struct hv_template *template, const struct hv_field *fields,
	char *body, char **ret_rest, struct hv_error *err)
{
	char *end = strstr(body, "}}"), *at = skip_spaces(body);
	bool is_json = strncmp(at, "json", 4) == 0 && skip_spaces(at + 4) > at + 4;
	size_t length;

	if (is_json)
		at = skip_spaces(at + 4);
	if (!end || *at != '.')
		return fail_action(fields, body, end, err);
	at++;
	length = strspn(at, LETTERS);
	if (skip_spaces(at + length) != end || (length == 0 && !is_json))
		return fail_action(fields, body, end, err);
	*ret_rest = end + 2;
	if (length == 0)
		return add(template, HV_TEMPLATE_JSON, NULL, err);
	at[length] = '\0';
	if (check_field(fields, at, err) != HV_OK)
		return err->code;
	return add(template, is_json ? HV_TEMPLATE_JSON : HV_TEMPLATE_FIELD, at, err);
}

static enum hv_code take_parts(
	struct hv_template *template, const struct hv_field *fields, char *at, struct hv_error *err)
{
	while (at) {
		char *rest = NULL, *open = strstr(at, "{{");

		if (open)
			*open = '\0';
		if (*at && add(template, HV_TEMPLATE_TEXT, at, err) != HV_OK)
			return err->code;
		if (open && take_action(template, fields, open + 2, &rest, err) != HV_OK)
			return err->code;
		at = rest;
	}
	return HV_OK;
}

enum hv_code hv_template_parse(const char *format, const struct hv_field *fields,
	struct hv_template *ret, struct hv_error *err)
{
	size_t skipped = strlen(TABLE);
	char *at;

	if (!strstr(format, "{{"))
		return fail_word(format, err);
	if (strlen(format) > HV_TEMPLATE_MAX_BYTES)
		return hv_fail(err, HV_BAD_REQUEST, "--format is longer than %d bytes",
			HV_TEMPLATE_MAX_BYTES);
	ret->text = at = strdup(format);
	if (!at)
		return hv_oom(err);
	ret->columns = 1;
	ret->is_table =
		strncmp(at, TABLE, skipped) == 0 && (at[skipped] == ' ' || at[skipped] == '{');
	if (ret->is_table)
		at += skipped + strspn(at + skipped, " ");
	unescape(at);
	if (ret->is_table && strchr(at, '\n'))
		return hv_fail(err, HV_BAD_REQUEST,
			"a table has one line for each attachment: it takes no \\n");
	return take_parts(ret, fields, at, err);
}

/* "ContainerID" as docker writes a heading: CONTAINER ID. */
static void print_heading(FILE *out, const char *name)
{
	for (const char *at = name; *at; at++) {
		bool is_begin = at > name && isupper((unsigned char)*at) &&
				(islower((unsigned char)at[-1]) || islower((unsigned char)at[1]));

		if (is_begin)
			putc(' ', out);
		putc(toupper((unsigned char)*at), out);
	}
}

static int print_string(FILE *out, struct json_object *value)
{
	hv_auto_free char *copy = strdup(json_object_get_string(value));

	if (!copy)
		return -ENOMEM;
	hv_text_clean(copy);
	fputs(copy, out);
	return 0;
}

/* `object` is NULL for the headings. */
static int print_part(FILE *out, const struct hv_template_part *part, struct json_object *object)
{
	bool is_object = json_object_is_type(object, json_type_object);
	bool is_literal = part->type == HV_TEMPLATE_TEXT;
	struct json_object *value = object;

	if (!is_literal && part->text)
		value = is_object ? json_object_object_get(object, part->text) : NULL;
	if (is_literal)
		fputs(part->text, out);
	else if (!object)
		print_heading(out, part->text ? part->text : "JSON");
	else if (part->type == HV_TEMPLATE_FIELD && json_object_is_type(value, json_type_string))
		return print_string(out, value);
	else if (part->type == HV_TEMPLATE_JSON || value)
		return hv_document_print_line(out, value);
	return 0;
}

/* Owned by the caller; NULL on ENOMEM. */
static char *format_line(const struct hv_template *template, struct json_object *object)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; r == 0 && i < template->count; i++)
		r = print_part(out, &template->parts[i], object);
	if (fclose(out) == 0 && r == 0)
		return text;
	free(text);
	return NULL;
}

/* No value has a tab in it: strings are cleaned, and JSON escapes it. */
static int add_row(
	const struct hv_template *template, struct json_object *object, struct hv_table *table)
{
	hv_auto_free char *line = format_line(template, object);
	char *rest = line;

	if (!line)
		return -ENOMEM;
	while (rest)
		if (hv_table_add(table, strsep(&rest, "\t")) < 0)
			return -ENOMEM;
	return 0;
}

static int print_table(const struct hv_template *template, struct json_object *list, FILE *out)
{
	hv_auto_table struct hv_table table = {.columns = template->columns};
	size_t count = json_object_array_length(list);

	if (add_row(template, NULL, &table) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (add_row(template, json_object_array_get_idx(list, i), &table) < 0)
			return -ENOMEM;
	hv_table_print(&table, out);
	return 0;
}

int hv_template_print(const struct hv_template *template, struct json_object *list, FILE *out)
{
	size_t count = json_object_array_length(list);

	if (template->is_table)
		return print_table(template, list, out);
	for (size_t i = 0; i < count; i++) {
		hv_auto_free char *line = format_line(template, json_object_array_get_idx(list, i));

		if (!line)
			return -ENOMEM;
		fprintf(out, "%s\n", line);
	}
	return 0;
}

void hv_template_done(struct hv_template *template)
{
	free(template->text);
	*template = (struct hv_template){0};
}
