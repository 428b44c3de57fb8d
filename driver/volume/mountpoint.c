/* SPDX-License-Identifier: Apache-2.0 */
#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "mountcore/mount_root.h"

#include "volumes.h"

char *hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", volumes->mount_root, name) < 0 ? NULL : path;
}

int hv_mount_root_dir(const struct hv_volumes *volumes)
{
	int fd;

	if (volumes->root)
		return mc_mount_root_dir(volumes->root);
	fd = open(volumes->mount_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
