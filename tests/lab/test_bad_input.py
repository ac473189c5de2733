# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input from every side of the running box: HTTP from guests, messages on
the control socket, configuration files. Each is answered clearly; afterwards
the same two processes run, no session has changed and the kernel's records are
what the store says.
"""

import array
import contextlib
import json
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import BUILD, PORTAL4, is_running, wait_for
from netns import inside

PROGRAMS = ("gatehoused", "gatehouse-portal")
HOST = b"Host: 10.77.0.1\r\n"
JSON_TYPE = b"Content-Type: application/json\r\n"


class Box:
    """A lab, guests that send nonsense, and one that must not notice."""

    def __init__(self, lab):
        self.lab = lab
        self.hostile, self.paying, self.clumsy = lab.guests(3)
        assert self.paying.redeem(lab.voucher())[0] == 200
        self.pids = [lab.pid(name) for name in PROGRAMS]

    def sessions(self):
        return [(row["mac"], row["state"], row["kind"])
                for row in self.lab.ctl("sessions")["items"]]

    def check(self):
        assert [self.lab.pid(name) for name in PROGRAMS] == self.pids
        for pid, name in zip(self.pids, PROGRAMS):
            log = (self.lab.state / f"{name}.log").read_text(errors="replace")
            assert is_running(pid), log[-3000:]
            assert "runtime error" not in log and "AddressSanitizer" not in log, log[-3000:]
        self.lab.ctl("verify")
        assert self.paying.is_online()
        assert self.session()["online"]

    def session(self):
        """Of the paying guest, who may ask four times a second."""
        while True:
            reply = self.paying.session()
            if reply.get("code") != "slow_down":
                return reply
            time.sleep(0.3)

    def http(self, data, timeout=12.0, guest=None):
        """Raw bytes to the portal: (status or 0, the answer). `data` may be an
        iterable of pieces; what is not taken any more is not sent."""
        with inside(self.lab.namespace((guest or self.hostile).name)):
            sock = socket.create_connection(("10.77.0.1", 80), 5)
        with sock:
            sock.settimeout(timeout)
            # The answer may come before the end of the request.
            with contextlib.suppress(OSError):
                for piece in [data] if isinstance(data, bytes) else data:
                    sock.sendall(piece)
            answer = read_answer(sock)
        match = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
        return (int(match[1]) if match else 0), answer

    def open_control(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(5)
        sock.connect(str(self.lab.state / "control.sock"))
        return sock

    def control(self, data, fds=()):
        """One frame as root; the reply, or None when the daemon hung up."""
        with self.open_control() as sock:
            send_frame(sock, data, fds)
            reply = sock.recv(65536)
        return json.loads(reply) if reply else None

    def descriptors(self):
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids]


def read_answer(sock):
    """One answer, or what came of it until the end of the connection."""
    got = b""
    with contextlib.suppress(OSError):
        while piece := sock.recv(65536):
            got += piece
            head, end, body = got.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
            if end and length and len(body) >= int(length[1]):
                break
    return got


def send_frame(sock, data, fds=()):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([data if isinstance(data, bytes) else json.dumps(data).encode()], rights)


@pytest.fixture(scope="module")
def made_box(tc_lab):
    return Box(tc_lab)


@pytest.fixture
def box(made_box):
    before = made_box.sessions()
    yield made_box
    made_box.check()
    assert made_box.sessions() == before


# HTTP. What a client may send, and the status that it gets; 0: hung up on.

def api(body, headers=b""):
    return (b"POST /api/vouchers/activate HTTP/1.1\r\n" + HOST + JSON_TYPE + headers +
            b"Content-Length: %d\r\n\r\n" % len(body) + body)


def chunked(body):
    return (b"POST /api/vouchers/activate HTTP/1.1\r\n" + HOST + JSON_TYPE +
            b"Transfer-Encoding: chunked\r\n\r\n" + body)


def get(target, headers=b""):
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n"


HTTP = {
    "zeroes": (bytes(3000) + b"\r\n\r\n", {0, 400}),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2
                    + b"\r\n\r\n", {0, 400}),
    "lines without end": (b"A" * 200_000, {0, 400, 413, 414, 431}),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", {400}),
    "two hosts": (b"GET /api/session HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
                  {200, 400, 403}),
    "a version of its own": (b"GET / HTTP/9.9\r\n" + HOST + b"\r\n", {0, 400, 505}),
    "a header of 100 kB": (get(b"/", b"X: " + b"y" * 100_000 + b"\r\n"), {0, 400, 413, 431}),
    "10000 headers": (get(b"/", b"X: y\r\n" * 10_000), {0, 400, 413, 431}),
    "a target of 100 kB": (get(b"/" + b"a" * 100_000), {0, 400, 413, 414, 431}),
    "a folded header": (get(b"/", b"X: a\r\n b\r\n"), {200, 400}),
    "a header that is a byte": (get(b"/", b"\xff\r\n"), {0, 200, 400}),
    "bad escapes": (get(b"/%zz%00%?url=%&code=%u0000"), {400, 404}),
    "the way up": (get(b"/assets/../../../../etc/shadow"), {400, 404}),
    "a method of its own": (b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", {405, 501}),
    "a body below zero": (b"POST /activate HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
                          {0, 400, 413}),
    "a body beyond 64 bits": (b"POST /activate HTTP/1.1\r\n" + HOST +
                              b"Content-Length: 99999999999999999999999\r\n\r\n", {0, 400, 413}),
    "two lengths": (b"POST /api/vouchers/activate HTTP/1.1\r\n" + HOST + JSON_TYPE +
                    b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}", {0, 400}),
    "a length and chunks": (b"POST /api/vouchers/activate HTTP/1.1\r\n" + HOST + JSON_TYPE +
                            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                            {0, 400}),
    "a body of 1 MB": (api(b"{" + b" " * 1_000_000), {0, 413}),
    "chunks that are none": (chunked(b"zz\r\nhello\r\n0\r\n\r\n"), {0, 400}),
    "a chunk beyond 64 bits": (chunked(b"fffffffffffffffffff\r\nhello\r\n"), {0, 400, 413}),
    "a chunk that lies": (chunked(b"2\r\n{}{}{}{}\r\n0\r\n\r\n"), {0, 400}),
    "1 MB of small chunks": (chunked(b"1\r\n \r\n" * 170_000 + b"0\r\n\r\n"), {0, 400, 413}),
    "two requests at once": (get(b"/api/session") * 2, {200}),
    "garbage behind a request": (get(b"/api/session") + b"\x00\xff" * 500, {200}),
}


@pytest.mark.san
@pytest.mark.parametrize("name", HTTP)
def test_http(box, name):
    data, expected = HTTP[name]
    status, answer = box.http(data)
    assert status in expected, answer[:500]


@pytest.mark.san
def test_http_random(box):
    """Requests with bytes changed: an answer or an end, within the time."""
    dice = random.Random(20261121)
    seeds = [data for data, _ in HTTP.values() if len(data) < 1000]
    seeds.append(api(b'{"code":"AJC12345"}'))
    for _ in range(150):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        status, _ = box.http(bytes(data) + b"\r\n\r\n", timeout=10)
        assert status == 0 or 200 <= status < 600


def test_a_slow_request_ends(box):
    """A byte each half second is no request; others are served meanwhile."""
    def drip():
        for byte in get(b"/", b"X: " + b"y" * 100 + b"\r\n"):
            yield bytes([byte])
            time.sleep(0.5)

    start, result = time.monotonic(), []
    slow = threading.Thread(target=lambda: result.append(box.http(drip())))
    slow.start()
    while slow.is_alive():
        asked = time.monotonic()
        assert box.session()["online"]
        assert time.monotonic() - asked < 3
        slow.join(0.5)
    assert result[0][0] in (0, 408)
    assert time.monotonic() - start < 12


def test_silent_connections_keep_nobody_out(box):
    """One device may hold some connections, not all of them."""
    with inside(box.lab.namespace(box.hostile.name)), contextlib.ExitStack() as held:
        for _ in range(300):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("10.77.0.1", 80))
        time.sleep(0.3)
        for _ in range(5):
            assert box.session()["online"]
        # Nor the device itself, for long.
        time.sleep(9)
        assert box.hostile.curl(PORTAL4 + "/").status == 200


# JSON of guests: body, path. All are 400 with a sentence.

ACTIVATE, RESTORE = "/api/vouchers/activate", "/api/sessions/restore"
GUEST_JSON = [
    (ACTIVATE, b""), (ACTIVATE, b"{"), (ACTIVATE, b"null"), (ACTIVATE, b"[]"),
    (ACTIVATE, b'"AJC"'), (ACTIVATE, b"{}"), (ACTIVATE, b'{"code":""}'),
    (ACTIVATE, b'{"code":null}'), (ACTIVATE, b'{"code":12345}'), (ACTIVATE, b'{"code":1e999}'),
    (ACTIVATE, b'{"code":99999999999999999999999999}'), (ACTIVATE, b'{"code":true}'),
    (ACTIVATE, b'{"code":["AJC"]}'), (ACTIVATE, b'{"code":{"code":"AJC"}}'),
    (ACTIVATE, b'{"code":"' + b"A" * 65 + b'"}'), (ACTIVATE, b'{"code":"A\\u0000B"}'),
    (ACTIVATE, b'{"code":"A\\nB"}'), (ACTIVATE, b'{"code":"A","code":"B"}'),
    (ACTIVATE, b'{"code":"\xff\xfe"}'), (ACTIVATE, b'{"code":"\\ud800"}'),
    (ACTIVATE, b'{"code":"AJC","mac":"02:00:00:00:01:02"}'),
    (ACTIVATE, b'{"code":"AJC"} {}'), (ACTIVATE, b'{"code":"AJC",}'),
    (ACTIVATE, b'{"code":' * 500), (ACTIVATE, b"[" * 4000), (ACTIVATE, b'{"a":' + b"[" * 2000),
    (RESTORE, b'{"token":5}'), (RESTORE, b'{"token":"' + b"a" * 129 + b'"}'),
    (RESTORE, b'{"token":[]}'), (RESTORE, b'{"minutes":60}'), (RESTORE, b"{}"),
]


@pytest.mark.san
def test_json_of_guests(box):
    for path, body in GUEST_JSON:
        request = (b"POST " + path.encode() + b" HTTP/1.1\r\n" + HOST + JSON_TYPE +
                   b"Content-Length: %d\r\n\r\n" % len(body) + body)
        for _ in range(3):
            status, answer = box.http(request, guest=box.clumsy)
            if status != 429:
                break
            time.sleep(1)  # thirty refusals at once, then two a second
        head, _, text = answer.partition(b"\r\n\r\n")
        assert status == 400, (body[:80], answer)
        assert b"application/json" in head
        reply = json.loads(text)
        assert reply["success"] is False and reply["code"] == "bad_request", body[:80]
        assert len(reply["error"]) > 10


# The control socket, as root. A reply has one of these codes.

VALID = b'{"op":"clients.get","args":{"mac":"02:00:00:00:01:01"}}'
FRAMES = [
    (b"\x00", "bad_request"), (b"\xff" * 100, "bad_request"), (b"{}", "bad_request"),
    (b"null", "bad_request"), (b"[]", "bad_request"), (b'"status"', "bad_request"),
    (b'{"op":5}', "bad_request"), (b'{"op":null}', "bad_request"),
    (b'{"op":["status"]}', "bad_request"), (b'{"args":{}}', "bad_request"),
    (b'{"op":"status","op":"unload"}', "bad_request"),
    (b'{"op":"status","role":"admin"}', "bad_request"),
    (b'{"op":"status","args":[]}', "bad_request"),
    (b'{"op":"status","args":"x"}', "bad_request"),
    (b'{"op":"status"}{"op":"status"}', "bad_request"),
    (b'{"op":"status"}\x00', "bad_request"),
    (VALID * 2, "bad_request"),
    (b'{"op":"status","args":' + b'{"a":' * 20 + b"1" + b"}" * 21, "bad_request"),
    (b"[" * 60_000, "bad_request"),
    (b'{"op":"' + b"x" * 60_000 + b'"}', "unknown_operation"),
    (b'{"op":"status' + b" " * 70_000 + b'"}', "bad_request"),
    (b'{"op":""}', "unknown_operation"), (b'{"op":"Status"}', "unknown_operation"),
    (b'{"op":"clients.get\\n"}', "unknown_operation"),
    (b'{"op":"clients.get"}', "bad_request"),
    (b'{"op":"clients.get","args":{"mac":1}}', "bad_request"),
    (b'{"op":"clients.get","args":{"mac":"02:00"}}', "bad_request"),
    (b'{"op":"clients.get","args":{"mac":"02:00:00:00:01:01","ip":"10.77.0.2"}}',
     "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"02:00:00:00:01:01","minutes":1e3}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"02:00:00:00:01:01","minutes":"60"}}',
     "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"02:00:00:00:01:01","minutes":'
     b'9223372036854775807}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"02:00:00:00:01:01","minutes":'
     b'99999999999999999999}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"02:00:00:00:01:01","megabytes":0}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"ff:ff:ff:ff:ff:ff","minutes":5}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"00:00:00:00:00:00","minutes":5}}', "bad_request"),
    (b'{"op":"clients.allow","args":{"mac":"01:00:5e:00:00:01","minutes":5}}', "bad_request"),
    (b'{"op":"clients.list","args":{"limit":0}}', "bad_request"),
    (b'{"op":"clients.list","args":{"after":-1}}', "bad_request"),
    (b'{"op":"clients.set","args":{"mac":"02:00:00:00:01:01","name":"a\\u001b[2Jb"}}',
     "bad_request"),
    (b'{"op":"plans.add","args":{"name":"","minutes":5}}', "bad_request"),
    (b'{"op":"plans.add","args":{"name":"x","minutes":-5}}', "bad_request"),
    (b'{"op":"vouchers.create","args":{"plan":"no such plan","count":1}}', "not_found"),
    (b'{"op":"vouchers.create","args":{"plan":"1 Hour","count":1000000000}}', "bad_request"),
    (b'{"op":"vouchers.create","args":{"plan":"1 Hour","prefix":"\xc3\xa4"}}', "bad_request"),
    (b'{"op":"vouchers.revoke","args":{"code":"none"}}', "voucher_unknown"),
    (b'{"op":"unload","args":{"open":1}}', "bad_request"),
    (b'{"op":"unload"}', "bad_request"),
    (b'{"op":"guest.session","args":{"mac":"02:00:00:00:01:01"}}', "not_allowed"),
    (b'{"op":"guest.session"}', "not_allowed"),
    (b'{"op":"vouchers.activate","args":{"code":"AJC"}}', "not_allowed"),
    (b'{"op":"sessions.restore","args":{"token":"' + b"a" * 64 + b'"}}', "not_allowed"),
]


def refused_as(reply, code, what):
    assert reply is not None, what
    assert reply["success"] is False and reply["code"] == code, (what, reply)
    assert len(reply["error"]) > 10 and set(reply) <= {"success", "error", "code"}


@pytest.mark.san
def test_frames(box):
    for data, code in FRAMES:
        refused_as(box.control(data), code, data[:100])


@pytest.mark.san
def test_frames_cut_and_changed(box):
    for end in range(1, len(VALID)):
        refused_as(box.control(VALID[:end]), "bad_request", VALID[:end])
    dice = random.Random(20261121)
    with box.open_control() as sock:
        for _ in range(2000):
            data = bytearray(VALID)
            for _ in range(dice.randint(1, 6)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            send_frame(sock, bytes(data))
            assert "success" in json.loads(sock.recv(65536))


def test_an_empty_frame_ends_the_connection(box):
    assert box.control(b"") is None


def test_another_kind_of_socket(box):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_UNIX, kind) as sock, pytest.raises(OSError):
            sock.connect(str(box.lab.state / "control.sock"))


def strange_descriptors(box, undo):
    """Whatever is no guest's accepted connection."""
    def keep(thing):
        return undo.enter_context(thing)

    null = keep(open("/dev/null"))
    directory = os.open("/", os.O_RDONLY)
    undo.callback(os.close, directory)
    listening, udp = keep(socket.socket()), keep(socket.socket(type=socket.SOCK_DGRAM))
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    udp.connect(("127.0.0.1", 9))
    near = keep(socket.create_connection(listening.getsockname()))
    far = keep(listening.accept()[0])
    one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keep(one), keep(two)
    # A guest's own end, and the box's own connection to its portal.
    with inside(box.lab.namespace(box.hostile.name)):
        guest = keep(socket.create_connection(("10.77.0.1", 80), 5))
    with inside(box.lab.namespace("gw")):
        own = keep(socket.create_connection(("10.77.0.1", 80), 5))
    control = keep(box.open_control())
    return [thing if isinstance(thing, int) else thing.fileno() for thing in (
        null, directory, listening, keep(socket.socket()), udp, near, far, one, guest, own,
        control)]


