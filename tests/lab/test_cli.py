# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehousectl as an operator uses it."""

import json
import os
import pwd
import re
import socket
import statistics
import subprocess
import sys
import time

import pytest

from conftest import BUILD, Refused


def test_every_verb_speaks_json_and_text(tc_lab):
    guest = tc_lab.guest()
    code = tc_lab.voucher()
    guest.redeem(code)
    for verb in (["status"], ["clients"], ["client", guest.mac], ["sessions"], ["plan", "list"],
                 ["voucher", "list"], ["reasons"], ["verify"]):
        assert tc_lab.ctl(*verb)["success"] is True, verb
        status, text = tc_lab.text(*verb)
        assert status == 0 and text.strip(), verb
        assert max(map(len, text.splitlines())) < 180, verb


def test_status_says_how_the_portal_is_confined(tc_lab):
    tc_lab.guest().session()
    pid = tc_lab.ctl("status")["portals"]["guests"]["pid"]
    assert pid == tc_lab.pid("gatehouse-portal")
    text = tc_lab.text("status")[1]
    assert re.search(rf"^portal for guests: process {pid}, uid \d+, no capabilities, "
                     "no new privileges, seccomp$", text, re.M), text


FLOOD = """
import socket, sys
held = []
print("up", flush=True)
while True:
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(("10.77.0.1", 80))
    held.append(sock)
    if len(held) > 3000:
        held.pop(0).close()
"""


def test_a_captive_flood_locks_nobody_out(tc_lab):
    """Connections to the portal as fast as a device can open them."""
    captive, paid, new = tc_lab.guests(3)
    code = tc_lab.voucher()
    tc_lab.ctl("allow", paid.mac, "--minutes", "10")
    assert paid.session()["online"]
    flood = captive.spawn(sys.executable, "-c", FLOOD, stdout=subprocess.PIPE)
    try:
        assert flood.stdout.readline() == b"up\n"
        took = []
        for _ in range(9):
            begin = time.monotonic()
            assert paid.session()["online"]
            took.append(time.monotonic() - begin)
        assert statistics.median(took) < 1, took
        begin = time.monotonic()
        assert new.redeem(code)[0] == 200 and new.is_online()
        assert time.monotonic() - begin < 15
        assert flood.poll() is None
    finally:
        flood.kill()
        flood.wait()
        flood.stdout.close()


def test_allow_block_kick(tc_lab):
    guest = tc_lab.guest()
    tc_lab.ctl("allow", guest.mac, "--minutes", "10", "--megabytes", "5")
    assert guest.is_online()
    session = guest.session()
    assert session["kind"] == "manual" and session["remainingBytes"] <= 5_000_000
    tc_lab.ctl("block", guest.mac)
    assert not guest.is_online()
    assert guest.curl("http://10.77.0.1/", timeout=1).status == 0
    tc_lab.ctl("block", guest.mac, "--off")
    assert guest.is_online()
    tc_lab.ctl("kick", guest.mac)
    assert not guest.is_online()
    assert guest.curl("http://example.org/").status == 302


def test_what_was_used_is_shown_after_the_end(tc_lab):
    """And a device has the same fields before, in and after a session."""
    guest = tc_lab.guest()
    before = tc_lab.ctl("client", guest.mac)
    tc_lab.ctl("allow", guest.mac, "--minutes", "10")
    assert guest.curl("http://192.0.2.80/bytes/500000").status == 200
    during = tc_lab.ctl("client", guest.mac)
    kicked = tc_lab.ctl("kick", guest.mac)
    assert set(before) == set(during) == set(kicked) - {"message"} | {"addresses"}
    assert before["sessionId"] is None and during["sessionId"] and kicked["sessionId"] is None
    last = tc_lab.ctl("client", guest.mac)["lastSession"]
    assert last == kicked["lastSession"] and last["id"] == during["sessionId"]
    assert last["bytesDown"] > 500_000 and last["endReason"] == "ended by operator"
    text = tc_lab.text("client", guest.mac)[1]
    assert re.search(rf"(?m)^last session +{last['id']}$", text), text
    assert re.search(r"(?m)^  bytes down +5\d\d\.\d\d kB$", text), text
    row = next(line for line in tc_lab.text("sessions")[1].splitlines()
               if line.split()[:1] == [str(last["id"])])
    assert re.search(r" 5\d\d\.\d\d kB ", row), row


