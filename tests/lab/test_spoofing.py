# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests who pretend: to be a router, a DHCP server, another guest, the box.
What they send is dropped where that is promised, and what happened is in
`gatehousectl events` with what proves it (docs/design.md 4.10).
"""

import signal
import sqlite3
import time

import pytest

from conftest import WEB4, WEB6, make_lab, wait_for
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
            wait_for_next_second()
        assert watch.packets("dhcp") == 0
    assert lab.ctl("status")["eventsLost"] == 0


def wait_for_next_second():
    """The kernel tells of a client once a second."""
    time.sleep(1.05)


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


# Whose an address is.

@pytest.fixture(scope="module", params=["tc", "bridge"])
def strict(request):
    """A lab that drops what comes from another's address."""
    lab = make_lab(request.param, guests=10)
    lab.way = request.param
    configure(lab, "source_check = drop")
    yield lab
    lab.down()


def configure(lab, *lines):
    """Adds to the network's section and applies it."""
    path = lab.state / "gatehouse.conf"
    path.write_text(path.read_text() + "\n".join(lines) + "\n")
    lab.run("gw", "kill", "-HUP", lab.pid("gatehoused"))
    wait_for(lambda: lab.ctl("status")["networks"][0]["sourceCheck"] == "drop")


def renew(guest):
    """DHCP and router advertisement anew, as after joining."""
    guest.lab.sh("mac", str(guest.number), guest.mac)
    return Addresses(guest)


def online(lab, count):
    """Guests with leases that paid, each having used all its addresses."""
    guests = lab.guests(count)
    all_of = [renew(guest) for guest in guests]
    for guest in guests:
        lab.ctl("allow", guest.mac, "--minutes", "60")
        assert guest.is_online() and guest.is_online("-6")
    return all_of


def owned(lab, mac):
    return {row["address"]: row for row in lab.ctl("client", mac)["addresses"]}


def datagram(me, source):
    if ":" in source:
        return IPv6(src=source, dst=WEB6) / UDP(sport=4000, dport=4000) / b"spoof"
    return IP(src=source, dst=WEB4) / UDP(sport=4000, dport=4000) / b"spoof"


def test_another_guests_address(strict):
    """IPv4 and IPv6, as a source and by ARP and ND, upload and download."""
    me, victim = online(strict, 2)
    box = Nearby(strict)
    assert owned(strict, victim.mac)[victim.ip4]["leaseUntil"]
    assert not owned(strict, victim.mac)[victim.ip6]["leaseUntil"]
    head = Ether(src=me.mac, dst=box.mac)
    frames = [
        head / datagram(me, victim.ip4),
        head / datagram(me, victim.ip6),
        Ether(src=me.mac, dst=EVERYONE) / ARP(
            op=2, hwsrc=me.mac, psrc=victim.ip4, pdst="10.77.0.1"),
        head / IPv6(src=me.ip6, dst=box.linklocal, hlim=255) / scapy.ICMPv6ND_NA(
            tgt=victim.ip6, O=1, S=0) / scapy.ICMPv6NDOptDstLLAddr(lladdr=me.mac),
    ]
    with Watch(strict, me.mac) as watch:
        for frame in frames:
            dropped = strict.reasons()["drop_spoofed"]
            send(me.guest, [frame])
            assert strict.reasons()["drop_spoofed"] == dropped + 1, frame.summary()
        assert watch.packets("forwarded") == 0
    event = event_of(strict, me.mac, "spoofed")
    assert event["evidence"]["otherMac"] == victim.mac.upper()
    assert event["evidence"]["address"] in (victim.ip4, victim.ip6)
    assert not events(strict, victim.mac)
    for address in (victim.ip4, victim.ip6):
        neighbours = strict.run("gw", "ip", "neigh", "show", address).stdout
        assert me.mac not in neighbours
    assert victim.guest.is_online() and victim.guest.is_online("-6")
    assert me.guest.is_online() and me.guest.is_online("-6")


def test_answers_go_to_the_owner_only(strict):
    """Even when the box's neighbour table has been poisoned."""
    me, victim = online(strict, 2)
    lan = "br-lan" if strict.way == "bridge" else "lan0"
    for address in (victim.ip4, victim.ip6):
        before = strict.record(me.mac)["down"][0]
        dropped = strict.reasons()["drop_spoofed"]
        strict.run("gw", "ip", "neigh", "replace", address, "lladdr", me.mac, "dev", lan,
                   "nud", "permanent")
        strict.run("inet", "ping", "-c", 3, "-i", 0.1, "-W", 1, address, check=False)
        assert strict.record(me.mac)["down"][0] == before
        assert strict.reasons()["drop_spoofed"] >= dropped + 3
        strict.run("gw", "ip", "neigh", "del", address, "dev", lan)
    assert victim.guest.is_online() and victim.guest.is_online("-6")


