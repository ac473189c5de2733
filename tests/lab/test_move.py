# SPDX-License-Identifier: GPL-2.0-or-later
"""A device comes back with another MAC: the token brings its time along."""

import subprocess

import pytest

from conftest import Refused, wait_for

OTHER = "02:00:00:00:02:%02x"


def token_of(guest):
    """The token as the portal page gets it: handed out once."""
    answer = guest.curl("http://10.77.0.1/")
    assert answer.status == 200
    cookies = [v for k, v in answer.headers.items() if k == "set-cookie"]
    assert cookies, "no token was handed out"
    return cookies[0].split("gh_session=")[1].split(";")[0]


def test_restore_there_and_back(lab):
    guest = lab.guest()
    born = guest.mac
    lab.ctl("allow", born, "--minutes", "30")
    token = token_of(guest)
    assert guest.is_online()
    other = OTHER % guest.number
    guest.change_mac(other)
    assert not guest.is_online()
    status, reply = guest.restore(token)
    assert (status, reply["success"], reply["migrated"]) == (200, True, True), reply
    assert 1700 < reply["remainingSeconds"] <= 1800
    assert guest.is_online() and guest.is_online("-6")
    assert lab.record(other) is not None
    # Closed at once; it goes when no packet can be on its way through it.
    wait_for(lambda: lab.record(born) is None)
    guest.change_mac(born)
    assert not guest.is_online()
    status, reply = guest.restore(token)
    assert (status, reply["migrated"]) == (200, True)
    assert guest.is_online()
    wait_for(lambda: lab.record(other) is None)
    assert guest.restore(token)[1]["migrated"] is False


def test_voucher_stays(lab):
    guest = lab.guest()
    status, reply = guest.redeem(lab.voucher())
    assert status == 200
    guest.change_mac(OTHER % guest.number)
    status, refused = guest.restore(reply["token"])
    assert (status, refused["code"]) == (403, "not_transferable")
    assert refused["error"].startswith("Voucher sessions cannot be transferred")
    assert not guest.is_online()


def test_voucher_with_a_move(lab):
    guest = lab.guest()
    code = lab.voucher(lab.plan(minutes=60, moves=1))
    token = guest.redeem(code)[1]["token"]
    guest.change_mac(OTHER % guest.number)
    assert guest.restore(token)[1]["migrated"] is True
    assert guest.is_online()


def test_unknown_and_expired(lab):
    guest = lab.guest()
    status, reply = guest.restore("ab" * 32)
    assert (status, reply["error"]) == (404, "Session not found")
    token = guest.redeem(lab.voucher())[1]["token"]
    subprocess.run(["sqlite3", "-cmd", ".timeout 15000",
                    str(lab.state / "state/gatehouse.db"),
                    "UPDATE tokens SET expires_at = 1 WHERE session_id IN "
                    "(SELECT id FROM sessions WHERE mac = '%s')" % guest.mac],
                   check=True)
    guest.change_mac(OTHER % guest.number)
    status, reply = guest.restore(token)
    assert (status, reply["error"]) == (401, "Session expired"), reply


def test_operator_moves_anything(lab):
    guest, other = lab.guests(2)
    assert guest.redeem(lab.voucher())[0] == 200
    lab.ctl("move", guest.mac, other.mac)
    assert other.is_online() and not guest.is_online()
    with pytest.raises(Refused) as refused:
        lab.ctl("move", guest.mac, other.mac)
    assert refused.value.status == 3
