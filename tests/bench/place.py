# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the benchmarks happen: three network namespaces (guests, gateway,
internet) with the real programs in the middle one.

    guests  c0 ---- lan0  gateway  wan0 ---- i0  internet
    10.78.0.0/15    10.78.0.1   198.18.0.1   198.18.0.2

Guest n has the MAC 02:10:nn:nn:nn:nn and the address 10.78.0.0 + n, as in
frame.h. Where the gateway's CPU time is wanted, NAPI of its LAN side runs in a
thread of its own, so that it can be told from the generator's.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
PREFIX = f"ghbench{os.getpid()}"
GATEWAY = "10.78.0.1"
FIRST_ADDR = "10.78.0.0"
INTERNET = "198.18.0.2"
FIRST_GUEST = 256       # below it: the gateway and the machine's own stack
OWN_GUEST_ADDR = "10.79.255.1"
CLONE_NEWNET = 0x40000000
STORM_SECONDS = 60      # at most
# Of all captive clients together. As a hall with thousands of guests would set
# it: the default lets 1000 connections to the portal begin each second, which is
# not what is measured.
NETWORK_KBPS = 102400
NETWORK_KBPS_DEFAULT = 1024

CONFIG = """\
[gatehouse]
state_dir = {state}
socket = {state}/control.sock
socket_group = nogroup
pin_dir = {pins}
hook = {hook}
clients_max = {clients_max}
sweep_seconds = 1

[portal]
user = nobody

[network bench]
interface = lan0
portal4 = 10.78.0.1
network_kbps = {network_kbps}
"""


class BenchError(Exception):
    """A row cannot be measured here; the text says why."""


def sh(command, check=True, **kwargs):
    """Runs words or a shell line; returns what it printed."""
    result = subprocess.run(command, shell=isinstance(command, str), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=kwargs.pop("timeout", 120), check=False,
                            **kwargs)
    if check and result.returncode:
        raise BenchError(f"{command}: {result.stdout.strip()[-400:]}")
    return result.stdout


def enter_netns(file):
    if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
        raise BenchError(f"setns: {os.strerror(ctypes.get_errno())}")


def guest_mac(n):
    return "02:10:" + ":".join(f"{n >> s & 255:02x}" for s in (24, 16, 8, 0))


def guest_addr(n):
    return f"10.{78 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


def clear_leftovers(build):
    """What a benchmark left behind that was killed before it could tidy up."""
    names = sh("ip netns list").split() + os.listdir("/sys/fs/bpf") + \
        os.listdir(build)
    for name in names:
        found = re.fullmatch(r"(?:ghbench|bench\.|gatehouse-bench-)(\d+)\b.*",
                             name)
        if not found or os.path.exists(f"/proc/{found[1]}"):
            continue
        if os.path.exists(f"/run/netns/{name}"):
            for pid in sh(f"ip netns pids {name}").split():
                os.kill(int(pid), signal.SIGKILL)
            sh(f"ip netns del {name}", check=False)
        for path in (f"/sys/fs/bpf/{name}", f"{build}/{name}"):
            shutil.rmtree(path, ignore_errors=True)


