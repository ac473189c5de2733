# SPDX-License-Identifier: GPL-2.0-or-later
"""A plan that is for some networks is worth nothing on the others. The lab has
one network, whose name and number are changed under its guests."""

import os
import signal

import pytest

from conftest import Refused, wait_for


def become(lab, name, number=1):
    """The network's name and number from now on."""
    config = lab.state / "gatehouse.conf"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("number")]
    at = next(i for i, line in enumerate(lines) if line.startswith("[network "))
    lines[at:at + 1] = [f"[network {name}]", f"number = {number}"]
    config.write_text("\n".join([*lines, ""]))
    os.kill(lab.pid("gatehoused"), signal.SIGHUP)
    wait_for(lambda: [(row["name"], row["number"]) for row in lab.ctl("status")["networks"]]
             == [(name, number)])


@pytest.fixture
def name(tc_lab):
    """The network's own name, which it has again afterwards."""
    was = tc_lab.ctl("status")["networks"][0]["name"]
    yield was
    become(tc_lab, was)


def test_only_where_the_plan_is_for(tc_lab, name):
    guest, other = tc_lab.guests(2)
    plan = tc_lab.plan(minutes=60, moves=3, network=name)
    code = tc_lab.voucher(plan)
    status, reply = guest.redeem(code)
    assert status == 200 and reply["networks"] == [name]
    assert guest.is_online() and guest.is_online("-6")
    assert tc_lab.ctl("client", guest.mac)["networks"] == [name]

    become(tc_lab, "office")
    assert not guest.is_online()
    session = guest.session()
    assert (session["state"], session["online"]) == ("elsewhere", False)
    status, refused = other.restore(reply["token"])
    assert (status, refused["code"]) == (403, "other_network")
    unused = tc_lab.voucher(plan)
    status, refused = other.redeem(unused)
    assert (status, refused["code"]) == (403, "other_network")
    assert tc_lab.ctl("verify")["differences"] == []

    become(tc_lab, name, 7)
    assert guest.is_online() and guest.session()["state"] == "running"
    assert tc_lab.ctl("verify")["differences"] == []
    assert other.redeem(unused)[0] == 200
    assert other.is_online()


def test_what_is_for_all_stays_on(tc_lab, name):
    guest = tc_lab.guest()
    assert guest.redeem(tc_lab.voucher())[0] == 200
    become(tc_lab, "office", 9)
    assert guest.is_online() and guest.session()["networks"] is None


def test_only_networks_that_there_are(tc_lab, name):
    plan = tc_lab.plan(minutes=60, network=f"{name},{name}")
    row = next(row for row in tc_lab.ctl("plan", "list")["items"] if row["name"] == plan)
    assert row["networks"] == [name]
    with pytest.raises(Refused) as refused:
        tc_lab.plan(minutes=60, network=f"{name},nowhere")
    assert refused.value.status == 3
