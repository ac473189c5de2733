# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile guest: whatever it sends, it reaches of the box what G8 says,
nothing behind it unless it paid, no other guest, and at the portal only what is
its own (T1). What came through the gate is seen by a table of ours in the
gateway, ahead of every other; it is not taken from the gate's own counters.
"""

import contextlib
import json
import os
import pwd
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

from conftest import PORTAL4, PORTAL6, TOP, WEB4, WEB6, Guest, make_lab, wait_for
from netns import inside

scapy = pytest.importorskip("scapy.all", reason="python3-scapy is missing")
Ether, Dot1Q, ARP = scapy.Ether, scapy.Dot1Q, scapy.ARP
IP, IPv6, TCP, UDP, ICMP = scapy.IP, scapy.IPv6, scapy.TCP, scapy.UDP, scapy.ICMP

WATCH = """
table inet watch {{
    set ports4 {{ type ipv4_addr . inet_proto . inet_service; size 300000; flags dynamic; }}
    set ports6 {{ type ipv6_addr . inet_proto . inet_service; size 300000; flags dynamic; }}
    set protocols {{ type inet_proto; size 300; flags dynamic; }}
    counter forwarded {{ }}
    counter dns {{ }}
    counter dhcp {{ }}
    chain theirs {{
        update @protocols {{ meta l4proto }}
        udp dport 53 counter name dns
        udp dport 67 counter name dhcp
        meta l4proto {{ tcp, udp }} update @ports4 {{ ip daddr . meta l4proto . th dport }}
        meta l4proto {{ tcp, udp }} update @ports6 {{ ip6 daddr . meta l4proto . th dport }}
    }}
    chain arrived {{
        type filter hook prerouting priority -400;
        {match} jump theirs
    }}
    chain passing {{
        type filter hook forward priority -400;
        oifname != "{lan}" {match} counter name forwarded
    }}
}}
"""


def lan_of(lab):
    return "br-lan" if getattr(lab, "way", "tc") == "bridge" else "lan0"


class Watch:
    """What of a MAC's frames (or of all from the LAN) comes through the gate."""

    def __init__(self, lab, mac=None):
        self.lab = lab
        self.lan = lan_of(lab)
        self.match = f"ether saddr {mac}" if mac else f'iifname "{self.lan}"'

    def __enter__(self):
        self.nft("-f", "-", input=WATCH.format(match=self.match, lan=self.lan))
        return self

    def __exit__(self, *exc):
        self.nft("delete", "table", "inet", "watch")

    def nft(self, *words, **kwargs):
        return self.lab.run("gw", "nft", *words, **kwargs).stdout

    def listed(self, kind, name):
        rows = json.loads(self.nft("-j", "list", kind, "inet", "watch", name))["nftables"]
        return next(row[kind] for row in rows if kind in row)

    def packets(self, name):
        return self.listed("counter", name)["packets"]

    def ports(self):
        """{(address, "tcp", port)}"""
        return {tuple(element["concat"]) for name in ("ports4", "ports6")
                for element in self.listed("set", name).get("elem", [])}

    def protocols(self):
        return set(self.listed("set", "protocols").get("elem", []))


def send(guest, frames):
    """Frames as they are, no faster than queues are emptied."""
    count = 0
    with inside(guest.lab.namespace(guest.name)), \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        for frame in frames:
            with contextlib.suppress(BlockingIOError):
                sock.send(bytes(frame))
            count += 1
            if count % 200 == 0:
                time.sleep(0.001)
    time.sleep(0.2)
    return count


class Nearby:
    """The box as its LAN sees it."""

    def __init__(self, lab):
        link = json.loads(lab.run("gw", "ip", "-j", "addr", "show", "dev",
                                  lan_of(lab)).stdout)[0]
        self.mac = link["address"]
        self.linklocal = next(a["local"] for a in link["addr_info"]
                              if a["local"].startswith("fe80"))


