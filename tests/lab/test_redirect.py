# SPDX-License-Identifier: GPL-2.0-or-later
"""The captive responder before real clients: curl, sockets, tcpdump. Captive
guests get a redirect on port 80, a reset on other TCP, an ICMP error for the
rest, at once; and whatever they send, a good answer or none."""

import json
import re
import signal
import subprocess
import time

import pytest

from conftest import PORTAL4, PORTAL6, WEB4, WEB6

FAMILIES = {"ipv4": ([], WEB4, PORTAL4), "ipv6": (["-6"], WEB6, PORTAL6)}
both = pytest.mark.parametrize("family", list(FAMILIES))

# Connects to argv[1]:80 and sends the pieces that follow, each in a segment of
# its own; prints what comes back until the end.
PIECES = r"""
import socket, sys, time
s = socket.create_connection((sys.argv[1], 80), timeout=3)
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
for piece in sys.argv[2:]:
    try:
        s.sendall(piece.encode().decode("unicode_escape").encode("latin-1"))
    except OSError:
        break  # answered meanwhile
    time.sleep(0.02)
got = b""
while True:
    data = s.recv(65536)
    if not data:
        break
    got += data
sys.stdout.buffer.write(got)
"""


@pytest.fixture()
def guest(lab):
    return lab.guest()


def location(text):
    match = re.match(r"HTTP/1\.1 302 Found\r\n(?:[^\r\n]+\r\n)*?Location: ([^\r\n]*)\r\n", text)
    assert match, text
    return match[1]


def pieces(guest, address, *parts):
    result = guest.run("/usr/bin/python3", "-c", PIECES, address, *parts, text=False)
    return result.stdout.decode("latin-1")


@both
def test_redirect(guest, family):
    options, _, portal = FAMILIES[family]
    answer = guest.curl("http://example.org/a?b=c&d", *options)
    assert answer.status == 302, answer.error
    assert answer.headers["location"] == f"{portal}/?url=http://example.org/a?b=c%26d"
    assert answer.headers["cache-control"] == "no-store"
    # To the end: the portal's page, with the site's name.
    page = guest.curl("http://example.org/a?b=c", "-L", *options)
    assert "HTTP/1.1 200" in page.body and "example.org" in page.body


@both
@pytest.mark.parametrize("options", [
    ["-I"], ["-0"], ["-X", "PUT"], ["-X", "DELETE"], ["-X", "OPTIONS"],
    ["-d", "a=b"], ["-d", "x" * 5000], ["-d", "x" * 5000, "-H", "Expect: 100-continue"],
    ["-H", "Connection: keep-alive"], ["-H", "Host;"], ["-H", "Host:"],
    ["-H", "A: " + "b" * 3000], ["-A", "\r\n\r\nx"]])
def test_any_request(guest, family, options):
    answer = guest.curl("http://example.org/x", *options, *FAMILIES[family][0])
    assert answer.status == 302, answer.error
    assert not answer.error


def test_a_large_upload_is_not_waited_for(guest):
    file = guest.lab.state / "upload"
    file.write_bytes(b"x" * 1_000_000)
    start = time.monotonic()
    answer = guest.curl("http://example.org/x", "-H", "Expect:", "--data-binary", f"@{file}")
    assert answer.status == 302, answer.error
    assert time.monotonic() - start < 3


@both
def test_long_url(guest, family):
    options, _, portal = FAMILIES[family]
    fits = "http://example.org/" + "a" * 180
    answer = guest.curl(fits, *options)
    assert answer.headers["location"] == f"{portal}/?url={fits}"
    for length in (300, 900, 1300, 1500, 7000):
        answer = guest.curl("http://example.org/" + "a" * length, *options)
        assert answer.status == 302, answer.error
        # A URL that is cut is another one; the host may be too far behind.
        assert answer.headers["location"].startswith(f"{portal}/?url=http://")
        assert answer.headers["location"].endswith("/")


def test_absolute_form(guest):
    answer = guest.curl("http://example.org/x", "-x", f"http://{WEB4}:80", "--noproxy", "")
    assert answer.status == 302, answer.error
    assert answer.headers["location"] == f"{PORTAL4}/?url=http://example.org/x"


@both
@pytest.mark.parametrize("parts", [
    ["G", "ET / HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\n"],
    ["GET", " / HTTP/1.1\\r\\n\\r\\n"],
    ["GET /pa", "th HTTP/1.1\\r\\n", "Host: example.org\\r\\n\\r\\n"],
    ["GET / HTTP/1.1\\r\\n", "Host: exam", "ple.org\\r\\n", "\\r\\n"],
    list("POST / HTTP/1.0\\r\\n\\r\\n".replace("\\r", "\r").replace("\\n", "\n")),
])
def test_request_in_pieces(guest, family, parts):
    _, address, portal = FAMILIES[family]
    parts = [p.replace("\r", "\\r").replace("\n", "\\n") for p in parts]
    assert location(pieces(guest, address, *parts)).startswith(f"{portal}/?url=")


