# SPDX-License-Identifier: GPL-2.0-or-later
"""Operators who are not at the box: accounts, logins, tokens, roles (N12, N13, T1),
and the log of who asked for what (N10)."""
import base64
import contextlib
import hmac
import json
import pwd
import re
import socket
import subprocess
import threading
import time

import pytest

from conftest import BUILD, Refused, wait_for

PASSWORD = "correct horse battery"


def operator(lab, *words, password=None):
    """`gatehousectl operator ...`; its output."""
    result = subprocess.run(
        [str(BUILD / "gatehousectl"), "--socket", str(lab.state / "control.sock"), "--json",
         "operator", *words], input=(password or "") + "\n", text=True, capture_output=True,
        timeout=30, check=False)
    if result.returncode:
        raise Refused(result)
    return json.loads(result.stdout)


@contextlib.contextmanager
def connection(lab):
    """The control socket, as root."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        sock.settimeout(30)
        sock.connect(str(lab.state / "control.sock"))
        yield sock


def ask(sock, op, args=None, token=None):
    request = {"op": op}
    if args is not None:
        request["args"] = args
    if token is not None:
        request["token"] = token
    sock.send(json.dumps(request).encode())
    return json.loads(sock.recv(1 << 17))


@pytest.fixture(scope="module")
def door(tc_lab):
    """A connection of the operators' portal: the uid counts, when it connects."""
    script = ("import socket,sys,os\n"
              "os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[3]))\n"
              "s=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n"
              "s.connect(sys.argv[1])\n"
              "o=socket.socket(fileno=int(sys.argv[4]))\n"
              "socket.send_fds(o,[b'x'],[s.fileno()])\n")
    user = pwd.getpwnam("gatehouse-operator")
    socket_path = str(tc_lab.state / "control.sock")
    ours, theirs = socket.socketpair()
    subprocess.run(["/usr/bin/python3", "-c", script, socket_path, str(user.pw_gid),
                    str(user.pw_uid), str(theirs.fileno())], pass_fds=[theirs.fileno()],
                   check=True, timeout=30)
    _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    with socket.socket(fileno=fds[0]) as sock:
        sock.settimeout(60)
        yield sock
    ours.close()
    theirs.close()


def login(door, name, password=PASSWORD, address="10.0.0.9"):
    return ask(door, "operators.login",
               {"name": name, "password": password, "address": address})


def test_an_account_from_its_first_login_to_its_end(tc_lab, door):
    assert tc_lab.ctl("operator", "list")["items"] == []
    assert login(door, "anna")["code"] == "wrong_password"
    made = operator(tc_lab, "add", "anna", "--role", "staff", password=PASSWORD)
    assert (made["name"], made["role"]) == ("anna", "staff")
    with pytest.raises(Refused, match="already"):
        operator(tc_lab, "add", "Anna", "--role", "staff", password=PASSWORD)
    with pytest.raises(Refused, match="10 characters"):
        operator(tc_lab, "add", "bert", "--role", "staff", password="short")

    assert login(door, "anna", "wrong horse battery")["code"] == "wrong_password"
    reply = login(door, "ANNA")
    token = reply["token"]
    assert (reply["name"], reply["role"]) == ("anna", "staff")
    with connection(tc_lab) as sock:
        me = ask(sock, "operators.me", token=token)
        assert (me["name"], me["role"]) == ("anna", "staff")
        assert ask(sock, "clients.list", {}, token=token)["success"]
        # A role counts at once, and ends what was logged in under the old one.
        assert tc_lab.ctl("operator", "role", "anna", "--role", "supervisor")["ended"] == 1
        assert ask(sock, "clients.list", {}, token=token)["code"] == "not_logged_in"
        token = login(door, "anna")["token"]
        assert operator(tc_lab, "passwd", "anna", password="another horse")["ended"] == 1
        assert ask(sock, "operators.me", token=token)["code"] == "not_logged_in"
        assert login(door, "anna")["code"] == "wrong_password"
        token = login(door, "anna", "another horse")["token"]
        assert ask(sock, "operators.leave", token=token)["success"]
        assert ask(sock, "operators.me", token=token)["code"] == "not_logged_in"
        token = login(door, "anna", "another horse")["token"]
        assert tc_lab.ctl("operator", "logout", "anna")["ended"] == 1
        assert ask(sock, "operators.me", token=token)["code"] == "not_logged_in"
        token = login(door, "anna", "another horse")["token"]
        tc_lab.ctl("operator", "remove", "anna")
        assert ask(sock, "operators.me", token=token)["code"] == "not_logged_in"
    assert login(door, "anna", "another horse")["code"] == "wrong_password"
    assert tc_lab.ctl("operator", "list")["items"] == []


