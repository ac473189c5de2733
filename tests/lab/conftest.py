# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab as tests see it: scripts/lab.sh with a handle on guests, gateway,
operator and captures. Labs are shared by the tests of a module, one for each
way a LAN can be; a test that needs a guest in a known state takes a fresh one.
"""

import collections
import itertools
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time
import urllib.parse

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
LAB_SH = TOP / "scripts/lab.sh"
BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", TOP / "build"))
# How many times longer everything may take, on an emulated processor.
PATIENCE = float(os.environ.get("LAB_PATIENCE", 1))
# A token of 32 bytes, one of a poster (24), a voucher code.
SECRET = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{48}\b|\bAJC[2-9A-Z]{9}\b", re.I)
PORTAL4, PORTAL6 = "http://10.77.0.1", "http://[fd77::1]"
WEB4, WEB6 = "192.0.2.80", "2001:db8::80"

# The ways a LAN can be: name, arguments of lab.sh up.
WAYS = {
    "tc": ["--mode", "tc"],
    "xdp": ["--mode", "xdp"],
    "bridge": ["--mode", "tc", "--bridge"],
}


class Refused(Exception):
    """gatehousectl exited with other than 0."""

    def __init__(self, result):
        super().__init__(f"exit {result.returncode}: {result.stdout}{result.stderr}")
        self.status = result.returncode
        self.text = result.stdout + result.stderr


def wait_for(what, timeout=15.0, step=0.02):
    """Calls `what` until it is true; returns that, or fails."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"not within {timeout} s: {what}"
        time.sleep(step)


class Lab:
    def __init__(self, prefix, guests, args):
        self.prefix, self.count = prefix, guests
        self.env = dict(os.environ, LAB_PREFIX=prefix, GATEHOUSE_BUILD=str(BUILD))
        self.state = pathlib.Path("/run/gatehouse-lab") / prefix
        self.pins = pathlib.Path("/sys/fs/bpf") / (
            "gatehouse" if prefix == "gh" else f"gatehouse-{prefix}")
        self.next_guest = itertools.cycle(range(1, guests + 1))
        self.sh("up", "--guests", str(guests), *map(str, args))

    def sh(self, *args, check=True, timeout=60):
        result = subprocess.run([str(LAB_SH), *args], env=self.env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=timeout * PATIENCE, check=False)
        assert not check or result.returncode == 0, result.stdout
        return result.stdout

    def down(self):
        told = self.told_secrets()
        self.sh("down")
        assert not told, told

    def told_secrets(self):
        """Lines of the programs' logs with what is a token, a key or a voucher code."""
        return [line for path in self.state.glob("gatehouse*.log")
                for line in path.read_text(errors="replace").splitlines()
                if SECRET.search(line)]

    # Namespaces

    def namespace(self, who):
        return f"/run/netns/{self.prefix}-{who}"

    def run(self, who, *command, check=True, timeout=30, **kwargs):
        """A command in the namespace of "g1", "gw" or "inet"."""
        return subprocess.run(
            ["nsenter", f"--net={self.namespace(who)}", "--", *map(str, command)],
            text=kwargs.pop("text", True), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=timeout, check=check, **kwargs)

    def spawn(self, who, *command, **kwargs):
        return subprocess.Popen(
            ["nsenter", f"--net={self.namespace(who)}", "--", *map(str, command)],
            **kwargs)

    def guest(self):
        """Some guest, freed of its session and its blocks."""
        guest = Guest(self, next(self.next_guest))
        guest.reset()
        return guest

    def guests(self, count):
        return [self.guest() for _ in range(count)]

    # The operator

    def ctl(self, *args):
        """gatehousectl --json; returns the reply. Raises Refused."""
        result = subprocess.run(
            [str(BUILD / "gatehousectl"), "--socket", str(self.state / "control.sock"),
             "--json", *map(str, args)],
            text=True, capture_output=True, timeout=30, check=False)
        if result.returncode:
            raise Refused(result)
        return json.loads(result.stdout)

    def text(self, *args):
        """gatehousectl as a person calls it: (exit status, output)."""
        result = subprocess.run(
            [str(BUILD / "gatehousectl"), "--socket", str(self.state / "control.sock"),
             *map(str, args)], text=True, capture_output=True, timeout=30, check=False)
        return result.returncode, result.stdout + result.stderr

    def voucher(self, plan="1 Hour"):
        return self.ctl("voucher", "create", "--plan", plan)["codes"][0]

    def plan(self, **options):
        """A plan of its own, by the options of `plan add`; returns its name."""
        name = f"test {time.monotonic_ns()}"
        words = itertools.chain.from_iterable(
            (f"--{key.replace('_', '-')}", value) for key, value in options.items())
        self.ctl("plan", "add", name, *words)
        return name

    def reasons(self):
        """Packets by reason; a Counter, because what never happened is not listed."""
        return collections.Counter(
            {row["reason"]: row["packets"] for row in self.ctl("reasons")["items"]})

    # The programs

    def pid(self, name):
        """The program itself: unshare and nsenter exec, so the PID stays."""
        return int((self.state / f"{name}.pid").read_text())

    def kill(self, name, signum=signal.SIGKILL):
        pid = self.pid(name)
        os.kill(pid, signum)
        wait_for(lambda: not is_running(pid))

    def start(self, *args):
        self.sh("start", *args)

    # Raw records

    def record(self, mac):
        """The kernel's record as bytes -> (policy, up, down) words, or None."""
        key = " ".join(str(int(b, 16)) for b in mac.split(":") + ["0", "0"])
        result = subprocess.run(
            f"bpftool -j map lookup pinned {self.pins}/clients key {key}",
            shell=True, text=True, capture_output=True, timeout=10, check=False)
        if result.returncode:
            return None
        value = bytes(int(b, 16) for b in json.loads(result.stdout)["value"])
        return {"policy": struct.unpack("<IIQQIIIIQQII", value[:64]),
                "up": struct.unpack("<QQQQQIIQQ", value[64:128]),
                "down": struct.unpack("<QQQQQIIQQ", value[128:])}


