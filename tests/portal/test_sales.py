# SPDX-License-Identifier: GPL-2.0-or-later
"""Money and vouchers over the control socket of the real gatehoused: every sale
has its row, whoever took it, and nothing is sold or given back twice."""
import csv
import pwd
import re
import stat
import subprocess
import time

import pytest

from test_ctl import GUEST_MAC, STAFF, fixture_box, pytestmark  # noqa: F401

CLERK = pwd.getpwnam(STAFF).pw_uid


@pytest.fixture(scope="module", autouse=True)
def plan(box):
    box.ctl("plan", "add", "Sold", "--minutes", "30", "--price", "5000")


def payments(box, *args):
    return box.json("payments", *args)["items"]


def test_what_was_paid_for_time(box):
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


def activate(box, code):
    """By the guest; whose record was removed a moment ago is asked to try again."""
    deadline = time.monotonic() + 15
    while True:
        reply = box.ask("10.66.0.1", 8080,
                        {"op": "vouchers.activate", "args": {"code": code}})[0]
        if reply.get("code") != "not_a_guest" or time.monotonic() > deadline:
            return reply


def test_a_voucher_is_sold_once(box):
    code, said = box.ctl("voucher", "sell", "Sold", user=CLERK).stdout.splitlines()
    assert said.startswith("Sold, sold for 50.00 TZS (payment ")
    out = box.ctl("voucher", "sell", "--code", code, check=False)
    assert out.returncode == 1 and f"sold before, by {STAFF}" in out.stderr
    # Another price is a decision of who may take it back.
    out = box.ctl("voucher", "sell", "Sold", "--paid", "1", user=CLERK, check=False)
    assert out.returncode == 4 and "supervisor" in out.stderr
    stock = box.json("voucher", "create", "--plan", "Sold", "--count", "3",
                     "--batch", "stock")["codes"]
    assert box.json("voucher", "sell", "--code", stock[0], "--paid", "4000")["paidMinor"] == 4000
    batch = {b["batch"]: b for b in box.json("batch", "list")["items"]}["stock"]
    assert (batch["vouchers"], batch["unused"], batch["sold"], batch["soldMinor"]) == (
        3, 3, 1, 4000)
    out = box.ctl("voucher", "create", "--plan", "Sold", "--batch", "stock", check=False)
    assert out.returncode == 1
    # What it cost goes with it.
    before = sum(row["totalPaidMinor"] for row in box.json("sessions")["items"][:1])
    assert activate(box, stock[0])["success"]
    assert box.json("sessions")["items"][0]["totalPaidMinor"] - before == 4000
    out = box.ctl("voucher", "sell", "--code", stock[0], check=False)
    assert out.returncode == 1 and "was used by" in out.stderr
    shown = box.json("voucher", "show", stock[0])
    told = [(row["what"], row["who"]) for row in shown["history"]]
    assert told[:2] == [("made", "root"), ("sold", "root")]
    assert ("redeemed", None) in told and shown["session"]["state"] == "running"
    box.ctl("hold", GUEST_MAC)
    box.ctl("release", GUEST_MAC)
    box.ctl("move", GUEST_MAC, "02:47:48:00:00:77")
    box.ctl("kick", "02:47:48:00:00:77")
    told = [row["what"] for row in box.json("voucher", "show", stock[0])["history"]]
    assert told[told.index("hold"):] == ["hold", "release", "move", "kick", "session ended"]
    assert GUEST_MAC in box.ctl("voucher", "show", stock[0]).stdout


def test_money_back(box):
    sold = box.json("voucher", "sell", "Sold")
    code, payment = sold["items"][0]["code"], str(sold["paymentId"])
    assert box.ctl("refund", payment, user=CLERK, check=False).returncode == 4
    assert "50.00 TZS" in box.ctl("refund", payment).stdout
    assert activate(box, code)["code"] == "voucher_revoked"
    out = box.ctl("refund", payment, check=False)
    assert out.returncode == 1 and "before" in out.stderr
    assert box.ctl("refund", "999999", check=False).returncode == 3
    assert box.json("voucher", "show", code)["history"][-1]["what"] == "given back"
    row = next(row for row in payments(box) if str(row["id"]) == payment)
    assert (row["status"], row["refundedBy"]) == ("refunded", "root")


def test_money_back_for_what_runs(box):
    box.ctl("kick", GUEST_MAC, check=False)
    sold = box.json("voucher", "sell", "Sold")
    assert activate(box, sold["items"][0]["code"])["success"]
    box.ctl("allow", GUEST_MAC, "--minutes", "10", "--paid", "300")
    assert "What was left of it is gone" in box.ctl("refund", str(sold["paymentId"])).stdout
    session = box.json("sessions")["items"][0]
    assert (session["state"], session["totalPaidMinor"]) == ("running", 300)
    assert 590 <= session["remainingSeconds"] <= 600
    assert box.json("voucher", "show", sold["items"][0]["code"])["history"][-1]["what"] == (
        "given back")
    paid = payments(box)[0]
    assert paid["amountMinor"] == 300
    box.ctl("refund", str(paid["id"]))
    assert box.json("sessions")["items"][0]["state"] == "ended"


