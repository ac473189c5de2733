# SPDX-License-Identifier: GPL-2.0-or-later
"""The portal as a server: time, numbers, absence of the daemon, privilege."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import pytest

from fake import BUILD, CAPTIVE, RUNNING, SILENT, TOKEN, Portal, receive

PATIENCE = 8  # PORTAL_PATIENCE_NS
PER_ADDRESS = 64
CONNECTIONS = 2048


@pytest.fixture(scope="module")
def portal():
    portal = Portal()
    yield portal
    assert portal.stop() == 0, portal.log()
    assert "Sanitizer" not in portal.log()


@pytest.fixture(autouse=True)
def captive(portal):
    portal.daemon.reply = CAPTIVE
    portal.daemon.asked.clear()


def get(portal, path="/", extra=""):
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n"
            f"{extra}\r\n").encode()


def status(portal, path="/", source=None):
    return portal.send(get(portal, path), source).status


def is_held(portal, sock):
    """Does the portal have the other end? (A closed one has no inode.)"""
    ends = f"0100007F:{portal.port:04X} 0100007F:{sock.getsockname()[1]:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
        if ends in line:
            return line.split()[9] != "0"
    return False


@pytest.fixture(scope="module")
def slow(tls_portal):
    """Clients of a portal of their own that never finish, begun early so that
    the others wait with them: (what, seconds until the portal hung up)."""
    portal = Portal()
    portal.daemon.reply = CAPTIVE
    ends = {}

    def drip(name, first):
        begin = time.monotonic()
        where = tls_portal.tls_port if name == "handshake" else portal.port
        with socket.create_connection(("127.0.0.1", where), timeout=15) as sock:
            sock.settimeout(1)
            with contextlib.suppress(ConnectionError):
                sock.sendall(first)
                while time.monotonic() < begin + 3 * PATIENCE:
                    try:
                        if not sock.recv(4096):
                            break
                    except socket.timeout:
                        sock.sendall(b"a" if first else b"")
        ends[name] = time.monotonic() - begin

    def read_nothing():
        """Asks and asks, and takes no answer."""
        begin = time.monotonic()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.connect(("127.0.0.1", portal.port))
            sock.setblocking(False)
            with contextlib.suppress(OSError):
                sock.send(1000 * get(portal, "/assets/portal.js"))
            while not is_held(portal, sock) and time.monotonic() < begin + PATIENCE:
                time.sleep(0.01)  # not accepted yet
            while is_held(portal, sock) and time.monotonic() < begin + 3 * PATIENCE:
                time.sleep(0.25)
        ends["reader"] = time.monotonic() - begin

    form = (f"POST /activate HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: 4000\r\n\r\ncode=").encode()
    threads = [threading.Thread(target=drip, args=row) for row in (
        ("nothing", b""), ("headers", get(portal)[:-2] + b"X: "),
        ("body", form), ("idle", get(portal, "/assets/icon.svg")),
        ("handshake", b"\x16\x03\x01\x02\x00"))]
    threads.append(threading.Thread(target=read_nothing))
    for thread in threads:
        thread.start()
    yield ends, threads, portal
    assert portal.stop() == 0, portal.log()


@pytest.mark.slow
def test_others_are_served_meanwhile(slow):
    assert status(slow[2]) == 200


def test_assets_keep_the_connection(portal):
    with portal.connect() as sock:
        for _ in range(3):
            sock.sendall(get(portal, "/assets/portal.css"))
            assert receive(sock).status == 200
        # And it may still prove one request; then it ends.
        sock.sendall(get(portal))
        answer = receive(sock)
        assert answer.status == 200
        assert answer.header("Connection") == "close"
        assert sock.recv(10) == b""


def test_one_proof_for_one_connection(portal):
    with portal.connect() as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(get(portal) + get(portal, "/api/session"))
        assert receive(sock).status == 200
        with contextlib.suppress(ConnectionError):
            assert b"HTTP" not in sock.recv(65536)
    assert len(portal.daemon.asked) == 1


def test_many_at_once(portal):
    """More than the control connection takes at a time, all in order."""
    portal.daemon.reply = lambda op, args: dict(CAPTIVE, plan="p")
    socks = [portal.connect(f"127.3.0.{n % 250 + 1}") for n in range(400)]
    for sock in socks:
        sock.sendall(get(portal, "/api/session"))
    assert {receive(sock).status for sock in socks} == {200}
    for sock in socks:
        sock.close()
    assert len(portal.daemon.asked) == 400


def test_one_address_may_not_have_all_connections(portal):
    socks = []
    for _ in range(PER_ADDRESS + 20):
        socks.append(portal.connect("127.2.0.4"))
    assert status(portal, source="127.2.0.5") == 200
    time.sleep(0.2)
    closed = 0
    for sock in socks:
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            with contextlib.suppress(ConnectionError):
                assert sock.recv(1) == b""
            closed += 1
    assert closed == 20
    for sock in socks:
        sock.close()


def test_a_guest_gets_in_while_others_hold_all_connections(portal):
    socks = [portal.connect(f"127.4.{n % 32}.{n // 32 + 1}")
             for n in range(CONNECTIONS + 50)]
    for n in range(3):
        assert status(portal, source=f"127.2.1.{n + 1}") == 200
    for sock in socks:
        sock.close()


def test_refusals_are_limited_by_address(portal):
    codes = [status(portal, "/nothing", "127.2.0.6") for _ in range(40)]
    assert codes[:30] == [404] * 30
    assert 429 in codes[30:]
    answer = portal.send(get(portal), "127.2.0.6")
    assert answer.status in (200, 429)
    assert status(portal, "/", "127.2.0.7") == 200


def test_the_daemon_is_away_and_comes_back(portal):
    portal.daemon.stop()
    before = portal.log().count("no answer")
    for _ in range(3):
        answer = portal.send(get(portal), "127.2.0.8")
        assert answer.status == 503
        assert answer.header("Retry-After") == "5"
    assert portal.log().count("no answer") == before + 1
    portal.daemon.listen()
    assert status(portal, source="127.2.0.8") == 200


@pytest.mark.slow
def test_the_daemon_hangs(portal):
    portal.daemon.reply = SILENT
    begin = time.monotonic()
    answer = portal.send(get(portal, "/api/session"), "127.2.0.10")
    assert answer.status == 503
    assert b'"code":"unavailable"' in answer.body
    assert time.monotonic() - begin < 8
    # What it answers later is for nobody.
    portal.daemon.stop()
    portal.daemon.listen()
    portal.daemon.reply = CAPTIVE
    assert status(portal, source="127.2.0.10") == 200


def test_a_guest_who_leaves_while_the_daemon_thinks(portal):
    gate = threading.Event()

    def reply(op, args):
        gate.wait(5)
        return CAPTIVE

    portal.daemon.reply = reply
    for _ in range(5):
        with portal.connect() as sock:
            sock.sendall(get(portal))
    time.sleep(0.2)
    gate.set()
    assert status(portal, source="127.2.0.11") == 200


def test_ipv6(portal):
    with socket.create_connection(("::1", portal.port), timeout=5) as sock:
        sock.sendall(f"GET / HTTP/1.1\r\nHost: [::1]:{portal.port}\r\n\r\n"
                     .encode())
        assert receive(sock).status == 200
    with socket.create_connection(("::1", portal.port), timeout=5) as sock:
        sock.sendall(b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert receive(sock).header("Location") == (
            f"http://[::1]:{portal.port}/?url=http%3A%2F%2Fa.example%2Fx")


@pytest.mark.parametrize("address, venue", [("127.0.0.1", "Caf\u00e9 &lt;Test&gt;"),
                                            ("127.0.0.2", "The bar")])
def test_each_network_has_its_venue(portal, address, venue):
    """On pages, on errors and behind redirects."""
    for path, host in ("/", address), ("/no-such-page", address), ("/x", "a.example"):
        with socket.create_connection((address, portal.port), timeout=5) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{portal.port}\r\n\r\n".encode())
            assert f"<title>{venue}</title>" in receive(sock).text(), path


@pytest.mark.parametrize("address, url", [("127.0.0.1", None),
                                          ("127.0.0.2", "https://bar.example/")])
def test_what_is_known_of_the_venue(portal, address, url):
    """RFC 8908's venue-info-url, of the network asked."""
    with socket.create_connection((address, portal.port), timeout=5) as sock:
        sock.sendall(f"GET /.well-known/captive-portal HTTP/1.1\r\nHost: {address}:{portal.port}"
                     "\r\n\r\n".encode())
        assert json.loads(receive(sock).text()).get("venue-info-url") == url


