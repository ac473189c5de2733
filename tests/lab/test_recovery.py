# SPDX-License-Identifier: GPL-2.0-or-later
"""A database that is damaged, gone or old costs no guest a packet and gives
nobody twice what was spent once (docs/design.md 7.5)."""

import json
import os
import random
import re
import subprocess
import threading
import time

import pytest

from conftest import BUILD, wait_for

pytestmark = pytest.mark.alone
# By hand: KILLS=500 for an hour's worth of power cuts.
KILLS = int(os.environ.get("KILLS", 4))


@pytest.fixture()
def box(tc_lab):
    tc_lab.database = tc_lab.state / "state/gatehouse.db"
    return tc_lab


def gatehoused(box, *args, check=True, **kwargs):
    return subprocess.run(
        [str(BUILD / "gatehoused"), "-c", str(box.state / "gatehouse.conf"), *map(str, args)],
        text=True, capture_output=True, timeout=60, check=check, **kwargs)


def stop(box):
    box.kill("gatehoused")
    box.kill("gatehouse-portal")


def damage(box):
    """Every page but the first one."""
    for name in (box.database, box.database.with_name("gatehouse.db-wal")):
        size = name.stat().st_size if name.exists() else 0
        if size > 4096:
            with open(name, "r+b") as file:
                file.seek(4096)
                file.write(os.urandom(size - 4096))


def left(guest):
    session = guest.session()
    assert session["online"], session
    return session["remainingSeconds"], session["remainingBytes"]


def events(box):
    return [event["type"] for event in box.ctl("events")["items"]]


def test_damaged(box):
    """Who was online before the copy, after it, and not any more."""
    plan = box.plan(minutes=60, megabytes=50)
    early, late, over = box.guests(3)
    assert early.redeem(box.voucher(plan))[0] == 200
    assert over.redeem(box.voucher(plan))[0] == 200
    code = box.voucher(plan)
    box.ctl("backup")
    assert late.redeem(code)[0] == 200
    box.ctl("kick", over.mac)
    early.curl("http://192.0.2.80/bytes/1000000")
    late.curl("http://192.0.2.80/bytes/1000000")
    before = left(early), left(late)
    stop(box)
    damage(box)
    assert early.is_online() and late.is_online()
    box.start()
    after = left(early), left(late)
    for (seconds, was), (remaining, size) in zip(before, after):
        assert 0 <= seconds - remaining <= 15 and 0 <= was - size < 100000
    assert early.is_online() and late.is_online() and not over.is_online()
    assert "database_restored" in events(box)
    assert list(box.database.parent.glob("gatehouse.db.damaged-*Z"))
    # The code stays used; the session is one; kernel and store agree.
    assert over.redeem(code)[1]["code"] == "voucher_used"
    assert box.text("verify")[0] == 0
    # Another start is an ordinary one.
    stop(box)
    box.start()
    assert left(late)[0] <= after[1][0]
    assert box.text("verify")[0] == 0


def test_damaged_log(box):
    """SQLite takes what is before the damage; the kernel knows the rest."""
    guest = box.guest()
    stop(box)
    box.start()
    box.ctl("allow", guest.mac, "--minutes", "30")
    before = left(guest)
    stop(box)
    wal = box.database.with_name("gatehouse.db-wal")
    wal.write_bytes(wal.read_bytes()[:32] + os.urandom(wal.stat().st_size - 32))
    box.start()
    after = left(guest)
    assert 0 <= before[0] - after[0] <= 15
    assert guest.is_online()
    assert box.text("verify")[0] == 0


def test_damaged_and_rebooted(box):
    """Nothing in the kernel: what was spent since the copy is in spent.log."""
    early, late = box.guests(2)
    assert early.redeem(box.voucher())[0] == 200
    code = box.voucher()
    box.ctl("backup")
    assert late.redeem(code)[0] == 200
    stop(box)
    damage(box)
    subprocess.run(["rm", "-rf", str(box.pins)], check=True)
    box.start("--boot-id", "01234567-0000-4000-8000-000000000000")
    assert 3500 <= left(early)[0] <= 3600
    assert 3500 <= left(late)[0] <= 3600
    assert late.is_online()
    assert early.redeem(code)[1]["code"] == "voucher_used"


