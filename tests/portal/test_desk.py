# SPDX-License-Identifier: GPL-2.0-or-later
"""The operators' pages against a fake daemon: what each role is shown, which
operation each form asks for, and that nothing secret is in an address."""
import base64
import hashlib
import http.client
import json
import re
import shutil
import subprocess
import urllib.parse
from html.parser import HTMLParser

import pytest

from desk import CODE, EVIL, MAC, QR, ROLES, TOKEN48, Venue, may
from fake import TOKEN, Portal

COOKIE = {"Cookie": f"gh_operator={TOKEN}"}
QUERY = f"?mac={MAC}"
OWN = ("/logout", "/dashboard/clients", "/dashboard/members", "/dashboard/members/import")
# Each page, and the operation without which there is none.
PAGES = {
    "/dashboard": None,
    "/dashboard/account": None,
    "/dashboard/clients": "clients.list",
    "/dashboard/clients/client" + QUERY: "clients.get",
    "/dashboard/vouchers": "vouchers.sell",
    "/dashboard/vouchers/batch?name=sum+mer": "vouchers.list",
    "/dashboard/members": "members.list",
    "/dashboard/members/member?id=1": "members.get",
    "/dashboard/admin/qr?id=3": "qr.list",
    "/dashboard/supervisor": "events.list",
    "/dashboard/manager": "statistics.list",
}


