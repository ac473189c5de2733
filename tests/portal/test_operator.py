# SPDX-License-Identifier: GPL-2.0-or-later
"""The operators' instance against a fake daemon: what proves who asks, cookies,
and that no other site's page can act for who is logged in (T2, N12)."""
import http.client
import json
import ssl

import pytest

from fake import TOKEN, Portal

ME = {"success": True, "name": "anna", "role": "manager", "expiresAt": None,
      "operations": []}
REFUSED = {"success": False, "error": "Please log in.", "code": "not_logged_in"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
COOKIE = {"Cookie": f"gh_operator={TOKEN}"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def office():
    portal = Portal(operators=True)
    yield portal
    assert portal.stop() == 0, portal.log()
    assert "Sanitizer" not in portal.log()


@pytest.fixture(autouse=True)
def forget(office):
    office.daemon.asked.clear()
    office.daemon.tokens.clear()
    office.daemon.faults.clear()
    office.daemon.reply = ME
    yield
    assert not office.daemon.faults
    assert TOKEN not in office.log() and "secret word" not in office.log()


def send(office, method, path, body=None, source="127.0.0.1", **headers):
    """(status, headers, body); from an address of its own where it is refused
    often: refusals are limited by address."""
    conn = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20,
                                      source_address=(source, 0))
    if isinstance(body, dict):
        body = json.dumps(body)
        headers = {**JSON, **headers}
    conn.request(method, path, body, headers)
    answer = conn.getresponse()
    text = answer.read().decode()
    conn.close()
    return answer.status, answer, text


def test_who_shows_no_token_asks_nothing(office):
    for method, path in (("GET", "/api/me"), ("GET", "/api/devices"),
                         ("PUT", "/api/devices/1"), ("POST", "/api/logout"),
                         ("POST", "/api/operator/status")):
        for shown in ({}, {"Cookie": "gh_operator=short"}, {"Authorization": "Basic YTpi"},
                      {"Authorization": f"Bearer {TOKEN}0"},
                      {"Cookie": f"gh_session={TOKEN}"}):
            status, _, text = send(office, method, path, {} if method != "GET" else None,
                                   source="127.2.0.1", **shown)
            assert status in (401, 429), (path, shown)
            assert json.loads(text)["code"] in ("not_logged_in", "slow_down")
    assert office.daemon.asked == []


def test_devices(office):
    mac = "02:00:00:00:00:01"
    for shown in (BEARER, COOKIE):
        assert send(office, "GET", f"/api/devices/{mac}", **shown)[0] == 200
        assert send(office, "PUT", f"/api/devices/{mac}", {"sessionTime": 3600, "name": "x"},
                    **shown)[0] == 200
    assert send(office, "GET", "/api/devices/17", **BEARER)[0] == 200
    assert send(office, "GET", "/api/devices?limit=5&after=7", **BEARER)[0] == 200
    assert office.daemon.asked == [
        ("clients.get", {"mac": mac}),
        ("clients.set", {"mac": mac, "sessionTime": 3600, "name": "x"}),
    ] * 2 + [("clients.get", {"mac": "17"}), ("clients.list", {"limit": 5, "after": 7})]
    assert set(office.daemon.tokens) == {TOKEN}
    # The path names the device, and nothing else.
    assert send(office, "PUT", f"/api/devices/{mac}", {"mac": "02:00:00:00:00:02"},
                **BEARER)[0] == 400
    assert send(office, "DELETE", f"/api/devices/{mac}", **BEARER)[0] == 405
    assert send(office, "GET", "/api/devices/", **BEARER)[0] == 404


def test_operations_by_name(office):
    status, _, text = send(office, "POST", "/api/operator/clients.allow",
                           {"mac": "m", "minutes": 5}, **BEARER)
    assert (status, json.loads(text)) == (200, ME)
    assert office.daemon.asked == [("clients.allow", {"mac": "m", "minutes": 5})]
    office.daemon.reply = {"success": False, "error": "No.", "code": "not_allowed", "more": 1}
    status, _, text = send(office, "POST", "/api/operator/unload", {}, **BEARER)
    assert (status, json.loads(text)["more"]) == (403, 1)
    for name in ("", "a/b", "A", "x" * 40, "status?x"):
        status = send(office, "POST", f"/api/operator/{name}", {}, source="127.2.0.2",
                      **BEARER)[0]
        assert status in (404, 403), name
    for body in ("[]", "{", '{"a":1,"a":2}'):
        assert send(office, "POST", "/api/operator/status", body, **JSON, **BEARER)[0] == 400


def test_other_sites_cannot_act(office):
    cases = [
        ("POST", "/api/operator/clients.kick", '{"mac":"m"}',
         {**JSON, "Origin": "http://evil.example"}, 403),
        ("POST", "/api/operator/clients.kick", '{"mac":"m"}', {"Content-Type": "text/plain"}, 415),
        ("PUT", "/api/devices/1", '{"blocked":true}', {**JSON, "Origin": "null",
                                                       "Sec-Fetch-Site": "cross-site"}, 403),
        ("PUT", "/api/devices/1", '{"blocked":true}', FORM, 415),
        ("POST", "/logout", "", {**FORM, "Origin": "http://evil.example"}, 403),
        ("POST", "/login", "name=a&password=b", {**FORM, "Origin": "null"}, 403),
        ("GET", "/api/me", None, {"Host": "evil.example"}, 403),
    ]
    for method, path, body, headers, expected in cases:
        status = send(office, method, path, body, source="127.2.0.3", **COOKIE, **headers)[0]
        assert status == expected or (expected == 403 and status == 400), (path, headers, status)
    assert office.daemon.asked == []
    assert send(office, "GET", "/api/me", Host=f"localhost:{office.port}", **COOKIE)[0] == 200


def test_login_and_logout(office):
    office.daemon.reply = {**ME, "token": TOKEN}
    status, answer, text = send(office, "POST", "/api/login",
                                {"name": "anna", "password": "secret word"})
    assert status == 200 and json.loads(text) == ME
    cookie = answer.getheader("Set-Cookie")
    assert cookie == f"gh_operator={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert office.daemon.asked == [("operators.login", {
        "name": "anna", "password": "secret word", "address": "127.0.0.1"})]
    assert office.daemon.tokens == [None]
    status, answer, _ = send(office, "POST", "/login", "name=anna&password=secret+word",
                             Origin=f"http://127.0.0.1:{office.port}", **FORM)
    assert (status, answer.getheader("Location")) == (303, "/dashboard")
    office.daemon.reply = {"success": True}
    status, answer, _ = send(office, "POST", "/api/logout", {}, **COOKIE)
    assert status == 200 and "Max-Age=0" in answer.getheader("Set-Cookie")
    assert office.daemon.asked[-1] == ("operators.leave", {})
    office.daemon.reply = {"success": False, "error": "Wrong.", "code": "wrong_password"}
    status, answer, text = send(office, "POST", "/login", "name=%3Cb%3E&password=secret+word",
                                Origin=f"http://127.0.0.1:{office.port}", **FORM)
    assert status == 401 and "&lt;b&gt;" in text and "secret" not in text
    office.daemon.reply = {**REFUSED, "code": "slow_down", "retryAfter": 40}
    status, answer, _ = send(office, "POST", "/api/login", {"name": "a", "password": "b"})
    assert (status, answer.getheader("Retry-After")) == (429, "40")


