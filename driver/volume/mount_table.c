/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_table.h"

#include <stdio.h>
#include <string.h>

#include "mountcore/cleanup.h"

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

void hv_volume_fstype(struct hv_volumes *volumes, const char *path, char ret[static HV_FSTYPE_SIZE])
{
	mc_auto_mounts table = NULL;
	struct mc_mount mount;

	if (mc_mounts_read_host(volumes->core, &table) < 0 || mc_mounts_of(table, path, &mount) < 0)
		mount.fstype = "?";
	snprintf(ret, HV_FSTYPE_SIZE, "%s", mount.fstype);
}
