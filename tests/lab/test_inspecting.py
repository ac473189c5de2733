# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/inspecting.md: every command works, and prints what the page shows."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import Lab, TOP, WAYS, numbers

PAGE = (TOP / "docs/inspecting.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", PAGE, flags=re.S)


def key_of(mac):
    return " ".join(mac.split(":"))


def plain(text):
    """Numbers and spaces aside."""
    return re.sub(r"\d+", "N", re.sub(r"\s+", " ", text))


@pytest.fixture(scope="module")
def box():
    """The page's box: one guest online, one captive, both seen by the gate."""
    lab = Lab(f"t{os.getpid() % 10000}{next(numbers)}", 2, WAYS["xdp"])
    online, captive = lab.guests(2)
    lab.ctl("allow", online.mac, "--minutes", 5, "--megabytes", 3)
    assert online.is_online()
    captive.curl("http://example.org/")
    lab.online, lab.captive = online.mac, captive.mac
    yield lab
    lab.down()


def test_every_command_has_what_it_prints():
    assert len(BLOCKS) == len(re.findall(r"^```sh$", PAGE, flags=re.M)) >= 12


@pytest.mark.parametrize("command, shown", BLOCKS, ids=range(len(BLOCKS)))
def test_command(box, command, shown):
    link = box.run("gw", "ip", "-o", "link", "show", "lan0").stdout
    index = int(link.split(":")[0])
    for old, new in (("/sys/fs/bpf/gatehouse", str(box.pins)),
                     ("02 00 5e 10 00 01", key_of(box.online)),
                     ("02 00 5e 10 00 02", key_of(box.captive)),
                     ("links/2-", f"links/{index}-"),
                     ("interfaces key 2 0", f"interfaces key {index} 0")):
        command = command.replace(old, new)
    done = box.run("gw", "bash", "-euc", command, check=False)
    assert done.returncode == 0 and not done.stderr, (command, done.stderr)
    printed = plain(done.stdout)
    for line in shown.replace("02:00:5e:10:00:01", box.online).splitlines():
        assert plain(line.strip()) in printed, (line, done.stdout)


MAPS_WITHOUT_ELEMENTS = {"events"}


def test_every_map_is_readable(box):
    """Types with it, so that fields and states have names."""
    for path in sorted(pathlib.Path(box.pins).iterdir()):
        if path.is_dir() or path.name in MAPS_WITHOUT_ELEMENTS:
            continue
        show = subprocess.run(["bpftool", "map", "show", "pinned", path], text=True,
                              capture_output=True, check=True).stdout
        if "prog_array" in show:
            continue
        types = subprocess.run(["bpftool", "btf", "dump", "map", "pinned", path, "value"],
                               text=True, capture_output=True, check=False)
        assert types.returncode == 0, (path.name, types.stderr)
