# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds for each answer of each row of the table in portal/routes.c: the
headers, the cookies, what another site or another method gets.

Each request comes from an address of its own: refusals are limited by address.
"""
import itertools
import re
import socket
import ssl

import pytest

from fake import CAPTIVE, COINS, ROOT, RUNNING, TOKEN, Portal

TABLE = (ROOT / "portal/routes.c").read_text()
ROW = re.compile(r'\{METHOD_(\w+),\s+"([^"]+)",\s+INSTANCE_(\w+),\s+ROUTE_(\w+),')
ROWS = [row for row in ROW.findall(TABLE)]
SOURCES = (f"127.5.{n // 250}.{n % 250 + 1}" for n in itertools.count())
TYPES = {"API": "application/json", "FORM": "application/x-www-form-urlencoded"}
EVERYWHERE = {
    "Content-Security-Policy": ("default-src 'none'", "frame-ancestors 'none'",
                                "base-uri 'none'", "form-action 'self'"),
    "Referrer-Policy": ("no-referrer",),
    "X-Content-Type-Options": ("nosniff",),
}
MORE = {"success": True, "token": TOKEN, "mac": "02:00:00:00:00:01", "plan": "p",
        "remainingSeconds": 5, "remainingBytes": None, "name": "anna", "role": "admin"}
REPLIES = [
    dict(CAPTIVE, **MORE), dict(RUNNING, **MORE), dict(COINS, **MORE),
    {"success": False, "code": "not_allowed", "error": "No."},
    {"success": False, "code": "internal", "error": "It went wrong."}]


def test_the_table_was_read():
    assert len(ROWS) == TABLE.count("{METHOD_") > 50


@pytest.fixture(scope="module", params=["GUEST", "OPERATOR"])
def served(request):
    """A portal and the rows that are its."""
    portal = Portal(operators=request.param == "OPERATOR")
    rows = [row for row in ROWS if row[2] in (request.param, "BOTH")]
    yield portal, rows
    assert portal.stop() == 0, portal.log()
    # Each log line is looked at: what was asked and answered is secret.
    assert TOKEN not in portal.log() and "SECRET" not in portal.log()


class Tls(Portal):
    """Asked by TLS."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def connect(self, source=None):
        sock = socket.create_connection(("127.0.0.1", self.tls_port), 15,
                                        source_address=(source, 0) if source else None)
        # As browsers do: the request does not wait for the handshake's last ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(sock, server_hostname="portal.test")


@pytest.fixture(params=["GUEST", "OPERATOR"])
def tls(request):
    operators = request.param == "OPERATOR"
    portal = Tls(tls=True, name="portal.test", operators=operators)
    yield portal, [row for row in ROWS if row[2] in (request.param, "BOTH")]
    assert portal.stop() == 0, portal.log()


def ask(portal, method, path, kind=None, host=None, **headers):
    if path.endswith("*"):
        path = path[:-1] + "x"
    body = b""
    if method != "GET":
        body = {"API": b"{}", "FORM": b"code=SECRET&token=SECRET"}.get(kind, b"")
        headers.setdefault("Content-Type", TYPES.get(kind, "text/plain"))
        headers["Content-Length"] = len(body)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{portal.port}'}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return portal.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body, next(SOURCES))


def check(answer, what):
    assert answer.status, what
    for name, values in EVERYWHERE.items():
        for value in values:
            assert value in (answer.header(name) or ""), (what, name)
    policy = answer.header("Content-Security-Policy")
    assert "unsafe" not in policy and "http:" not in policy and "*" not in policy, what
    assert answer.header("Cache-Control") and answer.header("Content-Type"), what
    for cookie in (answer.header("Set-Cookie") or "").splitlines():
        assert "Path=/" in cookie and "SameSite=" in cookie, (what, cookie)
        assert "HttpOnly" in cookie or cookie.startswith("gh_lang="), (what, cookie)
    # No secret in an address that a browser keeps or sends on.
    assert TOKEN not in (answer.header("Location") or ""), what


def test_every_answer_has_the_headers(served):
    portal, rows = served
    shown = f"gh_session={TOKEN}; gh_operator={TOKEN}"
    for reply in REPLIES:
        portal.daemon.reply = reply
        for method, path, _, kind in rows:
            answer = ask(portal, method, path, kind, Cookie=shown,
                         Origin=f"http://127.0.0.1:{portal.port}")
            check(answer, (method, path, reply.get("code"), answer.status))
            broken = reply.get("code") == "internal"
            assert answer.status < 500 or broken, (method, path, answer.status)


def test_nobody_else_changes_anything(served):
    """Another site, another type, another method, another host."""
    portal, rows = served
    portal.daemon.asked.clear()
    for method, path, _, kind in rows:
        if method == "GET":
            continue
        for headers, allowed in (
                ({"Origin": "http://evil.example"}, (403,)),
                ({"Sec-Fetch-Site": "cross-site"}, (403,)),
                ({"Content-Type": "text/plain"}, (415,))):
            answer = ask(portal, method, path, kind, Cookie=f"gh_operator={TOKEN}", **headers)
            check(answer, (method, path))
            assert answer.status in allowed, (method, path, headers, answer.status)
        answer = ask(portal, method, path, kind, host="evil.example")
        assert answer.status == 403, (method, path)
        for other in ("DELETE", "TRACE", "OPTIONS", "PATCH"):
            assert ask(portal, other, path, kind).status in (404, 405), (other, path)
    assert portal.daemon.asked == []


def test_over_tls_every_cookie_is_secure(tls):
    portal, rows = tls
    host = f"{'' if portal.daemon.guests else 'admin.'}portal.test:{portal.tls_port}"
    portal.daemon.reply = dict(RUNNING, **MORE)
    cookies = set()
    for method, path, _, kind in rows:
        answer = ask(portal, method, path, kind, host=host, Origin=f"https://{host}",
                     Cookie=f"gh_session={TOKEN}; gh_operator={TOKEN}")
        check(answer, (method, path))
        for cookie in (answer.header("Set-Cookie") or "").splitlines():
            assert "; Secure" in cookie, (method, path, cookie)
            cookies.add(cookie.partition("=")[0])
    assert cookies & {"gh_session", "gh_operator"}
    assert portal.daemon.faults == []


def test_head_is_get_without_a_body(served):
    portal, rows = served
    portal.daemon.reply = REPLIES[0]
    for method, path, _, kind in rows:
        if method == "GET":
            with portal.connect(next(SOURCES)) as sock:
                sock.sendall(f"HEAD {path.replace('*', 'x')} HTTP/1.1\r\nConnection: close\r\n"
                             f"Host: 127.0.0.1:{portal.port}\r\n\r\n".encode())
                raw = b""
                while piece := sock.recv(65536):
                    raw += piece
            assert raw.startswith(b"HTTP/1.1 ") and raw.endswith(b"\r\n\r\n"), (path, raw)