def is_running(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Guest:
    def __init__(self, lab, number):
        self.lab, self.number, self.name = lab, number, f"g{number}"

    @property
    def mac(self):
        return self._link()["address"]

    def _link(self):
        return json.loads(self.run("ip", "-j", "link", "show", "eth0").stdout)[0]

    def address(self, family):
        """Its global address; family 4 or 6."""
        rows = json.loads(self.run("ip", "-j", f"-{family}", "addr", "show", "dev",
                                   "eth0", "scope", "global").stdout)
        return [a["local"] for row in rows for a in row.get("addr_info", []) if a][0]

    def run(self, *command, **kwargs):
        return self.lab.run(self.name, *command, **kwargs)

    def spawn(self, *command, **kwargs):
        return self.lab.spawn(self.name, *command, **kwargs)

    def reset(self):
        """Captive again, with the MAC it was born with."""
        born = f"02:00:00:00:01:{self.number:02x}"
        for mac in {born, self.mac}:
            for verb in (["kick", mac], ["block", mac, "--off"]):
                try:
                    self.lab.ctl(*verb)
                except Refused:
                    pass
        if self.mac != born:
            self.change_mac(born)

    def change_mac(self, mac):
        self.lab.sh("mac", str(self.number), mac)

    def curl(self, url, *options, timeout=5):
        """curl; returns Answer. Names resolve to the lab's web server."""
        family = "-6" if "-6" in options else "-4"
        address = f"[{WEB6}]" if family == "-6" else WEB4
        host = urllib.parse.urlsplit(url).netloc
        named = [] if host[-1].isdigit() or "[" in host else [
            "--resolve", f"{host}:80:{address}"]
        result = self.run(
            "curl", "-sS", "-i", "-m", timeout, "--noproxy", "*", family, *named,
            *[o for o in options if o != "-6"], url,
            check=False, timeout=timeout + 5)
        return Answer(result)

    def api(self, path, body=None, portal=PORTAL4):
        """The portal's JSON API: (status, reply)."""
        options = [] if body is None else [
            "-H", "Content-Type: application/json", "-d", json.dumps(body)]
        if portal == PORTAL6:
            options.append("-6")
        answer = self.curl(portal + path, *options)
        assert answer.status, answer.error
        return answer.status, json.loads(answer.body)

    def redeem(self, code, portal=PORTAL4):
        return self.api("/api/vouchers/activate", {"code": code}, portal)

    def restore(self, token, portal=PORTAL4):
        return self.api("/api/sessions/restore", {"token": token}, portal)

    def session(self, portal=PORTAL4):
        return self.api("/api/session", portal=portal)[1]

    def is_online(self, *options):
        answer = self.curl("http://example.org/", *options, timeout=2)
        return answer.status == 200 and "You are online" in answer.body

    def capture(self, *hosts):
        return Capture(self, hosts or (WEB4, WEB6))


class Answer:
    """What curl -i printed: status (0: none), headers, body."""

    def __init__(self, result):
        self.error, self.exit = result.stderr, result.returncode
        self.head, _, self.body = result.stdout.partition("\n\n")
        match = re.match(r"HTTP/1\.[01] (\d+)", self.head)
        self.status = int(match[1]) if match else 0
        self.headers = {
            name.lower(): value for name, value in
            re.findall(r"^([^:\n]+): ?([^\n]*)", self.head, re.MULTILINE)}


class Capture:
    """IP bytes on a guest's own side of the wire, up and down, to and from
    outside the box: what must be charged."""

    def __init__(self, guest, hosts):
        self.guest, self.hosts = guest, hosts
        self.path = guest.lab.state / f"capture-{time.monotonic_ns()}.pcap"

    def __enter__(self):
        # -B: a burst must fit; snaplen: headers are enough.
        self.process = self.guest.spawn(
            "tcpdump", "-i", "eth0", "-n", "--immediate-mode", "-B", "65536", "-s", "96",
            "-w", self.path, *" or ".join(f"host {h}" for h in self.hosts).split(),
            stderr=subprocess.PIPE, text=True)
        while "listening" not in self.process.stderr.readline():
            pass
        return self

    def __exit__(self, *exc):
        time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)
        report = self.process.communicate(timeout=10)[1]
        dropped = re.search(r"(\d+) packets? dropped by kernel", report)
        assert dropped and dropped[1] == "0", report
        mac = bytes.fromhex(self.guest.mac.replace(":", ""))
        self.up, self.down = count_ip_bytes(self.path.read_bytes(), mac)
        self.path.unlink()


