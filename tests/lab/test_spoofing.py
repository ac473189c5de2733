# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests who pretend: to be a router, a DHCP server, another guest, the box.
What they send is dropped where that is promised, and what happened is in
`gatehousectl events` with what proves it (docs/design.md 4.10).
"""

import sqlite3

import pytest

from conftest import wait_for
from test_isolation import ARP, IP, Ether, IPv6, Nearby, UDP, Watch, scapy, send

EVERYONE = "ff:ff:ff:ff:ff:ff"


class Addresses:
    """A guest's, read once."""

    def __init__(self, guest):
        self.guest, self.mac = guest, guest.mac
        self.ip4, self.ip6 = guest.address(4), guest.address(6)


def events(lab, mac, kind=None):
    """What is listed about a MAC: {type: event}, or the one of that type."""
    found = {event["type"]: event for event in lab.ctl("events", "--mac", mac)["items"]}
    return found.get(kind) if kind else found


def event_of(lab, mac, kind):
    """Waits for it."""
    return wait_for(lambda: events(lab, mac, kind))


def pretence(me, box, other):
    """(type, frame, evidence): each a thing that no guest does."""
    advertisement = scapy.ICMPv6ND_RA(routerlifetime=1800)
    return [
        ("rogue_ra", Ether(src=me.mac, dst="33:33:00:00:00:01") / IPv6(
            src="fe80::5:5", dst="ff02::1", hlim=255) / advertisement,
         {"address": "fe80::5:5"}),
        ("rogue_redirect", Ether(src=me.mac, dst=box.mac) / IPv6(
            src="fe80::5:6", dst=box.linklocal, hlim=255) / scapy.ICMPv6ND_Redirect(),
         {"address": "fe80::5:6"}),
        ("rogue_dhcp", Ether(src=me.mac, dst=EVERYONE) / IP(
            src=me.ip4, dst="255.255.255.255") / UDP(sport=67, dport=68) / scapy.BOOTP(op=2),
         {"address": me.ip4}),
        ("forged_arp", Ether(src=me.mac, dst=EVERYONE) / ARP(
            op=2, hwsrc=other.mac, psrc="10.77.0.77", pdst="10.77.0.1"),
         {"address": "10.77.0.77", "otherMac": other.mac.upper()}),
        ("forged_nd", Ether(src=me.mac, dst=box.mac) / IPv6(
            src=me.ip6, dst=box.linklocal, hlim=255) / scapy.ICMPv6ND_NA(
                tgt="fd77::77", O=1, S=0) / scapy.ICMPv6NDOptDstLLAddr(lladdr=other.mac),
         {"address": "fd77::77"}),
        ("box_address", Ether(src=me.mac, dst=EVERYONE) / ARP(
            op=2, hwsrc=me.mac, psrc="10.77.0.1", pdst="10.77.0.1"),
         {"address": "10.77.0.1"}),
    ]


def test_pretence_is_dropped_and_told(lab):
    guest, other = lab.guests(2)
    me, victim, box = Addresses(guest), Addresses(other), Nearby(lab)
    assert guest.redeem(lab.voucher())[0] == 200
    session = lab.ctl("client", me.mac)["sessionId"]
    with Watch(lab, me.mac) as watch:
        for kind, frame, evidence in pretence(me, box, victim):
            dropped = lab.reasons()["drop_rogue"]
            send(guest, [frame])
            assert lab.reasons()["drop_rogue"] == dropped + 1, kind
            event = event_of(lab, me.mac, kind)
            assert event["evidence"] == evidence
            assert (event["severity"], event["network"]) == ("HIGH", "lan")
            assert (event["sessionId"], event["count"]) == (session, 1)
            wait_for_next_second(lab)
        assert watch.packets("dhcp") == 0
    assert lab.ctl("status")["eventsLost"] == 0


def wait_for_next_second(lab):
    """The kernel tells of a client once a second."""
    lab.run("gw", "sleep", "1.05")


@pytest.mark.parametrize("target", ["10.77.0.1", "fd77::1"])
def test_the_box_address_by_other_ways(tc_lab, target):
    """As the target of an advertisement, and as the source of DNS."""
    guest = tc_lab.guest()
    me, box = Addresses(guest), Nearby(tc_lab)
    head = Ether(src=me.mac, dst=box.mac)
    frame = (head / IPv6(src=me.ip6, dst=box.linklocal, hlim=255) /
             scapy.ICMPv6ND_NA(tgt=target, O=1, S=0) /
             scapy.ICMPv6NDOptDstLLAddr(lladdr=me.mac)
             if ":" in target else
             head / IP(src=target, dst=target) / UDP(sport=5353, dport=53) / b"x")
    dropped = tc_lab.reasons()["drop_rogue"]
    send(guest, [frame])
    assert tc_lab.reasons()["drop_rogue"] == dropped + 1
    assert event_of(tc_lab, me.mac, "box_address")["evidence"] == {"address": target}


def test_the_box_mac(tc_lab):
    guest, box = tc_lab.guest(), Nearby(tc_lab)
    dropped = tc_lab.reasons()["drop_source"]
    # The switch would take the box to be at this port.
    tc_lab.run("sw", "ip", "link", "set", "dev", f"g{guest.number}", "type",
               "bridge_slave", "learning", "off")
    send(guest, [Ether(src=box.mac, dst=EVERYONE) / IP(
        src=guest.address(4), dst="255.255.255.255") / UDP(sport=1, dport=2) / b"x"] * 3)
    assert tc_lab.reasons()["drop_source"] == dropped + 3
    event = event_of(tc_lab, box.mac, "box_mac")
    assert event["evidence"] == {"address": guest.address(4)}


def test_an_attack_with_many_macs_fills_no_disk(tc_lab):
    """60 rows a minute; the rest is counted as lost."""
    guest, box = tc_lab.guest(), Nearby(tc_lab)
    send(guest, (Ether(src=f"02:99:00:00:{i >> 8:02x}:{i & 255:02x}", dst=box.mac) /
                 IPv6(src="fe80::5:5", dst=box.linklocal, hlim=255) /
                 scapy.ICMPv6ND_RA() for i in range(600)))
    wait_for(lambda: tc_lab.ctl("status")["eventsSkipped"] > 300)
    tc_lab.ctl("events")
    with sqlite3.connect(f"file:{tc_lab.state}/state/gatehouse.db?mode=ro", uri=True) as db:
        made, = db.execute("SELECT count(*) FROM security_events WHERE mac LIKE '02:99:%'")
    assert 0 < made[0] <= 120
