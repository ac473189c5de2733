# SPDX-License-Identifier: GPL-2.0-or-later
"""Members and the login by QR code (U1 to U9), from the code to the gate."""
import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import BUILD, PORTAL4, Refused, make_lab, wait_for

LOGIN = "/api/qr/universal/validate"


@pytest.fixture(scope="module")
def house():
    """A box that takes such logins, with a code and a plan for guests."""
    lab = make_lab("tc", 6)
    path = lab.state / "gatehouse.conf"
    path.write_text("[qr_login]\nguest_plan = Stay\nstaff_plan = Staff\nvenue_id = hotel-7\n\n" +
                    path.read_text() + "\nqr_login = yes\n")
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: re.search("applied .*: 1 network", (lab.state / "gatehoused.log").read_text()))
    lab.kill("gatehouse-portal")
    lab.start()
    lab.ctl("plan", "add", "Stay", "--minutes", "600", "--megabytes", "50", "--up", "5000")
    lab.ctl("plan", "add", "Staff", "--minutes", "60")
    lab.ctl("plan", "add", "Small", "--minutes", "60", "--megabytes", "1")
    lab.code = lab.ctl("qr", "generate", "--label", "lobby")
    yield lab
    lab.down()


def ask(lab, *words, text):
    """A verb that asks for a secret; its output."""
    result = subprocess.run(
        [str(BUILD / "gatehousectl"), "--socket", str(lab.state / "control.sock"), "--json",
         *words], input=text + "\n", text=True, capture_output=True, timeout=30, check=False)
    if result.returncode:
        raise Refused(result)
    return json.loads(result.stdout)


def login(lab, guest, who, secret=None, token=None):
    body = {"token": token or lab.code["token"], "userId": who}
    if secret is not None:
        body["secret"] = secret
    return guest.api(LOGIN, body)


def test_a_booking_is_online_until_its_check_out(house):
    lab = house
    one, two, three = (lab.guest() for _ in range(3))
    assert re.fullmatch("[0-9a-f]{48}", lab.code["token"])
    assert lab.code["loginUrl"].endswith("/login?token=" + lab.code["token"])
    lab.ctl("member", "add", "R-1042", "--name", "J. Smith", "--devices", "2",
            "--proof-name", "Müller", "--proof-room", "204", "--check-out", "2126-12-24")
    # Who is not known, or says the wrong thing, is not online.
    assert login(lab, one, "R-9999")[1]["code"] == "identity_unknown"
    refusal = login(lab, one, "R-1042")[1]
    assert (refusal["code"], refusal["secretKind"]) == ("second_factor_required", "both")
    assert login(lab, one, "R-1042", "204")[1]["code"] == "second_factor_required"
    assert not one.is_online()
    status, reply = login(lab, one, " r-1042 ", "204 MÜLLER")
    assert status == 200 and reply["role"] == "guest" and reply["plan"] == "Stay"
    assert reply["redirectUrl"] == "/guest/concierge"
    assert re.fullmatch("[0-9a-f]{64}", reply["sessionId"])
    assert one.is_online() and one.is_online("-6")
    session = one.api("/api/qr/universal/session/validate", {"sessionId": reply["sessionId"]})[1]
    assert session["session"]["userId"] == "r-1042"
    assert session["session"]["hotelId"] == "hotel-7"
    assert lab.ctl("client", one.mac)["member"] == "R-1042"
    # A second device shares what there is; a third finds no place.
    assert login(lab, two, "R-1042", "müller204")[0] == 200 and two.is_online()
    group = lab.ctl("client", two.mac)
    assert (group["devices"], group["devicesMax"]) == (2, 2)
    assert login(lab, three, "R-1042", "Müller 204")[1]["code"] == "devices_full"
    assert lab.ctl("member", "show", "r-1042")["online"] == 2
    # Another day of the check-out counts for both at once, and the last one ends them.
    lab.ctl("member", "set", "R-1042", "--check-out", "2126-12-25")
    assert lab.ctl("client", one.mac)["expiresAt"] < "2126-12-25"
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
    lab.ctl("member", "set", "R-1042", "--check-out", soon)
    wait_for(lambda: not one.is_online() and not two.is_online())
    assert login(lab, one, "R-1042", "Müller 204")[1]["code"] == "outside_stay"
    lab.ctl("verify")


