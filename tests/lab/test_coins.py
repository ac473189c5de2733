# SPDX-License-Identifier: GPL-2.0-or-later
"""Coins (docs/design.md P2), through the socket of an acceptor: who has the slot
has what falls into it, a browser's word changes no amount, and no crash loses a
coin or counts one twice."""
import os
import random

import pytest

from acceptor import Acceptor
from conftest import WAYS, Lab, Refused, numbers, wait_for

PESO = 100


@pytest.fixture(scope="module")
def lab():
    made = Lab(f"t{os.getpid() % 10000}{next(numbers)}", 3, [*WAYS["tc"], "--no-gatehouse"])
    config = made.state / "gatehouse.conf"
    config.write_text(config.read_text().replace("[gatehouse]", "[gatehouse]\ncurrency = PHP", 1)
                      + f"\n[coin main]\nsocket = {made.state}/coin.sock\nvalue = {PESO}\n")
    made.start()
    made.ctl("plan", "add", "One peso", "--minutes", 10, "--price", PESO, "--coin")
    made.ctl("plan", "add", "Five pesos", "--minutes", 60, "--price", 5 * PESO, "--coin")
    yield made
    made.down()


@pytest.fixture
def slot(lab):
    acceptor = Acceptor(lab.state / "coin.sock")
    yield acceptor
    acceptor.close()


def reserve(guest, slot):
    """The slot is this guest's, and takes coins."""
    def ask():
        status, reply = guest.api("/api/coins/lock", {"slot": "main"})
        return reply if status == 200 else None
    lock = wait_for(ask, timeout=30, step=0.5)
    slot.wait_open(lock["lock"])
    return lock


def start(guest, lock, **claims):
    return guest.api("/api/sessions/start", {"lockId": lock["lockId"], **claims})


def sums(lab):
    coins = lab.ctl("coins")
    assert coins["insertedMinor"] == coins["soldMinor"] + coins["restMinor"]
    return coins


def test_a_guest_with_coins(lab, slot):
    guest, other = lab.guests(2)
    assert slot.state["inhibit"]
    lock = reserve(guest, slot)
    assert (lock["slot"], lock["creditedMinor"], lock["seconds"] > 50) == ("main", 0, True)
    # Asked again it is the same one; somebody else's it is not.
    assert guest.api("/api/coins/lock", {})[1]["lockId"] == lock["lockId"]
    status, reply = other.api("/api/coins/lock", {"slot": "main"})
    assert (status, reply["code"]) == (409, "slot_busy") and 0 < reply["retryAfter"] <= 15
    for _ in range(5):
        slot.coin()
    slot.settled()
    status, seen = guest.api(f"/api/coins/status?lockId={lock['lockId']}")
    assert (status, seen["pesos"], seen["minutes"], seen["state"]) == (200, 5, 60, "open")
    assert [rate["minutes"] for rate in seen["rates"]] == [10, 60]

    # What the browser claims is compared, and the key alone is nothing.
    status, reply = start(guest, lock, minutes=120, pesos=10, slot="main")
    assert (status, reply["code"], reply["pesos"], reply["minutes"]) == (
        409, "amount_differs", 5, 60)
    for path, body in (("start", {}), ("start", {"minutes": 60, "pesos": 5})):
        status, reply = start(other, lock, **body)
        assert (status, reply["code"]) == (404, "lock_unknown"), path
    assert other.api(f"/api/coins/status?lockId={lock['lockId']}")[0] == 404
    assert other.api("/api/coins/done", {"lockId": lock["lockId"]})[0] == 404
    assert not guest.is_online() and not other.is_online()

    status, reply = start(guest, lock, minutes=60, pesos=5, slot="main")
    assert status == 200 and reply["mac"].lower() == guest.mac and len(reply["token"]) == 64
    assert guest.is_online() and not other.is_online()
    slot.wait_inhibited()
    session = guest.session()
    assert session["kind"] == "coin" and 3590 < session["remainingSeconds"] <= 3600
    # Sent once more, because the answer was lost: nothing is bought twice.
    assert start(guest, lock)[0] == 200
    assert guest.session()["remainingSeconds"] <= 3600
    paid = [row for row in lab.ctl("payments")["items"] if row["method"] == "coin"]
    assert [(row["amountMinor"], row["who"]) for row in paid] == [(500, "slot main")]
    row = lab.ctl("sessions", "--state", "running")["items"][0]
    assert row["totalPaidMinor"] == 500
    assert sums(lab)["restMinor"] == 0