@pytest.mark.parametrize("address, status, link", [("127.0.0.1", 200, True),
                                                   ("127.0.0.2", 403, False)])
def test_the_login_by_qr_code_is_where_its_network_says_so(portal, address, status, link):
    portal.daemon.reply = CAPTIVE
    texts = []
    for path in ("/login", "/"):
        with socket.create_connection((address, portal.port), timeout=15) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {address}:{portal.port}\r\n\r\n".encode())
            texts.append(receive(sock))
    assert texts[0].status == status
    assert ('href="/login"' in texts[1].text()) == link


def test_nothing_is_left_to_lose(portal):
    """T3 from the outside; from the inside: tests/unit/test_portal_sandbox."""
    with open(f"/proc/{portal.process.pid}/status") as file:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert fields["CapEff"] == fields["CapPrm"] == "0" * 16
    assert fields["CapAmb"] == fields["CapInh"] == "0" * 16
    assert fields["Threads"].strip() == "1"
    # And it says so.
    uid = fields["Uid"].split()[0]
    assert f"confined: uid {uid}, no capabilities, no new privileges, seccomp," in portal.log()
    if os.geteuid() == 0:
        assert fields["CapBnd"] == "0" * 16
        assert "0" not in fields["Uid"].split()
        assert "0" not in fields["Gid"].split()
        assert "0" not in fields["Groups"].split()


