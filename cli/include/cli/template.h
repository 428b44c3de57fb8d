/* SPDX-License-Identifier: Apache-2.0 */
/* A --format of one's own: the part of Go's templates that docker's users type. */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include <stdbool.h>
#include <stdio.h>

#include "wire/json.h"

enum { HV_TEMPLATE_PARTS_MAX = 64, HV_TEMPLATE_MAX_BYTES = 4096 };

enum hv_template_type {
	HV_TEMPLATE_TEXT,  /* literal */
	HV_TEMPLATE_FIELD, /* {{.Field}} */
	HV_TEMPLATE_JSON,  /* {{json .Field}} or {{json .}} */
};

struct hv_template_part {
	enum hv_template_type type;
	const char *text; /* or the field's name, NULL for {{json .}}; borrowed from `text` below */
};

struct hv_template {
	char *text; /* owned */
	struct hv_template_part parts[HV_TEMPLATE_PARTS_MAX];
	size_t count;
	size_t columns; /* of a table, which tabs separate */
	bool is_table;
};

/* Read `format`: text with {{.Field}}, {{json .Field}} and {{json .}} in it, \t and \n in the text,
 * "table " in front for aligned columns with headings.  `fields` has the names that are known.
 * Returns HV_OK, or HV_BAD_REQUEST with a sentence that says what is known, and a hint where a
 * known word is near; HV_INTERNAL on ENOMEM.  The caller frees `ret` with hv_template_done()
 * whatever is returned.  Source: docker/cli, cli/command/formatter; Go, text/template. */
enum hv_code hv_template_parse(const char *format, const struct hv_field *fields,
	struct hv_template *ret, struct hv_error *err) __attribute__((nonnull, warn_unused_result));

/* Print a line for each object of the array `list`, after the headings if it is a table.  A string
 * is printed cleaned, a field that is absent as nothing, everything else as JSON.
 * Returns 0 or -ENOMEM. */
int hv_template_print(const struct hv_template *template, struct json_object *list, FILE *out)
	__attribute__((nonnull, warn_unused_result));

void hv_template_done(struct hv_template *template) __attribute__((nonnull));
#define hv_auto_template HV_AUTO(hv_template_done)

#endif