def test_restore(box):
    """From the encrypted file, after the database and the copy are gone."""
    guest, other = box.guests(2)
    pair = gatehoused(box, "--backup-key").stdout
    public = re.search(r"public_key = (\w{64})", pair)[1]
    secret = box.state / "secret"
    secret.write_text(re.findall(r"\b\w{64}\b", pair)[1] + "\n")
    config = box.state / "gatehouse.conf"
    config.write_text(f"[backup]\npublic_key = {public}\n\n" + config.read_text())
    first, second = box.voucher(), box.voucher()
    backup = box.ctl("backup")["backup"]
    assert backup["encrypted"]
    assert guest.redeem(first)[0] == 200
    refused = gatehoused(box, "--restore", backup["path"], "--with", secret, check=False)
    assert refused.returncode == 1 and "is running" in refused.stderr
    stop(box)
    # Another box, on which gatehoused ran before: its maps know none of them.
    box.database.unlink()
    (box.database.parent / "gatehouse.db.copy").unlink()
    subprocess.run(["rm", "-rf", str(box.pins)], check=True)
    box.start()
    stop(box)
    strange = gatehoused(box, "--restore", backup["path"], "--with", secret, check=False)
    assert strange.returncode == 1 and "of another box" in strange.stderr
    box.database.unlink()
    said = gatehoused(box, "--restore", backup["path"], "--with", secret).stdout
    assert "is in place" in said
    box.start()
    assert 3500 <= left(guest)[0] <= 3600
    assert other.redeem(first)[1]["code"] == "voucher_used"
    assert other.redeem(second)[0] == 200
    wait_for(other.is_online)
    assert box.text("verify")[0] == 0


class Buyer(threading.Thread):
    """Redeems one code after the other until it is told to stop; tries a code
    that was not answered once more."""

    def __init__(self, guest, codes):
        super().__init__()
        self.guest, self.codes, self.done = guest, codes, threading.Event()
        self.answered = []

    def run(self):
        while not self.done.is_set():
            code = self.codes[len(self.answered)]
            answer = self.guest.curl(
                "http://10.77.0.1/api/vouchers/activate", "-H", "Content-Type: application/json",
                "-d", json.dumps({"code": code}), timeout=3)
            # "Yours already": the answer was lost, what it said is not.
            if answer.status == 200 or "voucher_used" in answer.body:
                self.answered.append(code)


def redeemed(box):
    """By the log: {MAC: lines}; no code twice."""
    lines = [json.loads(line.split(" ", 2)[2])
             for line in (box.database.parent / "spent.log").read_text().splitlines()]
    lines = [line for line in lines if line["type"] == "redeem"]
    assert len({line["voucher"] for line in lines}) == len(lines)
    count = {}
    for line in lines:
        count[line["mac"]] = count.get(line["mac"], 0) + 1
    return count


def test_killed_under_load(box):
    """Whatever was answered is there, once, and nothing else; a minute of each
    code is a minute."""
    guests = box.guests(3)
    plan = box.plan(minutes=60)
    before = redeemed(box)
    codes = [code for _ in range(1 + KILLS // 25) for code in
             box.ctl("voucher", "create", "--plan", plan, "--count", 500)["codes"]]
    buyers = [Buyer(guest, codes[i::3]) for i, guest in enumerate(guests)]
    begun = time.monotonic()
    for buyer in buyers:
        buyer.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.05, 0.5))
        box.kill("gatehoused")
        box.start()
    for buyer in buyers:
        wait_for(lambda buyer=buyer: buyer.answered)
        buyer.done.set()
    for buyer in buyers:
        buyer.join()
    lines = redeemed(box)
    for buyer in buyers:
        mac = buyer.guest.mac
        sold = lines[mac] - before.get(mac, 0)
        # The last one may have been done and not answered.
        assert 0 <= sold - len(buyer.answered) <= 1
        remaining = box.ctl("client", mac)["remainingSeconds"]
        took = time.monotonic() - begun
        assert sold * 3600 - took - 2 <= remaining <= sold * 3600
    assert box.text("verify")[0] == 0
