# SPDX-License-Identifier: GPL-2.0-or-later
"""Money and vouchers over the control socket of the real gatehoused: every sale
has its row, whoever took it, and nothing is sold or given back twice."""
import pwd
import time

from test_ctl import GUEST_MAC, STAFF, fixture_box, pytestmark  # noqa: F401

CLERK = pwd.getpwnam(STAFF).pw_uid


def payments(box, *args):
    return box.json("payments", *args)["items"]


def test_what_was_paid_for_time(box):
    box.ctl("plan", "add", "Sold", "--minutes", "30", "--price", "5000")
    box.ctl("allow", GUEST_MAC, "--plan", "Sold", "--paid", "4500")
    row, = payments(box)
    session = box.json("sessions")["items"][0]
    assert session["totalPaidMinor"] == 4500
    assert (row["amountMinor"], row["currency"], row["method"], row["plan"], row["who"],
            row["status"], row["sessionId"]) == (
        4500, "TZS", "cash", "Sold", "root", "paid", session["id"])
    # Nothing was said of money, so nothing was taken.
    box.ctl("allow", GUEST_MAC, "--minutes", "5")
    assert len(payments(box)) == 1
    out = box.ctl("allow", GUEST_MAC, "--minutes", "-5", "--paid", "1", check=False)
    assert out.returncode == 2 and "--paid goes with" in out.stderr
    assert len(payments(box)) == 1


def test_staff_see_their_own(box):
    box.ctl("allow", GUEST_MAC, "--minutes", "10", "--paid", "700", user=CLERK)
    own = box.ctl("payments", user=CLERK).stdout
    assert "7.00" in own and "45.00" not in own
    out = box.ctl("sales", "--who", "root", user=CLERK, check=False)
    assert out.returncode == 4 and "supervisor" in out.stderr
    sums = {row["who"]: row for row in box.json("sales")["items"]}
    assert sums["root"]["takenMinor"] == 4500
    assert sums[STAFF]["totalMinor"] == 700
    today = time.strftime("%Y-%m-%d")
    assert len(payments(box, "--from", today, "--to", today)) == 2
    assert not payments(box, "--to", "2020-01-01")
    assert box.ctl("payments", "--from", "yesterday", check=False).returncode == 2
