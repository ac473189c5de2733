# SPDX-License-Identifier: GPL-2.0-or-later
"""rates.*: what arrives of a rate, in per cent of it. Only when asked for by name
(`make bench ROWS='rates.*'`): it takes 8 minutes.

rates.WHERE.WAY.RTT.MIX. WHERE: tc, xdp: policed at that hook; fq: TC, with fq on
both sides of the box, so that packets wait (this takes a kernel that has fq).
WAY: up, down. RTT: ms to the internet and back. MIX: tcp1, tcp8: one TCP flow, or
eight (cubic); bbr1: one by BBR; udp: more of it than the rate; mix: TCP, and small
UDP packets for a third of the rate. Ten guests at once: 0.25, 1, 10, 100 and 500
Mbit/s, each over IPv4 and IPv6; these are the row's values. Counted are IP bytes as
they arrive, headers too, in the first 10 s, so with the burst that a rate begins
with. The baseline is 100."""

import json
import os
import pathlib
import subprocess
import time

from place import BenchError, TOP, sh

NEEDS_PLACE = False
BY_NAME = True
WHERE = ("tc", "xdp", "fq")
RTTS = (0, 20)
WAYS = ("up", "down")
MIXES = ("tcp1", "tcp8", "bbr1", "udp", "mix")
NAMES = tuple(f"rates.{where}.{way}.{rtt}.{mix}" for where in WHERE for way in WAYS
              for rtt in RTTS for mix in MIXES)
RATES = (250, 1000, 10_000, 100_000, 500_000)
SERVERS = {4: "192.0.2.80", 6: "2001:db8::80"}
HEADERS = {("tcp", 4): 52, ("tcp", 6): 72, ("udp", 4): 28, ("udp", 6): 48}
SECONDS, SPARE = 10, 0.5
UDP_SHARE = 1.2


class Hotspot:
    """scripts/lab.sh, with a guest for each rate and family."""

    def __init__(self, build, where, rtt):
        self.guests = [(n, rate, family) for n, (rate, family) in enumerate(
            ((r, f) for r in RATES for f in SERVERS), 1)]
        self.prefix = f"ghrates{os.getpid()}"
        self.env = dict(os.environ, LAB_PREFIX=self.prefix, GATEHOUSE_BUILD=str(build))
        delay = ["--delay", rtt // 2] if rtt else []
        try:
            self.lab("up", "--guests", len(self.guests), "--mode",
                     "xdp" if where == "xdp" else "tc", *delay)
            if where == "fq":
                for dev in ("lan0", "wan0"):
                    # Room for 250 ms of 500 Mbit/s, as where gatehouse puts it itself.
                    self.lab("gw", *f"tc qdisc replace dev {dev} root fq limit 40000 "
                             "flow_limit 10500".split())
                self.wait_paced()
            for n, rate, _ in self.guests:
                self.ctl("allow", self.mac(n), "--minutes", 600)
                self.ctl("rate", self.mac(n), "--up", rate, "--down", rate)
        except BaseException:
            self.down()
            raise

    def lab(self, *words):
        return sh([str(TOP / "scripts/lab.sh"), *map(str, words)], env=self.env)

    def ctl(self, *words):
        return self.lab("gw", "gatehousectl", *words)

    def down(self):
        self.lab("down")

    @staticmethod
    def mac(n):
        return f"02:00:00:00:01:{n:02x}"

    def wait_paced(self):
        end = time.monotonic() + 60
        while '"pacedDown": true' not in self.ctl("--json", "status"):
            if time.monotonic() > end:
                raise BenchError("fq is there, but rates are not paced")
            time.sleep(0.5)

    def start(self, who, *words):
        return subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self.prefix}-{who}", "--", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def listeners(self):
        return self.lab("inet", "ss", "-Hltn").count(":53")

    def share(self, way, flows):
        """Per cent of each guest's rate that arrives by its `flows` together."""
        servers, clients = {}, {}
        ports = {}
        for n, _, family in self.guests:
            for i, flow in enumerate(flows):
                ports[n, i] = 5300 + 50 * i + n
                servers[n, i] = self.start("inet", "iperf3", "-s", "-1", "-J", "-i", 0.1,
                                           f"-{family}", "-p", ports[n, i])
        end = time.monotonic() + 30
        while self.listeners() < len(servers) and time.monotonic() < end:
            time.sleep(0.05)
        for n, rate, family in self.guests:
            for i, flow in enumerate(flows):
                clients[n, i] = self.start(
                    f"g{n}", "iperf3", "-c", SERVERS[family], "-p", ports[n, i], "-J",
                    "-i", 0.1, "-t", SECONDS + SPARE, *flow(rate),
                    *(["-R"] if way == "down" else []))
        receivers = servers if way == "up" else clients
        reports = {}
        for key, process in clients.items():
            reports[key] = self.report(process)
        for key, process in servers.items():
            text = self.report(process)
            if receivers is servers:
                reports[key] = text
        return [sum(arrived(reports[n, i], family) for i in range(len(flows)))
                * 8 / SECONDS / (rate * 10) for n, rate, family in self.guests]

    @staticmethod
    def report(process):
        try:
            return process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]


def arrived(report, family):
    """IP bytes that the receiver saw in the first seconds, by iperf3's report."""
    report = json.loads(report[report.index("{"):])
    if not report.get("intervals"):
        raise BenchError(report.get("error") or "iperf3 saw nothing")
    test = report["start"]["test_start"]
    kind = test["protocol"].lower()
    # Of a TCP segment 1500 bytes are IP's; of a datagram its payload is told.
    headers = HEADERS[kind, family]
    payload = test["blksize"] if kind == "udp" else 1500 - headers
    total = 0
    for interval in report["intervals"]:
        row = interval["sum"]
        inside = min(row["end"], SECONDS) - row["start"]
        if inside > 0:
            total += row["bytes"] * inside / (row["end"] - row["start"])
    return total * (payload + headers) / payload


def tcp(count, congestion="cubic"):
    return lambda rate: ("-C", congestion, "-P", count)


def udp(share, size):
    return lambda rate: ("-u", "-b", f"{int(rate * share)}K", "-l", size)


FLOWS = {"tcp1": [tcp(1)], "tcp8": [tcp(8)], "bbr1": [tcp(1, "bbr")],
         "udp": [udp(UDP_SHARE, 1200)], "mix": [tcp(2), udp(0.3, 300)]}


def has_congestion(name):
    known = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    return name in known.read_text(encoding="ascii").split()


def turn(book, hotspot, name, flows):
    values = hotspot.share(name.split(".")[2], flows)
    for (_, rate, family), value in zip(hotspot.guests, values):
        book.add(name, "%", value, 100)
        if not 97 <= value <= 103:
            print(f"{name}: {rate} kbit/s, IPv{family}: {value:.1f} %", flush=True)


def measure(book, build, where, rtt, names):
    hotspot = Hotspot(build, where, rtt)
    try:
        for name in names:
            mix = name.split(".")[4]
            if mix == "bbr1" and not has_congestion("bbr"):
                book.fail([name], "this kernel has no bbr")
            else:
                book.attempt([name], turn, book, hotspot, name, FLOWS[mix])
    finally:
        hotspot.down()


def run(book, build, runs):
    """Once: what varies from run to run varies between guests, too."""
    for where in WHERE:
        for rtt in RTTS:
            names = [n for n in NAMES if n.startswith(f"rates.{where}.")
                     and n.split(".")[3] == str(rtt) and book.wants(n)]
            if names:
                book.attempt(names, measure, book, build.resolve(), where, rtt, names)
