/* SPDX-License-Identifier: Apache-2.0 */
/* An accepted request is written to JSON that reads back to the same; a refused one has a reason.
 * The first byte chooses the request. */
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/types.h"

enum { INPUT_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Room for any of the structs; the fields tell what is in it. */
union request {
	struct hv_attach_request attach;
	struct hv_detach_request detach;
	struct hv_list_request list;
	struct hv_driver_request driver;
	struct hv_attachment attachment;
};

static const struct hv_field *const tables[] = {hv_attach_request_fields, hv_detach_request_fields,
	hv_list_request_fields, hv_driver_request_fields, hv_attachment_fields};

/* The request written out again, or NULL when it was refused. */
static struct json_object *read_and_write(
	const char *bytes, size_t size, const struct hv_field *fields, enum hv_unknown unknown)
{
	union request request;
	struct hv_error err = {0};
	struct json_object *object = NULL;
	enum hv_code code;

	memset(&request, 0, sizeof(request));
	code = hv_fields_read(bytes, size, fields, unknown, &request, &err);
	if (code == HV_OK)
		object = hv_fields_write(fields, &request);
	if ((code == HV_OK) != !err.message || (code != HV_OK && code != HV_BAD_REQUEST))
		abort();
	hv_fields_done(fields, &request);
	hv_error_done(&err);
	return object;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct hv_field *fields;
	struct json_object *first, *second;
	const char *text;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	fields = tables[data[0] % (sizeof(tables) / sizeof(tables[0]))];
	first = read_and_write((const char *)data + 1, size - 1, fields,
		data[0] & 0x80 ? HV_UNKNOWN_IGNORE : HV_UNKNOWN_REFUSE);
	if (!first)
		return 0;
	text = json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN);
	second = read_and_write(text, strlen(text), fields, HV_UNKNOWN_REFUSE);
	if (!second ||
		strcmp(text, json_object_to_json_string_ext(second, JSON_C_TO_STRING_PLAIN)) != 0)
		abort();
	json_object_put(first);
	json_object_put(second);
	return 0;
}
