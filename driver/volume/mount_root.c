/* SPDX-License-Identifier: Apache-2.0 */
/* The managed plugin mounts volumes in a namespace of its own; Docker binds them from where they
 * appear on the host.  If they do not appear, Docker would bind an empty directory: so each Mount
 * proves it, and mends it if it can.  A daemon that cannot ends itself after the answer: the Engine
 * starts the plugin anew at once, and makes its mount.
 *
 * A plain daemon is to be in the Engine's namespace, where its mounts appear.  The process that
 * asks proves that, too. */
#include "mount_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"
#include "mountcore/mount_root.h"
#include "volume/mount_root.h"

#include "mounted.h"
#include "state_dir.h"
#include "sweep.h"
#include "volumes.h"

enum { TRIES = 3, LOST_MAX = 100 };

static const char lost[] = ".lost."; /* no volume's name begins with a dot */

/* Have the host see the mount root, and `name` in it if it is not NULL.  A second clean-up of
 * Docker's may undo the first heal. */
static enum hv_code heal(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *name, bool is_slow, struct hv_error *err)
{
	int rc = -ENOENT;

	for (int i = 0; rc == -ENOENT && i < TRIES; i++)
		rc = mc_mount_root_heal(volumes->root, name, is_slow);
	if (rc == 0)
		return HV_OK;
	hv_fail(err, HV_INTERNAL,
		"volume '%s' is not mounted: the host does not see what hostvol mounts in %s, and a container would get an empty directory (%s)",
		volume->name, mc_mount_root_place(volumes->root), strerrordesc_np(-rc));
	if (volumes->on_lost)
		volumes->on_lost(volumes->lost_context);
	return hv_hint(
		err, "start the container again: Docker restarts hostvol, which makes the mount");
}

enum hv_code hv_mount_root_ready(
	struct hv_volumes *volumes, const struct hv_volume *volume, struct hv_error *err)
{
	return volumes->root ? heal(volumes, volume, NULL, false, err) : HV_OK;
}

enum hv_code hv_mount_root_prove(struct hv_volumes *volumes, const struct hv_volume *volume,
	const char *mountpoint, pid_t client, struct hv_error *err)
{
	if (volumes->root)
		return heal(volumes, volume, volume->name,
			mc_host_is_slow(volumes->core, volume->source), err);
	if (mc_host_is_seen(volumes->core, client, mountpoint) != 0)
		return HV_OK;
	/* A plain daemon that is in another mount namespace than the Engine. */
	hv_fail(err, HV_INTERNAL,
		"volume '%s' is not mounted: hostvold is in a mount namespace of its own, process %d, which asks for the volume, does not see what is mounted there, and a container would get an empty directory",
		volume->name, (int)client);
	return hv_hint(err,
		"run hostvold in the Engine's mount namespace: remove PrivateTmp=, PrivateMounts=, ProtectSystem= and the like from its unit");
}

enum hv_code hv_mount_root_tell(struct hv_volumes *volumes, struct hv_error *err)
{
	if (!volumes->root || mc_mount_root_check(volumes->root, NULL, false) == 0)
		return hv_mounted_tell(volumes, err);
	hv_fail(err, HV_INTERNAL,
		"the host does not see what hostvol mounts for docker run -v in %s",
		mc_mount_root_place(volumes->root));
	return hv_hint(err,
		"run a container with a volume, which repairs the mount or fails: docker run -v");
}

/* --- data that containers wrote in place of their volumes ------------------------------------- */

static DIR *open_strays(const struct hv_volumes *volumes)
{
	int below = volumes->root ? mc_mount_root_below(volumes->root) : MC_FD_NONE;
	int fd = below < 0 ? below : openat(below, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		mc_close_fd(&fd);
	return dir;
}

static void keep(int fd, const char *name)
{
	char kept[NAME_MAX + 32];
	int rc;

	snprintf(kept, sizeof(kept), "%s%.240s", lost, name);
	rc = hv_rename_free(fd, name, fd, kept);
	for (int i = 2; rc == -EEXIST && i < LOST_MAX; i++) {
		snprintf(kept, sizeof(kept), "%s%.240s.%d", lost, name, i);
		rc = hv_rename_free(fd, name, fd, kept);
	}
}

/* With --userns-remap all of the Engine's is in DATA-ROOT/UID.GID, which belongs to one of the two:
 * the place is DATA-ROOT/UID.GID/plugins/ID/propagated-mount then. */
static void learn_remap(struct hv_volumes *volumes)
{
	char root[PATH_MAX], *slash = NULL;
	struct mc_owner owner;
	unsigned uid, gid;
	int end = 0;

	snprintf(root, sizeof(root), "%s", mc_mount_root_place(volumes->root));
	for (int i = 0; i < 3; i++) {
		slash = strrchr(root, '/');
		if (!slash || (i == 2 && strcmp(slash, "/plugins") != 0))
			return;
		*slash = '\0';
	}
	slash = strrchr(root, '/');
	/* NOLINTNEXTLINE(cert-err34-c): a number that overflows is not its owner */
	if (!slash || sscanf(slash, "/%u.%u%n", &uid, &gid, &end) < 2 || slash[end] ||
		mc_host_owner(volumes->core, root, &owner, NULL) < 0 ||
		(owner.uid != uid && owner.gid != gid))
		return;
	volumes->remap_uid = uid;
	volumes->remap_gid = gid;
}

int hv_mount_root_open(struct hv_volumes *volumes, const char *path)
{
	int rc = mc_mount_root_open(volumes->core, path, &volumes->root, NULL);
	hv_auto_dir DIR *dir = rc == 0 ? open_strays(volumes) : NULL;
	const struct dirent *entry;

	if (rc == 0)
		learn_remap(volumes);
	if (!dir)
		return rc;
	while (hv_dir_next(dir, &entry) > 0) /* an unread one is found at the next start */
		if (entry->d_name[0] != '.' &&
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0 && errno == ENOTEMPTY)
			keep(dirfd(dir), entry->d_name);
	return 0;
}

void hv_mount_root_close(struct hv_volumes *volumes)
{
	mc_mount_root_close(volumes->root);
	volumes->root = NULL;
}

void hv_mount_root_each_stray(
	struct hv_volumes *volumes, void (*visit)(void *context, const char *path), void *context)
{
	hv_auto_dir DIR *dir = open_strays(volumes);
	const struct dirent *entry;
	char path[PATH_MAX];

	if (!dir)
		return;
	while (hv_dir_next(dir, &entry) > 0) {
		if (strncmp(entry->d_name, lost, sizeof(lost) - 1) != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", mc_mount_root_place(volumes->root),
			    entry->d_name) < PATH_MAX)
			visit(context, path);
	}
}
