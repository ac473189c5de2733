# SPDX-License-Identifier: GPL-2.0-or-later
"""DNS of captive guests: whichever server a phone asks, the network's resolver
answers in its name, so that the phone comes as far as the portal; what else it
tries in place of DNS is refused at once; and a tunnel through DNS gets next to
nothing. Guests who are online speak to their own servers."""

import contextlib
import os
import socket
import struct
import threading
import time

import pytest

from conftest import WEB4, WEB6, wait_for
from netns import inside

# Nobody is there, and the way leads through the gate.
ELSEWHERE = {4: "198.51.100.53", 6: "2001:db8:53::53"}
# The lab's dnsmasq says so of every name.
EVERYWHERE = {4: socket.inet_aton(WEB4), 6: socket.inet_pton(socket.AF_INET6, WEB6)}

one_way = pytest.mark.parametrize("lab", ["tc"], indirect=True)


def question(number, name="example.org", kind=1):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + struct.pack(
        ">BHH", 0, kind, 1)


def udp(guest, family):
    with inside(guest.lab.namespace(guest.name)):
        sock = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6,
                             socket.SOCK_DGRAM)
    sock.settimeout(2)
    return sock


def ask(guest, family, server=None, number=0x4711):
    """The answer of that server; connected, so nobody else's is heard."""
    with udp(guest, family) as sock:
        sock.connect((server or ELSEWHERE[family], 53))
        try:
            sock.send(question(number, kind=1 if family == 4 else 28))
            return sock.recv(2000)
        except OSError:
            return None


def is_answered(guest, family, server=None):
    answer = ask(guest, family, server)
    return bool(answer) and EVERYWHERE[family] in answer


class Server:
    """A DNS server on the internet: answers what it is asked by `reply(query)`."""

    def __init__(self, lab, reply):
        self.reply, self.asked, self.senders, self.bytes = reply, 0, set(), 0
        with inside(lab.namespace("inet")):
            self.sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.sock.bind(("::", 53))
        self.sock.settimeout(0.1)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        while not self.stop.is_set():
            with contextlib.suppress(TimeoutError):
                query, sender = self.sock.recvfrom(4096)
                self.asked += 1
                self.bytes += len(query)
                self.senders.add(sender[0])
                self.sock.sendto(self.reply(query), sender)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()
        self.sock.close()


def theirs(query):
    return query[:2] + b"\x81\x80" + query[4:] + b"theirs"


@pytest.mark.parametrize("family", [4, 6])
def test_other_servers_answer_captive_guests(lab, family):
    guest = lab.guest()
    before = lab.reasons()["pass_steered"]
    assert is_answered(guest, family)
    assert lab.reasons()["pass_steered"] == before + 1
    # The web's address as its DNS server, which is not asked while captive.
    server = WEB4 if family == 4 else WEB6
    with Server(lab, theirs) as asked:
        assert is_answered(guest, family, server)
        assert asked.asked == 0
        assert guest.redeem(lab.voucher())[0] == 200
        steered = lab.reasons()["pass_steered"]
        assert ask(guest, family, server).endswith(b"theirs")
        assert asked.asked == 1 and lab.reasons()["pass_steered"] == steered
        lab.ctl("kick", guest.mac)
        assert is_answered(guest, family, server) and asked.asked == 1


@one_way
@pytest.mark.parametrize("family", [4, 6])
def test_only_the_boxs_answers_teach_the_garden(lab, settings, family):
    """In whosever name they leave; what a guest's own server says is only said."""
    address = WEB4 if family == 4 else WEB6

    def page():
        url = f"http://{address}/" if family == 4 else f"http://[{address}]/"
        return captive.curl(url, *(["-6"] if family == 6 else []), timeout=2).status

    def lie(query):
        return (query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:] + b"\xc0\x0c" +
                query[-4:] + struct.pack(">IH", 60, len(EVERYWHERE[family])) +
                EVERYWHERE[family])

    settings("garden = example.org\n")
    captive, paid = lab.guests(2)
    assert paid.redeem(lab.voucher())[0] == 200
    with Server(lab, lie) as asked:
        assert is_answered(paid, family, address) and asked.asked == 1
    assert page() == 302
    assert is_answered(captive, family)
    assert page() == 200


@one_way
def test_two_servers_at_once_and_the_box(lab):
    """As musl does it: one socket, one id, all servers, and the first answer."""
    guest = lab.guest()
    servers = [("198.51.100.53", 53), ("203.0.113.53", 53)]
    with udp(guest, 4) as sock:
        for server in servers:
            sock.sendto(question(1), server)
        assert sock.recvfrom(2000)[1] in servers
        assert sock.recvfrom(2000)[1] in servers
        sock.sendto(question(2), ("10.77.0.1", 53))
        assert sock.recvfrom(2000)[1] == ("10.77.0.1", 53)
    # A name is looked up by a phone's own means.
    found = guest.run("busybox", "nslookup", "example.org", "198.51.100.53")
    assert WEB4 in found.stdout