def page(guest, path, cookies=None, **form):
    """A page, or what comes of its form, as a browser without script asks for it."""
    options = [word for name, value in form.items()
               for word in ("--data-urlencode", f"{name}={value}")]
    if cookies:
        options += ["-H", "Cookie: " + "; ".join(f"{k}={v}" for k, v in cookies.items())]
    return guest.curl(path if "//" in path else PORTAL4 + path, *options, timeout=20)


def cookies_of(answer):
    """Of a response: name and value of each that it sets."""
    return dict(re.findall(r"^Set-Cookie: (\w+)=([^;]*)", answer.head, re.MULTILINE | re.I))


def test_a_guest_scans_types_who_it_is_and_is_online(house):
    lab, guest = house, house.guest()
    lab.ctl("member", "add", "ana@example.org", "--name", "Ana M", "--proof-room", "12",
            "--check-out", "2126-12-24")
    assert 'href="/login"' in page(guest, "/").body
    # The poster's address leads to the question; its token moves into the form.
    scanned = page(guest, lab.code["loginUrl"])
    hidden = f'<input type="hidden" name="token" value="{lab.code["token"]}">'
    assert scanned.status == 200 and hidden in scanned.body and 'name="id"' in scanned.body
    token = lab.code["token"]
    asked = page(guest, "/login", token=token, id="ana@example.org")
    assert asked.status == 401 and 'name="secret"' in asked.body and hidden in asked.body
    assert not guest.is_online()
    answer = page(guest, "/login", token=token, id="Ana@example.org", secret="12")
    assert (answer.status, answer.headers["location"]) == (303, "/guest/concierge")
    cookies = cookies_of(answer)
    assert set(cookies) == {"gh_session", "gh_qr"}
    assert guest.is_online() and guest.is_online("-6")
    # What it lands on, with the login and without.
    landing = page(guest, "/guest/concierge", cookies).body
    assert "Welcome, Ana M" in landing and "2126" in landing
    assert "Ana M" not in page(guest, "/guest/concierge").body
    # A guest is no staff, and out is out.
    assert page(guest, "/staff/dashboard", cookies).headers["location"] == "/login"
    out = page(guest, "/logout", cookies, form="")
    assert out.status == 303 and cookies_of(out) == {"gh_qr": ""}
    assert "Ana M" not in page(guest, "/guest/concierge", cookies).body
    assert guest.is_online()
    # An unknown id and an old poster say what to do.
    unknown = page(guest, "/login", token=token, id="nobody")
    assert unknown.status == 403 and "not known here" in unknown.body
    assert "no QR code of this venue" in page(guest, "/login", token="0" * 48, id="x").body
    lab.ctl("member", "remove", "ana@example.org")