def test_roles_hold_for_tokens(tc_lab):
    """N13, and that staff give at most an hour; what is the box's own is refused."""
    mac = "02:00:00:00:55:01"
    tokens = {}
    for role in ("staff", "supervisor", "manager", "admin"):
        operator(tc_lab, "add", role, "--role", role, password=PASSWORD)
        tokens[role] = operator(tc_lab, "token", "add", role, "--label", "test")["token"]
    minute = {"mac": mac, "minutes": 60}
    cases = [
        ("clients.allow", minute, "staff"),
        ("clients.allow", {"mac": mac, "minutes": 61}, "supervisor"),
        ("clients.set", {"mac": mac, "note": "x"}, "staff"),
        ("clients.set", {"mac": mac, "sessionTime": 3601}, "supervisor"),
        ("clients.set", {"mac": mac, "downloadKbps": 500}, "supervisor"),
        ("clients.set", {"mac": mac, "blocked": False}, "supervisor"),
        ("clients.set", {"mac": mac, "exempt": False}, "manager"),
        ("clients.kick", {"mac": mac}, "supervisor"),
        ("backup", {}, None),
        ("plans.add", {"name": "op", "minutes": 5}, "manager"),
        ("operators.list", {}, "manager"),
        ("access.list", {}, "admin"),
        ("unload", {"open": True}, None),
        ("watch", {}, None),
    ]
    roles = list(tokens)
    with connection(tc_lab) as sock:
        for op, args, least in cases:
            for role in roles[:roles.index(least) if least else None]:
                reply = ask(sock, op, args, tokens[role])
                assert reply.get("code") == "not_allowed", (op, role, reply)
            if least:
                reply = ask(sock, op, args, tokens[least])
                assert reply["success"], (op, least, reply)
        # Nobody handles the account of who may do more.
        for op, args in (("operators.logout", {"name": "admin"}),
                         ("operators.role", {"name": "staff", "role": "admin"}),
                         ("operators.add", {"name": "x", "role": "admin",
                                            "password": PASSWORD}),
                         ("tokens.add", {"name": "admin"})):
            reply = ask(sock, op, args, tokens["manager"])
            assert reply["code"] == "not_allowed", (op, reply)
        assert ask(sock, "operators.role", {"name": "staff", "role": "supervisor"},
                   tokens["manager"])["success"]
        # A token has the role of the moment; and no other word makes a proof.
        assert ask(sock, "clients.get", {"mac": mac}, tokens["staff"])["success"]
        for token in ("", "0" * 64, tokens["admin"][:-1], tokens["admin"] + "0"):
            assert ask(sock, "status", {}, token)["code"] == "not_logged_in", token
        assert ask(sock, "operators.login", {"name": "staff", "password": PASSWORD,
                                             "address": "10.0.0.9"})["code"] == "not_allowed"
        row = next(r for r in tc_lab.ctl("operator", "token", "list")["items"]
                   if r["name"] == "admin")
        tc_lab.ctl("operator", "token", "remove", row["id"])
        assert ask(sock, "status", {}, tokens["admin"])["code"] == "not_logged_in"
    log = tc_lab.ctl("access")["items"]
    done = {(r["who"], r["operation"], r["result"]) for r in log}
    assert ("operator staff", "clients.allow", "not_allowed") in done
    assert ("operator supervisor", "clients.kick", "ok") in done
    assert all(r["ms"] >= 0 for r in log)
    assert not any(word in json.dumps(log) for word in [mac, PASSWORD, *tokens.values()])
    assert {r["result"] for r in tc_lab.ctl("access", "--result", "not_allowed")["items"]} == {
        "not_allowed"}
    for verb in (["operator", "list"], ["operator", "token", "list"], ["access"]):
        status, text = tc_lab.text(*verb)
        assert status == 0 and max(map(len, text.splitlines())) < 180, text


