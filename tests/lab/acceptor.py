# SPDX-License-Identifier: GPL-2.0-or-later
"""A coin acceptor's program, as docs/coin-acceptors.md says one must be: what
was not acknowledged is told again, by its number."""
import json
import select
import socket
import time


class Acceptor:
    def __init__(self, path):
        self.path, self.seq, self.unacknowledged = str(path), 0, {}
        self.sock, self.buffer, self.said = None, b"", []
        self.state = {"inhibit": True, "lock": None}
        self.connect()

    def connect(self, timeout=20):
        """Connects, however long the daemon takes, and tells what it still has."""
        self.close()
        end = time.monotonic() + timeout
        while True:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self.sock.connect(self.path)
                break
            except OSError:
                self.sock.close()
                assert time.monotonic() < end, "nobody listens for coins"
                time.sleep(0.05)
        self.buffer, self.said = b"", []
        assert self.read(lambda: "slot" in self.state), "no greeting"
        self.seq = max(self.seq, self.state["seq"] or 0)
        for seq in sorted(self.unacknowledged):
            self.send(seq)

    def close(self):
        if self.sock:
            self.sock.close()
            self.sock = None

    def send(self, seq):
        try:
            self.sock.sendall(json.dumps(
                {"pulses": self.unacknowledged[seq], "seq": seq}).encode() + b"\n")
        except OSError:
            pass

    def raw(self, text):
        self.sock.sendall(text.encode() + b"\n")

    def coin(self, pulses=1):
        """A coin falls; its number."""
        self.seq += 1
        self.unacknowledged[self.seq] = pulses
        self.send(self.seq)
        return self.seq

    def read(self, until, timeout=15):
        """Reads until it is true; False: the other side is gone, or silent."""
        end = time.monotonic() + timeout
        while not until():
            if not select.select([self.sock], [], [], max(0, end - time.monotonic()))[0]:
                return False
            try:
                piece = self.sock.recv(65536)
            except OSError:
                return False
            if not piece:
                return False
            self.buffer += piece
            *lines, self.buffer = self.buffer.split(b"\n")
            for line in lines:
                self.take(json.loads(line))
        return True

    def take(self, said):
        self.said.append(said)
        if said.get("counted"):
            self.unacknowledged.pop(said.get("seq"), None)
        if "inhibit" in said:
            self.state.update(said)

    def settled(self):
        """Everything told is acknowledged; reconnects as long as need be."""
        while not self.read(lambda: not self.unacknowledged):
            self.connect()

    def wait_open(self, lock):
        assert self.read(lambda: not self.state["inhibit"] and self.state["lock"] == lock)

    def wait_inhibited(self):
        assert self.read(lambda: self.state["inhibit"])