def knock(guest, box, address, ports):
    """A SYN and a datagram to each port. The checksum stays right: what the port
    adds, the urgent pointer or the payload takes away."""
    ip = (IPv6(src=guest.address(6), dst=address) if ":" in address
          else IP(src=guest.address(4), dst=address))
    head = Ether(src=guest.mac, dst=box.mac) / ip
    start = len(head)
    for kind, spare in ((TCP(sport=40000, dport=0, flags="S", urgptr=0xffff), 18),
                        (UDP(sport=40000, dport=0) / b"\xff\xff", 8)):
        frame = bytearray(bytes(head / kind))
        for port in ports:
            struct.pack_into(">H", frame, start + 2, port)
            struct.pack_into(">H", frame, start + spare, 0xffff - port)
            yield bytes(frame)


@pytest.mark.parametrize("paid", [False, True], ids=["captive", "paid"])
def test_every_port_of_the_box(lab, paid):
    guest, box = lab.guest(), Nearby(lab)
    if paid:
        assert guest.redeem(lab.voucher())[0] == 200
    every, some = range(1, 65536), [*range(1, 1100), *range(1100, 65536, 97)]
    near = {"10.77.0.1": some if paid else every, "fd77::1": some if paid else every,
            box.linklocal: some}
    far = {"192.0.2.1": some, "2001:db8::1": some}
    services = {("tcp", 53), ("udp", 53), ("tcp", 80)}
    with Watch(lab, guest.mac) as watch:
        before = sum(row["packets"] for row in lab.ctl("reasons")["items"])
        sent = sum(send(guest, knock(guest, box, address, ports))
                   for address, ports in (near | far).items())
        after = sum(row["packets"] for row in lab.ctl("reasons")["items"])
        assert after - before >= sent  # all of them came to the gate
        assert watch.ports() == {(address, *service) for address in near for service in services}
        assert watch.packets("forwarded") == 0


# Frames of a captive guest that must not come through: neither to the box nor
# beyond. `me` has its addresses, `box` the gateway's, `other` a paying guest's.

