#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# inotify: a watch of a cgroup's directory hears nothing when the cgroup is removed, neither IN_DELETE_SELF nor
# IN_IGNORED, on cgroup v1 and v2; only a watch of the parent is told.
#
# Versions: Linux 6.18.
# Expected: IN_DELETE_SELF and then IN_IGNORED, as for a directory of any file system that is removed by rmdir(). The
# watch of the parent gets its IN_DELETE, and the watch of the directory itself is told of new children until then.
# Means: watching a container's cgroup is no way to learn of its end. The watch stays in the inotify instance and
# keeps its place in the limit of watches; a new cgroup of the same name is another directory, of which it hears
# nothing. Watch the parent.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
need_kernel 6.18

compile removed <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(2);
	}
}

/* Print the events that come within half a second. */
static void told(int fd)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"}, {IN_DELETE_SELF, "DELETE_SELF"}, {IN_IGNORED, "IGNORED"}};
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	char buf[4096];
	ssize_t size, at;
	size_t i;
	int any = 0;

	while (poll(&wait, 1, 500) > 0) {
		size = read(fd, buf, sizeof buf);
		check(size < 0, "read");
		for (at = 0; at < size;) {
			struct inotify_event *event = (struct inotify_event *)(buf + at);

			for (i = 0; i < sizeof names / sizeof *names; i++)
				if (event->mask & names[i].bit)
					printf("%s%s", any++ ? " " : "", names[i].name);
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	printf("%s\n", any ? "" : "nothing");
}

/* removed self|parent DIR: watch, make a child in DIR, remove both. */
int main(int argc, char **argv)
{
	char parent[512], child[512];
	int fd, watch;

	check(argc != 3, "usage");
	snprintf(child, sizeof child, "%s/child", argv[2]);
	snprintf(parent, sizeof parent, "%s/..", argv[2]);
	check(mkdir(argv[2], 0755), argv[2]);
	fd = inotify_init1(IN_CLOEXEC);
	watch = inotify_add_watch(fd, strcmp(argv[1], "self") ? parent : argv[2],
				  IN_CREATE | IN_DELETE | IN_DELETE_SELF);
	check(fd < 0 || watch < 0, "inotify");
	check(mkdir(child, 0755) || rmdir(child) || rmdir(argv[2]), "rmdir");
	told(fd);
	return 0;
}
END

mkdir tmpfs v1 v2
mount -t tmpfs none tmpfs
mount -t cgroup2 none v2
group=hostvol-finding-$$
seen "tmpfs, a watch of the directory" "$(./removed self "tmpfs/$group")" "CREATE DELETE DELETE_SELF IGNORED"
seen "cgroup v2, a watch of the directory" "$(./removed self "v2/$group")" "CREATE DELETE"
seen "cgroup v2, a watch of its parent" "$(./removed parent "v2/$group")" "DELETE"
if mount -t cgroup -o "none,name=$group" none v1 2>/dev/null; then
	seen "cgroup v1, a watch of the directory" "$(./removed self "v1/$group")" "CREATE DELETE"
	umount v1
else
	echo '  this kernel has no cgroup v1'
fi
umount v2 tmpfs
end
