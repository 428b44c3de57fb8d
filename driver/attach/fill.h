/* What the record of an attach says. */
#ifndef ATTACH_FILL_H
#define ATTACH_FILL_H

#include "attach/attach.h"

#include "attach.h"

/* What the record will say, but for what only the mount tells. */
enum hv_code hv_attempt_fill(struct hv_attempt *attempt, struct hv_error *err);

/* Copy what the prepared mount, or the committed one (`is_mounted`), tells into the record. */
enum hv_code hv_attempt_fill_mount(
	struct hv_attempt *attempt, bool is_mounted, struct hv_error *err);

#endif
