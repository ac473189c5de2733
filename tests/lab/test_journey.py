# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole way of a guest: any page -> portal -> voucher -> online."""

import urllib.parse

import pytest

from conftest import PORTAL4, PORTAL6


@pytest.mark.san
@pytest.mark.parametrize("family", [4, 6])
def test_any_page_to_online(lab, family):
    guest = lab.guest()
    options = ["-6"] if family == 6 else []
    portal = PORTAL6 if family == 6 else PORTAL4

    first = guest.curl("http://example.org/news?a=1&b=2", *options)
    assert first.status == 302, first.error
    location = first.headers["location"]
    assert location.startswith(portal + "/"), location
    asked = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["url"]
    assert asked == ["http://example.org/news?a=1&b=2"]

    page = guest.curl(location, *options)
    assert page.status == 200, page.error
    assert "example.org" in page.body
    assert not guest.is_online(*options)

    status, reply = guest.redeem(lab.voucher(), portal)
    assert status == 200 and reply["success"], reply
    assert len(reply["token"]) == 64
    assert reply["mac"].lower() == guest.mac
    assert 3590 <= reply["remainingSeconds"] <= 3600
    assert guest.is_online(*options)

    session = guest.session(portal)
    assert session["online"] and session["kind"] == "voucher"
    assert session["plan"] == "1 Hour" and session["network"] == "lan"
    # The other family was never asked for anything: the gate is the MAC.
    assert guest.is_online(*([] if family == 6 else ["-6"]))


def test_captive_reaches_nothing_else(lab):
    guest = lab.guest()
    https = guest.run("curl", "-m", "5", "-o", "/dev/null", "-w", "%{time_total}",
                      "https://192.0.2.80/", check=False)
    # Refused at once, not timed out: the phone falls back to its probe.
    assert https.returncode == 7 and float(https.stdout) < 0.9
    for command in (["ping", "-c", "2", "-i", "0.2", "-W", "1", "192.0.2.80"],
                    ["ping", "-6", "-c", "2", "-i", "0.2", "-W", "1", "2001:db8::80"]):
        assert guest.run(*command, check=False).returncode != 0, command


def test_captive_portal_api(lab):
    guest = lab.guest()
    before = guest.curl(PORTAL4 + "/.well-known/captive-portal")
    assert before.headers["content-type"].startswith("application/captive+json")
    assert '"captive":true' in before.body.replace(" ", "")
    assert guest.redeem(lab.voucher())[0] == 200
    after = guest.curl(PORTAL4 + "/.well-known/captive-portal")
    assert '"captive":false' in after.body.replace(" ", "")
    assert "seconds-remaining" in after.body


def test_voucher_is_used_once(lab):
    first, second = lab.guests(2)
    code = lab.voucher()
    assert first.redeem(code)[0] == 200
    status, reply = second.redeem(code)
    assert (status, reply["code"]) == (409, "voucher_used")
    assert not second.is_online()
    status, reply = second.redeem("AJC22222222")
    assert (status, reply["code"]) == (404, "voucher_unknown")
