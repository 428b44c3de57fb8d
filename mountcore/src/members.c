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

enum { GROUPS_MAX = 64, DEPTH_MAX = 8, LINE_SIZE = PATH_MAX + 128 };

struct visit {
	mc_member_fn visit;
	void *context;
	unsigned left;  /* groups that may still be looked at */
	unsigned depth; /* below the first one */
	pid_t wanted;
	bool is_wanted_there;
};

static int visit_group(struct visit *self, int group);

/* The others of this one. */
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

static int visit_below(struct visit *self, int group)
{
	mc_auto_dir dir = mc_procfs_open(group, ".");
	const struct dirent *entry;
	int rc = 0;

	if (!dir)
		return -errno;
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own */
	while (rc == 0 && (entry = readdir(dir))) {
		mc_auto_fd below = MC_FD_NONE;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = mc_sys_openat(group, entry->d_name, O_RDONLY | O_DIRECTORY);
		if (below != -ENOENT) /* it was removed */
			rc = below < 0 ? below : visit_group(self, below);
	}
	return rc;
}

static int visit_group(struct visit *self, int group)
{
	struct stat stat;
	int rc;

	if (self->left == 0 || self->depth == DEPTH_MAX)
		return -E2BIG;
	self->left--;
	rc = visit_processes(self, group);
	if (rc < 0 || fstat(group, &stat) < 0 || stat.st_nlink <= 2) /* none is below */
		return rc;
	self->depth++;
	rc = visit_below(self, group);
	self->depth--;
	return rc;
}

/* A line "9:name=systemd:/docker/ID": where the hierarchy is usually mounted, and the group in it.
 */
static int open_group(const struct mc_core *core, char *line, const char *v2)
{
	char *rest = line, path[LINE_SIZE + 64];
	const char *number = strsep(&rest, ":"), *hierarchy = strsep(&rest, ":");

	if (!number || !hierarchy || !rest || rest[0] != '/' || !rest[1] || strstr(rest, "/.."))
		return -ENOENT; /* or it is the machine's, or above the daemon's own root of groups
				 */
	if (!*hierarchy)
		hierarchy = v2;
	else if (strncmp(hierarchy, "name=", strlen("name=")) == 0)
		hierarchy += strlen("name=");
	snprintf(path, sizeof(path), "sys/fs/cgroup/%s%s", hierarchy, rest);
	return mc_sys_openat(core->host_root, path, O_RDONLY | O_DIRECTORY);
}

/* As mc_members_visit(), of the hierarchy of this line. */
static int visit_line(const struct mc_core *core, struct visit *self, const char *line)
{
	static const char *const places_of_v2[] = {"", "unified"};
	int rc = -ENOENT;

	for (size_t i = 0; rc == -ENOENT && i < sizeof(places_of_v2) / sizeof(*places_of_v2); i++) {
		char copy[LINE_SIZE];
		mc_auto_fd group = MC_FD_NONE;

		snprintf(copy, sizeof(copy), "%s", line);
		group = open_group(core, copy, places_of_v2[i]);
		rc = group < 0 ? group : visit_group(self, group);
	}
	return rc < 0 || self->is_wanted_there ? rc : -ENOENT;
}

int mc_members_visit(const struct mc_core *core, pid_t pid, mc_member_fn visit, void *context)
{
	struct visit self = {visit, context, GROUPS_MAX, 0, pid, false};
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
