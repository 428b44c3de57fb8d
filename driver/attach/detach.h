/* SPDX-License-Identifier: Apache-2.0 */
/* Detach. */
#ifndef ATTACH_DETACH_H
#define ATTACH_DETACH_H

#include "attach/attach.h"

/* Detach strictly for the volume's removal, which is begun (HV_REMOVING) with the same commit
 * unless something else keeps it. */
enum hv_code hv_detach_with_volume(
	struct hv_attacher *attacher, const char *id, struct hv_error *err);

#endif
