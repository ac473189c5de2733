# SPDX-License-Identifier: GPL-2.0-or-later
"""rates.*: what arrives of a rate, in per cent of it. Only when asked for by name
(`make bench ROWS='rates.*'`): it takes 10 minutes, and
15 where the kernel has fq.

rates.WHERE.WAY.RTT.MIX. WHERE: tc, xdp: policed at that hook; fq: TC, with fq on
both sides of the box, so that packets wait (this takes a kernel that has fq).
WAY: up, down. RTT: ms to the internet and back. MIX: tcp1, tcp8: one TCP flow, or
eight (cubic); bbr1: one by BBR; udp: more of it than the rate; mix: TCP, and small
UDP packets for a third of the rate. Ten guests at once: 0.25, 1, 10, 100 and 500
Mbit/s, each over IPv4 and IPv6; these are the row's values. 500 only by TCP: no
machine sends that many datagrams for all. Counted are IP bytes, headers too, in the
first 10 s, so with the burst that a rate begins with: of tcp1, tcp8 and bbr1 what
arrives, of udp and mix what the gate lets pass, because a busy receiver loses
datagrams. The baseline is 100. bbr1 has no goal: what BBR makes of losses at a few
packets a second is its own."""

import json
import os
import pathlib
import socket
import subprocess
import threading
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
PAYLOAD = {4: 1448, 6: 1428}    # of 1500 bytes of IP
SECONDS, SPARE = 10, 1
SAMPLE_SECONDS, BEGUN = 0.05, 2000
UDP_SHARE = 1.2
DATAGRAMS_MAX = 100_000


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
                    # Room for 240 ms of 500 Mbit/s, as where gatehouse puts it itself.
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

    def passed(self, way):
        """{guest: (when, IP bytes that the gate let pass so far)}"""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(f"/run/gatehouse-lab/{self.prefix}/control.sock")
            counts = {}
            for n, _, _ in self.guests:
                s.send(json.dumps({"op": "clients.get",
                                   "args": {"mac": self.mac(n)}}).encode())
                counts[n] = (time.monotonic(), json.loads(s.recv(1 << 16))[
                    "bytesUp" if way == "up" else "bytesDown"])
        return counts

    def sample(self, way, samples, is_over):
        while not is_over.wait(SAMPLE_SECONDS):
            samples.append(self.passed(way))

    def share(self, way, flows):
        """{(rate, family): per cent of the rate that these flows make together}"""
        servers, clients, ports = {}, {}, {}
        has_datagrams = any("-u" in flow(1) for flow in flows)
        guests = [guest for guest in self.guests
                  if not has_datagrams or guest[1] <= DATAGRAMS_MAX]
        for n, _, family in guests:
            for i, flow in enumerate(flows):
                ports[n, i] = 5300 + 50 * i + n
                servers[n, i] = self.start("inet", "iperf3", "-s", "-1", "-J", "-i", 0.1,
                                           f"-{family}", "-p", ports[n, i])
        end = time.monotonic() + 30
        while self.listeners() < len(servers) and time.monotonic() < end:
            time.sleep(0.05)
        samples, is_over = [self.passed(way)], threading.Event()
        sampler = threading.Thread(target=self.sample, args=(way, samples, is_over))
        sampler.start()
        try:
            for i, flow in enumerate(flows):
                # What comes first fills the rate, so the next has to be tough.
                time.sleep(i * SPARE / 2)
                for n, rate, family in guests:
                    clients[n, i] = self.start(
                        f"g{n}", "iperf3", "-c", SERVERS[family], "-p", ports[n, i], "-J",
                        "-i", 0.1, "-t", SECONDS + SPARE, *flow(rate),
                        *(["-R"] if way == "down" else []))
            begun = time.monotonic() if len(flows) > 1 else 0
            time.sleep(SECONDS + SPARE)
        finally:
            is_over.set()
            sampler.join()
        at_client = {key: self.report(process) for key, process in clients.items()}
        at_server = {key: self.report(process) for key, process in servers.items()}
        if has_datagrams:
            passed = {n: first_seconds([s[n] for s in samples], begun) for n, _, _ in guests}
        else:
            passed = {n: arrived((at_server if way == "up" else at_client)[n, 0], family)
                      for n, _, family in guests}
        return {(rate, family): passed[n] * 8 / SECONDS / (rate * 10)
                for n, rate, family in guests}

    @staticmethod
    def report(process):
        """iperf3's."""
        try:
            text = process.communicate(timeout=60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            text = process.communicate()[0]
        report = json.loads(text[text.find("{"):] or "{}")
        if not report.get("intervals"):
            raise BenchError(report.get("error") or "iperf3 saw nothing")
        return report


def first_seconds(series, begun):
    """Bytes in the first seconds of who passed some, of several flows since all
    of them did."""
    idle = series[0][1]
    # The last sample of silence is the beginning; opening connections is none.
    first = next((i for i, (_, count) in enumerate(series) if count > idle + BEGUN), 1) - 1
    series = [s for s in series[first:] if s[0] >= begun]
    start, before = series[0]
    end, count = next((s for s in series if s[0] >= start + SECONDS), series[-1])
    return (count - before) * SECONDS / (end - start)


def arrived(report, family):
    """IP bytes that the receiver saw in the first seconds, if segments were full."""
    total = 0
    for interval in report["intervals"]:
        row = interval["sum"]
        inside = min(row["end"], SECONDS) - row["start"]
        if inside > 0:
            total += row["bytes"] * inside / (row["end"] - row["start"])
    return total * 1500 / PAYLOAD[family]


def tcp(count, congestion="cubic"):
    return lambda rate: ("-C", congestion, "-P", count)


def udp(share, size):
    return lambda rate: ("-u", "-b", f"{int(rate * share)}K", "-l", size)


FLOWS = {"tcp1": [tcp(1)], "tcp8": [tcp(8)], "bbr1": [tcp(1, "bbr")],
         "udp": [udp(UDP_SHARE, 1200)], "mix": [udp(0.3, 300), tcp(2)]}


def has_congestion(name):
    known = pathlib.Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    return name in known.read_text(encoding="ascii").split()


def turn(book, hotspot, name, flows):
    for (rate, family), share in hotspot.share(name.split(".")[2], flows).items():
        book.add(name, "%", share, 100)
        if not 97 <= share <= 103:
            print(f"{name}: {rate} kbit/s, IPv{family}: {share:.1f} %", flush=True)


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