class Page(HTMLParser):
    """Forms with their fields, links, headings, and what is said."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.headings, self.ids = [], [], [], []
        self.labels, self.fields, self.texts = set(), [], []
        self.feed(text)
        self.text = " ".join(self.texts)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.forms.append((attrs.get("method"), attrs["action"], {}))
        if tag in ("input", "select", "textarea") and self.forms:
            self.forms[-1][2][attrs["name"]] = attrs.get("value", "")
            if attrs.get("type") != "hidden":
                self.fields.append(attrs.get("id"))
        if tag == "a":
            self.links.append(attrs["href"])
        if tag == "label":
            self.labels.add(attrs["for"])
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_data(self, data):
        self.texts.append(data)

    def form(self, action):
        return next(fields for _, a, fields in self.forms if a.endswith(action))


@pytest.fixture(scope="module")
def office():
    portal = Portal(operators=True)
    yield portal
    assert portal.stop() == 0, portal.log()
    assert "Sanitizer" not in portal.log()


@pytest.fixture
def venue(office):
    office.daemon.asked.clear()
    office.daemon.tokens.clear()
    office.daemon.faults.clear()
    office.daemon.reply = Venue()
    yield office.daemon.reply
    assert not office.daemon.faults
    assert CODE not in office.log() and TOKEN not in office.log()


def send(office, method, path, fields=None, source="127.0.0.1", **headers):
    conn = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20,
                                      source_address=(source, 0))
    body = None
    if fields is not None:
        body = urllib.parse.urlencode(fields)
        headers = {"Content-Type": "application/x-www-form-urlencoded",
                   "Origin": "null", **headers}
    conn.request(method, path, body, {**COOKIE, **headers})
    answer = conn.getresponse()
    text = answer.read().decode()
    conn.close()
    return answer.status, answer, text


def page(office, path, **headers):
    status, _, text = send(office, "GET", path, **headers)
    assert status == 200, (path, text)
    return Page(text)


def press(office, path, action, **fields):
    """Sends the form of a page as a browser without script does."""
    form = {**page(office, path).form(action), **fields}
    return send(office, "POST", f"/dashboard/do/{action}", form)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_shown_what_it_may_do(office, venue, role):
    venue.role = role
    for n, (path, op) in enumerate(PAGES.items()):
        status, _, text = send(office, "GET", path, source=f"127.3.{n}.{len(role)}")
        assert status == (200 if op is None or op in may(role) else 403), (path, role)
        if status != 200:
            continue
        shown = Page(text)
        for _, action, fields in shown.forms:
            name = action.removeprefix("/dashboard/do/")
            assert name in may(role) or action in OWN, action
            assert "form" in fields or action in OWN
        for link in shown.links:
            if urllib.parse.urlparse(link).path.startswith("/dashboard/"):
                known = [op for p, op in PAGES.items() if link.split("?")[0] == p.split("?")[0]]
                assert all(op is None or op in may(role) for op in known), link
    # Nothing was asked for that would be refused.
    assert {op for op, _ in office.daemon.asked} <= set(may(role))
    assert set(office.daemon.tokens) == {TOKEN}


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_well_made(office, venue, path):
    for lang in ("en", "ar", "fr"):
        status, answer, text = send(office, "GET", path, **{"Accept-Language": lang})
        shown = Page(text)
        assert status == 200 and shown.headings[0] == 1 and 1 not in shown.headings[1:]
        assert len(shown.ids) == len(set(shown.ids))
        assert set(shown.fields) <= shown.labels
        assert EVIL not in text and "<b>" not in text and "{{" not in text
        assert ('dir="rtl"' in text) == (lang == "ar")
        assert "<script>" not in text and "onclick" not in text
        policy = answer.getheader("Content-Security-Policy")
        assert policy.startswith("default-src 'none'") and "unsafe" not in policy
        assert len(text) < 24000


def test_forms_ask_for_operations(office, venue):
    client, vouchers = "/dashboard/clients/client" + QUERY, "/dashboard/vouchers"
    mac = {"mac": MAC}
    for path, action, fields, args, to in [
            (client, "clients.allow", {"minutes": "30", "paid": "2.5"},
             {**mac, "minutes": 30, "paidMinor": 250}, QUERY + "&done=time"),
            (client, "clients.allow", {"minutes": "", "plan": "1 Hour", "paid": ""},
             {**mac, "plan": "1 Hour"}, QUERY + "&done=time"),
            (client, "clients.allow", {"minutes": "1x", "paid": "1.234"},
             {**mac, "minutes": "1x", "paidMinor": "1.234"}, QUERY + "&done=time"),
            (client, "clients.pause", {}, mac, QUERY + "&done=paused"),
            (client, "clients.kick", {}, mac, QUERY + "&done=kicked"),
            (client, "clients.block", {}, {**mac, "blocked": True}, QUERY + "&done=saved"),
            (client, "clients.move", {"to": "02:00:00:00:00:09"},
             {"from": MAC, "to": "02:00:00:00:00:09"}, "?mac=02:00:00:00:00:09&done=moved"),
            (client, "clients.describe", {"name": "Ann", "note": ""},
             {**mac, "name": "Ann", "note": ""}, QUERY + "&done=saved"),
            (vouchers, "vouchers.create", {"plan": "1 Hour", "days": "7"},
             {"plan": "1 Hour", "count": 30, "expiresDays": 7},
             "?name=20261121-1&done=created"),
            ("/dashboard/vouchers/batch?name=sum+mer", "vouchers.revoke", {},
             {"batch": "sum mer"}, "?done=revoked"),
            ("/dashboard/members", "members.add",
             {"identity": "x@y.z", "from": "2026-12-24T14:00", "devices": "3"},
             {"identity": "x@y.z", "name": "", "email": "", "operator": "", "plan": "",
              "devices": 3, "checkIn": "2026-12-24 14:00", "checkOut": "", "proofName": "",
              "proofRoom": ""}, "?done=saved"),
            ("/dashboard/members/member?id=1", "members.remove", {}, {"id": 1}, "?done=removed"),
            ("/dashboard/admin/qr", "qr.generate", {"label": "Bar"}, {"label": "Bar"},
             "?id=3&done=qr_made"),
            ("/dashboard/admin/qr", "qr.revoke", {}, {"id": 3}, "?done=qr_revoked"),
            ("/dashboard/admin/qr", "qr.end", {}, {"id": 9}, "?done=logged_out"),
            ("/dashboard/account", "operators.password", {"old": "a b", "new": "c d"},
             {"oldPassword": "a b", "password": "c d"}, "?done=password"),
            ("/dashboard/supervisor", "payments.refund", {}, {"id": 5}, "?done=refunded")]:
        office.daemon.asked.clear()
        status, answer, text = press(office, path, action, **fields)
        assert status == 303, (action, text)
        assert office.daemon.asked[-1] == (action, args)
        location = answer.getheader("Location").replace("%3A", ":")
        assert location.endswith(to), (action, location)
        assert 'role="status"' in send(office, "GET", location)[2]


def test_a_member_keeps_what_is_in_no_list(office, venue):
    """A plan that was removed, an account on another page: saving takes nothing away."""
    office.daemon.reply = lambda op, args: {**venue(op, args), **(
        {"plan": "Old", "operator": "zoe"} if op == "members.get" else {})}
    text = send(office, "GET", "/dashboard/members/member?id=1")[2]
    assert re.findall("<option selected>([^<]*)", text) == ["Old", "zoe"]
    assert re.findall("<option>([^<]*)", text)[0] == "1 Hour"


def test_codes_are_in_no_address(office, venue):
    for action, fields in (("vouchers.sell", {"plan": "1 Hour"}),
                           ("vouchers.get", {"code": CODE})):
        status, answer, text = press(office, "/dashboard/vouchers", action, **fields)
        assert status == 200 and CODE in text
        assert all(CODE not in link for link in Page(text).links)
        assert answer.getheader("Cache-Control") == "no-store"
    assert "Sold. This is the code:" not in text
    shown = Page(text)
    assert shown.form("vouchers.revoke")["code"] == CODE


def test_a_refusal_is_shown_on_the_page(office, venue):
    venue.refuse = {"clients.kick": "conflict"}
    status, _, text = press(office, "/dashboard/clients/client" + QUERY, "clients.kick")
    assert status == 409 and "No: clients.kick." in text and 'role="alert"' in text
    assert Page(text).form("clients.kick")["mac"] == MAC
    venue.refuse = {"clients.list": "unavailable"}
    assert send(office, "GET", "/dashboard/clients")[0] == 503
    venue.refuse = {"clients.get": "not_found"}
    assert send(office, "GET", "/dashboard/clients/client" + QUERY, source="127.3.1.9")[0] == 404


def test_nobody_else_sends_our_forms(office, venue):
    form = {"mac": MAC, "form": "0" * 32}
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        status = send(office, "POST", "/dashboard/do/clients.kick", form, "127.3.2.1",
                      **headers)[0]
        assert status == 403
    for action in ("unload", "clients.exempt", "", "clients.kick/x"):
        fields = page(office, "/dashboard/clients/client" + QUERY).form("clients.kick")
        status = send(office, "POST", f"/dashboard/do/{action}", fields, "127.3.2.2")[0]
        assert status in (403, 404), action
    assert {op for op, _ in office.daemon.asked} <= {"operators.me", "clients.get",
                                                     "plans.list"}


def test_login_goes_on_where_it_led(office, venue):
    venue.refuse = {"operators.me": "not_logged_in"}
    status, answer, text = send(office, "GET", "/dashboard/clients?search=a%20b")
    assert status == 200 and "Max-Age=0" in answer.getheader("Set-Cookie")
    form = Page(text).form("/login")
    assert form["next"] == "/dashboard/clients?search=a%20b"
    venue.refuse = {}
    for shown, expected in ((form["next"], form["next"]), ("https://evil.example/", None),
                            ("//evil.example/dashboard", None), ("/dashboard\r\nX: y", None),
                            ("/dashboard//evil.example", "/dashboard//evil.example")):
        office.daemon.reply = lambda op, args: {
            "success": True, "token": TOKEN, "name": "anna", "role": "admin"}
        status, answer, _ = send(office, "POST", "/login", {
            **form, "next": shown, "name": "anna", "password": "secret words"})
        assert status == 303
        assert answer.getheader("Location") == (expected or "/dashboard")


def test_search_and_tabs(office, venue):
    for path, args in (("", {"limit": 25, "state": "running"}),
                       ("?all=1", {"limit": 25}),
                       ("?search=room&after=7", {"limit": 25, "search": "room", "after": 7})):
        office.daemon.asked.clear()
        shown = page(office, "/dashboard/clients" + path)
        assert office.daemon.asked[-1] == ("clients.list", args)
        assert any("after=55" in link for link in shown.links)
    assert any("search=room" in link for link in shown.links)


def test_a_batch_is_printed_as_the_command_does(office, venue):
    status, answer, text = send(office, "GET", "/dashboard/vouchers/sheet?batch=sum+mer")
    assert status == 200 and text.count('class="v"') == 60 and text.count("<svg") == 60
    style = re.search("<style>(.*)</style>", text)[1].encode()
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.getheader("Content-Security-Policy")
    assert [args.get("after") for op, args in office.daemon.asked] == [None, 50]
    for paper, status in (("58mm", 200), ("a3", 404)):
        assert send(office, "GET", f"/dashboard/vouchers/sheet?batch=x&paper={paper}")[0] == status


def scan(data, name, tmp_path):
    """What a phone reads."""
    (tmp_path / name).write_bytes(data)
    return subprocess.run(["zbarimg", "-q", "--raw", str(tmp_path / name)], text=True,
                          capture_output=True, check=True, timeout=30).stdout.strip()


def test_the_code_of_the_house(office, venue, tmp_path):
    """U2, U3, U8: as pictures, as a file, on paper and by the API."""
    status, answer, text = send(office, "GET", "/dashboard/admin/qr?id=3")
    assert "img-src 'self' data:" in answer.getheader("Content-Security-Policy")
    assert QR["loginUrl"] in text and TOKEN48 not in "".join(Page(text).links)
    for kind in "png", "svg\\+xml":
        assert re.search(f'src="data:image/{kind};base64,', text)
    if shutil.which("zbarimg"):
        png = base64.b64decode(re.search('data:image/png;base64,([^"]+)"', text)[1])
        assert scan(png, "a.png", tmp_path) == QR["loginUrl"]
    conn = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20)
    conn.request("GET", "/dashboard/admin/qr/image?id=3&format=png", headers=COOKIE)
    answer = conn.getresponse()
    png = answer.read()
    assert answer.getheader("Content-Disposition") == 'attachment; filename="login.png"'
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") >= 512
    assert send(office, "GET", "/dashboard/admin/qr/image?id=3&format=svg")[2].startswith("<svg")
    status, answer, text = send(office, "GET", "/dashboard/admin/qr/poster?id=3")
    assert status == 200 and "The bar" in text and EVIL not in text and "<svg" in text
    assert "unsafe" not in answer.getheader("Content-Security-Policy")
    for path in "image", "poster":
        assert send(office, "GET", f"/dashboard/admin/qr/{path}", source="127.3.4.1")[0] == 404
    assert {op for op, _ in office.daemon.asked} <= {"operators.me", "qr.list", "qr.show",
                                                     "qr.sessions"}


def test_the_api_of_the_code(office, venue):
    def call(method, body=None, source="127.0.0.1", **headers):
        conn = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20,
                                          source_address=(source, 0))
        conn.request(method, "/api/qr/universal/generate", body, {**COOKIE, **headers})
        answer = conn.getresponse()
        return answer.status, json.loads(answer.read())
    status, reply = call("POST", "{}", **{"Content-Type": "application/json"})
    assert status == 200 and reply["success"] and reply["qrTokenId"] == "3"
    assert reply["loginUrl"].endswith(reply["token"]) and reply["expiresAt"]
    assert reply["qrCode"]["png"].startswith("data:image/png;base64,")
    assert reply["qrCode"]["svg"].startswith("<svg")
    status, reply = call("GET")
    assert status == 200 and {"id", "createdAt", "expiresAt", "isActive", "createdBy",
                              "sessionCount"} <= set(reply["qrTokens"][0])
    venue.role = "manager"
    for method in "GET", "POST":
        status, reply = call(method, "{}" if method == "POST" else None, "127.3.5.1",
                             **({"Content-Type": "application/json"} if method == "POST" else {}))
        assert (status, reply["code"]) == (403, "not_allowed")
    assert call("GET", source="127.3.5.1", Cookie="")[0] == 401


def test_a_list_of_members_is_taken_in(office, venue):
    """U9: in pieces, and what was not taken is named by its line."""
    def take(op, args):
        if op == "members.import":
            lines = args["rows"].splitlines()
            bad = [n for n, line in enumerate(lines, 1) if "bad" in line]
            return {"success": True, "added": len(lines) - len(bad), "changed": 0,
                    "failed": [{"row": n, "error": "No " + EVIL} for n in bad]}
        return venue(op, args)
    office.daemon.reply = take
    form = page(office, "/dashboard/members").form("/import")
    rows = [f"guest{n}@example.org,Guest {n}\t\u00fc" for n in range(300)]
    rows[250] = "bad,row"
    office.daemon.asked.clear()
    text = "identity,name\r\n" + "\r\n".join(rows) + "\r\n"
    status, _, answer = send(office, "POST", "/dashboard/members/import", {**form, "csv": text})
    assert status == 200 and "<dd>299</dd>" in answer and "Line 252:" in answer
    assert EVIL not in answer
    sent = [args for op, args in office.daemon.asked if op == "members.import"]
    assert len(sent) > 1 and {args["header"] for args in sent} == {"identity,name"}
    assert all(len(args["rows"].encode()) <= 4000 for args in sent)
    assert "".join(args["rows"] for args in sent).splitlines() == [
        row.replace("\t", " ") for row in rows]
    for csv in ("", "a\x01b", "identity"):
        status = send(office, "POST", "/dashboard/members/import", {**form, "csv": csv})[0]
        assert status == (200 if csv == "identity" else 400)


def test_an_app_is_set_up(office, venue):
    """The secret is shown once, as a picture and as text; the code goes with the form."""
    status, answer, text = press(office, "/dashboard/account", "operators.totp.begin")
    assert status == 200 and "GEZD GNBV" in text and answer.getheader("Cache-Control") == "no-store"
    assert 'src="data:image/svg+xml;base64,' in text
    shown = Page(text).form("operators.totp.confirm")
    assert set(shown) == {"form", "code"}
    venue.refuse = {"operators.totp.confirm": "second_factor_required"}
    status, _, text = send(office, "POST", "/dashboard/do/operators.totp.confirm",
                           {**shown, "code": "1"})
    assert status == 401 and 'role="alert"' in text and "gh_operator=;" not in text
    venue.totp = True
    assert Page(send(office, "GET", "/dashboard/account")[2]).form("operators.totp.off")
    assert "GEZD" not in office.log()


def test_the_second_step_of_a_login(office, venue):
    ticket = "ab" * 16
    form = Page(send(office, "GET", "/", Cookie="")[2]).form("/login")

    def reply(op, args):
        if op == "operators.login":
            return {"success": False, "error": "Code.", "code": "second_factor_required",
                    "ticket": ticket}
        if args["code"] == "123 456":
            return {"success": True, "token": TOKEN, "name": "anna", "role": "admin"}
        return {"success": False, "error": "No.", "code":
                "not_logged_in" if args["code"] == "late" else "second_factor_required"}
    office.daemon.reply = reply
    fields = {**form, "name": "anna", "password": "secret words", "next": "/dashboard/members"}
    status, answer, text = send(office, "POST", "/login", fields, Cookie="")
    assert status == 200 and not answer.getheader("Set-Cookie") and "secret words" not in text
    step = Page(text).form("/login/code")
    assert step["ticket"] == ticket and step["next"] == "/dashboard/members"
    for code, action in (("1", "/login/code"), ("late", "/login")):
        status, answer, text = send(office, "POST", "/login/code", {**step, "code": code},
                                    Cookie="")
        assert status == 401 and Page(text).form(action) and 'role="alert"' in text
    status, answer, _ = send(office, "POST", "/login/code", {**step, "code": "123 456"}, Cookie="")
    assert status == 303 and answer.getheader("Location") == "/dashboard/members"
    assert TOKEN in answer.getheader("Set-Cookie")
    assert office.daemon.asked[-1] == ("operators.second", {"ticket": ticket, "code": "123 456"})
    assert send(office, "POST", "/login/code", {**step, "ticket": "x"}, Cookie="")[0] == 401