def tricks(me, box, other):
    up = Ether(src=me.mac, dst=box.mac)
    out4, out6 = IP(src=me.ip4, dst=WEB4), IPv6(src=me.ip6, dst=WEB6)
    query = UDP(sport=4000, dport=53) / scapy.DNS(rd=1, qd=scapy.DNSQR(qname="example.org"))
    syn = TCP(sport=4001, dport=443, flags="S")
    yield from (up / ip / what for ip in (out4, out6) for what in (
        query, UDP(sport=68, dport=67) / b"x", UDP(sport=546, dport=547) / b"x",
        UDP(sport=53, dport=4000) / b"x", UDP(sport=5353, dport=5353) / b"x",
        TCP(sport=4000, dport=53, flags="S"), syn, TCP(sport=80, dport=4000, flags="SA"),
        TCP(sport=4000, dport=80, flags="A") / b"GET / HTTP/1.0\r\n\r\n",
        TCP(sport=4000, dport=22, flags="FPU"), TCP(sport=4000, dport=0, flags=""), b"",
        b"x" * 1400))
    # Every protocol there is.
    yield from (up / IP(src=me.ip4, dst=dst, proto=proto) / (b"\0" * 40)
                for dst in (WEB4, "10.77.0.1") for proto in range(256)
                if (dst, proto) not in ((WEB4, 6), ("10.77.0.1", 1)))
    yield from (up / IPv6(src=me.ip6, dst=dst, nh=nh) / (b"\0" * 40)
                for dst in (WEB6, "fd77::1") for nh in range(256))
    # Echo, and neighbour discovery as a tunnel.
    yield up / out4 / ICMP() / b"x"
    yield up / out6 / scapy.ICMPv6EchoRequest()
    yield up / IPv6(src=me.ip6, dst=WEB6, hlim=255) / scapy.ICMPv6ND_NS(tgt=WEB6)
    yield up / IPv6(src=me.ip6, dst="fd77::1", hlim=254) / scapy.ICMPv6ND_NS(tgt="fd77::1")
    yield up / out6 / scapy.ICMPv6MLReport()
    # Somebody else's addresses, and the box's own.
    for source in (other.ip4, "10.77.0.1", "192.0.2.1", "127.0.0.1", "0.0.0.0",
                   "255.255.255.255", WEB4):
        yield up / IP(src=source, dst=WEB4) / query
        yield up / IP(src=source, dst="10.77.0.1") / UDP(sport=9, dport=2222)
    for source in (other.ip6, "fd77::1", "2001:db8::1", "::1", "::", "ff02::1", WEB6):
        yield up / IPv6(src=source, dst=WEB6) / query
        yield up / IPv6(src=source, dst="fd77::1") / UDP(sport=9, dport=2222)
    # What looks like the box's services and is not.
    yield up / IP(src=me.ip4, dst="10.77.0.1", options=[scapy.IPOption_NOP()] * 4) / query
    yield up / IP(src=me.ip4, dst="10.77.0.1", flags="MF") / query
    yield up / IP(src=me.ip4, dst="10.77.0.1", frag=5) / query
    yield up / IPv6(src=me.ip6, dst="fd77::1") / scapy.IPv6ExtHdrFragment(m=1) / query
    yield up / IPv6(src=me.ip6, dst="fd77::1") / scapy.IPv6ExtHdrDestOpt() / query
    yield (up / IPv6(src=me.ip6, dst="fd77::1") / scapy.IPv6ExtHdrRouting(
        addresses=[WEB6], segleft=1) / query)
    # Other links, other routers, tunnels.
    yield from (up / IP(src=me.ip4, dst=dst) / what for dst in (WEB4, "10.77.0.1") for what in (
        IP(src=me.ip4, dst=WEB4) / query, IPv6(src=me.ip6, dst=WEB6) / query,
        scapy.GRE() / IP(src=me.ip4, dst=WEB4) / query))
    yield from (up / IP(src=me.ip4, dst=dst) / UDP(sport=9, dport=9) / b"x" for dst in (
        "127.0.0.1", "224.0.0.1", "224.0.0.251", "239.255.255.250", "255.255.255.255",
        "10.77.0.255", "10.77.0.0", other.ip4, "192.0.2.1", "0.0.0.0"))
    yield from (up / IPv6(src=me.ip6, dst=dst) / UDP(sport=9, dport=9) / b"x" for dst in (
        "::1", "::", "ff02::1", "ff02::fb", "ff05::2", "ff0e::1", other.ip6, "2001:db8::1",
        "::ffff:192.0.2.80", "64:ff9b::c000:250", "2002:c000:250::1"))
    yield up / IP(src=me.ip4, dst=WEB4, ttl=1) / syn
    for kind in (0x88cc, 0x8863, 0x8864, 0x86dc, 0x88a7, 0x6003, 0x88f7, 0x0000, 0x05ff):
        yield Ether(src=me.mac, dst=box.mac, type=kind) / bytes(out4 / query)
    for depth in (1, 2, 3):
        frame = Ether(src=me.mac, dst=box.mac)
        for _ in range(depth):
            frame = frame / Dot1Q(vlan=0)
        yield frame / out4 / query
        yield frame / out6 / query
    # Cut short at every length, and longer than they say.
    for whole in (bytes(up / out4 / query), bytes(up / out6 / query)):
        yield from (whole[:end] for end in range(14, len(whole)))
        yield whole + b"x" * 300


class Addresses:
    def __init__(self, guest):
        self.mac, self.ip4, self.ip6 = guest.mac, guest.address(4), guest.address(6)


def sessions_of(*guests):
    return [(row["bytesUp"], row["bytesDown"]) for row in (g.session() for g in guests)]


def test_tricks_of_a_captive_guest(lab):
    guest, paying = lab.guests(2)
    assert paying.redeem(lab.voucher())[0] == 200
    me, box, other = Addresses(guest), Nearby(lab), Addresses(paying)
    frames = [bytes(frame) for frame in tricks(me, box, other)]
    used = sessions_of(paying)
    with Watch(lab, me.mac) as watch:
        for _ in range(2):
            send(guest, frames)
        assert watch.packets("forwarded") == 0
        assert {port for port in watch.ports() if port[0] not in ("10.77.0.1", "fd77::1")} == set()
        # ICMP is echo and neighbour discovery; hopopt is the way in front of MLD.
        assert watch.protocols() <= {"icmp", "ipv6-icmp", "hopopt", "udp", "tcp"}
    assert not guest.is_online()
    assert sessions_of(paying) == used  # nobody else paid for any of it