def test_staff_need_the_pin_of_their_account(house):
    lab = house
    guest, other = lab.guest(), lab.guest()
    ask(lab, "operator", "add", "anna", "--role", "manager", text="correct horse battery")
    lab.ctl("member", "add", "S-7", "--operator", "anna")
    assert lab.ctl("member", "show", "S-7")["role"] == "manager"
    # A public code and a guessable id make nobody staff.
    status, reply = login(lab, guest, "S-7", "739150")
    assert (status, reply["code"]) == (401, "second_factor_required")
    with pytest.raises(Refused):
        ask(lab, "operator", "pin", "anna", text="123456")
    ask(lab, "operator", "pin", "anna", text="739150")
    assert login(lab, guest, "S-7", "739151")[1]["code"] == "second_factor_required"
    assert not guest.is_online()
    answer = guest.curl(f"{PORTAL4}{LOGIN}", "-H", "Content-Type: application/json", "-d",
                        json.dumps({"token": lab.code["token"], "userId": "s-7",
                                    "secret": "739150"}))
    reply = json.loads(answer.body)
    assert answer.status == 200 and guest.is_online() and "cookie" not in reply
    cookie = re.search(r"gh_qr=([0-9a-f]{64}\.[0-9a-f]{64});", str(answer.headers))[1]
    # At most staff here, by whatever the account may do elsewhere.
    assert reply["role"] == "staff" and reply["plan"] == "Staff"
    # Its number alone is worth nothing: the cookie of that login is not sent along.
    session = {"sessionId": reply["sessionId"]}
    assert other.api("/api/qr/universal/session/validate", session)[0] == 404
    # The page of staff is for that device with that cookie.
    page = f"{PORTAL4}/staff/dashboard"
    assert guest.curl(page, "-b", f"gh_qr={cookie}").status == 200
    assert other.curl(page, "-b", f"gh_qr={cookie}").status != 200
    assert guest.curl(page, "-b", f"gh_qr={cookie[:-1]}x").status != 200
    assert any(row["who"] == "operator anna" and row["operation"] == "clients.list"
               for row in wait_for(lambda: lab.ctl("access", "--who", "operator anna")["items"]))
    assert [row["role"] for row in lab.ctl("qr", "sessions")["items"]
            if row["identity"] == "s-7"] == ["staff"]
    # A new PIN ends it, as a new password does and `operator logout`: phones get lost.
    for end in (lambda: ask(lab, "operator", "pin", "anna", text="739150"),
                lambda: ask(lab, "operator", "passwd", "anna", text="wrong donkey battery"),
                lambda: lab.ctl("operator", "logout", "anna")):
        assert end()["ended"] == 1
        assert guest.curl(page, "-b", f"gh_qr={cookie}").status == 303
        answer = guest.curl(f"{PORTAL4}{LOGIN}", "-H", "Content-Type: application/json", "-d",
                            json.dumps({"token": lab.code["token"], "userId": "s-7",
                                        "secret": "739150"}))
        cookie = re.search(r"gh_qr=([0-9a-f.]+);", str(answer.headers))[1]
        assert guest.curl(page, "-b", f"gh_qr={cookie}").status == 200
    # Without the account the member is gone, and offline.
    lab.ctl("operator", "remove", "anna")
    assert not guest.is_online()
    assert lab.ctl("member", "list", "S-7")["items"] == []
    assert not any(row["identity"] == "s-7" for row in lab.ctl("qr", "sessions")["items"])


def test_staff_help_guests_from_their_own_phone(house):
    """What the desk does most, in the pages; what is beyond staff is said there."""
    lab = house
    phone, guest, other = lab.guest(), lab.guest(), lab.guest()
    guest.session()
    ask(lab, "operator", "add", "juma", "--role", "staff", text="correct horse battery")
    ask(lab, "operator", "pin", "juma", text="582046")
    lab.ctl("member", "add", "S-8", "--operator", "juma")
    token = lab.code["token"]
    assert 'type="password"' in page(phone, "/login", token=token, id="S-8").body
    answer = page(phone, "/login", token=token, id="S-8", secret="582046")
    assert (answer.status, answer.headers["location"]) == (303, "/staff/dashboard")
    login_cookie = {"gh_qr": cookies_of(answer)["gh_qr"]}
    assert phone.mac.upper() in page(phone, "/staff/dashboard", login_cookie).body
    found = page(phone, f"/staff/dashboard?q={guest.mac}", login_cookie)
    assert guest.mac.upper() in found.body
    # Minutes, a pause, and on again.
    for form, fields in (("time", {"minutes": "20"}), ("pause", {}), ("go-on", {})):
        answer = page(phone, f"/staff/client/{form}", login_cookie, mac=guest.mac, **fields)
        assert answer.status == 303 and answer.headers["location"].endswith("&done=1"), form
        assert guest.is_online() == (form != "pause"), form
    shown = page(phone, f"/staff/client?mac={guest.mac}", login_cookie).body
    assert "20 minutes" in shown or "19 minutes" in shown
    # More than an hour is not for staff.
    answer = page(phone, "/staff/client/time", login_cookie, mac=guest.mac, minutes="61")
    assert answer.headers["location"].endswith("&error=not_allowed")
    # The session goes to another device, typed as it stands there.
    answer = page(phone, "/staff/client/move", login_cookie, mac=guest.mac,
                  to=other.mac.replace(":", "-").upper())
    assert answer.headers["location"].endswith("&done=1")
    assert other.is_online() and not guest.is_online()
    # A voucher for who stands at the desk.
    offer = page(phone, "/staff/sell", login_cookie).body
    assert 'value="1 Hour"' in offer and 'value="Stay"' not in offer
    page(phone, "/staff/sell", login_cookie, plan="Stay")
    assert not lab.ctl("payments")["items"]
    sold = page(phone, "/staff/sell", login_cookie, plan="1 Hour").body
    code = re.search(r"<bdi>(\w+)</bdi>", sold)[1]
    assert lab.ctl("payments")["items"][0]["who"] == "operator juma"
    assert guest.redeem(code)[0] == 200 and guest.is_online()
    # From another device the cookie opens nothing, and sells nothing.
    answer = page(other, "/staff/sell", login_cookie, plan="1 Hour")
    assert (answer.status, answer.headers["location"]) == (303, "/login")
    assert page(phone, "/logout", login_cookie, form="").status == 303
    assert page(phone, "/staff/dashboard", login_cookie).headers["location"] == "/login"
    lab.ctl("operator", "remove", "juma")
    lab.ctl("verify")


