/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_table.h"

#include <string.h>

#include "volumes.h"

enum hv_code hv_table_read_host(
	struct hv_volumes *volumes, struct mc_mounts **table, struct hv_error *err)
{
	int rc = *table ? 0 : mc_mounts_read_host(volumes->core, table);

	if (rc < 0)
		return hv_fail(err, HV_INTERNAL, "the mounts of the host cannot be read: %s",
			strerrordesc_np(-rc));
	return HV_OK;
}