def test_tricks_of_a_paying_guest(lab):
    """What paid for is the way out, not the box, its networks or its guests."""
    guest, paying = lab.guests(2)
    assert guest.redeem(lab.voucher())[0] == paying.redeem(lab.voucher())[0] == 200
    me, box, other = Addresses(guest), Nearby(lab), Addresses(paying)
    frames = [bytes(frame) for frame in tricks(me, box, other)]
    used = sessions_of(guest, paying)
    with Watch(lab, me.mac) as watch:
        send(guest, frames)
        came = watch.ports()
    inside_of_box = {"192.0.2.1", "2001:db8::1", "127.0.0.1", "::1", other.ip4, other.ip6,
                     "10.77.0.255", "224.0.0.251", "239.255.255.250", "ff02::fb", "ff05::2"}
    assert not inside_of_box & {port[0] for port in came}
    assert {port[1:] for port in came if port[0] in ("10.77.0.1", "fd77::1")} <= {
        ("udp", 53), ("tcp", 53), ("tcp", 80)}
    # Also what came under another guest's address was paid by who sent it.
    mine, theirs = sessions_of(guest, paying)
    assert mine[0] > used[0][0] and theirs == used[1]
    assert guest.is_online() and paying.is_online()


# DNS, the one way out that a captive guest has, is narrow.

def lookup_works(guest):
    return guest.run("timeout", "3", "busybox", "nslookup", "example.org", "10.77.0.1",
                     check=False).returncode == 0


def query(mac, box, source, size=0):
    return bytes(Ether(src=mac, dst=box.mac) / IP(src=source, dst="10.77.0.1") /
                 UDP(sport=4000, dport=53) /
                 scapy.DNS(rd=1, qd=scapy.DNSQR(qname="example.org")) / (b"x" * size))


def test_a_flood_of_dns_is_limited(lab):
    guest, other = lab.guests(2)
    frame = query(guest.mac, Nearby(lab), guest.address(4), 100)
    before = lab.reasons()["drop_box_limit"]
    with Watch(lab, guest.mac) as watch:
        start = time.monotonic()
        send(guest, [frame] * 20_000)
        assert lookup_works(other)
        seconds = time.monotonic() - start
        # captive_kbps = 8, and 4 s of it at once
        allowed = 8_000 * (seconds + 4) / 8 / (len(frame) - 14)
        assert 1 <= watch.packets("dns") <= allowed + 1
    assert lab.reasons()["drop_box_limit"] - before >= 19_000


def test_a_flood_of_dns_from_many_addresses(lab):
    """Another MAC is not another allowance for the network; who paid has one
    of his own."""
    guest, paying = lab.guests(2)
    assert paying.redeem(lab.voucher())[0] == 200
    box = Nearby(lab)
    frame = query("02:00:00:00:00:00", box, guest.address(4), 1000)
    frames = [frame[:6] + b"\x02\x66" + struct.pack(">I", n) + frame[12:] for n in range(4000)]
    with Watch(lab) as watch:
        start = time.monotonic()
        send(guest, frames)
        assert lookup_works(paying)
        seconds = time.monotonic() - start
        # network_kbps = 1024
        allowed = 1_024_000 * (seconds + 4) / 8 / (len(frame) - 14)
        assert 1 <= watch.packets("dns") <= allowed + 10
    assert paying.is_online()


def test_a_flood_of_dhcp_is_limited(lab):
    guest = lab.guest()
    frame = bytes(Ether(src=guest.mac, dst="ff:ff:ff:ff:ff:ff") /
                  IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) /
                  scapy.BOOTP(chaddr=bytes.fromhex(guest.mac.replace(":", ""))) / (b"x" * 200))
    with Watch(lab, guest.mac) as watch:
        send(guest, [frame] * 5000)
        assert 1 <= watch.packets("dhcp") < 500


