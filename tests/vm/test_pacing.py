# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates where fq is: packets wait for their turn instead of being dropped, up
and down, and a flow has its rate; gatehouse puts fq where nobody chose anything,
and takes away only that."""
import json
import select
import statistics
import subprocess
import time

import pytest

from gatebox import PATIENCE, UPLINK, UPLINK6, mac, run, wait_for

PLAIN, BRIDGE, XDP = 1, 2, 8  # conftest.KINDS
RATE = 1000  # kbit/s
COUNT, SIZE = 20, 1200  # within the tolerance: policed, all pass at once
WAYS = ["up", "down"]


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


def span(lans, guests, way, count=COUNT):
    """Seconds between the first and the last of a burst, as they arrive; of
    several guests in turns, if it is a list."""
    guests = guests if isinstance(guests, list) else [guests]
    up, ends = lans.udp("up"), {n: lans.udp(f"g{n}") for n in guests}
    for i in range(count):
        n = guests[i % len(guests)]
        source, sink, to = ((ends[n], up, UPLINK) if way == "up"
                            else (up, ends[n], f"10.7.{n}.11"))
        source.sendto(bytes(SIZE), (to, sink.getsockname()[1]))
    times = []
    while len(times) < count:
        ready = select.select([up, *ends.values()], [], [], 3 * PATIENCE)[0]
        assert ready, f"{len(times)} of {count}"
        for sink in ready:
            sink.recv(2000)
            times.append(time.monotonic())
    return times[-1] - times[0]


def span_at(kbps, count=COUNT):
    return (count - 1) * (SIZE + 28) * 8 / (kbps * 1000)


def rested_span(lans, n, kbps, count):
    """Of a burst after which the meter is as before, so that tries may follow."""
    seconds = span(lans, n, "down", count)
    time.sleep(span_at(kbps, count))
    return seconds


def share(lans, n, way, kbps):
    """Of its rate, what one TCP flow gets: the median, for an emulated processor
    stands still now and then."""
    server = subprocess.Popen(["ip", "netns", "exec", lans.ns("up"), "iperf3", "-s", "-1", "-J"],
                              stdout=subprocess.DEVNULL)
    try:
        wait_for("a server", lambda: "5201" in run("ip", "netns", "exec", lans.ns("up"), "ss",
                                                   "-Hltn", "sport = 5201"))
        direction = [] if way == "up" else ["-R"]
        # What arrives is what counts.
        report = json.loads(run("ip", "netns", "exec", lans.ns(f"g{n}"), "iperf3", "-c", UPLINK,
                                "-J", "-t", "5", "-i", "0.5", "-C", "cubic",
                                "--get-server-output", *direction))
    finally:
        server.wait(20)
    if way == "up":
        report = report["server_output_json"]
    rates = [i["sum"]["bits_per_second"] for i in report["intervals"][2:]
             if i["sum"]["seconds"] > 0.4]
    # Of 1500 bytes that are charged 1448 are payload.
    return statistics.median(rates) / (kbps * 1000) * 1500 / 1448


@pytest.mark.parametrize("way", WAYS)
def test_without_fq_a_burst_passes_at_once(lans, online, way):
    online(PLAIN, RATE)
    assert span(lans, PLAIN, way) < span_at(RATE) / 2


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
    assert span(lans, XDP, "up") < span_at(RATE) / 2


@pytest.mark.parametrize("way", WAYS)
def test_a_flow_has_its_rate(lans, fq, online, way):
    online(PLAIN, 4000)
    assert 0.94 < share(lans, PLAIN, way, 4000) < 1.03


def test_what_fq_has_no_room_for_is_policed(lans, fq, online):
    """fq's own limit is 100 packets of a flow."""
    fast, count = 10_000, 60
    online(PLAIN, fast)
    assert span(lans, PLAIN, "down", count) < span_at(fast, count) / 2
    for name in ("w1", "up0"):
        tc(lans, f"qdisc change dev {name} root fq flow_limit 300")
    wait_for("paced", lambda: rested_span(lans, PLAIN, fast, count) > span_at(fast, count) * 0.85)


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
