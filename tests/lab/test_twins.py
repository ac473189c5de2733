# SPDX-License-Identifier: GPL-2.0-or-later
"""Two devices with one MAC: on two networks at once, or as two systems at once.
They are events with evidence within 10 s, and one device that roams, sleeps,
changes its address or starts anew is none (docs/design.md 4.15)."""

import datetime
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import WEB4, WEB6, make_lab, wait_for
from test_isolation import IP, Ether, IPv6, UDP, Watch, inside, scapy
from test_spoofing import event_of, events

OTHER = "b0"  # the namespace of the device on the other network
LINUX = [("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 0)), ("NOP", None), ("WScale", 7)]
WINDOWS = [("MSS", 1460), ("NOP", None), ("WScale", 8), ("NOP", None), ("NOP", None),
           ("SAckOK", b"")]
KINDS = ["two_networks", "two_systems"]


def configure(lab, on_spoof):
    """What becomes of pretenders, on both networks."""
    path = lab.state / "gatehouse.conf"
    lines = [line for line in path.read_text().splitlines() if "on_spoof" not in line]
    for at in reversed(range(len(lines))):
        if lines[at].startswith("[network "):
            lines.insert(at + 1, f"on_spoof = {on_spoof}")
    path.write_text("\n".join([*lines, ""]))
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: [n["onSpoof"] for n in lab.ctl("status")["networks"]] == [on_spoof] * 2)


@pytest.fixture(scope="module")
def two():
    """A lab with another network, on which is a device with any MAC; one of them
    is gated by XDP, the other at TC."""
    lab = make_lab("xdp", guests=18)
    other = f"{lab.prefix}-{OTHER}"
    lab.run("gw", "ip", "netns", "add", other)
    for words in (f"link add lan1 type veth peer name eth0 netns {other}",
                  "addr add 10.79.0.1/24 dev lan1", "link set lan1 up"):
        lab.run("gw", "ip", *words.split())
    lab.run(OTHER, "ip", "link", "set", "eth0", "up")
    lab.box = {name: json.loads(lab.run("gw", "ip", "-j", "link", "show", link).stdout)[0]
               ["address"] for name, link in (("lan", "lan0"), ("staff", "lan1"))}
    path = lab.state / "gatehouse.conf"
    path.write_text(path.read_text() + "\n[network staff]\ninterface = lan1\nhook = tc\n"
                    "portal4 = 10.79.0.1\n")
    configure(lab, "report")
    wait_for(lambda: [n["gate"] for n in lab.ctl("status")["networks"]] == ["gated"] * 2)
    yield lab
    lab.run("gw", "ip", "netns", "del", other)
    lab.down()


class Talk:
    """Sends frames at a guest's place, and those on the other network at the
    device that is there, each in its turn, until it is told to end."""

    def __init__(self, lab, guest, frames, gap):
        self.frames, self.gap, self.over = frames, gap, threading.Event()
        self.sockets = {}
        for where in {where for where, _ in frames}:
            with inside(lab.namespace(OTHER if where == "staff" else guest.name)):
                self.sockets[where] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                self.sockets[where].bind(("eth0", 0))
        self.frames = [(where, bytes(frame)) for where, frame in frames]
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.over.is_set():
            for where, frame in self.frames:
                self.sockets[where].send(frame)
                self.over.wait(self.gap)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()
        for sock in self.sockets.values():
            sock.close()


def frame(lab, guest, where):
    """Something for the internet, on one of the networks."""
    source = guest.address(4) if where == "lan" else f"10.79.0.{20 + guest.number}"
    return where, Ether(src=guest.mac, dst=lab.box[where]) / IP(
        src=source, dst=WEB4) / UDP(sport=4000, dport=4000) / b"twin"


def syn(lab, guest, options, ttl, family=4, where="lan"):
    """Opens a connection to nowhere."""
    ip = (IP(src=guest.address(4), dst=WEB4, ttl=ttl) if family == 4 else
          IPv6(src=guest.address(6), dst=WEB6, hlim=ttl))
    return where, Ether(src=guest.mac, dst=lab.box[where]) / ip / scapy.TCP(
        sport=40000, dport=443, flags="S", options=options)


def paid(lab):
    guest = lab.guest()
    lab.ctl("allow", guest.mac, "--minutes", "60")
    assert guest.is_online()
    return guest


def told(lab, guest):
    return [kind for kind in KINDS if events(lab, guest.mac, kind)]


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_on_two_networks(two):
    guest = paid(two)
    with Talk(two, guest, [frame(two, guest, "lan"), frame(two, guest, "staff")], 0.3), \
            Watch(two, guest.mac) as watch:
        event = event_of(two, guest.mac, "two_networks")
        assert watch.packets("forwarded") > 2, "reported, not dropped"
    assert event["severity"] == "HIGH"
    evidence = event["evidence"]
    assert evidence["networks"] == ["lan", "staff"]
    assert len(evidence["heard"]) == 2
    assert seconds(event["at"]) - seconds(evidence["since"]) < 10
    assert told(two, guest) == ["two_networks"]


@pytest.mark.parametrize("family", [4, 6])
def test_two_systems(two, family):
    """The guest's own, and another one with its MAC on the same network."""
    guest = paid(two)
    twin = syn(two, guest, WINDOWS, 128, family)
    with Talk(two, guest, [twin], 1):
        event = wait_for(lambda: guest.is_online(f"-{family}") and
                         events(two, guest.mac, "two_systems"))
    assert seconds(event["at"]) - seconds(event["evidence"]["since"]) < 10
    systems = sorted(event["evidence"]["systems"])
    assert systems[0] == "ttl 128: mss 1460, scale 8, sack"
    assert systems[1].startswith("ttl 64: mss 14") and "sack, timestamps, scale" in systems[1]
    assert told(two, guest) == ["two_systems"]


def test_two_systems_at_tc(two):
    guest = paid(two)
    with Talk(two, guest, [syn(two, guest, options, ttl, where="staff")
                           for options, ttl in ((LINUX, 63), (WINDOWS, 127))], 0.2):
        event = event_of(two, guest.mac, "two_systems")
    assert event["evidence"]["systems"] == [
        "ttl 64: mss 1460, sack, timestamps, scale 7", "ttl 128: mss 1460, scale 8, sack"]
    assert event["network"] == "staff" and told(two, guest) == ["two_systems"]


def test_one_device_that_roams(two):
    """To and fro, each time silent where it was."""
    guest = paid(two)
    for where in ["staff", "lan"]:
        with Talk(two, guest, [frame(two, guest, where)], 0.1):
            time.sleep(2.1)
    assert told(two, guest) == []


def test_one_device_with_many_programs(two):
    """Other windows, other paths, repeated SYNs, tools, both families, another
    address, and after a while another system."""
    guest = paid(two)
    small = [(name, 1380 if name == "MSS" else value) for name, value in LINUX]
    narrow = [(name, 2 if name == "WScale" else value) for name, value in LINUX]
    fast = [*LINUX, (34, b"cookie12")]
    one = [syn(two, guest, options, ttl) for options, ttl in (
        (LINUX, 64), (small, 64), (narrow, 64), (fast, 63), ([("MSS", 1460)], 64),
        ([("MSS", 1460), ("SAckOK", b"")], 64), (LINUX, 9), ([], 64))]
    one += [syn(two, guest, LINUX, 255, 6)]
    with Talk(two, guest, one, 0.02):
        time.sleep(0.7)
    guest.run("ip", "addr", "add", "10.77.0.9/24", "dev", "eth0")
    assert guest.is_online()
    with Talk(two, guest, [syn(two, guest, WINDOWS, 128)], 0.1):
        time.sleep(0.5)
    assert told(two, guest) == []


def test_the_second_one_is_dropped(two):
    configure(two, "drop")
    guest = paid(two)
    here, there = frame(two, guest, "lan"), frame(two, guest, "staff")
    with Talk(two, guest, [here, there], 0.1):
        event_of(two, guest.mac, "two_networks")
        before = two.reasons()["drop_twin"]
        wait_for(lambda: two.reasons()["drop_twin"] > before + 3)
        assert guest.is_online()
    # Silent at last: where it is now is where it may be.
    with Talk(two, guest, [there], 0.1), Watch(two, guest.mac) as watch:
        wait_for(lambda: watch.packets("forwarded") > 3)


def test_the_second_system_opens_nothing(two):
    configure(two, "drop")
    guest = paid(two)
    before = two.reasons()["drop_twin"]
    with Talk(two, guest, [syn(two, guest, WINDOWS, 128)], 0.3):
        wait_for(lambda: guest.is_online() and two.reasons()["drop_twin"] > before + 2)
        assert guest.is_online()
    assert event_of(two, guest.mac, "two_systems")


# on_spoof = hold, and the verbs.

def state_of(lab, guest):
    client = lab.ctl("client", guest.mac)
    return client["state"], client["heldFor"]


def audit(lab, guest):
    with sqlite3.connect(f"file:{lab.state}/state/gatehouse.db?mode=ro", uri=True) as db:
        return [(who, what, detail) for who, what, detail in db.execute(
            "SELECT who, operation, detail FROM audit WHERE lower(mac) = ? ORDER BY id",
            [guest.mac]) if what in ("hold", "release")]


def held(two):
    """A guest with a token, held because his MAC is on another network, too."""
    configure(two, "hold")
    guest = two.guest()
    token = guest.redeem(two.voucher(two.plan(minutes=60)))[1]["token"]
    assert guest.is_online()
    with Talk(two, guest, [frame(two, guest, "lan"), frame(two, guest, "staff")], 0.2):
        wait_for(lambda: state_of(two, guest) == ("held", "two_networks"))
    return guest, token


def test_held_until_the_token_is_shown(two):
    guest, token = held(two)
    assert event_of(two, guest.mac, "two_networks")
    assert not guest.is_online()
    session = guest.session()
    assert (session["state"], session["online"], session["heldFor"]) == (
        "held", False, "two_networks")
    left = session["remainingSeconds"]
    page = guest.curl("http://10.77.0.1/").body
    assert "Another device seems to use the address of yours" in page
    # Who has the MAC only: no code helps, and no other session's token.
    other = two.guest()
    others = other.redeem(two.voucher(two.plan(minutes=60, moves=3)))[1]["token"]
    for status, reply in (guest.redeem(two.voucher()), guest.restore(others)):
        assert (status, reply["code"]) == (403, "session_held")
    assert "token" not in guest.session() and state_of(two, guest)[0] == "held"
    assert guest.session()["remainingSeconds"] == left
    # Nor does it help that the daemon dies, or the box starts anew.
    two.kill("gatehoused")
    two.start()
    assert state_of(two, guest) == ("held", "two_networks") and not guest.is_online()
    two.kill("gatehoused")
    subprocess.run(["rm", "-rf", two.pins], check=True)
    two.start("--boot-id", "00000000-0000-4000-8000-000000000015")
    wait_for(lambda: state_of(two, guest) == ("held", "two_networks"))
    assert not guest.is_online()
    assert guest.restore(token)[0] == 200
    assert guest.is_online() and state_of(two, guest) == ("running", None)
    assert [row[1:] for row in audit(two, guest)] == [
        ("hold", "two_networks"), ("release", "token")]
    assert two.ctl("verify")["differences"] == []


def test_held_for_what_it_does(two):
    """A rogue router, and another's address; whose it is goes on."""
    configure(two, "hold")
    rogue, thief, victim = (paid(two) for _ in range(3))
    ra = Ether(src=rogue.mac, dst="33:33:00:00:00:01") / IPv6(
        src="fe80::5:5", dst="ff02::1", hlim=255) / scapy.ICMPv6ND_RA(routerlifetime=1800)
    stolen = Ether(src=thief.mac, dst=two.box["lan"]) / IP(
        src=victim.address(4), dst=WEB4) / UDP(sport=4000, dport=4000) / b"stolen"
    for guest, bad, kind in ((rogue, ra, "rogue_ra"), (thief, stolen, "spoofed")):
        with Talk(two, guest, [("lan", bad)], 0.5):
            wait_for(lambda: state_of(two, guest) == ("held", kind))
        assert not guest.is_online()
        assert "has disturbed the network" in guest.curl("http://10.77.0.1/").body
    assert victim.is_online() and state_of(two, victim) == ("running", None)


def test_hold_and_release(two):
    guest = paid(two)
    two.ctl("hold", guest.mac)
    assert state_of(two, guest) == ("held", "operator") and not guest.is_online()
    status, said = two.text("client", guest.mac)
    assert status == 0 and "held for" in said and "operator" in said
    assert "held already" in two.ctl("hold", guest.mac)["message"]
    two.ctl("release", guest.mac)
    assert state_of(two, guest) == ("running", None) and guest.is_online()
    assert "not held" in two.ctl("release", guest.mac)["message"]
    assert [row[1] for row in audit(two, guest)] == ["hold", "release"]


def test_a_token_that_two_devices_have(two):
    """Both are heard after the session has moved. One that is silent is not."""
    owner, other, phone, new = two.guests(4)
    plan = two.plan(minutes=60, moves=5)
    for old, taker in ((owner, other), (phone, new)):
        token = old.redeem(two.voucher(plan))[1]["token"]
        assert taker.restore(token)[0] == 200
    # A captive device speaks, and so does the one that has its session now.
    with Talk(two, owner, [frame(two, owner, "lan")], 0.5), \
            Talk(two, other, [frame(two, other, "lan")], 0.5), \
            Talk(two, new, [frame(two, new, "lan")], 0.5):
        event = event_of(two, owner.mac, "token_contested")
    assert event["severity"] == "HIGH"
    assert event["evidence"] == {"otherMac": other.mac.upper()}
    assert not events(two, phone.mac) and not events(two, new.mac)
