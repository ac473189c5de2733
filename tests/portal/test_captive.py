# SPDX-License-Identifier: GPL-2.0-or-later
"""What programs ask a portal with a certificate: RFC 8908 and WISPr."""
import json
import pathlib
import socket
import ssl
import xml.etree.ElementTree as xml

import jsonschema
import pytest

from fake import CAPTIVE, RUNNING, TOKEN, Portal, receive

SCHEMA = json.loads(
    (pathlib.Path(__file__).parent / "capport.schema.json").read_text())
API = "/.well-known/captive-portal"
BACK_SOON = {"success": False, "error": "Not now.", "code": "unavailable"}


@pytest.fixture(scope="module")
def portal():
    portal = Portal(tls=True, name="portal.test")
    yield portal
    assert portal.stop() == 0, portal.log()
    assert "Sanitizer" not in portal.log()


def ask(portal, path, method="GET", form=None, agent="SmartClient/1.0", address="127.0.0.1"):
    """Over TLS, as the portal's name; as a smart client does it."""
    context = ssl.create_default_context(cafile=f"{portal.dir.name}/cert.pem")
    context.check_hostname = False
    raw = f"{method} {path} HTTP/1.1\r\nHost: portal.test\r\nUser-Agent: {agent}\r\n"
    if form is not None:
        raw += ("Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(form)}\r\n")
    with socket.create_connection((address, portal.tls_port), timeout=15) as sock:
        with context.wrap_socket(sock, server_hostname="portal.test") as tls:
            tls.sendall(f"{raw}\r\n{form or ''}".encode())
            return receive(tls)


def api(portal, reply, address="127.0.0.1"):
    """The answer, which is one of RFC 8908 whatever it says."""
    portal.daemon.reply = reply
    answer = ask(portal, API, address=address)
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/captive+json"
    assert answer.header("Cache-Control") == "private, no-store"
    said = json.loads(answer.text())
    jsonschema.validate(said, SCHEMA)
    return said


def test_rfc8908_captive(portal):
    url = f"https://portal.test:{portal.tls_port}/"
    assert api(portal, CAPTIVE) == {
        "captive": True, "user-portal-url": url, "can-extend-session": True}


@pytest.mark.parametrize("seconds", [None, 0, 3541])
@pytest.mark.parametrize("size", [None, 0, 500000000])
def test_rfc8908_says_what_is_left(portal, seconds, size):
    said = api(portal, dict(
        RUNNING, remainingSeconds=seconds, credits=[{"seconds": seconds, "bytes": size}]))
    assert not said["captive"] and said["can-extend-session"]
    assert said.get("seconds-remaining") == seconds
    assert said.get("bytes-remaining") == size


@pytest.mark.parametrize("state,online", [
    ("paused", False), ("held", False), ("elsewhere", False), ("out_of_hours", False),
    ("group_used_up", False)])
def test_rfc8908_a_session_that_does_not_run_is_captive(portal, state, online):
    said = api(portal, dict(RUNNING, state=state, online=online))
    assert said["captive"] and said["can-extend-session"]


def test_rfc8908_who_is_barred_or_exempt_extends_nothing(portal):
    assert not api(portal, dict(CAPTIVE, state="blocked"))["can-extend-session"]
    assert not api(portal, dict(RUNNING, state="exempt", remainingSeconds=None,
                                credits=[]))["can-extend-session"]


def test_rfc8908_the_venue_of_the_network(portal):
    assert api(portal, RUNNING, "127.0.0.2")["venue-info-url"] == "https://bar.example/"


def test_rfc8908_over_plain_http_too(portal):
    """For a client that was told an http URL; where to go is https all the same."""
    portal.daemon.reply = RUNNING
    answer = portal.send(f"GET {API} HTTP/1.1\r\nHost: portal.test\r\n\r\n".encode())
    assert answer.status == 200
    said = json.loads(answer.text())
    jsonschema.validate(said, SCHEMA)
    assert said["user-portal-url"] == f"https://portal.test:{portal.tls_port}/"


def test_rfc8908_without_a_daemon_is_no_answer(portal):
    portal.daemon.reply = BACK_SOON
    assert ask(portal, API).status == 503


def wispr(answer):
    """The message in the page's comment: kind, and its fields."""
    text = answer.text()
    begin = text.index("<!--\n<?xml") + len("<!--\n")
    tree = xml.fromstring(text[begin:text.index("-->", begin)].encode())
    assert tree.tag == "WISPAccessGatewayParam" and len(tree) == 1
    return tree[0].tag, {field.tag: field.text for field in tree[0]}


def test_wispr_the_page_of_the_redirect_says_where(portal):
    portal.daemon.reply = CAPTIVE
    answer = ask(portal, "/?url=http://captive.apple.com/hotspot-detect.html")
    kind, said = wispr(answer)
    base = f"https://portal.test:{portal.tls_port}/wispr/"
    assert kind == "Redirect" and said == {
        "AccessProcedure": "1.0", "AccessLocation": "guest",
        "LocationName": "Caf\u00e9 <Test>", "LoginURL": base + "login",
        "AbortLoginURL": base + "abort", "MessageType": "100", "ResponseCode": "0"}