@pytest.mark.san
def test_descriptors_that_prove_nothing(box):
    box.control(b'{"op":"status"}')
    before = box.descriptors()
    with contextlib.ExitStack() as undo:
        strange = strange_descriptors(box, undo)
        for request in ({"op": "guest.session", "args": {"claim": True}},
                        {"op": "vouchers.activate", "args": {"code": "AJC23456789"}},
                        {"op": "sessions.restore", "args": {"token": "a" * 64}}):
            for fd in strange:
                reply = box.control(request, [fd])
                assert reply["code"] in ("bad_request", "no_client", "not_a_guest"), reply
        for request in ({"op": "status"}, {"op": "unload", "args": {"open": True}},
                        {"op": "clients.allow", "args": {"mac": "02:00:00:00:01:01",
                                                         "minutes": 60}}):
            for fd in strange:
                refused_as(box.control(request, [fd]), "not_allowed", (request, fd))
        for count in (2, 4, 5, 11, 253):
            many = (strange * 30)[:count]
            refused_as(box.control({"op": "status"}, many), "bad_request", count)
            with box.open_control() as sock, contextlib.suppress(OSError):
                send_frame(sock, b"", many)
    # All of them were closed, and the portal's two when their time was up.
    wait_for(lambda: all(now <= then for now, then in zip(box.descriptors(), before)), 12)


