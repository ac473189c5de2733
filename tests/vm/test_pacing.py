# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates where fq is: packets wait for their turn instead of being dropped, up
and down, and a flow has its rate; gatehouse puts fq where nobody chose anything,
and takes away only that."""
import contextlib
import json
import select
import socket
import statistics
import struct
import subprocess
import time

import pytest

from gatebox import PATIENCE, UPLINK, UPLINK6, mac, run, wait_for

PLAIN, BRIDGE, XDP = 1, 2, 8  # conftest.KINDS
RATE = 1000  # kbit/s
COUNT, SIZE = 20, 1200  # within the tolerance: policed, all pass at once
HALF = 15  # the same, of so many at each of two rates
WAYS = ["up", "down"]
SO_TIMESTAMPNS = 35


def tc(lans, line):
    return lans.gw(f"tc {line}")


def qdisc(lans, name):
    return json.loads(tc(lans, f"-j qdisc show dev {name} root"))[0]


def paced(lans, name="w1"):
    row = lans.driver.rows()[name]
    return row["pacedUp"], row["pacedDown"]


def reason(lans, name):
    return lans.driver.ask("reasons")["reasons"].get(name, 0)


@pytest.fixture(scope="module", autouse=True)
def ways_out(lans):
    lans.ip("gw", f"route add default via {UPLINK}")
    lans.ip("gw", f"-6 route add default via {UPLINK6}")
    yield
    lans.ip("gw", f"route del default via {UPLINK}")
    lans.ip("gw", f"-6 route del default via {UPLINK6}")


@pytest.fixture(scope="module")
def fq(lans):
    """From the first test that asks for it to the end."""
    for name in ("w1", "w2", "up0"):
        tc(lans, f"qdisc replace dev {name} root fq")
    wait_for("paced", lambda: paced(lans) == (True, True))
    yield
    for name in ("w1", "w2", "up0"):
        tc(lans, f"qdisc del dev {name} root")
    wait_for("policed", lambda: paced(lans) == (False, False))


@pytest.fixture
def online(lans):
    """Guests at a rate; nobody is left behind."""
    guests = []

    def rate(n, kbps):
        guests.append(n)
        assert lans.driver.ask(f"rate {mac(n)} {kbps}")["error"] == 0
    yield rate
    for n in guests:
        lans.driver.ask(f"close {mac(n)}")


def ends(lans, n, way):
    """Sockets to send by and to receive by, and the address to send to. What is
    received has the time of its arrival, whenever it is read."""
    up, guest = lans.udp("up"), lans.udp(f"g{n}")
    source, sink, to = (guest, up, UPLINK) if way == "up" else (up, guest, f"10.7.{n}.11")
    sink.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return source, sink, (to, sink.getsockname()[1])


def send(source, to, numbers):
    for number in numbers:
        source.sendto(bytes([number]) + bytes(SIZE - 1), to)


def arrivals(sinks, count):
    """(number, seconds) of each."""
    got = []
    while len(got) < count:
        ready = select.select(sinks, [], [], 3 * PATIENCE)[0]
        assert ready, f"{len(got)} of {count}"
        for sink in set(ready):
            data, ancillary, _, _ = sink.recvmsg(2000, 100)
            seconds, ns = struct.unpack("qq", ancillary[0][2])
            got.append((data[0], seconds + ns / 1e9))
    return got


def span(lans, guests, way, count=COUNT):
    """Seconds between the first and the last of a burst, as they arrive; of
    several guests in turns, if it is a list."""
    lanes = [ends(lans, n, way) for n in (guests if isinstance(guests, list) else [guests])]
    for i in range(count):
        source, _, to = lanes[i % len(lanes)]
        send(source, to, [i])
    times = sorted(at for _, at in arrivals([sink for _, sink, _ in lanes], count))
    return times[-1] - times[0]


def lag(lans, n, way, count=COUNT):
    """Seconds that the last of a burst is on its way, however long sending took."""
    source, sink, to = ends(lans, n, way)
    send(source, to, range(count - 1))
    begun = time.time()
    send(source, to, [count - 1])
    return arrivals([sink], count)[-1][1] - begun


def span_at(kbps, count=COUNT):
    return (count - 1) * (SIZE + 28) * 8 / (kbps * 1000)


def least_at(kbps, count):
    """The gate's clock may be two ticks late when a burst begins."""
    return span_at(kbps, count) * 0.9 - 0.008