def test_secrets_are_not_tried_out(house):
    """10 wrong ones at a member in an hour, from however many devices; one that
    the member was in with has tries of its own."""
    lab = house
    lab.ctl("member", "add", "R-7", "--proof-room", "301")
    own = lab.guest()
    assert login(lab, own, "R-7", "301")[0] == 200
    codes = []
    for guest in lab.guests(3):
        guest.change_mac(f"02:00:00:77:00:{guest.number:02x}")
        codes += [login(lab, guest, "R-7", str(room))[1]["code"] for room in range(4)]
    assert codes == ["second_factor_required"] * 10 + ["slow_down"] * 2
    # The right one has to wait as well, for this member and no other.
    assert login(lab, guest, "R-7", "301")[0] == 429
    assert login(lab, own, "R-7", "301")[0] == 200
    lab.ctl("member", "add", "R-8", "--proof-room", "302")
    assert login(lab, guest, "R-8", "302")[0] == 200


def test_used_up_is_used_up_until_the_plan_is_over(house):
    lab, guest = house, house.guest()
    lab.ctl("member", "add", "small@example.org", "--plan", "Small")
    assert login(lab, guest, "Small@Example.org")[0] == 200 and guest.is_online()
    stream = guest.spawn("curl", "-s", "-o", "/dev/null", "-m", "60",
                         "http://192.0.2.80/bytes/3000000")
    wait_for(lambda: lab.ctl("client", guest.mac)["state"] != "running")
    stream.terminate()
    stream.wait()
    assert not guest.is_online()
    assert login(lab, guest, "small@example.org")[1]["code"] == "session_used_up"
    # A plan that is removed stays theirs who have it, and nobody gets it.
    lab.ctl("plan", "remove", "Small")
    assert lab.ctl("member", "set", "small@example.org", "--plan", "Small",
                   "--name", "S")["plan"] == "Small"
    with pytest.raises(Refused):
        lab.ctl("member", "add", "other", "--plan", "Small")
    lab.ctl("member", "remove", "small@example.org")


def test_codes_end_and_are_followed(house, tmp_path):
    lab, guest = house, house.guest()
    lab.ctl("member", "add", "visitor")
    old = lab.ctl("qr", "generate", "--label", "pool")
    number = int(old["qrTokenId"])
    assert login(lab, guest, "visitor", token="0" * 48)[1]["code"] == "qr_unknown"
    with sqlite3.connect(lab.state / "state/gatehouse.db", timeout=20) as db:
        assert old["token"] not in "\n".join(db.iterdump())
        db.execute("UPDATE qr_tokens SET expires_at = unixepoch() + 86400 WHERE id = ?", [number])
    lab.ctl("job", "run", "qr-codes")
    codes = {row["id"]: row for row in lab.ctl("qr", "list")["qrTokens"]}
    follower = codes[number]["nextId"]
    assert codes[follower]["label"] == "pool" and codes[follower]["isActive"]
    assert any(event["type"] == "qr_rotated" for event in lab.ctl("events")["items"])
    # Both work; the same job makes no third one.
    lab.ctl("job", "run", "qr-codes")
    assert len(lab.ctl("qr", "list")["qrTokens"]) == len(codes)
    assert login(lab, guest, "visitor", token=old["token"])[0] == 200
    new = lab.ctl("qr", "show", follower)["token"]
    assert login(lab, guest, "visitor", token=new)[0] == 200
    lab.ctl("qr", "revoke", follower)
    assert login(lab, guest, "visitor", token=new)[1]["code"] == "qr_revoked"
    sessions = [row for row in lab.ctl("qr", "sessions")["items"] if row["identity"] == "visitor"]
    assert len(sessions) == 2 and sessions[0]["mac"].lower() == guest.mac
    lab.ctl("qr", "end", sessions[0]["id"])
    assert len(lab.ctl("qr", "sessions")["items"]) >= 1


