# SPDX-License-Identifier: Apache-2.0
"""fake_engine.py SOCKET FILE...: an Engine that answers its n-th request with the n-th file, and all
that come later with the last one. "-" for a file: no answer, for ever. Who asks for events waits;
who asks which Engine it is (/info) is told, and not counted."""
import os
import socket
import sys

path, answers = sys.argv[1], sys.argv[2:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path + ".new")
listener.listen()
os.rename(path + ".new", path)
silent = []
while True:
    connection, _ = listener.accept()
    request = connection.recv(65536)
    if b"/events" in request.split(b"\r\n")[0]:
        silent.append(connection)
        continue
    if b" /info" in request.split(b"\r\n")[0]:
        body = b'{"ID": "FAKE", "DockerRootDir": "/fake", "Containers": 1}'
    else:
        name = answers.pop(0) if len(answers) > 1 else answers[0]
        if name == "-":
            silent.append(connection)
            continue
        with open(name, "rb") as file:
            body = file.read()
    with connection:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
