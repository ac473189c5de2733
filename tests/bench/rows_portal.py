# SPDX-License-Identifier: GPL-2.0-or-later
"""portal.*: what the portal can do, beside nginx (one process, one file of the
welcome page's size) in turns on the same port of the same gateway, asked by the
same guests, each with a MAC and a connection of its own.

portal.welcome|probe|status|redeem.c1|c64|c1000: requests answered per second, 1,
64 or 1,000 guests at a time; each is a question to the daemon, and redeem a
commit to disk. portal.*.p99: 99th percentile of the answer, in ms.
portal.page: bytes of the welcome page with its head, as they are sent;
portal.weight: with everything that it loads. Baseline of both: the page alone.
portal.memory: MiB of the process after all this; baseline: nginx.
portal.online: ms from a phone's first probe to its first byte from the internet:
the probe's redirect, the page and what it loads, the code, the probe again, one
connection each as a phone without keep-alive; baseline: as many files of nginx."""

import re
import socket
import statistics
import time

import nginx
from place import GATEWAY, INTERNET, BenchError
from rows_guests import Crowd

NEEDS_PLACE = True
# How guests_main.c calls it.
KINDS = {"welcome": "welcome", "probe": "asked", "status": "session",
         "redeem": "redeem"}
# Guests at a time: guests of one turn.
CROWDS = {1: 200, 64: 3000, 1000: 4000}
RATES = tuple(f"portal.{kind}.c{n}" for kind in KINDS for n in CROWDS)
TAILS = tuple(f"{name}.p99" for name in RATES)
ONCE = ("portal.page", "portal.weight", "portal.memory", "portal.online")
NAMES = RATES + TAILS + ONCE
PHONES, PHONE_PAUSE = 5, 0.5  # more often, and the gate's limit per client bites


def get(host, path, name=None, body=None):
    """One request over a connection of its own: (status, all bytes)."""
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: {name or host}\r\n" \
           "Connection: close\r\nAccept-Language: en\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection((host, 80), 10) as s:
        s.sendall(f"{head}\r\n{body or ''}".encode())
        answer = bytearray()
        while data := s.recv(65536):
            answer += data
    return int(answer.split(b" ", 2)[1]), bytes(answer)


def loaded_by(page):
    """Paths of what a browser loads with the page by itself."""
    tags = re.findall(r"<(?:link|script|img)\b[^>]*>", page.decode())
    return sorted({path for tag in tags
                   for path in re.findall(r'(?:src|href)="(/[^"]*)"', tag)})


def rss_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024


class Bench:
    """The portal and nginx take turns at port 80."""

    def __init__(self, book, place):
        self.book, self.place, self.crowd = book, place, Crowd(place)
        place.start_portal()
        with place.inside_thread("guest"):
            self.page = get(GATEWAY, "/")[1]
            self.loads = loaded_by(self.page)
            self.weight = len(self.page) + sum(len(get(GATEWAY, path)[1])
                                               for path in self.loads)
        place.stop("portal")
        self.nginx = nginx.prepare(place, GATEWAY, len(self.page))
        # Who only looks may look again; who redeems was never there before.
        looking, online = (self.crowd.take(max(CROWDS.values())) for _ in range(2))
        self.first = {"welcome": looking.start, "probe": looking.start,
                      "status": online.start, "redeem": None}
        if book.wants(*(name for name in RATES + TAILS if ".status." in name)):
            place.allow(online)

    def rates(self, what, names):
        """Runs each crowd; {name: (requests per second, p99)}."""
        results = {}
        for name in names:
            kind, at_once = name.split(".")[1:3]
            at_once = int(at_once[1:])
            result = self.crowd.run(what or KINDS[kind], CROWDS[at_once], at_once,
                                    first=self.first["welcome" if what else kind])
            results[name] = result["ok"] / result["seconds"], result["p99"]
        return results

    def phones(self, steps):
        """Median of what some phones needed, one after another."""
        took = []
        with self.place.inside_thread("guest"):
            for _ in range(PHONES):
                time.sleep(PHONE_PAUSE)
                took.append(steps())
        return statistics.median(took)

    def online(self):
        """A phone with a voucher, and the way back to captive."""
        code = self.place.make_vouchers(1)[0]
        begun = time.monotonic()
        expect(302, get(INTERNET, "/generate_204", "connectivitycheck.gstatic.com"))
        expect(200, get(GATEWAY, "/"))
        for path in self.loads:
            expect(200, get(GATEWAY, path))
        expect(200, get(GATEWAY, "/api/vouchers/activate",
                        body=f'{{"code":"{code}"}}'))
        expect(204, get(INTERNET, "/generate_204", "connectivitycheck.gstatic.com"))
        took = time.monotonic() - begun
        self.place.op("clients.kick", mac=self.place.mac("guest", "c0"))
        return took * 1e3

    def files(self):
        begun = time.monotonic()
        for _ in range(4 + len(self.loads)):
            expect(200, get(GATEWAY, "/file"))
        return (time.monotonic() - begun) * 1e3

    def turn(self):
        book, place = self.book, self.place
        wanted = [name for name in RATES if book.wants(name, f"{name}.p99")]
        place.start_portal()
        ours = self.rates(None, wanted)
        memory = rss_mib(place.portal)
        online = self.phones(self.online) if book.wants("portal.online") else 0
        place.stop("portal")
        place.nginx = place.serve("nginx", *self.nginx)
        theirs = self.rates("static", wanted)
        files = self.phones(self.files) if book.wants("portal.online") else 0
        baseline = rss_mib(place.nginx)
        place.stop("nginx")
        for name in wanted:
            book.add(name, "/s", ours[name][0], theirs[name][0])
            book.add(f"{name}.p99", "ms", ours[name][1], theirs[name][1])
        book.add("portal.page", "bytes", len(self.page), len(self.page))
        book.add("portal.weight", "bytes", self.weight, len(self.page))
        book.add("portal.memory", "MiB", memory, baseline)
        book.add("portal.online", "ms", online, files)


def expect(status, answer):
    if answer[0] != status:
        raise BenchError(f"not {status}: {answer[1][:300].decode(errors='replace')}")


def run(book, place, runs):
    place.start_daemon("xdp", "portal")
    # A veth takes what XDP sends back only with XDP of its own.
    place.hold("guest", "c0", "pass")
    with place.answering("inet", b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"):
        bench = Bench(book, place)
        for _ in range(runs):
            book.attempt(NAMES, bench.turn)
