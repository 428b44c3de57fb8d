# SPDX-License-Identifier: Apache-2.0
"""soak.py DIRECTORY BUILD SECONDS CONTAINERS WORKERS SEED

Everything at once, for SECONDS: requests of WORKERS threads, CONTAINERS containers that restart and are replaced,
hostvold and dockerd that are killed, servers of file systems that die or do not answer, a full disk. At the end the
state that was acknowledged is compared with the real one. scripts/test-soak prepares the machine for it.
"""
import collections
import concurrent.futures
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback

from judge import Judge, look_at_all, warm
from machine import ENGINE, Machine
from trouble import Containers, Daemons, Disk, Servers
from work import Worker
from world import World


class Report:
    """Everything that is told."""

    def __init__(self):
        self.lock = threading.Lock()
        self.begin = time.monotonic()
        self.counts = collections.Counter()
        self.answers = collections.Counter()
        self.refusals = {}
        self.shown = collections.Counter()
        self.faults, self.differences, self.leaks = [], [], []

    def say(self, words):
        print(f"{time.monotonic() - self.begin:7.1f} {words}", flush=True)

    def count(self, name):
        with self.lock:
            self.counts[name] += 1

    def answer(self, endpoint, code):
        with self.lock:
            self.answers[f"{endpoint} {code or 'ok'}"] += 1

    def refusal(self, endpoint, answer):
        """One of each kind is shown at the end."""
        with self.lock:
            self.refusals[endpoint, answer.get("Code")] = answer.get("Err")

    def note(self, where, kind, words):
        alike = kind + words.split("{")[0] + words[-60:]
        with self.lock:
            where.append(words)
            self.shown[alike] += 1
        if self.shown[alike] <= 5 and len(where) < 300:
            self.say(f"{kind}: {words}")

    def fault(self, words):
        self.note(self.faults, "FAULT", words)

    def difference(self, words):
        self.note(self.differences, "DIFFERENCE", words)

    def leak(self, words):
        self.note(self.leaks, "LEAK", words)

    def crash(self, name, error):
        self.fault(f"{name}: {''.join(traceback.format_exception(error))}")

    def show(self):
        for name, number in sorted(self.counts.items()) + sorted(self.answers.items()):
            print(f"{number:8} {name}")
        for (endpoint, code), words in sorted(self.refusals.items(), key=str):
            print(f"    {endpoint} {code}: {words}")


def prepare(directory, build, seed, report, number):
    machine = Machine(directory, os.environ.get("HOSTVOLD") or f"{build}/driver/daemon/hostvold",
        f"{build}/tests/support/fuse_server", report)
    machine.make_disk()
    machine.start_dockerd()
    subprocess.run(["docker", "-H", f"unix://{ENGINE}", "import", f"{directory}/image.tar", "hostvol-test/busybox"],
        check=True, stdout=subprocess.DEVNULL)
    machine.start_daemon()
    world = World(directory, report)
    before = look_before(machine, world, random.Random(seed))
    world.make_volumes(machine)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        world.places = list(pool.map(
            lambda place: begin(world, machine, place, random.Random(f"{seed} place {place}")), range(number)))
    report.say(f"{number} containers run")
    return machine, world, before


def look_before(machine, world, rng):
    """As it is without volumes and containers; the daemon has had one of each."""
    machine.start_server("dying")
    World.create(machine.engine, "dying", "hostvol", {"path": f"{machine.dir}/data/dying"})
    container = begin(world, machine, 0, rng)
    warm(machine, container)
    machine.engine.call("DELETE", f"/containers/{container.id}?force=true")
    machine.engine.call("DELETE", "/volumes/dying")
    machine.kill_server("dying")
    machine.unmount_server("dying")
    time.sleep(3)  # what is about to end
    return look_at_all(machine)


def begin(world, machine, place, rng):
    container = world.make_container(machine.engine, place, rng)
    machine.engine.call("POST", f"/containers/{container.id}/start")
    return container


def run(machine, world, report, seed, seconds, workers):
    end = threading.Event()
    threads = [Worker(number, seed, machine, world, report, end) for number in range(workers)]
    arguments = seed, machine, world, report, end
    threads += [Containers(f"containers {number}", *arguments) for number in range(2)]
    threads += [Daemons("daemons", *arguments), Servers("servers", *arguments), Disk(*arguments, seconds=seconds)]
    for thread in threads:
        thread.start()
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        time.sleep(min(10, max(0.1, stop - time.monotonic())))
        machine.check_alive()
    report.say("the end begins")
    end.set()
    for thread in threads:
        thread.join(400)
        if thread.is_alive():
            report.fault(f"{thread.name} does not end")
            report.say("".join(traceback.format_stack(sys._current_frames()[thread.ident])))


def end(machine, world, report, before):
    """How many attachments were looked at."""
    checked = 0
    try:
        machine.compare_exactly()
        machine.stop_daemon(signal.SIGKILL)  # the last life is one of which each request is known
        machine.start_daemon()
        judge = Judge(machine, world, report)
        judge.settle()
        checked = judge.judge()
        report.say(f"{checked} attachments were looked at")
        judge.take_away()
        judge.judge_leaks(before)
    except Exception as error:  # the rest is not known then
        report.crash("the end", error)
    return checked


def main():
    directory, build, seconds, number, workers, seed = sys.argv[1:]
    seconds, number, workers = float(seconds), int(number), int(workers)
    report = Report()
    report.say(f"seed {seed}, {seconds:.0f} s, {number} containers, {workers} workers")
    machine, world, before = prepare(directory, build, seed, report, number)
    run(machine, world, report, seed, seconds, workers)
    checked = end(machine, world, report, before)
    report.counts["starts that were late"] = int(machine.late)
    report.show()
    requests = sum(report.answers.values())
    print(f"soak: seed {seed}, {seconds:.0f} s, {number} containers, {len(machine.lives)} lives of hostvold, "
        f"{requests} requests, {checked} attachments at the end, {machine.scrapes['exact']} exact and "
        f"{machine.scrapes['bounded']} bounded counts; {len(report.faults)} faults, "
        f"{len(report.differences)} differences, {len(report.leaks)} leaks", flush=True)
    return bool(report.faults or report.differences or report.leaks)


if __name__ == "__main__":
    sys.exit(main())
