# SPDX-License-Identifier: GPL-2.0-or-later
"""The box's clock is set by years while guests are online: here, because that
clock is one for all namespaces. A machine that is thrown away has its own."""
import contextlib
import ctypes
import importlib.util
import pathlib
import time

import pytest

LAB = pathlib.Path(__file__).resolve().parents[1] / "lab/conftest.py"
spec = importlib.util.spec_from_file_location("lab_of_tests", LAB)
lab_of_tests = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lab_of_tests)

YEAR = 365 * 86400
STA_UNSYNC, ADJ_MAXERROR, ADJ_STATUS = 0x40, 0x04, 0x10

pytestmark = pytest.mark.skipif(
    "overlay / " not in pathlib.Path("/proc/mounts").read_text(),
    reason="sets the clock; run by scripts/vm.sh only")


def synchronised(yes):
    """As a time server's program tells the kernel."""
    timex = (ctypes.c_long * 26)()  # struct timex; modes, then status at its place
    ctypes.memset(timex, 0, ctypes.sizeof(timex))
    ctypes.cast(timex, ctypes.POINTER(ctypes.c_uint))[0] = ADJ_MAXERROR | ADJ_STATUS
    ctypes.cast(ctypes.byref(timex, 40), ctypes.POINTER(ctypes.c_int))[0] = (
        0 if yes else STA_UNSYNC)
    assert ctypes.CDLL(None).adjtimex(timex) >= 0


@contextlib.contextmanager
def clock_set(seconds, by_server):
    """The clock, so much later, and back."""
    for step in (seconds, -seconds):
        time.clock_settime(time.CLOCK_REALTIME, time.time() + step)
        synchronised(by_server)
        if step == seconds:
            yield


def test_years_both_ways():
    lab = lab_of_tests.make_lab("tc", 2)
    guest = lab.guest()
    reply = guest.redeem(lab.voucher(lab.plan(minutes=60)))[1]
    begun = time.monotonic()
    paused = lab.guest()
    lab.ctl("allow", paused.mac, "--minutes", "10")
    lab.ctl("pause", paused.mac)
    right = lab.ctl("status")["time"]

    def check():
        """Nobody gained or lost a second, and the token is good."""
        left = guest.session()["remainingSeconds"]
        assert abs(3600 - (time.monotonic() - begun) - left) < 10, left
        assert guest.restore(reply["token"])[0] == 200
        assert guest.is_online() and not paused.is_online()
        assert lab.ctl("client", paused.mac)["remainingSeconds"] > 590
        assert lab.ctl("verify")["differences"] == []

    # Nobody vouches for it: not believed within 10 minutes.
    with clock_set(YEAR, False):
        lab_of_tests.wait_for(lambda: lab.ctl("status")["clock"] == "doubt", 30)
        assert lab.ctl("status")["time"][:4] == right[:4]
        check()
    lab_of_tests.wait_for(lambda: lab.ctl("status")["clock"] == "ok", 30)
    # A time server does: believed at once, and nothing ends by it.
    for years in (1, -1):
        with clock_set(years * YEAR, True):
            lab_of_tests.wait_for(
                lambda y=years: int(lab.ctl("status")["time"][:4]) - int(right[:4]) == y, 30)
            check()
        lab_of_tests.wait_for(lambda: lab.ctl("status")["time"][:4] == right[:4], 30)

    # A restart in 1970: the date goes on from what was known.
    now = time.time()
    lab.kill("gatehoused")
    time.clock_settime(time.CLOCK_REALTIME, 1000)
    synchronised(False)
    lab.start()
    status = lab.ctl("status")
    assert status["clock"] == "guess" and status["time"][:4] == right[:4]
    check()
    time.clock_settime(time.CLOCK_REALTIME, now + 60)
    synchronised(True)
    lab_of_tests.wait_for(lambda: lab.ctl("status")["clock"] == "ok", 30)
    check()
    lab.down()
