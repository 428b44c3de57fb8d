# SPDX-License-Identifier: Apache-2.0
"""recorder.py SOCKET REAL LOG FAULT: stands between the Engine and a daemon of volumes.

Every request is forwarded to the socket REAL and written down in LOG: the call, the volume's name, the
mount's ID ("-" without one), the length of the body. The file FAULT, if it is there, says "CALL FAULT" for the next
such call, and is removed then: "drop" hangs up without asking the daemon, "cut" hangs up after it has
answered, "leave" hangs up on both as soon as the daemon has read the request, "error" answers for it with status 500, "null" with nothing, "late" answers after three seconds.
"""
import contextlib
import fcntl
import http.client
import http.server
import json
import os
import socket
import socketserver
import struct
import sys
import termios
import threading
import time

listen, real, log, fault_file = sys.argv[1:]
lock = threading.Lock()


class Daemon(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(real)


def take_fault(call):
    with lock:
        try:
            with open(fault_file) as file:
                wanted, fault = file.read().split()
        except (FileNotFoundError, ValueError):
            return None
        if wanted != call:
            return None
        os.unlink(fault_file)
        return fault


def note(call, body):
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        request = {}
    with lock, open(log, "a") as file:
        print(call, request.get("Name") or "-", request.get("ID") or "-", len(body), file=file)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = self.path.split(".")[-1]
        note(call, body)
        fault = take_fault(call)
        if fault == "drop":
            return self.hang_up()
        if fault == "error":
            return self.answer(500, b'{"Err": "the recorder says no"}')
        if fault == "null":
            return self.answer(200, b"null")
        if fault == "leave":
            # This thread ends with the request. On a busy machine it would else be scheduled when the daemon has answered.
            with contextlib.suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            daemon = Daemon("hostvol")
            daemon.request("POST", self.path, body)
            while struct.unpack("i", fcntl.ioctl(daemon.sock, termios.TIOCOUTQ, b"    "))[0] > 0:
                pass
            daemon.close()
            return self.hang_up()
        status, answer = self.ask(body)
        if fault == "cut":
            return self.hang_up()
        if fault == "late":
            time.sleep(3)
        self.answer(status, answer)

    def ask(self, body):
        daemon = Daemon("hostvol")
        daemon.request("POST", self.path, body)
        answer = daemon.getresponse()
        data = answer.read()
        daemon.close()
        return answer.status, data

    def answer(self, status, data):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self):
        self.close_connection = True

    def address_string(self):
        return "engine"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):  # the Engine, or the daemon, has gone
        pass


Server(listen, Handler).serve_forever()