def test_nobody_gives_back_the_lease_of_another(lab):
    guest, victim = lab.guests(2)
    leases = lab.state / "dnsmasq" / "leases"
    address = victim.address(4)

    def release(mac):
        return bytes(Ether(src=guest.mac, dst=Nearby(lab).mac) /
                     IP(src=guest.address(4), dst="10.77.0.1") / UDP(sport=68, dport=67) /
                     scapy.BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), ciaddr=address) /
                     scapy.DHCP(options=[("message-type", "release"),
                                         ("server_id", "10.77.0.1"), "end"]))
    assert address in leases.read_text()
    with Watch(lab, guest.mac) as watch:
        send(guest, [release(victim.mac)] * 3)
        assert watch.packets("dhcp") == 0
    assert address in leases.read_text()


# Other guests.

@contextlib.contextmanager
def hearing(guest, mac):
    """The frames of that MAC that come to a guest; a list, whole at the end."""
    heard = []
    with inside(guest.lab.namespace(guest.name)):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        sock.bind(("eth0", 3))
        sock.setblocking(False)
    with sock:
        yield heard
        time.sleep(0.2)
        with contextlib.suppress(BlockingIOError):
            while frame := sock.recv(2048):
                if frame[6:12] == bytes.fromhex(mac.replace(":", "")):
                    heard.append(frame)


def set_isolate(lab, word):
    config = lab.state / "gatehouse.conf"
    lines = [line for line in config.read_text().splitlines() if "isolate" not in line]
    config.write_text("\n".join([*lines, f"isolate = {word}", ""]))
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: lab.ctl("status")["networks"][0]["isolate"] == (word == "yes"))


def heard_through_the_box(lab, guest, other):
    """How many of four packets, routed there and back."""
    me, box, there = Addresses(guest), Nearby(lab), Addresses(other)
    up = Ether(src=me.mac, dst=box.mac)
    with hearing(other, box.mac) as heard:
        send(guest, [up / ip / what for ip in (
            IP(src=me.ip4, dst=there.ip4), IPv6(src=me.ip6, dst=there.ip6)) for what in (
                UDP(sport=7777, dport=7777) / b"x", TCP(sport=7777, dport=80, flags="S"))])
    # Not the box's redirects, which quote them.
    return len([frame for frame in heard if
                struct.pack(">H", 7777) in frame[34:58]])


def test_guests_do_not_meet_through_the_box(lab):
    """It would be without the switch that isolates."""
    guest, other = lab.guests(2)
    for paying in (guest, other):
        assert paying.redeem(lab.voucher())[0] == 200
    assert heard_through_the_box(lab, guest, other) == 0


def test_guests_meet_through_the_box_if_they_may(tc_lab):
    """Both must be online; nobody pays."""
    guest, other = tc_lab.guests(2)
    assert guest.redeem(tc_lab.voucher())[0] == 200
    set_isolate(tc_lab, "no")
    try:
        assert heard_through_the_box(tc_lab, guest, other) == 0
        assert other.redeem(tc_lab.voucher())[0] == 200
        used = sessions_of(guest, other)
        assert heard_through_the_box(tc_lab, guest, other) == 4
        assert sessions_of(guest, other) == used
    finally:
        set_isolate(tc_lab, "yes")
    assert heard_through_the_box(tc_lab, guest, other) == 0


@pytest.mark.parametrize("lab", ["bridge"], indirect=True)
def test_guests_on_a_bridge(lab):
    """Nothing of one guest comes to another one, not even a word about who is
    the router."""
    guest, other = lab.guests(2)
    for paying in (guest, other):
        assert paying.redeem(lab.voucher())[0] == 200
    me, there = Addresses(guest), Addresses(other)
    everyone = "ff:ff:ff:ff:ff:ff"
    with hearing(other, me.mac) as heard:
        send(guest, [
            Ether(src=me.mac, dst=there.mac) / IP(src=me.ip4, dst=there.ip4) / ICMP(),
            Ether(src=me.mac, dst=there.mac) / IP(src=me.ip4, dst=WEB4) / ICMP(),
            Ether(src=me.mac, dst=everyone) / ARP(
                op=1, hwsrc=me.mac, psrc="10.77.0.1", pdst=there.ip4),
            Ether(src=me.mac, dst=there.mac) / ARP(
                op=2, hwsrc=me.mac, psrc="10.77.0.1", hwdst=there.mac, pdst=there.ip4),
            Ether(src=me.mac, dst="33:33:00:00:00:01") / IPv6(
                src=me.ip6, dst="ff02::1", hlim=255) / scapy.ICMPv6ND_NA(
                    tgt="fd77::1", O=1) / scapy.ICMPv6NDOptDstLLAddr(lladdr=me.mac)])
    assert heard == []
    assert other.is_online()


