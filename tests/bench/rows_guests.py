# SPDX-License-Identifier: GPL-2.0-or-later
"""redirect.* and redeem.*: what guests wait for.

redirect.cycles: complete connect-GET-302-close cycles per second of two client
threads with the machine's own TCP, answered in the kernel (XDP); baseline: the
same asked of gatehouse-portal. The client is what limits both.
redirect.cpu: ns of one cycle in the gate's programs, as the kernel adds it up
(20 ns for each frame are the adding up); baseline: the portal's cycle, in the
gate's programs and in the processes of portal and daemon.
redeem.c1, .c8, .c64: vouchers redeemed per second over HTTP, 1, 8 or 64 guests at
a time, each with its own MAC, each on disk before its answer; baseline: as many
guests asking for their status, which writes nothing.
redeem.group: lines of spent.log that one commit of redeem.c64 synced, on average;
baseline: the most.
restore.c64: sessions moved per second to devices with another MAC, which show
their token, 64 at a time; baseline as for redeem.
redeem.first_packet_p99: ms from sending the code to the first datagram of that
guest that reaches the internet; baseline: 99th percentile of a status request."""

import hashlib
import os
import secrets
import signal
import sqlite3

from place import FIRST_ADDR, FIRST_GUEST, GATEWAY, INTERNET, BenchError

NEEDS_PLACE = True
REDIRECT = ("redirect.cycles", "redirect.cpu")
REDEEM = ("redeem.c1", "redeem.c8", "redeem.c64", "redeem.first_packet_p99")
RESTORE = ("restore.c64",)
GROUP = ("redeem.group",)
NAMES = REDIRECT + REDEEM + RESTORE + GROUP
CYCLE_SECONDS, WARM_UP_SECONDS = 1.5, 0.1
CYCLE_THREADS = 2
# Guests of one turn.
C1, C8, C64, FIRST, C64_RESTORE = 300, 1500, 4000, 300, 2000


def numbers(text):
    """"ok 5 failed 0 ..." as a dictionary."""
    words = text.split()
    return {k: float(v) for k, v in zip(words[::2], words[1::2])}


def ask(place, address, seconds):
    return numbers(place.run("guest", place.tools / "cycles", address, 80,
                             "/index.html", seconds, CYCLE_THREADS))


def cycles(place, address):
    """(cycles per second, ns of the gate's side for each)"""
    # An interface that got XDP just now loses its first SYN: a whole second.
    ask(place, address, WARM_UP_SECONDS)
    programs, processes = place.program_ns(), place.process_cpu_ns()
    out = ask(place, address, CYCLE_SECONDS)
    if out["bad"] > out["cycles"] / 1000 or not out["cycles"]:
        raise BenchError(f"redirect from {address}: {out}")
    spent = place.program_ns() - programs
    if address == GATEWAY:
        spent += place.process_cpu_ns() - processes
    return out["cycles"] / out["seconds"], spent / out["cycles"]


def redirect_turn(book, place):
    # A veth takes what XDP sends back only with XDP of its own.
    place.hold("guest", "c0", "pass")
    stats = place.count_programs()
    try:
        own = cycles(place, INTERNET)
        # Another site's page, so the portal answers with a 302 too.
        portal = cycles(place, GATEWAY)
    finally:
        os.close(stats)
        place.release("c0")
    book.add("redirect.cycles", "/s", own[0], portal[0])
    book.add("redirect.cpu", "ns", own[1], portal[1])


class Crowd:
    """Hands out guests that were never there, and vouchers."""

    def __init__(self, place):
        self.place = place
        self.next = FIRST_GUEST

    def run(self, what, count, at_once, codes=(), first=None):
        """`first`: of guests that may have been there before."""
        place = self.place
        first = first or self.take(count).start
        place.make_neighbours(range(first, first + count))
        if what in ("redeem", "first"):
            codes = place.make_vouchers(count)
        sink = [place.netns("inet"), "i0", INTERNET] if what == "first" else []
        out = place.run("guest", place.tools / "guests", what, "c0",
                        place.lan_mac, FIRST_ADDR, GATEWAY, 80, first, count,
                        at_once, *sink, input="\n".join(codes))
        result = numbers(out.splitlines()[0])
        if result["failed"] > count / 100:
            raise BenchError(f"{what}: {out.strip()}")
        return result

    def take(self, count):
        """So many guests for somebody else."""
        first, self.next = self.next, self.next + count
        return range(first, first + count)


def redeem_turn(book, crowd, name, count, at_once):
    status = crowd.run("session", count, at_once)
    before = crowd.place.op("status")["spent"]
    redeem = crowd.run("redeem", count, at_once)
    book.add(name, "/s", redeem["ok"] / redeem["seconds"],
             status["ok"] / status["seconds"])
    after = crowd.place.op("status")["spent"]
    if at_once == 64:
        book.add("redeem.group", "lines", (after["lines"] - before["lines"]) /
                 (after["commits"] - before["commits"]), after["largest"])


def make_tokens(place, crowd, count):
    """So many sessions, and a token for each that the database got by hand."""
    place.allow(crowd.take(count))
    place.stop("daemon", signal.SIGTERM)
    tokens = [secrets.token_bytes(32) for _ in range(count)]
    database = sqlite3.connect(place.work / "guests/gatehouse.db")
    with database:
        ids = database.execute("SELECT id FROM sessions WHERE state = 'running'").fetchall()
        database.executemany(
            "INSERT INTO tokens (hash, session_id, expires_at)"
            " VALUES (?, ?, unixepoch() + 86400)",
            [(hashlib.sha256(token).digest(), session)
             for token, (session,) in zip(tokens, ids)])
    database.close()
    place.start_daemon("xdp", "guests")
    return [token.hex() for token in tokens]


def restore_turn(book, crowd, tokens):
    """Another device for each token, which is then no other turn's."""
    mine, tokens[:] = tokens[:C64_RESTORE], tokens[C64_RESTORE:]
    status = crowd.run("session", len(mine), 64)
    restore = crowd.run("restore", len(mine), 64, mine)
    book.add("restore.c64", "/s", restore["ok"] / restore["seconds"],
             status["ok"] / status["seconds"])


def first_turn(book, crowd):
    status = crowd.run("session", FIRST, 1)
    first = crowd.run("first", FIRST, 1)
    book.add("redeem.first_packet_p99", "ms", first["p99"], status["p99"])


def run(book, place, runs):
    place.start_daemon("xdp", "guests")
    crowd = Crowd(place)
    tokens = []
    if book.wants(*RESTORE):
        tokens = make_tokens(place, crowd, runs * C64_RESTORE)
    place.start_portal()
    for _ in range(runs):
        book.attempt(REDIRECT, redirect_turn, book, place)
        book.attempt(REDEEM[:1], redeem_turn, book, crowd, REDEEM[0], C1, 1)
        book.attempt(REDEEM[1:2], redeem_turn, book, crowd, REDEEM[1], C8, 8)
        book.attempt(REDEEM[2:3], redeem_turn, book, crowd, REDEEM[2], C64, 64)
        book.attempt(REDEEM[3:], first_turn, book, crowd)
        book.attempt(RESTORE, restore_turn, book, crowd, tokens)
