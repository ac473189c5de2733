# SPDX-License-Identifier: GPL-2.0-or-later
"""bpf.*: ns per frame in each program, by the kernel's test run. The method is
written at the top of measure_main.c, which does the work."""

import itertools
import pathlib
import shutil
import subprocess

from place import BenchError

NEEDS_PLACE = False
BASE = ("bpf.empty.xdp", "bpf.empty.tc", "bpf.up.hot.xdp", "bpf.up.hot.tc",
        "bpf.down.hot.tc", "bpf.captive_drop.xdp", "bpf.redirect_syn.xdp",
        "bpf.redirect_get.xdp")
NAMES = tuple(n + s for n, s in itertools.product(BASE, ("", ".10k", ".1m"))) + \
    tuple(n + ".1m.same" for n in BASE if ".hot." in n) + \
    ("bpf.floor.xdp", "bpf.floor.tc", "bpf.up.rate.tc", "bpf.down.rate.tc",
     "bpf.up.group.tc", "bpf.down.group.tc", "bpf.up.source.tc",
     "bpf.up.garden.tc", "bpf.down.garden.tc")


def measure(build, wanted, runs):
    """What the program prints. Its maps are pinned: they go, however it ends."""
    process = subprocess.Popen(
        [build / "tests/bench/measure", "-r", str(max(runs, 7)), *wanted],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, error = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
        for pins in pathlib.Path("/sys/fs/bpf").glob(
                f"gatehouse-bench-{process.pid}-*"):
            shutil.rmtree(pins, ignore_errors=True)
    if process.returncode:
        raise BenchError(f"measure: {error.strip()}")
    return out


def run(book, build, runs):
    out = measure(build, [n for n in NAMES if book.wants(n)], runs)
    baseline = {}
    for line in out.splitlines():
        what, name, value = line.split()
        if what == "baseline":
            baseline[name] = float(value)
        else:
            book.add(name, "ns", float(value), baseline[name])
