# SPDX-License-Identifier: GPL-2.0-or-later
"""Python's own sockets on a guest's side of the gate."""

import contextlib
import ctypes
import os

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def enter(file):
    if libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), file.name)


@contextlib.contextmanager
def inside(namespace):
    """This thread is in that network namespace: what it opens stays there."""
    with open("/proc/thread-self/ns/net") as home, open(namespace) as there:
        enter(there)
        try:
            yield
        finally:
            enter(home)
