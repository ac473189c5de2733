# SPDX-License-Identifier: GPL-2.0-or-later
"""The real gatehouse-portal against a fake daemon, on loopback.

The fake answers each operation with what the test says and keeps what it was
asked. It checks what every request must have: a TCP socket as the proof, and
nothing in it that says who asks.
"""
import contextlib
import getpass
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GATEHOUSE_BUILD", "build")
TOKEN = "0123456789abcdef" * 4

CAPTIVE = {
    "success": True, "state": "captive", "online": False, "kind": None,
    "plan": None, "remainingSeconds": 0, "creditSeconds": 0,
    "remainingBytes": 0, "credits": [], "bytesUp": 0,
    "bytesDown": 0, "paused": False, "mayPause": False, "expiresAt": None,
    "mac": "02:00:00:00:00:01", "network": "guest",
}
RUNNING = dict(
    CAPTIVE, state="running", online=True, kind="voucher", plan="1 Hour",
    remainingSeconds=3541, creditSeconds=3541, remainingBytes=500000000,
    credits=[{"kind": "voucher", "plan": "1 Hour", "seconds": 3541,
              "bytes": 500000000}], bytesUp=1000,
    bytesDown=2000, expiresAt="2026-11-21T09:00:00Z")
COINS = {
    "success": True, "slots": [{"slot": "main", "ready": True, "busy": False}],
    "rates": [{"plan": "One peso", "priceMinor": 100, "currency": "PHP", "minutes": 10},
              {"plan": "Five pesos", "priceMinor": 500, "currency": "PHP", "minutes": 60}],
    "state": "none"}
LOCKED = dict(
    COINS, state="open", slot="main", lockId="0123456789abcdef" * 2, lock=17,
    seconds=42, coins=3, creditedMinor=750, pesos=7.5, currency="PHP",
    minutes=80, costMinor=700)
PLANS = {
    "success": True, "mac": "02:00:00:00:00:01", "network": "guest",
    "plans": [
        {"id": 7, "name": "1 Hour", "minutes": 60, "megabytes": 2000,
         "priceMinor": 50000, "currency": "TZS", "devices": 1, "coin": True,
         "upKbps": 10000, "downKbps": 10000, "slowUpKbps": None,
         "slowDownKbps": None, "counts": "both", "hours": None, "validDays": None},
        {"id": 9, "name": "<Two> Days", "minutes": 2880, "megabytes": None,
         "priceMinor": 100050, "currency": "TZS", "devices": 3, "coin": False,
         "upKbps": None, "downKbps": None, "slowUpKbps": None,
         "slowDownKbps": None, "counts": None,
         "hours": "08:00-12:00 14:00-22:00", "validDays": 30}]}
TERMS = "# Be kind\r\nNo <spam>,\tand\nno harm.\n\n- one\n- two\n"
CLOSE = object()  # the daemon dies instead of answering
SILENT = object()  # the daemon hangs


