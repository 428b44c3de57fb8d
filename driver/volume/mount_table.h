/* SPDX-License-Identifier: Apache-2.0 */
/* Mount tables that are read for a moment. */
#ifndef VOLUME_MOUNT_TABLE_H
#define VOLUME_MOUNT_TABLE_H

#include "mountcore/mounts.h"
#include "volume/volume.h"

#define hv_auto_table HV_AUTO(hv_table_free)
static inline void hv_table_free(struct mc_mounts **table)
{
	mc_mounts_free(*table);
}

/* Read the host's, unless `table` has it already.  HV_OK or HV_INTERNAL. */
enum hv_code hv_table_read_host(
	struct hv_volumes *volumes, struct mc_mounts **table, struct hv_error *err);

#endif
