/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about attachments, and how one is shown. */
#ifndef CLI_ATTACHMENT_H
#define CLI_ATTACHMENT_H

#include "wire/types.h"

#include "cli/daemon.h"

/* The body of /HotAttach with the fields that differ from the daemon's defaults, to be put by the
 * caller; NULL on ENOMEM. */
struct json_object *hv_attach_body(const struct hv_attach_request *request)
	__attribute__((nonnull, warn_unused_result));

/* Print the `container:target` of an attachment on stdout, and its warnings on stderr.
 * Returns HV_OK, or HV_INTERNAL when it is none, or is NULL. */
enum hv_code hv_attachment_print_object(struct json_object *object, struct hv_error *err)
	__attribute__((nonnull(2), warn_unused_result));

/* The same of the answer's Attachment.
 * Returns HV_OK, or HV_INTERNAL when the answer has none, or is NULL. */
enum hv_code hv_attachment_print(struct json_object *answer, struct hv_error *err)
	__attribute__((nonnull(2), warn_unused_result));

/* The name of its container, else the short ID; borrowed from `attachment`, whose container_id is
 * cut. */
const char *hv_attachment_container(struct hv_attachment *attachment) __attribute__((nonnull));

#endif
