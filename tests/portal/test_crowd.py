# SPDX-License-Identifier: GPL-2.0-or-later
"""A crowd that only holds connections: who comes is served, and who is there
already, is online or operates the box is not put out by it."""
import contextlib
import pathlib
import statistics
import subprocess
import sys
import time

import pytest

from fake import CAPTIVE, RUNNING, TOKEN, Portal, receive

HERE = pathlib.Path(__file__).parent
CONNECTIONS = 2048  # PORTAL_CONNECTIONS_MAX


def get(portal, path="/", extra=""):
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n"
            f"{extra}\r\n").encode()


@contextlib.contextmanager
def crowd(portal):
    process = subprocess.Popen([sys.executable, HERE / "crowd.py", str(portal.port)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"up\n"
        yield
        assert process.poll() is None
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(20)


def memory(portal):
    for line in pathlib.Path(f"/proc/{portal.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024


@pytest.fixture(params=[False, True], ids=["guests", "operators"])
def portal(request):
    portal = Portal(operators=request.param)
    yield portal
    assert portal.stop() == 0, portal.log()


def kept_alive(portal, source):
    """A connection over which something harmless was asked already."""
    sock = portal.connect(source)
    sock.sendall(get(portal, "/assets/icon.svg"))
    assert receive(sock).status == 200
    return sock


def is_alive(portal, sock):
    with contextlib.suppress(ConnectionError):
        sock.sendall(get(portal, "/assets/icon.svg"))
        return receive(sock).status == 200
    return False


def test_in_a_crowd_of_11000(portal):
    operators = not portal.daemon.guests
    cookie = f"Cookie: gh_operator={TOKEN}\r\n" if operators else ""
    me = {"success": True, "name": "anna", "role": "manager"}
    portal.daemon.reply = me if operators else RUNNING
    assert portal.send(get(portal, "/", cookie), "127.7.0.1").status == 200
    portal.daemon.reply = me if operators else CAPTIVE
    with kept_alive(portal, "127.7.0.1") as known:
        with crowd(portal):
            took = []
            for n in range(15):
                begin = time.monotonic()
                assert portal.send(get(portal), f"127.7.1.{n + 1}").status == 200
                took.append(time.monotonic() - begin)
            assert statistics.median(took) < 1, took
            # To operators all of loopback is a tunnel, the crowd as well.
            assert operators or is_alive(portal, known)
            assert memory(portal) < 256 << 20


def test_who_holds_most_has_to_go():
    """Sixty of each of forty, and the one that was there before them stays."""
    portal = Portal()
    portal.daemon.reply = CAPTIVE
    with kept_alive(portal, "127.7.2.1") as first:
        socks = [portal.connect(f"127.7.3.{n % 40 + 1}") for n in range(CONNECTIONS + 352)]
        assert portal.send(get(portal), "127.7.2.2").status == 200
        assert is_alive(portal, first)
        for sock in socks:
            sock.close()
    assert portal.stop() == 0, portal.log()
