# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the gate is: on the interface or on a bridge's ports, on those that come
later, never open on one that was made again, put back when it was removed, and
beside what others attached."""
import json
import os
import re
import select
import time

import pytest

from gatebox import (BUILD, GROUP, ROOT, Box, Traffic, attach_foreign_tcx, build_driver, mac,
                     wait_for)

# name -> how the driver is started
WAYS = {
    "xdp": {"hook": "xdp"},
    "tc": {"hook": "tc"},
    "clsact": {"hook": "tc", "clsact": True},
}
HAS_TCX = tuple(int(n) for n in os.uname().release.split(".")[:2]) >= (6, 6)


@pytest.fixture(scope="module", autouse=True)
def driver():
    build_driver()


def start(box, way):
    options = ["--clsact"] if WAYS[way].get("clsact") else []
    return box.start(*options, hook=WAYS[way]["hook"])


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
@pytest.mark.parametrize("way", WAYS)
def test_gated_both_ways(way, bridge):
    with Box(bridge=bridge) as box:
        one = Traffic(box, 1)
        assert one.passes(), "the lab itself must forward"
        gate = start(box, way)
        port = gate.rows()["p1" if bridge else "lan1"]
        assert port["state"] == "attached", port
        expected = {"xdp": "xdp", "tc": "tcx" if HAS_TCX else "clsact", "clsact": "clsact"}
        assert port["up"] == expected[way]
        assert box.group(box.lan) == GROUP
        assert not one.passes(), "captive"
        assert gate.ask(f"run {mac(1)}")["error"] == 0
        assert one.comes_back()
        # One charge per datagram: a bridge's own hooks only check.
        before = gate.clients()[mac(1)]["upPackets"]
        for _ in range(50):
            one.send()
        record = wait_for("50 charged", lambda: [
            c for c in [gate.clients()[mac(1)]] if c["upPackets"] >= before + 50])[0]
        assert record["upPackets"] == before + 50
        assert gate.ask(f"close {mac(1)}")["error"] == 0
        assert not one.passes(), "closed again"


@pytest.mark.parametrize("way", WAYS)
def test_ports_that_come_and_go(way):
    with Box(bridge=True, guests=2) as box:
        box.ip("gw", "link set p2 nomaster")
        gate = start(box, way)
        assert "p2" not in gate.rows()
        two = Traffic(box, 2)
        box.ip("gw", "link set p2 master br0")
        assert not two.passes()
        wait_for("p2 attached", lambda: gate.rows().get("p2", {}).get("state") == "attached")
        gate.ask(f"run {mac(2)}")
        assert two.passes()
        box.ip("gw", "link set p2 nomaster")
        index = json.loads(box.ip("gw", "-j link show p2"))[0]["ifindex"]
        wait_for("p2 let go", lambda: "p2" not in gate.rows())
        assert not [pin for pin in box.pins("links") if pin.startswith(f"{index}-")]


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
@pytest.mark.parametrize("way", WAYS)
def test_made_again_is_never_open(way, bridge):
    """The guest sends all the time; not one datagram may arrive."""
    with Box(bridge=bridge, guests=1) as box:
        gate = start(box, way)
        one = Traffic(box, 1)
        port = "p1" if bridge else "lan1"
        one.start()
        for _ in range(15):
            box.ip("gw", f"link del {port}")
            box.add_guest(1)
        wait_for("attached", lambda: gate.rows().get(port, {}).get("state") == "attached")
        assert one.stop() == set()
        # It was closed by the gate and not by a broken lab.
        gate.ask(f"run {mac(1)}")
        wait_for("open", one.passes)
        # Pins of the interfaces that went are gone with them.
        alive = {str(row["ifindex"]) for row in gate.rows().values()}
        assert {pin.split("-")[0] for pin in box.pins("links")} == alive


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
def test_made_again_without_a_daemon_stays_closed(bridge):
    with Box(bridge=bridge, guests=1) as box:
        gate = box.start()
        one = Traffic(box, 1)
        gate.kill()
        port = "p1" if bridge else "lan1"
        box.ip("gw", f"link del {port}")
        one.start()
        box.add_guest(1)
        time.sleep(0.3)
        assert one.stop() == set()
        # The next daemon takes the new interface, and clears the dead pins.
        gate = box.start()
        wait_for("attached", lambda: gate.rows()[port]["state"] == "attached")
        gate.ask(f"run {mac(1)}")
        assert one.passes()
        alive = {str(row["ifindex"]) for row in gate.rows().values()}
        assert {pin.split("-")[0] for pin in box.pins("links")} == alive


def test_absent_interface_is_awaited():
    with Box(guests=1) as box:
        box.ip("gw", "link del lan1")
        gate = box.start()
        assert gate.rows()["lan1"]["state"] == "absent"
        assert "no such interface" in gate.said()
        one = Traffic(box, 1)
        one.start()
        box.add_guest(1)
        wait_for("attached", lambda: gate.rows()["lan1"]["state"] == "attached")
        assert one.stop() == set()
        box.ip("gw", "link set lan1 down")
        box.ip("gw", "link set lan1 name other")
        wait_for("absent", lambda: gate.rows()["lan1"]["state"] == "absent")
        box.ip("gw", "link set other name lan1")
        wait_for("attached", lambda: gate.rows()["lan1"]["state"] == "attached")


def remove_hook(box, way, index, which):
    """As somebody else would; "qdisc": both at once, with what they hang on."""
    if which == "qdisc":
        box.gw("tc qdisc del dev lan1 clsact")
    elif way == "clsact":
        box.gw(f"tc filter del dev lan1 {which} pref 1")
    else:
        side = "up" if which == "ingress" else "down"
        box.gw(f"bpftool link detach pinned {box.pin_dir}/links/{index}-{side}")


@pytest.mark.parametrize("way", WAYS)
def test_removed_hooks_are_put_back(way):
    """Each of them; and what the operator has there stays as it is."""
    if way == "tc" and not HAS_TCX:
        pytest.skip("a kernel without TCX has no such link")
    with Box(guests=1) as box:
        gate = start(box, way)
        one = Traffic(box, 1)
        index = gate.rows()["lan1"]["ifindex"]
        removals = ["ingress", "egress"] + ["qdisc"] * (way == "clsact")
        if way != "clsact":
            box.gw("tc qdisc add dev lan1 clsact")
            box.gw("tc filter add dev lan1 ingress pref 1 u32 match u32 0 0 classid 1:1")
        for count, which in enumerate(removals, 1):
            remove_hook(box, way, index, which)
            wait_for(f"{which} repaired", lambda: gate.rows()["lan1"]["repairs"] == count)
            assert box.group("lan1") == GROUP
            assert not one.passes(), which
            gate.ask(f"run {mac(1)}")
            assert one.comes_back(), which
            gate.ask(f"close {mac(1)}")
            # The download's hook, too: an answer to what was sent before.
            one.server.sendto(b"answer", one.peer)
            ready, _, _ = select.select([one.client], [], [], 0.1)
            assert not ready, which
        assert gate.said().count("put back") == len(removals)
        if way != "clsact":
            assert "u32" in box.gw("tc filter show dev lan1 ingress")


def test_device_group_is_put_back():
    with Box(guests=1) as box:
        gate = box.start()
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        box.ip("gw", "link set lan1 group 0")
        wait_for("group", lambda: box.group("lan1") == GROUP)
        assert one.passes()


@pytest.mark.parametrize("change", ["delete table inet gatehouse", "flush ruleset",
                                    "flush chain inet gatehouse forward"])
def test_nftables_table_is_put_back(change):
    with Box(guests=1) as box:
        gate = box.start()
        whole = box.gw("nft list table inet gatehouse")
        box.gw(f"nft {change}")
        wait_for("table", lambda: "put back" in gate.said())
        assert box.gw("nft list table inet gatehouse") == whole


def test_the_table_knows_the_bridge_of_a_port():
    """A network that is one port of a bridge: its packets come in on the bridge."""
    with Box(guests=1) as box:
        def allowed():
            return [line.split('"')[-2] for line in box.gw(
                "nft list chain inet gatehouse input").splitlines() if "10.7.0.1" in line]

        gate = box.start()
        assert allowed() == ["lan1"]
        box.gw("ip link add br9 type bridge")
        box.gw("ip link set lan1 master br9")
        wait_for("bridge", lambda: allowed() == ["br9"])
        box.gw("ip link set lan1 nomaster")
        wait_for("no bridge", lambda: allowed() == ["lan1"])
        assert "put back" not in gate.said()


def test_tables_of_others_are_left_alone():
    with Box(guests=1) as box:
        box.gw("nft add table inet operators")
        gate = box.start()
        box.gw("nft add chain inet operators theirs")
        time.sleep(1.2)
        assert "put back" not in gate.said()
        gate.ask("unload open")
        assert box.gw("nft list tables").split("\n")[0] == "table inet operators"


def test_foreign_filter_stays():
    with Box(guests=1) as box:
        box.gw("tc qdisc add dev lan1 clsact")
        box.gw("tc filter add dev lan1 ingress pref 10 u32 match u32 0 0 classid 1:1")
        gate = start(box, "clsact")
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert one.passes()
        assert gate.ask("unload open")["error"] == 0
        shown = box.gw("tc filter show dev lan1 ingress")
        assert "u32" in shown and "gh_" not in shown
        assert "clsact" in box.gw("tc qdisc show dev lan1")


def test_foreign_filter_in_our_place_is_an_error_that_closes():
    with Box(guests=1) as box:
        box.gw("tc qdisc add dev lan1 clsact")
        box.gw("tc filter add dev lan1 ingress pref 1 u32 match u32 0 0 classid 1:1")
        gate = start(box, "clsact")
        row = gate.rows()["lan1"]
        assert row["state"] == "failed" and "priority 1" in row["problem"]
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert not one.passes(), "no gate, no traffic"
        box.gw("tc filter del dev lan1 ingress pref 1")
        wait_for("attached", lambda: gate.rows()["lan1"]["state"] == "attached")
        assert one.passes()


def test_foreign_xdp_stays():
    with Box(guests=1) as box:
        # Any XDP program will do as somebody else's; one of ours is at hand.
        gate = start(box, "tc")
        program = f"{box.pin_dir}/programs/gh_upload_xdp"
        box.gw(f"ip link set lan1 xdpdrv pinned {program}")
        foreign = json.loads(box.ip("gw", "-j -d link show lan1"))[0]["xdp"]["prog"]["id"]
        gate.stop()
        gate = start(box, "xdp")
        row = gate.rows()["lan1"]
        assert row["state"] == "failed" and "another XDP program" in row["problem"]
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert not one.passes(), "no gate, no traffic"
        shown = json.loads(box.ip("gw", "-j -d link show lan1"))[0]["xdp"]["prog"]["id"]
        assert shown == foreign
        box.ip("gw", "link set lan1 xdpdrv off")
        wait_for("attached", lambda: gate.rows()["lan1"]["state"] == "attached")
        assert one.passes()


@pytest.mark.skipif(not HAS_TCX, reason="a kernel without TCX has no order of links")
def test_program_before_ours_is_noticed():
    """It might end the matter with TC_ACT_OK before our program is asked."""
    with Box(guests=1) as box:
        gate = start(box, "tc")
        program = f"{box.pin_dir}/programs/gh_check_up"
        foreign = attach_foreign_tcx(box, "lan1", program)
        wait_for("repaired", lambda: gate.rows()["lan1"]["repairs"] == 1)
        assert "before ours" in gate.said()
        time.sleep(1.5)
        assert gate.rows()["lan1"]["repairs"] == 1, "once, and for good"
        gate.ask(f"run {mac(1)}")
        assert Traffic(box, 1).passes()
        os.close(foreign)


def counted_by(box, command, pattern):
    """Packets that somebody else's rule says it has seen."""
    return sum(int(n) for n in re.findall(pattern, box.gw(command)))


