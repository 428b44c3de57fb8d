/* SPDX-License-Identifier: Apache-2.0 */
/* Keepers of volumes of other drivers; hv_keeper_check() and hv_keepers_check() are in
 * attach/attach.h. */
#ifndef ATTACH_KEEPER_H
#define ATTACH_KEEPER_H

#include "attach/attach.h"

/* Before an attachment of a borrowed volume of another driver is acknowledged: have its keeper run,
 * and make sure that the Engine still has the volume.
 * Waits for the Engine, with no lock held but its own.
 * Returns HV_OK; HV_UNSUPPORTED with the Engine's reason; HV_SOURCE_REFUSED, HV_TIMEOUT. */
enum hv_code hv_keeper_hold(
	struct hv_attacher *attacher, const struct hv_volume *volume, struct hv_error *err);

#endif
