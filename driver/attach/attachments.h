/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by all attachments. */
#ifndef ATTACH_ATTACHMENTS_H
#define ATTACH_ATTACHMENTS_H

#include "attach/attach.h"
#include "store/store.h"

/* Tell the end of an attachment that nobody asked for: its record was dropped. */
void hv_record_tell_end(struct hv_attacher *attacher, const struct hv_record *record);

/* Whether the Engine told, as far as is remembered, that the container was removed. */
bool hv_attacher_has_ended(struct hv_attacher *attacher, const char *container_id);

#endif
