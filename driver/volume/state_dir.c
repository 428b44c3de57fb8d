/* SPDX-License-Identifier: Apache-2.0 */
#include "state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/host.h"

#include "volumes.h"

int hv_state_dir(const struct hv_volumes *volumes, const char *name)
{
	mc_auto_fd state = open(volumes->state_local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat is;
	int fd;

	if (state < 0 || fstat(state, &is) < 0)
		return -errno;
	if (volumes->state_id.ino != 0 &&
		(is.st_dev != volumes->state_id.dev || is.st_ino != volumes->state_id.ino))
		return -ESTALE;
	if (!name)
		return mc_take_fd(&state);
	if (mkdirat(state, name, 0711) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hv_volumes_dir(const struct hv_volumes *volumes)
{
	mc_auto_fd fd = hv_state_dir(volumes, "volumes");
	mc_auto_fd host = MC_FD_NONE;
	char path[PATH_MAX];
	struct stat ours, theirs;

	if (fd < 0)
		return fd;
	if ((size_t)snprintf(path, sizeof(path), "%s/volumes", volumes->state_host) >= sizeof(path))
		return -ENAMETOOLONG;
	host = mc_host_open(volumes->core, path);
	if (host < 0 || fstat(fd, &ours) < 0 || fstat(host, &theirs) < 0)
		return host < 0 ? host : -errno;
	if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
		return -ESTALE;
	return mc_take_fd(&fd);
}

enum hv_code hv_fail_state_shadowed(const struct hv_volumes *volumes, struct hv_error *err)
{
	mc_auto_fd state = hv_state_dir(volumes, NULL);

	if (state == -ESTALE) {
		hv_fail(err, HV_STATE_UNREADABLE,
			"something was mounted at %s on the host after hostvol had started: its records are below that",
			volumes->state_host);
		return hv_hint(err, "unmount it; or restart hostvold, if it is the right disk");
	}
	hv_fail(err, HV_STATE_UNREADABLE,
		"something is mounted at %s/volumes on the host, which hostvol does not see",
		volumes->state_host);
	return hv_hint(err,
		"unmount it, or mount the disk at %s itself, disable the plugin and enable it again",
		volumes->state_host);
}

int hv_dir_next(DIR *dir, const struct dirent **ret)
{
	do {
		errno = 0;
		*ret = readdir(dir); /* NOLINT(concurrency-mt-unsafe): a stream of our own */
	} while (*ret && (strcmp((*ret)->d_name, ".") == 0 || strcmp((*ret)->d_name, "..") == 0));
	return *ret ? 1 : -errno;
}

int hv_dir_is_empty_but(int fd, const char *spared)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hv_auto_dir DIR *dir = own < 0 ? NULL : fdopendir(own); /* the stream closes it */
	const struct dirent *entry;
	int rc = -errno;

	if (!dir) {
		if (own >= 0)
			close(own);
		return rc;
	}
	do
		rc = hv_dir_next(dir, &entry);
	while (entry && spared && strcmp(entry->d_name, spared) == 0);
	return rc < 0 ? rc : rc == 0;
}

/* Whether `name` in the directory is missing, or a directory that is empty but for `spared`. */
static bool is_nothing(int state, const char *name, const char *spared)
{
	mc_auto_fd fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? errno == ENOENT : hv_dir_is_empty_but(fd, spared) == 1;
}

enum hv_code hv_volumes_check_state(const struct hv_volumes *volumes, struct hv_error *err)
{
	static const char *const names[] = {"volumes", "trash"};
	/* A new ext4 for the data.  No volume's name has a '+'. */
	static const char *const spared[] = {"lost+found", NULL};
	mc_auto_fd state = hv_state_dir(volumes, NULL);
	struct stat records;

	if (state < 0)
		return hv_fail(err, HV_STATE_UNREADABLE,
			"the state directory %s cannot be used: %s", volumes->state_host,
			strerrordesc_np(-state));
	/* An empty one is of a start that came to nothing. */
	if (fstatat(state, "hostvol.db", &records, 0) == 0 && records.st_size > 0)
		return HV_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_nothing(state, names[i], spared[i]))
			continue;
		hv_fail(err, HV_STATE_UNREADABLE,
			"the state directory %s is not hostvol's: there is no hostvol.db in it, but something named %s",
			volumes->state_host, names[i]);
		return hv_hint(err,
			"name a directory of hostvol's own (HOSTVOL_STATE, --state); if hostvol.db was lost, restore it, or move %s/%s away",
			volumes->state_host, names[i]);
	}
	return HV_OK;
}
