/* SPDX-License-Identifier: Apache-2.0 */
/* Explain an unknown name. */
#ifndef ATTACH_NAME_H
#define ATTACH_NAME_H

#include "attach/attach.h"

/* Of a volume that nobody knows, with err->code HV_NO_SUCH_VOLUME: hint at the way forward.
 * `target` is the request's, cleaned.  Returns err->code. */
enum hv_code hv_volume_explain_unknown(
	const struct hv_attach_request *request, const char *target, struct hv_error *err);

#endif
