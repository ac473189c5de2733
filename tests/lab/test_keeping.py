# SPDX-License-Identifier: GPL-2.0-or-later
"""What the box writes down about the past, with real traffic: who had which
address, over a restart of the daemon; its jobs."""
import csv
import io
import json
import signal
import sqlite3
import time

import pytest

from conftest import Refused, wait_for


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def uses(lab, *args):
    return lab.ctl("addresses", *args)["items"]


def test_who_had_which_address_when(tc_lab):
    guest = tc_lab.guest()
    tc_lab.ctl("allow", guest.mac, "--minutes", "30")
    assert guest.is_online() and guest.is_online("-6")
    address = guest.address(6)
    tc_lab.ctl("job", "run", "address-log")
    row = uses(tc_lab, address)[0]
    assert row["mac"].lower() == guest.mac and row["network"] == "lan"
    found = {use["address"] for use in uses(tc_lab, guest.mac)}
    assert {address, guest.address(4)} <= found
    # Without a gap over a restart: the same row, with a later end.
    tc_lab.kill("gatehoused", signal.SIGKILL)
    assert guest.is_online()
    tc_lab.start()
    assert guest.is_online()

    wait_for(lambda: now() > row["to"])
    time.sleep(2)  # the date of a daemon that has just begun may be behind
    assert guest.is_online("-6")
    # Its session's end is the end of it, written down before the gate forgets.
    tc_lab.ctl("kick", guest.mac)
    last = wait_for(lambda: [r for r in uses(tc_lab, address) if r["to"] > row["to"]])[0]
    assert last["from"] == row["from"] and last["mac"] == row["mac"]
    assert uses(tc_lab, address, "--at", last["to"]) == [last]
    assert not uses(tc_lab, address, "--at", "2020-01-01 00:00")
    status, text = tc_lab.text("addresses", address)
    assert status == 0 and address in text and "lan" in text


def test_jobs(tc_lab):
    jobs = {row["name"]: row for row in tc_lab.ctl("jobs")["items"]}
    assert {"sweep", "expire", "verify", "clean-up", "address-log"} <= set(jobs)
    assert jobs["clean-up"]["everySeconds"] is None and jobs["expire"]["everySeconds"] == 60
    tc_lab.ctl("job", "run", "clean-up")
    row = next(r for r in tc_lab.ctl("jobs")["items"] if r["name"] == "clean-up")
    assert row["result"] == "ok" and row["lastRun"] and row["next"] > row["lastRun"]
    with pytest.raises(Refused) as refusal:
        tc_lab.ctl("job", "run", "no such job")
    assert refusal.value.status == 3
    status, text = tc_lab.text("jobs")
    assert status == 0 and "daily" in text


def test_statistics(tc_lab):
    guest = tc_lab.guest()
    name = tc_lab.plan(minutes=30, price=1500)
    guest.redeem(tc_lab.voucher(name))
    assert guest.curl("http://192.0.2.80/bytes/500000").status == 200

    def counted():
        for job in ("sweep", "address-log", "statistics"):
            tc_lab.ctl("job", "run", job)
        rows = tc_lab.ctl("statistics", "--by", "plan")["items"]
        return [r for r in rows if r["plan"] == name and r["bytesDown"] > 500_000]
    row, = wait_for(counted)
    assert row["sessions"] == 1 and row["currency"] == "TZS"
    again, = counted()
    assert again["sessions"] == 1
    networks = {r["network"]: r for r in tc_lab.ctl("statistics", "--by", "network")["items"]}
    assert networks["lan"]["bytesDown"] > 500_000
    for by in ("hour", "day", "month", "plan", "network"):
        status, text = tc_lab.text("statistics", "--by", by)
        assert status == 0 and by.upper() in text, text
    assert tc_lab.text("statistics", "--by", "moon")[0] == 2
    for job in ("gateway", "security"):
        tc_lab.ctl("job", "run", job)


def test_export(tc_lab):
    guest = tc_lab.guest()
    tc_lab.ctl("allow", guest.mac, "--minutes", "30", "--paid", "500")
    assert guest.is_online()
    tc_lab.ctl("describe", guest.mac, "--name", "=HYPERLINK(1)")
    tc_lab.ctl("job", "run", "address-log")
    address = guest.address(4)
    status, text = tc_lab.text("export", "sessions")
    rows = list(csv.DictReader(io.StringIO(text)))
    row = next(r for r in rows if r["mac"] == guest.mac.upper() and r["state"] == "running")
    assert status == 0 and row["ip"] == address and row["kind"] == "manual"
    assert row["device"] == "'=HYPERLINK(1)" and row["paid_minor"] == "500"
    for table in ("sessions", "usage", "payments", "addresses", "devices", "audit"):
        assert tc_lab.ctl("export", table), table
    flow = tc_lab.ctl("export", "sessions", "--schema", "netflow")[-1]
    assert flow["device_mac"] == guest.mac.upper() and flow["ip_address"] == address
    left = time.strptime(flow["expires_at"], "%Y-%m-%dT%H:%M:%SZ")
    begun = time.strptime(flow["start_time"], "%Y-%m-%dT%H:%M:%SZ")
    assert 1790 < time.mktime(left) - time.mktime(begun) < 1810
    # All of one person, by the MAC or by the table's rows.
    # A MAC is written as everywhere; who was never seen was not in 1970.
    tc_lab.ctl("describe", "02:00:00:00:ab:cd", "--name", "TV")
    television = tc_lab.ctl("export", "devices")[-1]
    assert (television["mac"], television["last_seen"]) == ("02:00:00:00:AB:CD", None)
    person = tc_lab.ctl("export", "--subject", guest.mac)
    assert {"sessions", "usage", "payments", "addresses", "audit"} <= {
        r["table"] for r in person}
    assert all(guest.mac.upper() in json.dumps(r).upper() for r in person if r["table"] != "usage")
    for words in (["export"], ["export", "nothing"], ["export", "--subject", guest.mac,
                                                      "--format", "csv"]):
        assert tc_lab.text(*words)[0] in (2, 3), words


def known(lab):
    """The whole database as text."""
    with sqlite3.connect(f"file:{database(lab)}?mode=ro", uri=True) as db:
        return "\n".join(db.iterdump()).lower()


def database(lab):
    return next(lab.state.rglob("gatehouse.db"))


def test_forget(tc_lab):
    guest = tc_lab.guest()
    code = tc_lab.voucher()
    guest.redeem(code)
    assert guest.is_online()
    tc_lab.ctl("describe", guest.mac, "--name", "Anna")
    tc_lab.ctl("job", "run", "address-log")
    assert guest.mac in known(tc_lab)
    with pytest.raises(Refused) as refusal:
        tc_lab.ctl("forget", guest.mac)
    assert "kick" in refusal.value.text
    tc_lab.ctl("kick", guest.mac)

    def is_forgotten():
        # Its last bytes are counted first.
        return tc_lab.text("forget", guest.mac)[0] == 0
    wait_for(is_forgotten)
    assert guest.mac not in known(tc_lab) and "anna" not in known(tc_lab)
    assert "forget" in known(tc_lab)
    assert guest.redeem(code)[0] != 200
    assert tc_lab.text("forget", "+255700000000")[0] == 3
    assert tc_lab.text("forget", "a@example.org")[0] == 3
