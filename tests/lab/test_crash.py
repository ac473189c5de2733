# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing that happens to the controller costs a guest a packet, a byte or a
minute, and nothing of it lets a captive guest through."""

import subprocess
import time

import pytest

from conftest import PORTAL4, wait_for

pytestmark = pytest.mark.alone

# 100 connections that send numbered blocks and count what comes back.
CLIENT = """
import socket, sys, threading, time
end = time.monotonic() + float(sys.argv[1]); bad = []; total = [0] * 100
def one(i):
    try:
        with socket.create_connection(("192.0.2.80", 7777), timeout=5) as s:
            while time.monotonic() < end:
                block = total[i].to_bytes(8, "big") * 16
                s.sendall(block)
                got = s.recv(len(block), socket.MSG_WAITALL)
                if got != block: raise OSError("wrong answer")
                total[i] += 1
                time.sleep(0.02)
    except OSError as error:
        bad.append(error)
threads = [threading.Thread(target=one, args=(i,)) for i in range(100)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(bad), min(total), *set(map(str, bad)), flush=True)
"""
ECHO = """
import socket, threading
l = socket.create_server(("0.0.0.0", 7777), backlog=256)
print("ready", flush=True)
def serve(c):
    while True:
        d = c.recv(65536)
        if not d: return
        c.sendall(d)
while True:
    c, _ = l.accept(); threading.Thread(target=serve, args=(c,), daemon=True).start()
"""


@pytest.fixture()
def echo(lab):
    process = lab.spawn("inet", "/usr/bin/python3", "-c", ECHO, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield
    process.kill()
    process.wait()


@pytest.mark.san
def test_kill_under_load(lab, echo):
    guest, captive = lab.guests(2)
    assert guest.redeem(lab.voucher())[0] == 200
    drops = lab.reasons()
    with guest.capture() as capture:
        before = lab.record(guest.mac)
        load = guest.spawn("/usr/bin/python3", "-c", CLIENT, "8", stdout=subprocess.PIPE,
                           text=True)
        end = time.monotonic() + 7
        kills = 0
        while time.monotonic() < end:
            time.sleep(0.3)
            lab.kill("gatehoused")
            lab.kill("gatehouse-portal")
            assert captive.curl("http://192.0.2.80:8080/", timeout=1).status == 0
            assert captive.curl("http://example.org/", timeout=2).status == 302
            lab.start()
            kills += 1
        bad, least, *errors = load.stdout.read().split()
        load.wait()
    assert (int(bad), kills >= 2) == (0, True) and int(least) > 0, errors
    after = lab.record(guest.mac)
    assert after["up"][0] - before["up"][0] == capture.up
    assert after["down"][0] - before["down"][0] == capture.down
    session = guest.session()
    assert (session["bytesUp"], session["bytesDown"]) == (after["up"][0], after["down"][0])
    now = lab.reasons()
    for reason in ("drop_closed", "drop_expired", "drop_quota", "drop_network", "drop_error",
                   "drop_elsewhere"):
        assert now[reason] == drops[reason], reason
    assert lab.text("verify")[0] == 0


def test_stop_leaves_the_gate(lab):
    guest, captive = lab.guests(2)
    assert guest.redeem(lab.voucher())[0] == 200
    lab.kill("gatehoused", 15)
    assert guest.is_online() and not captive.is_online()
    assert captive.curl("http://example.org/").status == 302
    lab.start()
    assert guest.session()["online"]


def test_reboot_gives_back(lab):
    guest, paused = lab.guests(2)
    plan = lab.plan(minutes=60, megabytes=100)
    assert guest.redeem(lab.voucher(plan))[0] == 200
    guest.curl("http://192.0.2.80/bytes/1000000")
    # The sweep sees it.
    time.sleep(1.5)
    before = guest.session()
    lab.kill("gatehoused")
    lab.kill("gatehouse-portal")
    reboot(lab)
    after = guest.session()
    assert after["online"] and guest.is_online()
    assert 0 <= before["remainingSeconds"] - after["remainingSeconds"] <= 8
    assert after["remainingBytes"] == before["remainingBytes"]
    assert not paused.is_online()
    assert lab.text("verify")[0] == 0


def reboot(lab):
    """What a reboot leaves: the database, and nothing in the kernel."""
    subprocess.run(["rm", "-rf", str(lab.pins)], check=True)
    lab.start("--boot-id", f"{time.monotonic_ns():032x}"[:8] + "-0000-4000-8000-000000000000")


def test_portal_away(lab):
    guest = lab.guest()
    lab.kill("gatehoused")
    answer = guest.curl(PORTAL4 + "/")
    assert answer.status == 503 and "retry-after" in answer.headers
    lab.start()
    wait_for(lambda: guest.curl(PORTAL4 + "/").status == 200)
