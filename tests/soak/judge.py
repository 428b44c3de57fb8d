# SPDX-License-Identifier: Apache-2.0
"""The end: what is wanted is there and nothing else; and when all is taken away, nothing is left."""
import collections
import glob
import os
import signal
import subprocess
import time

from machine import mounts, within
from wire import Hostvol


POOLS = 24
QUIET_SECONDS = 600


class Judge:
    def __init__(self, machine, world, report):
        self.machine, self.world, self.report = machine, world, report
        self.engine = machine.engine
        self.hostvol = Hostvol(machine)
        self.pids = {}
        self.found = []

    def call(self, endpoint, body):
        return self.hostvol.call(endpoint, body)[1]

    # --- until it is quiet

    def settle(self):
        """All containers run; the short leases are over."""
        self.restart_users_of_the_dead()
        end = time.monotonic() + QUIET_SECONDS
        waits = "?"
        while time.monotonic() < end:
            waits = self.not_quiet()
            if not waits:
                return
            time.sleep(1)
        self.report.fault(f"not quiet after {QUIET_SECONDS} s: {waits}")

    def restart_users_of_the_dead(self):
        """A container keeps the mount of a server that died; its next start has the new one."""
        for container in self.world.containers():
            if any(slot.wanted and slot.wanted.volume.is_sick for slot in container.slots.values()):
                self.engine.call("POST", f"/containers/{container.id}/restart?t=0")

    def not_quiet(self):
        """Why not; empty if it is."""
        stopped = []
        for container in self.world.containers():
            state = self.engine.get(f"/containers/{container.id}/json")["State"]
            self.pids[container] = state["Pid"]
            self.end_once(container, state)
            if state["Paused"]:
                self.engine.call("POST", f"/containers/{container.id}/unpause")
            if not state["Running"] or state["Restarting"]:
                _, answer = self.engine.call("POST", f"/containers/{container.id}/start")
                stopped.append(f"{container.name}: {state['Status']} {state['Error']} {answer}")
                if "already exists" in str(answer):
                    self.help_docker(container)
        if stopped:
            return f"{len(stopped)} containers do not run, {stopped[0]}"
        if any(slot.wanted and slot.wanted.once is None and slot.wanted.is_vague()
                for container in self.world.containers() for slot in container.slots.values()):
            self.end_leases()
            return "leases"
        metrics = self.hostvol.scrape()
        if metrics["hostvol_queue_length"]:
            return f"a queue of {metrics['hostvol_queue_length']}"
        self.found = self.call("/HotList", {}).get("Attachments", [])
        return self.first_difference()

    def help_docker(self, container):
        """A dockerd that is killed in the middle of a start forgets the task, and cannot start the container again.
        When its shim has ended, containerd forgets it as well."""
        for pid, command in self.shims().items():
            if container.id in command:
                self.end_shim(pid)

    def shims(self):
        """{pid: command line}"""
        return {pid: command_of(pid) for pid, (name, _, _) in self.machine.processes().items()
            if name.startswith("containerd-shim")}

    def end_shim(self, pid):
        """Unless its container's process waits for hostvol, which is then the one that has left it."""
        for child, (name, _, parent) in self.machine.processes().items():
            if parent == pid and any("fanotify" in text_of(path) for path in glob.glob(f"/proc/{child}/task/*/stack")):
                self.report.leak(f"{name} is held, long after its start")
                return
        os.kill(pid, signal.SIGKILL)
        self.report.count("tasks that Docker had forgotten")

    def end_forgotten(self):
        """The same of containers that were removed since: now there are no others."""
        for pid in self.shims():
            self.end_shim(pid)

    def end_once(self, container, state):
        for slot in container.slots.values():
            if slot.wanted and slot.wanted.once and slot.wanted.once != state["StartedAt"]:
                slot.wanted = None

    def end_leases(self):
        """Of those that are over there is to be nothing left, a little later."""
        for container in self.world.containers():
            for slot in container.slots.values():
                if slot.wanted and slot.wanted.is_short() and slot.wanted.is_over():
                    slot.wanted = None

    # --- wanted and real

    def wanted(self):
        """{(container's ID, target): Wanted} of all containers."""
        return {(container.id, target): wanted for container in self.world.containers()
            for target, wanted in self.world.wanted_in(container).items()}

    def first_difference(self):
        differences = list(self.differences_of_list())
        return f"{len(differences)} differences, {differences[0]}" if differences else ""

    def differences_of_list(self):
        """Of what the daemon says."""
        wanted = self.wanted()
        listed = {(one["ContainerID"], one["Target"]): one for one in self.found}
        if len(listed) != len(self.found):
            yield "two at one target"
        for place in wanted.keys() - listed.keys():
            yield f"not listed: {place} {wanted[place]}"
        for place in listed.keys() - wanted.keys():
            yield f"not wanted: {listed[place]}"
        for place in wanted.keys() & listed.keys():
            one, want = listed[place], wanted[place]
            if one["State"] != "attached" or one.get("Problem"):
                yield f"not attached: {one}"
            if (one.get("Rule") or one["ID"]) != want.id or one["ReadOnly"] != want.readonly:
                yield f"another one: {one}, wanted {want}"

    def judge(self):
        """Everything that differs is a fault."""
        self.found = self.call("/HotList", {}).get("Attachments", [])
        for words in self.differences_of_list():
            self.report.difference(words)
        checked = sum(self.judge_container(container) for container in self.world.containers())
        self.judge_volumes()
        self.judge_rules()
        self.judge_keepers()
        self.judge_metrics()
        return checked

    def judge_container(self, container):
        """By its mount table, and by the files in it."""
        pid = self.pids[container]
        wanted = self.world.wanted_in(container)
        table = collections.defaultdict(list)
        for mountpoint, options, kind, root in mounts(pid):
            table[mountpoint].append((options, kind, root))
        expected = set(wanted) | ({"/v"} if container.driver_volume else set())
        extra = {place for place in table if place.startswith(("/mnt", "/srv", "/v"))} - expected
        for place in extra:
            self.report.difference(f"{container.name}: {place} is not wanted: {table[place]}")
        others = {place for place in table if not place.startswith(("/mnt", "/srv", "/v"))}
        if len(self.usual(others)) != 1:
            self.report.difference(f"{container.name}: other mounts than elsewhere: {sorted(others)}")
        if container.driver_volume:
            self.judge_file(container, pid, "/v", table, container.driver_volume.text, "marker", False)
        for target, want in wanted.items():
            text = want.volume.text_at(want.subpath)
            self.judge_file(container, pid, target, table, text, want.volume.file, want.readonly)
        return len(wanted)

    def usual(self, others):
        self.seen = getattr(self, "seen", set())
        self.seen.add(frozenset(others))
        return self.seen

    def judge_file(self, container, pid, target, table, text, name, readonly):
        words = f"{container.name}:{target}"
        if len(table[target]) != 1:
            self.report.difference(f"{words}: mounted {len(table[target])} times: {table[target]}")
            return
        if (table[target][0][0].split(",")[0] == "ro") != readonly:
            self.report.difference(f"{words}: {table[target][0][0]}, wanted ro: {readonly}")
        try:
            with open(f"/proc/{pid}/root{target}/{name}", encoding="utf-8") as file:
                found = file.read()
        except OSError as error:
            found = str(error)
        if found != text:
            self.report.difference(f"{words}: has {found!r}, wanted {text!r}")

    def judge_volumes(self):
        listed = {volume["Name"] for volume in self.call("/VolumeDriver.List", {}).get("Volumes") or []}
        for name in self.world.names - listed:
            self.report.difference(f"volume {name} is lost")
        for name in listed - self.world.names:
            self.report.difference(f"volume {name} is not wanted")

    def judge_rules(self):
        listed = {rule["ID"]: rule for rule in self.call("/HotRules", {})["Rules"]}
        wanted = {slot.wanted.id: place for place, slot in self.world.rules.items() if slot.wanted}
        for ident in wanted.keys() - listed.keys():
            self.report.difference(f"rule {ident} is lost: {wanted[ident]}")
        for ident in listed.keys() - wanted.keys():
            self.report.difference(f"rule {ident} is not wanted: {listed[ident]}")

    def judge_keepers(self):
        names = {name for one in self.engine.get("/containers/json?all=1") for name in one["Names"]}
        keepers = {name for name in names if "hostvol-keeps-" in name}
        volumes = {want.volume.name for want in self.all_wanted()}
        wanted = {f"/hostvol-keeps-{name}" for name in volumes if name.startswith("local")}
        if keepers != wanted:
            self.report.difference(f"keepers: {sorted(keepers)}, wanted {sorted(wanted)}")

    def all_wanted(self):
        return list(self.wanted().values()) + [slot.wanted for slot in self.world.rules.values() if slot.wanted]

    def judge_metrics(self):
        self.machine.compare_exactly()
        metrics = self.hostvol.scrape()
        states = {name: int(value) for name, value in metrics.items()
            if name.startswith("hostvol_attachments{") and value}
        wanted = {'hostvol_attachments{state="attached"}': len(self.wanted())}
        if states != {name: value for name, value in wanted.items() if value}:
            self.report.difference(f"metrics: {states}, wanted {wanted}")
        if int(metrics["hostvol_volumes"]) != len(self.world.names):
            self.report.difference(f"metrics: {metrics['hostvol_volumes']} volumes, wanted {len(self.world.names)}")
        if metrics["hostvol_stuck_helpers"]:
            self.report.difference(f"metrics: {metrics['hostvol_stuck_helpers']} stuck helpers")

    # --- away with everything

    def take_away(self):
        warm(self.machine, self.world.containers()[0])
        for rule in self.call("/HotRules", {})["Rules"]:
            self.must("/HotDetach", {"ID": rule["ID"], "WaitSeconds": 20})
        for one in self.call("/HotList", {})["Attachments"][::2]:  # the others end with their containers
            self.must("/HotDetach", {"ID": one["ID"], "WaitSeconds": 20})
        for container in self.world.containers():
            self.engine.call("DELETE", f"/containers/{container.id}?force=true")
        within(60, lambda: not self.call("/HotList", {})["Attachments"])
        for volume in self.engine.get("/volumes")["Volumes"] or []:
            if not within(60, lambda: self.engine.call("DELETE", f"/volumes/{volume['Name']}")[0] in (204, 404)):
                self.report.fault(f"volume {volume['Name']} cannot be removed: "
                    f"{self.engine.call('DELETE', '/volumes/' + volume['Name'])}")
        within(30, lambda: not self.shims(), 0.5)
        self.end_forgotten()
        for name in "dying", "silent":
            self.machine.kill_server(name)
            self.machine.unmount_server(name)

    def must(self, endpoint, body):
        answer = self.call(endpoint, body)
        if answer["Err"]:
            self.report.fault(f"at the end: {endpoint} {body}: {answer}")

    def judge_leaks(self, before):
        """Each of these comes to rest as it was at the beginning, or is named."""
        end = time.monotonic() + 100  # longer than a request's volume is remembered
        for name, look in LOOKS.items():
            start = before[name]
            if not within(max(1, end - time.monotonic()), lambda: look(self.machine) == start, 0.5):
                self.report.leak(f"{name}: {difference(start, look(self.machine))}")


