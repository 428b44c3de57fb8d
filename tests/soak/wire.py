# SPDX-License-Identifier: Apache-2.0
"""Calls over unix sockets, and the count of them that the daemon's metrics are compared with."""
import collections
import http.client
import json
import re
import socket
import threading


class Cut(Exception):
    """The connection ended before the answer: it may be done, or not."""


class Away(Exception):
    """Nothing was sent: nobody listens."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("soak", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def exchange(connection, method, url, body):
    """Status and text of the answer; Cut if the connection ends before it."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    try:
        connection.request(method, url, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise Cut(f"{method} {url}: {error!r}") from error


class Engine:
    """The Engine's API; a connection for each call, as the docker command has it."""

    def __init__(self, path):
        self.path = path

    def call(self, method, url, body=None, timeout=120):
        connection = Connection(self.path, timeout)
        try:
            connection.connect()
        except OSError as error:
            raise Away(str(error)) from error
        try:
            status, text = exchange(connection, method, url, body)
        finally:
            connection.close()
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            return status, text

    def get(self, url):
        status, answer = self.call("GET", url)
        if status != 200:
            raise Cut(f"GET {url}: {status} {answer}")
        return answer


class Counts:
    """Of one life of the daemon: requests by endpoint that were begun, and answers by endpoint and code."""

    def __init__(self):
        self.begun = collections.Counter()
        self.answered = collections.Counter()
        self.is_sure = True  # each request that reached the daemon is among them, once


class Gate:
    """Requests pass it; who closes it waits until none is under way."""

    def __init__(self):
        self.changed = threading.Condition()
        self.inside = 0
        self.closed = False

    def __enter__(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.closed)
            self.inside += 1

    def __exit__(self, *_):
        with self.changed:
            self.inside -= 1
            self.changed.notify_all()

    def close(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.closed)
            self.closed = True
            self.changed.wait_for(lambda: self.inside == 0)

    def open(self):
        with self.changed:
            self.closed = False
            self.changed.notify_all()


class Hostvol:
    """The daemon's socket, for one thread."""

    TIMEOUT = 90

    def __init__(self, machine):
        self.machine = machine
        self.connection = None
        self.life = None

    def connect(self):
        """A connection to a known life of the daemon: it may end and begin at any time."""
        while True:
            life = self.machine.life
            connection = Connection(self.machine.socket, self.TIMEOUT)
            try:
                connection.connect()
            except OSError as error:
                raise Away(str(error)) from error
            if life is self.machine.life:
                self.connection, self.life = connection, life
                return
            connection.close()

    def call(self, endpoint, body):
        """Status and answer. Raises Cut, Away."""
        with self.machine.gate:
            if self.connection is None or self.life is not self.machine.life:
                self.close()
                self.connect()
            life = self.life
            with self.machine.counting:
                life.counts.begun[endpoint] += 1
            try:
                status, text = exchange(self.connection, "POST", endpoint, body)
            except Cut:
                life.counts.is_sure = False
                self.connection = None
                raise
            answer = json.loads(text)
            self.count(life, endpoint, answer)
            return status, answer

    def count(self, life, endpoint, answer):
        with self.machine.counting:
            life.counts.answered[endpoint, answer.get("Code") or "ok"] += 1

    def scrape(self):
        """The text of /metrics, by a connection of its own."""
        connection = Connection(self.machine.socket, self.TIMEOUT)
        try:
            connection.connect()
            return parse_metrics(exchange(connection, "GET", "/metrics", None)[1])
        except OSError as error:
            raise Away(str(error)) from error
        finally:
            connection.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def parse_metrics(text):
    """{name: value}, the name with its labels as they stand."""
    values = {}
    for line in text.splitlines():
        found = re.fullmatch(r"([^# ].*) (\S+)", line)
        if found:
            values[found[1]] = float(found[2])
    return values


def requests_of(metrics):
    """{(endpoint, code): number} of the Hot* endpoints: only the soak sends these."""
    found = collections.Counter()
    for name, value in metrics.items():
        match = re.fullmatch(r'hostvol_requests_total\{endpoint="(/Hot[^"]*)",code="([^"]*)"\}', name)
        if match and value:
            found[match[1], match[2]] = int(value)
    return found