@pytest.mark.parametrize("way", ["tc", "clsact"])
def test_others_go_on_working_beside_the_gate(way):
    """A shaping qdisc, filters in both directions, an XDP program and nftables
    rules of the operator's see what passes, over all that the gate goes through,
    and are there after it."""
    theirs = {
        "tc -s filter show dev lan1 ingress": r"Sent \d+ bytes (\d+) pkt",
        "tc -s filter show dev lan1 egress": r"Sent \d+ bytes (\d+) pkt",
        "tc -s class show dev lan1": r"Sent \d+ bytes (\d+) pkt",
        "nft list table inet operators": r"packets (\d+)",
        "nft list table netdev operators": r"packets (\d+)",
    }
    with Box(guests=1) as box:
        box.gw("tc qdisc add dev lan1 root handle 1: htb default 1")
        box.gw("tc class add dev lan1 parent 1: classid 1:1 htb rate 100mbit")
        box.gw("tc qdisc add dev lan1 clsact")
        for direction in ("ingress", "egress"):
            box.gw(f"tc filter add dev lan1 {direction} pref 10 u32 match u32 0 0 "
                   "action mirred egress mirror dev lo")
        box.gw("nft add table inet operators")
        box.gw("nft add chain inet operators forward { type filter hook forward priority 0; }")
        box.gw("nft add rule inet operators forward counter")
        box.gw("nft add table netdev operators")
        box.gw("nft add chain netdev operators in "
               "{ type filter hook ingress device lan1 priority 0; }")
        box.gw("nft add rule netdev operators in counter")
        box.gw(f"ip link set lan1 xdpdrv obj {ROOT}/{BUILD}/lab/pass.bpf.o sec xdp")
        shown = box.gw("tc qdisc show dev lan1")
        gate = start(box, way)
        row = gate.rows()["lan1"]
        assert row["state"] == "attached"
        assert re.fullmatch(r"XDP program \d+ runs before the gate: .*", row["problem"])
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert one.comes_back()
        gate.kill()
        assert one.comes_back()
        gate = start(box, way)
        assert gate.hello["adopted"] is True
        before = {command: counted_by(box, command, pattern)
                  for command, pattern in theirs.items()}
        assert one.comes_back()
        for command, pattern in theirs.items():
            assert counted_by(box, command, pattern) > before[command], command
        box.gw("ip link set lan1 xdpdrv off")
        wait_for("no more of it", lambda: gate.rows()["lan1"]["problem"] == "")
        assert gate.said().count("runs before the gate") == 2, "once a start"
        assert gate.ask("unload open")["error"] == 0
        assert box.gw("tc qdisc show dev lan1") == shown
        for command in theirs:
            box.gw(command)
