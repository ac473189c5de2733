# SPDX-License-Identifier: GPL-2.0-or-later
"""A box with a gate and nothing else: namespaces for the gateway, an uplink and
guests, and build/tests/lab/attach in place of the daemon. For the tests of
attaching and pins, where packets matter and sessions do not.

Traffic is UDP through sockets that this process opens inside the namespaces;
each datagram carries its number, so a lost or a leaked one has a name.
"""
import ctypes
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("GATEHOUSE_BUILD", "build")
DRIVER = os.environ.get("GATEHOUSE_ATTACH", os.path.join(ROOT, BUILD, "tests/lab/attach"))
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
GROUP = 0x6768
UPLINK, UPLINK6 = "203.0.113.2", "2001:db8:ff::2"
PORT = 9999
# How many times longer than on a real machine things may take.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))
BOX_MAC = "02:00:00:00:ff:01"


def run(*args, check=True):
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(args)}: {done.stderr or done.stdout}")
    return done.stdout


def build_driver():
    if "GATEHOUSE_ATTACH" not in os.environ:
        sanitized = ["SAN=1"] if BUILD.endswith("/san") else []
        run("make", "-C", ROOT, *sanitized, os.path.join(BUILD, "tests/lab/attach"))


def mac(guest):
    return f"02:00:00:00:00:{guest:02x}"


