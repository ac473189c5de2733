# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests for a kernel that has all that Debian's has, run by suite.sh in a
virtual machine; they share the lab's helpers. A file test_X.py that is put here
is run under each kernel. All share one box with networks of every kind, because
to load the programs takes 5 to 10 s there."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
from gatebox import build_driver  # noqa: E402
from lans import Lans  # noqa: E402

# Network n is the nth. XDP looks at frames of hardware and veth, not of
# devices above them.
KINDS = ["plain", "bridge", "vlan", "stacked", "access", "trunk", "tagged",
         "xdp-plain", "xdp-trunk", "xdp-tagged"]


@pytest.fixture(scope="session")
def lans():
    build_driver()
    with Lans(*KINDS) as box:
        box.start()
        yield box
