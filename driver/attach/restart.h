/* SPDX-License-Identifier: Apache-2.0 */
/* A container is started again whose start was refused. */
#ifndef ATTACH_RESTART_H
#define ATTACH_RESTART_H

#include "attach/attach.h"

/* Whether what an attachment of the volume and a subpath ("" or NULL: none) is made of is there, as
 * far as the host alone can tell (restart.c).  Returns HV_OK, or why it is not. */
enum hv_code hv_volume_check_ready(struct hv_attacher *attacher, const struct hv_volume *volume,
	const char *subpath, struct hv_error *err);

#endif