def warm(machine, container):
    """Have it that the daemon has what it keeps: a helper that asks servers."""
    hostvol = Hostvol(machine)
    place = {"Container": container.id, "Target": "/mnt/warm"}
    for endpoint, body in ("/HotAttach", {"Volume": "dying", **place}), ("/HotDetach", place):
        answer = hostvol.call(endpoint, body)[1]
        if answer["Err"]:
            machine.report.fault(f"{endpoint} {body}: {answer}")
    hostvol.close()


def text_of(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # the process has ended
        return ""


def command_of(pid):
    return text_of(f"/proc/{pid}/cmdline")


def difference(before, now):
    if isinstance(before, dict):
        return {key: (before.get(key, 0), now.get(key, 0)) for key in before.keys() | now.keys()
            if before.get(key, 0) != now.get(key, 0)}
    return {"more": sorted(now - before), "fewer": sorted(before - now)}


def mount_table(_):
    return dict(collections.Counter(mount[:1] + mount[2:] for mount in mounts()))


def mounts_of_daemon(machine):
    return dict(collections.Counter(mount[:1] + mount[2:] for mount in mounts(machine.daemon.pid)))


def mount_root(machine):
    return set(os.listdir(f"{machine.dir}/mounts"))


def state_directories(machine):
    """Of volumes, and of what is deleted just now."""
    found, state = set(), f"{machine.dir}/disk/state"
    for parent in sorted(os.listdir(state)):
        path = f"{state}/{parent}"
        if os.path.isdir(path):
            found |= {f"{parent}/{name}" for name in os.listdir(path)}
        elif not parent.startswith("hostvol.db"):
            found.add(parent)
    return found


def processes(machine):
    """By name, of all that runs; those that are stopped as such."""
    found = collections.Counter()
    for pid, (name, state, _) in machine.processes().items():
        if name in ("python3", "bash") or os.path.realpath(f"/proc/{pid}/exe") == os.path.realpath("/proc/self/exe"):
            continue
        found[f"{name} {state}" if state in "TtZ" else name] += 1
    return dict(found)


def daemon_fds(machine):
    """Without connections, of which each has a thread: these cancel each other out."""
    found = machine.fds()
    # Pools begin when they are needed first, and stay: those of repairs, starts, refused starts.
    threads = len(os.listdir(f"/proc/{machine.daemon.pid}/task"))
    return found | {"threads beyond the pools": max(0, threads - found.pop("socket", 0) - POOLS)}


def daemon_children(machine):
    return dict(collections.Counter(name for name, _, parent in machine.processes().values()
        if parent == machine.daemon.pid))


def containers_of_engine(machine):
    return {one["Names"][0] for one in machine.engine.get("/containers/json?all=1")}


def volumes_of_engine(machine):
    """Also those that carry requests, which the daemon forgets."""
    left = {name for name in machine.left_requests if machine.engine.call("GET", f"/volumes/{name}")[0] != 404}
    return {one["Name"] for one in machine.engine.get("/volumes")["Volumes"] or []} | left


def loop_devices(machine):
    text = subprocess.run(["losetup", "-n", "-O", "BACK-FILE", "-l"], capture_output=True, text=True, check=True).stdout
    return {line.strip() for line in text.splitlines() if machine.dir in line}


LOOKS = {"mount table": mount_table, "mounts of hostvold": mounts_of_daemon, "mount root": mount_root,
    "state directory": state_directories, "processes": processes, "descriptors of hostvold": daemon_fds,
    "containers": containers_of_engine, "volumes": volumes_of_engine,
    "loop devices": loop_devices}


def look_at_all(machine):
    return {name: look(machine) for name, look in LOOKS.items()}
