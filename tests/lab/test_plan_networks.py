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


def test_what_is_of_use_here_comes_first(tc_lab, name):
    """A session with a credit for each of two networks; the other's clock stands."""
    guest = tc_lab.guest()
    assert guest.redeem(tc_lab.voucher(tc_lab.plan(minutes=60, network=name)))[0] == 200
    become(tc_lab, "office")
    assert not guest.is_online()
    status, reply = guest.redeem(tc_lab.voucher(tc_lab.plan(minutes=30, network="office")))
    assert status == 200 and reply["networks"] == ["office"]
    assert guest.is_online() and guest.is_online("-6")
    in_use, waiting = guest.session()["credits"]
    assert in_use["seconds"] <= 1800 < waiting["seconds"] <= 3600

    become(tc_lab, name)
    assert not guest.is_online()
    # Its device asks the portal, as it does when it is refused.
    session = guest.session()
    assert (session["state"], session["networks"]) == ("running", [name])
    assert guest.is_online() and guest.is_online("-6")
    assert session["creditSeconds"] <= waiting["seconds"]
    assert tc_lab.ctl("verify")["differences"] == []


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
