# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehousectl watch: events as they happen, as lines and as JSON lines."""

import json
import re
import signal
import socket
import subprocess
import time

import pytest

from conftest import BUILD, wait_for


class Watch:
    """A running `gatehousectl watch`, and what it has printed."""

    def __init__(self, lab, *options):
        self.path = lab.state / f"watch-{time.monotonic_ns()}"
        with open(self.path, "wb") as output:
            self.process = subprocess.Popen(
                [str(BUILD / "gatehousectl"), "--socket", str(lab.state / "control.sock"),
                 *options, "watch"], stdout=output, stderr=subprocess.STDOUT)
        time.sleep(0.2)

    def lines(self):
        return self.path.read_text().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=5)
        self.path.unlink()


def events_of(watch, mac, name):
    return [event for event in map(json.loads, watch.lines())
            if event["event"] == name and event.get("mac", "").lower() == mac]


def test_events_as_they_happen(tc_lab):
    guest = tc_lab.guest()
    mac = "02:00:00:00:33:01"
    with Watch(tc_lab, "--json") as watch, Watch(tc_lab) as lines:
        guest.change_mac(mac)
        seen = wait_for(lambda: events_of(watch, mac, "first_seen"))[0]
        assert seen["network"] == "lan" and seen["recordId"] is None
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen["time"])
        tc_lab.ctl("allow", mac, "--minutes", 5, "--megabytes", 1)
        guest.curl("http://192.0.2.80/bytes/1500000", timeout=2)
        used = wait_for(lambda: events_of(watch, mac, "exhausted"))
        assert len(used) == 1 and used[0]["recordId"] > 0
        assert len(events_of(watch, mac, "first_seen")) == 1
        text = "\n".join(lines.lines())
        assert re.search(rf"^\d.* first_seen +{mac.upper()} +network lan", text, flags=re.M)
        assert re.search(rf" exhausted +{mac.upper()} +network lan +recordId \d+", text)


def test_evidence_is_told(tc_lab):
    """ARP that names another's MAC."""
    guest = tc_lab.guest()
    program = r"""
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
me, victim = s.getsockname()[4], bytes.fromhex("020000003399")
s.send(b"\xff" * 6 + me + b"\x08\x06" + struct.pack("!HHBBH", 1, 2048, 6, 4, 2)
       + victim + bytes([10, 77, 0, 99]) + bytes(10))
"""
    with Watch(tc_lab, "--json") as watch:
        guest.run("/usr/bin/python3", "-c", program)
        event = wait_for(lambda: events_of(watch, guest.mac, "forged_arp"))[0]
        assert (event["other"], event["address"]) == ("02:00:00:00:33:99", "10.77.0.99")


def test_repairs_are_told(tc_lab):
    with Watch(tc_lab, "--json") as watch:
        tc_lab.run("gw", "nft", "flush", "ruleset")
        wait_for(lambda: [json.loads(line) for line in watch.lines()
                          if json.loads(line)["event"] == "repaired"])


def subscribe(lab):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(str(lab.state / "control.sock"))
    sock.send(b'{"op":"watch"}')
    assert json.loads(sock.recv(65536)) == {"success": True}
    return sock


def provoke(lab, guest, count):
    """Frames of so many MACs that nobody has seen."""
    program = f"""
import os, socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for i in range({count}):
    mac = b"\\x02" + os.urandom(5)
    s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + struct.pack("!HHBBH", 1, 2048, 6, 4, 1)
           + mac + bytes(16))
"""
    guest.run("/usr/bin/python3", "-c", program)


def test_who_does_not_read_harms_nobody(tc_lab):
    """Lost events are counted for that reader; others and requests go on."""
    guest = tc_lab.guest()
    slow = subscribe(tc_lab)
    with Watch(tc_lab, "--json") as watch:
        # In small heaps, so that the fast reader keeps up.
        for _ in range(40):
            provoke(tc_lab, guest, 50)
        assert tc_lab.ctl("status")["success"] is True
        wait_for(lambda: len(watch.lines()) > 1000)
    got, lost = 0, 0
    slow.settimeout(1)
    with pytest.raises(TimeoutError):
        while True:
            event = json.loads(slow.recv(65536))
            got += event["event"] == "first_seen"
            lost += event.get("count", 0)
    assert got > 100
    # What it lost since is told with the next one.
    provoke(tc_lab, guest, 1)
    slow.settimeout(5)
    while not lost:
        lost = json.loads(slow.recv(65536)).get("count", 0)
    assert lost > 100
    slow.close()


def test_replies_and_events_share_a_connection(tc_lab):
    guest = tc_lab.guest()
    sock = subscribe(tc_lab)
    provoke(tc_lab, guest, 5)
    for _ in range(5):
        sock.send(b'{"op":"reasons"}')
    sock.settimeout(3)
    replies, events = 0, 0
    while replies < 5 or events < 5:
        frame = json.loads(sock.recv(65536))
        assert ("success" in frame) != ("event" in frame)
        replies += "success" in frame
        events += "event" in frame
    sock.close()


def test_it_ends_with_the_daemon(tc_lab):
    with Watch(tc_lab, "--json") as watch:
        tc_lab.kill("gatehoused", signal.SIGTERM)
        assert watch.process.wait(timeout=5) == 5
        assert json.loads(watch.lines()[-1])["code"] == "unavailable"
    tc_lab.start()
    assert tc_lab.text("watch", "--nonsense")[0] == 2