def wait_for(what, condition, seconds=3):
    """Waits for the event, not for a time; fails by name when it never comes."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


def in_namespace(path, make):
    """What make() returns, called by a thread that has entered `path`."""
    result = []

    def enter():
        fd = os.open(path, os.O_RDONLY)
        if LIBC.setns(fd, CLONE_NEWNET) != 0:
            result.append(OSError(ctypes.get_errno(), "setns"))
        else:
            try:
                result.append(make())
            except OSError as error:
                result.append(error)
        os.close(fd)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if isinstance(result[0], OSError):
        raise result[0]
    return result[0]


class Driver:
    """The running driver: one line in, one JSON object out."""

    def __init__(self, box, *options, program=DRIVER, env=None):
        self.log_path = f"/tmp/{box.prefix}.log"
        self.log = open(self.log_path, "a+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{box.ns('gw')}", program, *options, box.config],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0", **(env or {})})
        self.hello = self.read(env is not None)

    def read(self, may_die=False):
        """An answer; None when the driver died, and may."""
        ready, _, _ = select.select([self.process.stdout], [], [], 20 * PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if ready and not line and may_die:
            assert self.process.wait(20) == -signal.SIGKILL, self.said()
            self.finish()
            return None
        assert line, f"driver is silent: {self.said()}"
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def said(self):
        with open(self.log_path, encoding="utf-8") as log:
            return log.read()

    def rows(self):
        return {row["name"]: row for row in self.ask("rows")["rows"]}

    def clients(self):
        return self.ask("clients")["clients"]

    def stop(self):
        """Ends it as SIGTERM ends the daemon: the gate stays."""
        self.process.stdin.close()
        assert self.process.wait(20 * PATIENCE) == 0, self.said()
        self.finish()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.finish()

    def finish(self):
        self.process.stdout.close()
        self.log.close()


class Box:
    """The namespaces of one test; guest n has mac(n) and 10.7.0.(10 + n)."""

    def __init__(self, bridge=False, guests=2):
        self.prefix = f"gha{os.getpid()}"
        self.pin_dir = f"/sys/fs/bpf/gatehouse-{self.prefix}"
        self.config = f"/tmp/{self.prefix}.conf"
        self.is_bridge = bridge
        self.lan = "br0" if bridge else "lan1"
        self.guests = guests
        self.driver = None
        self.sockets = []
        self.ports = itertools.count(PORT)  # one for each traffic

    def ns(self, who):
        return f"{self.prefix}-{who}"

    def ip(self, who, line, check=True):
        return run("ip", "-n", self.ns(who), *line.split(), check=check)

    def gw(self, line, check=True):
        """In the gateway, with the bpffs that `ip netns exec` hides."""
        return run("nsenter", f"--net=/run/netns/{self.ns('gw')}", *line.split(), check=check)

    def everybody(self):
        return ["gw", "up"] + [f"g{n}" for n in range(1, self.guests + 1)]

    def __enter__(self):
        for who in self.everybody():
            run("ip", "netns", "add", self.ns(who))
            # No packets but the test's own.
            run("ip", "netns", "exec", self.ns(who), "sysctl", "-qw",
                "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1",
                "net.ipv4.ip_forward=1")
            self.ip(who, "link set lo up")
        run("ip", "link", "add", "up0", "netns", self.ns("gw"), "type", "veth",
            "peer", "name", "eth0", "netns", self.ns("up"))
        self.ip("gw", "addr add 203.0.113.1/24 dev up0")
        self.ip("gw", "link set up0 up")
        self.ip("up", f"addr add {UPLINK}/24 dev eth0")
        self.ip("up", "link set eth0 up")
        self.ip("up", "route add 10.7.0.0/24 via 203.0.113.1")
        self.know_uplink("203.0.113.1", UPLINK)
        self.make_lan()
        return self

    def __exit__(self, *exc):
        if self.driver and self.driver.process.returncode is None:
            self.driver.kill()
        for s in self.sockets:
            s.close()
        for top, dirs, files in os.walk(self.pin_dir, topdown=False):
            for name in files:
                os.unlink(os.path.join(top, name))
            for name in dirs:
                os.rmdir(os.path.join(top, name))
        if os.path.isdir(self.pin_dir):
            os.rmdir(self.pin_dir)
        for who in self.everybody():
            run("ip", "netns", "del", self.ns(who), check=False)
        for path in (self.config, f"/tmp/{self.prefix}.log"):
            if os.path.exists(path):
                os.unlink(path)

    def know_uplink(self, inner, outer):
        """Known neighbours: a datagram goes at once or never."""
        for who, link, other, far, address in (("gw", "up0", "up", "eth0", outer),
                                               ("up", "eth0", "gw", "up0", inner)):
            at = json.loads(self.ip(other, f"-j link show {far}"))[0]["address"]
            self.ip(who, f"neigh replace {address} lladdr {at} dev {link} nud permanent")

    def make_lan(self):
        if self.is_bridge:
            # A MAC of its own: else it takes another with each new port.
            self.ip("gw", f"link add br0 address {BOX_MAC} type bridge")
            self.ip("gw", "addr add 10.7.0.1/24 dev br0")
            self.ip("gw", "link set br0 up")
        for n in range(1, self.guests + 1 if self.is_bridge else 2):
            self.add_guest(n)

    def add_guest(self, n):
        """The guest's link: lan1 itself, or port pN of the bridge."""
        port = f"p{n}" if self.is_bridge else "lan1"
        who = f"g{n}"
        run("ip", "link", "add", port, "netns", self.ns("gw"), "type", "veth",
            "peer", "name", "eth0", "netns", self.ns(who))
        self.ip(who, f"link set eth0 address {mac(n)} up")
        self.ip(who, f"addr add 10.7.0.{10 + n}/24 dev eth0")
        self.ip(who, "route add default via 10.7.0.1")
        self.ip(who, f"neigh replace 10.7.0.1 lladdr {BOX_MAC} dev eth0 nud permanent")
        if self.is_bridge:
            self.ip("gw", f"link set {port} master br0 up")
        else:
            self.ip("gw", f"link set lan1 address {BOX_MAC} up")
            self.ip("gw", "addr add 10.7.0.1/24 dev lan1")
        self.ip("gw", f"neigh replace 10.7.0.{10 + n} lladdr {mac(n)} dev {self.lan} "
                "nud permanent")

    def networks(self):
        """The sections of its guest networks."""
        return f"[network guest]\ninterface = {self.lan}\nportal4 = 10.7.0.1\n"

    def start(self, *options, hook="auto", extra="", program=DRIVER, env=None,
              clients_max=1024, shape="auto"):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"[gatehouse]\npin_dir = {self.pin_dir}\nhook = {hook}\n"
                    f"shape = {shape}\nclients_max = {clients_max}\n"
                    f"{self.networks()}{extra}")
        self.driver = Driver(self, *options, program=program, env=env)
        return self.driver

    def udp(self, who, port=0, family=4):
        def make():
            kind, anywhere = ((socket.AF_INET, "0.0.0.0") if family == 4 else
                              (socket.AF_INET6, "::"))
            s = socket.socket(kind, socket.SOCK_DGRAM)
            # SO_RCVBUFFORCE: nothing may be lost behind the gate.
            s.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
            s.bind((anywhere, port))
            s.setblocking(False)
            return s
        s = in_namespace(f"/run/netns/{self.ns(who)}", make)
        self.sockets.append(s)
        return s

    def group(self, name):
        shown = json.loads(self.ip("gw", f"-j link show {name}"))[0]["group"]
        return 0 if shown == "default" else int(shown, 0)

    def pins(self, sub=""):
        path = os.path.join(self.pin_dir, sub)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []


