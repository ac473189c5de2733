# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts that judge the tree see what they should: each rule with a
sample that breaks it, in a tree of its own."""

import pathlib
import re
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("bpf", "include/gatehouse", "userspace/base", "userspace/store",
           "userspace/rules", "userspace/daemon", "portal", "docs",
           "packaging", "tests", ".ci")
SPDX = "/* SPDX-License-Identifier: GPL-2.0-or-later */\n"
OPENING = SPDX + "/*\n * What it owns.\n * What it never does.\n */\n"


@pytest.fixture
def tree(tmp_path):
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    for script in TOP.glob("scripts/*.sh"):
        shutil.copy(script, tmp_path / "scripts")
    (tmp_path / "Makefile").write_text(
        "# SPDX-License-Identifier: GPL-2.0-or-later\n\n\n")
    (tmp_path / "README.md").write_text("# name\n")
    # The checks want at least one file of each.
    for folder in ("bpf", "include/gatehouse", "userspace/base", "portal"):
        (tmp_path / folder / "good.h").write_text(OPENING)
    return tmp_path


def run(tree, script, *args):
    return subprocess.run([tree / "scripts" / script, *args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)


@pytest.mark.parametrize("path, include, refused", [
    ("userspace/rules/voucher.c", '"store/store.h"', None),
    ("userspace/daemon/ops.c", '"rules/session.h"', None),
    ("userspace/rules/voucher.c", '"gatehouse/types.h"', None),
    ("portal/api.c", '"ctl/ctl_client.h"', None),
    ("portal/api.c", '"routes.h"', None),
    ("userspace/store/sqlite.c", "<sqlite3.h>", None),
    ("userspace/store/plans.c", "<sqlite3.h>", "belongs to"),
    ("userspace/store/plans.c", '"rules/plan.h"', "may not include"),
    ("userspace/rules/voucher.c", '"base/loop.h"', "may not include"),
    ("userspace/rules/voucher.c", "<sys/socket.h>", "belongs to"),
    ("portal/sandbox.c", "<seccomp.h>", None),
    ("portal/api.c", "<seccomp.h>", "belongs to"),
    ("userspace/daemon/ops.c", '"ops.h"', "name its folder"),
    ("userspace/base/mac.c", '"store/store.h"', "may not include"),
    ("portal/api.c", '"store/store.h"', "may not include"),
    ("portal/api.c", '"ctl/print.h"', "may not include"),
    ("bpf/gate.h", "<string.h>", "no C library"),
    ("bpf/gate.h", '"gatehouse/ctl.h"', "may not include"),
])
def test_layers(tree, path, include, refused):
    (tree / path).write_text(f"{OPENING}#include {include}\n")
    result = run(tree, "check-layers.sh")
    assert (result.returncode != 0) == (refused is not None), result.stdout
    assert refused is None or f"{path}:6:" in result.stdout
    assert refused is None or refused in result.stdout


@pytest.mark.parametrize("prefix, word", [(None, ""), ("cafe", "LAB_PREFIX=cafe ")])
def test_hints_name_the_lab(prefix, word):
    """What `make run` tells people to type is meant for that lab."""
    text = (TOP / "scripts/walk.sh").read_text()
    function = text[text.index("hints() {"):]
    function = function[:function.index("\n}\n") + 3]
    env = {"PATH": "/usr/bin:/bin", **({"LAB_PREFIX": prefix} if prefix else {})}
    said = subprocess.run(["bash", "-c", function + "web=http://w pins=/p hints"], env=env,
                          text=True, capture_output=True, check=True).stdout
    assert said.count(f"    {word}scripts/lab.sh ") == 3
    done = subprocess.run([TOP / "scripts/lab.sh", "gw", "true"], text=True, capture_output=True,
                          env={**env, "LAB_PREFIX": "no-such-lab"}, check=False)
    assert done.returncode == 1
    if "no lab" in done.stderr:  # root
        assert "LAB_PREFIX=no-such-lab lab.sh up" in done.stderr


def test_dnsmasq_takes_the_lines_of_the_readme(tmp_path):
    if not shutil.which("dnsmasq"):
        pytest.skip("dnsmasq is missing")
    text = (TOP / "README.md").read_text()
    lines = re.findall(r"^ +((?:interface|bind-|dhcp-|host-record).*)$",
                       text[text.index("4. DHCP"):text.index("5. `/etc")], re.M)
    assert len(lines) == 5
    conf = tmp_path / "guests.conf"
    conf.write_text("\n".join(lines) + "\n")
    done = subprocess.run(["dnsmasq", "--test", "-C", conf], text=True, capture_output=True,
                          check=False)
    assert done.returncode == 0, done.stderr


LONG = "int f(void)\n{\n" + "\tg();\n" * 121 + "}\n"


@pytest.mark.parametrize("text, refused", [
    (OPENING + "int f(void)\n{\n\treturn 0;\n}\n", None),
    (OPENING + "/* clang-format off */\nint t[] = {" + "1, " * 60 +
     "};\n/* clang-format on */\n", None),
    ("/*\n * One.\n * Two.\n */\nint x;\n", "no SPDX"),
    (SPDX + "int x;\nint y;\n", "opens without a comment"),
    (SPDX + "/* One line. */\nint x;\n", "3 lines or more"),
    (OPENING + "int x; \n", "space at the end"),
    (OPENING + "\t" * 12 + "int x_is_too_far_right;\n", "columns"),
    (OPENING + LONG, "function of 122 lines"),
    # Written apart, or this file would break the rule.
    (OPENING + "/* TO" + "DO: more */\n", "left-over"),
])
def test_style(tree, text, refused):
    (tree / "userspace/base/sample.c").write_text(text)
    result = run(tree, "check-style.sh")
    assert (result.returncode != 0) == (refused is not None), result.stdout
    assert refused is None or refused in result.stdout


def program(tree, name, text):
    path = tree / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_run_tests_counts_and_names_what_failed(tree):
    good = program(tree, "good", "echo '1..2'; echo 'ok 1 - a'; echo 'ok 2 - b'")
    skip = program(tree, "skip", "echo 'no bpffs here'; echo 'not ok 1 # SKIP a'")
    bad = program(tree, "bad", "echo 'ok 1 - a'; echo 'not ok 2 - b'; exit 1")
    crash = program(tree, "crash", "echo 'ok 1 - a'; kill -SEGV $$")
    mute = program(tree, "mute", "exit 0")
    result = run(tree, "run-tests.sh", good, skip, bad, crash, mute)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "4 passed, 3 failed, 1 skipped"
    assert "no bpffs here" in result.stdout
    result = run(tree, "run-tests.sh", good)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "2 passed, 0 failed, 0 skipped"


def deps(tree, *groups):
    result = run(tree, "deps.sh", "--list", *groups)
    assert result.returncode == 0, result.stdout
    return result.stdout.split()


def test_deps_by_group(tree):
    packages = deps(tree)
    assert len(packages) == len(set(packages)) > 30
    assert deps(tree, "build", "run", "test", "vm") == packages
    assert {"libbpf-dev", "clang", "bpftool"} <= set(deps(tree, "build"))
    # A gateway gets no browser and no packet generator.
    gateway = set(deps(tree, "build", "run"))
    assert "nftables" in gateway
    assert not gateway & {"chromium", "python3-selenium", "python3-scapy"}
    assert run(tree, "deps.sh", "--list", "tests").returncode == 2
