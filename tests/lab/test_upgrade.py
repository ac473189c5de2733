# SPDX-License-Identifier: GPL-2.0-or-later
"""Another version of gatehoused, whose records look different, is installed
and started while guests are online; and the older one by mistake."""
import subprocess
import time

import pytest

from conftest import BUILD, TOP, make_lab, wait_for

TOMORROW = TOP / "build/tomorrow"


@pytest.fixture(scope="module")
def lab():
    subprocess.run(["make", "-s", "-C", TOP, "TOMORROW=1", "build/tomorrow/gatehoused"],
                   check=True)
    made = make_lab("tc", guests=3)
    yield made
    made.env["GATEHOUSE_BUILD"] = str(BUILD)
    made.down()


def install(lab, build):
    """What a package does: other files, and a restart."""
    lab.env["GATEHOUSE_BUILD"] = str(build)
    lab.kill("gatehoused", 15)
    lab.start()


def log_of(lab):
    return (lab.state / "gatehoused.log").read_text()


def test_upgrade_while_guests_are_online(lab):
    online, captive, new = lab.guests(3)
    plan = lab.plan(minutes=60, megabytes=2000)
    assert online.redeem(lab.voucher(plan))[0] == 200
    with online.capture() as capture:
        before = lab.record(online.mac)
        load = online.spawn("iperf3", "-c", "192.0.2.80", "-t", "8", "-b", "200M", "-P", "2",
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        install(lab, TOMORROW)
        assert load.wait(30) == 0, load.stderr.read()
        session = online.session()
    assert "carried over the maps" in log_of(lab)
    # The portal is the box's: charged is what went through it.
    used = session["bytesUp"] - before["up"][0], session["bytesDown"] - before["down"][0]
    assert used == (capture.up, capture.down)
    assert online.is_online() and not captive.is_online()
    assert captive.curl("http://example.org/").status == 302
    assert lab.text("verify")[0] == 0
    assert new.redeem(lab.voucher(plan))[0] == 200 and new.is_online()


def test_older_version_by_mistake(lab):
    online, = lab.guests(1)
    assert online.redeem(lab.voucher())[0] == 200
    with pytest.raises(AssertionError, match="made by a newer gatehoused"):
        install(lab, BUILD)
    assert online.is_online()
    assert "the gate goes on as it is" in log_of(lab)
    lab.env["GATEHOUSE_BUILD"] = str(TOMORROW)
    lab.start()
    wait_for(lambda: lab.ctl("status")["records"])
    assert online.is_online() and online.session()["online"]
    assert lab.text("verify")[0] == 0
