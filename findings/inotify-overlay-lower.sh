#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# inotify: a watch of an overlay's lower directory is told of each open and read that goes through the overlay, and a
# watch of the upper directory of each write.
#
# Versions: Linux 6.18.
# Expected: silence. inotify watches inodes; the process opens the overlay's inode, and the file below it is
# opened by the kernel for itself. It is known that the reverse is so: the overlay's watches are not told of
# changes that are made in the lower or upper directory.
# Means: a watch or a fanotify mark on a disk that holds image layers sees what containers read and write, with the names
# of the layers. An unlink in the overlay is told there as MOVED_TO of the whiteout, not as CREATE; a watcher that counts
# accesses counts those of the overlay twice.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
need_kernel 6.18

compile told <<'END'
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* told DIR COMMAND: the events of DIR while a shell runs COMMAND. */
int main(int argc, char **argv)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {{IN_OPEN, "OPEN"},       {IN_ACCESS, "ACCESS"},     {IN_MODIFY, "MODIFY"},
		     {IN_CREATE, "CREATE"},   {IN_MOVED_TO, "MOVED_TO"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"},
		     {IN_DELETE, "DELETE"}};
	const uint32_t mask = IN_OPEN | IN_ACCESS | IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE;
	struct pollfd wait = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
	_Alignas(8) char buf[4096];
	uint32_t seen = 0;
	ssize_t size, at;
	size_t i;
	int any = 0;

	if (argc != 3 || inotify_add_watch(wait.fd, argv[1], mask) < 0 || system(argv[2]) != 0)
		return 2;
	while (poll(&wait, 1, 200) > 0) {
		size = read(wait.fd, buf, sizeof buf);
		for (at = 0; at < size;) {
			struct inotify_event *event = (void *)(buf + at);

			if (!(event->mask & IN_ISDIR))
				seen |= event->mask;
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (seen & names[i].bit)
			printf("%s%s", any++ ? " " : "", names[i].name);
	printf("%s\n", any ? "" : "nothing");
	return 0;
}
END

mkdir base
mount -t tmpfs none base
mkdir base/{lower,upper,work,merged}
echo text >base/lower/file
echo text >base/lower/other
mount -t overlay none base/merged -o lowerdir=base/lower,upperdir=base/upper,workdir=base/work
seen "lower: read through the overlay" "$(./told base/lower 'cat base/merged/file >/dev/null')" "OPEN ACCESS"
seen "upper: a new file in the overlay" "$(./told base/upper 'echo text >base/merged/new')" \
	"OPEN MODIFY CREATE CLOSE_WRITE"
seen "upper: a write to it" "$(./told base/upper 'echo more >>base/merged/new')" "OPEN MODIFY CLOSE_WRITE"
seen "upper: unlink of a file of lower" "$(./told base/upper 'rm base/merged/other')" "MOVED_TO"
seen "overlay: a write in upper" "$(./told base/merged 'echo more >>base/upper/new')" "nothing"
umount base/merged base
end
