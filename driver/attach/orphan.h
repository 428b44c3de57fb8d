/* SPDX-License-Identifier: Apache-2.0 */
/* The Engine does not know a container. */
#ifndef ATTACH_GONE_H
#define ATTACH_GONE_H

#include "attach/attach.h"
#include "store/store.h"

/* The Engine does not know the container of this record: is it no more?  Refreshes the record.
 * Returns HV_OK; HV_VOLUME_IN_USE, with the record's problem for a sentence, when it may be there;
 * or why that cannot be told. */
enum hv_code hv_orphan_check(struct hv_attacher *attacher, struct hv_record *record,
	long timeout_ms, struct hv_error *err);

#endif
