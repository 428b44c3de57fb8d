#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# drift.py SOCKET CONTAINER PID SOURCE ROUNDS: unmount an attachment in the container, again and again, and print how
# long after the begin of the system call its event came to a client that waits for it.
import ctypes
import http.client
import json
import os
import re
import socket
import sys
import time

SOCKET, CONTAINER, PID, SOURCE, ROUNDS = sys.argv[1:4] + [sys.argv[4], int(sys.argv[5])]
TARGET = "/mnt/drift"
libc = ctypes.CDLL(None, use_errno=True)


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(SOCKET)


def call(connection, endpoint, body):
    connection.request("POST", "/" + endpoint, json.dumps(body))
    return json.loads(connection.getresponse().read())


def unmount():
    """In a process of its own, which ends at once, as umount(8) does.  Returns when it began."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        libc.setns(os.open(f"/proc/{PID}/ns/mnt", os.O_RDONLY), 0)
        begin = time.monotonic()
        result = libc.umount2(TARGET.encode(), 0)
        os.write(writer, f"{begin} {result}".encode())
        os._exit(0)
    os.close(writer)
    return reader, child


def main():
    connection = Connection("hostvol")
    times, named = [], 0
    for _ in range(ROUNDS):
        answer = call(connection, "HotAttach", {"Source": {"Path": SOURCE}, "Container": CONTAINER, "Target": TARGET})
        if answer["Err"]:
            sys.exit(answer["Err"])
        last = call(connection, "HotEvents", {"After": -1})["Last"]
        time.sleep(0.05)  # the daemon has noted the attach
        reader, child = unmount()
        events = []
        while not any(event["Action"] == "missing" for event in events):
            events += call(connection, "HotEvents", {"After": last, "WaitSeconds": 60})["Events"]
        end = time.monotonic()
        begin, result = os.read(reader, 100).decode().split()
        os.close(reader)
        os.waitpid(child, 0)
        if result != "0":
            sys.exit("it cannot be unmounted")
        times.append((end - float(begin)) * 1000)
        named += bool(re.search(r"by process \d+ \(.+\)", events[-1]["Detail"]))
    times.sort()
    print(f"an unmount is told after {times[len(times) // 2]:.2f} ms (median), {times[len(times) * 99 // 100]:.2f} ms (p99);"
          f" a look each minute: {times[len(times) // 2] / 30000:.6f} of that")
    print(f"{named} of {ROUNDS} with the command of the process, which ended at once")


main()
