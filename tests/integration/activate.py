# SPDX-License-Identifier: Apache-2.0
"""activate.py SOCKET COMMAND...: what systemd does with a .socket and a .service: owns SOCKET, runs
COMMAND with it, and again half a second after it has ended. Ends, and COMMAND with it, by SIGTERM."""
import os
import signal
import socket
import sys
import time

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1] + ".new")
listener.listen(128)
os.rename(sys.argv[1] + ".new", sys.argv[1])
child = 0


def stop(*_):
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    sys.exit(0)


signal.signal(signal.SIGTERM, stop)
while True:
    child = os.fork()
    if child == 0:
        os.dup2(listener.fileno(), 3)
        os.set_inheritable(3, True)  # dup2 does not, if it is that already
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        os.execv(sys.argv[2], sys.argv[2:])
    os.waitpid(child, 0)
    time.sleep(0.5)
