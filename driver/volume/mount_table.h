/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table of the host, read once for several questions. */
#ifndef VOLUME_MOUNT_TABLE_H
#define VOLUME_MOUNT_TABLE_H

#include "mountcore/mounts.h"
#include "volume/volume.h"

/* Read the host's, unless `table` has it already.  HV_OK or HV_INTERNAL. */
enum hv_code hv_table_read_host(
	struct hv_volumes *volumes, struct mc_mounts **table, struct hv_error *err);

#endif