def count_ip_bytes(pcap, mac):
    """(up, down) IP bytes. A TSO frame stands for segments of the MSS that the
    connection announced: each has its own headers on the wire."""
    up = down = 0
    mss = {}
    at = 24
    while at + 16 <= len(pcap):
        incl = struct.unpack_from("<I", pcap, at + 8)[0]
        wire = struct.unpack_from("<I", pcap, at + 12)[0]
        frame = pcap[at + 16:at + 16 + incl]
        at += 16 + incl
        size = ip_bytes(frame, wire, mss)
        if frame[6:12] == mac:
            up += size
        else:
            down += size
    return up, down


def ip_bytes(frame, wire, mss):
    ethertype = frame[12:14]
    if ethertype == b"\x08\x00":
        header = (frame[14] & 15) * 4
        total = struct.unpack_from(">H", frame, 16)[0] or wire - 14
        proto, src, dst = frame[23], frame[26:30], frame[30:34]
    elif ethertype == b"\x86\xdd":
        header = 40
        payload = struct.unpack_from(">H", frame, 18)[0]
        total = payload + 40 if payload else wire - 14
        proto, src, dst = frame[20], frame[22:38], frame[38:54]
    else:
        return 0
    if proto != 6:
        return total
    tcp = 14 + header
    sport, dport = struct.unpack_from(">HH", frame, tcp)
    tcp_header = (frame[tcp + 12] >> 4) * 4
    flow = (src, sport, dst, dport)
    if frame[tcp + 13] & 2:
        mss[flow] = option_mss(frame[tcp + 20:tcp + tcp_header])
    headers = header + tcp_header
    data = total - headers
    # Each side sends at most what the other announced, less its options.
    limit = min(mss.get((dst, dport, src, sport), 1460), mss.get(flow, 1460))
    limit -= tcp_header - 20
    segments = max(1, -(-data // limit))
    return total + (segments - 1) * headers


def option_mss(options):
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        if kind == 2:
            return struct.unpack_from(">H", options, at + 2)[0]
        at += max(options[at + 1], 2)
    return 536


numbers = itertools.count()


def make_lab(way, guests=4, *options):
    return Lab(f"t{os.getpid() % 10000}{next(numbers)}", guests, [*WAYS[way], *options])


@pytest.fixture(scope="module", params=list(WAYS))
def lab(request):
    """A lab for each way a LAN can be."""
    made = make_lab(request.param)
    made.way = request.param
    yield made
    made.down()


@pytest.fixture(scope="module")
def tc_lab():
    """One lab, where the way of the LAN makes no difference."""
    made = make_lab("tc")
    yield made
    made.down()


@pytest.fixture()
def settings(lab):
    """Adds settings to the network, the last section of the file, live."""
    path = lab.state / "gatehouse.conf"
    log = lab.state / "gatehoused.log"
    original = path.read_text()

    def change(text):
        before = len(log.read_text())
        path.write_text(original + text)
        os.kill(lab.pid("gatehoused"), signal.SIGHUP)
        wait_for(lambda: re.search("applied .*: 1 network", log.read_text()[before:]))
    yield change
    change("")