def isolated(lab):
    """Names of the bridge's ports that reach no other such port."""
    rows = json.loads(lab.run("gw", "bridge", "-j", "-d", "link").stdout)
    return {row["ifname"] for row in rows if row.get("isolated")}


def pings(guest, other):
    """Over the bridge: once both are online, free of charge, and to a group."""
    theirs = other.run("cat", "/proc/net/if_inet6").stdout
    linklocal = next(line for line in theirs.splitlines() if line.startswith("fe80")).split()[0]
    linklocal = ":".join(linklocal[i:i + 4] for i in range(0, 32, 4))
    ways = (other.address(4), other.address(6), linklocal + "%eth0")

    def answers(way):
        return guest.run("ping", "-c1", "-W1", way, check=False).returncode == 0

    assert not answers(ways[0])
    assert guest.redeem(guest.lab.voucher())[0] == 200
    assert not answers(ways[0])
    assert other.redeem(guest.lab.voucher())[0] == 200
    used = sessions_of(guest, other)
    assert [answers(way) for way in ways] == [True] * 3
    call = Ether(src=guest.mac, dst="ff:ff:ff:ff:ff:ff") / IP(
        src=guest.address(4), dst="255.255.255.255") / UDP(sport=7777, dport=7777) / b"all"
    with inside(guest.lab.namespace("gw")), \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box, \
            hearing(other, guest.mac) as heard:
        box.bind(("", 7777))
        send(guest, [call])
        with pytest.raises(BlockingIOError):  # the box is no guest
            box.recv(100, socket.MSG_DONTWAIT)
    assert bytes(call) in [frame[:len(call)] for frame in heard]
    assert sessions_of(guest, other) == used


def test_isolating_is_undone_by_who_did_it():
    """By setting and by unload, after kill -9 as well; the operator's own stays."""
    lab = make_lab("bridge", guests=2)
    lab.way = "bridge"
    try:
        assert isolated(lab) == {"p1", "p2"}
        set_isolate(lab, "no")
        wait_for(lambda: isolated(lab) == set())
        guest, other = (Guest(lab, number) for number in (1, 2))
        ask = Ether(src=guest.mac, dst="ff:ff:ff:ff:ff:ff") / ARP(
            op=1, hwsrc=guest.mac, psrc=guest.address(4), pdst=other.address(4))
        with hearing(other, guest.mac) as heard:
            send(guest, [ask])
        assert bytes(ask) in [frame[:len(ask)] for frame in heard]
        pings(guest, other)
        lab.run("gw", "bridge", "link", "set", "dev", "p2", "isolated", "on")
        set_isolate(lab, "yes")
        wait_for(lambda: isolated(lab) == {"p1", "p2"})
        lab.kill("gatehoused")
        lab.kill("gatehouse-portal")
        lab.start()
        assert isolated(lab) == {"p1", "p2"}
        lab.ctl("unload", "--closed")
        assert isolated(lab) == {"p2"}
    finally:
        lab.down()


