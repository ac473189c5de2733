# SPDX-License-Identifier: GPL-2.0-or-later
"""forward.*: what the gate adds to a forwarded packet.

forward.udp64.*: CPU ns of the gateway per 64-byte UDP packet forwarded: time of
the NAPI thread that receives from the LAN (driver, gate, routing, sending), by
the packets that left. The generator offers more than one CPU can forward. 1,000
guests at random; `.10k` 10,000 of them. nftset10k is the usual way to do it: an
nftables set of 10,000 MACs, each with a counter and a quota.
forward.tcp.*: one TCP stream guest -> internet, Gbit/s, GSO on.
Baseline of each: the same without a gate (`off`)."""

import json
import subprocess
import time

from place import (FIRST_ADDR, FIRST_GUEST, INTERNET, BenchError, guest_mac, sh)

NEEDS_PLACE = True
FEW, MANY = 1000, 10000
MODES = ("off", "tc", "xdp", "nftset10k")
UDP = tuple(f"forward.udp64.{m}{s}" for m in MODES[:3] for s in ("", ".10k")) + \
    ("forward.udp64.nftset10k",)
TCP = tuple(f"forward.tcp.{m}" for m in MODES[:3])
NAMES = UDP + TCP
SECONDS = 0.8
TCP_SECONDS = 2

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
    sh(place.inside("gw", "nft", "delete", "table", "inet", "bench"), check=False)
    if mode in ("tc", "xdp"):
        place.start_daemon(mode, "forward")
        if not getattr(place, "forward_filled", False):
            place.allow(range(FIRST_GUEST, FIRST_GUEST + MANY))
            place.op("clients.allow", mac=place.mac("guest", "c0"), minutes=1440)
            place.forward_filled = True
    elif mode == "nftset10k":
        # The set's counter and quota are each element's own.
        elements = ", ".join(guest_mac(n) for n in
                             range(FIRST_GUEST, FIRST_GUEST + MANY))
        place.run("gw", "nft", "-f", "-", input=NFTSET % (2 * MANY, elements))


def leave(place, mode):
    if mode in ("tc", "xdp"):
        place.unload()
    elif mode == "nftset10k":
        place.run("gw", "nft", "delete", "table", "inet", "bench")


def udp64(place, guests):
    """CPU ns of the gateway per forwarded packet."""
    storm = place.inside("guest", "taskset", "-c", "0", place.tools / "storm",
                         "send", "c0", place.lan_mac, FIRST_ADDR, INTERNET,
                         FIRST_GUEST, guests, SECONDS + 0.4)
    place.pin_napi(1)
    process = subprocess.Popen(storm, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    time.sleep(0.3)
    cpu, packets = place.gateway_cpu_ns(), place.forwarded()
    time.sleep(SECONDS)
    cpu, packets = place.gateway_cpu_ns() - cpu, place.forwarded() - packets
    output = process.communicate(timeout=30)[0]
    if process.returncode or packets < 10000:
        raise BenchError(f"{packets} packets forwarded; storm: {output.strip()}")
    return cpu / packets


def tcp(place):
    server = subprocess.Popen(
        place.inside("inet", "iperf3", "-s", "-1", "-J"),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place.wait(lambda: ":5201" in place.run("inet", "ss", "-ltnH"), 5,
                   "iperf3 does not listen", server)
        out = place.run("guest", "iperf3", "-c", INTERNET, "-t", TCP_SECONDS,
                        "-J", timeout=30)
    finally:
        server.kill()
        server.wait()
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9


def measure(place, mode, values, want_udp, want_tcp):
    """One turn of one mode: values[row] = figure."""
    enter(place, mode)
    if want_udp:
        place.hold("inet", "i0", "sink")
        place.thread_napi(True)
        if mode != "nftset10k":
            values[f"forward.udp64.{mode}"] = udp64(place, FEW)
            values[f"forward.udp64.{mode}.10k"] = udp64(place, MANY)
        else:
            values[f"forward.udp64.{mode}"] = udp64(place, MANY)
        place.thread_napi(False)
        place.release("i0")
    if want_tcp and mode != "nftset10k":
        values[f"forward.tcp.{mode}"] = tcp(place)
    leave(place, mode)


def run(book, place, runs):
    want_udp, want_tcp = book.wants(*UDP), book.wants(*TCP)
    for _ in range(runs):
        values = {}
        for mode in MODES:
            if mode == "off" or book.wants(*(n for n in NAMES
                                             if n.split(".")[2] == mode)):
                measure(place, mode, values, want_udp, want_tcp)
        for name, value in values.items():
            kind = name.split(".")[1]
            many = name.endswith("10k")
            off = f"forward.{kind}.off" + (".10k" if many else "")
            book.add(name, "ns" if kind == "udp64" else "Gbit/s", value,
                     values[off])
