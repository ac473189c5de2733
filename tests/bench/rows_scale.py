# SPDX-License-Identifier: GPL-2.0-or-later
"""scale.*: the daemon with 1,000,000 running sessions. Only when asked for by
name (`make bench ROWS='scale.*'`): it takes minutes and 2 GB.

scale.boot: s from starting the daemon, with the sessions in the database and
no maps, until it answers; scale.restart: after kill -9, maps as they were.
scale.resize: the same with another clients_max, so that every record is carried
over. scale.sweep: ms of a sweep without traffic, scale.sweep_longest: of its
longest part. scale.status, scale.clients: the longest that one of these
operations took while sweeps went on. scale.daemon, .resize_peak:
the most MiB that it had in memory after a start, and after carrying over.
scale.table: bytes of kernel memory per client; baseline: the record alone. The
others have none: what counts is that they are."""

import json
import pathlib
import signal
import sqlite3
import time

from place import FIRST_GUEST, guest_mac, sh

NEEDS_PLACE = True
BY_NAME = True
NAMES = ("scale.boot", "scale.restart", "scale.resize", "scale.sweep",
         "scale.sweep_longest", "scale.status", "scale.clients", "scale.daemon",
         "scale.resize_peak", "scale.table")
SESSIONS = 1000000
ROOM, MORE_ROOM = 1 << 20, 1200000
KIND_MANUAL = 2


def fill(path):
    """Sessions as `allow` would make them, a day long."""
    now = int(time.time())
    end = time.clock_gettime_ns(time.CLOCK_MONOTONIC) + 86400 * 10**9
    numbers = range(FIRST_GUEST, FIRST_GUEST + SESSIONS)
    db = sqlite3.connect(path)
    db.execute("PRAGMA synchronous = OFF")
    db.executemany("INSERT INTO sessions (id, mac, state, started_at)"
                   " VALUES (?, ?, 'running', ?)",
                   ((n, guest_mac(n), now) for n in numbers))
    db.executemany("INSERT INTO credits (session_id, position, kind, plan_name, state,"
                   " deadline_ns) VALUES (?, 1, ?, '', 'in_use', ?)",
                   ((n, KIND_MANUAL, end) for n in numbers))
    db.commit()
    db.close()


def peak_mib(place):
    status = pathlib.Path(f"/proc/{place.daemon.pid}/status").read_text()
    line = next(x for x in status.splitlines() if x.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def table_bytes(place):
    out = json.loads(sh(["bpftool", "-j", "map", "show", "pinned", f"{place.pins}/clients"]))
    return out["bytes_memlock"]


def sweep_ms(place):
    before = place.op("status")["sweepMs"]
    place.wait(lambda: place.op("status")["sweepMs"] != before, 60,
               "no sweep ends", place.daemon)
    return place.op("status")["sweepMs"]


def longest_ms(place, seconds=12):
    """Of status and clients.list, asked in turns."""
    longest = {"status": 0, "clients.list": 0}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for op, before in longest.items():
            begun = time.monotonic()
            place.op(op)
            longest[op] = max(before, (time.monotonic() - begun) * 1000)
    return longest


def start(place, clients_max):
    seconds = place.start_daemon("tc", "scale", clients_max=clients_max, timeout=300)
    records = place.op("status")["records"]
    assert records == SESSIONS, records
    return seconds


def run(book, place, runs):
    place.start_daemon("tc", "scale", clients_max=ROOM)
    empty = table_bytes(place)
    place.unload()
    fill(place.work / "scale/gatehouse.db")
    for turn in range(min(runs, 3)):
        book.add("scale.boot", "s", start(place, ROOM), 0)
        book.add("scale.daemon", "MiB", peak_mib(place), 0)
        book.add("scale.table", "bytes", (table_bytes(place) - empty) / SESSIONS, 200)
        book.add("scale.sweep", "ms", sweep_ms(place), 0)
        book.add("scale.sweep_longest", "ms", place.op("status")["sweepLongestMs"], 0)
        longest = longest_ms(place)
        book.add("scale.status", "ms", longest["status"], 0)
        book.add("scale.clients", "ms", longest["clients.list"], 0)
        place.stop("daemon", signal.SIGKILL)
        book.add("scale.restart", "s", start(place, ROOM), 0)
        place.stop("daemon", signal.SIGKILL)
        book.add("scale.resize", "s", start(place, MORE_ROOM), 0)
        book.add("scale.resize_peak", "MiB", peak_mib(place), 0)
        place.unload()
