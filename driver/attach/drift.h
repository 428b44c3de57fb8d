/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that is not as it was made, and the process that changed it. */
#ifndef ATTACH_DRIFT_H
#define ATTACH_DRIFT_H

#include "attach/attach.h"
#include "mountcore/watch.h"
#include "store/store.h"

/* "missing" or "covered", with that sentence as its problem.  `by` did it; NULL: it was not seen,
 * and the name that is known for the same sentence stays. */
enum hv_code hv_record_set_drift(struct hv_record *record, enum hv_attachment_state state,
	const char *sentence, const struct mc_watch_event *by, struct hv_error *err);

#endif