def test_passwords_keep_nobody_waiting_and_guessers_nobody_out(tc_lab, door):
    """The loop answers while passwords are checked; guesses are slow; who logged in
    from an address before is let in there."""
    operator(tc_lab, "add", "maria", "--role", "staff", password=PASSWORD)
    assert login(door, "maria", address="10.0.0.77")["success"]
    codes, slowest, over = [], 0.0, threading.Event()

    def guess():
        for n in range(60):
            codes.append(login(door, "maria", f"guess {n} is wrong",
                               f"10.9.{n}.1").get("code"))
        over.set()
    guesser = threading.Thread(target=guess)
    guesser.start()
    pings = 0
    with connection(tc_lab) as sock:
        while not over.is_set():
            begun = time.monotonic()
            assert ask(sock, "reasons")["success"]
            slowest = max(slowest, time.monotonic() - begun)
            pings += 1
    guesser.join()
    assert codes.count("wrong_password") <= 12 and "slow_down" in codes
    # Ten passwords, one after the other, are a second of work.
    assert pings > 50, (pings, slowest)
    assert login(door, "maria", address="10.9.99.1")["code"] == "slow_down"
    assert login(door, "maria", address="10.0.0.77")["success"]
    refused = tc_lab.ctl("access", "--result", "wrong_password")["items"]
    assert {r["who"] for r in refused} >= {"operator maria"}


def test_logins_survive_a_restart(tc_lab):
    token = operator(tc_lab, "token", "add", "maria")["token"]
    tc_lab.kill("gatehoused")
    tc_lab.start()
    with connection(tc_lab) as sock:
        assert ask(sock, "operators.me", token=token)["name"] == "maria"
    wait_for(lambda: tc_lab.ctl("access", "--who", "operator maria")["items"])


@pytest.fixture(scope="module")
def office(tc_lab):
    """The operators' instance, for a network where they may log in."""
    path = tc_lab.state / "gatehouse.conf"
    path.write_text(path.read_text() + "operators = yes\nqr_login = yes\n")
    said = tc_lab.run("gw", str(BUILD / "gatehoused"), "-n", "-c", str(path)).stderr
    assert "show the login to the guests' portal" in said and "in the clear" in said
    tc_lab.kill("gatehoused", 15)
    tc_lab.start()
    log = open(tc_lab.state / "gatehouse-operator.log", "w", encoding="utf-8")
    process = tc_lab.spawn("gw", str(BUILD / "gatehouse-portal"), "--operator", "-v", "-c",
                           str(path), stderr=log)
    wait_for(lambda: "serving operators" in (
        tc_lab.state / "gatehouse-operator.log").read_text())
    yield tc_lab
    process.terminate()
    assert process.wait(20) == 0
    log.close()


def curl(lab, where, path, *options, base="http://127.0.0.1:8080"):
    """(status, headers, body) of the operators' instance."""
    result = lab.run(where, "curl", "-sS", "-i", "-m", "20", *options, base + path)
    head, _, body = result.stdout.partition("\r\n\r\n" if "\r\n" in result.stdout else "\n\n")
    lines = head.splitlines()
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return int(lines[0].split()[1]), headers, body


