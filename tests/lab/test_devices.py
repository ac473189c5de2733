# SPDX-License-Identifier: GPL-2.0-or-later
"""What an operator says of a device itself: exemptions, rates of its own, and
time by its number."""
import datetime
import os
import signal
import time

import pytest

from conftest import PORTAL4, Refused, wait_for


def until(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_exempt_until_a_date(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    network = lab.ctl("status")["networks"][0]["name"]
    assert not guest.is_online()
    reply = lab.ctl("exempt", guest.mac, "--until", until(3600), "--network", network)
    assert (reply["exempt"], reply["exemptNetwork"]) == (True, network)
    assert reply["state"] == "exempt" and reply["sessionId"] is None
    assert guest.is_online() and guest.is_online("-6")
    assert guest.session()["online"]
    # Counted, and nothing of the box is open to it.
    client = lab.ctl("client", guest.mac)
    assert client["bytesUp"] > 100 and client["bytesDown"] > 100
    before = lab.reasons()
    assert guest.run("nc", "-w1", "-z", "10.77.0.1", "22", check=False).returncode
    assert guest.run("curl", "-sm1", "http://10.77.0.1:8080/", check=False).returncode
    after = lab.reasons()
    assert after["answer_reset"] + after["drop_inside"] > \
        before["answer_reset"] + before["drop_inside"]
    assert lab.ctl("verify")["differences"] == []
    # It ends by itself, without the daemon.
    lab.ctl("exempt", client["id"], "--until", until(6))
    lab.kill("gatehoused")
    wait_for(lambda: not guest.is_online())
    lab.start()
    wait_for(lambda: lab.ctl("client", guest.mac)["state"] == "captive")
    assert not guest.is_online()
    assert lab.ctl("verify")["differences"] == []


def test_exemption_beside_a_session(tc_lab):
    """Nothing is charged meanwhile; afterwards the session goes on."""
    lab, guest = tc_lab, tc_lab.guest()
    network = lab.ctl("status")["networks"][0]["name"]
    lab.ctl("allow", guest.mac, "--minutes", "60", "--megabytes", "1")
    lab.ctl("exempt", guest.mac, "--until", until(600), "--network", network)
    guest.curl("http://192.0.2.80/bytes/3000000")
    assert guest.is_online()
    client = lab.ctl("exempt", guest.mac, "--off")
    assert client["state"] == "running" and not client["exempt"]
    assert client["remainingBytes"] == 1_000_000
    assert guest.is_online()
    assert lab.ctl("client", guest.mac)["remainingBytes"] < 1_000_000
    assert lab.ctl("verify")["differences"] == []


def test_own_rates_stay(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    assert "stay with the device" in lab.ctl("limit", guest.mac, "--down", "1000")["message"]
    lab.ctl("allow", guest.mac, "--minutes", "60", "--down", "50000")
    begun = time.monotonic()
    guest.curl("http://192.0.2.80/bytes/400000", timeout=20)
    assert time.monotonic() - begun > 2  # 3.2 s; at 50 Mbit/s 0.06 s
    reply = lab.ctl("rate", guest.mac, "--down", "20000")
    assert reply["downKbps"] == 20000 and reply["downloadKbps"] == 1000
    assert "gatehousectl limit" in reply["message"]
    assert lab.ctl("limit", guest.mac, "--down", "0")["downloadKbps"] is None
    assert lab.ctl("verify")["differences"] == []


def test_what_an_exemption_needs(tc_lab):
    lab, mac = tc_lab, "02:00:00:00:09:01"
    network = lab.ctl("status")["networks"][0]["name"]
    for words in (["--network", network], ["--until", until(-60), "--network", network],
                  ["--until", "soon", "--network", network],
                  ["--until", until(60), "--network", "nowhere"]):
        with pytest.raises(Refused):
            lab.ctl("exempt", mac, *words)
    with pytest.raises(Refused) as refused:
        lab.ctl("client", mac)
    assert "No device" in refused.value.text


def test_several_things_at_once(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    client = lab.ctl("set", guest.mac, "--name", "Room 1", "--seconds", "600", "--down", "5000")
    assert (client["name"], client["downloadKbps"]) == ("Room 1", 5000)
    assert 590 <= client["remainingSeconds"] <= 600 and guest.is_online()
    # By its number; time is never below 0, and then the session is over.
    assert 290 <= lab.ctl("set", client["id"], "--seconds", "-300")["remainingSeconds"] <= 300
    # All of it, or nothing.
    with pytest.raises(Refused):
        lab.ctl("set", guest.mac, "--seconds", "600", "--exempt-until", until(-60))
    assert lab.ctl("client", guest.mac)["remainingSeconds"] <= 300
    client = lab.ctl("set", guest.mac, "--seconds", "-99999", "--down", "0", "--name", "")
    assert client["state"] == "captive" and client["remainingSeconds"] == 0
    assert client["downloadKbps"] is None and not guest.is_online()
    with pytest.raises(Refused):
        lab.ctl("set", guest.mac, "--seconds", "-1")
    assert lab.ctl("set", guest.mac, "--block")["state"] == "blocked"
    assert lab.ctl("set", guest.mac, "--unblock")["state"] == "captive"
    assert lab.ctl("verify")["differences"] == []


TELEVISION = "a4:83:e7:00:4f:2a"


def sees_portal(guest):
    guest.curl("http://example.org/", timeout=2)


def test_a_television_beside_a_phone(tc_lab):
    lab = tc_lab
    phone, television, stranger = lab.guests(3)
    plan = lab.plan(minutes=60, megabytes=50, devices=2)
    assert not phone.session()["mayShare"]
    assert phone.redeem(lab.voucher(plan))[0] == 200
    assert phone.session()["mayShare"]
    television.change_mac(TELEVISION)
    # Whoever waits with an address of the maker's is offered, a phone is not.
    sees_portal(stranger)
    wait_for(lambda: [sees_portal(television), phone.api("/api/session/devices")[1]["found"]][1])
    listed = phone.api("/api/session/devices")[1]
    assert [row["end"] for row in listed["found"]] == ["4f:2a"]
    assert (listed["devices"], listed["devicesMax"]) == (1, 2) and listed["items"] == []
    pick = listed["found"][0]["pick"]
    # Nobody else can use that name for it.
    assert stranger.api("/api/session/devices/add", {"pick": pick})[1]["success"] is False
    assert phone.api("/api/session/devices/add", {"pick": pick})[0] == 200
    assert television.is_online() and television.is_online("-6") and not stranger.is_online()
    session = television.session()
    assert abs(session["remainingSeconds"] - phone.session()["remainingSeconds"]) <= 1
    assert session["devices"] == session["devicesMax"] == 2
    items = phone.api("/api/session/devices")[1]["items"]
    assert [row["mac"] for row in items] == [TELEVISION.upper()]
    # The bytes are one sum.
    television.curl("http://192.0.2.80/bytes/5000000", timeout=20)
    assert phone.session()["remainingBytes"] < 45_500_000
    # No more than the plan says, and nobody's device that has a session.
    assert phone.api("/api/session/devices/add", {"mac": stranger.mac})[1]["code"] == "devices_full"
    assert television.api("/api/session/devices")[1]["items"] == []
    assert television.api("/api/session/devices/remove", {"mac": phone.mac})[0] == 404
    page = phone.curl(f"{PORTAL4}/devices").body
    assert TELEVISION.upper() in page and "2 of 2" in page
    assert lab.ctl("verify")["differences"] == []
    assert phone.api("/api/session/devices/remove", {"mac": TELEVISION})[0] == 200
    assert not television.is_online() and phone.is_online()
    assert lab.ctl("verify")["differences"] == []
    # Who was added does not have to stay; who added it does.
    assert phone.api("/api/session/devices/add", {"mac": TELEVISION})[0] == 200
    assert television.api("/api/session/devices")[1]["added"]
    assert phone.api("/api/session/devices/remove", {"mac": phone.mac})[0] == 404
    assert television.api("/api/session/devices/remove", {"mac": TELEVISION})[0] == 200
    assert not television.is_online() and phone.is_online()


def test_an_operator_shares_time_from_the_desk(tc_lab):
    """Any kind, if the plan is for several; never somebody else's device."""
    lab = tc_lab
    phone, television, other = lab.guests(3)
    lab.ctl("allow", phone.mac, "--minutes", "30")
    with pytest.raises(Refused) as refused:
        lab.ctl("device", "add", television.mac, "--with", phone.mac)
    assert "one device only" in refused.value.text
    lab.ctl("kick", phone.mac)
    lab.ctl("allow", phone.mac, "--plan", lab.plan(minutes=30, devices=3))
    lab.ctl("allow", other.mac, "--minutes", "5")
    with pytest.raises(Refused) as refused:
        lab.ctl("device", "add", other.mac, "--with", phone.mac)
    assert "cannot be added" in refused.value.text
    lab.ctl("device", "add", television.mac, "--with", phone.mac)
    assert television.is_online() and phone.is_online()
    assert [row["mac"] for row in lab.ctl("device", "list", phone.mac)["items"]] == [
        television.mac.upper()]
    lab.ctl("device", "remove", television.mac)
    assert not television.is_online() and other.is_online()
    ended = lab.ctl("sessions", "--state", "ended")["items"][0]
    assert ended["endReason"] == "removed by its guest"
    assert lab.ctl("verify")["differences"] == []


def test_free_time_once_a_day(tc_lab):
    lab = tc_lab
    first, second = lab.guests(2)
    assert first.session()["freeMinutes"] is None
    assert first.api("/api/free", {})[1]["code"] == "free_off"
    plan = lab.plan(minutes=15)
    config = lab.state / "gatehouse.conf"
    before = config.read_text()
    config.write_text(f"{before}\n[free]\nplan = {plan}\nrandom_per_hour = 1\n")
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: first.session()["freeMinutes"] == 15)
    assert "15 minutes free of charge" in first.curl(PORTAL4 + "/").body
    status, reply = first.api("/api/free", {})
    assert status == 200 and reply["kind"] == "free" and reply["downKbps"] == 1000
    assert first.is_online() and len(reply["token"]) == 64
    assert first.api("/api/free", {})[1]["code"] == "free_not_needed"
    # Its address is made up, and so is the next one's.
    assert second.api("/api/free", {})[1]["code"] == "free_full"
    assert second.restore(reply["token"])[0] == 403
    lab.ctl("kick", first.mac)
    assert not first.is_online() and first.session()["freeMinutes"] is None
    assert first.api("/api/free", {})[1]["code"] == "free_used"
    page = first.curl(f"{PORTAL4}/free", "-d", "form=x").body
    assert "free of charge" not in page
    assert lab.ctl("verify")["differences"] == []
    config.write_text(before)
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
