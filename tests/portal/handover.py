# SPDX-License-Identifier: GPL-2.0-or-later
"""A portal that hands over exactly what it is told to, for test_ctl.py.

Runs as the uid of a portal, without privilege, in the gateway's namespace.
Each line that a guest sends over TCP is a request, {"op", "args", "with"}; it
goes to the control socket with the descriptors that "with" names, and the
reply comes back as a line.  "with": "self" is the guest's own connection.

    handover.py SOCKET ADDRESS PORT UID GID [SAVE_SYN]
"""
import array
import json
import os
import socket
import sys
import threading

TCP_SAVE_SYN = 27


def send_frame(sock, data, fds=()):
    rights = []
    if fds:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                   array.array("i", fds).tobytes())]
    sock.sendmsg([data], rights)


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(10)
    sock.connect(path)
    return sock


def call(path, request, fds=()):
    """One request on a connection of its own; the reply as a dict."""
    with connect(path) as sock:
        send_frame(sock, json.dumps(request).encode(), fds)
        return json.loads(sock.recv(65536))


def serve(path, conn):
    """Answer the lines of one guest."""
    with conn, conn.makefile("rw") as lines:
        for line in lines:
            request = json.loads(line)
            what = request.pop("with", ["self"])
            opened = [os.open("/dev/null", os.O_RDONLY) for w in what
                      if w == "null"]
            fds = [conn.fileno() for w in what if w == "self"] + opened
            try:
                reply = call(path, request, fds)
            except OSError as err:
                reply = {"died": str(err)}
            for fd in opened:
                os.close(fd)
            lines.write(json.dumps(reply) + "\n")
            lines.flush()


def main():
    path, address, port, uid, gid = sys.argv[1:6]
    save_syn = int(sys.argv[6]) if len(sys.argv) > 6 else 2
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
    if save_syn:
        listener.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, save_syn)
    listener.bind((address, int(port)))
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    listener.listen(64)
    print("ready", flush=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(path, conn), daemon=True).start()


if __name__ == "__main__":
    main()
