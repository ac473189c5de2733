#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures gatehouse: `make bench`, `make bench ROWS='bpf.* redeem.*'`.

Prints a table and writes bench.json into the build folder: a list of {"name",
"unit", "median", "min", "max", "runs", "baseline", "ratio"}. A baseline is the
median of the same measurement without what the row is about, taken in turns
with the row; ratio is median / baseline. The goals are those of docs/design.md 9.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import rows_bpf
import rows_forward
import rows_guests
import rows_history
import rows_portal
import rows_rates
import rows_scale
import rows_store
import rows_storm
from place import BenchError, Place, clear_leftovers

GROUPS = (rows_bpf, rows_forward, rows_guests, rows_storm, rows_store,
          rows_scale, rows_portal, rows_rates, rows_history)
# What a row may fail with; anything else is a fault of the benchmark's.
FAULTS = (BenchError, OSError, subprocess.SubprocessError)

# Pattern, goal in words, test of (row, rows by name). The first that matches.
GOALS = (
    ("bpf.*.hot.*.1m.same", "at most 1.2 x one client",
     lambda r, rows: r["median"] <= 1.2 * rows[r["name"][:-8]]["median"]),
    ("bpf.*.hot.xdp", "at most 35 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 35),
    ("bpf.*.hot.tc", "at most 35 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 35),
    ("bpf.*.group.tc", "at most 200 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 200),
    ("bpf.*.rate.tc", "at most 90 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 90),
    ("forward.udp64.tc.10k", "below nftset10k", lambda r, rows:
     r["median"] < rows["forward.udp64.nftset10k"]["median"]),
    ("forward.udp64.xdp.10k", "below nftset10k", lambda r, rows:
     r["median"] < rows["forward.udp64.nftset10k"]["median"]),
    ("forward.udp64.tc", "off / on >= 0.95",
     lambda r, rows: r["ratio"] <= 1 / 0.95),
    ("forward.udp64.xdp", "off / on >= 0.95",
     lambda r, rows: r["ratio"] <= 1 / 0.95),
    ("forward.tcp.tc", "on / off >= 0.95", lambda r, rows: r["ratio"] >= 0.95),
    ("forward.tcp.xdp", "on / off >= 0.95", lambda r, rows: r["ratio"] >= 0.95),
    ("redirect.cpu", "under 700 ns", lambda r, rows: r["median"] < 700),
    ("redirect.cycles", "over 3300 (100 x openNDS)",
     lambda r, rows: r["median"] > 3300),
    ("redeem.first_packet_p99", "under 10 ms", lambda r, rows: r["median"] < 10),
    ("redeem.c64", "over 5000", lambda r, rows: r["median"] > 5000),
    ("portal.weight", "under 61440 (60 KB)", lambda r, rows: r["median"] < 61440),
    ("portal.page", "under 14600 (one round trip)",
     lambda r, rows: r["median"] < 14600),
    ("sweep.100k", "under 50 ms", lambda r, rows: r["median"] < 50),
    ("reconcile.100k", "under 2000 ms", lambda r, rows: r["median"] < 2000),
    ("rates.*.tcp1", "94 to 103", lambda r, rows:
     94 <= r["min"] and r["max"] <= 103),
    ("rates.*.[!b]*[!1]", "97 to 103", lambda r, rows:
     97 <= r["min"] and r["max"] <= 103),
    ("history.ops", "under 100 ms", lambda r, rows: r["median"] < 100),
    ("history.wait", "under 100 ms", lambda r, rows: r["median"] < 100),
    ("mem.daemon.100k", "under 64 MiB", lambda r, rows: r["median"] < 64),
    ("mem.kernel.client", "at most 264", lambda r, rows: r["median"] <= 264),
)


class Book:
    """Samples as they come, by row, and what went wrong."""

    def __init__(self, patterns):
        self.patterns = patterns
        self.units = {}
        self.values = {}
        self.baselines = {}
        self.faults = {}

    def wants(self, *names):
        """Whether any of these rows is asked for."""
        return any(fnmatch.fnmatchcase(n, p) for n in names
                   for p in self.patterns)

    def add(self, name, unit, value, baseline):
        if self.wants(name):
            self.units[name] = unit
            self.values.setdefault(name, []).append(value)
            self.baselines.setdefault(name, []).append(baseline)

    def fail(self, names, why):
        """These rows, or what is missing of them, cannot be measured."""
        for name in names:
            if self.wants(name):
                self.faults.setdefault(name, str(why))

    def attempt(self, names, measure, *args):
        """Calls `measure` if one of the rows that it measures is asked for and
        it did not fail before. What goes wrong spoils no other row."""
        wanted = [n for n in names if self.wants(n) and n not in self.faults]
        if not wanted:
            return
        try:
            measure(*args)
        except FAULTS as error:
            self.fail(wanted, error)

    def missing(self, names):
        """A reason for each of these that was asked for and has no figure."""
        for name in names:
            if self.wants(name) and name not in self.values:
                self.faults.setdefault(name, "gave no figure")

    def rows(self):
        result = []
        for name, values in self.values.items():
            median = statistics.median(values)
            baseline = statistics.median(self.baselines[name])
            result.append({
                "name": name, "unit": self.units[name],
                "median": round(median, 3), "min": round(min(values), 3),
                "max": round(max(values), 3), "runs": len(values),
                "baseline": round(baseline, 3),
                "ratio": round(median / baseline, 3) if baseline else None})
        return result


def judge(row, rows):
    """The row's goal and whether it is met, in words; "" without a goal."""
    for pattern, words, test in GOALS:
        if fnmatch.fnmatchcase(row["name"], pattern):
            try:
                return f"{words}: {'met' if test(row, rows) else 'MISSED'}"
            except KeyError as absent:
                return f"{words}: needs {absent.args[0]}"
    return ""


def print_table(rows):
    by_name = {r["name"]: r for r in rows}
    goals = [judge(r, by_name) for r in rows]
    print(f"{'row':<30} {'unit':<7} {'median':>10} {'min':>10} {'max':>10} "
          f"{'runs':>4} {'baseline':>10} {'ratio':>6}  goal")
    for r, goal in zip(rows, goals):
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
        print(f"{r['name']:<30} {r['unit']:<7} {r['median']:>10.2f} "
              f"{r['min']:>10.2f} {r['max']:>10.2f} {r['runs']:>4} "
              f"{r['baseline']:>10.2f} {ratio:>6}  {goal}")
    print(f"{len(rows)} rows; of {sum(map(bool, goals))} goals "
          f"{sum(g.endswith('MISSED') for g in goals)} are missed")


def measure_group(book, group, build, runs, keep):
    """One file of rows, in a place of its own: nothing is handed on."""
    place = None
    try:
        if group.NEEDS_PLACE:
            place = Place(build)
        group.run(book, place or pathlib.Path(build), runs)
    except FAULTS as error:
        book.fail([n for n in group.NAMES if n not in book.values], error)
    finally:
        if place:
            if any(n in book.faults for n in group.NAMES):
                place.show_logs()
            place.close(keep)
    book.missing(group.NAMES)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--rows", default="*",
                        help="patterns of row names, separated by spaces")
    parser.add_argument("--runs", type=int, default=5,
                        help="runs of each row (default 5)")
    parser.add_argument("--keep", action="store_true",
                        help="keep the work folders with the logs")
    return parser.parse_args()


def main():
    args = parse_args()
    if os.geteuid():
        sys.exit("bench: needs root for namespaces and BPF; use sudo")
    # So that whoever ends it finds nothing left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    book = Book(args.rows.split())
    if not any(book.wants(*group.NAMES) for group in GROUPS):
        sys.exit(f"bench: no row is called {args.rows}")
    start = time.monotonic()
    clear_leftovers(args.build)
    for group in GROUPS:
        by_name = getattr(group, "BY_NAME", False) and args.rows == "*"
        if book.wants(*group.NAMES) and not by_name:
            measure_group(book, group, args.build, args.runs, args.keep)
    rows = book.rows()
    out = pathlib.Path(args.build) / "bench.json"
    out.write_text(json.dumps(rows, indent=1) + "\n")
    print_table(rows)
    print(f"took {time.monotonic() - start:.0f} s; written to {out}")
    for name, why in book.faults.items():
        print(f"not measured{' to the end' * (name in book.values)}: "
              f"{name}: {why}")
    return 1 if book.faults else 0


if __name__ == "__main__":
    sys.exit(main())
