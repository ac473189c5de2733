# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate outlives its process: killed, started again, unloaded. Every
datagram has a number, so "nothing lost" and "nothing leaked" are exact."""
import os
import shutil
import time

import pytest

from gatebox import DRIVER, GROUP, Box, Driver, Traffic, build_driver, mac, wait_for

WAYS = ["xdp", "tc", "clsact"]


@pytest.fixture(scope="module", autouse=True)
def driver():
    build_driver()


def start(box, way, **kwargs):
    options = ["--clsact"] if way == "clsact" else []
    return box.start(*options, hook="xdp" if way == "xdp" else "tc", **kwargs)


@pytest.fixture(scope="module")
def other_build(tmp_path_factory):
    """The driver with another BPF object inside: one name of its BTF is another
    one, and so is its hash."""
    path = tmp_path_factory.mktemp("build") / "attach"
    shutil.copy(DRIVER, path)
    code = path.read_bytes()
    assert b"\0GH_STATE_PAUSED\0" in code
    path.write_bytes(code.replace(b"\0GH_STATE_PAUSED\0", b"\0GH_STATE_PAUSES\0"))
    return str(path)


@pytest.mark.parametrize("way", WAYS)
def test_killed_and_started_again_under_traffic(way):
    """No datagram of a running client is lost or uncounted, none of a captive
    one passes, whatever happens to the process."""
    with Box(bridge=True, guests=2) as box:
        gate = start(box, way)
        assert gate.ask(f"run {mac(1)}")["error"] == 0
        paid, captive = Traffic(box, 1), Traffic(box, 2)
        assert paid.passes()
        paid.start()
        captive.start()
        for _ in range(3):
            gate.kill()
            time.sleep(0.1)
            gate = start(box, way)
            assert gate.hello["adopted"] is True
            time.sleep(0.1)
        arrived = paid.stop()
        assert captive.stop() == set()
        assert arrived == set(range(1, paid.sent + 1))
        record = gate.clients()[mac(1)]
        # 20 bytes of IPv4, 8 of UDP, 8 of ours.
        assert record["upPackets"] == paid.sent
        assert record["upBytes"] == paid.sent * 36


def pinned_id(box):
    """The id of the program that decides on uploads."""
    return box.gw(f"bpftool prog show pinned {box.pin_dir}/programs/gh_upload_tc").split(":")[0]


@pytest.mark.parametrize("way", WAYS)
def test_another_build_takes_over_under_traffic(way, other_build):
    """Its programs replace the old ones through their hooks: nothing is lost,
    uncounted or let through, back and forth."""
    with Box(bridge=True, guests=3) as box:
        gate = start(box, way)
        for n in (1, 3):
            assert gate.ask(f"run {mac(n)}")["error"] == 0
        paid, captive = [Traffic(box, 1), Traffic(box, 3)], Traffic(box, 2)
        assert all(t.passes() for t in paid)
        for traffic in [*paid, captive]:
            traffic.start(gap=0.0001)
        ids = [pinned_id(box)]
        for program in (other_build, DRIVER):
            gate.stop()
            gate = start(box, way, program=program)
            assert gate.hello["adopted"] is True
            time.sleep(0.1)
            ids.append(pinned_id(box))
        assert len(set(ids)) == 3
        arrived = [t.stop() for t in paid]
        assert captive.stop() == set()
        records = gate.clients()
        for n, traffic, got in zip((1, 3), paid, arrived):
            assert got == set(range(1, traffic.sent + 1))
            assert records[mac(n)]["upPackets"] == traffic.sent
            assert records[mac(n)]["upBytes"] == traffic.sent * 36


@pytest.mark.parametrize("way", WAYS)
def test_gate_works_without_a_process(way):
    with Box(bridge=True, guests=2) as box:
        gate = start(box, way)
        gate.ask(f"run {mac(1)}")
        gate.kill()
        assert Traffic(box, 1).comes_back()
        assert not Traffic(box, 2).passes()
        assert start(box, way).clients()[mac(1)]["downPackets"] >= 1


def test_way_can_change_between_starts():
    with Box(guests=1) as box:
        start(box, "tc").ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        for way, up in (("xdp", "xdp"), ("clsact", "clsact"), ("xdp", "xdp"), ("clsact", "clsact")):
            box.driver.stop()
            gate = start(box, way)
            assert gate.rows()["lan1"]["up"] == up
            assert one.passes()
            gate.ask(f"close {mac(1)}")
            assert not one.passes()
            gate.ask(f"run {mac(1)}")


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
def test_interface_that_is_no_longer_configured_is_closed(bridge):
    with Box(bridge=bridge, guests=1) as box:
        lan = box.lan
        start(box, "tc").ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        assert one.passes()
        box.driver.stop()
        box.lan = "lan9"
        gate = box.start()
        rows = gate.rows()
        assert {name: row["state"] for name, row in rows.items()} == {
            "lan9": "absent", lan: "retired"}
        assert box.group(lan) == 0
        assert not one.passes()
        gate.stop()
        box.lan = lan
        gate = box.start()
        assert gate.rows()[lan]["state"] == "attached" and one.passes()


def test_second_process_is_refused():
    with Box(guests=1) as box:
        gate = box.start()
        second = Driver(box)
        assert second.hello["error"] == -16
        assert "in use by another process" in second.hello["text"]
        assert second.process.wait(5) == 1
        second.finish()
        assert gate.rows()["lan1"]["state"] == "attached"


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
@pytest.mark.parametrize("way", WAYS)
def test_unload_open_leaves_nothing(way, bridge):
    with Box(bridge=bridge, guests=1) as box:
        gate = start(box, way)
        assert gate.ask("unload open")["error"] == 0
        assert gate.process.wait(5) == 0
        port = "p1" if bridge else "lan1"
        assert not os.path.exists(box.pin_dir)
        assert box.gw("nft list ruleset") == ""
        assert "clsact" not in box.gw("tc qdisc show")
        assert "prog/xdp" not in box.ip("gw", f"-d link show {port}")
        assert box.group(box.lan) == 0
        assert Traffic(box, 1).passes()


@pytest.mark.parametrize("bridge", [False, True], ids=["plain", "bridge"])
@pytest.mark.parametrize("way", WAYS)
def test_unload_closed_lets_nobody_through(way, bridge):
    with Box(bridge=bridge, guests=1) as box:
        gate = start(box, way)
        gate.ask(f"run {mac(1)}")
        one = Traffic(box, 1)
        one.start()
        assert gate.ask("unload closed")["error"] == 0
        after = one.sent + 1
        time.sleep(0.2)
        assert max(one.stop(), default=0) <= after
        assert not os.path.exists(box.pin_dir)
        assert "clsact" not in box.gw("tc qdisc show")
        assert box.group(box.lan) == 0
        assert not one.passes()
        # And the next start is a fresh one that works.
        gate = start(box, way)
        assert gate.hello["adopted"] is False
        assert box.group(box.lan) == GROUP
        gate.ask(f"run {mac(1)}")
        assert one.passes()


def test_programs_are_replaced_by_the_new_build():
    """After a restart the hooks run what is pinned as this build's program: the
    same one as before, or a new one when another build left it there."""
    with Box(guests=1) as box:
        ids = []
        for other_build in (False, False, True):
            if other_build:
                mark, = (n for n in box.pins("programs") if n.startswith("build_"))
                os.rename(f"{box.pin_dir}/programs/{mark}",
                          f"{box.pin_dir}/programs/build_0000")
            gate = box.start(hook="tc")
            wait_for("attached", lambda: gate.rows()["lan1"]["state"] == "attached")
            ids.append(pinned_id(box))
            index = gate.rows()["lan1"]["ifindex"]
            if f"{index}-up" in box.pins("links"):
                link = box.gw(f"bpftool link show pinned {box.pin_dir}/links/{index}-up")
                assert f"prog {ids[-1]} " in link
            gate.kill()
        assert ids[0] == ids[1] != ids[2]
        marks = [n for n in box.pins("programs") if n.startswith("build_")]
        assert marks == [mark]
