# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest networks of every kind on one box at once: devices with one tag and
with two, tags that the gate itself sees in the frame or beside it, bridges that
filter VLANs. The verdicts and the bytes are those of a plain interface."""
import pytest

from gatebox import run, wait_for


@pytest.fixture(params=["beside", "frame"])
def numbers(request, lans):
    """Where a guest's tag reaches the gate: beside the frame, as from hardware
    that strips it, or in it; and for which networks that makes sense: XDP is not
    told of a tag beside the frame."""
    state = "on" if request.param == "beside" else "off"
    for n in lans.kinds:
        run("ip", "netns", "exec", lans.ns(f"g{n}"), "ethtool", "-K", "eth0",
            "txvlan", state, "tx-vlan-stag-hw-insert", state)
    return [n for n in lans.kinds if n not in lans.xdp or request.param == "frame"]


def test_all_are_gated(lans):
    rows = lans.driver.rows()
    for n, kind in lans.kinds.items():
        on_bridge = kind in ("bridge", "tagged", "xdp-tagged")
        for name in [lans.interface[n]] + ([f"w{n}"] if on_bridge else []):
            assert rows[name]["state"] == "attached", (kind, rows[name])
        # The last is the port, where there are ports.
        assert (rows[name]["up"] == "xdp") == (n in lans.xdp), (kind, rows[name])


def test_captive_then_running_then_closed(lans, numbers):
    lans.check_gated(numbers)


def test_each_network_leads_to_its_own_portal(lans, numbers):
    lans.check_portals(numbers)


def test_a_vlan_above_a_gate_is_refused(lans):
    """Both in the file: its frames would be judged twice. Then the file forgets
    the one below, which stays closed: that is said, too."""
    lans.driver.stop()
    lans.start(extra="[network below]\ninterface = w3\nportal4 = 10.7.30.1\n")
    rows = lans.driver.rows()
    assert rows["w3"]["state"] == "attached"
    assert rows["w3.10"]["state"] == "failed"
    assert "meet the gate of w3 already" in rows["w3.10"]["problem"]
    lans.driver.stop()
    lans.start()
    assert lans.driver.rows()["w3"]["state"] == "retired"
    wait_for("closed below", lambda: "w3 below it is closed" in
             lans.driver.rows()["w3.10"]["problem"])
