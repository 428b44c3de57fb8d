#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# To mount on a directory of a lazily unmounted file system fails with ENOENT, although the directory is there:
# openat(), mkdirat() and renameat() through the same descriptor work on it.
#
# Versions: Linux 6.18.
# Expected: EINVAL, which open_tree(OPEN_TREE_CLONE) gives for the same directory, and which move_mount() has for a
# mount that is not of the caller's mount namespace. ENOENT is said to mean that a path has no such file.
# Means: a program that keeps a descriptor of a directory, mounts below it later and answers ENOENT by creating the
# mountpoint, goes round in circles: mkdir says EEXIST, the mount says ENOENT. ENOENT of a mount can mean that the
# file system of the target was unmounted.
# shellcheck source=findings/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

begin --mount
need_kernel 6.18

compile lazy <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(2);
	}
}

static void say(const char *what, int ret)
{
	printf("%s: %s\n", what, ret < 0 ? strerrorname_np(errno) : "ok");
}

int main(void)
{
	int dir, context, tree;
	char path[64];

	check(mkdir("p", 0700) || mount("x", "p", "tmpfs", 0, NULL) || mkdir("p/target", 0700), "p");
	dir = open("p", O_RDONLY | O_DIRECTORY);
	context = fsopen("tmpfs", 0);
	check(dir < 0 || context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), "fsopen");
	tree = fsmount(context, 0, 0);
	check(tree < 0 || umount2("p", MNT_DETACH), "umount");
	snprintf(path, sizeof path, "/proc/self/fd/%d/target", dir);

	say("openat", openat(dir, "target", O_RDONLY | O_DIRECTORY));
	say("mkdirat", mkdirat(dir, "target", 0700));
	say("renameat there and back", renameat(dir, "target", dir, "x") | renameat(dir, "x", dir, "target"));
	say("open_tree", open_tree(dir, "target", OPEN_TREE_CLONE));
	say("move_mount", move_mount(tree, "", dir, "target", MOVE_MOUNT_F_EMPTY_PATH));
	say("mount", mount("x", path, "tmpfs", 0, NULL));
	say("mount, bind", mount("/", path, NULL, MS_BIND, NULL));
	return 0;
}
END

./lazy >result
result() { sed -n "s/^$1: //p" result; }
seen "openat" "$(result openat)" ok
seen "mkdirat" "$(result mkdirat)" EEXIST
seen "renameat there and back" "$(result 'renameat there and back')" ok
seen "open_tree, OPEN_TREE_CLONE" "$(result open_tree)" EINVAL
seen "move_mount to it" "$(result move_mount)" ENOENT
seen "mount on it" "$(result mount)" ENOENT
seen "bind mount on it" "$(result 'mount, bind')" ENOENT
end
