/* SPDX-License-Identifier: Apache-2.0 */
#include "purge.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/attach.h"
#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/path.h"

#include "kind.h"
#include "mount_table.h"
#include "overlap.h"
#include "policy.h"
#include "record.h"
#include "sweep.h"
#include "volumes.h"

enum { PURGE_SECONDS = 40 }; /* Docker gives up a Remove after 60 */

static enum hv_code refuse(const struct hv_volume *volume, const char *why, const char *what,
	enum hv_code code, struct hv_error *err)
{
	hv_fail(err, code, "the data of volume '%s' in %s cannot be purged: %s %s", volume->name,
		volume->source, why, what);
	return hv_hint(err,
		"to remove the volume, keep its data first: docker hostvol set %s on-remove=keep",
		volume->name);
}

static enum hv_code check_places(
	const struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	if (mc_path_is_below(volumes->state_host, volume->source))
		return refuse(volume, "hostvol's own state is in it, at", volumes->state_host,
			HV_SOURCE_REFUSED, err);
	for (const char *const *allowed = hv_allowed(volumes); *allowed; allowed++)
		if (mc_path_is_below(*allowed, volume->source))
			return refuse(
				volume, "volumes may be in", *allowed, HV_SOURCE_REFUSED, err);
	return HV_OK;
}

static enum hv_code check_others(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	hv_auto_free char *other = NULL;
	enum hv_code code = hv_overlap_find(volumes, volume, host, &other, err);

	if (code == HV_OK && other)
		return refuse(volume, "it is shared with volume", other, HV_VOLUME_IN_USE, err);
	return code;
}

/* At `top` and below it, but for the volume's own file system. */
static enum hv_code check_mounts(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *top, struct mc_mounts **host, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);
	struct mc_mount mount;

	if (hv_table_read_host(volumes, host, err) != HV_OK)
		return err->code;
	for (size_t at = 0; mc_mounts_next(*host, &at, &mount);) {
		if (!mc_path_is_below(mount.target, top) ||
			(kind->mounted_while_used && strcmp(mount.target, volume->source) == 0))
			continue;
		refuse(volume, "something is mounted at", mount.target, HV_VOLUME_IN_USE, err);
		return kind->own_directory ? hv_hint(err, "unmount it on the host first: umount %s",
						     mount.target)
					   : err->code;
	}
	return HV_OK;
}

/* It goes with its parent: renamed, or its entry removed, a mount inside would be hidden, or
 * silently taken out of other mount namespaces. */
enum hv_code hv_purge_check_own(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	char top[PATH_MAX];
	int length = snprintf(top, sizeof(top), "%s", volume->source);
	char *slash = strrchr(top, '/');

	if (!hv_purge_is_wanted(volumes, volume))
		return HV_OK;
	if (length < 0 || (size_t)length >= sizeof(top) || !slash)
		return hv_fail(err, HV_INTERNAL, "the path %s is too long", volume->source);
	*slash = '\0';
	return check_mounts(volumes, volume, top, host, err);
}

/* Numbers of devices change from one boot to the next, with the order in which disks are found: a
 * directory of the same inode number on another device may be the one that was made, or not. */
static enum hv_code check_device(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	mc_auto_fd found = mc_host_open(volumes->core, volume->source);
	struct stat is;

	if (found < 0 || fstat(found, &is) < 0 || is.st_dev == volume->made_dev)
		return HV_OK; /* hv_purge() tells */
	return refuse(volume, "its device has another number than when it was made, so that",
		"it may be another directory", HV_SOURCE_REFUSED, err);
}

enum hv_code hv_purge_check(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	if (!hv_purge_is_wanted(volumes, volume))
		return HV_OK;
	if (mc_host_is_remote(volumes->core, volume->source))
		return refuse(volume, "it is on a file system that a server stands behind,",
			"which may not answer", HV_SOURCE_REFUSED, err);
	if (check_places(volumes, volume, err) != HV_OK ||
		check_device(volumes, volume, err) != HV_OK ||
		check_others(volumes, volume, host, err) != HV_OK)
		return err->code;
	return check_mounts(volumes, volume, volume->source, host, err);
}

/* The directory itself is gone, but not the parents that were made with it: a daemon was killed in
 * between.  They are known by their place on the same device. */
static void purge_parents(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct mc_made made = {.count = 0};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", volume->source);
	for (unsigned left = volume->missing - 1; left > 0; left--) {
		mc_auto_fd found = MC_FD_NONE;
		struct stat is;

		*strrchr(path, '/') = '\0';
		found = mc_host_open(volumes->core, path);
		if (found == -ENOENT)
			continue;
		if (found < 0 || fstat(found, &is) < 0 || is.st_dev != volume->made_dev)
			return;
		made.count = left;
		mc_host_unmake(volumes->core, path, &made);
		return;
	}
}

int hv_purge(struct hv_volumes *volumes, const struct hv_volume *volume)
{
	struct mc_made made = {.count = volume->missing};
	mc_auto_fd found = mc_host_open(volumes->core, volume->source);
	mc_auto_fd fd = MC_FD_NONE;
	struct stat is;
	int rc;

	if (volume->made_ino == 0 || volume->missing == 0 || volume->missing > MC_MADE_MAX)
		return 0; /* none was made */
	if (found == -ENOENT) {
		purge_parents(volumes, volume);
		return 0;
	}
	if (found < 0)
		return found;
	if (fstat(found, &is) < 0)
		return -errno;
	if (is.st_dev != volume->made_dev || is.st_ino != volume->made_ino)
		return 0; /* not the one that was made */
	fd = openat(found, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = hv_sweep(fd, &volumes->sweeper.is_stopping, PURGE_SECONDS);
	if (rc < 0)
		return rc;
	made.ids[made.count - 1] = (struct mc_file_id){volume->made_dev, volume->made_ino};
	mc_host_unmake(volumes->core, volume->source, &made);
	return 0;
}
