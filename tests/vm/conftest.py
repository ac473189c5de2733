# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests for a kernel that has all that Debian's has, run by suite.sh in a
virtual machine; they share the lab's helpers. A file test_X.py that is put here
is run under each kernel; have one box serve a whole file, because to load the
programs takes 5 to 10 s there."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))
