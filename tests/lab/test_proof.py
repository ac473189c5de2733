# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest is its own connection (T1): whoever has a hand in only a part of it,
a guest who sends one SYN under another's MAC, a host elsewhere, the portal's
own uid, is nobody. And the proof, a saved SYN, cannot be kept from others.
"""

import contextlib
import json
import pwd
import socket
import subprocess
import time

import pytest

from conftest import PORTAL4, PORTAL6, wait_for
from netns import inside

scapy = pytest.importorskip("scapy.all", reason="python3-scapy is missing")

PORTALS = {4: "10.77.0.1", 6: "fd77::1"}
REQUEST = b"GET /api/session HTTP/1.1\r\nHost: %s\r\n\r\n"


def lan_of(lab):
    return "br-lan" if getattr(lab, "way", "tc") == "bridge" else "lan0"


@contextlib.contextmanager
def leaving(lab, who, rule):
    """A rule for what leaves eth0 of "g1" or "inet"."""
    lab.run(who, "nft", "-f", "-", input=(
        "table netdev leaving { chain out {\n"
        "type filter hook egress device eth0 priority 0;\n" + rule + "\n}\n}\n"))
    try:
        yield
    finally:
        lab.run(who, "nft", "delete", "table", "netdev", "leaving")


def syn_under(mac):
    """Only the SYN: all that follows has the sender's own MAC."""
    return f"tcp flags & (syn | ack) == syn ether saddr set {mac}"


