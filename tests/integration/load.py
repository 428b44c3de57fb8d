# SPDX-License-Identifier: Apache-2.0
"""load.py SOCKET CLIENTS SECONDS PREFIX: clients that create, mount, unmount and remove volumes at once.

Each has names of its own, on which every answer is known beforehand, and names that all share, on which
no answer may be anything but done or a refusal with a sentence. A name of its own in five is left
standing; they are printed, one a line, for whoever comes after to see that they are there. A request that
cannot be sent, because the daemon ends the connection, is sent again on a new one; one that was sent is answered.
"""
import http.client
import json
import socket
import sys
import threading
import time

path, clients, seconds, prefix = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
errors, left, calls = [], [], [0] * clients


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)


def work(number, end):
    connection = Connection("hostvol")

    def send(*request):
        try:
            connection.request(*request)
        except BrokenPipeError:
            connection.close()
            connection.request(*request)

    def call(endpoint, **body):
        send("POST", "/VolumeDriver." + endpoint, json.dumps(body))
        answer = connection.getresponse()
        calls[number] += 1
        return answer.status, json.loads(answer.read())

    def must(endpoint, **body):
        status, answer = call(endpoint, **body)
        if status != 200 or answer.get("Err"):
            errors.append(f"{endpoint} {body}: {status} {answer}")
        return answer

    turn = 0
    while time.monotonic() < end and not errors:
        own, shared, use = f"{prefix}{number}_{turn}", f"{prefix}shared{turn % 3}", f"{number}.{turn}"
        must("Create", Name=own, Opts=None)
        if not must("Mount", Name=own, ID=use).get("Mountpoint", "").endswith(own):
            errors.append(f"{own}: not mounted")
        for endpoint in "Create", "Mount", "Get", "Unmount", "Remove":
            status, answer = call(endpoint, Name=shared, ID=use, Opts=None)
            if status != 200 and (not answer.get("Err") or answer.get("Code") == "internal"):
                errors.append(f"{endpoint} {shared}: {status} {answer}")
        must("Unmount", Name=own, ID=use)
        if turn % 5 == 0:
            left.append(own)
        else:
            must("Remove", Name=own)
        names = {volume["Name"] for volume in must("List").get("Volumes", [])} if turn % 10 == 0 else None
        if names is not None and turn % 5 == 0 and own not in names:
            errors.append(f"{own} is not listed")
        turn += 1


def run(number, end):
    try:
        work(number, end)
    except Exception as error:  # a connection that was cut, an answer that is no JSON
        errors.append(f"client {number}: {error!r}")


end = time.monotonic() + seconds
threads = [threading.Thread(target=run, args=(number, end)) for number in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{sum(calls)} calls", file=sys.stderr)
for error in errors[:10]:
    print(error, file=sys.stderr)
print("\n".join(left))
sys.exit(bool(errors))
