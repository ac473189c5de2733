# SPDX-License-Identifier: GPL-2.0-or-later
"""A build whose records look different takes over under traffic. Every
datagram has a number, and each is counted once: nothing is lost, counted twice
or let through, wherever the process that does it is killed."""
import errno
import json
import os
import re
import time

import pytest

from gatebox import BUILD, ROOT, Box, Traffic, build_driver, mac, run

WAYS = ["xdp", "tc", "clsact"]
TOMORROW = os.path.join(ROOT, "build/tomorrow/tests/lab/attach")
KILLER = os.path.join(ROOT, BUILD, "lab/killer.so")
BYTES = 36  # 20 of IPv4, 8 of UDP, 8 of ours


@pytest.fixture(scope="module", autouse=True)
def drivers():
    build_driver()
    run("make", "-C", ROOT, os.path.relpath(KILLER, ROOT))
    run("make", "-C", ROOT, "TOMORROW=1", os.path.relpath(TOMORROW, ROOT))


def start(box, way, **kwargs):
    options = ["--clsact"] if way == "clsact" else []
    return box.start(*options, hook="xdp" if way == "xdp" else "tc", **kwargs)


class Crowd:
    """Two paid guests, who share a group, and a captive one, all sending."""

    def __init__(self, box, gate):
        self.traffic = {}
        for n in (1, 3):
            assert gate.ask(f"share {mac(n)} 7")["error"] == 0
        for n in (1, 2, 3):
            self.traffic[n] = Traffic(box, n)
        assert self.traffic[1].passes() and self.traffic[3].passes()
        for traffic in self.traffic.values():
            traffic.start(gap=0.0003)

    def check(self, gate):
        arrived = {n: traffic.stop() for n, traffic in self.traffic.items()}
        records = gate.clients()
        assert arrived[2] == set() and mac(2) not in records
        for n in (1, 3):
            sent = self.traffic[n].sent
            assert arrived[n] == set(range(1, sent + 1)), sent
            assert records[mac(n)]["upPackets"] == sent
            assert records[mac(n)]["upBytes"] == sent * BYTES
            assert self.traffic[n].comes_back()
            assert gate.clients()[mac(n)]["downPackets"] >= 1
        records = [gate.clients()[mac(n)] for n in (1, 3)]
        for counter, shared in gate.ask("groups")["groups"]["7"].items():
            if counter != "state":
                assert shared == sum(record[counter] for record in records), counter


def value_size(box):
    shown = box.gw(f"bpftool -j map show pinned {box.pin_dir}/clients")
    return json.loads(shown)["bytes_value"]


@pytest.mark.parametrize("way", WAYS)
def test_records_are_carried_over_under_traffic(way):
    with Box(bridge=True, guests=3) as box:
        gate = start(box, way)
        crowd = Crowd(box, gate)
        gate.stop()
        start(box, way, program=TOMORROW)
        time.sleep(0.1)
        check_taken_over(box, crowd)


def test_capabilities_of_the_unit_are_enough(tmp_path):
    """What systemd leaves to it is all that carrying over takes."""
    unit = open(os.path.join(ROOT, "packaging/gatehoused.service.in"), encoding="utf-8").read()
    caps = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)[1].lower().split()
    wrapper = tmp_path / "attach"
    wrapper.write_text("#!/bin/sh\nexec setpriv --bounding-set=-all,"
                       + ",".join(cap.replace("cap_", "+") for cap in caps)
                       + f' {TOMORROW} "$@"\n')
    wrapper.chmod(0o755)
    with Box(bridge=True, guests=3) as box:
        gate = start(box, "tc")
        crowd = Crowd(box, gate)
        gate.stop()
        start(box, "tc", program=str(wrapper))
        check_taken_over(box, crowd)


def stage_of(box, last):
    """How far it came: 0 nothing uses the new maps, 1 something may, 2 their
    pins move, 3 they have moved."""
    pins = box.pins("next")
    if "done" in pins:
        return 2
    return 1 if "live" in pins else 3 if last else 0


def take_over(box, way, **kill):
    """Starts the other build and kills it there, if it comes there."""
    return start(box, way, program=TOMORROW, env={"LD_PRELOAD": KILLER, **kill}).hello