class Place:
    """The namespaces, and a daemon and a portal that come and go."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.tools = self.build / "tests/bench"
        self.work = self.build / f"bench.{os.getpid()}"
        self.pins = f"/sys/fs/bpf/{PREFIX}"
        self.daemon = self.portal = self.nginx = None
        self.held = {}
        self.neighbours = set()
        self.work.mkdir(parents=True, exist_ok=True)
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    # Namespaces

    def netns(self, name):
        return f"{PREFIX}-{name}"

    def inside(self, name, *words):
        """The command that runs `words` in a namespace, with bpffs in sight."""
        return ["nsenter", f"--net=/run/netns/{self.netns(name)}", "--",
                *map(str, words)]

    def run(self, name, *words, **kwargs):
        return sh(self.inside(name, *words), **kwargs)

    @contextlib.contextmanager
    def inside_thread(self, name):
        """Sockets that this thread opens are those of a namespace."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/run/netns/{self.netns(name)}", "rb") as there:
            enter_netns(there)
            try:
                yield
            finally:
                enter_netns(home)

    @contextlib.contextmanager
    def answering(self, name, answer):
        """Port 80 of a namespace answers each connection's first bytes so."""
        with self.inside_thread(name):
            listener = socket.create_server(("", 80), backlog=128)

        def serve():
            with contextlib.suppress(OSError):  # the listener's end
                while True:
                    peer = listener.accept()[0]
                    with contextlib.suppress(OSError), peer:
                        peer.settimeout(5)
                        peer.recv(4096)
                        peer.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _make(self):
        guest, gw, inet = (self.netns(n) for n in ("guest", "gw", "inet"))
        for name in (guest, gw, inet):
            sh(f"ip netns add {name}")
        sh(f"ip link add lan0 netns {gw} type veth peer name c0 netns {guest}")
        sh(f"ip link add wan0 netns {gw} type veth peer name i0 netns {inet}")
        for netns, dev, addr in ((gw, "lan0", f"{GATEWAY}/15"),
                                 (gw, "wan0", "198.18.0.1/24"),
                                 (inet, "i0", f"{INTERNET}/24"),
                                 (guest, "c0", f"{OWN_GUEST_ADDR}/15")):
            sh(f"ip netns exec {netns} sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
            sh(f"ip -n {netns} addr add {addr} dev {dev}")
            sh(f"ip -n {netns} link set {dev} up")
            sh(f"ip -n {netns} link set lo up")
        sh(f"ip -n {guest} route add default via {GATEWAY}")
        sh(f"ip -n {inet} route add default via 198.18.0.1")
        sh(f"ip netns exec {gw} sysctl -qw net.ipv4.ip_forward=1")
        sh(f"ip netns exec {gw} sysctl -qw net.core.somaxconn=4096")
        self.lan_mac = self.mac("gw", "lan0")
        sh(f"ip -n {gw} neigh add {INTERNET} lladdr {self.mac('inet', 'i0')} "
           "dev wan0 nud permanent")
        sh(f"ip -n {gw} neigh add {OWN_GUEST_ADDR} lladdr "
           f"{self.mac('guest', 'c0')} dev lan0 nud permanent")
        # A veth end receives XDP frames only with NAPI, which GRO brings.
        for name, dev in (("gw", "lan0"), ("guest", "c0"), ("inet", "i0")):
            self.run(name, "ethtool", "-K", dev, "gro", "on")

    def mac(self, name, dev):
        return sh(f"ip -n {self.netns(name)} -br link show {dev}").split()[2]

    def thread_napi(self, on):
        """NAPI in threads of their own, or in whatever was interrupted."""
        for name, dev in (("gw", "lan0"), ("inet", "i0")):
            # ip netns exec shows the namespace's own /sys.
            sh(f"ip netns exec {self.netns(name)} sh -c "
               f"'echo {int(on)} >/sys/class/net/{dev}/threaded'")

    def make_neighbours(self, numbers):
        """Permanent entries: no ARP, and no limit on how many."""
        lines = [f"neigh replace {guest_addr(n)} lladdr {guest_mac(n)} "
                 "dev lan0 nud permanent\n"
                 for n in numbers if n not in self.neighbours]
        self.neighbours.update(numbers)
        if lines:
            sh(["ip", "-n", self.netns("gw"), "-batch", "-"],
               input="".join(lines))

    # What the gateway spends

    @staticmethod
    def napi_threads():
        """The kernel threads that receive for the gateway's LAN side."""
        for comm in pathlib.Path("/proc").glob("[0-9]*/comm"):
            try:
                if comm.read_text().startswith("napi/lan0"):
                    yield comm.parent
            except OSError:
                pass  # ended meanwhile

    def gateway_cpu_ns(self):
        """CPU time so far of the gateway's LAN side."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in self.napi_threads())

    def pin_napi(self, cpu):
        for task in self.napi_threads():
            os.sched_setaffinity(int(task.name), {cpu})

    def process_cpu_ns(self):
        """CPU time so far of the daemon and the portal, all their threads."""
        total = 0
        for process in (self.daemon, self.portal):
            if process:
                for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
                    total += int((task / "schedstat").read_text().split()[0])
        return total

    def count_programs(self):
        """From now on the kernel adds up the time of BPF programs; until the
        descriptor that this returns is closed. It costs them 20 ns a run."""
        fd = ctypes.CDLL("libbpf.so.1", use_errno=True).bpf_enable_stats(0)
        if fd < 0:
            raise BenchError("this kernel does not count programs' time")
        return fd

    def program_ns(self):
        """Time so far in the gate's programs, tail calls with their callers."""
        total = 0
        for pin in pathlib.Path(self.pins, "programs").iterdir():
            prog = json.loads(sh(["bpftool", "-j", "prog", "show", "pinned",
                                  str(pin)]))
            total += prog.get("run_time_ns", 0)
        return total

    def forwarded(self):
        """Packets that went out to the internet, or would have."""
        stats = json.loads(sh(f"ip -n {self.netns('gw')} -j -s link show wan0"))
        tx = stats[0]["stats64"]["tx"]
        return tx["packets"] + tx["dropped"]

    # The programs

    def start_daemon(self, hook, state="state", clients_max=262144, timeout=60,
                     network_kbps=NETWORK_KBPS):
        state = self.work / state
        state.mkdir(exist_ok=True)
        self.config = self.work / f"{state.name}.conf"
        self.config.write_text(CONFIG.format(state=state, pins=self.pins,
                                             hook=hook, clients_max=clients_max,
                                             network_kbps=network_kbps))
        self.socket = state / "control.sock"
        os.chmod(self.work, 0o755)
        os.chmod(state, 0o755)
        log = open(self.work / "daemon.log", "a", encoding="utf-8")
        started = time.monotonic()
        self.daemon = subprocess.Popen(
            self.inside("gw", self.build / "gatehoused", "-c", self.config),
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.wait(lambda: self.socket.exists() and self.op("status"), timeout,
                  "gatehoused does not answer", self.daemon)
        return time.monotonic() - started

    def start_portal(self):
        self.portal = self.serve("portal", self.build / "gatehouse-portal",
                                 "-c", self.config)

    def serve(self, name, *words):
        """Starts what listens on port 80 of the gateway."""
        log = open(self.work / f"{name}.log", "a", encoding="utf-8")
        process = subprocess.Popen(self.inside("gw", *words), stdout=log,
                                   stderr=log, stdin=subprocess.DEVNULL)
        self.wait(lambda: ":80 " in self.run("gw", "ss", "-ltnH") + " ", 20,
                  f"{name} does not listen", process)
        return process

    def stop(self, which, sig=signal.SIGTERM):
        process = getattr(self, which)
        setattr(self, which, None)
        if process and process.poll() is None:
            process.send_signal(sig)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def unload(self):
        """No gate: as if gatehouse had never been there."""
        try:
            if self.daemon:
                self.op("unload", open=True)
        finally:
            self.stop("daemon")
            # All gone already, unless the daemon could not be asked.
            shutil.rmtree(self.pins, ignore_errors=True)
            self.run("gw", "nft", "delete", "table", "inet", "gatehouse",
                     check=False)

    # XDP programs of the benchmark's own

    def hold(self, name, dev, what):
        """`sink` or `pass` (storm_main.c) on an interface, until release()."""
        process = subprocess.Popen(
            self.inside(name, self.tools / "storm", what, dev),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.held[dev] = process
        line = process.stdout.readline()
        if line != "ready\n":
            raise BenchError(f"{what} on {dev}: {line.strip()}")

    def release(self, *devs):
        """Takes them away; all of them when none is named."""
        for dev in devs or list(self.held):
            process = self.held.pop(dev, None)
            if process:
                process.stdin.close()
                process.wait(10)
                process.stdout.close()

    @contextlib.contextmanager
    def storm(self, guests, first=FIRST_GUEST, rate=0):
        """Small packets from so many guests at random, `rate` a second or as
        many as one CPU can send, for as long as the context lasts."""
        process = subprocess.Popen(self.inside(
            "guest", "taskset", "-c", "0", self.tools / "storm", "send", "c0",
            self.lan_mac, FIRST_ADDR, INTERNET, first, guests,
            STORM_SECONDS, rate), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        try:
            yield
            if process.poll() is not None:
                raise BenchError(f"storm: {process.stdout.read().strip()}")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    # What a client gets through the gateway, with the machine's own TCP

    def tcp_gbits(self, seconds):
        """Gbit/s of one TCP stream from guest to internet, GSO on."""
        server = subprocess.Popen(
            self.inside("inet", "iperf3", "-s", "-1", "-J"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait(lambda: ":5201" in self.run("inet", "ss", "-ltnH"), 5,
                      "iperf3 does not listen", server)
            out = self.run("guest", "iperf3", "-c", INTERNET, "-t", seconds,
                           "-J", timeout=30)
        finally:
            server.kill()
            server.wait()
        return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9

    def ping_us(self, seconds):
        """(median, 99th percentile) of the way there and back, in us."""
        out = self.run("guest", "taskset", "-c", "2", self.tools / "ping",
                       self.netns("inet"), INTERNET, seconds).split()
        result = dict(zip(out[::2], map(int, out[1::2])))
        if result["lost"] > result["rounds"] / 100:
            raise BenchError(f"ping: {result}")
        return result["p50"] / 1e3, result["p99"] / 1e3

    def wait(self, condition, seconds, complaint, process=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if process and process.poll() is not None:
                break
            try:
                if condition():
                    return
            except (OSError, BenchError):
                pass
            time.sleep(0.02)
        raise BenchError(f"{complaint}; see {self.work}/*.log")

    # Operations, as root on the control socket

    def op(self, op, **args):
        return self.ops([(op, args)])[0]

    def ops(self, requests, window=200):
        """Many operations over one connection, `window` under way at once."""
        replies = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(60)
            s.connect(str(self.socket))
            sent = 0
            while len(replies) < len(requests):
                while sent < len(requests) and sent - len(replies) < window:
                    name, args = requests[sent]
                    s.send(json.dumps({"op": name, "args": args}).encode())
                    sent += 1
                reply = json.loads(s.recv(1 << 16))
                if not reply.get("success"):
                    raise BenchError(f"{requests[len(replies)]}: {reply}")
                replies.append(reply)
        return replies

    def make_vouchers(self, count):
        codes = []
        while len(codes) < count:
            n = min(500, count - len(codes))
            codes += self.op("vouchers.create", plan="Daily", count=n)["codes"]
        return codes

    def allow(self, numbers, minutes=60 * 24):
        self.ops([("clients.allow", {"mac": guest_mac(n), "minutes": minutes})
                  for n in numbers])

    def show_logs(self):
        for log in sorted(self.work.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()[-10:]
            print("\n".join(f"{log.name}: {line}" for line in lines))

    def close(self, keep=False):
        self.release()
        self.stop("portal")
        self.stop("nginx")
        try:
            self.unload()
        except (BenchError, OSError):
            pass  # said already, or of no interest any more
        for name in ("guest", "gw", "inet"):
            sh(f"ip netns del {self.netns(name)}", check=False)
        if not keep:
            shutil.rmtree(self.work, ignore_errors=True)
