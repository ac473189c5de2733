# SPDX-License-Identifier: GPL-2.0-or-later
"""What a plan says besides how much there is: hours of the day, a clock that
stands in silence, bytes of one direction, and changes of it. The daemon's time
zone is what sets the clock on its wall: that of the machine is everybody's."""
import os
import signal
import sqlite3
import time

import pytest
from conftest import is_running, make_lab, wait_for

MEGA = 1_000_000


@pytest.fixture(scope="module", name="lab")
def fixture_lab():
    made = make_lab("tc")
    yield made
    made.down()


def restart(lab, hour=12, minute=0, second=0):
    """The daemon again, and it is so late there."""
    if is_running(lab.pid("gatehoused")):
        lab.kill("gatehoused")
    ahead = (hour * 3600 + minute * 60 + second - int(time.time())) % 86400
    ahead -= 86400 if ahead > 43200 else 0
    sign, ahead = "-" if ahead > 0 else "+", abs(ahead)
    lab.env["TZ"] = f"LAB{sign}{ahead // 3600}:{ahead // 60 % 60:02}:{ahead % 60:02}"
    lab.start()


def give(lab, **options):
    guest = lab.guest()
    lab.ctl("allow", guest.mac, "--plan", lab.plan(minutes=60, **options))
    return guest


def test_hours_of_the_day(lab):
    restart(lab)
    guest = give(lab, hours="08:00-22:00")
    begun = time.monotonic()
    assert guest.is_online()
    client = lab.ctl("client", guest.mac)
    assert (client["state"], client["hours"]) == ("running", "08:00-22:00")
    # The kernel ends them, whoever is there.
    restart(lab, 21, 59, 57)
    lab.kill("gatehoused")
    wait_for(lambda: not guest.is_online())
    used = time.monotonic() - begun
    restart(lab, 22, 0, 10)
    client = lab.ctl("client", guest.mac)
    assert client["state"] == "out_of_hours" and client["expiresAt"]
    assert abs(3600 - used - client["creditSeconds"]) < 4, (client, used)
    session = guest.session()
    assert session["state"] == "out_of_hours" and not session["online"]
    page = guest.curl("http://10.77.0.1/")
    assert "for other hours" in page.body and "08:00-22:00 and goes on" in page.body
    assert lab.text("verify")[0] == 0
    # And in the morning it goes on by itself.
    restart(lab, 7, 59, 56)
    assert lab.ctl("client", guest.mac)["state"] == "out_of_hours"
    left = lab.ctl("client", guest.mac)["creditSeconds"]
    wait_for(guest.is_online)
    assert 0 <= left - lab.ctl("client", guest.mac)["creditSeconds"] < 4
    assert lab.text("verify")[0] == 0


def test_a_plan_is_applied(lab):
    restart(lab)
    guest = lab.guest()
    plan = lab.plan(minutes=60, up=1000)
    lab.ctl("allow", guest.mac, "--plan", plan)
    lab.ctl("plan", "set", plan, "--hours", "20:00-21:00", "--up", "2000")
    assert guest.is_online() and lab.ctl("client", guest.mac)["upKbps"] == 1000
    assert lab.ctl("plan", "apply", plan)["sessions"] == 1
    assert not guest.is_online()
    client = lab.ctl("client", guest.mac)
    assert (client["upKbps"], client["state"]) == (2000, "out_of_hours")
    lab.ctl("plan", "set", plan, "--hours", "any", "--up", "0")
    lab.ctl("plan", "apply", plan)
    assert guest.is_online()
    client = lab.ctl("client", guest.mac)
    assert client["upKbps"] is None and 3590 <= client["creditSeconds"] <= 3600
    assert lab.text("verify")[0] == 0


def test_the_clock_stands_in_silence(lab):
    guest = give(lab, idle=1)
    lab.kill("gatehoused")
    # Nobody wants to wait for minutes.
    with sqlite3.connect(next(lab.state.rglob("*.db"))) as db:
        db.execute("UPDATE credits SET idle_seconds = 1 WHERE idle_seconds = 60")
    lab.start()
    assert guest.is_online()

    def client():
        return lab.ctl("client", guest.mac)

    def stands():
        """Between two looks; a neighbour may ask for its MAC meanwhile."""
        before = client()
        time.sleep(1)
        after = client()
        return after["idle"] and before["creditSeconds"] == after["creditSeconds"] and after

    seen = wait_for(stands, 30)
    left = seen["creditSeconds"]
    assert left > 3570 and seen["expiresAt"] is None
    # The first packet passes, and nobody needs to be there for it.
    lab.kill("gatehoused")
    assert guest.is_online()
    lab.start()
    assert left - 15 < client()["creditSeconds"] <= left
    assert lab.text("verify")[0] == 0


def ended(lab, guest, session):
    client = lab.ctl("client", guest.mac)
    last = client["lastSession"]
    return last and last["id"] == session and client


@pytest.mark.parametrize("way", ["up", "down"])
def test_bytes_of_one_direction(lab, way):
    guest = give(lab, megabytes=1, counts=way)
    words = {
        "up": ["-H", "Expect:", "--data-binary", "@-", "http://192.0.2.80/"],
        "down": [f"http://192.0.2.80/bytes/{2 * MEGA}"],
    }

    def transfer(direction):
        return ["curl", "-sS", "-m", "20", "-o", "/dev/null", *words[direction]]

    guest.run(*transfer("down" if way == "up" else "up"), input="x" * 2 * MEGA)
    session = lab.ctl("client", guest.mac)["sessionId"]
    assert lab.ctl("client", guest.mac)["remainingBytes"] > 0.8 * MEGA
    assert guest.is_online()
    # It hangs when the last byte is used.
    paid = guest.spawn("sh", "-c", f"yes | head -c {2 * MEGA} | " +
                       " ".join(transfer(way)), start_new_session=True)
    last = wait_for(lambda: ended(lab, guest, session))["lastSession"]
    os.killpg(paid.pid, signal.SIGKILL)
    paid.wait()
    other = "Down" if way == "up" else "Up"
    assert last["endReason"] == "used up"
    assert 0.9 * MEGA < last[f"bytes{way.capitalize()}"] <= MEGA
    assert last[f"bytes{other}"] > 2 * MEGA
    assert not guest.is_online()