def api(lab, path, body=None, *options, method=None, where="gw", **more):
    if body is not None:
        options += ("-H", "Content-Type: application/json", "-d", json.dumps(body))
    if method:
        options += ("-X", method)
    status, headers, text = curl(lab, where, path, *options, **more)
    return status, json.loads(text), headers


def test_a_day_at_the_office(office):
    """Log in, look, help a guest, log out: over HTTP, with a real guest."""
    operator(office, "add", "eva", "--role", "supervisor", password=PASSWORD)
    guest = office.guest()
    mac = guest.mac
    assert curl(office, "gw", "/")[0] == 200
    assert api(office, "/api/devices")[0] == 401
    status, reply, _ = api(office, "/api/login", {"name": "eva", "password": "wrong one here"})
    assert (status, reply["code"]) == (401, "wrong_password")
    status, reply, headers = api(office, "/api/login", {"name": "eva", "password": PASSWORD})
    assert status == 200 and reply["role"] == "supervisor" and "token" not in reply
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Secure" not in cookie
    as_eva = ("-b", cookie.split(";")[0])
    status, reply, _ = api(office, "/api/me", None, *as_eva)
    assert (status, reply["name"]) == (200, "eva")
    page = curl(office, "gw", "/dashboard", *as_eva)[2]
    assert "eva" in page and 'action="/logout"' in page
    status, reply, _ = api(office, "/api/operator/clients.allow", {"mac": mac, "minutes": 90},
                           *as_eva)
    assert status == 200 and guest.is_online()
    status, reply, _ = api(office, f"/api/devices/{mac}", {"name": "Room 12", "note": "late"},
                           *as_eva, method="PUT")
    assert status == 200 and reply["name"] == "Room 12", reply
    # PUT answers the device as GET shows it; by its number as by its MAC.
    shown = api(office, f"/api/devices/{mac}", None, *as_eva)[1]
    assert shown["note"] == "late" and set(reply) - {"message"} == set(shown)
    assert api(office, f"/api/devices/{shown['id']}", None, *as_eva)[1]["mac"] == shown["mac"]
    left = shown["remainingSeconds"]
    status, reply, _ = api(office, f"/api/devices/{shown['id']}",
                           {"sessionTime": 3600, "downloadKbps": 5000, "uploadKbps": 1000},
                           *as_eva, method="PUT")
    assert status == 200 and left + 3000 < reply["remainingSeconds"] <= left + 3600, reply
    status, reply, _ = api(office, f"/api/devices/{mac}", {"sessionTime": -10 ** 6}, *as_eva,
                           method="PUT")
    assert status == 200 and reply["remainingSeconds"] == 0 and not guest.is_online(), reply
    assert api(office, "/api/operator/clients.allow", {"mac": mac, "minutes": 90},
               *as_eva)[0] == 200 and guest.is_online()
    items = api(office, "/api/devices?limit=50", None, *as_eva)[1]["items"]
    assert mac.lower() in [item["mac"].lower() for item in items]
    # What is above her, what is the box's own, what another site wants.
    assert api(office, "/api/operator/plans.add", {"name": "x", "minutes": 1}, *as_eva)[0] == 403
    assert api(office, "/api/operator/unload", {"open": True}, *as_eva)[0] == 403
    for options in (("-H", "Origin: http://evil.example"),
                    ("-H", "Content-Type: text/plain")):
        status = curl(office, "gw", f"/api/devices/{mac}", "-X", "PUT", "-d", '{"name":"x"}',
                      *as_eva, *options)[0]
        assert status in (403, 415), options
    assert curl(office, "gw", "/api/me", *as_eva, "-H", "Host: evil.example")[0] == 403
    status, _, headers = api(office, "/api/logout", {}, *as_eva)
    assert status == 200 and "Max-Age=0" in headers["set-cookie"]
    assert api(office, "/api/me", None, *as_eva)[0] == 401
    # Her own password, by the old one.
    own = {"oldPassword": PASSWORD, "password": "staple and battery"}
    headers = api(office, "/api/login", {"name": "eva", "password": PASSWORD})[2]
    as_eva = ("-b", headers["set-cookie"].split(";")[0])
    reply = api(office, "/api/operator/operators.password",
                {**own, "oldPassword": "something else"}, *as_eva)[1]
    assert reply["code"] == "wrong_password"
    assert api(office, "/api/operator/operators.password", own, *as_eva)[0] == 200
    assert api(office, "/api/me", None, *as_eva)[0] == 401
    operator(office, "passwd", "eva", password=PASSWORD)
    # A program, with a token.
    token = operator(office, "token", "add", "eva")["token"]
    as_program = ("-H", f"Authorization: Bearer {token}")
    assert api(office, "/api/operator/clients.kick", {"mac": mac}, *as_program)[0] == 200
    assert not guest.is_online()


