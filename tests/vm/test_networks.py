# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest networks of every kind on one box at once: devices with one tag and
with two, tags that the gate itself sees in the frame or beside it, bridges that
filter VLANs. The verdicts and the bytes are those of a plain interface."""
import pytest

from gatebox import BUILD, ROOT, build_driver, run
from lans import Lans

# XDP looks at frames of hardware and veth, not of devices above them.
KINDS = {"tc": ["plain", "bridge", "vlan", "stacked", "access", "trunk", "tagged"],
         "xdp": ["plain", "trunk", "tagged"]}
# Where a guest's tag reaches the gate: beside the frame, as from hardware that
# strips it (of which XDP is not told), or in it.
TAGS = {"tc": ["beside", "frame"], "xdp": ["frame"]}


@pytest.fixture(scope="module", params=list(KINDS))
def lans(request):
    build_driver()
    with Lans(*KINDS[request.param]) as box:
        box.hook = request.param
        for n in box.kinds if box.hook == "xdp" else []:
            # XDP_TX towards a veth needs a program on its peer.
            box.ip(f"g{n}", f"link set dev eth0 xdpdrv obj {ROOT}/{BUILD}/lab/pass.bpf.o sec xdp")
        box.start(hook=box.hook)
        yield box


def each_place(lans):
    for place in TAGS[lans.hook]:
        state = "on" if place == "beside" else "off"
        for n in lans.kinds:
            run("ip", "netns", "exec", lans.ns(f"g{n}"), "ethtool", "-K", "eth0",
                "txvlan", state, "tx-vlan-stag-hw-insert", state)
        yield place


def test_all_are_gated(lans):
    rows = lans.driver.rows()
    for n, kind in lans.kinds.items():
        row = rows[lans.interface[n]]
        assert row["state"] == "attached", (kind, row)
        if kind in ("bridge", "tagged"):
            row = rows[f"w{n}"]
            assert row["state"] == "attached", (kind, row)
        assert (row["up"] == "xdp") == (lans.hook == "xdp"), (kind, row)


def test_captive_then_running_then_closed(lans):
    for _ in each_place(lans):
        lans.check_gated()


def test_each_network_leads_to_its_own_portal(lans):
    for _ in each_place(lans):
        lans.check_portals()
