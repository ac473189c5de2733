# SPDX-License-Identifier: GPL-2.0-or-later
"""Flowtables of the operator. One that names gated interfaces works, and what it
carries is charged and ends like anything else; one that would carry packets past
a gate closes the network, at start or when it appears, and says so."""
import re
import time

import pytest

from gatebox import GROUP, Traffic, mac, wait_for

PLAIN, BRIDGE, VLAN = 1, 2, 3  # conftest.KINDS

TABLE = """
table inet shortcut {{
    flowtable fast {{
        hook ingress priority 0
        devices = {{ {devices} }}
    }}
    chain forward {{
        type filter hook forward priority 0
        meta l4proto udp flow add @fast
        counter
    }}
}}
"""


@pytest.fixture(autouse=True)
def nothing_left(lans):
    yield
    lans.gw("nft delete table inet shortcut", check=False)
    for n in (PLAIN, BRIDGE, VLAN):
        lans.driver.ask(f"close {mac(n)}")


def add_flowtable(lans, *devices):
    path = f"/tmp/{lans.prefix}.nft"
    with open(path, "w", encoding="utf-8") as file:
        file.write(TABLE.format(devices=", ".join(f'"{d}"' for d in devices)))
    lans.gw(f"nft -f {path}")


def is_carried(lans, n):
    """Whether the guest's connection is in the flowtable."""
    shown = lans.gw("cat /proc/net/nf_conntrack")
    return any(f"src=10.7.{n}.11" in line and "[OFFLOAD]" in line
               for line in shown.splitlines())


def carried(lans, n, seconds=""):
    """A running guest with a connection that the flowtable carries."""
    assert lans.driver.ask(f"run {mac(n)} {seconds}".strip())["error"] == 0
    traffic = Traffic(lans, n)
    assert traffic.comes_back() and traffic.comes_back()
    wait_for("carried", lambda: traffic.passes() and is_carried(lans, n), 5)
    return traffic


@pytest.mark.parametrize("n", [PLAIN, BRIDGE], ids=["plain", "bridge"])
def test_what_is_carried_is_charged_and_ends_with_the_time(lans, n):
    add_flowtable(lans, "w1", "w2", "up0")
    time.sleep(1.2)
    assert lans.driver.rows()[lans.interface[n]]["state"] == "attached"
    traffic = carried(lans, n, 6)
    begun = time.monotonic()
    before = lans.driver.clients()[mac(n)]["upBytes"]
    for _ in range(50):
        traffic.send()
    wait_for("50 charged", lambda: lans.driver.clients()[mac(n)]["upBytes"]
             == before + 50 * 36)
    assert is_carried(lans, n)
    # Sending all the time, so that the flowtable has no reason to forget it.
    traffic.start(0.01)
    while time.monotonic() < begun + 6.1:
        traffic.server.sendto(b"answer", traffic.peer)
        time.sleep(0.01)
    traffic.stop()
    while True:
        try:
            traffic.client.recv(64)
        except BlockingIOError:
            break
    last = len(traffic.arrived)
    for _ in range(50):
        traffic.send()
        traffic.server.sendto(b"answer", traffic.peer)
        time.sleep(0.005)
    assert len(traffic.collect()) == last, "up"
    with pytest.raises(BlockingIOError):
        traffic.client.recv(64)


def test_past_a_gate_is_refused_when_it_appears(lans):
    """A device below the gated one: frames never come to w3.10."""
    assert lans.driver.ask(f"run {mac(VLAN)}")["error"] == 0
    traffic = Traffic(lans, VLAN)
    assert traffic.comes_back()
    traffic.start(0.005)
    add_flowtable(lans, "w3", "up0")
    row = wait_for("refused", lambda: [
        row for row in [lans.driver.rows()["w3.10"]] if row["state"] == "failed"], 5)[0]
    assert re.search("flowtable fast of table shortcut .* past the gate of w3.10: take w3 out",
                     row["problem"]), row
    assert lans.group("w3.10") == 0
    # What it carried by then is ended, too.
    wait_for("ended", lambda: not is_carried(lans, VLAN), 8)
    time.sleep(1)
    traffic.collect()
    last = len(traffic.arrived)
    time.sleep(1)
    assert len(traffic.stop()) == last
    assert lans.driver.said().count("past the gate of w3.10") == 1
    # Networks that it cannot pass by go on.
    assert lans.driver.rows()["w1"]["state"] == "attached"
    lans.gw("nft delete table inet shortcut")
    wait_for("open", lambda: lans.driver.rows()["w3.10"]["state"] == "attached", 5)
    assert lans.group("w3.10") == GROUP
    assert traffic.comes_back()


def test_past_a_gate_is_refused_at_start(lans):
    add_flowtable(lans, "w3", "up0")
    lans.driver.kill()
    lans.start()
    assert lans.driver.rows()["w3.10"]["state"] == "failed"
    traffic = Traffic(lans, VLAN)
    assert lans.driver.ask(f"run {mac(VLAN)}")["error"] == 0
    assert not traffic.passes()
    lans.gw("nft delete table inet shortcut")
    wait_for("open", lambda: lans.driver.rows()["w3.10"]["state"] == "attached", 5)
    assert traffic.comes_back()


def test_in_hardware_is_refused(lans):
    """Such a table is made without devices here: no card of this machine could."""
    lans.gw("nft add table inet shortcut")
    lans.gw("nft add flowtable inet shortcut fast { hook ingress priority 0; flags offload; }")
    assert "offload" in lans.gw("nft list flowtables")
    wait_for("refused", lambda: all(
        row["state"] == "failed" and "flags offload" in row["problem"]
        for row in lans.driver.rows().values()), 5)
    lans.gw("nft delete table inet shortcut")
    wait_for("open", lambda: all(
        row["state"] == "attached" for row in lans.driver.rows().values()), 5)
