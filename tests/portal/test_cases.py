# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the cases of tests/portal/*.case: data only, this is their driver.

A file holds cases, each opened by "== what it protects". Its lines:

  > TEXT        a line of the request, sent with CRLF. After an empty one the
                body follows, its lines joined by LF; Content-Length is added
                when the request has neither that nor Transfer-Encoding.
                {port}, {token} are replaced, {xNN} is a byte, {N*TEXT} repeats
  daemon OP ARGS     the operation that must be asked; without such a line
                none may be
  proof TEXT    the token that goes with it; without such a line there is none
  reply JSON    what the fake daemon answers; captive, running, closed: for
                short. {"state":...} after such a word is laid over it
  status N      of the answer; 0: closed without one; several: any of them
  header NAME: TEXT  is in that header; "header NAME!" the header is missing
  json OBJECT   is the body
  body TEXT     is in the body; body! TEXT is not
  log! TEXT     is not in the portal's log afterwards
"""
import itertools
import json
import pathlib
import re

import pytest

from fake import CAPTIVE, CLOSE, COINS, LOCKED, PLANS, RUNNING, TOKEN, Portal

HERE = pathlib.Path(__file__).parent
REPLIES = {"captive": CAPTIVE, "running": RUNNING, "coins": COINS, "locked": LOCKED,
           "plans": PLANS}
# Each case comes from an address of its own: refusals are limited by address.
SOURCES = (f"127.1.{n // 250}.{n % 250 + 1}" for n in itertools.count())


class Case:
    def __init__(self, name):
        self.name = name
        self.lines = []
        self.daemon = []
        self.proof = None
        self.reply = None
        self.checks = []


def parse(path):
    case = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("== "):
            case = Case(f"{path.stem}: {line[3:]}")
            yield case
        elif line.startswith("> ") or line == ">":
            case.lines.append(line[2:])
        elif line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            if word == "daemon":
                op, _, args = rest.partition(" ")
                case.daemon.append((op, json.loads(expand(args) or "{}")))
            elif word == "proof":
                case.proof = expand(rest)
            elif word == "reply":
                case.reply = parse_reply(rest)
            elif word in CHECKS:
                case.checks.append((CHECKS[word], expand(rest)))
            else:
                raise ValueError(f"{path}:{number}: {line}")


def parse_reply(text):
    word, _, rest = text.partition(" ")
    if word == "closed":
        return CLOSE
    if word in REPLIES:
        return dict(REPLIES[word], **json.loads(expand(rest) or "{}"))
    return json.loads(expand(text))


def expand(text):
    text = re.sub(r"\{(\d+)\*(.+?)\}", lambda m: int(m[1]) * m[2], text)
    return text.replace("{token}", TOKEN).replace("{port}", str(PORT[0]))


PORT = [0]


def to_bytes(text):
    return re.sub(rb"\{x([0-9a-f]{2})\}", lambda m: bytes([int(m[1], 16)]),
                  expand(text).encode())


def request_of(case):
    if "" not in case.lines:
        return b"".join(to_bytes(line) + b"\r\n" for line in case.lines)
    at = case.lines.index("")
    head = [to_bytes(line) for line in case.lines[:at]]
    body = b"\n".join(to_bytes(line) for line in case.lines[at + 1:])
    names = {line.split(b":")[0].lower() for line in head[1:]}
    if body and not names & {b"content-length", b"transfer-encoding"}:
        head.append(b"Content-Length: %d" % len(body))
    if b"transfer-encoding" in names:
        body = body.replace(b"\n", b"\r\n")
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def check_status(answer, text, portal):
    assert str(answer.status) in text.split(), answer.raw[:400]


def check_header(answer, text, portal):
    if text.endswith("!"):
        assert answer.header(text[:-1]) is None
        return
    name, _, value = text.partition(": ")
    assert value in (answer.header(name) or "(no such header)")


def check_json(answer, text, portal):
    assert json.loads(answer.body) == json.loads(text)


def check_body(answer, text, portal):
    assert text in answer.text()


def check_no_body(answer, text, portal):
    assert text not in answer.text()


def check_no_log(answer, text, portal):
    assert text not in portal.log()


CHECKS = {"status": check_status, "header": check_header, "json": check_json,
          "body": check_body, "body!": check_no_body, "log!": check_no_log}


@pytest.fixture(scope="module")
def portal():
    portal = Portal()
    PORT[0] = portal.port
    yield portal
    assert portal.stop() == 0, portal.log()
    assert "Sanitizer" not in portal.log()


def load():
    return [case for path in sorted(HERE.glob("*.case"))
            for case in parse(path)]


@pytest.mark.parametrize("case", load(), ids=lambda case: case.name)
def test_case(portal, case):
    daemon = portal.daemon
    daemon.asked.clear()
    daemon.faults.clear()
    daemon.tokens.clear()
    daemon.reply = case.reply
    answer = portal.send(request_of(case), next(SOURCES))
    for check, text in case.checks:
        check(answer, text.replace(":0/", f":{portal.port}/"), portal)
    # A daemon that goes away with a guest's request is asked three times more.
    assert daemon.asked == case.daemon * (4 if case.reply is CLOSE else 1)
    assert not daemon.faults
    assert daemon.tokens == [case.proof] * len(daemon.asked)
    # A connection that proved a request proves no other.
    if case.daemon and answer.status:
        assert answer.header("Connection") == "close"
    if answer.status:
        assert TOKEN not in portal.log()
    assert portal.process.poll() is None, portal.log()
