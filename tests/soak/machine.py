# SPDX-License-Identifier: Apache-2.0
"""The machine of the soak: a dockerd, a hostvold, servers of file systems, and a small disk for the state. All of it is
below one directory, in namespaces that scripts/test-soak made."""
import collections
import errno
import os
import signal
import subprocess
import threading
import time

from wire import Away, Counts, Cut, Engine, Gate, Hostvol, requests_of

ENGINE = "/run/docker.sock"
SOCKET = "/run/docker/plugins/hostvol.sock"


def mounts(pid="self"):
    """[(mountpoint, options, type, root)] of that process's mount table."""
    with open(f"/proc/{pid}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split(" ") for line in file]
    return [(part[4], part[5], part[part.index("-") + 1], part[3]) for part in lines]


def within(seconds, condition, pause=0.05):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def hot(answered):
    """Those that are compared: the Engine sends the others as well."""
    return collections.Counter({key: number for key, number in answered.items() if key[0].startswith("/Hot")})


class Life:
    """One run of the daemon."""

    def __init__(self):
        self.counts = Counts()
        self.is_ending = False


class Machine:
    def __init__(self, directory, hostvold, fuse_server, report):
        self.dir, self.hostvold, self.fuse_server = directory, hostvold, fuse_server
        self.report = report
        self.socket = SOCKET
        self.engine = Engine(ENGINE)
        self.gate = Gate()
        self.counting = threading.Lock()
        self.life = Life()
        self.lives = []
        self.control = threading.Lock()  # of which daemon runs, and whether it is to
        self.daemon = self.dockerd = None
        self.is_full = False
        self.was_full = 0.0  # when it was last
        self.servers = {}
        self.tunnels = collections.Counter()  # requests by endpoint that are on their way through the Engine
        self.left_requests = []  # volumes of these that nobody removed
        self.dockerd_is_up = False
        self.was_away = 0.0  # when it came back last
        self.scrapes = {"exact": 0, "bounded": 0}
        self.late = 0

    # --- dockerd

    def start_dockerd(self, live_restore=False):
        self.begin_dockerd(live_restore)
        self.wait_for_dockerd()

    def begin_dockerd(self, live_restore=False):
        for name in "/run/docker.pid", "/run/dockerd/containerd/containerd.pid":
            if os.path.exists(name):
                os.unlink(name)
        command = ["dockerd", "--data-root", f"{self.dir}/docker", "--exec-root", "/run/dockerd",
            "--pidfile", "/run/docker.pid", "-H", f"unix://{ENGINE}", "--bridge", "none",
            "--iptables=false", "--ip6tables=false"] + ["--live-restore"] * live_restore
        with open(f"{self.dir}/dockerd.log", "ab") as log:
            self.dockerd = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait_for_dockerd(self):
        if not within(180, self.engine_answers, 0.2):
            raise RuntimeError("dockerd does not answer")
        self.dockerd_is_up = True
        self.was_away = time.monotonic()

    def engine_answers(self):
        try:
            return self.engine.call("GET", "/_ping", timeout=10)[0] == 200
        except (Away, Cut):
            return False

    def stop_dockerd(self, number):
        self.dockerd_is_up = False
        self.dockerd.send_signal(number)
        try:
            self.dockerd.wait(120)
        except subprocess.TimeoutExpired:
            self.report.fault("dockerd does not end")
            self.dockerd.kill()
            self.dockerd.wait()

    # --- hostvold

    def start_daemon(self):
        """A new life; its counts are those of the requests from now on."""
        life = Life()
        command = [self.hostvold, "--socket", SOCKET, "--state", f"{self.dir}/disk/state",
            "--mount-root", f"{self.dir}/mounts", "--engine", ENGINE]
        with self.control, open(f"{self.dir}/hostvold.log", "ab") as log:
            with self.counting:  # the Engine sends again what the one before has not answered
                life.counts.begun.update(self.tunnels)
                life.counts.is_sure = not any(self.tunnels.values())
                self.life = life
            self.lives.append(life)
            self.daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        if not within(60, self.daemon_answers):
            self.report.fault("hostvold does not answer within 60 s after its start")

    def daemon_answers(self):
        if self.daemon.poll() is not None:
            raise RuntimeError(f"hostvold ended: {self.daemon.returncode}")
        try:
            Hostvol(self).scrape()
            return True
        except (Away, Cut):
            return False

    def stop_daemon(self, number):
        with self.control:
            self.life.is_ending = True
        self.daemon.send_signal(number)
        try:
            self.daemon.wait(60)
        except subprocess.TimeoutExpired:
            self.report.fault(f"hostvold does not end within 60 s of signal {number}")
            self.daemon.kill()
            self.daemon.wait()

    def can_refuse_for_engine(self):
        """As above."""
        return not self.dockerd_is_up or time.monotonic() < self.was_away + 60

    def check_alive(self):
        with self.control:
            has_ended = self.daemon.poll() is not None and not self.life.is_ending
            self.life.is_ending |= has_ended
        if has_ended:
            self.report.fault(f"hostvold ended by itself: {self.daemon.returncode}")
            self.start_daemon()

    # --- the numbers

    def compare_exactly(self):
        """Nothing is under way, as the caller has closed the gate: the same answers were counted here and there."""
        counts, metrics = self.life.counts, Hostvol(self).scrape()
        self.late += metrics["hostvol_late_starts_total"]
        if not counts.is_sure:
            self.compare_bounds(counts.answered, metrics, counts.begun)
            return
        here, there = hot(counts.answered), requests_of(metrics)
        if here != there:
            self.report.fault(f"requests: {dict(here - there)} were not counted, {dict(there - here)} were not sent")
        self.scrapes["exact"] += 1

    def scrape_and_compare(self):
        """While requests are under way: at least those that were answered before, at most those that were begun."""
        counts = self.life.counts
        with self.counting:
            before = collections.Counter(counts.answered)
        try:
            metrics = Hostvol(self).scrape()
        except (Away, Cut):
            return
        with self.counting:
            begun = collections.Counter(counts.begun)
        self.compare_bounds(before, metrics, begun)
        self.late += metrics["hostvol_late_starts_total"]

    def compare_bounds(self, answered, metrics, begun):
        there = requests_of(metrics)
        lost = hot(answered) - there
        if lost:
            self.report.fault(f"requests: {dict(lost)} were answered, and not counted")
        for endpoint in {name for name, _ in there}:
            number = sum(value for (name, _), value in there.items() if name == endpoint)
            if number > begun[endpoint]:
                self.report.fault(f"requests: {endpoint} counts {number}, of {begun[endpoint]} that were sent")
        self.scrapes["bounded"] += 1

    # --- file systems whose server may die, or fall silent

    def start_server(self, name):
        path = f"{self.dir}/data/{name}"
        os.makedirs(path, exist_ok=True)
        self.servers[name] = subprocess.Popen([self.fuse_server, path], stdout=subprocess.DEVNULL,
            start_new_session=True)
        if not within(10, lambda: any(mount[0] == path for mount in mounts())):
            raise RuntimeError(f"no file system at {path}")

    def kill_server(self, name):
        self.servers[name].kill()
        self.servers[name].wait()

    def unmount_server(self, name):
        subprocess.run(["umount", "-l", f"{self.dir}/data/{name}"], check=True)

    def revive_server(self, name):
        """A new one in its place: it would not know of the requests that the silent one has read."""
        self.kill_server(name)
        self.unmount_server(name)
        self.start_server(name)

    def silence_server(self, name):
        self.servers[name].send_signal(signal.SIGUSR1)

    # --- the disk of the state

    def make_disk(self):
        image, disk = f"{self.dir}/disk.image", f"{self.dir}/disk"
        os.makedirs(disk)
        with open(image, "wb") as file:
            file.truncate(96 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-b", "1024", "-N", "4096", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, disk], check=True)

    def fill_disk(self):
        self.is_full = True
        with open(f"{self.dir}/disk/ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass

    def empty_disk(self):
        os.unlink(f"{self.dir}/disk/ballast")
        self.was_full = time.monotonic()
        self.is_full = False

    def can_refuse_for_disk(self):
        """A request that was under way while the disk was full may be answered a little later."""
        return self.is_full or time.monotonic() < self.was_full + 60

    # --- what is left

    def fds(self):
        """{kind: number} of the daemon's descriptors."""
        found = {}
        directory = f"/proc/{self.daemon.pid}/fd"
        for name in os.listdir(directory):
            try:
                link = os.readlink(f"{directory}/{name}")
            except OSError:
                continue
            kind = link.split(":")[0] if link.startswith(("socket:", "pipe:")) else link
            if kind.endswith("/mountinfo"):
                kind = "a mount table"
            found[kind] = found.get(kind, 0) + 1
        return found

    def processes(self):
        """{pid: (name, state, parent)} of everything that runs on the machine, but kernel threads."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            found[int(pid)] = (name, rest[0], int(rest[1]))
        return found
