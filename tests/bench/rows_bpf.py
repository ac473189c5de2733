# SPDX-License-Identifier: GPL-2.0-or-later
"""bpf.*: ns per frame in each program, by the kernel's test run. The method is
written at the top of measure_main.c, which does the work."""

import itertools
import subprocess

from place import BenchError

NEEDS_PLACE = False
BASE = ("bpf.empty.xdp", "bpf.empty.tc", "bpf.up.hot.xdp", "bpf.up.hot.tc",
        "bpf.down.hot.tc", "bpf.captive_drop.xdp", "bpf.redirect_syn.xdp",
        "bpf.redirect_get.xdp")
NAMES = tuple(n + s for n, s in itertools.product(BASE, ("", ".10k", ".1m"))) + \
    tuple(n + ".1m.same" for n in BASE if ".hot." in n) + \
    ("bpf.floor.xdp", "bpf.floor.tc")


def run(book, where, runs):
    build = getattr(where, "build", where)
    wanted = [n for n in NAMES if book.wants(n)]
    result = subprocess.run(
        [build / "tests/bench/measure", "-r", str(max(runs, 7)), *wanted],
        capture_output=True, text=True, timeout=300, check=False)
    if result.returncode:
        raise BenchError(f"measure: {result.stderr.strip()}")
    baseline = {}
    for line in result.stdout.splitlines():
        what, name, value = line.split()
        if what == "baseline":
            baseline[name] = float(value)
        else:
            book.add(name, "ns", float(value), baseline[name])
