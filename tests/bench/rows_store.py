# SPDX-License-Identifier: GPL-2.0-or-later
"""sweep.*, reconcile.*, mem.*: the daemon with 100,000 sessions.

sweep.100k: ms of one counter sweep, as the daemon itself reports it, while
10,000 of the clients send; sweep.100k.busy: while all do. Baseline: a sweep
without clients.
reconcile.100k: ms from starting the daemon after kill -9 until it answers, maps
as they were; reconcile.100k.reboot: maps gone. Baseline: without sessions.
mem.daemon.100k: resident MiB after that; baseline: without sessions.
mem.kernel.client: bytes that the table of clients grew by, per client;
baseline: the record alone."""

import json
import pathlib
import shutil
import signal
import subprocess
import time

from place import FIRST_ADDR, FIRST_GUEST, INTERNET, BenchError, sh

NEEDS_PLACE = True
NAMES = ("sweep.100k", "sweep.100k.busy", "reconcile.100k",
         "reconcile.100k.reboot", "mem.daemon.100k", "mem.kernel.client")
SESSIONS = 100000
ACTIVE = 10000
RECORD = 192 + 8


def sweep_ms(place):
    """The next sweep that the daemon reports."""
    time.sleep(1.2)  # sweep_seconds is 1
    return float(place.op("status")["sweepMs"])


def rss_mib(place):
    # nsenter became the daemon: the process is the daemon itself.
    for line in pathlib.Path(f"/proc/{place.daemon.pid}/status").open():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise BenchError("the daemon's memory cannot be read")


def table_bytes(place):
    out = json.loads(sh(["bpftool", "-j", "map", "show", "pinned",
                         f"{place.pins}/clients"]))
    return out["bytes_memlock"]


def traffic(place, guests, seconds):
    return subprocess.Popen(place.inside(
        "guest", "taskset", "-c", "0", place.tools / "storm", "send", "c0",
        place.lan_mac, FIRST_ADDR, INTERNET, FIRST_GUEST, guests, seconds),
        stdout=subprocess.DEVNULL)


def restart_ms(place, state, reboot=False):
    place.stop("daemon", signal.SIGKILL)
    if reboot:
        shutil.rmtree(place.pins)
    return place.start_daemon("tc", state) * 1000


def measure_empty(place, runs):
    """The baselines, from a daemon without sessions."""
    place.start_daemon("tc", "empty")
    before = {"table": table_bytes(place)}
    before["sweep"] = [sweep_ms(place) for _ in range(runs)]
    before["start"], before["rss"], before["reboot"] = [], [], []
    for _ in range(runs):
        before["start"].append(restart_ms(place, "empty"))
        before["rss"].append(rss_mib(place))
        before["reboot"].append(restart_ms(place, "empty", reboot=True))
    place.unload()
    return before


def measure_sweeps(book, place, turn, before):
    for name, guests in (("sweep.100k", ACTIVE), ("sweep.100k.busy", SESSIONS)):
        if book.wants(name):
            storm = traffic(place, guests, 2.5)
            time.sleep(1.0)
            value = sweep_ms(place)
            storm.wait(30)
            book.add(name, "ms", value, before["sweep"][turn])


def run(book, place, runs):
    before = measure_empty(place, runs)
    place.start_daemon("tc", "full")
    place.hold("inet", "i0", "sink")
    try:
        place.allow(range(FIRST_GUEST, FIRST_GUEST + SESSIONS))
        grown = (table_bytes(place) - before["table"]) / SESSIONS
        for turn in range(runs):
            measure_sweeps(book, place, turn, before)
            if book.wants("reconcile.100k", "mem.*"):
                book.add("reconcile.100k", "ms", restart_ms(place, "full"),
                         before["start"][turn])
            if book.wants("reconcile.100k.reboot"):
                book.add("reconcile.100k.reboot", "ms",
                         restart_ms(place, "full", reboot=True),
                         before["reboot"][turn])
            time.sleep(1.2)  # one sweep: what it allocates counts
            book.add("mem.daemon.100k", "MiB", rss_mib(place),
                     before["rss"][turn])
            if grown:
                book.add("mem.kernel.client", "bytes", grown, RECORD)
    finally:
        place.release("i0")
        place.unload()
    if not grown:
        raise BenchError("mem.kernel.client: this kernel does not say how "
                         "much a table uses")
