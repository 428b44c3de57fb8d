/* SPDX-License-Identifier: Apache-2.0 */
/* Explain an unknown name. */
#ifndef ATTACH_NAME_H
#define ATTACH_NAME_H

#include "attach/attach.h"

/* Of a volume that is not hostvol's, with err->code HV_NO_SUCH_VOLUME: ask the Engine whose it is,
 * and say how its data is attached.  `target` is the request's, cleaned.  Returns err->code. */
enum hv_code hv_volume_explain_unknown(struct hv_attacher *attacher,
	const struct hv_attach_request *request, const char *target, struct hv_error *err);

#endif
