# SPDX-License-Identifier: Apache-2.0
"""volumes.py SOCKET VOLUMES BLOCKS CLIENTS LISTS DRIVER...

Ordinary volume work by the Engine's API at SOCKET, of several drivers in turns: VOLUMES of each are created, listed
(LISTS times), inspected and removed; all but the lists in BLOCKS, each by CLIENTS clients at once. Prints for each
step and driver "STEP DRIVER MEDIAN P99": of the milliseconds that its blocks, or its lists, took."""
import http.client
import json
import socket
import sys
import threading
import time
import urllib.parse

path = sys.argv[1]
volumes, blocks, clients, lists = map(int, sys.argv[2:6])
drivers = sys.argv[6:]


class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)

    def call(self, method, url, body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        self.request(method, url, json.dumps(body) if body else None, headers)
        answer = self.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {url}: {answer.status} {data}")
        return data


engines = [Engine("docker") for _ in range(clients)]
failures = []


def create(engine, driver, name):
    engine.call("POST", "/volumes/create", {"Name": name, "Driver": driver})


def inspect(engine, _, name):
    engine.call("GET", "/volumes/" + name)


def remove(engine, _, name):
    engine.call("DELETE", "/volumes/" + name)


def by_one_client(work, driver, client, first, last):
    try:
        for number in range(first + client, last, clients):
            work(engines[client], driver, f"bench_{driver}_{number:06}")
    except (OSError, RuntimeError, http.client.HTTPException) as error:
        failures.append(error)


def block(work, driver, first, last):
    threads = [threading.Thread(target=by_one_client, args=(work, driver, client, first, last))
        for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"{driver}: {failures[0]}")


def timed(work):
    start = time.monotonic()
    work()
    return (time.monotonic() - start) * 1000


def report(step, times):
    for driver in drivers:
        ms = sorted(times[driver])
        print(f"{step} {driver} {ms[len(ms) // 2]:.3f} {ms[len(ms) * 99 // 100]:.3f}")


def in_blocks(step, work):
    times = {driver: [] for driver in drivers}
    for number in range(blocks):
        first, last = volumes * number // blocks, volumes * (number + 1) // blocks
        for driver in drivers:
            times[driver].append(timed(lambda: block(work, driver, first, last)))
    report(step, times)


def list_of(driver):
    """By driver: the Engine asks only this one."""
    filters = urllib.parse.quote(json.dumps({"driver": [driver]}))
    return json.loads(engines[0].call("GET", "/volumes?filters=" + filters))["Volumes"] or []


def in_lists():
    times = {driver: [] for driver in drivers}
    for _ in range(lists + 1):
        for driver in drivers:
            times[driver].append(timed(lambda: list_of(driver)))
    report("ls", {driver: times[driver][1:] for driver in drivers})  # the first is not counted
    for driver in drivers:
        names = [volume for volume in list_of(driver) if volume["Name"].startswith("bench_")]
        if len(names) != volumes:
            sys.exit(f"{driver}: {len(names)} of {volumes} are listed")


in_blocks("create", create)
in_lists()
in_blocks("inspect", inspect)
in_blocks("rm", remove)