def check_taken_over(box, crowd):
    assert box.driver.hello == {"error": 0, "adopted": True}
    assert "next" not in box.pins() and value_size(box) == 192 + 128
    crowd.check(box.driver)


def test_killed_at_each_step():
    """Killed before one step, then before a later one, and so on until it gets
    to the end: each start goes on where the one before was killed. SLOW=1: at
    every step."""
    # Where first, in each stage, and how many steps later next time: a start
    # begins with steps that are the same in all of them.
    by = 1 if os.environ.get("SLOW") else 5
    plan = {0: (1, by), 1: (6, by), 2: (4, by), 3: (24, 20)}
    with Box(bridge=True, guests=3) as box:
        gate = start(box, "tc")
        crowd = Crowd(box, gate)
        gate.stop()
        stage, at, deaths = 0, 1, [0, 0, 0, 0]
        while not take_over(box, "tc", KILL_AT=str(at)):
            deaths[stage] += 1
            last, stage = stage, stage_of(box, stage)
            at = at + plan[stage][1] if stage == last else plan[stage][0]
        assert all(deaths), deaths
        check_taken_over(box, crowd)


@pytest.mark.parametrize("way", ["xdp", "clsact"])
def test_killed_where_it_matters(way):
    """The same for other hooks, before: the first mark, the first hook, the
    second mark, the end."""
    with Box(bridge=True, guests=3) as box:
        gate = start(box, way)
        crowd = Crowd(box, gate)
        gate.stop()
        for what, stage in (("/next/live", 0), ("switch", 1), ("/next/done", 1),
                            ("/next/copied", 2)):
            assert take_over(box, way, KILL_BEFORE=what) is None
            assert stage_of(box, stage) == stage, what
        take_over(box, way)
        check_taken_over(box, crowd)


def test_older_build_over_a_newer_layout():
    """It refuses, says why and what to do, and everything goes on."""
    with Box(bridge=True, guests=3) as box:
        crowd = Crowd(box, start(box, "tc", program=TOMORROW))
        box.driver.stop()
        pins = box.pins(), box.pins("programs"), box.pins("links")
        old = start(box, "tc")
        assert old.hello["error"] == -errno.EPROTO
        assert "made by a newer gatehoused (layout 1000" in old.hello["text"]
        assert "the gate goes on" in old.hello["text"]
        old.process.wait(5)
        old.finish()
        assert (box.pins(), box.pins("programs"), box.pins("links")) == pins
        crowd.check(start(box, "tc", program=TOMORROW))


@pytest.mark.parametrize("where,refused", [("/next/live", False), ("rename {}/clients", True)],
                         ids=["before", "after"])
def test_older_build_after_a_takeover_that_was_killed(where, refused):
    """Before the first hook was switched it goes on with the old maps;
    afterwards only the newer one may end what it began."""
    with Box(bridge=True, guests=3) as box:
        gate = start(box, "tc")
        crowd = Crowd(box, gate)
        gate.stop()
        assert take_over(box, "tc", KILL_BEFORE=where.format(box.pin_dir)) is None
        old = start(box, "tc")
        if refused:
            assert old.hello["error"] == -errno.EPROTO
            assert "layout 1000" in old.hello["text"], old.hello
            old.process.wait(5)
            old.finish()
            take_over(box, "tc")
            check_taken_over(box, crowd)
        else:
            assert old.hello == {"error": 0, "adopted": True}
            assert "next" not in box.pins()
            crowd.check(old)


def test_table_gets_another_size_under_traffic():
    """clients_max that was changed takes effect at a start, and costs nobody."""
    with Box(bridge=True, guests=3) as box:
        gate = start(box, "tc")
        crowd = Crowd(box, gate)
        sizes = []
        for clients_max in (4096, 1024):
            gate.stop()
            gate = start(box, "tc", clients_max=clients_max)
            assert gate.hello["adopted"] is True
            shown = box.gw(f"bpftool -j map show pinned {box.pin_dir}/clients")
            sizes.append(json.loads(shown)["max_entries"])
        assert sizes == [4096 + 80, 1024 + 32]
        crowd.check(gate)