def test_addresses_of_ones_own(strict):
    """Several at once, as SLAAC with privacy addresses has them; too many are not."""
    me, = online(strict, 1)
    for i in range(2, 14):
        address = f"fd77::aaaa:{i:x}"
        me.guest.run("ip", "addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        answer = me.guest.run("curl", "-6", "-sS", "-m", 3, "--interface", address,
                              f"http://[{WEB6}]/")
        assert "You are online" in answer.stdout
    assert {f"fd77::aaaa:{i:x}" for i in range(2, 14)} <= owned(strict, me.mac).keys()
    assert "spoofed" not in events(strict, me.mac)
    box = Nearby(strict)
    send(me.guest, [Ether(src=me.mac, dst=box.mac) / datagram(me, f"fd77::bbbb:{i:x}")
                    for i in range(40)])
    event = event_of(strict, me.mac, "spoofed")
    assert event["evidence"]["otherMac"] == me.mac.upper()
    assert event["severity"] == "MEDIUM" and "more IP addresses" in event["description"]
    assert len(owned(strict, me.mac)) <= 18


def test_from_somewhere_else(strict):
    """A phone that comes from another network is no attacker; it gets nothing."""
    me, = online(strict, 1)
    box = Nearby(strict)
    dropped = strict.reasons()["drop_address"]
    send(me.guest, [Ether(src=me.mac, dst=box.mac) / datagram(me, "192.168.178.20"),
                    Ether(src=me.mac, dst=box.mac) / datagram(me, "2001:db8:9::20")])
    assert strict.reasons()["drop_address"] == dropped + 2
    assert "spoofed" not in events(strict, me.mac)


def test_an_address_that_dhcp_gives_to_another(strict):
    """The lease decides, at once, whoever had the address and still has it."""
    me, other = online(strict, 2)
    box = Nearby(strict)
    address = me.ip4
    me.guest.run("ip", "-4", "addr", "flush", "dev", "eth0")
    lease(strict, other.mac, address)
    strict.sh("mac", str(other.guest.number), other.mac)
    assert other.guest.address(4) == address
    assert other.guest.is_online()
    assert address in owned(strict, other.mac) and address not in owned(strict, me.mac)
    assert not events(strict, other.mac)
    # Who had it is the one who pretends now.
    dropped = strict.reasons()["drop_spoofed"]
    send(me.guest, [Ether(src=me.mac, dst=box.mac) / datagram(me, address)])
    assert strict.reasons()["drop_spoofed"] == dropped + 1
    assert renew(me.guest).ip4 != address
    assert me.guest.is_online()
    assert "spoofed" in events(strict, me.mac) and not events(strict, other.mac)


def lease(lab, mac, address):
    """dnsmasq forgets its leases and has this address reserved."""
    conf = lab.state / "dnsmasq.conf"
    text = "\n".join(line for line in conf.read_text().splitlines()
                     if not line.startswith("dhcp-host="))
    conf.write_text(f"{text}\ndhcp-host={mac},{address}\n")
    lab.kill("dnsmasq", signal.SIGTERM)
    (lab.state / "dnsmasq/leases").unlink(missing_ok=True)
    process = lab.spawn("gw", "dnsmasq", "--keep-in-foreground", "-C", conf,
                        env={**lab.env, "LAB_STATE": str(lab.state)})
    (lab.state / "dnsmasq.pid").write_text(f"{process.pid}\n")
    time.sleep(0.5)


def test_a_new_mac_with_the_old_addresses(strict):
    """A phone that changes its MAC keeps what DHCP gives it, and its session."""
    guest = strict.guest()
    token = guest.redeem(strict.voucher(strict.plan(minutes=60, moves=3)))[1]["token"]
    assert guest.is_online() and guest.is_online("-6")
    # As phones do; the namespace would go on with it until DHCP answers.
    guest.run("ip", "-4", "addr", "flush", "dev", "eth0")
    guest.change_mac("02:00:00:00:77:01")
    assert guest.restore(token)[0] == 200
    assert guest.is_online() and guest.is_online("-6")
    assert not events(strict, guest.mac)


def test_reports_only(tc_lab):
    """The default: told, not dropped."""
    me, victim = online(tc_lab, 2)
    box = Nearby(tc_lab)
    with Watch(tc_lab, me.mac) as watch:
        send(me.guest, [Ether(src=me.mac, dst=box.mac) / datagram(me, victim.ip4)])
        assert watch.packets("forwarded") == 1
    assert event_of(tc_lab, me.mac, "spoofed")["evidence"] == {
        "address": victim.ip4, "otherMac": victim.mac.upper()}


def test_an_attack_with_many_macs_fills_no_disk(tc_lab):
    """60 rows a minute; the rest is counted as lost. The last test: those after
    it would find no room for theirs."""
    guest, box = tc_lab.guest(), Nearby(tc_lab)
    send(guest, (Ether(src=f"02:99:00:00:{i >> 8:02x}:{i & 255:02x}", dst=box.mac) /
                 IPv6(src="fe80::5:5", dst=box.linklocal, hlim=255) /
                 scapy.ICMPv6ND_RA() for i in range(600)))
    wait_for(lambda: tc_lab.ctl("status")["eventsSkipped"] > 300)
    tc_lab.ctl("events")
    with sqlite3.connect(f"file:{tc_lab.state}/state/gatehouse.db?mode=ro", uri=True) as db:
        made, = db.execute("SELECT count(*) FROM security_events WHERE mac LIKE '02:99:%'")
    assert 0 < made[0] <= 120
