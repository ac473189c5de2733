# SPDX-License-Identifier: GPL-2.0-or-later
"""Pause and resume with real traffic: captive at once, online at once, and no
second is lost by it; what of it is told to those who watch."""

import json
import signal
import socket
import sqlite3
import subprocess

import pytest

from conftest import Refused, wait_for
from test_move import OTHER, token_of
from test_watch import Watch, events_of


PROBE = "02:00:00:00:44:01"


class Watching(Watch):
    """One that is heard: what happens from now on is told."""

    def __init__(self, lab):
        super().__init__(lab, "--json")
        wait_for(lambda: lab.ctl("allow", PROBE, "--minutes", 1) and self.events(PROBE))

    def events(self, *macs):
        return [event for event in map(json.loads, self.lines())
                if event["event"].startswith("session_")
                and event["mac"].lower() in macs]


def left_ns(lab, guest):
    """What the store has of the credit in use, to the nanosecond."""
    with sqlite3.connect(f"file:{lab.state}/state/gatehouse.db?mode=ro", uri=True) as db:
        return db.execute(
            "SELECT left_ns, deadline_ns FROM credits JOIN sessions s ON s.id = session_id"
            " WHERE s.mac = ? AND s.state <> 'ended' AND credits.state = 'in_use'",
            [guest.mac]).fetchone()


def state_of(lab, guest):
    client = lab.ctl("client", guest.mac)
    return client["state"], client["pausedBy"], client["remainingSeconds"]


