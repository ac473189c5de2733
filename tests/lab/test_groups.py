# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that share bytes and rates (docs/design.md 4.6), on two networks, with
real traffic: what they get together is what the group has, to the byte."""
import json
import subprocess
import time

import pytest

from conftest import PORTAL4, Guest, Refused, is_running, make_lab, wait_for
from test_watch import Watch

WEB = "http://192.0.2.80/bytes/"
MEGA = 1_000_000


class Neighbour(Guest):
    """The one guest of a second network, at an address of its own."""

    mac = "02:00:00:00:02:01"

    def __init__(self, lab):
        super().__init__(lab, 90)
        ns, gw = f"{lab.prefix}-g90", f"{lab.prefix}-gw"
        for line in (
                f"ip netns add {ns}",
                f"ip -n {gw} link add lan9 type veth peer name eth0 netns {ns} "
                f"address {self.mac}",
                f"ip -n {gw} addr add 10.79.0.1/24 dev lan9",
                f"ip -n {gw} link set lan9 up",
                f"ip -n {ns} addr add 10.79.0.2/24 dev eth0",
                f"ip -n {ns} link set eth0 up",
                f"ip -n {ns} route add default via 10.79.0.1"):
            subprocess.run(line.split(), check=True)
        with open(lab.state / "gatehouse.conf", "a", encoding="utf-8") as config:
            config.write("\n[network second]\ninterface = lan9\nportal4 = 10.79.0.1\n"
                         "hook = tc\n")
        subprocess.run(["kill", "-HUP", str(lab.pid("gatehoused"))], check=True)
        wait_for(lambda: any(port["interface"] == "lan9" and port["state"] == "gated"
                             for port in lab.ctl("status")["ports"]))
        lab.kill("gatehouse-portal")
        lab.start()

    def down(self):
        subprocess.run(["ip", "netns", "del", f"{self.lab.prefix}-g90"], check=True)


@pytest.fixture(scope="module")
def pair():
    """A guest on each of two networks, gated by XDP and by TC."""
    lab = make_lab("xdp", guests=1)
    neighbour = None
    try:
        neighbour = Neighbour(lab)
        yield lab, (lab.guest(), neighbour)
    finally:
        if neighbour:
            neighbour.down()
        lab.down()


@pytest.fixture
def captives(pair):
    """Both without a session, and without the record of the last one."""
    for guest in pair[1]:
        try:
            pair[0].ctl("kick", guest.mac)
        except Refused:
            pass
    wait_for(lambda: not any(pair[0].record(guest.mac) for guest in pair[1]))
    return pair[1]


@pytest.fixture
def group(pair, captives):
    """A group with both in it, without limits yet."""
    lab, guests = pair
    name = f"Room {time.monotonic_ns()}"
    lab.ctl("group", "add", name)
    for guest in guests:
        lab.ctl("allow", guest.mac, "--minutes", 60)
        lab.ctl("group", "join", name, guest.mac)
    yield name
    try:
        lab.ctl("group", "remove", name)
    except Refused:
        pass


def fetch(guest, size, seconds=90):
    return guest.spawn("curl", "-s", "-m", str(seconds), "-o", "/dev/null", "-w",
                       "%{size_download}", WEB + str(size), stdout=subprocess.PIPE,
                       text=True)


def drain(guests, is_over):
    """All of them download until it is over; what they got."""
    paths = [guest.lab.state / f"got-{guest.name}" for guest in guests]
    for path in paths:
        path.unlink(missing_ok=True)
    processes = [guest.spawn("curl", "-s", "-o", path, WEB + str(1000 * MEGA))
                 for guest, path in zip(guests, paths)]
    try:
        wait_for(is_over, timeout=60)
    finally:
        for process in processes:
            process.terminate()
            process.wait(30)
    return [path.stat().st_size for path in paths if path.exists()]


def used_up(lab, group):
    return lambda: lab.ctl("group", "show", group)["usedUpAt"]


BLAST = """
import os, socket, sys
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(sys.argv[1])]})
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(bytes(int(sys.argv[2])), ("192.0.2.80", 9))
    except OSError:
        pass # the gate says no by ICMP