def test_secrets_are_not_in_the_log(portal):
    portal.daemon.reply = {"success": True, "token": TOKEN, "plan": "p",
                           "mac": "02:00:00:00:00:01", "remainingSeconds": 5,
                           "remainingBytes": None}
    portal.send(get(portal, "/?code=SECRETCODE&url=http%3A%2F%2Fsecret.example",
                    f"Cookie: gh_session={TOKEN}\r\n"))
    portal.send(get(portal, "/SECRETPATH"))
    for secret in (TOKEN, "SECRET", "secret.example"):
        assert secret not in portal.log()


@pytest.mark.slow
def test_who_never_finishes_is_cut_off(slow):
    ends, threads, _ = slow
    for thread in threads:
        thread.join(3 * PATIENCE)
    for name in ("nothing", "headers", "body", "idle", "handshake", "reader"):
        assert PATIENCE - 1 < ends[name] < PATIENCE + 4, ends


def test_a_hangup_says_that_it_needs_a_restart(portal):
    portal.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 5
    while "SIGHUP changes nothing" not in portal.log():
        assert time.monotonic() < deadline, portal.log()
        time.sleep(0.02)
    assert status(portal, source="127.2.0.12") == 200


def run(*args):
    return subprocess.run([BUILD / "gatehouse-portal", *args], timeout=10,
                          capture_output=True, text=True)


@pytest.mark.parametrize("args, status, out, err", [
    (["--help"], 0, "usage: gatehouse-portal", ""),
    (["-h"], 0, "usage: gatehouse-portal", ""),
    (["--version"], 0, "gatehouse-portal ", ""),
    (["--nothing"], 2, "", "usage: gatehouse-portal"),
    (["word"], 2, "", "usage: gatehouse-portal"),
    (["-n", "-c", "/nothing"], 78, "", "/nothing: No such file"),
])
def test_options(args, status, out, err):
    done = run(*args)
    assert done.returncode == status
    for text, wanted in ((done.stdout, out), (done.stderr, err)):
        assert wanted in text if wanted else not text


def test_the_configuration_is_checked_with_its_certificate(tls_portal):
    path = pathlib.Path(tls_portal.dir.name)
    done = run("-n", "-c", path / "conf")
    assert (done.returncode, done.stdout) == (
        0, f"{path / 'conf'}: no fault, 2 networks\n")
    conf = (path / "conf").read_text()
    (path / "bad").write_text(conf.replace("key.pem", "cert.pem"))
    done = run("-n", "-c", path / "bad")
    assert done.returncode == 1
    assert "not a certificate with its key" in done.stderr


def test_stop_while_guests_wait():
    portal = Portal()
    portal.daemon.reply = SILENT
    socks = [portal.connect() for _ in range(5)]
    for sock in socks:
        sock.sendall(get(portal))
    deadline = time.monotonic() + 5
    while len(portal.daemon.asked) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    begin = time.monotonic()
    assert portal.stop() == 0, portal.log()
    assert time.monotonic() - begin < 2
    for sock in socks:
        sock.close()


@pytest.fixture(scope="module")
def tls_portal():
    portal = Portal(tls=True, name="portal.test")
    portal.daemon.reply = RUNNING
    yield portal
    assert portal.stop() == 0, portal.log()


def tls_request(portal, raw):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", portal.tls_port),
                                  timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="portal.test") as sock:
            sock.sendall(raw)
            return receive(sock)


def test_tls_cookies_are_secure(tls_portal):
    tls_portal.daemon.reply = dict(RUNNING, token=TOKEN)
    answer = tls_request(tls_portal, b"GET / HTTP/1.1\r\nHost: portal.test\r\n"
                         b"\r\n")
    assert answer.status == 200
    assert "; Secure" in answer.header("Set-Cookie")
    assert f"https://portal.test:{tls_portal.tls_port}/r#" in answer.text()
    assert not tls_portal.daemon.faults


