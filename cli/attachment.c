/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attachment.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/document.h"
#include "cli/output.h"

enum { SHORT_ID_DIGITS = 12 };

struct json_object *hv_attach_body(const struct hv_attach_request *request)
{
	struct json_object *body = hv_fields_write(hv_attach_request_fields, request);

	/* The daemon's defaults, and its business as long as nobody asks for something else. */
	if (body && request->mkdir)
		json_object_object_del(body, "Mkdir");
	if (body && request->persist)
		json_object_object_del(body, "Persist");
	return body;
}

const char *hv_attachment_container(struct hv_attachment *attachment)
{
	char *id = attachment->container_id;

	if (attachment->container_name && *attachment->container_name)
		return attachment->container_name;
	if (!id)
		return "";
	if (strlen(id) > SHORT_ID_DIGITS)
		id[SHORT_ID_DIGITS] = '\0';
	return id;
}

enum hv_code hv_attachment_print_object(struct json_object *object, struct hv_error *err)
{
	hv_auto_attachment struct hv_attachment attachment = {0};

	if (!json_object_is_type(object, json_type_object) ||
		hv_fields_from(object, hv_attachment_fields, HV_UNKNOWN_IGNORE, &attachment, err) !=
			HV_OK ||
		!attachment.target)
		return hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer shows no attachment");
	hv_line_print(stdout, "%s:%s", hv_attachment_container(&attachment), attachment.target);
	for (size_t i = 0; i < attachment.warnings.count; i++)
		hv_line_print(stderr, "note: %s", attachment.warnings.items[i]);
	return HV_OK;
}

enum hv_code hv_attachment_print(struct json_object *answer, struct hv_error *err)
{
	return hv_attachment_print_object(
		hv_document_get(answer, "Attachment", json_type_object), err);
}
