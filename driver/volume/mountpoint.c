/* SPDX-License-Identifier: Apache-2.0 */
#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>

#include "mountcore/mount_root.h"
#include "wire/text.h"

#include "volumes.h"

char *hv_volume_mountpoint(const struct hv_volumes *volumes, const char *name)
{
	return hv_text_format("%s/%s", volumes->mount_root, name);
}

int hv_mount_root_dir(const struct hv_volumes *volumes)
{
	int fd;

	if (volumes->root)
		return mc_mount_root_dir(volumes->root);
	fd = open(volumes->mount_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