def test_the_form(office):
    status, headers, body = curl(office, "gw", "/login", "-d", "name=eva", "--data-urlencode",
                                 f"password={PASSWORD}", "-H", "Origin: http://127.0.0.1:8080")
    assert status == 303 and "gh_operator=" in headers["set-cookie"], body
    status, _, body = curl(office, "gw", "/login", "-d", "name=eva&password=nonsense-here",
                           "-H", "Origin: http://127.0.0.1:8080")
    assert status == 401 and "The name or the password is wrong." in body
    assert 'value="eva"' in body and "nonsense" not in body
    # Nobody posts it from elsewhere.
    assert curl(office, "gw", "/login", "-d", "name=eva&password=x", "-H",
                "Origin: http://evil.example")[0] == 403


def test_guests_get_there_only_online(office):
    """And the guests' instance only says where it is."""
    guest = office.guest()
    there = {"base": "http://10.77.0.1:8080"}
    refused = guest.curl("http://10.77.0.1:8080/", timeout=3)
    assert refused.status == 0
    answer = guest.curl("http://10.77.0.1/dashboard/x")
    assert answer.status == 302
    assert answer.headers["location"].strip() == "http://10.77.0.1:8080/dashboard"
    assert guest.api("/api/operator/status", {})[0] == 404
    assert guest.curl("http://10.77.0.1/api/devices").status == 404
    office.ctl("allow", guest.mac, "--minutes", "5")
    assert guest.curl("http://10.77.0.1:8080/").status == 200
    status, reply, _ = api(office, "/api/login", {"name": "eva", "password": "no such word"},
                           where=guest.name, **there)
    assert (status, reply["code"]) == (401, "wrong_password")
    page = guest.curl("http://10.77.0.1:8080/").body
    assert "not encrypted" in page


def test_a_name_of_its_own(office):
    """Browsers send cookies to all ports of a host: with a name, no login is made at
    the address that the guests' instance has as well."""
    text = (office.state / "gatehouse.conf").read_text()
    path = office.state / "named.conf"
    path.write_text(text.replace(
        "[portal]\n", "[portal]\nname = portal.test\noperator_http_port = 8090\n"))
    log_path = office.state / "named.log"
    with open(log_path, "w", encoding="utf-8") as log:
        process = office.spawn("gw", str(BUILD / "gatehouse-portal"), "--operator", "-c",
                               str(path), stderr=log)
        try:
            wait_for(lambda: "serving operators" in log_path.read_text())
            there = {"base": "http://10.77.0.1:8090"}
            status, headers, _ = curl(office, "gw", "/", **there)
            assert (status, headers["location"]) == (302, "http://admin.portal.test:8090/")
            named = ("-H", "Host: admin.portal.test:8090")
            assert curl(office, "gw", "/", *named, **there)[0] == 200
            body = {"name": "eva", "password": PASSWORD}
            assert api(office, "/api/login", body, **there)[0] == 403
            assert api(office, "/api/login", body, *named, **there)[0] == 200
        finally:
            process.terminate()
            assert process.wait(20) == 0