@pytest.mark.parametrize("agent,told", [
    ("CaptiveNetworkSupport-443.120.1 wispr", True),
    ("Mozilla/4.0 (compatible; iPass)", True),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15", False)])
def test_wispr_programs_are_told_and_not_browsers(portal, agent, told):
    portal.daemon.reply = CAPTIVE
    assert ("WISPAccessGatewayParam" in ask(portal, "/", agent=agent).text()) == told


def test_wispr_only_who_is_captive_is_told(portal):
    portal.daemon.reply = RUNNING
    assert "WISPAccessGatewayParam" not in ask(portal, "/").text()


@pytest.mark.parametrize("form", [
    "UserName=AJC12345678&Password=x&button=Login&FNAME=0&OriginatingServer=http%3A%2F%2Fa%2F",
    "UserName=&Password=AJC12345678"])
def test_wispr_login(portal, form):
    portal.daemon.reply = dict(RUNNING, token=TOKEN)
    portal.daemon.asked.clear()
    answer = ask(portal, "/wispr/login", "POST", form)
    kind, said = wispr(answer)
    assert answer.status == 200 and kind == "AuthenticationReply"
    assert (said["MessageType"], said["ResponseCode"]) == ("120", "50")
    assert [(op, args["code"]) for op, args in portal.daemon.asked] == [
        ("vouchers.activate", "AJC12345678")]


@pytest.mark.parametrize("reply,form,code", [
    ({"success": False, "error": "No.", "code": "voucher_unknown"}, "UserName=A", "100"),
    ({"success": False, "error": "No.", "code": "slow_down"}, "UserName=A", "100"),
    (BACK_SOON, "UserName=A", "255"),
    (CAPTIVE, "UserName=", "100"),
    (CAPTIVE, "UserName=" + 500 * "A", "100")])
def test_wispr_login_refused(portal, reply, form, code):
    portal.daemon.reply = reply
    kind, said = wispr(ask(portal, "/wispr/login", "POST", form))
    assert kind == "AuthenticationReply" and said["MessageType"] == "120"
    assert said["ResponseCode"] == code and said["ReplyMessage"]


def test_wispr_a_login_is_no_other_sites_form(portal):
    portal.daemon.asked.clear()
    context = ssl._create_unverified_context()
    with socket.create_connection(("127.0.0.1", portal.tls_port), timeout=15) as sock:
        with context.wrap_socket(sock, server_hostname="portal.test") as tls:
            tls.sendall(b"POST /wispr/login HTTP/1.1\r\nHost: portal.test\r\n"
                        b"Origin: https://evil.example\r\nContent-Length: 10\r\n"
                        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nUserName=A")
            assert receive(tls).status == 403
    assert not portal.daemon.asked


def test_wispr_abort_undoes_nothing(portal):
    portal.daemon.asked.clear()
    kind, said = wispr(ask(portal, "/wispr/abort"))
    assert kind == "AbortLoginReply"
    assert (said["MessageType"], said["ResponseCode"]) == ("150", "151")
    assert not portal.daemon.asked


@pytest.fixture(scope="module")
def strict():
    portal = Portal(tls=True, name="portal.test", extra="hsts_days = 30")
    portal.daemon.reply = CAPTIVE
    yield portal
    assert portal.stop() == 0, portal.log()


@pytest.mark.parametrize("path", ["/", "/help", "/nowhere", API, "/generate_204",
                                  "/assets/icon.svg", "/api/session"])
def test_hsts_when_asked_for_and_over_tls_only(strict, portal, path):
    answer = ask(strict, path)
    assert answer.header("Strict-Transport-Security") == "max-age=2592000", path
    # RFC 6797, 7.2: never without TLS.
    plain = strict.send(f"GET {path} HTTP/1.1\r\nHost: portal.test\r\n\r\n".encode())
    assert plain.header("Strict-Transport-Security") is None
    portal.daemon.reply = CAPTIVE
    assert ask(portal, path).header("Strict-Transport-Security") is None


def test_plain_http_is_the_redirect(portal):
    """With a certificate: no page, no cookie, no reading of forms without TLS."""
    portal.daemon.asked.clear()
    base = f"https://portal.test:{portal.tls_port}"
    for path in ("/", "/help", "/coins", "/r", "/nowhere", "/wispr/abort", "/api/session"):
        answer = portal.send(f"GET {path}?a=1 HTTP/1.1\r\nHost: portal.test\r\n"
                             "Cookie: gh_session=x\r\n\r\n".encode())
        assert (answer.status, answer.header("Location")) == (302, f"{base}{path}?a=1")
        assert answer.header("Set-Cookie") is None
    for path in ("/activate", "/restore", "/wispr/login", "/api/vouchers/activate"):
        answer = portal.send(
            f"POST {path} HTTP/1.1\r\nHost: portal.test\r\nContent-Length: 6\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=A".encode())
        assert answer.status == 403, path
    assert not portal.daemon.asked


def test_without_a_certificate_no_login_is_offered():
    portal = Portal(extra="hsts_days = 30")
    try:
        portal.daemon.reply = CAPTIVE
        page = portal.send(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n\r\n".encode())
        assert page.status == 200 and "WISPAccessGatewayParam" not in page.text()
        assert page.header("Strict-Transport-Security") is None
    finally:
        portal.stop()
