# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices on top of a gated one and filters that send packets on: harmless where
the packets meet the gate, refused where they would not. What only hardware does
is in tests/unit/test_bypass.c."""
import pytest

from gatebox import BOX_MAC, Box, Traffic, build_driver, mac, wait_for

CHILD_MAC = "02:00:00:00:ff:77"


class ChildBox(Box):
    """That can have a macvlan device mv0 on the guests' interface."""
    named = "lan1"  # by the file

    def networks(self):
        return f"[network guest]\ninterface = {self.named}\nportal4 = 10.7.0.1\n"

    def add_child(self):
        self.ip("gw", f"link add link lan1 name mv0 address {CHILD_MAC} type macvlan mode bridge")
        self.ip("gw", "link set mv0 up")

    def aim(self, at):
        """The guest sends to this MAC of the box."""
        self.ip("g1", f"neigh replace 10.7.0.1 lladdr {at} dev eth0 nud permanent")

    def live_on(self, name):
        """The box's address, and the guest as a neighbour."""
        other = "mv0" if name == "lan1" else "lan1"
        self.ip("gw", f"addr flush dev {other}", check=False)
        self.ip("gw", f"addr replace 10.7.0.1/24 dev {name}")
        self.ip("gw", f"neigh replace 10.7.0.11 lladdr {mac(1)} dev {name} nud permanent")


@pytest.fixture(scope="module")
def the_box():
    build_driver()
    with ChildBox(guests=1) as one:
        yield one


@pytest.fixture
def box(the_box):
    yield the_box
    the_box.driver.stop()
    the_box.ip("gw", "link del mv0", check=False)
    the_box.live_on("lan1")
    the_box.aim(BOX_MAC)


def test_a_device_on_the_gated_one_is_behind_the_gate(box):
    box.add_child()
    box.aim(CHILD_MAC)
    box.live_on("mv0")
    one = Traffic(box, 1)
    gate = box.start(hook="tc")
    assert gate.rows()["lan1"]["state"] == "attached"
    assert not one.passes(), "captive"
    gate.ask(f"run {mac(1)}")
    # Answers by that device meet the gate of the one that it is on.
    assert one.comes_back()
    assert gate.clients()[mac(1)]["downPackets"] > 0
    gate.ask(f"close {mac(1)}")
    one.server.sendto(b"answer", one.peer)
    assert not one.passes()
    with pytest.raises(BlockingIOError):
        one.client.recv(64)


def test_a_filter_in_software_meets_the_gate(box):
    """tc sends all of the uplink's to the guest's interface, and is left alone."""
    gate = box.start(hook="tc")
    gate.ask(f"run {mac(1)}")
    one = Traffic(box, 1)
    assert one.passes()
    box.gw("tc qdisc add dev up0 clsact")
    box.gw("tc filter add dev up0 ingress pref 9 u32 match u32 0 0 "
           "action mirred egress redirect dev lan1")
    before = gate.ask("reasons")["reasons"]
    one.server.sendto(b"answer", one.peer)
    # To the MAC of the box's uplink: no client's.
    wait_for("it met the gate", lambda: gate.ask("reasons")["reasons"] != before)
    assert gate.rows()["lan1"]["state"] == "attached"
    box.gw("tc qdisc del dev up0 clsact")
    assert one.comes_back()


def test_a_network_on_a_macvlan_device_is_refused(box):
    """The device below has a MAC as well, and forwards what is sent to it."""
    box.named = "mv0"
    box.add_child()
    box.live_on("mv0")
    gate = box.start(hook="tc")
    row = gate.rows()["mv0"]
    assert row["state"] == "failed"
    assert "it is a macvlan device" in row["problem"] and "name lan1" in row["problem"]
    assert box.group("mv0") == 0
    gate.ask(f"run {mac(1)}")
    box.aim(CHILD_MAC)
    assert not Traffic(box, 1).passes(), "closed, although he has a session"
    assert gate.said().count("it is a macvlan device") == 1