def code_of(secret, ahead=0):
    """What an app shows (RFC 6238)."""
    key = base64.b32decode(secret.replace(" ", ""))
    step = int(time.time()) // 30 + ahead
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 10**6:06}"


def begin(office, name, **more):
    """The form of the login; (status, headers, page)."""
    page = curl(office, "gw", "/")[2]
    fields = {"name": name, "password": PASSWORD, "next": "/dashboard",
              "form": re.search('name="form" value="([0-9a-f]{32})"', page)[1]}
    options = [w for k, v in fields.items() for w in ("--data-urlencode", f"{k}={v}")]
    return curl(office, "gw", "/login", "-H", "Origin: null", *options)


def second(office, page, code):
    hidden = dict(re.findall('name="(form|next|ticket)" value="([^"]*)"', page))
    options = [w for k, v in {**hidden, "code": code}.items()
               for w in ("--data-urlencode", f"{k}={v}")]
    return curl(office, "gw", "/login/code", "-H", "Origin: null", *options)


def test_a_code_behind_the_password(office):
    """RFC 6238: set up on the page, asked for at each login, good once; and by the desk."""
    operator(office, "add", "tina", "--role", "manager", password=PASSWORD)
    _, headers, _ = begin(office, "tina")
    cookie = ("-b", headers["set-cookie"].split(";")[0])
    account = "/dashboard/account"
    status, _, page = form(office, account, "operators.totp.begin", cookie)
    assert status == 200 and 'src="data:image/svg+xml;base64,' in page
    secret = re.search('class="link">([A-Z2-7 ]+)<', page)[1]
    # Until a code was shown it is not asked for, and a wrong one changes nothing.
    assert "set-cookie" in begin(office, "tina")[1]
    assert form(office, account, "operators.totp.confirm", cookie, code="000000")[0] == 401
    code = code_of(secret)
    assert form(office, account, "operators.totp.confirm", cookie, code=code)[0] == 303
    assert "operators.totp.off" in curl(office, "gw", account, *cookie)[2]
    # Who has taken a login tries no codes out, nor do other questions start anew.
    tries = [form(office, account, f"operators.totp.{op}", cookie, code="12345")[0]
             for op in ("off", "off", "confirm", "off", "off", "off")]
    assert tries == [401, 401, 409, 401, 401, 429]
    status, reply, _ = api(office, "/api/operator/operators.totp",
                           {"name": "tina", "state": "off"}, *cookie)
    assert (status, reply["code"]) == (409, "conflict")
    status, headers, page = begin(office, "tina")
    assert status == 200 and "set-cookie" not in headers and 'action="/login/code"' in page
    assert secret.replace(" ", "") not in page.replace(" ", "")
    # One that was used before is not good again; the next one is.
    status, headers, page = second(office, page, code)
    assert status == 401 and "set-cookie" not in headers and "used before" in page
    status, headers, _ = second(office, page, code_of(secret, 1))
    assert status == 303 and headers["location"] == "/dashboard"
    # Who lost the phone asks whoever manages accounts. The API asks as well.
    secret = office.ctl("operator", "totp", "tina", "on")["secret"]
    credentials = {"name": "tina", "password": PASSWORD}
    assert api(office, "/api/login", credentials)[1]["code"] == "second_factor_required"
    status, reply, headers = api(office, "/api/login",
                                 {**credentials, "code": code_of(secret)})
    assert status == 200 and reply["name"] == "tina" and "set-cookie" in headers
    # Three tries, then one begins anew.
    page = begin(office, "tina")[2]
    for _ in range(3):
        assert 'action="/login/code"' in second(office, page, "12345")[2]
    status, _, page = second(office, page, code_of(secret, 1))
    assert status == 401 and 'action="/login"' in page
    assert office.ctl("operator", "totp", "tina", "off")["name"] == "tina"
    assert "set-cookie" in begin(office, "tina")[1]
    assert secret not in (office.state / "gatehouse-operator.log").read_text()