def test_one_who_asks_and_never_reads(box):
    """Others are answered all the same; what was asked for is done with."""
    with contextlib.ExitStack() as held:
        for _ in range(20):
            sock = held.enter_context(box.open_control())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(2000):
                    send_frame(sock, b'{"op":"sessions.list"}')
        start = time.monotonic()
        box.lab.ctl("status")
        assert time.monotonic() - start < 2


def test_a_descriptor_that_is_slow_to_close(box):
    """SO_LINGER with unsent bytes: the last close, which is the daemon's, waits."""
    listening = socket.create_server(("127.0.0.1", 0))
    far = socket.create_connection(listening.getsockname())
    with listening, listening.accept()[0], box.open_control() as sock:
        far.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                far.send(bytes(65536))
        far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 5))
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(5000):
                send_frame(sock, b'{"op":"status"}')
        while True:
            try:
                send_frame(sock, b'{"op":"status"}', [far.fileno()])
                break
            except BlockingIOError:
                with contextlib.suppress(BlockingIOError):
                    sock.recv(65536)
        far.close()
        start = time.monotonic()
        with contextlib.suppress(BlockingIOError):
            while time.monotonic() - start < 1 and sock.recv(65536):
                pass
        time.sleep(0.2)
        start = time.monotonic()
        box.lab.ctl("status")
        assert time.monotonic() - start < 2


