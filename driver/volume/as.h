/* SPDX-License-Identifier: Apache-2.0 */
/* Option as: the owner that the volume's directory appears to have for Docker's containers. */
#ifndef VOLUME_AS_H
#define VOLUME_AS_H

#include "mountcore/attach.h"
#include "volume/volume.h"

/* Have a mount for Docker show the owner that `use` says, and ignore set-user-ID bits then.  With
 * --userns-remap the IDs are those of the remapped containers. */
enum hv_code hv_as_apply(const struct hv_volumes *volumes, const struct hv_volume_ref *use,
	struct mc_attach_args *args, struct hv_error *err);

#endif
