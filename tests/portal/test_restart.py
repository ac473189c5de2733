# SPDX-License-Identifier: GPL-2.0-or-later
"""Restarts that nobody notices: of the portal, whose sockets a service manager
keeps meanwhile, and of the daemon, for whom requests wait."""
import fcntl
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from fake import CAPTIVE, Portal, receive

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


class Managed(Portal):
    """Run by what does of systemd that this is about: FDSTORE (sd_notify(3))
    and passing on what was stored (sd_listen_fds(3))."""

    def __init__(self):
        self.stored = []
        self.notified = []
        super().__init__()

    def launch(self, log):
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = f"{self.dir.name}/notify"
        if os.path.exists(path):
            os.unlink(path)
        self.manager.bind(path)
        os.chmod(path, 0o666)
        self.manager.settimeout(30)
        names = ":".join(name for name, _ in self.stored)
        moves = "".join(f" {3 + n}<&{fd} {fd}<&-" for n, (_, fd) in enumerate(self.stored))
        env = dict(self.env, NOTIFY_SOCKET=path, LISTEN_FDS=str(len(self.stored)),
                   LISTEN_FDNAMES=names)
        return subprocess.Popen(
            ["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$@"{moves}', "bash", *self.command],
            stderr=log, env=env, pass_fds=[fd for _, fd in self.stored])

    def wait_until_up(self):
        super().wait_until_up()
        self.manager.setblocking(False)
        while True:
            try:
                text, fds, _, _ = socket.recv_fds(self.manager, 4096, 4)
            except BlockingIOError:
                break
            self.notified.append(text.decode())
            fields = dict(line.split("=", 1) for line in text.decode().splitlines())
            if "FDSTORE" in fields:
                self.store(fields["FDNAME"], fds[0])
            if "FDSTOREREMOVE" in fields:
                self.forget(fields["FDNAME"])
        self.manager.close()

    def store(self, name, fd):
        """As systemd does, once each; far up, out of the way of 3, 4, ..."""
        if not any(os.path.sameopenfile(fd, known) for _, known in self.stored):
            self.stored.append((name, fcntl.fcntl(fd, fcntl.F_DUPFD, 300)))
        os.close(fd)

    def forget(self, name):
        for fd in [fd for known, fd in self.stored if known == name]:
            os.close(fd)
        self.stored = [row for row in self.stored if row[0] != name]

    def restart(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, self.log()
        self.start()


@pytest.fixture
def portal():
    portal = Managed()
    portal.daemon.reply = CAPTIVE
    yield portal
    assert portal.stop() == 0, portal.log()


def get(portal, path="/"):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n\r\n".encode()


class Guests:
    """Ask again and again, some for pages, some for what needs no daemon."""

    def __init__(self, portal):
        self.portal = portal
        self.answers = []
        self.ends = False
        self.threads = [threading.Thread(target=self.ask, args=(path,)) for path in
                        ("/", "/api/session", "/assets/portal.css", "/r")]

    def ask(self, path):
        while not self.ends:
            try:
                self.answers.append(self.portal.send(get(self.portal, path)).status)
            except OSError as error:
                self.answers.append(error)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait()
        return self

    def wait(self):
        """Until each has surely asked once more."""
        count, deadline = len(self.answers), time.monotonic() + 30
        while len(self.answers) < count + 20:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def __exit__(self, *_):
        self.ends = True
        for thread in self.threads:
            thread.join(30)


def test_the_portal_restarts_under_requests(portal):
    with Guests(portal) as guests:
        for _ in range(3):
            portal.restart()
            guests.wait()
    assert set(guests.answers) == {200}
    assert len(portal.stored) == 4 and not portal.daemon.faults


def test_who_was_accepted_is_answered(portal):
    """One half of whose request is there, and one the daemon thinks about."""
    gate = threading.Event()
    portal.daemon.reply = lambda op, args: gate.wait(20) and CAPTIVE
    with portal.connect() as half, portal.connect() as whole:
        half.sendall(get(portal, "/help")[:-2])
        whole.sendall(get(portal))
        while not portal.daemon.asked:
            time.sleep(0.01)
        portal.process.send_signal(signal.SIGTERM)
        half.sendall(b"\r\n")
        gate.set()
        assert {receive(half).status, receive(whole).status} == {200}
    assert portal.process.wait(20) == 0
    portal.start()


def test_a_form_from_before_still_works(portal):
    """Its token is signed with a key that outlives the run."""
    page = portal.send(get(portal)).text()
    token = re.search(r'name="form" value="(\w+)"', page)[1]
    portal.restart()
    body = f"form={token}&code=WIFI1"
    portal.daemon.reply = {"success": False, "code": "voucher_unknown", "error": "No."}
    answer = portal.send((f"POST /activate HTTP/1.1\r\nHost: 127.0.0.1:{portal.port}\r\n"
                          f"Origin: null\r\n{FORM}Content-Length: {len(body)}\r\n\r\n{body}"
                          ).encode())
    assert answer.status == 404
    assert "vouchers.activate" in [op for op, _ in portal.daemon.asked]


def test_sockets_that_are_no_longer_wanted_are_given_up(portal):
    conf = portal.command[3]
    with open(conf) as file:
        text = file.read()
    with open(conf, "w") as file:
        file.write(text.replace("portal4 = 127.0.0.2", "portal4 = 127.0.0.3"))
    portal.restart()
    assert "FDSTOREREMOVE=1\nFDNAME=listener" in portal.notified
    with socket.create_connection(("127.0.0.3", portal.port), timeout=15):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", portal.port), timeout=15)


def test_the_daemon_restarts_under_requests(portal):
    with Guests(portal) as guests:
        for _ in range(2):
            portal.daemon.stop()
            time.sleep(0.5)
            portal.daemon.listen()
            guests.wait()
    assert set(guests.answers) == {200}
    assert "no answer" not in portal.log()