# Configuration files: what is wrong, and the line and the word that say so.

GOOD = """[gatehouse]
state_dir = /tmp/x

[network lan]
interface = lan0
portal4 = 10.77.0.1
"""
CONFIGS = [
    ("nonsense\n", [(1, "name = value")]),
    ("[gatehouse\n", [(1, "")]),
    ("[nowhere]\nx = 1\n", [(1, "nowhere")]),
    ("sweep_seconds = 1\n" + GOOD, [(1, "")]),
    (GOOD.replace("state_dir", "statedir"), [(2, "statedir")]),
    (GOOD.replace("/tmp/x", "tmp/x"), [(2, "state_dir")]),
    (GOOD.replace("/tmp/x", "/" + "x" * 5000), [(2, "")]),
    (GOOD.replace("/tmp/x", "/tmp/x\nstate_dir = /tmp/y"), [(3, "state_dir")]),
    (GOOD.replace("10.77.0.1", "10.77.0.256"), [(6, "portal4")]),
    (GOOD.replace("10.77.0.1", "fd77::1"), [(6, "portal4")]),
    (GOOD.replace("lan0", "a-name-that-is-too-long"), [(5, "interface")]),
    (GOOD.replace("lan0", "lan/0"), [(5, "interface")]),
    (GOOD.replace("network lan", "network l/an"), [(4, "")]),
    (GOOD + GOOD[GOOD.index("[network"):], [(7, "lan")]),
    (GOOD + "captive_kbps = 0\n", [(7, "captive_kbps")]),
    (GOOD + "captive_kbps = 1e3\n", [(7, "captive_kbps")]),
    (GOOD + "captive_kbps = 99999999999999999999\n", [(7, "captive_kbps")]),
    (GOOD + "reach = 10.0.0.0/33\n", [(7, "reach")]),
    (GOOD + "reach = 10.0.0.5/32:0/tcp\n", [(7, "reach")]),
    (GOOD + "block_private = perhaps\n", [(7, "block_private")]),
    (GOOD + "hook = magic\n", [(7, "hook")]),
    (GOOD + "\x01\x02\xff\n", [(7, "")]),
    (GOOD + "[roles]\nwww-data = king\n", [(8, "role")]),
    # All of them at once: a file is mended in one go.
    (GOOD.replace("/tmp/x", "tmp") + "hook = x\ncaptive_kbps = -1\n[y]\n",
     [(2, "state_dir"), (7, "hook"), (8, "captive_kbps"), (9, "y")]),
]


