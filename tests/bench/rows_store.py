# SPDX-License-Identifier: GPL-2.0-or-later
"""sweep.*, reconcile.*, mem.*: the daemon with 100,000 sessions.

sweep.100k: ms of one counter sweep with its commit, as the daemon itself reports
it, while 10,000 of the clients send; .idle: while none does; .busy: while all do,
each of them since the sweep before. Baseline: a sweep without clients.
reconcile.100k: ms from starting the daemon after kill -9 until it answers, maps
as they were; reconcile.100k.reboot: maps gone. Baseline: without sessions, which
is loading the programs.
sweep.10k, reconcile.10k: the same with 10,000 sessions, of which 1,000 send.
mem.daemon.100k: the most MiB that the daemon of all this had in memory; baseline:
the most without sessions.
mem.kernel.client: bytes that the table of clients grew by, per client;
baseline: the record alone."""

import json
import pathlib
import shutil
import signal

from place import FIRST_GUEST, BenchError, sh

NEEDS_PLACE = True
SWEEPS = (("sweep.100k.idle", 0), ("sweep.100k", 10000),
          ("sweep.100k.busy", 100000))
RECONCILES = (("reconcile.100k", False), ("reconcile.100k.reboot", True))
FEWER = ("sweep.10k", "reconcile.10k")
MEMORY = ("mem.daemon.100k", "mem.kernel.client")
NAMES = tuple(n for n, _ in SWEEPS + RECONCILES) + FEWER + MEMORY
SESSIONS, FEWER_SESSIONS = 100000, 10000
RECORD = 192 + 8


def next_sweep(place):
    """ms of the sweep that ends next."""
    before = place.op("status")["sweepMs"]
    place.wait(lambda: place.op("status")["sweepMs"] != before, 30,
               "no sweep ends", place.daemon)
    return place.op("status")["sweepMs"]


def sweep_ms(place, guests):
    """A sweep that lies in the traffic of so many guests as a whole."""
    if not guests:
        return next_sweep(place)
    with place.storm(guests):
        next_sweep(place)
        return next_sweep(place)


def peak_mib(place):
    # nsenter became the daemon: the process is the daemon itself.
    for line in pathlib.Path(f"/proc/{place.daemon.pid}/status").open():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise BenchError("the daemon's memory cannot be read")


def table_bytes(place):
    out = json.loads(sh(["bpftool", "-j", "map", "show", "pinned",
                         f"{place.pins}/clients"]))
    return out["bytes_memlock"]


def restart_ms(place, state, reboot):
    place.stop("daemon", signal.SIGKILL)
    if reboot:
        shutil.rmtree(place.pins)
    return place.start_daemon("tc", state) * 1000


def measure_empty(book, place, runs):
    """The baselines, from a daemon without sessions: row -> figures."""
    place.start_daemon("tc", "empty")
    before = {n: [] for n in NAMES}
    before["table"] = table_bytes(place)
    for _ in range(runs):
        sweep = next_sweep(place)
        for name in [n for n, _ in SWEEPS] + ["sweep.10k"]:
            before[name].append(sweep)
        before["mem.daemon.100k"].append(peak_mib(place))
        for name, reboot in RECONCILES + (("reconcile.10k", False),):
            if book.wants(name):
                before[name].append(restart_ms(place, "empty", reboot))
    place.unload()
    return before


def measure_fewer(book, place, runs, before):
    place.start_daemon("tc", "fewer")
    place.hold("inet", "i0", "sink")
    place.allow(range(FIRST_GUEST, FIRST_GUEST + FEWER_SESSIONS))
    for turn in range(runs):
        book.add("sweep.10k", "ms", sweep_ms(place, FEWER_SESSIONS // 10),
                 before["sweep.10k"][turn])
        if book.wants("reconcile.10k"):
            book.add("reconcile.10k", "ms", restart_ms(place, "fewer", False),
                     before["reconcile.10k"][turn])
    place.release("i0")
    place.unload()


def measure_turn(book, place, turn, before):
    def sweep(name, guests):
        book.add(name, "ms", sweep_ms(place, guests), before[name][turn])

    def reconcile(name, reboot):
        book.add(name, "ms", restart_ms(place, "full", reboot),
                 before[name][turn])

    for name, guests in SWEEPS:
        book.attempt([name], sweep, name, guests)
    # After the sweeps, which use more than anything else.
    book.add("mem.daemon.100k", "MiB", peak_mib(place),
             before["mem.daemon.100k"][turn])
    for name, reboot in RECONCILES:
        book.attempt([name], reconcile, name, reboot)
    # Each turn begins with a daemon that found its sessions at its start.
    if not book.wants(*(n for n, _ in RECONCILES)):
        restart_ms(place, "full", False)


def run(book, place, runs):
    before = measure_empty(book, place, runs)
    if book.wants(*FEWER):
        measure_fewer(book, place, runs, before)
    if not book.wants(*set(NAMES) - set(FEWER)):
        return
    place.start_daemon("tc", "full")
    place.hold("inet", "i0", "sink")
    place.allow(range(FIRST_GUEST, FIRST_GUEST + SESSIONS))
    grown = (table_bytes(place) - before["table"]) / SESSIONS
    if not grown:
        book.fail(["mem.kernel.client"],
                  "this kernel does not say how much a table uses")
    for turn in range(runs):
        measure_turn(book, place, turn, before)
        if grown:
            book.add("mem.kernel.client", "bytes", grown, RECORD)
