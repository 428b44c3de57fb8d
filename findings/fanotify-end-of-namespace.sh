#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A fanotify mark on a mount namespace tells the end of the namespace: FAN_MNT_DETACH for each mount that was left in
# it, parents first, although neither the mark nor anything else of the group's owner keeps the namespace. The first
# is of a mount that no process in the namespace could see: the file system below the root.
#
# Versions: Linux 6.18 (marks of mount namespaces exist since 6.14).
# Expected: silence. The namespace is named by a descriptor that is closed after fanotify_mark(), its last process is
# gone, nobody calls umount() or can look into the namespace any more, and the mark goes together with its object. A
# watched inode that is deleted, too, is told by its own kind of event (FAN_DELETE_SELF), which has no like here.
# Means: one descriptor is enough to learn that a namespace has ended, but a reader cannot tell the end from an
# unmount of everything: the events carry mount IDs that nothing resolves any more. A namespace with many mounts sends
# that many events at once.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
need_kernel 6.18

compile watch <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_MNT 0x4000u
#define MARK_MNTNS 0x110u
#define EVENT_ATTACH 0x01000000ull
#define EVENT_DETACH 0x02000000ull

struct mnt_event {
	struct fanotify_event_metadata head;
	struct fanotify_event_info_header info;
	__u64 id;
};

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(2);
	}
}

static __u64 mount_id(const char *path)
{
	__u64 buf[32];

	check(syscall(SYS_statx, AT_FDCWD, path, 0, 0x4000, buf) != 0, "statx"); /* STATX_MNT_ID_UNIQUE */
	return buf[18];
}

/* Leaves three mounts in a namespace of its own: p, p/a and p/a/b; the rest of the tree is detached first. */
static void child(int ready, int go)
{
	__u64 ids[3];
	char byte;

	check(unshare(CLONE_NEWNS) != 0, "unshare");
	check(mkdir("p", 0700) || mount("x", "p", "tmpfs", 0, NULL), "mount p");
	check(chdir("p") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"), "pivot");
	check(mkdir("a", 0700) || mount("x", "a", "tmpfs", 0, NULL), "mount a");
	check(mkdir("a/b", 0700) || mount("x", "a/b", "tmpfs", 0, NULL), "mount b");
	ids[0] = mount_id("/");
	ids[1] = mount_id("/a");
	ids[2] = mount_id("/a/b");
	check(write(ready, ids, sizeof ids) != sizeof ids || read(go, &byte, 1) != 1, "pipe");
	_exit(0);
}

int main(void)
{
	int ready[2], go[2], ns, group, i, status;
	char path[64], buf[4096];
	struct pollfd wait;
	__u64 ids[3];
	ssize_t size, at;
	pid_t pid;

	check(pipe(ready) || pipe(go), "pipe");
	pid = fork();
	if (pid == 0)
		child(ready[1], go[0]);
	check(pid < 0 || read(ready[0], ids, sizeof ids) != sizeof ids, "child");
	snprintf(path, sizeof path, "/proc/%d/ns/mnt", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	group = (int)syscall(SYS_fanotify_init, REPORT_MNT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
	check(ns < 0 || group < 0, "fanotify_init");
	check(syscall(SYS_fanotify_mark, group, FAN_MARK_ADD | MARK_MNTNS, EVENT_ATTACH | EVENT_DETACH, ns, NULL) != 0,
	      "fanotify_mark");
	close(ns);
	wait = (struct pollfd){.fd = group, .events = POLLIN};
	printf("while it lives: %s\n", poll(&wait, 1, 200) ? "events" : "nothing");
	check(write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid, "end");
	printf("after its end:");
	if (poll(&wait, 1, 5000) == 0)
		printf(" nothing");
	while ((size = read(group, buf, sizeof buf)) > 0)
		for (at = 0; at < size; at += ((struct mnt_event *)(buf + at))->head.event_len) {
			struct mnt_event *event = (struct mnt_event *)(buf + at);

			for (i = 0; i < 3 && ids[i] != event->id; i++)
				;
			printf(" %s=%s", i == 0 ? "/" : i == 1 ? "/a" : i == 2 ? "/a/b" : "unknown",
			       event->head.mask == EVENT_DETACH ? "DETACH" : "another event");
		}
	printf("\n");
	return 0;
}
END

result=$(./watch)
seen "while a process is in it" "$(sed -n 1p <<<"$result")" "while it lives: nothing"
seen "its last process ends" "$(sed -n 2p <<<"$result")" "after its end: unknown=DETACH /=DETACH /a=DETACH /a/b=DETACH"
end
