# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel alone ends access: with the controller killed, time and bytes
end when they should, connections that are open stop, and others go on."""

import subprocess
import time

import pytest

from conftest import is_running, wait_for

pytestmark = pytest.mark.alone

SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    s.sendto(time.clock_gettime_ns(time.CLOCK_MONOTONIC).to_bytes(8, "big"), ("192.0.2.80", 9999))
    time.sleep(0.0005)
"""
RECEIVER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 9999)); s.settimeout(0.1)
end = time.monotonic() + float(sys.argv[1])
last = 0; n = 0
print("ready", flush=True)
while time.monotonic() < end:
    try:
        data, _ = s.recvfrom(64)
    except socket.timeout:
        continue
    last = max(last, int.from_bytes(data, "big")); n += 1
print(last, n)
"""


def test_expiry_within_10_ms(lab):
    guest, other = lab.guests(2)
    for g in (guest, other):
        assert g.redeem(lab.voucher())[0] == 200
    assert guest.is_online() and other.is_online()
    # Three seconds are left.
    lab.ctl("allow", guest.mac, "--minutes", "-59")
    left = guest.session()["remainingSeconds"]
    assert 0 < left <= 60
    expires = lab.record(guest.mac)["policy"][2]
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    # A minute is long for a test: the end is moved by the one who may.
    shorten(lab, guest, now + 2_500_000_000)
    expires = lab.record(guest.mac)["policy"][2]
    lab.kill("gatehoused")
    receiver = lab.spawn("inet", "/usr/bin/python3", "-c", RECEIVER, "4",
                         stdout=subprocess.PIPE, text=True)
    receiver.stdout.readline()
    guest.run("/usr/bin/python3", "-c", SENDER, "3.5")
    last, count = map(int, receiver.stdout.read().split())
    receiver.wait()
    assert count > 1000
    late = (last - expires) / 1e6
    assert -10 <= late <= 10, f"the last packet passed {late} ms after the end"
    assert not guest.is_online() and other.is_online()
    lab.start()
    assert not guest.session()["online"]


def shorten(lab, guest, deadline_ns):
    """Writes a deadline into the store while the daemon is down, as time
    passing would have: the record follows when it starts again."""
    lab.kill("gatehoused")
    subprocess.run(
        ["sqlite3", "-cmd", ".timeout 15000",
         str(lab.state / "state/gatehouse.db"),
         "UPDATE credits SET deadline_ns = %d WHERE state = 'in_use' AND session_id = "
         "(SELECT id FROM sessions WHERE mac = '%s' AND state = 'running')"
         % (deadline_ns, guest.mac)], check=True)
    lab.start()


def test_quota_to_the_byte(lab):
    guest, other = lab.guests(2)
    plan = lab.plan(minutes=60, megabytes=3)
    assert guest.redeem(lab.voucher(plan))[0] == 200
    assert other.redeem(lab.voucher())[0] == 200
    quota = lab.record(guest.mac)["policy"][3]
    lab.kill("gatehoused")
    # Both directions at once, so that they meet at the end.
    load = [guest.spawn("iperf3", "-c", "192.0.2.80", "-u", "-b", "50M", "-t", "3",
                        "--bidir", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            guest.spawn("curl", "-s", "-m", "3", "-o", "/dev/null",
                        "http://192.0.2.80/bytes/50000000")]
    highest = 0
    end = time.monotonic() + 3
    while time.monotonic() < end:
        record = lab.record(guest.mac)
        highest = max(highest, record["up"][0] + record["down"][0])
        time.sleep(0.02)
    for process in load:
        process.kill()
        process.wait()
    record = lab.record(guest.mac)
    used = record["up"][0] + record["down"][0]
    assert used <= quota, "more than was paid for has passed"
    assert used > quota - 70_000, "the end came too early"
    assert record["up"][5] or record["down"][5], "the record is not closed"
    assert not guest.is_online() and other.is_online()
    lab.start()
    wait_for(lambda: not guest.session()["online"], timeout=3)


def test_open_connections_stop(lab):
    guest = lab.guest()
    assert guest.redeem(lab.voucher())[0] == 200
    transfer = guest.spawn("curl", "-s", "-o", "/dev/null", "--limit-rate", "200k",
                           "http://192.0.2.80/bytes/50000000")
    wait_for(lambda: lab.record(guest.mac)["down"][0] > 100_000)
    lab.ctl("kick", guest.mac)
    passed = lab.reasons()["pass_charged"]
    time.sleep(0.5)
    assert lab.reasons()["pass_charged"] == passed
    assert is_running(transfer.pid)
    transfer.kill()
    transfer.wait()