class Traffic:
    """Numbered datagrams from a guest to the uplink, in bursts or, with
    start(), one every `gap` seconds until stop()."""

    def __init__(self, box, guest, family=4):
        port = next(box.ports)
        self.server = box.udp("up", port, family)
        self.client = box.udp(f"g{guest}", family=family)
        self.target = (UPLINK if family == 4 else UPLINK6, port)
        self.sent = 0
        self.arrived = set()
        self.thread = None
        self.running = False

    def send(self):
        self.sent += 1
        try:
            self.client.sendto(b"%08d" % self.sent, self.target)
        except OSError:
            pass  # no route at this moment, or prohibited: not sent

    def collect(self):
        while True:
            try:
                data, self.peer = self.server.recvfrom(64)
            except BlockingIOError:
                return self.arrived
            self.arrived.add(int(data))

    def passes(self, tries=20):
        """Whether datagrams sent now arrive; waits long enough to say no."""
        before = len(self.collect())
        for _ in range(int(tries * PATIENCE)):
            self.send()
            time.sleep(0.01)
            if len(self.collect()) > before:
                return True
        return False

    def comes_back(self):
        """Whether the uplink's answer reaches the guest."""
        assert self.passes(tries=200)
        for _ in range(20):
            self.server.sendto(b"answer", self.peer)
            ready, _, _ = select.select([self.client], [], [], 0.05)
            if ready:
                self.client.recv(64)
                return True
        return False

    def start(self, gap=0.001):
        def loop():
            while self.running:
                self.send()
                if self.sent % 256 == 0:
                    self.collect()
                time.sleep(gap)
        self.running = True
        self.thread = threading.Thread(target=loop)
        self.thread.start()

    def stop(self):
        self.running = False
        self.thread.join()
        time.sleep(0.05)
        return self.collect()


# The few bpf(2) calls that the tools of the reference system do not have.

def bpf(command, attr):
    buf = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    fd = LIBC.syscall(321, command, buf, 128)
    if fd < 0:
        raise OSError(ctypes.get_errno(), f"bpf({command})")
    return fd, buf


def attach_foreign_tcx(box, interface, program):
    """A pinned program before all others at the ingress of an interface."""
    def make():
        path = ctypes.create_string_buffer(program.encode())
        fd, _ = bpf(7, ctypes.addressof(path).to_bytes(8, "little"))
        index = socket.if_nametoindex(interface)
        before = 1 << 3
        values = (fd, index, 46, before)
        return bpf(28, b"".join(v.to_bytes(4, "little") for v in values))[0]
    return in_namespace(f"/run/netns/{box.ns('gw')}", make)