def test_a_role_that_has_to_show_codes(office):
    """second_factor: whoever has no app yet sets one up on the way in."""
    path = office.state / "gatehouse.conf"
    before = path.read_text()
    operator(office, "add", "adam", "--role", "admin", password=PASSWORD)
    operator(office, "add", "stan", "--role", "staff", password=PASSWORD)
    try:
        path.write_text(before.replace("[portal]\n", "[portal]\nsecond_factor = manager\n"))
        office.kill("gatehoused", 15)
        office.start()
        assert "set-cookie" in begin(office, "stan")[1]
        _, headers, page = begin(office, "adam")
        assert "set-cookie" not in headers
        secret = re.search('class="link">([A-Z2-7 ]+)<', page)[1]
        assert second(office, page, code_of(secret))[0] == 303
        page = begin(office, "adam")[2]
        assert 'class="link"' not in page and second(office, page, code_of(secret, 1))[0] == 303
    finally:
        path.write_text(before)
        office.kill("gatehoused", 15)
        office.start()


def form(office, path, op, cookie, **fields):
    """A form of the desk, as a browser without script sends it; where it goes on."""
    page = curl(office, "gw", path, *cookie)[2]
    fields["form"] = re.search('name="form" value="([0-9a-f]{32})"', page)[1]
    options = [word for name, value in fields.items()
               for word in ("--data-urlencode", f"{name}={value}")]
    status, headers, text = curl(office, "gw", f"/dashboard/do/{op}", *cookie,
                                 "-H", "Origin: null", *options)
    return status, headers.get("location"), text


def test_a_day_at_the_desk(office):
    """The same by the pages alone: find a guest, add time, name it, sell, end, block."""
    operator(office, "add", "dora", "--role", "manager", password=PASSWORD)
    guest = office.guest()
    _, _, headers = api(office, "/api/login", {"name": "dora", "password": PASSWORD})
    cookie = ("-b", headers["set-cookie"].split(";")[0])
    here = f"/dashboard/clients/client?mac={guest.mac}"
    guest.is_online()  # it tries, and so it is known
    for search in guest.mac[-8:].upper(), guest.address(4):
        assert guest.mac.upper() in curl(
            office, "gw", f"/dashboard/clients?search={search}", *cookie)[2], search
    status, location, text = form(office, here, "clients.allow", cookie, mac=guest.mac,
                                  minutes=30, paid="2.50")
    assert status == 303 and location.endswith("&done=time"), text
    assert guest.is_online()
    assert guest.mac.upper() in curl(office, "gw", "/dashboard/clients", *cookie)[2]
    assert form(office, here, "clients.describe", cookie, mac=guest.mac, name="Ünal <3",
                note="n")[0] == 303
    page = curl(office, "gw", "/dashboard/clients?search=%C3%9Cnal", *cookie)[2]
    assert "Ünal &lt;3" in page
    assert form(office, here, "clients.block", cookie, mac=guest.mac, blocked="yes")[0] == 303
    assert not guest.is_online()
    assert form(office, here, "clients.block", cookie, mac=guest.mac, blocked="no")[0] == 303
    assert form(office, here, "clients.kick", cookie, mac=guest.mac)[0] == 303
    assert not guest.is_online()
    # Sold for the price of the plan, redeemed by the guest.
    status, _, text = form(office, "/dashboard/vouchers", "vouchers.sell", cookie, plan="1 Hour")
    assert status == 200, text
    code = re.search('class="big-code"><bdi>([A-Z0-9]+)<', text)[1]
    assert guest.redeem(code)[0] == 200
    assert guest.is_online()
    page = curl(office, "gw", "/dashboard", *cookie)[2]
    assert "500 TZS" in page or "502.50" in page, page
    # A batch, and its sheet as the command prints it.
    status, location, _ = form(office, "/dashboard/vouchers", "vouchers.create", cookie,
                               plan="1 Hour", count=3, batch="desk test")
    assert status == 303 and "desk%20test" in location
    sheet = curl(office, "gw", "/dashboard/vouchers/sheet?batch=desk%20test", *cookie)[2]
    printed = office.text("voucher", "print", "desk test")[1]
    assert sheet.strip() == printed.strip() and sheet.count('class="v"') == 3
    # Staff see no button for what the daemon refuses them.
    operator(office, "role", "dora", "--role", "staff")
    _, _, headers = api(office, "/api/login", {"name": "dora", "password": PASSWORD})
    cookie = ("-b", headers["set-cookie"].split(";")[0])
    assert "clients.kick" not in curl(office, "gw", here, *cookie)[2]
    assert form(office, here, "clients.kick", cookie, mac=guest.mac)[0] == 403
    assert guest.is_online()