def test_tls_login_by_qr_code_is_secure(tls_portal):
    tls_portal.daemon.reply = {
        "success": True, "sessionId": "5" * 64, "cookie": "c" * 64, "role": "staff",
        "redirectUrl": "/staff/dashboard", "token": TOKEN}
    body = b"token=" + b"a" * 48 + b"&id=S-1&secret=4711"
    answer = tls_request(tls_portal, b"POST /login HTTP/1.1\r\nHost: portal.test\r\n"
                         b"Content-Type: application/x-www-form-urlencoded\r\n"
                         b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert answer.status == 303
    cookies = answer.header("Set-Cookie").splitlines()
    assert sorted(cookie.split("=")[0] for cookie in cookies) == ["gh_qr", "gh_session"]
    assert all("; HttpOnly; SameSite=Lax; Secure" in cookie for cookie in cookies)


def test_with_a_certificate_tokens_travel_by_tls_only(tls_portal):
    tls_portal.daemon.asked.clear()
    answer = tls_portal.send(b"GET /?code=A HTTP/1.1\r\nHost: portal.test\r\n"
                             b"\r\n")
    assert answer.status == 302
    assert answer.header("Location") == (
        f"https://portal.test:{tls_portal.tls_port}/?code=A")
    answer = tls_portal.send(
        b"POST /api/sessions/restore HTTP/1.1\r\nHost: portal.test\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.status == 403
    assert not tls_portal.daemon.asked


def served_name(portal):
    """Who the certificate says the portal is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", portal.tls_port), timeout=5) as sock:
        with context.wrap_socket(sock, server_hostname="portal.test") as tls:
            der = tls.getpeercert(binary_form=True)
    shown = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"],
                           input=der, capture_output=True, check=True)
    return shown.stdout.decode().split("=")[-1].strip()


def wait_for_log(portal, text, count=1):
    deadline = time.monotonic() + 60
    while portal.log().count(text) < count:
        assert time.monotonic() < deadline, portal.log()
        time.sleep(0.1)


@pytest.mark.slow
def test_a_renewed_certificate_is_used_without_a_restart(tls_portal):
    """And a half of one is not; both by a process that may only read."""
    assert served_name(tls_portal) == "portal.test"
    directory = tls_portal.dir.name
    with tls_portal.connect() as early:
        tls_portal.make_certificate(directory, "renewed.test")
        wait_for_log(tls_portal, "a new certificate is in use")
        assert served_name(tls_portal) == "renewed.test"
        early.sendall(b"GET /help HTTP/1.1\r\nHost: portal.test\r\n\r\n")
        assert receive(early).status in (200, 302)
    # Its key is another's; then a certificate client replaces the file.
    pathlib.Path(directory, "cert.pem").write_text("not one\n")
    wait_for_log(tls_portal, "are not a certificate with its key")
    assert served_name(tls_portal) == "renewed.test"
    with tempfile.TemporaryDirectory() as new:
        tls_portal.make_certificate(new)
        for name in "key.pem", "cert.pem":
            shutil.copy(f"{new}/{name}", f"{directory}/{name}.new")
            os.rename(f"{directory}/{name}.new", f"{directory}/{name}")
    wait_for_log(tls_portal, "a new certificate is in use", 2)
    assert served_name(tls_portal) == "portal.test"


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file)


def test_the_keeper_is_caged_and_ends_with_the_portal():
    portal = Portal(tls=True)
    try:
        with open(f"/proc/{portal.process.pid}/task/{portal.process.pid}/children") as file:
            keeper, = file.read().split()
        # It shuts its cage itself, the filter last, while the portal goes on.
        deadline = time.monotonic() + 20
        while (fields := status_of(keeper))["Seccomp"] != "2":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert fields["NoNewPrivs"] == "1"
        assert fields["CapEff"] == fields["CapPrm"] == "0" * 16
        assert "0" not in fields["Uid"].split()
        # A service is stopped by a signal to each of its processes.
        os.kill(int(keeper), signal.SIGTERM)
        assert served_name(portal) == "portal.test" and os.path.exists(f"/proc/{keeper}")
        portal.process.kill()
        deadline = time.monotonic() + 20
        while os.path.exists(f"/proc/{keeper}"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        portal.stop()


def test_tls_does_not_take_anything(tls_portal):
    """Noise on the TLS port ends the connection and nothing else."""
    with socket.create_connection(("127.0.0.1", tls_portal.tls_port),
                                  timeout=5) as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"GET / HTTP/1.1\r\n\r\n" + os.urandom(500))
            while sock.recv(4096):
                pass
    assert tls_request(tls_portal, b"GET /help HTTP/1.1\r\nHost: portal.test\r"
                       b"\n\r\n").status == 200
