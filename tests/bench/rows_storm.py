# SPDX-License-Identifier: GPL-2.0-or-later
"""storm.*, flood.*: what others cost a client that has paid.

storm.*: 200,000 probe cycles (SYN, GET, 302, FIN) of 1,000 captive MACs, answered
on TC as fast as one CPU asks. storm.cycles: of them per second. storm.p50,
storm.p99: us of a paid client's datagram there and back meanwhile; storm.tcp: its
Gbit/s, in another such storm, as long as it takes. Baseline: the same without.
flood.cpu.*: ns of the gateway for a 64-byte frame of a MAC that was never seen
before, as many as one CPU can send; baseline: the same frames of 1,000 MACs that
were. flood.daemon.*: per cent of a CPU that gatehoused takes meanwhile.
flood.p50.*, flood.p99.*, flood.tcp.*: a paid client during such a flood of
148,810 frames a second, which fill a port of 100 Mbit/s; baseline: none."""

import subprocess
import time

from place import FIRST_ADDR, INTERNET, NETWORK_KBPS_DEFAULT, BenchError
from rows_guests import numbers

NEEDS_PLACE = True
STORM = ("storm.cycles", "storm.p50", "storm.p99", "storm.tcp")
FLOOD = {hook: tuple(f"flood.{what}.{hook}" for what in
                     ("cpu", "daemon", "p50", "p99", "tcp"))
         for hook in ("tc", "xdp")}
NAMES = STORM + FLOOD["tc"] + FLOOD["xdp"]
PROBERS, ROUNDS, AT_ONCE = 1000, 200, 64
UNTIL_SEEN = 1000000        # rounds: more than anybody waits for
STRANGERS = 1 << 24         # their first number, and how many there are
PORT_RATE = 148810
PING_SECONDS, TCP_SECONDS = 0.6, 1.2
WARM_UP_FRAMES = 50000      # the LRUs are full of them then
SLICES, SLICE_SECONDS = 3, 0.3


def watch(place):
    """What a paid client has: median and 99th percentile in us, Gbit/s."""
    return *place.ping_us(PING_SECONDS), place.tcp_gbits(TCP_SECONDS)


def decided(place, *reasons):
    """Packets so far that the gate decided about, for these reasons or any."""
    return sum(item["packets"] for item in place.op("reasons")["items"]
               if not reasons or item["reason"] in reasons)


def in_storm(place, look, *args, to_end=False):
    """(what look() saw while they all probed, cycles per second or None)"""
    begun = decided(place, "answer_redirect")
    process = subprocess.Popen(place.inside(
        "guest", "taskset", "-c", "0", place.tools / "guests", "probe", "c0",
        place.lan_mac, FIRST_ADDR, INTERNET, 80, STRANGERS, PROBERS, AT_ONCE,
        ROUNDS if to_end else UNTIL_SEEN),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        place.wait(lambda: decided(place, "answer_redirect") > begun + PROBERS,
                   10, "nobody is redirected", process)
        seen = look(*args)
        if process.poll() is not None:
            raise BenchError("the storm was over before all was seen")
        if not to_end:
            return seen, None
        out = numbers(process.communicate(timeout=60)[0].splitlines()[0])
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    if out["failed"] > PROBERS * ROUNDS / 1000:
        raise BenchError(f"storm: {out}")
    return seen, out["ok"] / out["seconds"]


def storm_turn(book, place):
    quiet = watch(place)
    ping, rate = in_storm(place, place.ping_us, PING_SECONDS, to_end=True)
    gbits, _ = in_storm(place, place.tcp_gbits, TCP_SECONDS)
    book.add("storm.cycles", "/s", rate, 0)
    for name, unit, value, without in zip(
            STORM[1:], ("us", "us", "Gbit/s"), (*ping, gbits), quiet):
        book.add(name, unit, value, without)


def slice_of(place):
    """(ns of the gateway per frame, per cent of a CPU that the daemon takes)"""
    start, cpu, daemon, frames = (time.monotonic(), place.gateway_cpu_ns(),
                                  place.process_cpu_ns(), decided(place))
    time.sleep(SLICE_SECONDS)
    took, cpu, daemon, frames = (
        time.monotonic() - start, place.gateway_cpu_ns() - cpu,
        place.process_cpu_ns() - daemon, decided(place) - frames)
    if frames < 300:
        raise BenchError(f"only {frames} frames of the flood came")
    return cpu / frames, daemon / took / 1e7


def flood_cost(place, macs):
    """The cheapest of a few slices of a flood from so many MACs."""
    place.thread_napi(True)
    place.pin_napi(1)
    try:
        begun = decided(place) + WARM_UP_FRAMES
        with place.storm(macs, STRANGERS):
            place.wait(lambda: decided(place) > begun, 10,
                       "the flood does not come")
            return min(slice_of(place) for _ in range(SLICES))
    finally:
        place.thread_napi(False)


def flood_turn(book, place, hook):
    names = FLOOD[hook]
    known, fresh = flood_cost(place, PROBERS), flood_cost(place, STRANGERS)
    quiet = watch(place)
    with place.storm(STRANGERS, STRANGERS, PORT_RATE):
        busy = watch(place)
    for name, unit, value, without in zip(
            names, ("ns", "%", "us", "us", "Gbit/s"), fresh + busy, known + quiet):
        book.add(name, unit, value, without)


def run(book, place, runs):
    for hook, names in FLOOD.items():
        mine = names + STORM if hook == "tc" else names
        if not book.wants(*mine):
            continue
        place.start_daemon(hook, f"storm-{hook}",
                           network_kbps=NETWORK_KBPS_DEFAULT)
        place.op("clients.allow", mac=place.mac("guest", "c0"), minutes=1440)
        for _ in range(runs):
            if hook == "tc":
                book.attempt(STORM, storm_turn, book, place)
            book.attempt(names, flood_turn, book, place, hook)
        place.unload()