def test_a_router_that_is_none(lab):
    """Router advertisements, redirects and DHCP answers of guests go nowhere."""
    guest, other = lab.guests(2)
    me, box = Addresses(guest), Nearby(lab)
    everyone = "ff:ff:ff:ff:ff:ff"
    advertisement = scapy.ICMPv6ND_RA(routerlifetime=1800) / scapy.ICMPv6NDOptPrefixInfo(
        prefix="fdbd::", prefixlen=64)
    before = lab.reasons()["drop_rogue"]
    with Watch(lab, me.mac) as watch:
        send(guest, [
            Ether(src=me.mac, dst="33:33:00:00:00:01") / IPv6(
                src="fe80::1", dst="ff02::1", hlim=255) / advertisement,
            Ether(src=me.mac, dst=box.mac) / IPv6(
                src="fe80::1", dst=box.linklocal, hlim=255) / advertisement,
            Ether(src=me.mac, dst=box.mac) / IPv6(
                src="fe80::1", dst=box.linklocal, hlim=255) / scapy.ICMPv6ND_Redirect(),
            Ether(src=me.mac, dst=box.mac) / IP(src=me.ip4, dst="10.77.0.1") / ICMP(
                type=5, gw=me.ip4) / IP(dst=WEB4) / UDP()])
        assert lab.reasons()["drop_rogue"] == before + 4
        send(guest, [
            Ether(src=me.mac, dst=everyone) / IP(src=me.ip4, dst="255.255.255.255") /
            UDP(sport=67, dport=68) / scapy.BOOTP(op=2)])
        assert watch.ports() == set()
    if lab.way == "bridge":
        assert "fdbd" not in other.run("ip", "-6", "addr").stdout


# The portal: who asks is who sent the SYN, whatever the request says (T1).

CLAIMS = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "X-Client-IP", "Via",
          "X-Client-MAC", "X-Forwarded-Host", "X-Original-URL", "True-Client-IP"]


def test_claims_of_headers_count_for_nothing(tc_lab):
    guest, paying = tc_lab.guests(2)
    assert paying.redeem(tc_lab.voucher())[0] == 200
    for value in (paying.address(4), paying.address(6), paying.mac, "127.0.0.1",
                  f"for={paying.address(4)};host=localhost"):
        options = [word for name in CLAIMS for word in ("-H", f"{name}: {value}")]
        answer = guest.curl(PORTAL4 + f"/api/session?mac={paying.mac}&ip={value}", *options)
        session = json.loads(answer.body)
        assert answer.status == 200 and session["state"] == "captive"
        assert session["mac"].lower() == guest.mac and not session["online"]
        time.sleep(0.3)


def test_another_host_is_sent_to_the_right_one(tc_lab):
    guest = tc_lab.guest()
    for host in ("evil.example", "localhost", "127.0.0.1", "192.0.2.1", "10.77.0.1.evil.example",
                 "10.77.0.1@evil.example", "[fd77::1]", "evil.example:80", "10.77.0.1\t", ""):
        api = guest.curl(PORTAL4 + "/api/session", "-H", f"Host: {host}" if host else "Host;")
        assert api.status in (400, 403) or (host.strip() == "10.77.0.1" and api.status == 200)
        page = guest.curl(PORTAL4 + "/r", "-H", f"Host: {host}" if host else "Host;")
        assert page.status in (302, 400) or (host.strip() == "10.77.0.1" and page.status == 200)
        location = page.headers.get("location", PORTAL4 + "/")
        assert location.startswith(PORTAL4 + "/"), location


def test_what_is_anothers_cannot_be_had(tc_lab):
    """With a connection of one's own, and all that one may have overheard."""
    guest, paying = tc_lab.guests(2)
    code = tc_lab.voucher()
    token = paying.redeem(code)[1]["token"]
    portal = PORTAL4 + "/"
    assert guest.redeem(code)[1]["code"] == "voucher_used"
    assert guest.restore(token)[1]["code"] == "not_transferable"
    for body in ({"token": token, "mac": paying.mac}, {"code": code, "mac": paying.mac},
                 {"token": token, "ip": paying.address(4)}):
        path = "sessions/restore" if "token" in body else "vouchers/activate"
        status, reply = guest.api(f"/api/{path}", body)
        assert (status, reply["code"]) == (400, "bad_request")
    # The cookie opens nothing by itself, and says nothing about its owner.
    page = guest.curl(portal, "-H", f"Cookie: gh_session={token}")
    for secret in (paying.mac, paying.mac.upper(), token, "1 Hour"):
        assert secret not in page.body
    assert 'data-state="captive"' in page.body
    guest.curl(portal + "leave", "-X", "POST", "-H", f"Cookie: gh_session={token}")
    assert not guest.is_online()
    # What one guest tries does not count against another.
    for number in range(12):
        status, reply = guest.restore(f"{number:064x}")
        assert status in (404, 429)
    assert (status, reply["code"]) == (429, "slow_down")
    assert paying.session()["online"] and paying.is_online()
    status, reply = paying.restore(token)
    assert status == 200 and reply["migrated"] is False


