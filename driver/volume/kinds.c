/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of volumes.  A new kind is a file kind_NAME.c and a row before managed, which claims
 * all options that no other kind does. */
#include "kinds.h"

#include <stddef.h>

const struct hv_volume_kind *const hv_volume_kinds[] = {
	&hv_kind_path,
	&hv_kind_alias,
	&hv_kind_filesystem,
	&hv_kind_host,
	&hv_kind_engine,
	&hv_kind_managed,
	NULL,
};
