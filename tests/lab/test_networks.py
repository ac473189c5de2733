# SPDX-License-Identifier: GPL-2.0-or-later
"""Several guest networks on one box, and interfaces that change while guests
use them. VLANs need another kernel: tests/vm/test_networks.py."""
import json
import subprocess
import time

import pytest

from gatebox import GROUP, Traffic, build_driver, mac, run, wait_for
from lans import Lans


@pytest.fixture(scope="module", autouse=True)
def driver():
    build_driver()


def states(gate):
    return {name: row["state"] for name, row in gate.rows().items()}


def test_several_at_once():
    with Lans("plain", "bridge", "plain") as box:
        box.start(hook="tc")
        box.check_gated()
        box.check_portals()


def test_renamed_under_traffic():
    """Two interfaces change names: each is what the file says of its new name.
    A captive guest gets nothing through on the way."""
    with Lans("plain", "plain") as box:
        gate = box.start(hook="tc")
        paid, captive = Traffic(box, 1), Traffic(box, 2)
        gate.ask(f"run {mac(1)}")
        assert paid.comes_back()
        paid.start()
        captive.start()
        for _ in range(5):
            for line in ("w1 name w9", "w2 name w1", "w9 name w2"):
                # The kernel since 6.0 renames what is up; an older one does not.
                box.ip("gw", f"link set {line}", check=False)
        wait_for("attached", lambda: states(gate) == {"w1": "attached", "w2": "attached"})
        assert captive.stop() == set()
        paid.stop()
        assert paid.comes_back(), "a running guest is one on every network"
        # The guest's interface is now the one of the second network.
        said = run("ip", "netns", "exec", box.ns("g2"), "curl", "-s", "-m", "5", "-i",
                   "http://203.0.113.2/", check=False)
        assert "http://10.7.1.1/" in said, said


def test_renamed_away_and_back():
    with Lans("plain", "plain") as box:
        gate = box.start(hook="tc")
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert one.comes_back()
        box.ip("gw", "link set w1 name w9")
        wait_for("closed", lambda: states(gate) == {
            "w1": "absent", "w9": "retired", "w2": "attached"})
        assert box.group("w9") == 0
        assert not one.passes()
        box.ip("gw", "link set w9 name w1")
        wait_for("open", lambda: states(gate) == {"w1": "attached", "w2": "attached"})
        assert box.group("w1") == GROUP and one.comes_back()


def test_vanishes_under_traffic_while_another_goes_on():
    with Lans("plain", "plain") as box:
        gate = box.start(hook="tc")
        for n in box.kinds:
            gate.ask(f"run {mac(n)}")
        stays = Traffic(box, 2)
        assert stays.comes_back()
        stays.start()
        for _ in range(5):
            box.ip("gw", "link del w1")
            wait_for("absent", lambda: states(gate)["w1"] == "absent")
            box.add_guest(1)
            wait_for("attached", lambda: states(gate)["w1"] == "attached")
            assert Traffic(box, 1).comes_back()
        arrived = stays.stop()
        assert arrived == set(range(1, stays.sent + 1))


def pings(box, n, address):
    return subprocess.run(
        ["ip", "netns", "exec", box.ns(f"g{n}"), "ping", "-q", "-c", "1", "-W", "1", address],
        capture_output=True, check=False).returncode == 0


def test_the_box_gets_another_address():
    """Guests reach the box where it is now, and not where it is for others."""
    with Lans("plain", "plain") as box:
        gate = box.start(hook="tc")
        gate.ask(f"run {mac(1)}")
        assert pings(box, 1, "10.7.1.1")
        box.ip("gw", "addr del 10.7.1.1/24 dev w1")
        box.ip("gw", "addr add 10.7.1.2/24 dev w1")
        at = json.loads(box.ip("gw", "-j link show w1"))[0]["address"]
        box.ip("g1", f"neigh replace 10.7.1.2 lladdr {at} dev eth0 nud permanent")
        wait_for("new address", lambda: pings(box, 1, "10.7.1.2"))
        assert not pings(box, 1, "10.7.2.1"), "another network's"
        # Forwarding does not depend on it.
        assert Traffic(box, 1).comes_back()


def test_an_address_becomes_the_boxs_own():
    with Lans("plain") as box:
        box.ip("up", "addr add 198.51.100.9/32 dev lo")
        box.ip("gw", "route add 198.51.100.9 via 203.0.113.2")
        gate = box.start(hook="tc")
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        one.target = ("198.51.100.9", one.target[1])
        assert one.passes()
        before = gate.ask("reasons")["reasons"].get("drop_inside", 0)
        box.ip("gw", "addr add 198.51.100.9/32 dev up0")
        wait_for("inside", lambda: not one.passes(3) and
                 gate.ask("reasons")["reasons"].get("drop_inside", 0) > before)
        box.ip("gw", "addr del 198.51.100.9/32 dev up0")
        wait_for("outside", one.passes)


def test_another_mac_of_the_box():
    with Lans("plain") as box:
        gate = box.start(hook="tc")
        gate.ask(f"run {mac(1)}")
        box.ip("gw", "link set w1 address 02:00:00:00:fe:01")
        box.ip("g1", "neigh replace 10.7.1.1 lladdr 02:00:00:00:fe:01 dev eth0 nud permanent")
        box.ip("gw", f"neigh replace 10.7.1.11 lladdr {mac(1)} dev w1 nud permanent")
        wait_for("the box there", lambda: pings(box, 1, "10.7.1.1"))
        assert Traffic(box, 1).comes_back()
        time.sleep(0.1)
        assert states(gate) == {"w1": "attached"}