def check_config(program, text, folder, *options):
    path = folder / "gatehouse.conf"
    path.write_bytes(text.encode("latin-1"))
    result = subprocess.run([BUILD / program, *options, "-c", path], text=True,
                            errors="replace", capture_output=True, timeout=10, check=False)
    return result.returncode, result.stdout + result.stderr


@pytest.mark.san
def test_configuration(tmp_path):
    status, text = check_config("gatehoused", GOOD, tmp_path, "-n")
    assert status == 0, text
    for config, faults in CONFIGS:
        status, text = check_config("gatehoused", config, tmp_path, "-n")
        assert status == 78, (config, text)
        for line, word in faults:
            assert re.search(rf"(?m)^\S+gatehouse\.conf:{line}: .*{re.escape(word)}", text), (
                config, text)
        assert "AddressSanitizer" not in text and "runtime error" not in text


PASSWD = "root:x:0:0::/:/bin/sh\nchief:x:0:0::/:/bin/sh\nweb:x:990:990::/:/bin/sh\n" \
    "anna:x:990:990::/:/bin/sh\n"


@pytest.mark.san
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("user, roles, line, word", [
    ("root", "", 8, "root"), ("chief", "", 8, "root"), ("web", "web = staff\n", 10, "web"),
    ("web", "bo = staff\nanna = admin\n", 11, "anna")])