class Daemon:
    """A control socket; `reply` is a dict, CLOSE, SILENT or a function."""

    def __init__(self, path, guests=True):
        self.path = path
        self.guests = guests  # otherwise operators: a token, no descriptor
        self.tokens = []
        self.reply = None
        self.asked = []
        self.faults = []
        self.conns = []
        self.sock = None
        self.listen()

    def listen(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.listen(16)
        threading.Thread(target=self.accept, args=(self.sock,),
                         daemon=True).start()

    def stop(self):
        """The daemon is gone: no socket, no connection."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        os.unlink(self.path)
        for conn in self.conns:
            with contextlib.suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        self.conns = []

    def accept(self, sock):
        with contextlib.suppress(OSError):
            while True:
                conn = sock.accept()[0]
                self.conns.append(conn)
                threading.Thread(target=self.serve, args=(conn,),
                                 daemon=True).start()

    def serve(self, conn):
        with contextlib.suppress(OSError):
            while True:
                data, fds, _, _ = socket.recv_fds(conn, 65536, 8)
                if not data:
                    return
                self.check(data, fds)
                request = json.loads(data)
                self.tokens.append(request.get("token"))
                self.asked.append((request["op"], request.get("args", {})))
                reply = self.reply
                if callable(reply):
                    reply = reply(*self.asked[-1])
                if reply is CLOSE:
                    conn.close()
                    return
                if reply is not SILENT:
                    conn.send(json.dumps(reply).encode())

    def check(self, data, fds):
        if len(fds) != (1 if self.guests else 0):
            self.faults.append(f"{len(fds)} descriptors with {data!r}")
        for fd in fds:
            with socket.socket(fileno=fd) as peer:
                if peer.type != socket.SOCK_STREAM or peer.family not in (
                        socket.AF_INET, socket.AF_INET6):
                    self.faults.append(f"not a TCP socket: {peer}")
        if set(json.loads(data)) - {"op", "args", "token"}:
            self.faults.append(f"unknown fields: {data!r}")


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Portal:
    """A portal process with its fake daemon."""

    def __init__(self, tls=False, name="", operators=False, extra="", bar=""):
        self.dir = tempfile.TemporaryDirectory(prefix="gatehouse-portal-")
        path = self.dir.name
        os.chmod(path, 0o755)
        self.port, self.tls_port = free_port(), free_port()
        self.daemon = Daemon(f"{path}/control.sock", guests=not operators)
        settings = [f"http_port = {self.port}",
                    f"https_port = {self.tls_port}",
                    f"user = {self.user()}", "venue_name = Caf\u00e9 <Test>"]
        if operators:
            settings = [f"operator_{line}" for line in settings[:2]] + [
                f"operator_user = {self.user()}"] + settings[3:]
        if name:
            settings.append(f"name = {name}")
        if extra:
            settings.append(extra)
        if tls:
            self.make_certificate(path)
            whose = "operator_" if operators else ""
            settings += [f"{whose}tls_cert = {path}/cert.pem",
                         f"{whose}tls_key = {path}/key.pem"]
        pathlib.Path(path, "terms.txt").write_text(TERMS)
        pathlib.Path(path, "terms.sw.txt").write_text("# Masharti\nKuwa na adabu.\n")
        pathlib.Path(path, "terms.de.txt").write_text("# Regeln\nHausordnung.\n")
        pathlib.Path(path, "conf").write_text(
            f"[gatehouse]\nsocket = {self.daemon.path}\n"
            "voucher_prefix = WIFI\n[portal]\n"
            + "\n".join(settings)
            + "\n[network guest]\ninterface = eth1\nportal4 = 127.0.0.1\n"
            "portal6 = ::1\nssid = Caf\u00e9 Guests\nqr_login = yes\n"
            "[network bar]\ninterface = eth2\nportal4 = 127.0.0.2\n"
            "venue_name = The bar\nvenue_url = https://bar.example/\n"
            f"{bar}\n"
            f"[terms]\nfile = {path}/terms.txt\nversion = 2026-11\n"
            f"[coin main]\nvalue = 100\nsocket = {path}/coin.sock\n")
        self.log_path = pathlib.Path(path, "log")
        # Its leaks are looked for by the unit tests: in its cage the leak
        # checker cannot trace.
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        self.env = env
        self.command = [BUILD / "gatehouse-portal", "-v", "-c", f"{path}/conf",
                        *(["--operator"] if operators else [])]
        self.starts = 0
        self.start()

    def start(self):
        """Runs it, once more after it has ended."""
        self.starts += 1
        with open(self.log_path, "a") as log:
            self.process = self.launch(log)
        self.wait_until_up()

    def launch(self, log):
        return subprocess.Popen(self.command, stderr=log, env=self.env)

    @staticmethod
    def user():
        return "nobody" if os.geteuid() == 0 else getpass.getuser()

    @staticmethod
    def make_certificate(path, name="portal.test"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
             f"/CN={name}", "-keyout", f"{path}/key.pem", "-out",
             f"{path}/cert.pem"], check=True, capture_output=True)
        # The portal reads them again as the user that it has become.
        os.chmod(f"{path}/key.pem", 0o644)

    def wait_until_up(self):
        deadline = time.monotonic() + 30
        while self.log().count(": serving") < self.starts:
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, "the portal does not start"
            time.sleep(0.02)

    def log(self):
        return self.log_path.read_text()

    def stop(self):
        """Ends it as an operator would; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            with contextlib.suppress(OSError):
                self.daemon.stop()

    def connect(self, source=None):
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=15,
            source_address=(source, 0) if source else None)

    def send(self, raw, source=None):
        """Sends bytes and returns all that comes back until the end."""
        with self.connect(source) as sock:
            with contextlib.suppress(ConnectionError):
                sock.sendall(raw)
            return receive(sock)


class Answer:
    """A parsed answer; `status` 0: the connection ended without one."""

    def __init__(self, raw, sock_closed):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw = raw
        self.closed = sock_closed
        words = lines[0].split(" ")
        self.status = int(words[1]) if len(words) > 1 else 0
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:]]

    def header(self, name):
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        return "\n".join(values) if values else None

    def text(self):
        return self.body.decode()


def receive(sock):
    """One answer: to its Content-Length, or to the end of the stream."""
    raw, closed = b"", False
    while True:
        head, sep, body = raw.partition(b"\r\n\r\n")
        if sep:
            length = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:")]
            empty = head.split(b" ")[1] in (b"204", b"304")
            if empty or (length and len(body) >= length[0]):
                break
        try:
            piece = sock.recv(65536)
        except ConnectionError:
            piece = b""
        if not piece:
            closed = True
            break
        raw += piece
    return Answer(raw, closed)