def test_coins_that_are_nobodys(lab, slot):
    guest, other = lab.guests(2)
    slot.wait_inhibited() if not slot.state["inhibit"] else None
    # Beyond the time that a coin may take on its way.
    lock = reserve(other, slot)
    assert other.api("/api/coins/done", {"lockId": lock["lockId"]})[0] == 200
    wait_for(lambda: find_for_nobody(lab, slot), timeout=30, step=0.5)
    (found, *_) = [row for row in lab.ctl("coins")["items"] if row["state"] == "unclaimed"]
    assert found["mac"] is None and found["slot"] == "main"
    with pytest.raises(Refused):
        lab.ctl("coins", "claim", 999999, guest.mac)
    left = found["amountMinor"]
    reply = lab.ctl("coins", "claim", found["id"], guest.mac)
    assert reply["paidMinor"] == left and guest.is_online()
    assert lab.ctl("payments")["items"][0]["network"] == "lan"
    with pytest.raises(Refused):
        lab.ctl("coins", "claim", found["id"], guest.mac)
    sums(lab)


def find_for_nobody(lab, slot):
    slot.coin()
    slot.settled()
    return any(row["state"] == "unclaimed" for row in lab.ctl("coins")["items"])


def test_who_may_be_an_acceptor(lab, slot):
    """Wrong lines are told so, floods are dropped; the greeting says where it was."""
    slot.raw("[]")
    slot.raw('{"pulses":0,"seq":1}')
    assert slot.read(lambda: sum("error" in said for said in slot.said) == 2)
    before = sums(lab)["insertedMinor"]
    last = slot.seq
    if last:
        slot.raw(f'{{"seq":{last}}}')
        assert slot.read(lambda: any(said.get("again") for said in slot.said))
    assert sums(lab)["insertedMinor"] == before
    mode = os.stat(slot.path).st_mode & 0o777
    assert mode == 0o660


def test_killed_at_any_moment(lab, slot):
    """kill -9 between any of lock, coin, credit and start: all of the money is
    there in the end, once, and the guest has the time for it."""
    guest = lab.guest()
    chance = random.Random(7)
    told = sums(lab)["insertedMinor"]
    lock, done = None, 0
    for round_ in range(4):
        if not lock:
            lock = reserve(guest, slot)
        for _ in range(3):
            slot.coin(chance.randrange(1, 4))
        told += sum(slot.unacknowledged.values()) * PESO
        wait_for(lambda: slot.read(lambda: len(slot.unacknowledged) <= chance.randrange(4),
                                   0.05) or True)
        acknowledged = told - sum(slot.unacknowledged.values()) * PESO
        if round_ % 2:
            # The start is on its way as well.
            guest.spawn("curl", "-s", "-m", "1", "-o", "/dev/null", "-H",
                        "Content-Type: application/json", "-d",
                        f'{{"lockId":"{lock["lockId"]}"}}',
                        "http://10.77.0.1/api/sessions/start").wait()
        lab.kill("gatehoused")
        lab.start()
        assert sums(lab)["insertedMinor"] >= acknowledged
        slot.connect()
        slot.settled()
        assert sums(lab)["insertedMinor"] == told
        status, reply = start(guest, lock)
        if status == 200:
            done += 1
            lock = None
        else:
            assert reply["code"] in ("amount_small", "lock_unknown"), reply
    assert done
    after = sums(lab)
    paid = sum(row["amountMinor"] for row in lab.ctl("payments")["items"]
               if row["method"] == "coin")
    assert paid == after["soldMinor"]
    assert lab.ctl("verify")["differences"] == []