def test_a_batch_is_revoked(box):
    codes = box.json("voucher", "create", "--plan", "Sold", "--count", "5",
                     "--batch", "lost")["codes"]
    assert "5 unused codes" in box.ctl("voucher", "revoke", "--batch", "lost").stdout
    assert {activate(box, code)["code"] for code in codes} == {"voucher_revoked"}
    assert box.ctl("voucher", "revoke", "--batch", "none", check=False).returncode == 3


def test_export_and_import(box, tmp_path):
    codes = box.json("voucher", "create", "--plan", "Sold", "--count", "120",
                     "--batch", "=cmd|' /C calc'!A0")["codes"]
    path = tmp_path / "out.csv"
    box.ctl("voucher", "export", "--batch", "=cmd|' /C calc'!A0", "--out", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert [row["code"] for row in rows] == codes
    # No spreadsheet takes it for a formula.
    assert {row["batch"] for row in rows} == {"'=cmd|' /C calc'!A0"}

    path = tmp_path / "elsewhere.csv"
    others = [f"{n:08d}" for n in range(1500)] + ["long4567890abcdef", "a b-c1"]
    path.write_text("name,Code\r\n" + "".join(f'"x, y",{code}\r\n' for code in others)
                    + "x,caf\u00e9\r\n" + f"x,{'9' * 33}\r\n", encoding="utf-8")
    said = box.ctl("voucher", "import", str(path), "--plan", "Sold").stdout
    assert "1502 codes were taken in, 0 were known before, 2 were refused" in said
    assert "1501 of the codes can be guessed" in said
    # Again, as after a pulled plug.
    again = box.json("voucher", "import", str(path), "--plan", "Sold")
    assert (again["added"], again["known"], len(again["refused"])) == (0, 1502, 2)
    assert activate(box, "LONG4567 890ABCDEF")["success"]
    assert activate(box, "abc1")["success"]
    assert activate(box, "00000000")["success"]
    out = box.ctl("voucher", "import", str(path), "--plan", "Daily", check=False)
    assert out.returncode == 1 and "another plan" in out.stderr


def test_codes_are_found_whatever_the_prefix_is_now(box):
    code, = box.json("voucher", "create", "--plan", "Sold", "--prefix", "OLD7")["codes"]
    assert code.startswith("OLD7") and len(code) == 4 + 9
    assert activate(box, code)["success"]


@pytest.mark.parametrize("paper", ["a4", "80mm", "58mm"])
def test_what_is_printed_opens_the_portal_with_the_code(box, tmp_path, paper):
    """The sheet as a browser prints it; the QR codes as a phone reads them."""
    batch = f"print {paper}"
    codes = box.json("voucher", "create", "--plan", "Sold", "--count", "4",
                     "--batch", batch)["codes"]
    box.ctl("voucher", "revoke", codes[3])
    page = tmp_path / "sheet.html"
    box.ctl("voucher", "print", batch, "--paper", paper, "--lang", "sw", "--out", str(page))
    text = page.read_text()
    assert "://" not in re.sub(r"http://(10.66.0.1:8080|www.w3.org)/", "", text)
    assert f"{codes[0][:3]} {codes[0][3:7]} {codes[0][7:]}" in text and codes[3] not in text
    assert "30 dak &middot; 50 TZS" in text
    shot = tmp_path / "sheet.png"
    subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={tmp_path}/chromium", "--window-size=800,1400",
         "--force-device-scale-factor=2", f"--screenshot={shot}", page.as_uri()],
        check=True, capture_output=True, timeout=60)
    seen = subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", shot],
                          check=True, capture_output=True, text=True, timeout=60).stdout
    assert sorted(seen.split()) == sorted(
        f"http://10.66.0.1:8080/?code={code}" for code in codes[:3])


def test_a_sold_voucher_is_printed(box, tmp_path):
    box.ctl("plan", "add", "Night", "--minutes", "480", "--hours", "22:00-06:00")
    page = tmp_path / "one.html"
    page.touch(0o644)
    out = box.ctl("voucher", "sell", "Night", "--out", str(page), "--paper", "58mm")
    assert not out.stdout and f"{page} is written" in out.stderr
    # What a refund needs is the seller's to know.
    assert re.search(r"Night, sold for 0\.00 TZS \(payment \d+\)\.", out.stderr)
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.read_text().count("<svg") == 1 and "22:00-06:00" in page.read_text()
    # Nothing is sold that could not be printed.
    count = len(payments(box))
    out = box.ctl("voucher", "sell", "Sold", "--out", "/nowhere/x", check=False)
    assert out.returncode == 2 and len(payments(box)) == count
