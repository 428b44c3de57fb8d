# SPDX-License-Identifier: Apache-2.0
"""Workers: requests about random targets, each repeated until it is answered."""
import json
import random
import threading
import time

from wire import Away, Cut, Hostvol
from world import EXPLICIT, GROUPS, LABEL, OPTION, RULED, RuleWanted, Volume, Wanted, compact

# Refusals that the soak itself is never the cause of.
NEVER = {"bad-request", "no-such-volume", "no-such-endpoint", "denied", "target-refused",
    "type-mismatch", "ambiguous", "volume-exists", "target-missing"}


class Stopped(Exception):
    pass


class Worker(threading.Thread):
    def __init__(self, number, seed, machine, world, report, end):
        super().__init__(name=f"worker {number}", daemon=True)
        self.rng = random.Random(f"{seed} worker {number}")
        self.machine, self.world, self.report, self.end = machine, world, report, end
        self.hostvol = Hostvol(machine)
        self.operations = (30 * [self.attach] + 18 * [self.detach] + 10 * [self.replace] + 6 * [self.lease] +
            5 * [self.once] + 4 * [self.rule] + 4 * [self.list] + 3 * [self.check] + 2 * [self.look] +
            3 * [self.volume] + 3 * [self.option_volume])

    def run(self):
        while not self.end.is_set():
            operation = self.rng.choice(self.operations)
            try:
                operation()
            except (Away, Cut, Stopped):
                time.sleep(0.2)
            except Exception as error:  # a fault of the soak's own
                self.report.crash(self.name, error)
                return
            time.sleep(self.rng.uniform(0, 0.2))
        self.hostvol.close()

    # --- requests

    def ask(self, endpoint, body):
        """Until it is answered: (answer, whether it was sent more than once)."""
        repeated = False
        end = time.monotonic() + 300
        while time.monotonic() < end:
            life = self.machine.life
            try:
                if self.rng.random() < 0.1 and self.machine.dockerd_is_up:
                    answer = self.tunnel(endpoint, body)
                else:
                    answer = self.hostvol.call(endpoint, body)[1]
                self.check_answer(endpoint, body, answer)
                return answer, repeated
            except Cut as error:
                repeated = True
                self.judge_cut(life, error)
            except Away:
                pass
            time.sleep(0.2)
        self.report.fault(f"{endpoint} {compact(body)}: no answer in 300 s")
        raise Stopped

    def judge_cut(self, life, error):
        """A daemon that lives does not cut a connection."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if life is not self.machine.life or self.machine.life.is_ending or "volumes" in str(error):
                return
            time.sleep(0.1)
        self.report.fault(f"cut by a daemon that lives: {error}")

    def tunnel(self, endpoint, body):
        """As the docker command sends it from far away: a volume."""
        name = f"hostvol-request-{self.rng.getrandbits(64):016x}"
        machine, engine = self.machine, self.machine.engine
        with machine.gate:
            with machine.counting:
                life = machine.life
                life.counts.begun[endpoint] += 1
                machine.tunnels[endpoint] += 1
            try:
                reply = self.send_through(engine, name, endpoint, body)
            except (Away, Cut) as error:
                life.counts.is_sure = machine.life.counts.is_sure = False
                raise Cut(f"volumes {name}: {error}") from error
            finally:
                with machine.counting:
                    machine.tunnels[endpoint] -= 1
            if life is machine.life:
                self.hostvol.count(life, endpoint, reply)
            else:
                life.counts.is_sure = machine.life.counts.is_sure = False
            return reply

    def send_through(self, engine, name, endpoint, body):
        request = compact({"Endpoint": endpoint, "Body": body})
        status, answer = engine.call("POST", "/volumes/create",
            {"Name": name, "Driver": "hostvol", "DriverOpts": {"request": request}})
        if status != 201:
            raise Cut(f"volumes: {status} {answer}")
        status, volume = engine.call("GET", f"/volumes/{name}")
        if status != 200 or "reply" not in (volume.get("Status") or {}):
            raise Cut(f"volumes: {status} {volume}")
        self.report.count("requests through the Engine")
        if self.rng.random() < 0.8:
            try:
                engine.call("DELETE", f"/volumes/{name}")
            except (Away, Cut):
                pass
        else:
            with self.world.lock:
                self.machine.left_requests.append(name)
        return json.loads(volume["Status"]["reply"])

    def check_answer(self, endpoint, body, answer):
        code = answer.get("Code", "")
        self.report.answer(endpoint, code)
        if not code and not answer.get("Err"):
            return
        words = f"{endpoint} {compact(body)}: {compact(answer)}"
        if not answer.get("Err") or not code:
            self.report.fault(f"a refusal without a sentence or a code: {words}")
        if not self.is_allowed(code, answer["Err"]):
            self.report.fault(f"refused: {words}")
        self.report.refusal(endpoint, answer)

    def is_allowed(self, code, sentence):
        if code == "internal":
            return "Docker Engine" in sentence and self.machine.can_refuse_for_engine()
        if code == "state-unreadable":
            return self.machine.can_refuse_for_disk()
        return code not in NEVER

    # --- choices

    def container(self):
        containers = self.world.containers()
        return self.rng.choice(containers)

    def take(self):
        """A container and a target, with its slot's lock held."""
        container = self.container()
        target = self.rng.choice(EXPLICIT)
        slot = container.slots[target]
        if not slot.lock.acquire(blocking=False):
            raise Stopped
        if container.is_leaving:
            slot.lock.release()
            raise Stopped
        return container, target, slot

    def source(self, allow_sick=True):
        while True:
            volume = self.rng.choice(self.world.volumes)
            if allow_sick or not volume.is_sick:
                return volume

    # --- attach and detach

    def attach(self, **fields):
        container, target, slot = self.take()
        try:
            self.attach_at(container, target, slot, fields)
        finally:
            slot.lock.release()

    def attach_at(self, container, target, slot, fields):
        volume = self.source()
        body = {**volume.source(), "Container": self.rng.choice([container.name, container.id]),
            "Target": target, **fields}
        if self.rng.random() < 0.3:
            body["ReadOnly"] = True
        if volume.subpath and self.rng.random() < 0.3:
            body["Subpath"] = volume.subpath
        if self.rng.random() < 0.1 and body.get("Persist", True):
            body["Required"] = True
        before = slot.wanted
        answer, repeated = self.ask("/HotAttach", body)
        if answer["Err"]:
            self.judge_refused_attach(container, slot, body, answer)
            if repeated:
                self.learn(container, target, slot)
            return
        attachment = answer["Attachment"]
        if attachment["ContainerID"] != container.id:
            self.report.fault(f"attached to another container: {compact(body)}: {compact(answer)}")
        if before and not before.is_vague() and "Replace" not in body and before.id != attachment["ID"]:
            self.report.fault(f"two at one target: {compact(body)}: {before.request}, {compact(answer)}")
        slot.wanted, slot.is_unsure = Wanted(volume, attachment, compact(body)), False

    def judge_refused_attach(self, container, slot, body, answer):
        code, words = answer["Code"], f"{compact(body)}: {compact(answer)}"
        if code == "target-exists" and not slot.wanted and not slot.is_unsure:
            self.report.fault(f"something is at a free target: {words}")
        if code == "target-exists" and "Replace" in body:
            self.report.fault(f"not replaced: {words}")
        if code == "no-such-container" and not container.is_leaving:
            self.report.fault(f"a container that is there: {words}")

    def learn(self, container, target, slot):
        """A request without an answer may be done, though the same again is refused: see which it was."""
        self.report.count("requests that were cut off, and refused the second time")
        found = [one for one in self.must_ask("/HotList", {"Container": container.id}).get("Attachments", [])
            if one["Target"] == target and one["ContainerID"] == container.id]
        if not found:
            if slot.wanted and not slot.wanted.is_vague() and not container.is_leaving:
                self.report.fault(f"lost: {slot.wanted}")
            slot.wanted, slot.is_unsure = None, False
        elif slot.is_unsure:
            pass
        elif not slot.wanted or slot.wanted.id != found[0]["ID"]:
            volume = next(one for one in self.world.volumes if found[0]["Volume"] in (one.name, one.path))
            slot.wanted = Wanted(volume, found[0], "learnt")

    def must_ask(self, endpoint, body):
        """Until the disk or the Engine is no reason to refuse it."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            answer, _ = self.ask(endpoint, body)
            if answer.get("Code") in (None, "no-such-container"):
                return answer
            time.sleep(0.5)
        self.report.fault(f"refused for 300 s: {endpoint} {compact(body)}: {compact(answer)}")
        raise Stopped

    def replace(self):
        self.attach(Replace=True)

    def lease(self):
        short = self.rng.random() < 0.7
        self.attach(Replace=True, For=self.rng.randint(1, 15) if short else 86400, Grace=self.rng.randint(0, 3))

    def once(self):
        """For one start: which one that was has to be known."""
        container, target, slot = self.take()
        try:
            before = container.started(self.machine.engine)
            had = slot.wanted
            self.attach_at(container, target, slot, {"Persist": False})
            if slot.wanted is had:
                return
            if had and had.id == slot.wanted.id:
                slot.wanted.once = had.once  # the same again
                return
            slot.wanted.once = before
            try:
                is_same = container.started(self.machine.engine) == before
            except (Away, Cut):
                is_same = False
            if not is_same:
                self.detach_at(container, target, slot)
        finally:
            slot.lock.release()

    def detach(self):
        container, target, slot = self.take()
        try:
            self.detach_at(container, target, slot)
        finally:
            slot.lock.release()

    def detach_at(self, container, target, slot):
        by_id = slot.wanted and self.rng.random() < 0.5
        body = {"ID": slot.wanted.id} if by_id else {"Container": container.id, "Target": target}
        if self.rng.random() < 0.3:
            body["Lazy"] = True
        before = slot.wanted
        answer, repeated = self.ask("/HotDetach", body)
        code = answer.get("Code")
        if not code:
            if not before and not slot.is_unsure:
                self.report.fault(f"detached what was not wanted: {compact(body)}: {compact(answer)}")
            slot.wanted, slot.is_unsure = None, False
        elif "not recorded yet" in answer["Err"]:
            self.report.count("detaches that could not be recorded")
            slot.wanted, slot.is_unsure = None, True
        elif code == "no-such-attachment" or code == "no-such-container":
            slot.wanted, slot.is_unsure = None, False
            if before and not before.is_vague() and not repeated and not container.is_leaving:
                self.report.fault(f"lost: {before.request}: {compact(body)}: {compact(answer)}")

    # --- rules

    def rule(self):
        group, target = self.rng.randrange(GROUPS), self.rng.choice(RULED)
        slot = self.world.rules[group, target]
        if not slot.lock.acquire(blocking=False):
            raise Stopped
        try:
            if slot.wanted:
                self.end_rule(group, target, slot)
            else:
                self.make_rule(group, target, slot)
        finally:
            slot.lock.release()

    def make_rule(self, group, target, slot):
        volume = self.source(allow_sick=False)
        body = {**volume.source(), "Selector": f"label:{LABEL}={group}", "Target": target}
        if self.rng.random() < 0.5:
            body["Each"] = True
        if volume.subpath and self.rng.random() < 0.3:
            body["Subpath"] = volume.subpath
        answer, repeated = self.ask("/HotAttach", body)
        if not answer["Err"]:
            slot.wanted = RuleWanted(volume, answer["Rule"])
            self.report.count("rules")
        elif repeated or "which stays because" in answer.get("Hint", ""):
            self.learn_rule(body, slot, answer)
        elif answer["Code"] == "target-exists":
            self.report.fault(f"something is at a rule's target: {compact(body)}: {compact(answer)}")

    def learn_rule(self, body, slot, answer):
        """It stays if it could not be ended, for want of an Engine or of room on the disk: the hint says so. Or as an
        attachment does."""
        self.report.count("rules that were refused, and had to be asked for")
        self.report.refusal("a rule that stays", answer | {"Err": f"{answer['Err']}; {answer.get('Hint')}"})
        for rule in self.must_ask("/HotRules", {})["Rules"]:
            if rule["Selector"] == body["Selector"] and rule["Target"] == body["Target"]:
                volume = next(one for one in self.world.volumes if rule["Volume"] in (one.name, one.path))
                slot.wanted = RuleWanted(volume, rule)

    def end_rule(self, group, target, slot):
        body = {"ID": slot.wanted.id}
        if self.rng.random() < 0.5:
            body = {"Selector": f"label:{LABEL}={group}", "Target": target}
        if self.rng.random() < 0.5:
            body["Lazy"] = True
        answer, repeated = self.ask("/HotDetach", body)
        code = answer.get("Code")
        if not code or code == "no-such-attachment":
            slot.wanted = None
            if code and not repeated:
                self.report.fault(f"a rule was lost: {compact(body)}: {compact(answer)}")

    # --- questions

    def list(self):
        container = self.container()
        volume = self.rng.choice(self.world.volumes[:7])
        body = self.rng.choice([{}, {"Container": container.id}, {"Volume": volume.name}])
        answer, _ = self.ask("/HotList", body)
        if answer["Err"] and answer["Code"] == "no-such-container" and not container.is_leaving:
            self.report.fault(f"/HotList {compact(body)}: {compact(answer)}")

    def check(self):
        container = self.container()
        body = {**self.source().source(), "Container": container.id, "Target": self.rng.choice(EXPLICIT)}
        self.ask("/HotCheck", body)

    def look(self):
        self.ask(*self.rng.choice([("/HotInfo", {}), ("/HotRules", {}), ("/HotEvents", {"Limit": 10})]))

    # --- volumes that come and go

    def volume(self):
        """Made, attached, detached and removed by the Engine."""
        name = f"short{self.world.number()}"
        if not self.create_volume(name, {}):
            return
        status, _ = self.until_known("GET", f"/volumes/{name}")
        if status != 200:
            self.report.fault(f"volume {name} was lost: {status}")
        container, target, slot = self.take_or_none()
        if container:
            try:
                if not slot.wanted:
                    answer, _ = self.ask("/HotAttach", {"Volume": name, "Container": container.id, "Target": target})
                    if not answer["Err"]:
                        slot.wanted = Wanted(Volume(name), answer["Attachment"], name)
                        self.detach_at(container, target, slot)
                        if slot.wanted:
                            self.keep_detaching(container, target, slot)
            finally:
                slot.lock.release()
        self.remove_volume(name)

    def keep_detaching(self, container, target, slot):
        end = time.monotonic() + 300
        while slot.wanted and time.monotonic() < end:
            time.sleep(0.5)
            self.detach_at(container, target, slot)
        if slot.wanted:
            self.report.fault(f"cannot be detached in 300 s: {slot.wanted.request}")

    def take_or_none(self):
        try:
            return self.take()
        except Stopped:
            return None, None, None

    def until_known(self, method, url, body=None):
        """Status and answer of the Engine, which may be away meanwhile. Repeated if the connection is cut."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                return self.machine.engine.call(method, url, body)
            except (Away, Cut):
                time.sleep(0.5)
        self.report.fault(f"no answer of the Engine: {method} {url}")
        raise Stopped

    def create_volume(self, name, options):
        """Whether it is there now. The answer may be lost, or be of a plugin that is away: then the daemon knows."""
        body = {"Name": name, "Driver": "hostvol", "DriverOpts": options}
        try:
            status, answer = self.machine.engine.call("POST", "/volumes/create", body)
            is_there = status == 201
        except (Away, Cut):
            status, answer, is_there = 0, None, False
        if not is_there:
            is_there = self.daemon_has(name)
            if status and is_there and self.is_refusal(answer):
                self.report.fault(f"volume {name} was refused, and is there: {answer}")
        if is_there:
            with self.world.lock:
                self.world.names.add(name)
            self.report.count("volumes")
        return is_there

    @staticmethod
    def is_refusal(answer):
        """By hostvol, and not by an Engine that does not reach it."""
        text = str(answer)
        return not any(word in text for word in ("dial unix", "EOF", "connection re", "timeout", "deadline"))

    def daemon_has(self, name):
        end = time.monotonic() + 300
        while time.monotonic() < end:
            try:
                status, answer = self.hostvol.call("/VolumeDriver.Get", {"Name": name})
                if answer.get("Code") not in (None, "no-such-volume"):
                    time.sleep(0.5)
                    continue
                return status == 200
            except (Away, Cut):
                time.sleep(0.5)
        self.report.fault(f"no answer about volume {name}")
        raise Stopped

    def remove_volume(self, name):
        end = time.monotonic() + 300
        while time.monotonic() < end:
            status, answer = self.until_known("DELETE", f"/volumes/{name}")
            if status in (204, 404):
                with self.world.lock:
                    self.world.names.discard(name)
                if self.daemon_has(name):
                    if status == 204:
                        self.report.fault(f"volume {name} was removed, and is there")
                    with self.world.lock:
                        self.world.names.add(name)
                else:
                    return
            time.sleep(0.5)
        self.report.fault(f"volume {name} cannot be removed in 300 s: {status} {answer}")

    def option_volume(self):
        """With the option attach, which is part of the volume: removing it detaches."""
        container = self.container()
        slot = container.slots[OPTION]
        if not slot.lock.acquire(blocking=False):
            raise Stopped
        try:
            if container.is_leaving:
                return
            name = f"option{self.world.number()}"
            path = f"{self.world.dir}/data/path2"
            if self.create_volume(name, {"path": path, "attach": f"{container.name}:{OPTION}"}):
                self.report.count("volumes with the option attach")
                if self.rng.random() < 0.7 or not self.keep_option(container, slot, name):
                    self.remove_volume(name)
        finally:
            slot.lock.release()

    def keep_option(self, container, slot, name):
        """It stays for a while, as the one that is wanted there."""
        answer, _ = self.ask("/HotList", {"Volume": name})
        found = answer.get("Attachments") or []
        if len(found) != 1:
            if not answer["Err"] and not container.is_leaving:
                self.report.fault(f"the attachment of volume {name} is lost: {compact(answer)}")
            return False
        time.sleep(self.rng.uniform(0, 3))
        return False

