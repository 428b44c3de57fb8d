/* SPDX-License-Identifier: Apache-2.0 */
/* The users of a mount.
 *
 * Found by the links of each process in our own /proc (cwd, root, fd/N, map_files/A-B): statx of
 * such a link gives the mount ID of its target, in whatever namespace that is. */
#include "busy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"
#include "mountcore/path.h"

#include "core.h"
#include "members.h"
#include "procfs.h"
#include "sys.h"
#include "walk.h"

struct search {
	const struct mc_core *core;
	uint64_t ns_ino;
	const uint64_t *ids;
	size_t id_count;
	const char *below; /* NULL: anywhere on the mounts */
	unsigned *left;    /* how many open files may still be looked at */
};

const char *mc_busy_why_name(enum mc_busy_why why)
{
	static const char *const names[] = {"cwd", "root", "open file", "mapping"};

	return (unsigned)why < sizeof(names) / sizeof(names[0]) ? names[why] : "unknown";
}

/* The mount (mountinfo's number) that what the link stands for is on. */
static int mount_of(const struct mc_core *core, int dirfd, const char *link, uint64_t *ret)
{
	struct statx stat;
	mc_auto_fd fd = MC_FD_NONE;
	int rc;

	if (core->features & MC_FEATURE_MOUNT_ID) {
		rc = mc_sys_statx(
			dirfd, link, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &stat);
		*ret = stat.stx_mnt_id;
		return rc;
	}
	fd = mc_sys_openat(dirfd, link, O_PATH);
	return fd < 0 ? fd : mc_fd_mount(core, fd, ret);
}

/* By the link's text, which the kernel has without asking the file system. */
static bool is_below(const char *below, int dirfd, const char *link)
{
	char path[PATH_MAX];
	ssize_t size = mc_sys_readlinkat(dirfd, link, path, sizeof(path) - 1);

	if (size < 0)
		return false;
	path[size] = '\0';
	return path[0] == '/' && mc_path_is_below(path, below);
}

/* Whether what the link stands for is on one of the mounts. */
static bool is_on(const struct search *search, int dirfd, const char *link)
{
	uint64_t id;

	if (search->below && !is_below(search->below, dirfd, link))
		return false;
	if (search->below && search->id_count == 0)
		return true;
	if (mount_of(search->core, dirfd, link, &id) < 0)
		return false;
	for (size_t i = 0; i < search->id_count; i++)
		if (id == search->ids[i])
			return true;
	return false;
}

static bool any_on(const struct search *search, int process, const char *name)
{
	mc_auto_dir dir = mc_procfs_open(process, name);
	const struct dirent *entry;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (dir && *search->left > 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (*search->left)-- > 0 &&
			is_on(search, dirfd(dir), entry->d_name))
			return true;
	return false;
}

static bool uses(const struct search *search, int process, enum mc_busy_why *ret)
{
	if (is_on(search, process, "cwd"))
		*ret = MC_BUSY_CWD;
	else if (is_on(search, process, "root"))
		*ret = MC_BUSY_ROOT;
	else if (any_on(search, process, "fd"))
		*ret = MC_BUSY_FILE;
	else if (!search->below && any_on(search, process, "map_files"))
		*ret = MC_BUSY_MAPPING;
	else
		return false;
	return true;
}

/* One call for each process: of the machine's, most are in another. */
static bool is_in_namespace(const struct search *search, int proc, const char *pid)
{
	struct statx stat;
	char name[32];

	snprintf(name, sizeof(name), "%.20s/ns/mnt", pid);
	return mc_sys_statx(proc, name, 0, STATX_INO, &stat) == 0 && stat.stx_ino == search->ns_ino;
}

static bool is_known(const struct mc_busy *found, pid_t pid)
{
	for (unsigned i = 0; i < found->count; i++)
		if (found->entries[i].pid == pid)
			return true;
	return false;
}

static void look_at(const struct search *search, int proc, const char *name, struct mc_busy *ret)
{
	struct mc_busy_entry *entry = &ret->entries[ret->count];
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	mc_auto_fd process = !is_known(ret, pid) && is_in_namespace(search, proc, name)
				     ? mc_sys_openat(proc, name, O_RDONLY | O_DIRECTORY)
				     : MC_FD_NONE;

	if (process < 0 || !uses(search, process, &entry->why))
		return;
	entry->pid = pid;
	mc_procfs_command(process, "comm", entry->command);
	ret->count++;
}

static int find(const struct search *search, struct mc_busy *ret)
{
	mc_auto_dir proc = mc_procfs_open(search->core->proc, ".");
	const struct dirent *entry;

	ret->count = 0;
	if (!proc)
		return -errno;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (ret->count < MC_BUSY_MAX && (entry = readdir(proc)))
		if (mc_procfs_is_process(entry->d_name))
			look_at(search, dirfd(proc), entry->d_name, ret);
	return 0;
}

int mc_busy_find(const struct mc_core *core, uint64_t ns_ino, const uint64_t *ids, size_t id_count,
	struct mc_busy *ret)
{
	unsigned left = UINT_MAX;

	return find(&(struct search){core, ns_ino, ids, id_count, NULL, &left}, ret);
}

int mc_busy_find_below(const struct mc_core *core, uint64_t ns_ino, const char *path,
	const uint64_t *ids, size_t id_count, struct mc_busy *ret)
{
	unsigned left = MC_BUSY_FILES_MAX;

	return find(&(struct search){core, ns_ino, ids, id_count, path, &left}, ret);
}

struct members {
	const struct search *search;
	struct mc_busy *ret;
};

static void look_at_member(void *context, pid_t pid)
{
	const struct members *self = context;
	char name[16];

	snprintf(name, sizeof(name), "%d", (int)pid);
	if (self->ret->count < MC_BUSY_MAX)
		look_at(self->search, self->search->core->proc, name, self->ret);
}

int mc_busy_find_users(
	const struct mc_attach *attach, const uint64_t *ids, size_t id_count, struct mc_busy *ret)
{
	const struct mc_place *place = &attach->place;
	unsigned left = MC_BUSY_FILES_MAX;
	const struct search search = {
		attach->core, place->key, ids, id_count, attach->info.path, &left};
	struct members members = {&search, ret};

	ret->count = 0;
	if (attach->group[0] && place->pid > 0 && place->pid <= INT32_MAX &&
		mc_members_visit(attach->core, (pid_t)place->pid, attach->group, look_at_member,
			&members) == 0)
		return 0;
	left = MC_BUSY_FILES_MAX;
	return find(&search, ret);
}

int mc_busy_cwd(const struct mc_core *core, pid_t pid, const char *path, uint64_t *ret)
{
	mc_auto_fd process = mc_procfs_open_of(core, pid, "", O_RDONLY | O_DIRECTORY);
	int rc;

	if (process < 0)
		return process;
	if (!is_below(path, process, "cwd"))
		return 0;
	rc = mount_of(core, process, "cwd", ret);
	return rc < 0 ? rc : 1;
}
