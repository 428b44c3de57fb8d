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

static void print_notes(const struct hv_texts *notes)
{
	for (size_t i = 0; i < notes->count; i++) {
		fputs("note: ", stderr);
		hv_text_print(stderr, notes->items[i]);
		fputc('\n', stderr);
	}
}

enum hv_code hv_attachment_print(struct json_object *answer, struct hv_error *err)
{
	struct json_object *object = hv_document_get(answer, "Attachment", json_type_object);
	struct hv_attachment attachment = {0};
	enum hv_code code = HV_BAD_REQUEST;

	if (object)
		code = hv_fields_from(
			object, hv_attachment_fields, HV_UNKNOWN_IGNORE, &attachment, err);
	if (code == HV_OK && attachment.target) {
		hv_text_print(stdout, hv_attachment_container(&attachment));
		putchar(':');
		hv_text_print(stdout, attachment.target);
		putchar('\n');
		print_notes(&attachment.warnings);
	} else {
		code = hv_fail(err, HV_INTERNAL, "the hostvol daemon's answer shows no attachment");
	}
	hv_attachment_done(&attachment);
	return code;
}
