/* SPDX-License-Identifier: Apache-2.0 */
/* Detach. */
#ifndef ATTACH_DETACH_H
#define ATTACH_DETACH_H

#include "attach/attach.h"

/* Detach strictly for the volume's removal, which is begun (HV_REMOVING) with the same commit
 * unless something else keeps it. */
enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err);

/* Detach one whose lease is over: strictly, or lazily once the grace is over too.  `ret_is_kept`:
 * it was renewed meanwhile, and nothing was done.  HV_OK also if it is gone already. */
enum hv_code hv_detach_expired(
	struct hv_attacher *attacher, const char *id, bool *ret_is_kept, struct hv_error *err);

/* Whether the request waits for a time that may be: HV_OK or HV_BAD_REQUEST. */
enum hv_code hv_detach_check_wait(const struct hv_detach_request *request, struct hv_error *err);

#endif
