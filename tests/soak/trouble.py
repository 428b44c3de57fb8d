# SPDX-License-Identifier: Apache-2.0
"""Everything that happens to the machine meanwhile: containers that end and begin, daemons that are killed, servers
that die or fall silent, a full disk."""
import os
import random
import signal
import threading
import time

from wire import Away, Cut, Hostvol


class Stop(Exception):
    """The end has come."""


class Trouble(threading.Thread):
    def __init__(self, name, seed, machine, world, report, end):
        super().__init__(name=name, daemon=True)
        self.rng = random.Random(f"{seed} {name}")
        self.machine, self.world, self.report, self.over = machine, world, report, end

    def wait(self, least, most):
        if self.over.wait(self.rng.uniform(least, most)):
            raise Stop

    def run(self):
        try:
            while True:
                self.step()
        except Stop:
            self.finish()
        except Exception as error:  # a fault of the soak's own
            self.report.crash(self.name, error)

    def finish(self):
        """What is to be undone at the end."""


class Containers(Trouble):
    """One of several that restart, stop, kill and replace containers."""

    def step(self):
        self.wait(0.2, 1.5)
        index = self.rng.randrange(len(self.world.places))
        container = self.world.places[index]
        if not container.lock.acquire(blocking=False):
            return
        action = self.rng.choice(
            5 * ["restart"] + 3 * ["kill"] + 3 * ["end"] + 2 * ["stop"] + 2 * ["replace"] + ["pause"])
        try:
            getattr(self, action)(container, index)
            self.report.count(f"containers: {action}")
        except (Away, Cut):
            pass
        finally:
            container.lock.release()

    def call(self, container, verb):
        self.machine.engine.call("POST", f"/containers/{container.id}/{verb}")

    def restart(self, container, _):
        self.call(container, "restart?t=0")

    def kill(self, container, _):
        self.call(container, "kill")
        self.wait(0, 1)
        self.call(container, "start")

    def stop(self, container, _):
        self.call(container, "stop?t=0")
        self.wait(0, 4)
        self.call(container, "start")

    def pause(self, container, _):
        self.call(container, "pause")
        self.wait(0, 2)
        self.call(container, "unpause")

    def end(self, container, _):
        """Its process is killed from outside: some have a restart policy."""
        state = self.machine.engine.get(f"/containers/{container.id}/json")["State"]
        if state["Running"]:
            try:
                with open(f"/proc/{state['Pid']}/comm", encoding="utf-8") as file:
                    if file.read() != "sleep\n":
                        return
                os.kill(state["Pid"], signal.SIGKILL)
            except OSError:
                pass
        self.wait(0, 1)
        self.call(container, "start")

    def replace(self, container, index):
        """Removed, and another one in its place."""
        container.is_leaving = True
        self.remove(container)
        while True:
            try:
                fresh = self.world.make_container(self.machine.engine, index, self.rng)
                break
            except (Away, Cut, RuntimeError):
                time.sleep(0.5)
        self.world.places[index] = fresh
        self.call(fresh, "start")

    def remove(self, container):
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                status, answer = self.machine.engine.call("DELETE", f"/containers/{container.id}?force=true")
                if status in (204, 404):
                    return
            except (Away, Cut):
                pass
            time.sleep(0.5)
        self.report.fault(f"container {container.name} cannot be removed: {status} {answer}")


