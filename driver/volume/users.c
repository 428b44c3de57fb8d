/* SPDX-License-Identifier: Apache-2.0 */
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mountcore/cleanup.h"
#include "mountcore/namespaces.h"

#include "kind.h"
#include "record.h"
#include "volumes.h"

enum { ID_LENGTH = HV_USERS_ID_SIZE - 1, OWN_MAX = 2, CGROUP_SIZE = 4096 };

/* The data whose users are looked for. */
struct question {
	struct mc_spot data;
	struct mc_spot own[OWN_MAX]; /* the places of hostvol's own mounts */
};

bool hv_users_read_container(const char *cgroup, char ret[static HV_USERS_ID_SIZE])
{
	while (*cgroup) {
		size_t length = strspn(cgroup, "0123456789abcdef");

		if (length == ID_LENGTH) {
			memcpy(ret, cgroup, ID_LENGTH);
			ret[ID_LENGTH] = '\0';
			return true;
		}
		cgroup += length > 0 ? length : 1;
	}
	return false;
}

static bool find_container(pid_t pid, char ret[static HV_USERS_ID_SIZE])
{
	char path[32], text[CGROUP_SIZE];
	ssize_t size;
	mc_auto_fd fd = MC_FD_NONE;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[size > 0 ? size : 0] = '\0';
	return hv_users_read_container(text, ret);
}

static enum hv_code refuse(
	const struct hv_volume *volume, const struct mc_spot_user *user, struct hv_error *err)
{
	char container[HV_USERS_ID_SIZE], command[MC_COMMAND_SIZE];

	memcpy(command, user->command, sizeof(command));
	for (char *at = command; *at; at++)
		if (*at < ' ' || *at > '~') /* it may call itself anything */
			*at = '?';
	if (user->is_host) {
		hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' cannot be removed: its data is mounted at %s on the host",
			volume->name, user->target);
		return hv_hint(err, "umount %s", user->target);
	}
	if (!find_container(user->pid, container)) {
		hv_fail(err, HV_VOLUME_IN_USE,
			"volume '%s' cannot be removed: process %d (%s) has its data mounted at %s in a mount namespace of its own",
			volume->name, (int)user->pid, command, user->target);
		return hv_hint(err, "nsenter -t %d -m umount %s", (int)user->pid, user->target);
	}
	hv_fail(err, HV_VOLUME_IN_USE,
		"volume '%s' cannot be removed: process %d (%s) of container %.12s has its data mounted at %s",
		volume->name, (int)user->pid, command, container, user->target);
	return hv_hint(err, "stop that container, on the Engine that runs it: docker stop %.12s",
		container);
}

/* Whether the host has the file system that is mounted at `target` only there and in the mount root
 * `own`.  If it is mounted elsewhere too, a process may have its mount from there. */
static bool is_only_at(
	struct mc_mounts *host, uint64_t dev, const char *target, const struct mc_spot *own)
{
	struct mc_mount mount;
	struct mc_spot in;
	char directory[PATH_MAX];

	for (size_t at = 0; mc_mounts_next(host, &at, &mount);) {
		if (mount.dev != dev || strcmp(mount.target, target) == 0)
			continue;
		snprintf(directory, sizeof(directory), "%s", mount.target);
		*strrchr(directory, '/') = '\0';
		if (mc_spot_of(host, directory[0] ? directory : "/", &in) < 0 ||
			!mc_spot_is_below(&in, own))
			return false;
	}
	return true;
}

/* Fills `ret` but for the mount root.  Returns 1, 0 (there is nothing to ask), or an errno. */
static int find_data(struct mc_mounts *host, const struct hv_volume_kind *kind,
	const struct hv_volume *volume, struct question *ret)
{
	char top[PATH_MAX],
		*slash; /* the directory that goes with the data: our own volumes/NAME */
	struct mc_mount mount;
	int rc;

	if ((size_t)snprintf(top, sizeof(top), "%s", volume->source) >= sizeof(top))
		return -ENAMETOOLONG;
	slash = strrchr(top, '/');
	if (kind->own_directory && slash && slash != top)
		*slash = '\0';
	if (!kind->mounted_while_used) {
		rc = mc_spot_of(host, top, &ret->data);
		return rc < 0 ? rc : 1;
	}
	rc = mc_mounts_of(host, volume->source, &mount);
	if (rc < 0 || strcmp(mount.target, volume->source) != 0)
		return rc; /* it is not mounted */
	rc = mc_spot_of(host, volume->source, &ret->data);
	if (rc == 0)
		rc = mc_spot_of(host, top, &ret->own[1]);
	return rc < 0 ? rc : is_only_at(host, ret->data.dev, volume->source, &ret->own[0]);
}

enum hv_code hv_users_check(struct hv_volumes *volumes, const struct hv_volume *volume,
	struct mc_mounts **host, struct hv_error *err)
{
	const struct hv_volume_kind *kind = hv_kind_of(volumes, volume);
	struct question question = {.own = {{0}}};
	struct mc_mounts *own = NULL;
	struct mc_spot_user user;
	int rc;

	if (!kind->mounted_while_used && !hv_purge_is_wanted(volumes, volume))
		return HV_OK; /* nothing is deleted */
	rc = mc_mounts_read(volumes->core, MC_FD_NONE, &own, NULL);
	if (rc == 0)
		rc = mc_spot_of(own, volumes->mount_root, &question.own[0]);
	mc_mounts_free(own);
	if (rc == 0 && !*host)
		rc = mc_mounts_read_host(volumes->core, host);
	if (rc == 0)
		rc = find_data(*host, kind, volume, &question);
	mc_mounts_free(*host); /* not to hold it while all the others are read */
	*host = NULL;
	if (rc > 0)
		rc = mc_spot_find_user(volumes->core, &question.data, question.own,
			kind->mounted_while_used ? 2 : 1, &user);
	if (rc < 0)
		return hv_fail(err, HV_INTERNAL,
			"volume '%s' is not removed: nobody can tell who has its data mounted: %s",
			volume->name, strerrordesc_np(-rc));
	return rc > 0 ? refuse(volume, &user, err) : HV_OK;
}
