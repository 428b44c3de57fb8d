#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fanotify: a mark of the whole cgroup v2 file system is told that a cgroup.events changed only if somebody has looked
# that file up before; of a file that nobody touched, it hears nothing.
#
# Versions: Linux 6.18 (marks of cgroup file systems by file handle).
# Expected: FAN_MODIFY of each cgroup.events that changes. The mark is on the superblock, not on an inode, and it does
# tell of mkdir(), rmdir() and writes in any cgroup; an inotify watch of the same file is told of each change.
# Means: one mark does not replace a watch for each container. It works in a test that reads the files, and it misses
# events in the field: a stat() of the file beforehand makes the difference, and the kernel may forget the inode
# again when memory is short.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
need_kernel 6.18

compile events <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(2);
	}
}

static union {
	struct file_handle handle;
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
} own;

/* The events of half a second in our cgroup: their number for cgroup.procs and for cgroup.events. */
static void told(int fd, const char *when)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	_Alignas(8) char buf[8192];
	int procs = 0, events = 0;
	ssize_t size, at;

	while (poll(&wait, 1, 500) > 0) {
		size = read(fd, buf, sizeof buf);
		check(size < 0, "read");
		for (at = 0; at < size;) {
			struct fanotify_event_metadata *event = (void *)(buf + at);
			struct fanotify_event_info_fid *fid = (void *)(event + 1);
			struct file_handle *handle = (void *)fid->handle;
			const char *name = (char *)handle->f_handle + handle->handle_bytes;

			at += event->event_len;
			if (handle->handle_bytes != own.handle.handle_bytes ||
			    memcmp(handle->f_handle, own.handle.f_handle, handle->handle_bytes))
				continue;
			procs += strcmp(name, "cgroup.procs") == 0;
			events += strcmp(name, "cgroup.events") == 0;
		}
	}
	printf("%s: cgroup.procs=%d cgroup.events=%d\n", when, procs, events);
}

/* events MOUNT CGROUP [FILE]: a process enters the cgroup and ends in it; FILE is looked up before. */
int main(int argc, char **argv)
{
	struct stat st;
	char path[512];
	FILE *procs;
	int fd, id;
	pid_t pid;

	check(argc < 3 || mkdir(argv[2], 0755), "usage");
	if (argc > 3)
		check(stat(argv[3], &st), argv[3]);
	own.handle.handle_bytes = MAX_HANDLE_SZ;
	check(name_to_handle_at(AT_FDCWD, argv[2], &own.handle, &id, 0), "name_to_handle_at");
	fd = fanotify_init(FAN_REPORT_DFID_NAME | FAN_CLOEXEC, O_RDONLY);
	check(fd < 0 || fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_MODIFY, AT_FDCWD, argv[1]),
	      "fanotify");
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof path, "%s/cgroup.procs", argv[2]);
	procs = fopen(path, "w");
	check(!procs || fprintf(procs, "%d\n", pid) < 0 || fclose(procs), path);
	told(fd, "in");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	told(fd, "out");
	check(rmdir(argv[2]), "rmdir");
	return 0;
}
END

mkdir v2
mount -t cgroup2 none v2
top=v2/hostvol-finding-$$
mkdir "$top"
unseen=$(./events v2 "$top/a")
seen "nobody looked it up" "$(paste -s -d ' ' <<<"$unseen")" \
	"in: cgroup.procs=1 cgroup.events=0 out: cgroup.procs=0 cgroup.events=0"
looked=$(./events v2 "$top/b" "$top/b/cgroup.events")
seen "looked up by stat() before" "$(paste -s -d ' ' <<<"$looked")" \
	"in: cgroup.procs=1 cgroup.events=1 out: cgroup.procs=0 cgroup.events=1"
rmdir "$top"
umount v2
end
