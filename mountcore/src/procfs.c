/* SPDX-License-Identifier: Apache-2.0 */
#include "procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "mountcore/cleanup.h"

#include "core.h"
#include "sys.h"

void mc_close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

DIR *mc_procfs_open(int dirfd, const char *name)
{
	int fd = mc_sys_openat(dirfd, name, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		mc_close_fd(&fd);
	return dir;
}

int mc_procfs_open_of(const struct mc_core *core, pid_t pid, const char *name, int flags)
{
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = mc_sys_openat(core->proc, path, flags);
	return fd == -ENOENT ? -ESRCH : fd;
}

FILE *mc_procfs_stream(int fd, int *ret_rc)
{
	mc_sys_auto_fd own = fd;
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "re");

	*ret_rc = fd < 0 ? fd : -ENOMEM;
	if (stream)
		mc_take_fd(&own);
	return stream;
}

bool mc_procfs_is_process(const char *name)
{
	return *name && name[strspn(name, "0123456789")] == '\0';
}

void mc_procfs_command(int dirfd, const char *comm, char ret[static MC_COMMAND_SIZE])
{
	mc_auto_fd fd = mc_sys_openat(dirfd, comm, O_RDONLY);
	ssize_t size = fd < 0 ? 0 : read(fd, ret, MC_COMMAND_SIZE - 1);

	if (size > 0 && ret[size - 1] == '\n')
		size--;
	ret[size > 0 ? size : 0] = '\0';
}
