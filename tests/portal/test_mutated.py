# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that are wrong in many ways, over the socket: the seeds of
tests/fuzz/fuzz_request.c, mutated. No answer is a fault of ours, nothing is
leaked, the log stays without errors. MUTATED=1000000 sends so many."""
import contextlib
import os
import random
import selectors
import socket
import time

import pytest

from fake import BUILD, CAPTIVE, COINS, LOCKED, ROOT, RUNNING, TOKEN, Portal

COUNT = int(os.environ.get("MUTATED", "600"))
AT_ONCE = 50
PATIENCE = 0.3  # of ours, for an answer; most that are cut short get none
SEEDS = sorted((ROOT / "tests/fuzz/corpus/request").iterdir())
MORE = {"success": True, "token": TOKEN, "mac": "02:00:00:00:00:01", "plan": "<p>"}
REPLIES = [CAPTIVE, RUNNING, COINS, LOCKED, dict(RUNNING, **MORE), MORE,
           {"success": False, "code": "voucher_used", "error": "<b>No</b>"},
           {"success": False, "code": "not_logged_in", "error": "No."}]
WORDS = [b"\r\n", b"\r\n\r\n", b"\0", b"%", b"%00", b"%u00e9", b"\xff\xfe", b"../", b"://",
         b"Content-Length: 99\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n",
         b"Expect: 100-continue\r\n", b"Connection: Upgrade\r\n", b"&" * 300, b"a=" * 99,
         b"{" * 99, b"[" * 99, b"\"", b"<script>", b" HTTP/1.1", b"9" * 40, b"x" * 5000]


def seeds_of(portal):
    own = b"g" if portal.daemon.guests else b"o"
    for path in SEEDS:
        raw = path.read_bytes()
        if raw[:1] == own:
            request = raw.partition(b"\n")[2].partition(b"\n%%\n")[0]
            for name in b"admin.portal.test", b"portal.test":
                request = request.replace(name, f"127.0.0.1:{portal.port}".encode())
            yield request


def mutate(chance, raw):
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        at = chance.randrange(len(raw) + 1)
        end = min(len(raw), at + chance.choice((1, 1, 4, 30)))
        raw = chance.choice((
            lambda: raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1:],
            lambda: raw[:at] + raw[end:],
            lambda: raw[:end] + raw[at:],
            lambda: raw[:at] + chance.choice(WORDS) + raw[at:],
            lambda: raw[:at]))()
    return raw


def memory(portal):
    with open(f"/proc/{portal.process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Storm:
    """AT_ONCE connections, each with one mutated request."""

    def __init__(self, portal, chance):
        self.portal, self.chance = portal, chance
        self.seeds = list(seeds_of(portal))
        self.select = selectors.DefaultSelector()
        self.sent, self.statuses = 0, {}
        self.open = {}

    def begin(self):
        request = mutate(self.chance, self.chance.choice(self.seeds))
        sock = socket.socket()
        n = self.sent
        sock.bind((f"127.{9 + n // 60000 % 200}.{n // 250 % 240}.{n % 250 + 1}", 0))
        sock.connect(("127.0.0.1", self.portal.port))
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.send(request)
        self.select.register(sock, selectors.EVENT_READ)
        self.open[sock] = time.monotonic() + PATIENCE, request
        self.sent += 1

    def end(self, sock):
        raw = b""
        with contextlib.suppress(OSError):
            raw = sock.recv(65536)
        status = raw[9:12].decode("latin-1") if raw.startswith(b"HTTP/1.") else ""
        assert not raw or status.isdigit(), raw[:80]
        assert status not in ("500", "502", "503", "504"), (self.open[sock][1], raw[:500])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.select.unregister(sock)
        del self.open[sock]
        sock.close()

    def run(self, count):
        until = self.sent + count
        while self.sent < until or self.open:
            while self.sent < until and len(self.open) < AT_ONCE:
                self.begin()
            for key, _ in self.select.select(0.02):
                self.end(key.fileobj)
            now = time.monotonic()
            for sock in [s for s, (deadline, _) in self.open.items() if deadline < now]:
                self.end(sock)


@pytest.mark.parametrize("operators", [False, True], ids=["guests", "operators"])
def test_mutated_requests(operators):
    portal = Portal(operators=operators)
    chance = random.Random(COUNT)
    portal.daemon.reply = lambda op, args: chance.choice(REPLIES)
    storm = Storm(portal, random.Random(7))
    storm.run(COUNT // 4)
    before = memory(portal)
    storm.run(COUNT - COUNT // 4)
    print(storm.sent, storm.statuses, f"{before} kB, then {memory(portal)} kB")
    assert storm.statuses.get("200", 0) > COUNT / 50
    # The sanitizer keeps what is freed for a while.
    assert memory(portal) < before + (512 if BUILD.name == "san" else 16) * 1024
    log = portal.log()
    for text in ("cannot add header", "was not answered", "answered twice", "template", TOKEN):
        assert text not in log, text
    assert portal.stop() == 0, portal.log()
