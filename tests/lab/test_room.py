# SPDX-License-Identifier: GPL-2.0-or-later
"""A table of clients that fills: it warns in time, refuses new logins with a
reason, and leaves everybody alone who is in it."""
import json
import os
import re
import socket

import pytest

from conftest import PORTAL4, WAYS, Lab, Refused, numbers, wait_for

ROOM = 1024


@pytest.fixture(scope="module")
def lab():
    made = Lab(f"t{os.getpid() % 10000}{next(numbers)}", 3, [*WAYS["tc"], "--no-gatehouse"])
    config = made.state / "gatehouse.conf"
    config.write_text(config.read_text().replace(
        "[gatehouse]", f"[gatehouse]\nclients_max = {ROOM}", 1))
    made.start()
    yield made
    made.down()


def ask_all(lab, op, macs, **args):
    """One operation for each of many clients; the codes of the refusals."""
    codes = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(30)
        s.connect(str(lab.state / "control.sock"))
        for at in range(0, len(macs), 100):
            some = macs[at:at + 100]
            for mac in some:
                s.send(json.dumps({"op": op, "args": {"mac": mac, **args}}).encode())
            codes += [json.loads(s.recv(1 << 16)).get("code") for _ in some]
    return codes


def macs(first, last):
    return [f"02:77:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(first, last)]


def log_count(lab, text):
    return (lab.state / "gatehoused.log").read_text().count(text)


def test_table_fills_and_empties(lab):
    paid, moving, new = lab.guests(3)
    plan = lab.plan(minutes=60, moves=3)
    assert paid.redeem(lab.voucher(plan))[0] == 200
    status, reply = moving.redeem(lab.voucher(plan))
    assert status == 200
    token = reply["token"]

    assert set(ask_all(lab, "clients.allow", macs(0, 800), minutes=60)) == {None}
    assert lab.ctl("status")["recordsState"] == "ok"
    assert log_count(lab, "table of clients") == 0

    assert set(ask_all(lab, "clients.allow", macs(800, 840), minutes=60)) == {None}
    assert lab.ctl("status")["recordsState"] == "low"
    assert "low" in lab.text("status")[1]
    assert log_count(lab, "table of clients is 8") == 1

    codes = ask_all(lab, "clients.allow", macs(840, ROOM + 6), minutes=60)
    assert codes == [None] * (ROOM - 842) + ["table_full"] * 8
    status = lab.ctl("status")
    assert (status["records"], status["recordsState"]) == (ROOM, "full")
    assert log_count(lab, "new logins are refused") == 1

    # Refused with a reason, as JSON and as a page, and the voucher is as good
    # as before.
    code = lab.voucher(plan)
    status, reply = new.redeem(code)
    assert (status, reply["code"]) == (503, "table_full")
    form = re.search(r'name="form" value="([^"]+)"', new.curl(PORTAL4 + "/").body)[1]
    page = new.curl(f"{PORTAL4}/activate", "-d", f"code={code}&form={form}")
    assert page.status == 503 and "There are too many guests at the moment." in page.body
    with pytest.raises(Refused) as refused:
        lab.ctl("allow", new.mac, "--minutes", "10")
    assert refused.value.status == 5 and not new.is_online()

    # Who is in it does not notice: time can be added, a session can move.
    assert paid.is_online() and moving.is_online()
    lab.ctl("allow", paid.mac, "--minutes", "10")
    moving.change_mac("02:00:00:00:07:01")
    status, reply = moving.restore(token)
    assert (status, reply.get("migrated")) == (200, True)
    assert moving.is_online()
    assert lab.text("verify")[0] == 0

    # Room again.
    ask_all(lab, "clients.kick", macs(0, 300))
    wait_for(lambda: lab.ctl("status")["recordsState"] == "ok")
    assert new.redeem(code)[0] == 200 and new.is_online()
    assert log_count(lab, "table of clients") == 2


def test_start_with_a_table_that_is_full(lab):
    """A restart says it again, and a smaller crowd than room is no warning."""
    ask_all(lab, "clients.allow", macs(2000, 3100), minutes=60)
    assert lab.ctl("status")["recordsState"] == "full"
    before = log_count(lab, "new logins are refused")
    lab.kill("gatehoused")
    lab.start()
    assert log_count(lab, "new logins are refused") == before + 1
    assert lab.text("verify")[0] == 0