def test_captive_at_once_and_online_at_once(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    mac = guest.mac
    lab.ctl("allow", mac, "--minutes", 30)
    token = token_of(guest)
    assert guest.is_online() and guest.session()["mayPause"] is True
    stream = guest.spawn("curl", "-s", "-o", "/dev/null", "-m", "20",
                         "http://192.0.2.80/bytes/2000000000")
    lab.ctl("pause", mac)
    # The very next packet: the connection stands, and nothing new begins.
    before = lab.record(mac)["down"][0]
    assert not guest.is_online() and not guest.is_online("-6")
    assert lab.record(mac)["down"][0] == before
    assert guest.curl("http://example.org/").status == 302
    session = guest.session()
    assert (session["paused"], session["online"], session["state"],
            session["pausedBy"]) == (True, False, "paused", "operator")
    assert session["expiresAt"] is None
    left = left_ns(lab, guest)
    assert left[0] and left[1] is None
    # Killed and started anew it stands still.
    lab.kill("gatehoused")
    lab.start()
    assert left_ns(lab, guest) == left and not guest.is_online()
    assert lab.ctl("resume", mac)["message"] == "The session goes on."
    assert guest.is_online() and guest.is_online("-6")
    stream.terminate()
    stream.wait()
    # On another device it is paused as well.
    lab.ctl("pause", mac)
    left = left_ns(lab, guest)
    guest.change_mac(OTHER % guest.number)
    assert guest.restore(token)[1]["migrated"] is True
    assert state_of(lab, guest)[:2] == ("paused", "operator")
    assert left_ns(lab, guest) == left and not guest.is_online()
    # The guest himself goes on, and stops again.
    assert guest.api("/api/sessions/resume", {})[1]["online"] is True
    assert guest.is_online()
    status, reply = guest.api("/api/sessions/pause", {})
    assert (status, reply["paused"], reply["pausedBy"]) == (200, True, "user")
    assert not guest.is_online()
    # The box starts anew: the kernel's clock and records are others.
    left = left_ns(lab, guest)
    lab.kill("gatehoused")
    subprocess.run(["rm", "-rf", lab.pins], check=True)
    lab.start("--boot-id", "00000000-0000-4000-8000-000000000015")
    assert left_ns(lab, guest) == left and not guest.is_online()
    assert guest.api("/api/sessions/resume", {})[0] == 200
    assert guest.is_online()
    assert lab.ctl("verify")["differences"] == []


def test_a_voucher_has_no_pause(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    with pytest.raises(Refused) as refused:
        lab.ctl("pause", guest.mac)
    assert refused.value.status == 3
    guest.redeem(lab.voucher())
    assert guest.session()["mayPause"] is False
    with pytest.raises(Refused, match="not_pausable"):
        lab.ctl("pause", guest.mac)
    assert guest.is_online()
    # Behind it, what could be paused waits: the one in use decides.
    lab.ctl("allow", guest.mac, "--minutes", 5)
    with pytest.raises(Refused, match="not_pausable"):
        lab.ctl("pause", guest.mac)


def test_joining_and_buying_end_a_pause(tc_lab):
    lab, guest, other = tc_lab, tc_lab.guest(), tc_lab.guest()
    for each, minutes in ((guest, 20), (other, 10)):
        lab.ctl("allow", each.mac, "--minutes", minutes)
    lab.ctl("pause", guest.mac)
    # Who is online stays so, with the time of both.
    token = guest.session().get("token") or token_of(guest)
    assert other.restore(token)[0] == 200
    state, by, seconds = state_of(lab, other)
    assert (state, by) == ("running", None) and 1500 < seconds <= 1800
    assert other.is_online() and not guest.is_online()
    lab.ctl("pause", other.mac)
    assert other.redeem(lab.voucher())[0] == 200
    assert other.is_online() and other.session()["paused"] is False


def test_what_happens_is_told(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    mac, other = guest.mac, OTHER % guest.number
    with Watching(lab) as watch:
        for verb in (["allow", mac, "--minutes", 30], ["allow", mac, "--minutes", 5],
                     ["pause", mac], ["pause", mac], ["resume", mac], ["hold", mac],
                     ["release", mac], ["set", mac, "--block"], ["block", mac, "--off"],
                     ["move", mac, other], ["kick", other]):
            lab.ctl(*verb)
        with pytest.raises(Refused):
            lab.ctl("pause", mac)
        end = wait_for(lambda: events_of(watch, other, "session_end"))[0]
        told = watch.events(mac, other)
    assert [(e["event"][8:], e["reason"]) for e in told] == [
        ("start", "manual"), ("extend", "manual"), ("pause", "operator"),
        ("resume", "operator"), ("hold", "operator"), ("release", "operator"),
        ("block", "operator"), ("unblock", "operator"), ("move", "device moved"),
        ("end", "operator")]
    assert len({e["sessionId"] for e in told}) == 1 and end["state"] == "ended"
    moved = told[8]
    assert moved["from"].lower() == mac and moved["kind"] == "manual"
    assert 1800 < moved["remainingSeconds"] <= 2100 and end["remainingSeconds"] == 0


def test_the_end_has_its_reason(tc_lab):
    lab = tc_lab
    timed, spent = tc_lab.guests(2)
    with Watching(lab) as watch:
        lab.ctl("allow", timed.mac, "--minutes", 1)
        lab.ctl("allow", spent.mac, "--minutes", 5, "--megabytes", 1)
        spent.curl("http://192.0.2.80/bytes/1500000", timeout=2)
        assert wait_for(lambda: events_of(watch, spent.mac, "session_end"))[0][
            "reason"] == "bytes"
        # Its minute is nearly over; whoever looks finds so.
        subprocess.run(
            ["sqlite3", str(lab.state / "state/gatehouse.db"), ".timeout 5000",
             "UPDATE credits SET deadline_ns = deadline_ns - 58000000000 WHERE session_id ="
             f" (SELECT id FROM sessions WHERE mac = '{timed.mac}' AND state <> 'ended')"],
            check=True)
        lab.text("rate", timed.mac, "--down", 5000)
        end = wait_for(lambda: events_of(watch, timed.mac, "session_end"))[0]
        assert (end["reason"], end["kind"], end["remainingSeconds"]) == ("time", "manual", 0)


def test_who_reads_late_loses_nothing(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    mac = guest.mac
    lab.ctl("allow", mac, "--minutes", 30)
    with Watching(lab) as watch, socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET) as ctl:
        ctl.connect(str(lab.state / "control.sock"))
        watch.process.send_signal(signal.SIGSTOP)
        for turn in range(600):
            op = "clients.resume" if turn % 2 else "clients.pause"
            ctl.send(json.dumps({"op": op, "args": {"mac": mac}}).encode())
            assert json.loads(ctl.recv(65536))["success"]
        watch.process.send_signal(signal.SIGCONT)
        wait_for(lambda: len(events_of(watch, mac, "session_resume")) == 300)
        told = [event["event"] for event in watch.events(mac)]
        assert told == ["session_pause", "session_resume"] * 300
