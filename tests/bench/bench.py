#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures gatehouse: `make bench`, `make bench ROWS='bpf.* redeem.*'`.

Prints a table and writes bench.json into the build folder: a list of {"name",
"unit", "median", "min", "max", "runs", "baseline", "ratio"}. A baseline is the
median of the same measurement without what the row is about, taken in turns
with the row; ratio is median / baseline. Goals are those of the design.
"""

import argparse
import fnmatch
import json
import os
import pathlib
import statistics
import sys
import time

import rows_bpf
import rows_forward
import rows_guests
import rows_store
from place import BenchError, Place

GROUPS = (rows_bpf, rows_forward, rows_guests, rows_store)

# Pattern, goal in words, test of (row, rows by name). The first that matches.
GOALS = (
    ("bpf.*.hot.*.1m.same", "at most 1.2 x one client",
     lambda r, rows: r["median"] <= 1.2 * median_of(rows, r["name"][:-8], r)),
    ("bpf.*.hot.xdp", "at most 35 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 35),
    ("bpf.*.hot.tc", "at most 35 ns above empty",
     lambda r, rows: r["median"] - r["baseline"] <= 35),
    ("forward.udp64.tc.10k", "below nftset10k", lambda r, rows:
     r["median"] < median_of(rows, "forward.udp64.nftset10k", r)),
    ("forward.udp64.xdp.10k", "below nftset10k", lambda r, rows:
     r["median"] < median_of(rows, "forward.udp64.nftset10k", r)),
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
    ("sweep.100k", "under 50 ms", lambda r, rows: r["median"] < 50),
    ("reconcile.100k", "under 2000 ms", lambda r, rows: r["median"] < 2000),
    ("mem.daemon.100k", "under 64 MiB", lambda r, rows: r["median"] < 64),
    ("mem.kernel.client", "at most 264", lambda r, rows: r["median"] <= 264),
)


def median_of(rows, name, otherwise):
    return rows.get(name, otherwise)["median"]


class Book:
    """Samples as they come, by row."""

    def __init__(self, patterns):
        self.patterns = patterns
        self.units = {}
        self.values = {}
        self.baselines = {}
        self.failed = []

    def wants(self, *names):
        """Whether any of these rows is asked for."""
        return any(fnmatch.fnmatchcase(n, p) for n in names
                   for p in self.patterns)

    def add(self, name, unit, value, baseline):
        if self.wants(name):
            self.units[name] = unit
            self.values.setdefault(name, []).append(value)
            self.baselines.setdefault(name, []).append(baseline)

    def fail(self, what, error):
        self.failed.append(f"{what}: {error}")

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
    """The goal in words and whether it is met; None without a goal."""
    for pattern, words, test in GOALS:
        if fnmatch.fnmatchcase(row["name"], pattern):
            return words, test(row, rows)
    return None


def print_table(rows):
    by_name = {r["name"]: r for r in rows}
    missed = 0
    print(f"{'row':<30} {'unit':<7} {'median':>10} {'min':>10} {'max':>10} "
          f"{'runs':>4} {'baseline':>10} {'ratio':>6}  goal")
    for r in rows:
        goal = judge(r, by_name)
        text = "" if goal is None else \
            f"{goal[0]}: {'met' if goal[1] else 'MISSED'}"
        missed += goal is not None and not goal[1]
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
        print(f"{r['name']:<30} {r['unit']:<7} {r['median']:>10.2f} "
              f"{r['min']:>10.2f} {r['max']:>10.2f} {r['runs']:>4} "
              f"{r['baseline']:>10.2f} {ratio:>6}  {text}")
    print(f"{len(rows)} rows, {missed} miss their goal")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build")
    parser.add_argument("--rows", default="*",
                        help="patterns of row names, separated by spaces")
    parser.add_argument("--runs", type=int, default=5,
                        help="runs of each row (default 5)")
    parser.add_argument("--keep", action="store_true",
                        help="keep the work folder with the logs")
    args = parser.parse_args()
    if os.geteuid():
        sys.exit("bench: needs root for namespaces and BPF; use sudo")
    book = Book(args.rows.split())
    place = None
    start = time.monotonic()
    try:
        for group in GROUPS:
            if not book.wants(*group.NAMES):
                continue
            if group.NEEDS_PLACE and not place:
                place = Place(args.build)
            try:
                group.run(book, place or pathlib.Path(args.build), args.runs)
            except BenchError as error:
                book.fail(group.__name__, error)
                if place:
                    place.show_logs()
    finally:
        if place:
            place.close(keep=args.keep)
    rows = book.rows()
    out = pathlib.Path(args.build) / "bench.json"
    out.write_text(json.dumps(rows, indent=1) + "\n")
    print_table(rows)
    print(f"took {time.monotonic() - start:.0f} s; written to {out}")
    for line in book.failed:
        print(f"not measured: {line}")
    return 1 if book.failed else 0


if __name__ == "__main__":
    sys.exit(main())