def test_exit_codes_and_sentences(tc_lab):
    cases = [
        (["client", "nonsense"], 2),
        (["client", "02:00:00:00:77:77"], 3),
        (["kick", "02:00:00:00:77:77"], 3),
        (["voucher", "create", "--plan", "no such plan"], 3),
        (["no-such-verb"], 2),
    ]
    for words, status in cases:
        got, text = tc_lab.text(*words)
        assert got == status and text.strip(), (words, got, text)


def test_revoked_voucher(tc_lab):
    guest = tc_lab.guest()
    code = tc_lab.voucher()
    tc_lab.ctl("voucher", "revoke", code)
    status, reply = guest.redeem(code)
    assert (status, reply["code"]) == (403, "voucher_revoked")


def test_a_used_voucher_is_not_revoked(tc_lab):
    """The refusal says by whom it was used and how to end that."""
    guest = tc_lab.guest()
    code = tc_lab.voucher()
    guest.redeem(code)
    status, text = tc_lab.text("voucher", "revoke", code)
    mac = guest.mac.lower()
    assert status == 1 and f"used by {mac}; `gatehousectl kick {mac}`" in text, text
    tc_lab.ctl("kick", guest.mac)
    assert "its session has ended" in tc_lab.text("voucher", "revoke", code)[1]


def test_verify_finds_and_repairs(tc_lab):
    guest = tc_lab.guest()
    guest.redeem(tc_lab.voucher())
    assert tc_lab.text("verify")[0] == 0
    # A record that nobody granted.
    value = ["0"] * 192
    value[4] = "1"
    for i in range(8, 24):
        value[i] = "255"
    subprocess.run(["bpftool", "map", "update", "pinned", str(tc_lab.pins / "clients"), "key",
                    "2", "0", "0", "0", "119", "1", "0", "0", "value", *value], check=True)
    status, text = tc_lab.text("verify")
    assert status == 1 and "02:00:00:00:77:01" in text.lower()
    tc_lab.text("verify", "--repair")
    assert tc_lab.text("verify")[0] == 0
    assert tc_lab.record("02:00:00:00:77:01") is None


def test_verifications_keep_nobody_waiting(tc_lab):
    """Theirs are the only replies that come in a later turn: in the order of the
    requests all the same, and not to those who have gone."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking, \
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as gone:
        for sock in (gone, asking):
            sock.settimeout(60)
            sock.connect(str(tc_lab.state / "control.sock"))
        gone.send(b'{"op":"verify"}')
        gone.close()
        for op in ("status", "verify", "reasons", "verify", "status"):
            asking.send(json.dumps({"op": op}).encode())
        replies = [json.loads(asking.recv(1 << 16)) for _ in range(5)]
    found = [next(k for k in ("version", "checked", "items") if k in r) for r in replies]
    assert found == ["version", "checked", "items", "checked", "version"]


def test_portal_user_has_no_rights(tc_lab):
    """A program under the portal's uid that asks without proof gets nothing."""
    user = pwd.getpwnam("gatehouse-portal")

    def become():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    for verb in (["status"], ["clients"], ["allow", "02:00:00:00:01:01", "--minutes", "5"],
                 ["voucher", "create", "--plan", "1 Hour"], ["unload", "--open"]):
        result = subprocess.run(
            [str(BUILD / "gatehousectl"), "--socket", str(tc_lab.state / "control.sock"),
             "--json", *verb], preexec_fn=become, capture_output=True, text=True, check=False)
        assert result.returncode == 4, (verb, result.stdout, result.stderr)


def test_unload(tc_lab):
    guest = tc_lab.guest()
    guest.redeem(tc_lab.voucher())
    tc_lab.ctl("unload", "--closed")
    assert not tc_lab.pins.exists()
    assert not guest.is_online()
    tc_lab.start()
    assert guest.is_online(), "sessions outlive the gate"
    tc_lab.ctl("kick", guest.mac)
    tc_lab.ctl("unload", "--open")
    assert guest.is_online()
    tc_lab.start()
    assert not guest.is_online()


def test_json_is_one_object(tc_lab):
    result = subprocess.run(
        [str(BUILD / "gatehousectl"), "--socket", str(tc_lab.state / "control.sock"), "--json",
         "client", "02:00:00:00:77:77"], capture_output=True, text=True, check=False)
    reply = json.loads(result.stdout)
    assert reply["success"] is False and reply["code"] == "not_found"
    with pytest.raises(Refused):
        tc_lab.ctl("client", "02:00:00:00:77:77")
