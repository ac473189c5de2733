# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page weighs. The first answer is enough to draw it: with its styles it
fits into what a server may send before it hears from the client again (10 packets,
RFC 6928). With all that it loads it stays below 60 KB, in every language."""
import gzip
import re
import socket
import ssl

import pytest

from fake import (CAPTIVE, CLOSE, COINS, LOCKED, PLANS, ROOT, RUNNING, TOKEN,
                  Portal, receive)

FIRST_FLIGHT = 10 * 1460
WHOLE = 60 * 1024
LANGUAGES = sorted(path.stem for path in (ROOT / "portal/lang").glob("*.txt"))
# All that a session page can have at once.
FULL = dict(
    RUNNING, token=TOKEN, mayPause=True, mayShare=True, devices=1, devicesMax=3,
    creditTotalSeconds=7200, creditTotalBytes=10**9, idleMinutes=10,
    hours="08:00-12:00 14:00-22:00", validUntil="2026-11-24T21:16:00Z",
    credits=RUNNING["credits"] + 3 * [
        {"kind": "voucher", "plan": "Weekly", "seconds": 604800, "bytes": None}])
PAGES = [
    ("/", dict(CAPTIVE, freeMinutes=15)),
    ("/?url=http%3A%2F%2Fnews.example.com%2Fa", FULL),
    ("/", dict(FULL, state="paused", online=False, mayPause=False)),
    ("/", dict(FULL, state="held", online=False, heldFor="operator")),
    ("/", dict(CAPTIVE, state="blocked")),
    ("/", CLOSE), ("/nowhere", None),
    ("/terms", None), ("/login", None), ("/login?token=" + 48 * "a", None),
    ("/guest/concierge", dict(FULL, member={
        "name": "Ana", "role": "guest", "userId": "B-7", "devices": 2, "devicesMax": 5,
        "checkIn": "2026-11-20T12:00:00Z", "checkOut": "2026-11-24T10:00:00Z"})),
    ("/plans", PLANS), ("/plans?plan=7", PLANS),
    ("/coins", COINS), ("/coins", LOCKED), ("/help", CAPTIVE), ("/r", CAPTIVE),
    ("/devices", {"success": True, "devices": 1, "devicesMax": 3, "items": [
        {"mac": "02:00:00:00:00:02", "seen": False}], "found": [
            {"pick": "0123456789abcdef", "end": "4F:2A"}]}),
]


@pytest.fixture(scope="module")
def portal():
    portal = Portal()
    yield portal
    assert portal.stop() == 0, portal.log()


def get(portal, path, source, more=""):
    return portal.send(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n{more}"
        "Connection: close\r\n\r\n".encode(), source)


def first_of(answer):
    """How much a browser needs for what is seen first: of a session the ring and
    what is below it, of others all."""
    end = answer.raw.find(b"</dl>")
    return end if b'class="card session' in answer.raw else len(answer.raw)


@pytest.mark.parametrize("number", range(len(PAGES)))
def test_weight(portal, number):
    path, portal.daemon.reply = PAGES[number]
    source = f"127.3.{number}.1"  # refusals are limited by address
    files = {}
    for code in LANGUAGES:
        mark = "&" if "?" in path else "?"
        answer = get(portal, f"{path}{mark}lang={code}", source)
        assert answer.status, (path, code)
        assert first_of(answer) <= FIRST_FLIGHT, (path, code, len(answer.raw))
        for name in re.findall(r'(?:src|href)="(/assets/[^"]+)"', answer.text()):
            if name not in files:
                files[name] = len(get(portal, name, source).raw)
        assert not re.search(r'(?:src|href)="(https?:)?//(?!127|news)',
                             answer.text())
        assert len(answer.raw) + sum(files.values()) <= WHOLE, (path, code)
    assert files  # the script, the icon


def test_squeezed(portal):
    """What a browser takes compressed: all of a session fits into the first flight."""
    path, portal.daemon.reply = PAGES[1]
    plain = get(portal, path, "127.3.99.1")
    assert plain.header("Vary") == "Accept-Encoding"
    for taken in ("gzip", "deflate, GZIP;q=0.5, br", "br,gzip ;q=1"):
        answer = get(portal, path, "127.3.99.1", f"Accept-Encoding: {taken}\r\n")
        assert answer.header("Content-Encoding") == "gzip", taken
        assert gzip.decompress(answer.body) == plain.body
        assert len(answer.raw) <= FIRST_FLIGHT
    for not_taken in ("br", "gzip;q=0", "xgzip", "", "gzip; q=0, br"):
        answer = get(portal, path, "127.3.99.1", f"Accept-Encoding: {not_taken}\r\n")
        assert answer.header("Content-Encoding") is None, not_taken
        assert answer.body == plain.body


def test_what_may_be_guessed_by_its_length_is_not_squeezed():
    """Over TLS a page that repeats what was asked has the length that it has."""
    portal = Portal(tls=True)
    portal.daemon.reply = FULL
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        for path, coding in (("/", "gzip"), ("/?url=http%3A%2F%2Fa.example%2F", None)):
            raw = socket.create_connection(("127.0.0.1", portal.tls_port), timeout=15)
            with context.wrap_socket(raw) as sock:
                sock.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.tls_port}\r\n"
                    "Accept-Encoding: gzip\r\n\r\n".encode())
                answer = receive(sock)
            assert answer.status == 200
            assert answer.header("Content-Encoding") == coding, path
    finally:
        assert portal.stop() == 0