@one_way
def test_what_else_could_be_dns_is_refused_at_once(lab):
    """DNS over TLS (Private DNS), over TCP and over HTTPS: a phone that waits
    for them shows no portal."""
    guest = lab.guest()
    is_refused_at_once(guest, ((ELSEWHERE[4], 853), (ELSEWHERE[6], 853), ("10.77.0.1", 853),
                               ("fd77::1", 853), (ELSEWHERE[4], 53), (ELSEWHERE[6], 53),
                               (ELSEWHERE[4], 443)))
    # DNS over QUIC.
    for family in 4, 6:
        hears_of_it(guest, family, ELSEWHERE[family])


@one_way
def test_the_box_refuses_other_dns_at_once_to_those_who_run(lab):
    """The box has no DNS over TLS, HTTPS or QUIC: who tries falls back to what it has."""
    guest = lab.guest()
    assert guest.redeem(lab.voucher())[0] == 200
    is_refused_at_once(guest, (("10.77.0.1", 853), ("fd77::1", 853)))
    for family, box in ((4, "10.77.0.1"), (6, "fd77::1")):
        hears_of_it(guest, family, box)


def is_refused_at_once(guest, servers):
    for address, port in servers:
        with inside(guest.lab.namespace(guest.name)):
            start = time.monotonic()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((address, port), timeout=3)
            # At once, or when a first packet that was lost is sent again.
            assert time.monotonic() - start < 1.5, (address, port)


def hears_of_it(guest, family, server):
    """By an ICMP error, which a connected socket hears."""
    with udp(guest, family) as sock:
        sock.connect((server, 853))
        sock.send(b"x" * 40)
        with pytest.raises(OSError) as refused:
            sock.recv(100)
        assert not isinstance(refused.value, TimeoutError)


def resolvers(lab):
    network = lab.ctl("status")["networks"][0]
    return network["resolver4"], network["resolver6"]


@one_way
def test_explain_tells(lab):
    guest = lab.guest()
    told = lab.ctl("explain", guest.mac, "--to", ELSEWHERE[4], "--proto", "udp", "--port", 53)
    assert told["reason"] == "pass_steered"


@one_way
def test_settings_are_live(lab, settings):
    guest = lab.guest()
    settings("steer_dns = no\n")
    assert resolvers(lab) == (None, None)
    assert not is_answered(guest, 4) and not is_answered(guest, 6)
    assert is_answered(guest, 4, "10.77.0.1")
    with Server(lab, theirs) as resolver:
        settings(f"resolver4 = {WEB4}\nresolver6 = {WEB6}\n")
        for family in 4, 6:
            assert ask(guest, family).endswith(b"theirs")
        assert resolver.asked == 2 and resolvers(lab) == (WEB4, WEB6)
        # It is asked for nobody's sake but a client's, and answers no other.
        assert not is_answered(guest, 4, "10.77.0.9")
        assert resolver.asked == 2
    settings("steer_dns = yes\n")
    assert resolvers(lab) == ("10.77.0.1", "fd77::1")
    assert is_answered(guest, 4) and is_answered(guest, 6)


@one_way
def test_what_a_tunnel_through_dns_gets(lab, settings):
    """The worst case: a resolver that asks the tunnel's end at once, questions of
    the longest names and answers of 1200 bytes, as fast as they can be sent."""
    settings(f"resolver4 = {WEB4}\n")
    guest = lab.guest()
    name = ".".join(["x" * 60] * 4)
    down, sent = 0, 0
    with Server(lab, lambda query: query.ljust(1200, b"d")) as end, udp(guest, 4) as sock:
        sock.setblocking(False)
        start = time.monotonic()
        while (seconds := time.monotonic() - start) < 3:
            sock.sendto(question(sent & 0xffff, name), (ELSEWHERE[4], 53))
            sent += 1
            with contextlib.suppress(BlockingIOError):
                while True:
                    down += len(sock.recv(2000))
            time.sleep(0.001)
        up = end.bytes
    print(f"{sent} questions; up {up * 8 / seconds:.0f} bit/s, down {down * 8 / seconds:.0f} "
          f"bit/s over {seconds:.1f} s, of which 4 s' worth at once")
    # captive_kbps = 8 each way, 4 s of it at once, one more that crosses the line
    allowed = 8_000 / 8 * (seconds + 4)
    assert 1000 < up <= allowed + 300 and 1000 < down <= allowed + 1300
