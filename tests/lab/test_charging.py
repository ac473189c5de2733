# SPDX-License-Identifier: GPL-2.0-or-later
"""Charged bytes are the bytes on the guest's own wire, to the byte."""

import json
import os

import pytest

from conftest import wait_for

pytestmark = pytest.mark.alone

SIZE = 3_000_000


def charged(lab, guest):
    record = lab.record(guest.mac)
    return record["up"][0], record["down"][0]


def settled(lab, guest):
    """The record once nothing moves any more."""
    seen = []

    def still():
        seen.append(charged(lab, guest))
        return len(seen) > 3 and len(set(seen[-3:])) == 1

    wait_for(still, step=0.05)
    return seen[-1]


def lost(lab, guest):
    """Frames that links between the guest and the gate had no room for: they
    are captured, but reach no gate."""
    spaces = [s for s in ("gw", "sw", guest.name) if os.path.exists(lab.namespace(s))]
    links = [link for space in spaces
             for link in json.loads(lab.run(space, "ip", "-j", "-s", "link").stdout)]
    return sum(link["stats64"][way]["dropped"] for link in links for way in ("rx", "tx"))


def counted(lab, guest, transfer):
    """Charged and captured bytes, up and down, of a transfer that lost nothing."""
    for _ in range(5):
        before, dropped = settled(lab, guest), lost(lab, guest)
        with guest.capture() as capture:
            transfer()
            after = settled(lab, guest)
        if lost(lab, guest) == dropped:
            break
    return (after[0] - before[0], after[1] - before[1]), (capture.up, capture.down)


def online(lab):
    """Without a rate: what that drops is not charged, but captured."""
    guest = lab.guest()
    assert guest.redeem(lab.voucher(lab.plan(minutes=60)))[0] == 200
    return guest


@pytest.mark.parametrize("offload", ["on", "off"])
@pytest.mark.parametrize("family", [4, 6])
def test_tcp(lab, family, offload):
    guest = online(lab)
    guest.run("ethtool", "-K", "eth0", "tso", offload, "gso", offload)
    address = "192.0.2.80" if family == 4 else "[2001:db8::80]"

    def transfer():
        guest.run("curl", "-sS", "-o", "/dev/null", f"http://{address}/bytes/{SIZE}")
        guest.run("curl", "-sS", "-o", "/dev/null", "-H", "Expect:", "--data-binary",
                  "@-", f"http://{address}/", input="x" * SIZE)

    paid, captured = counted(lab, guest, transfer)
    guest.run("ethtool", "-K", "eth0", "tso", "on", "gso", "on")
    assert paid == captured, lab.reasons()
    assert min(captured) > SIZE


@pytest.mark.parametrize("family", [4, 6])
def test_udp(lab, family):
    guest = online(lab)
    address = "192.0.2.80" if family == 4 else "2001:db8::80"
    paid, captured = counted(lab, guest, lambda: guest.run(
        "iperf3", f"-{family}", "-c", address, "-u", "-b", "20M", "-t", "1", "--bidir",
        "-l", "1200"))
    assert paid == captured, lab.reasons()
    assert min(captured) > 1_000_000


def test_portal_and_dns_are_free(lab):
    guest = online(lab)
    before = settled(lab, guest)
    guest.curl("http://10.77.0.1/")
    guest.run("busybox", "nslookup", "example.org", "10.77.0.1", check=False)
    guest.run("ping", "-c", "2", "-i", "0.2", "10.77.0.1")
    assert settled(lab, guest) == before


def test_the_session_says_what_was_charged(lab):
    guest = online(lab)
    session = guest.session()
    assert (session["bytesUp"], session["bytesDown"]) == (0, 0)
    with guest.capture() as capture:
        guest.run("curl", "-sS", "-o", "/dev/null", "http://192.0.2.80/bytes/100000")
        settled(lab, guest)
    session = guest.session()
    assert (session["bytesUp"], session["bytesDown"]) == (capture.up, capture.down)
    client = lab.ctl("client", guest.mac)
    assert (client["bytesUp"], client["bytesDown"]) == (capture.up, capture.down)
