/* SPDX-License-Identifier: Apache-2.0 */
/* For each started container, prints when a mount appears at a path: microseconds of
 * CLOCK_REALTIME, and the container's ID.
 *
 * The arguments are the directory in which containerd keeps a bundle for each container, and the
 * path.  The runtime writes the first process's number to "init.pid" in the bundle when the
 * container is set up; poll(2) reports changes of that process's mount table.  The runtime's own
 * files are not opened here, because hostvol waits for opens of them. */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

enum { CONTAINERS_MAX = 256, TABLE_SIZE = 1 << 20 };

/* Slot 0 is the directory's inotify; the others are open mount tables. */
static struct pollfd polled[CONTAINERS_MAX];
static char ids[CONTAINERS_MAX][NAME_MAX + 1];
static char table[TABLE_SIZE];

/* Of the inotify's watches, by their number: those of bundles. */
static char bundles[1 << 16][NAME_MAX + 1];

static void tell_if_mounted(struct pollfd *at, const char *target)
{
	char column[PATH_MAX];
	struct timespec now;
	size_t used = 0;
	ssize_t size;

	lseek(at->fd, 0, SEEK_SET);
	while ((size = read(at->fd, table + used, sizeof(table) - 1 - used)) > 0)
		used += (size_t)size;
	table[used] = '\0';
	snprintf(column, sizeof(column), " %s ", target);
	if (!strstr(table, column))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld %s\n", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, ids[at - polled]);
	fflush(stdout);
	close(at->fd);
	at->fd = -1;
}

static void follow(const char *directory, const char *id, const char *target)
{
	char path[PATH_MAX], number[16] = "";
	int slot = 1, fd;

	snprintf(path, sizeof(path), "%s/%s/init.pid", directory, id);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, number, sizeof(number) - 1) <= 0)
		return;
	close(fd);
	while (slot < CONTAINERS_MAX && polled[slot].fd >= 0 && strcmp(ids[slot], id) != 0)
		slot++;
	if (slot == CONTAINERS_MAX)
		exit(EXIT_FAILURE);
	if (polled[slot].fd >= 0) /* of an earlier start, or told twice */
		close(polled[slot].fd);
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", atoi(number));
	snprintf(ids[slot], sizeof(ids[slot]), "%s", id);
	polled[slot].fd = open(path, O_RDONLY | O_CLOEXEC);
	if (polled[slot].fd >= 0)
		tell_if_mounted(&polled[slot], target);
}

static void take_changes(const char *directory, const char *target)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	char path[PATH_MAX];
	ssize_t size = read(polled[0].fd, buffer, sizeof(buffer));
	struct inotify_event *event = (void *)buffer;

	for (char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
		int watch;

		event = (void *)at;
		if (event->wd == 1 && event->mask & IN_CREATE) {
			snprintf(path, sizeof(path), "%s/%s", directory, event->name);
			watch = inotify_add_watch(polled[0].fd, path, IN_MOVED_TO);
			if (watch < 0 || watch >= (int)(sizeof(bundles) / sizeof(bundles[0])))
				continue;
			snprintf(bundles[watch], sizeof(bundles[watch]), "%s", event->name);
			follow(directory, event->name, target);
		} else if (event->mask & IN_MOVED_TO && strcmp(event->name, "init.pid") == 0) {
			follow(directory, bundles[event->wd], target);
		}
	}
}

int main(int argc, char **argv)
{
	for (int slot = 0; slot < CONTAINERS_MAX; slot++)
		polled[slot] = (struct pollfd){.fd = -1, .events = POLLPRI};
	polled[0] = (struct pollfd){.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
	if (argc != 3 || inotify_add_watch(polled[0].fd, argv[1], IN_CREATE) != 1)
		return EXIT_FAILURE;
	for (;;) {
		poll(polled, CONTAINERS_MAX, -1);
		for (int slot = 1; slot < CONTAINERS_MAX; slot++)
			if (polled[slot].fd >= 0 && polled[slot].revents)
				tell_if_mounted(&polled[slot], argv[2]);
		if (polled[0].revents)
			take_changes(argv[1], argv[2]);
	}
}