@both
def test_what_is_not_http_is_reset(guest, family):
    result = guest.run("/usr/bin/python3", "-c", PIECES, FAMILIES[family][1],
                       "SSH-2.0-x\\r\\n", check=False)
    assert "ConnectionResetError" in result.stderr


def test_second_request_on_a_connection(guest):
    """The first ends it, whatever was asked: a client opens another."""
    result = guest.run("/usr/bin/python3", "-c", r"""
import http.client
c = http.client.HTTPConnection("192.0.2.80", timeout=3)
for i in range(3):
    c.request("GET", "/%d" % i, headers={"Connection": "keep-alive"})
    answer = c.getresponse()
    answer.read()
    print(answer.status, answer.headers["Location"])
""")
    assert result.stdout.splitlines() == [
        f"302 {PORTAL4}/?url=http://192.0.2.80/{i}" for i in range(3)]
    both_at_once = "GET /1 HTTP/1.1\\r\\nHost: a.org\\r\\n\\r\\n"
    text = pieces(guest, WEB4, both_at_once + both_at_once.replace("/1", "/2"))
    assert location(text).endswith("a.org/1")
    assert text.count("HTTP/1.1 302") == 1


MANY = r"""
import socket, sys, time
good, slowest = 0, 0
for i in range(1000):
    start = time.monotonic()
    with socket.create_connection((sys.argv[1], 80), timeout=3) as s:
        s.sendall(b"GET /%d HTTP/1.1\r\nHost: example.org\r\n\r\n" % i)
        text = b""
        while True:
            data = s.recv(4096)
            if not data:
                break
            text += data
    good += b"/?url=http://example.org/%d\r\n" % i in text
    slowest = max(slowest, time.monotonic() - start)
print(good, slowest)
"""


@both
def test_a_thousand_connections(lab, guest, family):
    before = lab.reasons()
    result = guest.run("/usr/bin/python3", "-c", MANY, FAMILIES[family][1])
    good, slowest = result.stdout.split()
    assert int(good) == 1000
    assert float(slowest) < 1
    more = lab.reasons() - before
    for reason in ("answer_syn", "answer_redirect", "answer_fin"):
        assert more[reason] >= 1000, reason
    assert not more["answer_reset"] and not more["drop_error"]


LOSSY = r"""
import concurrent.futures, socket, sys
def visit(i):
    with socket.create_connection((sys.argv[1], 80), timeout=15) as s:
        s.sendall(b"GET /%d HTTP/1.1\r\nHost: example.org\r\n\r\n" % i)
        text = b""
        while data := s.recv(4096):
            text += data
    return b"/?url=http://example.org/%d\r\n" % i in text
with concurrent.futures.ThreadPoolExecutor(50) as pool:
    print(sum(pool.map(visit, range(50))))
"""


def test_a_tenth_is_lost_each_way(guest):
    """Nothing is remembered, so what is lost is asked and answered again."""
    guest.run("nft", """table inet loss {
        chain up { type filter hook output priority 0;
            tcp dport 80 numgen random mod 10 == 0 drop; }
        chain down { type filter hook input priority 0;
            tcp sport 80 numgen random mod 10 == 0 drop; }
    }""")
    try:
        result = guest.run("/usr/bin/python3", "-c", LOSSY, WEB4)
    finally:
        guest.run("nft", "delete", "table", "inet", "loss")
    assert result.stdout == "50\n", result.stderr


CONNECT = r"""
import errno, socket, sys, time
start = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 443), timeout=3)
    print("open", 0)
except OSError as e:
    print(errno.errorcode.get(e.errno, e), time.monotonic() - start)
"""
DATAGRAM = r"""
import errno, socket, sys, time
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 443)); s.settimeout(3)
start = time.monotonic()
try:
    s.send(b"x" * int(sys.argv[2]))
    s.recv(10)
    print("answered", 0)
except OSError as e:
    print(errno.errorcode.get(e.errno, e), time.monotonic() - start)
"""


@both
def test_https_is_reset_at_once(guest, family):
    result = guest.run("/usr/bin/python3", "-c", CONNECT, FAMILIES[family][1])
    why, seconds = result.stdout.split()
    assert why == "ECONNREFUSED"
    assert float(seconds) < 0.9


@both
@pytest.mark.parametrize("size", [1, 100, 1200])
def test_udp_is_refused_at_once(guest, family, size):
    result = guest.run("/usr/bin/python3", "-c", DATAGRAM, FAMILIES[family][1], size)
    why, seconds = result.stdout.split()
    # Linux's words for "administratively prohibited"
    assert why in {"ipv4": ["EHOSTUNREACH"], "ipv6": ["EACCES"]}[family]
    assert float(seconds) < 0.9


