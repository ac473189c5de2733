# SPDX-License-Identifier: GPL-2.0-or-later
"""Vouchers (P3) from the desk to the guest and back; and guessing: while a hundred
guessers at a time try codes without a pause, each try under a MAC that nobody
has seen, a guest with a right code gets in."""
import itertools
import json
import random
import subprocess
import threading
import time

import pytest
from conftest import BUILD, PORTAL4, wait_for

GUESSES = BUILD / "tests/bench/guests"
AT_ONCE, ROUNDS = 100, 200
FIRST = 0x100


def mac(number):
    return "02:10:" + ":".join(f"{number >> shift & 255:02x}" for shift in (24, 16, 8, 0))


def address(number):
    return f"10.77.{number >> 8}.{number & 255}"


@pytest.fixture(name="guessers")
def fixture_guessers(tc_lab):
    """Until the test is over; what it yields says how many tries there were."""
    lab, stop, rounds = tc_lab, threading.Event(), []
    # Room for the addresses of all, and who has them: no ARP is answered.
    lab.run("gw", "ip", "addr", "add", "10.77.255.254/16", "dev", "lan0")
    numbers = range(FIRST, FIRST + AT_ONCE * ROUNDS)
    subprocess.run(
        ["ip", "-n", f"{lab.prefix}-gw", "-batch", "-"], text=True, check=True,
        input="".join(f"neigh replace {address(n)} lladdr {mac(n)} dev lan0 nud permanent\n"
                      for n in numbers))
    gateway = json.loads(lab.run("gw", "ip", "-j", "link", "show", "lan0").stdout)[0]["address"]

    def guess():
        for first in itertools.islice(itertools.cycle(numbers), 0, None, AT_ONCE):
            if stop.is_set():
                return
            codes = "\n".join("AJC" + "".join(random.choices("ABCDEFGH2345", k=9))
                              for _ in range(AT_ONCE))
            out = lab.run("g4", GUESSES, "redeem", "eth0", gateway, "10.77.0.0",
                          PORTAL4.removeprefix("http://"), 80, first, AT_ONCE, AT_ONCE,
                          input=codes, check=False)
            rounds.append(out.stdout + out.stderr)

    thread = threading.Thread(target=guess)
    thread.start()
    try:
        yield rounds
    finally:
        stop.set()
        thread.join()


def test_sold_scanned_used_and_given_back(tc_lab):
    lab, guest = tc_lab, tc_lab.guest()
    plan = lab.plan(minutes=60, price=50000)
    sold = lab.ctl("voucher", "sell", plan)
    code, portal = sold["items"][0]["code"], sold["portal"]
    # What the QR code says fills the form in and redeems nothing.
    page = guest.curl(f"{portal}?code={code}")
    assert page.status == 200 and f'value="{code}"' in page.body
    assert not guest.is_online()
    assert guest.redeem(code)[0] == 200 and guest.is_online()
    shown = lab.ctl("voucher", "show", code)
    assert shown["state"] == "used" and shown["session"]["totalPaidMinor"] == 50000
    # The money goes back, and the guest is captive at once.
    lab.ctl("refund", sold["paymentId"])
    assert not guest.is_online()
    assert [row["what"] for row in lab.ctl("voucher", "show", code)["history"]] == [
        "made", "sold", "redeemed", "refund", "session ended", "given back"]
    assert lab.text("verify")[0] == 0
    taken = [row for row in lab.ctl("sales")["items"] if row["method"] == "cash"][0]
    assert (taken["takenMinor"], taken["refundedMinor"], taken["totalMinor"]) == (
        50000, 50000, 0)


def test_a_right_code_comes_through(tc_lab, guessers):
    lab, guest = tc_lab, tc_lab.guest()
    code = lab.voucher()
    wait_for(lambda: len(guessers) > 15)
    begun, tries = time.monotonic(), 0
    while True:
        answer = guest.curl(
            f"{PORTAL4}/api/vouchers/activate", "-H", "Content-Type: application/json",
            "-d", json.dumps({"code": code}))
        tries += 1
        if answer.status != 429:
            break
        # As a browser that does what it is told.
        wait = int(answer.headers["retry-after"])
        assert 1 <= wait <= 6
        time.sleep(wait)
        assert time.monotonic() - begun < 15
    print(f"{tries} tries, {time.monotonic() - begun:.1f} s, {len(guessers)} rounds")
    assert answer.status == 200 and guest.is_online()
    assert all(" failed 100 " in f" {out}" for out in guessers), guessers
    event = wait_for(lambda: lab.ctl("events", "--type", "guessing")["items"])[0]
    assert event["severity"] == "HIGH"