"""


def blast(guest, cpu, size):
    """Datagrams until it is terminated, sent and judged on this processor."""
    return guest.spawn("/usr/bin/python3", "-c", BLAST, str(cpu), str(size))


def fetched(processes):
    return [int(process.communicate(timeout=120)[0]) for process in processes]


def share_of(rate, processes):
    """Of a rate, what these downloads got of it until they ended."""
    begun = time.monotonic()
    got = fetched(processes)
    return sum(got) * 8 / (rate * (time.monotonic() - begun + 0.25))


def of_both(lab, guests):
    return sum(used(lab.ctl("client", guest.mac)) for guest in guests)


def used(reply):
    return reply["bytesUp"] + reply["bytesDown"]


def settled(lab, group):
    """What is used once TCP has sent its last segments again, if it does."""
    counts = []

    def is_still():
        counts.append(used(lab.ctl("group", "show", group)))
        return len(counts) > 5 and len(set(counts[-5:])) == 1

    wait_for(is_still, step=0.1)
    return counts[-1]


def test_bytes_are_shared_to_the_last(pair, group):
    lab, guests = pair
    before = {guest.mac: used(lab.ctl("client", guest.mac)) for guest in guests}
    lab.ctl("group", "change", group, "--megabytes", 5)
    # Each has some, and then they run for the rest.
    got = fetched([fetch(guest, MEGA) for guest in guests])
    got += drain(guests, used_up(lab, group))
    shown = lab.ctl("group", "show", group)
    # Together no byte too much; a segment may not have fitted.
    assert got[:2] == [MEGA, MEGA] and sum(got) < 5 * MEGA
    assert 5 * MEGA - 2 * 65536 < used(shown) <= 5 * MEGA, shown
    own = sum(used(lab.ctl("client", guest.mac)) - before[guest.mac]
              for guest in guests)
    assert own == used(shown)
    for guest in guests:
        client = lab.ctl("client", guest.mac)
        assert client["state"] == "group_used_up" and client["group"] == group
        assert client["remainingBytes"] == shown["remainingBytes"]
    assert lab.reasons()["drop_group_quota"] > 0
    session = guests[0].session()
    assert session["remainingBytes"] == shown["remainingBytes"]
    # The probe finds the portal, as at the end of the own bytes.
    assert not guests[0].is_online()
    # More, while it runs: nobody signs in again.
    lab.ctl("group", "change", group, "--megabytes", 8)
    assert fetched([fetch(guests[1], MEGA)]) == [MEGA]
    assert lab.text("verify")[0] == 0


def test_two_processors_and_both_hooks_at_once(pair, group):
    """Uploads of both, as fast as they can, and downloads besides."""
    lab, guests = pair
    # Without what the test before still sends after they joined.
    before = of_both(lab, guests) - used(lab.ctl("group", "show", group))
    lab.ctl("group", "change", group, "--megabytes", 20)
    uploads = [blast(guest, cpu, 1000 + 11 * cpu) for cpu, guest in enumerate(guests)]
    drain(guests, used_up(lab, group))
    for process in uploads:
        process.terminate()
        process.wait(30)
    shown = lab.ctl("group", "show", group)
    assert shown["usedUpAt"] and min(shown["bytesUp"], shown["bytesDown"]) > 0
    assert 20 * MEGA - 2 * 65536 < used(shown) <= 20 * MEGA, shown
    assert of_both(lab, guests) - before == used(shown)


def ends_told(watch, group):
    return [event for event in map(json.loads, watch.lines())
            if event["event"] == "group_exhausted" and event["group"] == group]


def test_the_end_of_the_bytes_is_told_once(pair, group):
    lab, guests = pair
    lab.ctl("group", "change", group, "--megabytes", 1)
    with Watch(lab, "--json") as watch:
        drain(guests, used_up(lab, group))
        told = wait_for(lambda: ends_told(watch, group))
        # Nulls when the daemon counted before it read the kernel's word.
        assert told[0]["network"] in ("lan", "second", None)
        assert told[0]["mac"] in [*(guest.mac.upper() for guest in guests), None]
        assert lab.ctl("group", "show", group)["usedUpAt"]
        for guest in guests:
            client = lab.ctl("client", guest.mac)
            assert client["groupUsedUp"] and client["remainingSeconds"] > 0
        session = guests[0].session()
        assert (session["state"], session["online"]) == ("group_used_up", False)
        page = guests[0].curl(f"{PORTAL4}/").body
        assert "The data of your group is used up" in page and group in page
        assert len(ends_told(watch, group)) == 1
    # Not again in another life of the daemon.
    lab.kill("gatehoused")
    lab.start()
    with Watch(lab, "--json") as watch:
        assert not guests[1].is_online()
        assert guests[0].session()["state"] == "group_used_up"
        assert not ends_told(watch, group)
        # More: online again, and its end is another one.
        lab.ctl("group", "change", group, "--megabytes", 2)
        session = guests[0].session()
        assert (session["state"], session["online"]) == ("running", True)
        assert lab.ctl("group", "show", group)["usedUpAt"] is None
        drain(guests, used_up(lab, group))
        wait_for(lambda: ends_told(watch, group))


def test_a_rate_is_shared(pair, group):
    lab, guests = pair
    lab.ctl("group", "change", group, "--down", 8000)
    share = share_of(8_000_000, [fetch(guest, 100 * MEGA, 3) for guest in guests])
    assert 0.6 < share < 1.03
    # At once: none.
    lab.ctl("group", "change", group, "--down", 0)
    assert fetched([fetch(guests[0], 10 * MEGA)]) == [10 * MEGA]


def test_what_was_used_outlives_everything(pair, group):
    lab, guests = pair
    lab.ctl("group", "change", group, "--megabytes", 3)
    assert fetched([fetch(guests[0], MEGA)]) == [MEGA]
    count = used(lab.ctl("group", "show", group))
    assert count > MEGA
    # Killed, and used meanwhile; the kernel goes on and is counted afterwards.
    lab.kill("gatehoused")
    assert sum(fetched([fetch(guests[1], MEGA)])) == MEGA
    lab.start()
    more = settled(lab, group)
    assert count + MEGA < more <= 3 * MEGA
    # The kernel forgets, the store does not.
    lab.ctl("unload", "--closed")
    wait_for(lambda: not is_running(lab.pid("gatehoused")))
    lab.start()
    again = lab.ctl("group", "show", group)
    # The last segments of a connection may come late.
    assert more <= used(again) < more + 4096 and lab.text("verify")[0] == 0
    assert again["usedUpAt"] is None
    more = used(again)
    assert sum(drain(guests, used_up(lab, group))) < 3 * MEGA - more
    assert 3 * MEGA - 2 * 65536 < used(lab.ctl("group", "show", group)) <= 3 * MEGA


def test_a_change_from_outside_is_repaired(pair, group):
    lab, guests = pair
    lab.ctl("group", "change", group, "--megabytes", 100)
    number = lab.ctl("group", "show", group)["id"]
    key = " ".join(str(byte) for byte in number.to_bytes(4, "little"))
    subprocess.run(f"bpftool map delete pinned {lab.pins}/groups key {key}",
                   shell=True, check=True)
    assert lab.text("verify")[0] in (0, 1)
    wait_for(lambda: lab.text("verify")[0] == 0)
    assert fetched([fetch(guests[0], MEGA)]) == [MEGA]


def test_membership(pair, group):
    lab, guests = pair
    lab.ctl("group", "change", group, "--megabytes", 1)
    drain(guests[:1], used_up(lab, group))
    # Both are at the end of it; who leaves has the own session only.
    explained = lab.ctl("explain", guests[1].mac, "--down")
    assert explained["reason"] == "drop_group_quota", explained
    shown = lab.ctl("group", "show", group)
    assert sorted(shown["macs"]) == sorted(g.mac.upper() for g in guests)
    lab.ctl("group", "leave", guests[1].mac)
    assert fetched([fetch(guests[1], 2 * MEGA)]) == [2 * MEGA]
    assert lab.ctl("client", guests[1].mac)["group"] is None
    # A new MAC is no way out.
    other = "02:00:00:00:02:77"
    lab.ctl("move", guests[0].mac, other)
    assert lab.ctl("client", other)["group"] == group
    assert lab.ctl("client", guests[0].mac)["group"] is None
    lab.ctl("move", other, guests[0].mac)
    assert lab.ctl("client", guests[0].mac)["group"] == group
    assert not guests[0].is_online()
    lab.ctl("group", "remove", group)
    assert fetched([fetch(guests[0], 2 * MEGA)]) == [2 * MEGA]
    assert lab.text("verify")[0] == 0


SECOND = "http://10.79.0.1"


def test_a_voucher_for_two_devices(pair, captives):
    """Its bytes are shared to the last, and end both sessions."""
    lab, (first, second) = pair
    plan = lab.plan(minutes=60, megabytes=4, devices=2)
    code = lab.voucher(plan)
    status, reply = first.redeem(code)
    assert status == 200, reply
    assert fetched([fetch(first, MEGA)]) == [MEGA]
    status, joined = second.redeem(code, SECOND)
    assert status == 200, joined
    assert joined["plan"] == plan and joined["token"]
    sessions = first.session(), second.session(SECOND)
    for session in sessions:
        assert session["online"] and session["group"].startswith("voucher ")
        assert (session["devices"], session["devicesMax"]) == (2, 2)
        # The second has what the first left, for as long as the first.
        assert session["remainingBytes"] < 3 * MEGA
    assert abs(sessions[0]["remainingSeconds"] - sessions[1]["remainingSeconds"]) <= 1
    assert "2 of 2" in first.curl(f"{PORTAL4}/").body
    name = sessions[0]["group"]
    shown = lab.ctl("group", "show", name)
    assert sorted(shown["macs"]) == sorted(guest.mac.upper() for guest in captives)
    # Nobody's to change, and its devices have room for no other.
    for words in (["change", name, "--megabytes", 9], ["remove", name],
                  ["join", name, "02:00:00:00:02:55"], ["add", "Voucher 1"]):
        with pytest.raises(Refused):
            lab.ctl("group", *words)
    lab.ctl("group", "add", "Family")
    with pytest.raises(Refused):
        lab.ctl("group", "join", "Family", first.mac)
    lab.ctl("group", "remove", "Family")
    # Over for both, and counted to the last; a segment may not have fitted.
    got = drain(captives, lambda: all(lab.ctl("client", guest.mac)["state"] == "captive"
                                      for guest in captives))
    assert MEGA + sum(got) < 4 * MEGA
    ended = [lab.ctl("client", guest.mac)["lastSession"] for guest in captives]
    assert [session["endReason"] for session in ended] == ["used up", "used up"]
    assert 4 * MEGA - 2 * 65536 < sum(map(used, ended)) <= 4 * MEGA
    assert second.redeem(code, SECOND)[1]["code"] == "voucher_used"
    wait_for(lambda: not lab.text("group", "list")[1].count(name), timeout=20)
    assert lab.text("verify")[0] == 0


def test_a_device_leaves_a_voucher_and_another_comes(pair, captives):
    lab, (first, second) = pair
    code = lab.voucher(lab.plan(minutes=60, megabytes=50, down=4000, devices=2))
    first.redeem(code)
    second.redeem(code, SECOND)
    # A rate for both together.
    share = share_of(4_000_000, [fetch(guest, 100 * MEGA, 3) for guest in captives])
    assert 0.5 < share < 1.03
    left = first.session()["remainingBytes"]
    other = "02:00:00:00:02:78"
    lab.ctl("move", second.mac, other)
    status, refused = second.redeem(code, SECOND)
    assert (status, refused["code"]) == (409, "devices_full")
    lab.ctl("kick", other)
    # Who is left keeps the session, and what the other used is used.
    assert first.session()["devices"] == 1
    assert first.session()["remainingBytes"] <= left
    assert second.redeem(code, SECOND)[0] == 200
    # What it shares outlives everything.
    for name in ("gatehoused", "gatehouse-portal"):
        lab.kill(name)
    lab.start()
    wait_for(lambda: first.session()["devices"] == 2)
    assert fetched([fetch(second, MEGA // 2)]) == [MEGA // 2]
    assert second.session(SECOND)["remainingBytes"] < left - MEGA // 2
    assert lab.text("verify")[0] == 0


@pytest.mark.parametrize("words", [
    ["show", "Nobody"], ["join", "Nobody", "02:00:00:00:02:01"],
    ["leave", "02:00:00:00:02:99"], ["remove", "Nobody"],
    ["add", "Slow", "--up", "10"], ["change", "Nobody", "--up", "64"]])
def test_refused(pair, words):
    with pytest.raises(Refused):
        pair[0].ctl("group", *words)


def test_a_name_is_taken_whatever_its_capitals(pair, group):
    with pytest.raises(Refused):
        pair[0].ctl("group", "add", group.upper())
    assert pair[0].text("group", "list")[1].count("Room ") == 1
