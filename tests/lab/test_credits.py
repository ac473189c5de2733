# SPDX-License-Identifier: GPL-2.0-or-later
"""Several credits in one session (P6): everybody is shown what the kernel holds
the guest to now, and what follows."""
import json
import subprocess

from conftest import PORTAL4, wait_for

MEGA = 1_000_000


def rfc8908(guest):
    reply = guest.api("/.well-known/captive-portal")[1]
    return reply.get("seconds-remaining"), reply.get("bytes-remaining")


def test_bytes_end_a_credit_and_the_next_goes_on(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    small, day = lab.plan(minutes=60, megabytes=5), lab.plan(minutes=1440)
    assert guest.redeem(lab.voucher(small))[0] == 200
    reply = guest.redeem(lab.voucher(day))[1]
    session, client = guest.session(), lab.ctl("client", guest.mac)
    sold = lab.ctl("sessions")["items"][0]
    for view in (reply, session, client, sold):
        assert (view["kind"], view["plan"]) == ("voucher", small)
        assert 4.9 * MEGA < view["remainingBytes"] <= 5 * MEGA
        assert 3590 <= view["creditSeconds"] <= 3600
        assert 3590 <= view["remainingSeconds"] - 86400 <= 3600
    for view in (reply, session, client):
        assert [c["plan"] for c in view["credits"]] == [small, day]
        assert view["credits"][1]["bytes"] is None
    seconds, size = rfc8908(guest)
    assert 3590 <= seconds - 86400 <= 3600 and size is None
    # The hour goes with its bytes; the day begins, and nothing is cut off.
    guest.curl("http://192.0.2.80/bytes/6000000")
    wait_for(lambda: guest.session()["plan"] == day)
    assert guest.is_online()
    session = guest.session()
    assert session["remainingBytes"] is None and len(session["credits"]) == 1
    assert session["creditSeconds"] == session["remainingSeconds"] <= 86400
    assert lab.text("verify")[0] == 0


def test_a_page_loaded_anew_and_a_slip_of_a_paid_guest(tc_lab):
    """The form alone, as a browser without scripts sends it."""
    lab, guest = tc_lab, tc_lab.guest()
    code = lab.voucher()

    def post(code):
        return guest.curl(f"{PORTAL4}/activate", "-d", f"code={code}")

    first, again, slip = post(code), post(code), post("AJC23456789")
    assert first.status == again.status == 200 and slip.status == 404
    assert "/r#" in first.body and "<div id=\"used\"><dt>" in first.body
    for page in (first, again, slip):
        assert "You are online" in page.body and "Go online" not in page.body
    assert "yours already" in again.body and "already been used" not in again.body
    assert "This code is not known." in slip.body
    # The API tells programs what the code is.
    assert guest.redeem(code)[0] == 409
    # Who is not online, or has another session, is told that it is used.
    other = lab.guest()
    assert "already been used" in other.curl(
        f"{PORTAL4}/activate", "-d", f"code={code}").body


def test_one_of_many_gets_the_voucher(tc_lab):
    """64 requests with one code, of four guests at once: it is worth its plan once."""
    guests, code = tc_lab.guests(4), tc_lab.voucher()
    body = tc_lab.state / "race.json"
    body.write_text(json.dumps({"code": code}))
    url = "http://10.77.0.1/api/vouchers/activate"
    racers = [guest.spawn(
        "curl", "-s", "-Z", "--parallel-immediate", "--parallel-max", "16", "-m", "30",
        "-H", "Content-Type: application/json", "-d", f"@{body}", *[url] * 16,
        stdout=subprocess.PIPE, text=True) for guest in guests]
    replies = "".join(racer.communicate()[0] for racer in racers)
    assert replies.count('"success":true') == 1, replies
    assert replies.count('"success":false') == 63
    assert [guest.is_online() for guest in guests].count(True) == 1
    used = [v for v in tc_lab.ctl("voucher", "list", "--state", "used")["items"]
            if v["code"] == code]
    assert len(used) == 1
