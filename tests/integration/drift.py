#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# drift.py PID ACTION PATH [SECONDS]: mount in the namespace of a container's process, and stay for a while, so that
# the name of this process can be read.
#   umount, cover  take out the mount at PATH; mount a tmpfs there
#   storm          at PATH more than 32000 mounts come and go
import ctypes
import os
import sys
import time

MS_BIND, MS_REC, MNT_DETACH = 4096, 16384, 2
DOUBLINGS = 15  # of a tree
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def mount(source, target, kind, flags):
    check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, None))


def umount(path, flags=0):
    check(libc.umount2(path.encode(), flags))


def storm(path):
    mount("storm", path, "tmpfs", 0)
    for i in range(DOUBLINGS):
        os.mkdir(f"{path}/{i}")
    for i in range(DOUBLINGS):
        mount(path, f"{path}/{i}", "", MS_BIND | MS_REC)
    umount(path, MNT_DETACH)


def main():
    pid, action, path = sys.argv[1:4]
    namespace = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
    check(libc.setns(namespace, 0))
    os.close(namespace)
    if action == "umount":
        umount(path)
    elif action == "cover":
        mount("over", path, "tmpfs", 0)
    elif action == "storm":
        storm(path)
        sys.exit(0)
    os.chdir("/")
    time.sleep(float(sys.argv[4]) if len(sys.argv) > 4 else 1)


main()
