/* SPDX-License-Identifier: Apache-2.0 */
/* villain COMMAND ARGUMENT…: works against hostvol at full speed, in a container or on a source,
 * until it is killed.
 *
 *   swap DIR LINK PLACE…      exchange the two names; LINK leads to one PLACE after the other
 *   rename DIR NAME           create, rename and delete DIR/NAME, and rename DIR
 *   cover DIR                 mount a tmpfs over it and unmount it
 *   mounts COUNT DIR PID      that many mounts below DIR, in the mount namespace of PID; ends then
 *   silent DIR PID            a FUSE server at DIR, in the mount namespace of PID, that never
 *                             answers */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "villain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNS) < 0)
		fail(path);
	close(fd);
}

static void swap(char **names, char **places)
{
	char **place = places;

	mkdir(names[0], 0755);
	if (symlink(*place, names[1]) < 0 && errno != EEXIST)
		fail(names[1]);
	for (unsigned round = 1;; round++) {
		if (renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) < 0)
			fail("renameat2");
		if (round % 16)
			continue;
		/* An even round: the names are what they were at first. */
		place = place[1] ? place + 1 : places;
		if (unlink(names[1]) < 0 || symlink(*place, names[1]) < 0)
			fail(names[1]);
	}
}

static void rename_and_remove(const char *dir, const char *name)
{
	char path[256], other[256], moved[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(other, sizeof(other), "%s/other", dir);
	snprintf(moved, sizeof(moved), "%s.moved", dir);
	mkdir(dir, 0755);
	for (unsigned round = 0;; round++) {
		mkdir(path, 0755);
		rename(path, other);
		rmdir(other);
		if (round % 2 == 0)
			continue;
		rename(dir, moved);
		rename(moved, dir);
	}
}

static void cover(const char *dir)
{
	mkdir(dir, 0755);
	for (;;) {
		mount("villain", dir, "tmpfs", 0, NULL);
		umount2(dir, MNT_DETACH);
	}
}

static void mounts(unsigned count, const char *dir, const char *pid)
{
	char path[256];

	enter(pid);
	mkdir(dir, 0755);
	if (mount("villain", dir, "tmpfs", 0, NULL) < 0)
		fail(dir);
	for (unsigned i = 1; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%u", dir, i);
		if (mkdir(path, 0755) < 0 || mount(dir, path, NULL, MS_BIND, NULL) < 0)
			fail(path);
	}
}

static void silent(const char *dir, const char *pid)
{
	char options[96];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/fuse");
	enter(pid);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("villain", dir, "fuse", 0, options) < 0)
		fail(dir);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (strcmp(command, "swap") == 0 && argc > 4)
		swap(argv + 2, argv + 4);
	else if (strcmp(command, "rename") == 0 && argc == 4)
		rename_and_remove(argv[2], argv[3]);
	else if (strcmp(command, "cover") == 0 && argc == 3)
		cover(argv[2]);
	else if (strcmp(command, "mounts") == 0 && argc == 5)
		mounts((unsigned)strtoul(argv[2], NULL, 10), argv[3], argv[4]);
	else if (strcmp(command, "silent") == 0 && argc == 4)
		silent(argv[2], argv[3]);
	else
		return 2;
	return 0;
}