class Daemons(Trouble):
    """Kills hostvold and dockerd."""

    def step(self):
        self.wait(4, 12)
        action = self.rng.choice(
            3 * [self.kill_daemon] + 2 * [self.count_and_kill] + [self.end_daemon, self.stop_daemon_a_while] +
            2 * [self.kill_dockerd] + [self.end_dockerd, self.kill_both])
        self.report.say(action.__name__)
        self.report.count(f"machine: {action.__name__}")
        action()

    def finish(self):
        if not self.machine.dockerd_is_up:
            self.machine.start_dockerd()

    def begin_daemon(self):
        """Mostly at once."""
        time.sleep(self.rng.choice([0, 0, 0, 1, 3]))
        self.machine.start_daemon()

    def kill_daemon(self):
        """In the middle of requests."""
        self.machine.scrape_and_compare()
        self.machine.stop_daemon(signal.SIGKILL)
        self.begin_daemon()

    def count_and_kill(self):
        """Between requests, so that the numbers agree exactly."""
        self.machine.gate.close()
        try:
            self.machine.compare_exactly()
            self.machine.stop_daemon(signal.SIGKILL)
            self.begin_daemon()
        finally:
            self.machine.gate.open()

    def end_daemon(self):
        """As systemd does."""
        self.machine.scrape_and_compare()
        self.machine.stop_daemon(signal.SIGTERM)
        self.begin_daemon()

    def stop_daemon_a_while(self):
        """It hangs, for a while that is longer than starts are held."""
        self.machine.daemon.send_signal(signal.SIGSTOP)
        time.sleep(self.rng.uniform(0, 5))
        self.machine.daemon.send_signal(signal.SIGCONT)

    def restart_dockerd(self, number):
        self.machine.stop_dockerd(number)
        time.sleep(self.rng.choice([0, 0, 2, 5]))
        self.machine.start_dockerd(live_restore=self.rng.random() < 0.5)
        self.report.say("dockerd answers")

    def kill_dockerd(self):
        self.restart_dockerd(signal.SIGKILL)

    def end_dockerd(self):
        self.restart_dockerd(signal.SIGTERM)

    def kill_both(self):
        self.machine.scrape_and_compare()
        self.machine.stop_daemon(signal.SIGKILL)
        self.machine.stop_dockerd(signal.SIGKILL)
        if self.rng.random() < 0.5:
            self.machine.start_daemon()
            self.machine.start_dockerd()
            return
        # As it comes up it asks the daemon: each call waits as long as there is a socket that nobody listens on.
        self.machine.begin_dockerd()
        self.machine.start_daemon()
        self.machine.wait_for_dockerd()


class Servers(Trouble):
    """File systems whose server dies and comes back, or does not answer for a while."""

    def step(self):
        self.wait(5, 20)
        name = self.rng.choice(["dying", "silent"])
        self.report.count(f"servers: {name}")
        if name == "dying":
            self.machine.kill_server(name)
        else:
            self.machine.silence_server(name)
        try:
            self.wait(5, 15)
        finally:
            self.machine.revive_server(name)


class Disk(Trouble):
    """The disk of the state is full, once, for a minute or a quarter of the time."""

    def __init__(self, *arguments, seconds):
        super().__init__("disk", *arguments)
        self.seconds = seconds
        self.filled, self.unknown = [], []

    def step(self):
        self.wait(self.seconds / 3, self.seconds / 3 + 1)
        duration = min(60, self.seconds / 4)
        self.report.say(f"the disk is full for {duration:.0f} s")
        self.machine.fill_disk()
        try:
            self.fill_rest(time.monotonic() + duration)
        finally:
            self.machine.empty_disk()
            for name in self.unknown:
                self.ask_until_known(name)
            self.report.say(f"the disk has room; {len(self.filled)} volumes were made meanwhile")
        self.wait(1 << 20, 1 << 20)

    def fill_rest(self, end):
        """Volumes, until one is refused, and again whenever there is room for one more."""
        hostvol, path = Hostvol(self.machine), f"{self.world.dir}/data/path3"
        while time.monotonic() < end:
            name = f"disk{self.world.number()}"
            try:
                _, answer = hostvol.call("/VolumeDriver.Create", {"Name": name, "Opts": {"path": path}})
                if not answer["Err"]:
                    self.keep(name)
                    continue
                self.report.count("refused for the disk")
                if answer["Code"] != "state-unreadable" or "full" not in answer["Err"]:
                    self.report.fault(f"refused with a full disk: {answer}")
            except Away:
                pass
            except Cut:  # it may be there
                self.unknown.append(name)
            self.wait(0.5, 2)

    def keep(self, name):
        self.filled.append(name)
        with self.world.lock:
            self.world.names.add(name)

    def ask_until_known(self, name):
        """The next daemon says whether it is there, when its disk lets it look."""
        hostvol, end = Hostvol(self.machine), time.monotonic() + 300
        while True:
            if time.monotonic() > end:
                self.report.fault(f"no answer about volume {name} in 300 s")
                return
            try:
                _, answer = hostvol.call("/VolumeDriver.Get", {"Name": name})
                if answer.get("Code") in (None, "no-such-volume"):
                    break
            except (Away, Cut):
                pass
            time.sleep(0.5)
        if "Code" not in answer:
            self.keep(name)