def test_members_and_codes_at_the_desk(office):
    """A list is taken in, one is changed and removed; a code is made, shown, withdrawn."""
    operator(office, "add", "olga", "--role", "admin", password=PASSWORD)
    _, _, headers = api(office, "/api/login", {"name": "olga", "password": PASSWORD})
    cookie = ("-b", headers["set-cookie"].split(";")[0])
    here = "/dashboard/members"
    page = curl(office, "gw", here, *cookie)[2]
    token = re.search('name="form" value="([0-9a-f]{32})"', page)[1]
    lines = "identity,name,devices\nmaria@example.org,Maria,3\nB-17,Bo,2\n,nobody,1\n"
    status, _, text = curl(office, "gw", here + "/import", *cookie, "-H", "Origin: null",
                           "--data-urlencode", f"csv={lines}", "-d", f"form={token}")
    assert status == 200 and "<dd>2</dd>" in text and "Line 4:" in text, text
    page = curl(office, "gw", here + "?search=maria", *cookie)[2]
    one = re.search(r'href="(/dashboard/members/member\?id=(\d+))"', page)
    status, location, text = form(
        office, one[1], "members.set", cookie, id=one[2], identity="maria@example.org",
        name="Maria L", email="", devices="4", **{"from": "2026-01-01T10:00"},
        to="2036-01-08T11:30", last_name="L\u00f3pez", room="", plan="", account="")
    assert status == 303 and location == one[1] + "&done=saved", text
    page = curl(office, "gw", location, *cookie)[2]
    assert 'value="2036-01-08T11:30"' in page and "L\u00f3pez" in page
    assert form(office, one[1], "members.remove", cookie, id=one[2])[0] == 303
    assert "maria@" not in curl(office, "gw", here, *cookie)[2]
    status, location, text = form(office, "/dashboard/admin/qr", "qr.generate", cookie,
                                  label="Lobby")
    assert status == 303, text
    page = curl(office, "gw", location, *cookie)[2]
    link = re.search(r"http://[^<]*/login\?token=[0-9a-f]{48}", page)[0]
    number = re.search(r"id=(\d+)", location)[1]
    poster = curl(office, "gw", f"/dashboard/admin/qr/poster?id={number}", *cookie)
    assert poster[0] == 200 and "<svg" in poster[2]
    status, reply, _ = api(office, "/api/qr/universal/generate", {}, *cookie)
    assert status == 200 and len(reply["token"]) == 48 and reply["loginUrl"] != link
    assert form(office, "/dashboard/admin/qr", "qr.revoke", cookie, id=number)[0] == 303
    reply = api(office, "/api/qr/universal/generate", None, *cookie)[1]
    assert [r["isActive"] for r in reply["qrTokens"] if str(r["id"]) == number] == [False]