def rested(seconds, kbps, count):
    """What a burst took; then the meter is as before, so that tries may follow."""
    time.sleep(span_at(kbps, count))
    return seconds


@contextlib.contextmanager
def far_away(lans, ms):
    """The internet, a round trip of `ms` from here."""
    tc_up = ["ip", "netns", "exec", lans.ns("up"), "tc", "qdisc"]
    if ms:
        run(*tc_up, "add", "dev", "eth0", "root", "netem", "delay", f"{ms}ms", "limit", "10000")
    yield
    if ms:
        run(*tc_up, "del", "dev", "eth0", "root")


class Flow:
    """One TCP flow (cubic) of a guest."""

    def __init__(self, lans, n, way, family, port):
        self.way, self.family = way, family
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", lans.ns("up"), "iperf3", "-s", "-1", "-J", "-i", "0.5",
             "-p", str(port)], stdout=subprocess.PIPE, text=True)
        wait_for("a server", lambda: f":{port}" in run(
            "ip", "netns", "exec", lans.ns("up"), "ss", "-Hltn", f"sport = {port}"))
        self.client = subprocess.Popen(
            ["ip", "netns", "exec", lans.ns(f"g{n}"), "iperf3", "-c",
             UPLINK if family == 4 else UPLINK6, "-p", str(port), "-J", "-t", "5", "-i", "0.5",
             "-C", "cubic", *([] if way == "up" else ["-R"])], stdout=subprocess.PIPE, text=True)

    def share(self, kbps):
        """Of its rate, what it gets: the median, for an emulated processor
        stands still now and then."""
        said = {"down": self.client.communicate(timeout=20 * PATIENCE)[0],
                "up": self.server.communicate(timeout=20 * PATIENCE)[0]}
        # What arrives is what counts.
        rates = [i["sum"]["bits_per_second"] for i in json.loads(said[self.way])["intervals"][2:]
                 if i["sum"]["seconds"] > 0.4]
        # Of 1500 bytes that are charged the rest are headers.
        payload = 1448 if self.family == 4 else 1428
        return statistics.median(rates) / (kbps * 1000) * 1500 / payload


@pytest.mark.parametrize("way", WAYS)
def test_without_fq_a_burst_passes_at_once(lans, online, way):
    online(PLAIN, RATE)
    assert lag(lans, PLAIN, way) < span_at(RATE) / 4


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n", [PLAIN, BRIDGE])
def test_packets_wait_for_their_turn(lans, fq, online, n, way):
    online(n, RATE)
    before = reason(lans, "drop_rate")
    assert span_at(RATE) * 0.85 < span(lans, n, way) < span_at(RATE) * 1.5
    assert reason(lans, "drop_rate") == before


@pytest.mark.parametrize("way", WAYS)
def test_a_group_waits_for_its_turn(lans, fq, way):
    """Of two networks; each alone has no rate."""
    guests = [PLAIN, BRIDGE]
    for n in guests:
        assert lans.driver.ask(f"share {mac(n)} 77 {RATE}")["error"] == 0
    before = reason(lans, "drop_group_rate")
    assert span_at(RATE) * 0.85 < span(lans, guests, way) < span_at(RATE) * 1.5
    assert reason(lans, "drop_group_rate") == before
    for n in guests:
        lans.driver.ask(f"close {mac(n)}")


def test_uploads_at_xdp_are_policed(lans, fq, online):
    assert paced(lans, "w8") == (False, False)
    online(XDP, RATE)
    assert lag(lans, XDP, "up") < span_at(RATE) / 4