def test_members_come_from_a_file(house, tmp_path):
    path = tmp_path / "arrivals.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Identity", "Name", "Check-in", "check_out", "Devices"])
        for n in range(200):
            rows.writerow([f"B-{n}", f"Guest, {n}", "2026-12-20", "2026-12-24", ""])
        rows.writerow(["B-bad", "", "tomorrow", "", ""])
        rows.writerow(["B-1", "Other", "", "2026-12-30", "3"])
        # Two lines of one member, and what would be read as another column.
        rows.writerow(["B-2\nB-3", "", "", "", ""])
        file.write("B-4,Smith, John,2026-12-20,2026-12-24,\r\n")
    with path.open("ab") as file:
        file.write("B-5,Müller,,,\r\n".encode("latin-1"))
    reply = house.ctl("member", "import", str(path))
    assert (reply["added"], reply["changed"]) == (200, 1)
    assert [row["line"] for row in reply["failed"]] == [202, 204, 205, 206, 207]
    member = house.ctl("member", "show", "b-1")
    assert (member["name"], member["devices"]) == ("Other", 3)
    assert member["checkIn"] < member["checkOut"] and member["checkOut"].startswith("2026-12-3")
    assert len(house.ctl("member", "list", "Guest, 1")["items"]) > 50


def test_a_person_is_known_and_forgotten(house, tmp_path):
    lab, guest = house, house.guest()
    lab.ctl("member", "add", "R-9", "--email", "lea@example.org")
    assert login(lab, guest, "R-9")[0] == 200
    for who in ("Lea@example.org", "r-9"):
        rows = json.loads(lab.text("export", "--subject", who, "--json")[1])
        tables = [row["table"] for row in rows]
        assert tables.count("sessions") == tables.count("members") == tables.count("logins") == 1
    with pytest.raises(Refused):
        lab.ctl("forget", "lea@example.org")
    lab.ctl("kick", guest.mac)
    reply = lab.ctl("forget", "lea@example.org")
    assert [mac.lower() for mac in reply["devices"]] == [guest.mac]
    wait_for(lambda: lab.ctl("forget", guest.mac))
    with sqlite3.connect(lab.state / "state/gatehouse.db", timeout=20) as db:
        left = "\n".join(db.iterdump())
    assert "lea@example" not in left.lower() and "R-9" not in left
    # The poster of the code, again.
    poster = tmp_path / "poster.html"
    lab.text("qr", "show", lab.code["qrTokenId"], "--poster", poster)
    assert "<svg" in poster.read_text()


def test_networks_and_strangers_are_a_matter_of_settings(house):
    lab, guest = house, house.guest()
    guest.change_mac("02:00:00:78:00:01")  # without the wrong tries of before
    path, log = lab.state / "gatehouse.conf", lab.state / "gatehoused.log"
    original = path.read_text()

    def change(text):
        before = len(log.read_text())
        path.write_text(text)
        os.kill(lab.pid("gatehoused"), signal.SIGHUP)
        wait_for(lambda: re.search("applied .*: 1 network", log.read_text()[before:]))

    change(original.replace("qr_login = yes", "qr_login = no"))
    assert login(lab, guest, "R-1042")[1]["code"] == "not_on_site"
    change(original.replace("[qr_login]", "[qr_login]\nunknown_guest = Staff"))
    status, reply = login(lab, guest, "anybody")
    assert status == 200, reply
    assert (reply["role"], reply["plan"]) == ("guest", "Staff")
    assert guest.is_online()
    change(original)
    guest.change_mac("02:00:00:78:00:02")
    assert login(lab, guest, "anybody")[1]["code"] == "identity_unknown"
