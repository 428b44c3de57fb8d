# SPDX-License-Identifier: Apache-2.0
"""The wanted state: what the daemon acknowledged, and nothing else."""
import datetime
import json
import os
import subprocess
import threading

EXPLICIT = ["/mnt/a0", "/mnt/a1", "/mnt/deep/er/a2", "/srv/a3"]
OPTION = "/mnt/o0"  # of volumes with the option attach
RULED = ["/mnt/r0", "/srv/r1"]
GROUPS = 5
LABEL = "soak.group"


class Volume:
    """A source of attachments, and the file in it by which it is known inside a container."""

    def __init__(self, name, directory=None, file="marker", text=None, path=None, is_sick=False, subpath=None):
        self.name, self.directory, self.file, self.path = name, directory, file, path
        self.text = text or f"{name}\n"
        self.is_sick = is_sick  # its server may not answer
        self.subpath = subpath
        self.is_readonly = name == "readonly"

    def source(self):
        return {"Source": {"Path": self.path}} if self.path else {"Volume": self.name}

    def mark(self):
        for directory, text in ("", self.text), (self.subpath, f"{self.text.strip()}/sub\n"):
            if directory is None:
                continue
            os.makedirs(os.path.join(self.directory, directory), exist_ok=True)
            with open(os.path.join(self.directory, directory, self.file), "w", encoding="utf-8") as file:
                file.write(text)

    def text_at(self, subpath):
        return f"{self.text.strip()}/sub\n" if subpath else self.text


class Wanted:
    """An attachment, as it was acknowledged."""

    def __init__(self, volume, answer, request, once=None):
        self.volume, self.once = volume, once
        self.id = answer["ID"]
        self.readonly = answer["ReadOnly"]
        self.subpath = answer.get("Subpath", "")
        self.until = answer.get("Until")
        self.request = request

    def __repr__(self):
        return f"{self.id} by {self.request}, once {self.once}, until {self.until}"

    def seconds_left(self):
        end = datetime.datetime.fromisoformat(self.until.replace("Z", "+00:00"))
        return (end - datetime.datetime.now(datetime.timezone.utc)).total_seconds()

    def is_short(self):
        """A lease that ends before the soak does."""
        return self.until is not None and self.seconds_left() < 3600

    def is_over(self):
        return self.until is not None and self.seconds_left() < -5

    def is_vague(self):
        return self.once is not None or self.is_short()


class Slot:
    """A target in a container, or of a rule; the lock is held over each request about it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.wanted = None
        self.is_unsure = False  # taken out, which could not be recorded: it is not wanted, and may be listed a while


class Container:
    def __init__(self, name, ident, group):
        self.name, self.id, self.group = name, ident, group
        self.lock = threading.Lock()  # of what is done to it
        self.is_leaving = False
        self.slots = {target: Slot() for target in EXPLICIT + [OPTION]}
        self.driver_volume = None  # that it was created with

    def started(self, engine):
        return engine.get(f"/containers/{self.id}/json")["State"]["StartedAt"]


class World:
    def __init__(self, directory, report):
        self.dir, self.report = directory, report
        self.places = []  # of each one container
        self.rules = {(group, target): Slot() for group in range(GROUPS) for target in RULED}
        self.volumes = []
        self.names = set()  # volumes of the driver, acknowledged
        self.numbers = iter(range(1 << 30))
        self.lock = threading.Lock()

    def number(self):
        with self.lock:
            return next(self.numbers)

    def containers(self):
        return list(self.places)

    # --- what there is from the beginning

    def make_volumes(self, machine):
        data = f"{self.dir}/data"
        engine = machine.engine
        for i in range(4):
            self.define(engine, Volume(f"path{i}", f"{data}/path{i}", subpath="sub/deep"), path=f"{data}/path{i}")
        for i in range(3):
            self.define(engine, Volume(f"own{i}", subpath="sub/deep"))
        self.define(engine, Volume("alias", text="path0\n", subpath="sub/deep"), **{"from": "path0"})
        self.define(engine, Volume("below", text="path1/sub\n"), path=f"{data}/path1", subpath="sub/deep")
        self.define(engine, Volume("readonly", f"{data}/readonly"), path=f"{data}/readonly", ro="true")
        self.define_image(engine, data)
        for name in "dying", "silent":
            machine.start_server(name)
            self.define(engine, Volume(name, file="file", text="data\n", is_sick=True), path=f"{data}/{name}")
        for i in range(2):
            volume = Volume(f"host{i}", f"{data}/host{i}", path=f"{data}/host{i}")
            volume.mark()
            self.volumes.append(volume)
        for i in range(2):
            mountpoint = self.create(engine, f"local{i}", "local", {})
            volume = Volume(f"local{i}", mountpoint)
            volume.mark()
            self.volumes.append(volume)

    def define_image(self, engine, data):
        volume = Volume("image", f"{data}/image")
        volume.mark()
        with open(f"{data}/image.ext4", "wb") as file:
            file.truncate(4 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-d", volume.directory, f"{data}/image.ext4"], check=True)
        self.create(engine, "image", "hostvol", {"type": "ext4", "device": f"{data}/image.ext4", "o": "loop"})
        self.volumes.append(volume)
        self.names.add("image")

    def define(self, engine, volume, **options):
        if volume.directory:
            volume.mark()
        mountpoint = self.create(engine, volume.name, "hostvol", options)
        if not volume.directory and not options:
            volume.directory = mountpoint
            volume.mark()
        self.volumes.append(volume)
        self.names.add(volume.name)

    @staticmethod
    def create(engine, name, driver, options):
        status, answer = engine.call("POST", "/volumes/create",
            {"Name": name, "Driver": driver, "DriverOpts": options})
        if status != 201:
            raise RuntimeError(f"volume {name}: {status} {answer}")
        return engine.get(f"/volumes/{name}")["Mountpoint"]

    def make_container(self, engine, place, rng):
        """Created, not started."""
        group = place % GROUPS
        name = f"soak-{place}-{self.number()}"
        host = {"NetworkMode": "none", "Init": False}
        if rng.random() < 0.5:
            host["RestartPolicy"] = {"Name": "always"}
        volume = None
        if rng.random() < 0.1 and self.volumes:
            volume = self.volumes[rng.randrange(4)]  # path0 to path3
            host["Binds"] = [f"{volume.name}:/v"]
        status, answer = engine.call("POST", f"/containers/create?name={name}", {
            "Image": "hostvol-test/busybox", "Cmd": ["sleep", "1000000"], "Labels": {LABEL: str(group)},
            "HostConfig": host})
        if status != 201:
            raise RuntimeError(f"container {name}: {status} {answer}")
        container = Container(name, answer["Id"], group)
        container.driver_volume = volume
        return container

    # --- the wanted state of a container

    def wanted_in(self, container):
        """{target: (volume, readonly, subpath)} of what lasts."""
        found = {target: slot.wanted for target, slot in container.slots.items() if slot.wanted}
        for (group, target), slot in self.rules.items():
            if slot.wanted and group == container.group:
                found[target] = slot.wanted
        return found


class RuleWanted:
    """A rule, as it was acknowledged."""

    once = None

    def __init__(self, volume, answer):
        self.volume, self.id = volume, answer["ID"]
        self.readonly = answer.get("ReadOnly", False) or volume.is_readonly
        self.subpath = answer.get("Subpath", "")

    def __repr__(self):
        return f"rule {self.id} of {self.volume.name}"


def compact(value):
    return json.dumps(value, separators=(",", ":"))