class Visit:
    """A connection to the portal, to be asked something later."""

    def __init__(self, guest, family, source=None):
        self.host = PORTALS[family]
        with inside(guest.lab.namespace(guest.name)):
            kind = {4: socket.AF_INET, 6: socket.AF_INET6}[family]
            self.sock = socket.socket(kind, socket.SOCK_STREAM)
            self.sock.settimeout(5)
            if source:
                self.sock.bind((source, 0, 0, socket.if_nametoindex("eth0")))
            self.sock.connect((self.host, 80))

    def ask(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.sock.sendall(REQUEST % host.encode())

    def answer(self):
        """(status, reply)"""
        with self.sock, self.sock.makefile("rb") as file:
            head, body = file.read().split(b"\r\n\r\n", 1)
        return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize("portal", [PORTAL4, PORTAL6])
def test_one_syn_under_anothers_mac(lab, portal):
    guest, victim = lab.guests(2)
    assert victim.redeem(lab.voucher())[0] == 200
    mac, code = victim.mac, lab.voucher()
    with leaving(lab, guest.name, syn_under(mac)):
        for status, reply in (guest.api("/api/session", portal=portal),
                              guest.redeem(code, portal)):
            assert (status, reply["code"]) == (503, "no_client")
    log = (lab.state / "gatehoused.log").read_text()
    assert "answers to" in log and "may be posing as the other" in log
    assert log.count("may be posing") <= 2  # once a minute
    assert guest.session(portal)["state"] == "captive"
    # Nothing was redeemed for the victim, who goes on.
    assert victim.is_online() and victim.session()["remainingSeconds"] <= 3600
    assert guest.redeem(code, portal)[0] == 200


@pytest.mark.parametrize("state", ["reachable", "stale", "delay", "probe", "permanent", "noarp"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_known_neighbour(tc_lab, family, state):
    guest = tc_lab.guest()
    visit = Visit(guest, family)
    entry = [guest.address(family), "dev", "lan0"]
    try:
        tc_lab.run("gw", "ip", "neigh", "replace", *entry, "lladdr", guest.mac, "nud", state)
        visit.ask()
        status, reply = visit.answer()
        assert (status, reply.get("mac", "").lower()) == (200, guest.mac)
    finally:
        tc_lab.run("gw", "ip", "neigh", "del", *entry, check=False)


@pytest.mark.parametrize("family", [4, 6])
def test_a_neighbour_that_does_not_answer(tc_lab, family):
    """Whose MAC is forgotten between the handshake and the request."""
    guest = tc_lab.guest()
    visit = Visit(guest, family)
    answers = {4: "ether type arp drop", 6: "icmpv6 type nd-neighbor-advert drop"}[family]
    with leaving(tc_lab, guest.name, answers):
        tc_lab.run("gw", "ip", "neigh", "del", guest.address(family), "dev", "lan0")
        visit.ask()
        time.sleep(0.3)
    status, reply = visit.answer()
    assert (status, reply["code"]) == (503, "no_client")
    assert guest.session()["state"] == "captive"


def test_a_link_local_guest(lab):
    guest = lab.guest()
    rows = json.loads(guest.run("ip", "-j", "-6", "addr", "show", "dev", "eth0", "scope",
                                "link").stdout)
    local = next(a["local"] for row in rows for a in row.get("addr_info", []) if a)
    visit = Visit(guest, 6, local)
    visit.ask()
    status, reply = visit.answer()
    assert (status, reply["mac"].lower()) == (200, guest.mac)


@pytest.mark.parametrize("portal", [PORTAL4, PORTAL6])
def test_a_host_on_another_link(lab, portal):
    """On the uplink one can have any MAC. The portal is not there at all."""
    victim = lab.guest()
    assert victim.redeem(lab.voucher())[0] == 200
    ask = ["curl", "-sg", "-m", "1", portal + "/api/session"]
    with leaving(lab, "inet", syn_under(victim.mac)):
        assert lab.run("inet", *ask, check=False).stdout == ""
    assert lab.run("inet", *ask, check=False).stdout == ""
    # The box itself sees it, and is nobody.
    assert json.loads(lab.run("gw", *ask).stdout)["code"] in ("not_a_guest", "no_client")
    assert victim.session(portal)["online"]


def test_without_our_table_the_macs_still_tell(tc_lab):
    """Until it is put back: a SYN to another interface's MAC is no guest's."""
    victim = tc_lab.guest()
    assert victim.redeem(tc_lab.voucher())[0] == 200
    ask = ["curl", "-s", "-m", "1", PORTAL4 + "/api/session"]

    def ask_while_it_is_gone():
        tc_lab.run("gw", "nft", "delete", "table", "inet", "gatehouse", check=False)
        return tc_lab.run("inet", *ask, check=False).stdout

    with leaving(tc_lab, "inet", syn_under(victim.mac)):
        assert json.loads(wait_for(ask_while_it_is_gone))["code"] == "not_a_guest"
    wait_for(lambda: "gatehouse" in tc_lab.run("gw", "nft", "list", "tables").stdout)


# As the portal's uid: a namespace where it is root, with the portal's address on
# this side of a veth and the victim's MAC on the other.
OWN_NAMESPACE = """
import ctypes, json, os, socket, subprocess, sys, time
path, victim = sys.argv[1:]
NEWUSER, NEWNET = 0x10000000, 0x40000000
libc = ctypes.CDLL(None)
uid, gid = os.getuid(), os.getgid()

def ip(*words):
    subprocess.run(["ip", *words], check=True)

if libc.unshare(NEWUSER | NEWNET):
    sys.exit(77)
for name, line in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(line)
with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
    file.write("0")
ip("link", "add", "here", "type", "veth", "peer", "name", "there")
ready, go = os.pipe()
pid = os.fork()
if pid == 0:
    libc.unshare(NEWNET)
    os.write(go, b"x")
    while "there" not in [name for _, name in socket.if_nameindex()]:
        time.sleep(0.02)
    ip("link", "set", "there", "address", victim)
    ip("addr", "add", "10.77.0.77/24", "dev", "there")
    ip("link", "set", "there", "up")
    client = socket.create_connection(("10.77.0.1", 80), 5)
    client.recv(1)
    os._exit(0)
os.read(ready, 1)
ip("addr", "add", "10.77.0.1/24", "dev", "here")
ip("link", "set", "here", "up")
listener = socket.socket()
listener.settimeout(5)
listener.setsockopt(socket.IPPROTO_TCP, 27, 2)  # TCP_SAVE_SYN
listener.bind(("10.77.0.1", 80))
listener.listen()
ip("link", "set", "there", "netns", str(pid))
guest, _ = listener.accept()
control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
control.connect(path)
socket.send_fds(control, [b'{"op":"guest.session"}'], [guest.fileno()])
print(control.recv(65536).decode())
guest.close()
"""


def test_a_network_of_the_portals_own(tc_lab):
    victim = tc_lab.guest()
    assert victim.redeem(tc_lab.voucher())[0] == 200
    account = pwd.getpwnam("gatehouse-portal")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", OWN_NAMESPACE, str(tc_lab.state / "control.sock"),
         victim.mac], user=account.pw_uid, group=account.pw_gid, extra_groups=[],
        text=True, capture_output=True, timeout=20, check=False)
    if done.returncode == 77:
        pytest.skip("no user namespaces for users here")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["code"] == "not_a_guest"


def test_half_open_connections_go_soon(tc_lab):
    """Where they stay, they fill the queue, and then nobody is proven."""
    guest, other = tc_lab.guests(2)
    link = json.loads(tc_lab.run("gw", "ip", "-j", "link", "show", "lan0").stdout)[0]
    head = (scapy.Ether(src=guest.mac, dst=link["address"]) /
            scapy.IP(src=guest.address(4), dst="10.77.0.1"))

    def half_open():
        return len(tc_lab.run("gw", "ss", "-Htn", "state", "syn-recv").stdout.splitlines())

    # The guest's kernel knows of none of them and would refuse the answers.
    with leaving(tc_lab, guest.name, "tcp flags & rst == rst drop"), \
            inside(tc_lab.namespace(guest.name)), \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("eth0", 0))
        for port in range(2000, 2020):
            sock.send(bytes(head / scapy.TCP(sport=port, dport=80, flags="S", seq=port)))
        assert wait_for(half_open) >= 10
        assert other.session()["state"] == "captive"
        wait_for(lambda: half_open() == 0, timeout=6)
