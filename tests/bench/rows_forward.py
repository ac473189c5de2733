# SPDX-License-Identifier: GPL-2.0-or-later
"""forward.*, latency.*: what the gate adds to a forwarded packet.

forward.udp64.*: CPU ns of the gateway per 64-byte UDP packet forwarded: time of
the NAPI thread that receives from the LAN (driver, gate, routing, sending), by
the packets that left. The generator offers more than one CPU can forward. 1,000
guests at random; `.10k` 10,000 of them. nftset10k is the usual way to do it: an
nftables set of 10,000 MACs, each with a counter and a quota. One run is the best
of three slices, which tells other load on the machine from the gateway's own.
forward.tcp.*: one TCP stream guest -> internet, Gbit/s, GSO on.
latency.p50.*, latency.p99.*: us of a datagram's way to the internet and back, with
nobody asleep on it (ping_main.c).
Baseline of each: the same without a gate (`off`). xdp_empty: no gate, but an XDP
program that only passes, because on a veth that alone costs TCP a third or more;
a real interface has none of that."""

import time

from place import FIRST_GUEST, INTERNET, BenchError, guest_mac

NEEDS_PLACE = True
FEW, MANY = 1000, 10000
MODES = ("off", "tc", "xdp", "xdp_empty", "nftset10k")
UDP = tuple(f"forward.udp64.{m}{s}" for m in MODES[:3] for s in ("", ".10k")) + \
    ("forward.udp64.xdp_empty", "forward.udp64.nftset10k")
TCP = tuple(f"forward.tcp.{m}" for m in MODES[:4])
P50, P99 = (tuple(f"latency.{p}.{m}" for m in MODES[:4]) for p in ("p50", "p99"))
NAMES = UDP + TCP + P50 + P99
UNITS = {"forward.udp64": "ns", "forward.tcp": "Gbit/s"}
SLICES, SLICE_SECONDS = 3, 0.4
WARM_UP_PACKETS = 100000
TCP_SECONDS, PING_SECONDS = 2, 0.4

NFTSET = """\
table inet bench {
    set clients {
        type ether_addr
        size %d
        counter quota 1000000 mbytes
        elements = { %s }
    }
    chain forward {
        type filter hook forward priority 0; policy drop;
        iifname "wan0" accept
        ether saddr @clients accept
    }
}
"""


def enter(place, mode):
    """Puts the gateway into a mode."""
    if mode in ("tc", "xdp"):
        place.start_daemon(mode, "forward")
        if not getattr(place, "forward_filled", False):
            place.allow(range(FIRST_GUEST, FIRST_GUEST + MANY))
            place.op("clients.allow", mac=place.mac("guest", "c0"), minutes=1440)
            place.forward_filled = True
    elif mode == "xdp_empty":
        place.hold("gw", "lan0", "pass")
    elif mode == "nftset10k":
        # The set's counter and quota are each element's own.
        elements = ", ".join(guest_mac(n) for n in
                             range(FIRST_GUEST, FIRST_GUEST + MANY))
        place.run("gw", "nft", "-f", "-", input=NFTSET % (2 * MANY, elements))


def leave(place):
    place.release()
    place.unload()
    place.run("gw", "nft", "delete", "table", "inet", "bench", check=False)


def slice_of(place):
    """CPU ns of the gateway per packet that it forwards."""
    cpu, packets = place.gateway_cpu_ns(), place.forwarded()
    time.sleep(SLICE_SECONDS)
    cpu, packets = place.gateway_cpu_ns() - cpu, place.forwarded() - packets
    if packets < 10000:
        raise BenchError(f"only {packets} packets were forwarded")
    return cpu / packets


def udp64(place, guests):
    place.hold("inet", "i0", "sink")
    place.thread_napi(True)
    place.pin_napi(1)
    try:
        begun = place.forwarded() + WARM_UP_PACKETS
        with place.storm(guests):
            place.wait(lambda: place.forwarded() > begun, 10,
                       "nothing is forwarded")
            return min(slice_of(place) for _ in range(SLICES))
    finally:
        place.thread_napi(False)
        place.release("i0")


def measure(book, place, mode, values):
    """One turn of one mode: values[row] = figure."""
    guests = MANY if mode == "nftset10k" else FEW
    kinds = ((f"forward.udp64.{mode}", UDP, lambda: udp64(place, guests)),
             (f"forward.udp64.{mode}.10k", UDP, lambda: udp64(place, MANY)),
             (f"forward.tcp.{mode}", TCP, lambda: place.tcp_gbits(TCP_SECONDS)),
             (f"latency.p50.{mode}", P50, lambda: place.ping_us(PING_SECONDS)[0]),
             (f"latency.p99.{mode}", P99, lambda: place.ping_us(PING_SECONDS)[1]))
    enter(place, mode)
    try:
        for name, all_of_kind, figure in kinds:
            # `off` is what all of its kind are beside.
            asked = all_of_kind if mode == "off" else (name,)
            if name in NAMES and book.wants(*asked):
                values[name] = figure()
    finally:
        leave(place)


def run(book, place, runs):
    for _ in range(runs):
        values = {}
        # First, because all others are beside it.
        measure(book, place, "off", values)
        for mode in MODES[1:]:
            book.attempt([n for n in NAMES if n.split(".")[2] == mode],
                         measure, book, place, mode, values)
        for name, value in values.items():
            kind = ".".join(name.split(".")[:2])
            off = f"{kind}.off" + ".10k" * name.endswith("10k")
            book.add(name, UNITS.get(kind, "us"), value, values[off])
