/* SPDX-License-Identifier: Apache-2.0 */
/* The control group of a process, where the host has it mounted: which directory that is,
 * /proc/PID/cgroup tells, a line for each hierarchy.  Any of them will do in which the process is
 * found again. */
#include "members.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "procfs.h"
#include "sys.h"

enum { GROUPS_MAX = 64, LINE_SIZE = PATH_MAX + 128 };

struct visit {
	mc_member_fn visit;
	void *context;
	pid_t wanted;
	const char *name; /* of the group, a part */
	bool is_wanted_there;
	int groups[GROUPS_MAX]; /* their directories */
	unsigned count;
};

static void close_groups(struct visit *self)
{
	while (self->count > 0)
		mc_close_fd(&self->groups[--self->count]);
}

static int visit_processes(struct visit *self, int group)
{
	int pid, rc;
	mc_auto_file stream = mc_procfs_stream(mc_sys_openat(group, "cgroup.procs", O_RDONLY), &rc);

	if (!stream)
		return rc;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
	while (fscanf(stream, "%d", &pid) == 1) {
		self->is_wanted_there |= pid == self->wanted;
		if (pid > 0) /* 0: of another process namespace */
			self->visit(self->context, pid);
	}
	return ferror(stream) ? -EIO : 0; /* as of one whose members are threads */
}

static int add_group(struct visit *self, int dirfd, const char *name)
{
	int fd;

	if (self->count == GROUPS_MAX)
		return -E2BIG;
	fd = mc_sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	self->groups[self->count++] = fd;
	return 0;
}

static int add_groups_below(struct visit *self, int group)
{
	mc_auto_dir dir = NULL;
	const struct dirent *entry;
	struct stat stat;
	int rc = 0;

	if (fstat(group, &stat) == 0 && stat.st_nlink <= 2)
		return 0;
	dir = mc_procfs_open(group, ".");
	if (!dir)
		return -errno;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while ((rc == 0 || rc == -ENOENT) && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0)
			rc = add_group(self, group, entry->d_name);
	return rc == -ENOENT ? 0 : rc;
}

static int visit_groups(struct visit *self)
{
	int rc = 0;

	self->is_wanted_there = false;
	for (unsigned i = 0; rc == 0 && i < self->count; i++) {
		rc = visit_processes(self, self->groups[i]);
		if (rc == 0)
			rc = add_groups_below(self, self->groups[i]);
	}
	close_groups(self);
	return rc;
}

/* Cut the path behind the first component that has the name in it. */
static bool cut(char *path, const char *name)
{
	char *at = strstr(path, name), *end = at ? strchr(at, '/') : NULL;

	if (end)
		*end = '\0';
	return at && !strstr(path, "/.."); /* else it is above the daemon's own root of groups */
}

/* A line "9:name=systemd:/docker/ID": where the hierarchy is usually mounted, and the group in it.
 */
static int add_first(const struct mc_core *core, struct visit *self, char *line, const char *v2)
{
	char *rest = line, path[LINE_SIZE + 64];
	const char *number = strsep(&rest, ":"), *hierarchy = strsep(&rest, ":");

	if (!number || !hierarchy || !rest || rest[0] != '/' || !cut(rest, self->name))
		return -ENOENT;
	if (!*hierarchy)
		hierarchy = v2;
	else if (strncmp(hierarchy, "name=", strlen("name=")) == 0)
		hierarchy += strlen("name=");
	snprintf(path, sizeof(path), "sys/fs/cgroup/%s%s", hierarchy, rest);
	return add_group(self, core->host_root, path);
}

/* As mc_members_visit(), of the hierarchy of this line. */
static int visit_line(const struct mc_core *core, struct visit *self, const char *line)
{
	static const char *const places_of_v2[] = {"", "unified"};
	int rc = -ENOENT;

	for (size_t i = 0; rc == -ENOENT && i < sizeof(places_of_v2) / sizeof(*places_of_v2); i++) {
		char copy[LINE_SIZE];

		snprintf(copy, sizeof(copy), "%s", line);
		rc = add_first(core, self, copy, places_of_v2[i]);
		if (rc == 0)
			rc = visit_groups(self);
	}
	return rc < 0 || self->is_wanted_there ? rc : -ENOENT;
}

int mc_members_visit(
	const struct mc_core *core, pid_t pid, const char *group, mc_member_fn visit, void *context)
{
	struct visit self = {.visit = visit, .context = context, .wanted = pid, .name = group};
	char line[LINE_SIZE];
	int rc;
	mc_auto_file stream =
		mc_procfs_stream(mc_procfs_open_of(core, pid, "cgroup", O_RDONLY), &rc);

	if (!stream)
		return rc;
	rc = -ENOENT;
	while (rc == -ENOENT && fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		rc = visit_line(core, &self, line);
	}
	return rc;
}
