/* SPDX-License-Identifier: Apache-2.0 */
#include "start/first.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountcore/cleanup.h"

enum {
	CHILDREN_SIZE = 64, /* room for more than one PID */
	THREADS_SIZE = 2048,
};

/* Those of one thread, in `ret`: the only one so far, or -ESRCH when there are several. */
static int add_children(int tasks, const char *thread, pid_t *ret)
{
	char path[32 + sizeof(((struct dirent64 *)0)->d_name)], text[CHILDREN_SIZE], *end;
	mc_auto_fd fd = MC_FD_NONE;
	ssize_t size;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/children", thread);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (size < 0)
		return errno == ESRCH ? 0 : -errno; /* the thread has ended */
	text[size] = '\0';
	pid = (pid_t)strtol(text, &end, 10);
	if (end == text)
		return 0;
	if (*ret > 0 || strtol(end, NULL, 10) > 0)
		return -ESRCH;
	*ret = pid;
	return 0;
}

/* readdir(3) asks for 32 KB, each time. */
static int add_threads(int tasks, pid_t *ret)
{
	_Alignas(struct dirent64) char buffer[THREADS_SIZE];
	ssize_t size;
	int rc = 0;

	while (rc == 0 && (size = getdents64(tasks, buffer, sizeof(buffer))) > 0) {
		for (const char *at = buffer; rc == 0 && at < buffer + size;) {
			const struct dirent64 *entry = (const void *)at;

			if (entry->d_name[0] != '.')
				rc = add_children(tasks, entry->d_name, ret);
			at += entry->d_reclen;
		}
	}
	return rc < 0 || size == 0 ? rc : -errno;
}

static ino_t namespace_of(pid_t pid)
{
	char path[32];
	struct stat stat_of_it;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	return stat(path, &stat_of_it) < 0 ? 0 : stat_of_it.st_ino;
}

/* runc 1.3.2 to 1.4.0 write the state once before there is anything of the container. */
static bool has_own_namespace(pid_t runtime, pid_t first)
{
	ino_t theirs = namespace_of(runtime), its = namespace_of(first);

	return theirs > 0 && its > 0 && theirs != its;
}

pid_t hv_first_find(pid_t runtime)
{
	char path[32];
	mc_auto_fd tasks = MC_FD_NONE;
	pid_t first = 0;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)runtime);
	tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tasks < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	rc = add_threads(tasks, &first);
	if (rc < 0)
		return rc;
	return first != 0 && has_own_namespace(runtime, first) ? first : -ESRCH;
}