def test_pages(office):
    status, _, text = send(office, "GET", "/")
    assert status == 200 and 'action="/login"' in text and office.daemon.asked == []
    status, _, text = send(office, "GET", "/dashboard/x", **COOKIE)
    assert status == 200 and "anna" in text and "Manager" in text
    assert "neighbours can read" in text
    office.daemon.reply = REFUSED
    status, answer, text = send(office, "GET", "/", **COOKIE)
    assert status == 200 and 'action="/login"' in text
    assert "Max-Age=0" in answer.getheader("Set-Cookie")
    for lang, word in (("sw", "Nenosiri"), ("id", "Kata sandi"), ("fil", "Mga operator")):
        assert word in send(office, "GET", "/", **{"Accept-Language": lang})[2]
    # What is for guests is not here.
    for path in ("/api/session", "/generate_204", "/help"):
        assert send(office, "GET", path, source="127.2.0.4")[0] == 404


def test_over_tls_the_cookie_is_secure():
    office = Portal(tls=True, operators=True, name="portal.test")
    try:
        context = ssl._create_unverified_context()
        conn = http.client.HTTPSConnection("127.0.0.1", office.tls_port, timeout=20,
                                           context=context)
        office.daemon.reply = {**ME, "token": TOKEN}
        conn.request("POST", "/api/login", json.dumps({"name": "a", "password": "b"}),
                     {**JSON, "Host": "admin.portal.test"})
        answer = conn.getresponse()
        assert answer.status == 200 and answer.getheader("Set-Cookie").endswith("; Secure")
        conn.close()
        status, answer, _ = send(office, "GET", "/")
        assert status == 302
        assert answer.getheader("Location").startswith("https://admin.portal.test:")
    finally:
        assert office.stop() == 0, office.log()
