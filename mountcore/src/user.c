/* SPDX-License-Identifier: Apache-2.0 */
#include "mountcore/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "idmap.h"
#include "procfs.h"
#include "sys.h"

/* Of a number that is none here.  Source: user_namespaces(7), /proc/sys/kernel/overflowuid. */
enum { OVERFLOW_ID = 65534, LINE_SIZE = 4096 };

static int open_process(const struct mc_core *core, pid_t pid)
{
	return mc_procfs_open_of(core, pid, "", O_RDONLY | O_DIRECTORY);
}

/* The map of a process in another user namespace; `ret_is_own`: it is in ours, and there is nothing
 * to translate. */
static int read_map(const struct mc_core *core, int process, const char *name, struct mc_idmap *ret,
	bool *ret_is_own)
{
	struct stat is;

	if (fstatat(process, "ns/user", &is, 0) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*ret_is_own = is.st_ino == core->user_ino;
	return *ret_is_own ? 0 : mc_idmap_read(process, name, ret);
}

static int translate(
	const struct mc_core *core, int process, const char *name, uint32_t *ids, unsigned count)
{
	mc_auto_free struct mc_idmap *map = malloc(sizeof(*map));
	bool is_own = false;
	int rc = map ? read_map(core, process, name, map, &is_own) : -ENOMEM;

	if (rc < 0 || is_own)
		return rc;
	for (unsigned i = 0; i < count; i++)
		if (mc_idmap_find_inner(map, ids[i], &ids[i]) < 0)
			ids[i] = OVERFLOW_ID;
	return 0;
}

/* The second number of "Uid:\treal\teffective\tsaved\tfs". */
static bool read_effective(const char *line, const char *key, uint32_t *ret)
{
	size_t length = strlen(key);
	unsigned id;

	if (strncmp(line, key, length) != 0)
		return false;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	if (sscanf(line + length, "%*u %u", &id) != 1)
		return false;
	*ret = id;
	return true;
}

static void read_groups(const char *line, struct mc_user *user)
{
	char *end;

	if (strncmp(line, "Groups:", strlen("Groups:")) != 0)
		return;
	line += strlen("Groups:");
	while (user->group_count < MC_USER_GROUPS_MAX) {
		unsigned long id = strtoul(line, &end, 10);

		if (end == line)
			return;
		user->groups[user->group_count++] = (uint32_t)id;
		line = end;
	}
}

static int read_status(int process, struct mc_user *user)
{
	char line[LINE_SIZE];
	bool has_user = false;
	int rc;
	mc_auto_file stream = mc_procfs_stream(mc_sys_openat(process, "status", O_RDONLY), &rc);

	if (!stream)
		return rc;
	user->group_count = 0;
	while (fgets(line, sizeof(line), stream)) { /* in this order */
		has_user |= read_effective(line, "Uid:", &user->uid);
		if (read_effective(line, "Gid:", &user->groups[0]))
			user->group_count = 1;
		if (user->group_count == 1)
			read_groups(line, user);
	}
	return has_user && user->group_count > 0 ? 0 : -EINVAL;
}

int mc_user_of(const struct mc_core *core, pid_t pid, struct mc_user *ret)
{
	struct mc_user user = {0};
	mc_auto_fd process = open_process(core, pid);
	int rc = process < 0 ? process : read_status(process, &user);

	if (rc == 0)
		rc = translate(core, process, "uid_map", &user.uid, 1);
	if (rc == 0)
		rc = translate(core, process, "gid_map", user.groups, user.group_count);
	if (rc == 0)
		*ret = user;
	return rc;
}

int mc_user_numbers(const struct mc_core *core, pid_t pid, uint32_t *uid, uint32_t *gid)
{
	mc_auto_fd process = open_process(core, pid);
	int rc = process < 0 ? process : translate(core, process, "uid_map", uid, 1);

	return rc < 0 ? rc : translate(core, process, "gid_map", gid, 1);
}