@pytest.mark.parametrize("ms,flows", [
    (0, [(PLAIN, "up", 4), (BRIDGE, "down", 6)]),
    (20, [(PLAIN, "down", 4), (BRIDGE, "up", 6)])])
def test_a_flow_has_its_rate(lans, fq, online, ms, flows):
    """Of three measurements one has to be right: a busy machine may spoil some."""
    for n, _, _ in flows:
        online(n, 4 * RATE)
    with far_away(lans, ms):
        for _ in range(3):
            running = [Flow(lans, *flow, 5300 + flow[0]) for flow in flows]
            shares = [flow.share(4 * RATE) for flow in running]
            if all(0.94 < share < 1.03 for share in shares):
                return
    assert False, shares


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before,after", [(RATE, 4 * RATE), (4 * RATE, RATE)])
def test_a_change_is_behind_what_waits(lans, fq, online, way, before, after):
    """The new rate holds for the next packet, which overtakes none and is no
    second burst."""
    online(PLAIN, before)
    source, sink, to = ends(lans, PLAIN, way)
    send(source, to, range(HALF))
    assert lans.driver.ask(f"change {mac(PLAIN)} {after}")["error"] == 0
    send(source, to, range(HALF, 2 * HALF))
    got = arrivals([sink], 2 * HALF)
    assert [number for number, _ in got] == list(range(2 * HALF))
    times = [at for _, at in got]
    assert times[HALF - 1] - times[0] > least_at(before, HALF)
    assert times[-1] - times[HALF] > least_at(after, HALF)


@pytest.mark.parametrize("way", WAYS)
def test_fair_use_is_paced_on_both_sides_of_its_limit(lans, fq, online, way):
    online(PLAIN, f"{4 * RATE} {HALF * (SIZE + 28)} {RATE}")
    before = reason(lans, "drop_rate")
    source, sink, to = ends(lans, PLAIN, way)
    send(source, to, range(2 * HALF))
    times = [at for _, at in arrivals([sink], 2 * HALF)]
    fast, slow = times[HALF - 1] - times[0], times[-1] - times[HALF]
    assert least_at(4 * RATE, HALF) < fast < slow
    assert least_at(RATE, HALF) < slow < span_at(RATE, HALF) * 1.5
    assert reason(lans, "drop_rate") == before


def test_what_fq_has_no_room_for_is_policed(lans, fq, online):
    """fq's own limit is 100 packets of a flow."""
    fast, count = 10_000, 60
    online(PLAIN, fast)
    wait_for("policed", lambda: rested(lag(lans, PLAIN, "down", count), fast, count)
             < span_at(fast, count) / 2)
    for name in ("w1", "up0"):
        tc(lans, f"qdisc change dev {name} root fq flow_limit 300")
    wait_for("paced", lambda: rested(span(lans, PLAIN, "down", count), fast, count)
             > span_at(fast, count) * 0.85)


def test_fq_comes_and_goes_with_the_default(lans):
    """On the way out, a device with the kernel's own choice; this one has one
    queue, as a simple card."""
    lans.ip("gw", "link add up9 type ifb")
    lans.ip("gw", "addr add 198.18.0.1/24 dev up9")
    lans.ip("gw", "link set up9 up")
    lans.ip("gw", "route add 1.1.1.1 via 198.18.0.2")
    wait_for("ours", lambda: (qdisc(lans, "up9")["kind"], qdisc(lans, "up9")["handle"])
             == ("fq", "6768:"))
    # What the operator chooses instead stays.
    tc(lans, "qdisc replace dev up9 root tbf rate 1mbit burst 10k latency 50ms")
    time.sleep(1.2)
    assert qdisc(lans, "up9")["kind"] == "tbf"
    tc(lans, "qdisc del dev up9 root")
    wait_for("ours again", lambda: qdisc(lans, "up9")["kind"] == "fq")
    lans.driver.stop()
    lans.start(shape="police")
    assert qdisc(lans, "up9")["handle"] == "0:"
    lans.driver.stop()
    lans.start()
    lans.ip("gw", "link del up9")
