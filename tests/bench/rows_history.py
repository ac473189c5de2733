# SPDX-License-Identifier: GPL-2.0-or-later
"""history.*: 1,000,000 sessions that ended, with what belongs to them. Only when
asked for by name (`make bench ROWS='history.*'`): it takes a minute and 1 GB.

history.bytes: bytes that the database grew by, per session: its row, a credit, a
payment, half a voucher, an address, an audit row, their indices; a device for
three of them and an event for ten.
history.start: s from starting the daemon until it answers. history.ops: the
longest, in ms, that one of the operations of OPS took; history.wait: the longest
that somebody else's `status` took while a table was exported. history.export:
rows a second of that. history.daemon: the most MiB that it had in memory.
Baselines: a database without a past, but for the last two."""

import pathlib
import subprocess
import threading
import time

import history
from place import BenchError

NEEDS_PLACE = True
BY_NAME = True
SESSIONS = 1000000
NAMES = ("history.bytes", "history.start", "history.ops", "history.wait",
         "history.export", "history.daemon")
MAC = "06:00:00:01:86:a0"
OPS = (("status", {}), ("sessions.list", {}), ("sessions.list", {"state": "running"}),
       ("clients.list", {}), ("clients.get", {"mac": MAC}), ("jobs.list", {}),
       ("vouchers.list", {}), ("vouchers.list", {"state": "unused"}),
       ("vouchers.list", {"batch": "batch-77"}), ("payments.list", {}),
       ("payments.sums", {}), ("addresses.list", {}), ("addresses.list", {"of": MAC}),
       ("addresses.list", {"of": "10.1.2.3"}), ("statistics.list", {}),
       ("events.list", {}), ("coins.list", {}))


def longest_ms(place, ops, times=3):
    worst = 0
    for name, args in ops:
        took = []
        for _ in range(times):
            begun = time.monotonic()
            place.op(name, **args)
            took.append((time.monotonic() - begun) * 1000)
        worst = max(worst, min(took))
    return worst


def export(place):
    """Rows a second, and the longest that `status` took meanwhile, in ms."""
    waits, done = [], threading.Event()

    def ask():
        while not done.is_set():
            waits.append(longest_ms(place, (("status", {}),), 1))

    asking = threading.Thread(target=ask)
    asking.start()
    begun = time.monotonic()
    rows = 0
    with subprocess.Popen([place.build / "gatehousectl", "--socket", place.socket, "export",
                           "sessions"], stdout=subprocess.PIPE) as process:
        for _ in process.stdout:
            rows += 1
    took = time.monotonic() - begun
    done.set()
    asking.join()
    if rows < SESSIONS:
        raise BenchError(f"{rows} rows were exported")
    return rows / took, max(waits)


def peak_mib(place):
    for line in pathlib.Path(f"/proc/{place.daemon.pid}/status").open():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise BenchError("the daemon's memory cannot be read")


def measure(place, state, ops):
    """start, ops, daemon."""
    start = place.start_daemon("tc", state)
    # Jobs that were missed run in the first seconds.
    place.wait(lambda: all(row["lastRun"] for row in place.op("jobs.list")["items"]
                           if row["name"] == "statistics"), 60,
               "the job statistics does not run", place.daemon)
    return start, longest_ms(place, ops), peak_mib(place)


def run(book, place, runs):
    before = measure(place, "empty", [op for op in OPS if op[1] != {"mac": MAC}])
    place.unload()
    place.start_daemon("tc", "history")
    place.unload()
    sizes = {}
    history.make(place.work / "history/gatehouse.db", SESSIONS, sizes)
    book.add("history.bytes", "bytes", sum(sizes.values()) / SESSIONS, 0)
    for turn in range(runs):
        after = measure(place, "history", OPS)
        rate, wait = export(place)
        for name, unit, have, had in (
                ("start", "s", after[0], before[0]), ("ops", "ms", after[1], before[1]),
                ("wait", "ms", wait, 0), ("export", "rows/s", rate, 0),
                ("daemon", "MiB", peak_mib(place), before[2])):
            book.add(f"history.{name}", unit, have, had)
        if turn + 1 < runs:
            place.stop("daemon")
    place.unload()
