# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehousectl where no daemon is asked: help, refusals, JSON whatever happens."""

import json
import os
import pathlib
import re
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("GATEHOUSE_BUILD", "build")
ENV = {**os.environ, "LC_ALL": "C.UTF-8"}


def ctl(*words):
    return subprocess.run([BUILD / "gatehousectl", *words], env=ENV, timeout=10,
                          capture_output=True, text=True, check=False)


REFUSED = [
    ([], "Which verb"),
    (["--socket"], "--socket needs a path"),
    (["--bogus"], 'no option "--bogus"'),
    (["bogus"], 'no verb "bogus"'),
    (["bogus", "--help"], 'no verb "bogus"'),
    (["plan"], "list or add"),
    (["voucher", "sell"], "Give PLAN or --code."),
    (["voucher", "print", "b", "--paper", "a3"], "--paper is a4, 80mm or 58mm."),
    (["voucher", "import", "/nowhere", "--plan", "x"], "No such file"),
    (["batch", "drop"], 'comes list, not "drop"'),
    (["unload"], "Give --open or --closed."),
    (["unload", "--open", "--closed"], "Give --open or --closed, not both."),
    (["allow", "m", "--plan", "x", "--megabytes", "1"], "--megabytes goes with --minutes"),
    (["allow", "m", "--minutes"], "--minutes needs a value"),
    (["block", "m", "--off=1"], "--off takes no value"),
    (["client", b"\xff"], "UTF-8"),
]


@pytest.mark.parametrize("words, sentence", REFUSED)
def test_refusals_are_short_and_json_when_asked(words, sentence):
    done = ctl(*words)
    assert done.returncode == 2 and not done.stdout
    assert sentence in done.stderr and len(done.stderr.splitlines()) <= 2
    done = ctl("--json", *words)
    reply = json.loads(done.stdout)
    assert done.returncode == 2 and not done.stderr
    assert reply["success"] is False and sentence in reply["error"]
    assert reply["code"] == "bad_request"


def test_no_daemon(tmp_path):
    done = ctl("--json", f"--socket={tmp_path}/none", "status")
    assert done.returncode == 5
    assert json.loads(done.stdout)["code"] == "unavailable"
    assert ctl("status", "--socket", tmp_path / "none").returncode == 5


def test_help_of_each_verb():
    reply = json.loads(ctl("--json", "--help").stdout)
    assert reply["success"] is True and len(reply["verbs"]) > 10
    for verb in reply["verbs"]:
        text = ctl(*verb["verb"].split(), "--help").stdout
        assert f"usage: gatehousectl {verb['usage']}\n" in text
        assert f"example: gatehousectl {verb['example']}\n" in text
        # Whole, however much a verb takes.
        assert all(verb["usage"].count(a) == verb["usage"].count(b) for a, b in ("[]", "{}"))
        for argument in verb["arguments"]:
            assert re.search(rf"^  {re.escape(argument['name'])}\b", text, flags=re.M)
    assert ctl("help", "kick").stdout == ctl("kick", "--help").stdout
    assert "plan list" not in ctl("plan", "add", "--help").stdout
    assert "voucher" not in ctl("plan", "--help").stdout


@pytest.mark.parametrize("program", ["gatehousectl", "gatehoused", "gatehouse-portal"])
def test_version(program):
    done = subprocess.run([BUILD / program, "--version"], timeout=10, capture_output=True,
                          text=True, check=True)
    assert re.fullmatch(rf"{program} \d+\.\d+\.\d+\n", done.stdout)