def test_the_portal_is_nobody_else(tmp_path, program, user, roles, line, word):
    """Neither root nor anyone with a role, whatever the name."""
    passwd, path = tmp_path / "passwd", tmp_path / "gatehouse.conf"
    passwd.write_text(PASSWD)
    path.write_text(GOOD + f"[portal]\nuser = {user}\n[roles]\n" + roles)
    for options in ("-n",), ():
        result = subprocess.run(
            ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/passwd && exec "$@"',
             passwd, BUILD / program, "-c", path, *options],
            text=True, capture_output=True, timeout=10, check=False)
        assert result.returncode == 78, result
        assert re.search(rf"(?m)^.*gatehouse\.conf:{line}: .*{word}", result.stderr), result


def test_warnings_have_lines(tmp_path):
    """What this box does not have, and pins where no BPF file system is."""
    (tmp_path / "run").mkdir()
    config = GOOD.replace("[network", f"pin_dir = {tmp_path}/pins/x\n"
                          f"socket = {tmp_path}/a/b/control.sock\n[network")
    status, text = check_config("gatehoused", config, tmp_path, "-n")
    assert status == 0, text
    found = re.findall(r"(?m)^\S+gatehouse\.conf:(\d+): warning: (.*)", text)
    assert [int(line) for line, _ in found] == [4, 5, 7, 8], text
    for (_, said), word in zip(found, ("BPF file system", f"{tmp_path}/a ", "lan0", "10.77.0.1")):
        assert word in said, text
    # The daemon makes the last directory itself.
    status, text = check_config("gatehoused", GOOD.replace(
        "[network", f"socket = {tmp_path}/run/control.sock\n[network"), tmp_path, "-n")
    assert "(socket)" not in text, text


def test_configuration_that_is_no_file(tmp_path):
    for path in (tmp_path / "none", tmp_path, pathlib.Path("/dev/null")):
        result = subprocess.run([BUILD / "gatehoused", "-n", "-c", path], text=True,
                                capture_output=True, timeout=10, check=False)
        assert result.returncode == 78 and str(path) in result.stderr, (path, result)


def test_a_bad_file_stops_no_program(box):
    """Nor does it start a second one beside them."""
    path = box.lab.state / "gatehouse.conf"
    good = path.read_text()
    try:
        path.write_text(good + "\nmagic = 1\n")
        line = len(good.splitlines()) + 2
        os.kill(box.pids[0], 1)
        log = box.lab.state / "gatehoused.log"
        wait_for(lambda: f"gatehouse.conf:{line}: " in log.read_text())
        for program in PROGRAMS:
            result = box.lab.run("gw", BUILD / program, "-c", path, check=False, timeout=10)
            assert result.returncode not in (0, -11, -6), result
            assert f"{path}:{line}: " in result.stderr, result
    finally:
        path.write_text(good)
    os.kill(box.pids[0], 1)


def test_random_configurations(tmp_path):
    dice = random.Random(20261121)
    for _ in range(60):
        text = "".join(chr(dice.choice((10, 61, 91, 93, 32, dice.randrange(256))))
                       for _ in range(dice.randrange(400)))
        status, said = check_config("gatehoused", text, tmp_path, "-n")
        assert status == 78 and said, text