def test_a_session_that_ended_is_reset(lab, guest):
    """What was open when the time ended is not left to time out."""
    assert guest.redeem(lab.voucher())[0] == 200
    process = guest.spawn("/usr/bin/python3", "-c", r"""
import socket, sys
s = socket.create_connection(("192.0.2.80", 80), timeout=3)
s.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n")
print("open", flush=True)
sys.stdin.readline()
try:
    s.sendall(b"A: b\r\n")
    s.recv(10)
except ConnectionResetError:
    print("reset")
""", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "open\n"
    lab.ctl("kick", guest.mac)
    assert process.communicate("\n", timeout=5)[0] == "reset\n"


# What tcpdump -vv says of a wrong sum, of any layer.
WRONG_SUM = re.compile(r"incorrect|wrong|bad .*cksum|bad-")


class Listening:
    """What comes to a guest, in tcpdump's words."""

    def __init__(self, guest, *options):
        self.guest, self.options = guest, options or ("not", "arp")

    def __enter__(self):
        self.process = self.guest.spawn(
            "tcpdump", "-i", "eth0", "-Q", "in", "-n", "-vv", "--immediate-mode", "-l",
            *self.options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "listening" not in self.process.stderr.readline():
            pass
        return self

    def __exit__(self, *exc):
        time.sleep(0.3)
        self.process.send_signal(signal.SIGINT)
        self.text = self.process.communicate(timeout=10)[0]


def offload(lab, guest, where, state):
    """Whether this side leaves checksums to the next."""
    if where == "guest":
        guest.run("ethtool", "-K", "eth0", "tx", state)
        return
    links = ([f"p{guest.number}"] if lab.way == "bridge" else ["lan0"])
    for link in links:
        lab.run("gw", "ethtool", "-K", link, "tx", state)


@both
@pytest.mark.parametrize("without", ["guest", "gateway"])
def test_checksums(lab, guest, family, without):
    """Who leaves a sum to the wire shows none; then the other must make it."""
    options, address, _ = FAMILIES[family]
    offload(lab, guest, without, "off")
    try:
        with Listening(guest) as heard:
            assert guest.curl("http://example.org/x", *options).status == 302
            for size in (1, 4, 700, 1200):
                guest.run("/usr/bin/python3", "-c", DATAGRAM, address, size)
            guest.run("/usr/bin/python3", "-c", CONNECT, address)
            guest.run("ping", "-c", "1", "-W", "1", *options, address, check=False)
    finally:
        offload(lab, guest, without, "on")
    lines = heard.text.splitlines()
    assert sum("302 Found" in line for line in lines) >= 1, heard.text
    assert sum("prohibited" in line for line in lines) >= 5, heard.text
    assert sum("Flags [R" in line for line in lines) >= 1, heard.text
    # No datagram comes: these are errors' quotes of what the guest sent unsummed.
    wrong = [line for line in lines if WRONG_SUM.search(line) and "bad udp" not in line]
    assert not wrong, "\n".join(wrong)


TAGGED_SYN = r"""
import socket, struct, sys
def mac(text):
    return bytes.fromhex(text.replace(":", ""))
tcp = struct.pack(">HHIIBBHHH", 40000, 80, 1000, 0, 5 << 4, 2, 65535, 0, 0)
ip = struct.pack(">BBHHHBBH", 0x45, 0, 40, 1, 0, 64, 6, 0)
ip += socket.inet_aton("10.77.0.99") + socket.inet_aton("192.0.2.80")
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
s.send(mac(sys.argv[1]) + mac(sys.argv[2]) + struct.pack(">HHH", 0x8100, 100, 0x800) + ip + tcp)
"""


def test_a_tag_comes_back(lab, guest):
    """The kernel keeps a VLAN tag beside the packet; the answer has it again."""
    if lab.way == "xdp":
        pytest.skip("XDP does not see a tag that is kept beside the packet")
    link = "br-lan" if lab.way == "bridge" else "lan0"
    box = json.loads(lab.run("gw", "ip", "-j", "link", "show", link).stdout)[0]["address"]
    offload(lab, guest, "gateway", "off")
    try:
        with Listening(guest, "-e", "vlan", "100") as heard:
            guest.run("/usr/bin/python3", "-c", TAGGED_SYN, box, guest.mac)
    finally:
        offload(lab, guest, "gateway", "on")
    assert "192.0.2.80.80 > 10.77.0.99.40000: Flags [S.]" in heard.text, heard.text
    assert "ack 1001" in heard.text and not WRONG_SUM.search(heard.text), heard.text
