# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guests' pages rest on, with real guests: the plans on sale, how much of
a credit is left, and terms of use that are accepted before anything begins."""
import os
import signal

import pytest

from conftest import PORTAL4, wait_for


@pytest.fixture
def terms(tc_lab):
    """Terms of use in force, in a version of one's own; changes it when called."""
    config = tc_lab.state / "gatehouse.conf"
    before = config.read_text()
    text = tc_lab.state / "terms.txt"
    text.write_text("# Be kind\n\nNo harm.\n")

    def change(version):
        config.write_text(f"{before}\n[terms]\nfile = {text}\nversion = {version}\n")
        os.kill(tc_lab.pid("gatehoused"), signal.SIGHUP)
    yield change
    config.write_text(before)
    os.kill(tc_lab.pid("gatehoused"), signal.SIGHUP)


def test_plans_on_sale(tc_lab):
    guest = tc_lab.guest()
    name = tc_lab.plan(minutes=90, megabytes=500, price=70050, down=2000)
    status, reply = guest.api("/api/plans")
    assert status == 200
    mine = [plan for plan in reply["plans"] if plan["name"] == name]
    assert mine and mine[0]["minutes"] == 90 and mine[0]["coin"] is False
    prices = [plan["priceMinor"] for plan in reply["plans"]]
    assert prices == sorted(prices) and min(prices) > 0
    page = guest.curl(f"{PORTAL4}/plans?plan={mine[0]['id']}").body
    assert name in page and "700.50" in page and "1 hour 30 minutes" in page
    assert "500 MB" in page and "2 Mbit/s" in page and "at the desk" in page


def test_how_much_is_left_of_all(tc_lab):
    guest = tc_lab.guest()
    name = tc_lab.plan(minutes=60, megabytes=100, price=100)
    guest.redeem(tc_lab.voucher(name))
    session = guest.session()
    assert session["creditTotalSeconds"] == 3600
    assert session["creditTotalBytes"] == 100 * 10**6
    guest.redeem(tc_lab.voucher(name))
    session = guest.session()
    assert session["creditTotalSeconds"] == 7200
    assert 7000 < session["creditSeconds"] <= 7200
    assert 'id="ring"' in guest.curl(PORTAL4 + "/").body
    # What several devices share is a part of what they have together.
    lab, guest = tc_lab, tc_lab.guest()
    guest.redeem(lab.voucher(lab.plan(minutes=60, megabytes=300, price=100, devices=3)))
    session = guest.session()
    assert session["creditTotalBytes"] == 300 * 10**6 >= session["remainingBytes"] > 0
    assert 'id="bar"' in guest.curl(PORTAL4 + "/").body


def test_the_internet_is_gone(tc_lab):
    """A blackhole on the way to the address that is asked: guests are told."""
    lab, guest = tc_lab, tc_lab.guest()

    def is_there():
        lab.ctl("job", "run", "uplink")  # no need to wait for the next look
        return guest.session().get("internet")
    config = lab.state / "gatehouse.conf"
    before = config.read_text()
    config.write_text(before.replace(
        "[gatehouse]", "[gatehouse]\nuplink_check = 192.0.2.80:80", 1))
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: is_there() is True, 30, 0.2)
    assert lab.ctl("status")["internet"] is True
    lab.run("gw", "ip", "route", "add", "blackhole", "192.0.2.80/32")
    try:
        wait_for(lambda: is_there() is False, 30, 0.2)
        assert 'id="no-internet">' in guest.curl(PORTAL4 + "/").body
        assert [e for e in lab.ctl("events")["items"] if e["type"] == "uplink_down"]
    finally:
        lab.run("gw", "ip", "route", "del", "blackhole", "192.0.2.80/32")
    wait_for(lambda: is_there() is True, 30, 0.2)
    config.write_text(before)
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)


def test_nothing_begins_before_the_terms_are_accepted(tc_lab, terms):
    lab = tc_lab
    first, second = lab.guests(2)
    terms("2026-11")
    wait_for(lambda: first.session()["terms"] == "2026-11")
    code = lab.voucher()
    status, reply = first.redeem(code)
    assert (status, reply["code"]) == (403, "terms_required")
    assert first.api("/api/coins/lock", {})[1]["code"] == "terms_required"
    assert first.api("/api/free", {})[1]["code"] == "terms_required"
    page = first.curl(PORTAL4 + "/").body
    assert 'name="terms" value="2026-11"' in page
    # Others than those in force are not what must be read.
    status, reply = first.api("/api/vouchers/activate", {"code": code, "terms": "2025"})
    assert (status, reply["code"]) == (403, "terms_required")
    # What is accepted with a wrong code is accepted.
    status, reply = first.api(
        "/api/vouchers/activate", {"code": "AJCWRONGCODE", "terms": "2026-11"})
    assert reply["code"] == "voucher_unknown" and first.session()["terms"] is None
    status, reply = first.redeem(code)
    assert status == 200 and first.is_online()
    rows = lab.ctl("terms", first.mac)["items"]
    assert [row["version"] for row in rows] == ["2026-11"]
    assert "2026-11" in lab.text("terms")[1]
    # Going on with what was begun needs nothing, on another device neither.
    token = reply["token"]
    assert second.session()["terms"] == "2026-11"
    lab.ctl("allow", first.mac, "--minutes", 5)
    status, reply = second.restore(token)
    assert status in (200, 403) and reply.get("code") != "terms_required"
    # A newer version is to be accepted anew; who is online stays so.
    terms("2026-12")
    wait_for(lambda: first.session()["terms"] == "2026-12")
    assert first.is_online()