@pytest.mark.parametrize("family", [4, 6])
def test_anothers_ip_address_is_no_proof(tc_lab, family):
    """Even when the box's neighbour table was poisoned, so that answers come."""
    guest, paying = tc_lab.guests(2)
    assert paying.redeem(tc_lab.voucher())[0] == 200
    stolen, mine = paying.address(family), guest.mac
    length = {4: "32", 6: "128"}[family]
    portal = {4: PORTAL4, 6: PORTAL6}[family]

    def neighbour(mac, state):
        tc_lab.run("gw", "ip", "neigh", "replace", stolen, "lladdr", mac, "nud", state,
                   "dev", "lan0")

    guest.run("ip", "addr", "add", f"{stolen}/{length}", "dev", "eth0", *["nodad"][:family == 6])
    try:
        neighbour(mine, "permanent")
        answer = guest.curl(portal + "/api/session", "--interface", stolen,
                            *["-6"][:family == 6])
        session = json.loads(answer.body)
        assert session["mac"].lower() == mine and session["state"] == "captive"
        assert "token" not in session
    finally:
        guest.run("ip", "addr", "del", f"{stolen}/{length}", "dev", "eth0")
        neighbour(paying.mac, "stale")
    assert paying.is_online(*["-6"][:family == 6])


def test_a_copied_mac_takes_no_session_along(lab):
    """Two devices with one MAC look like one (README, limits). The copy surfs on
    its owner's quota and not beyond; it gets no token to take the session away."""
    owner, copy = lab.guests(2)
    status, reply = owner.redeem(lab.voucher(lab.plan(minutes=60, megabytes=2, moves=1)))
    assert status == 200
    mac = owner.mac
    owner.run("ip", "link", "set", "eth0", "down")
    try:
        copy.change_mac(mac)
        assert copy.session()["online"] and "token" not in copy.session()
        page = copy.curl(PORTAL4 + "/")
        assert "set-cookie" not in page.headers and "/r#" not in page.body
        copy.run("curl", "-s", "-m", "2", "-o", "/dev/null", f"http://{WEB4}/bytes/9000000",
                 check=False)
        assert not copy.session()["online"]
        spent = next(row for row in lab.ctl("sessions")["items"] if row["mac"].lower() == mac)
        assert spent["endReason"] == "used up"
        assert spent["bytesUp"] + spent["bytesDown"] <= 2_000_000
    finally:
        copy.change_mac(f"02:00:00:00:01:{copy.number:02x}")
        owner.run("ip", "link", "set", "eth0", "up")


def test_the_portals_own_uid_may_nothing(tc_lab):
    """Whoever takes over the portal has the guests that are connected, no more."""
    table = (TOP / "userspace/daemon/ops.c").read_text()
    names = re.findall(r'^\t\{"([a-z.]+)", PROOF_', table, re.MULTILINE)
    assert len(names) >= 20
    script = """
import json, socket, sys
for name in sys.argv[2:]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.connect(sys.argv[1])
        sock.send(json.dumps({"op": name}).encode())
        print(name, json.loads(sock.recv(65536))["code"])
"""
    account = pwd.getpwnam("gatehouse-portal")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", script, str(tc_lab.state / "control.sock"), *names],
        user=account.pw_uid, group=account.pw_gid, extra_groups=[], text=True,
        capture_output=True, timeout=20, check=True)
    codes = dict(line.split() for line in done.stdout.splitlines())
    assert set(codes) == set(names)
    # Where an argument is missing, that may be said before who asks is looked at.
    assert set(codes.values()) <= {"not_allowed", "bad_request"}, codes
    assert codes["status"] == codes["clients.list"] == codes["guest.session"] == "not_allowed"
