# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest's way in a real browser, on the guest's own side of the gate: from
any page to the portal, online, and back with another address. What a phone
would show is left in build/test/screens.
"""

import contextlib
import time
import urllib.parse

from conftest import PORTAL4, PORTAL6
from phone import Phone

OTHER = "02:00:00:00:03:%02x"
NEWS = "http://example.org/news"


@contextlib.contextmanager
def without_ipv6(guest):
    """A browser takes IPv6 where it can."""
    switch = "net.ipv6.conf.eth0.disable_ipv6="
    guest.run("sysctl", "-qw", switch + "1")
    try:
        yield
    finally:
        guest.run("sysctl", "-qw", switch + "0")


def follow_to_the_internet(phone):
    """The link to the page first asked for, and that page."""
    link = phone.find("a.primary")
    assert link.text == "Continue to example.org"
    assert link.get_attribute("href") == NEWS
    link.click()
    phone.wait_for(lambda: phone.text("h1") == "example.org")
    assert phone.browser.current_url == NEWS
    assert "You are online." in phone.text("body")


def journey(phone, lab, portal):
    phone.open(NEWS)
    phone.wait_state("captive")
    url = urllib.parse.urlsplit(phone.browser.current_url)
    assert f"{url.scheme}://{url.netloc}" == portal
    assert "example.org" in phone.text("main")
    phone.redeem(lab.voucher())
    phone.wait_state("running")
    assert phone.text("h1") == "You are online"
    follow_to_the_internet(phone)


def test_any_page_to_online(lab, tmp_path):
    guest = lab.guest()
    with without_ipv6(guest), Phone(guest, tmp_path) as phone:
        journey(phone, lab, PORTAL4)


def test_any_page_to_online_by_ipv6(tc_lab, tmp_path):
    with Phone(tc_lab.guest(), tmp_path) as phone:
        journey(phone, tc_lab, PORTAL6)


def test_without_the_script(tc_lab, tmp_path):
    """Forms do all of it; another address is restored by a button."""
    guest = tc_lab.guest()
    with Phone(guest, tmp_path, script=False) as phone:
        phone.open(NEWS)
        phone.redeem(tc_lab.voucher(tc_lab.plan(minutes=60, moves=1)))
        phone.wait_for(lambda: phone.text("h1") == "You are online")
        assert "/r#" in phone.find("#resume").get_attribute("href")
        before = phone.find("#clock").text
        assert before.startswith(("01:00:", "00:59:"))
        phone.screenshot("noscript-running")
        time.sleep(1.1)
        phone.find(".noscript a").click()
        phone.wait_for(lambda: (phone.text("#clock") or before) < before)
        guest.change_mac(OTHER % guest.number)
        phone.open(NEWS)
        phone.wait_for(lambda: phone.text("h1") == "Welcome")
        phone.screenshot("noscript-again")
        phone.find("#again button").click()
        phone.wait_for(lambda: phone.text("h1") == "You are online")
        follow_to_the_internet(phone)


def test_what_is_left_counts_down(tc_lab, tmp_path):
    guest = tc_lab.guest()
    plan = tc_lab.plan(minutes=90, megabytes=50)
    with Phone(guest, tmp_path) as phone:
        phone.open(PORTAL6)
        phone.redeem(tc_lab.voucher(plan))
        phone.wait_state("running")
        shown = phone.find("#clock").text
        assert shown.startswith(("01:29:", "01:30:"))
        phone.wait_for(lambda: phone.find("#clock").text < shown, 3)
        assert phone.find("#left").text.startswith("50.0")
        left = phone.find("#left").text
        answer = guest.run("curl", "-s", "-o", "/dev/null", "-w", "%{size_download}",
                           "http://192.0.2.80/bytes/5000000")
        assert answer.stdout == "5000000"
        phone.wait_for(lambda: phone.find("#left").text < left)
        down = float(phone.find("#down").text.removesuffix(" MB"))
        assert 5 <= down < 6
        # The page follows the session: here its end.
        tc_lab.ctl("kick", guest.mac)
        phone.wait_state("captive")
        assert "ended at the desk" in phone.text(".notice")
        phone.screenshot("ended")


def test_another_address_is_restored_by_itself(lab, tmp_path):
    guest = lab.guest()
    born, other = guest.mac, OTHER % guest.number
    lab.ctl("allow", born, "--minutes", "30")
    with Phone(guest, tmp_path) as phone:
        phone.open(PORTAL6)
        phone.wait_state("running")
        token = phone.stored()
        assert len(token) == 64 and phone.cookie() == token
        for now, before in ((other, born), (born, other)):
            guest.change_mac(now)
            phone.open(NEWS)
            phone.wait_state("running")
            assert lab.record(before) is None and lab.record(now)
            follow_to_the_internet(phone)


def test_a_voucher_of_another_device(tc_lab, tmp_path):
    """It stays there, and the page says how to fix the phone's address, and
    which device this is: the desk wants to know."""
    guest = tc_lab.guest()
    code, mac = tc_lab.voucher(), OTHER % guest.number
    with Phone(guest, tmp_path) as phone:
        phone.open(NEWS)
        phone.redeem(code)
        phone.wait_state("running")
        guest.change_mac(mac)
        phone.open(NEWS)
        phone.wait_for(lambda: phone.text("#alert"))
        assert "cannot be moved" in phone.text("#alert")
        assert phone.text(".mac") == mac.upper()
        phone.screenshot("moved")
        phone.find("#help a").click()
        phone.wait_state("help")
        assert "cannot be moved" in phone.text(".alert")
        assert phone.text(".mac") == mac.upper()
        phone.open(PORTAL6)
        phone.redeem(code)
        phone.wait_for(lambda: "already been used" in (phone.text("#alert") or ""))
        assert phone.text(".mac") == mac.upper()
        phone.screenshot("used")
        phone.find("#help a").click()
        phone.wait_state("help")
        assert "already been used" in phone.text(".alert")
        phone.screenshot("help")


def test_the_resume_link_on_another_browser(tc_lab, tmp_path):
    guest = tc_lab.guest()
    tc_lab.ctl("allow", guest.mac, "--minutes", "30")
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    with Phone(guest, tmp_path / "old") as phone:
        phone.open(PORTAL6)
        link = phone.find("#resume").get_attribute("href")
        phone.open(PORTAL6)
        assert phone.find("#resume").get_attribute("href") == link
        assert phone.find(".keep").get_attribute("open") is None
    guest.change_mac(OTHER % guest.number)
    with Phone(guest, tmp_path / "new") as phone:
        phone.open(link)
        phone.wait_state("running")
        assert phone.stored() == link.split("#")[1]
        assert "#" not in phone.browser.current_url
        assert guest.is_online()


def test_how_the_pages_look(tc_lab, tmp_path):
    """No check but that each page can be had: the pictures are for eyes."""
    guest = tc_lab.guest()
    tc_lab.ctl("plan", "add", "Weekend", "--minutes", 2880, "--megabytes", 2000)
    with Phone(guest, tmp_path) as phone:
        phone.open(NEWS)
        phone.wait_state("captive")
        phone.screenshot("welcome")
        for lang in ("sw", "id", "fil"):
            phone.open(f"{PORTAL6}/?lang={lang}")
            phone.screenshot(f"welcome-{lang}")
        phone.open(f"{PORTAL6}/?lang=en&url=http%3A%2F%2Fexample.org%2Fnews")
        phone.redeem("AJC23456789")
        phone.wait_for(lambda: phone.text("#alert"))
        phone.screenshot("unknown")
        phone.find("#code").clear()
        phone.redeem(tc_lab.voucher("Weekend"))
        phone.wait_state("running")
        phone.screenshot("running-quota")
        phone.find("details:not([open]) summary").click()
        phone.screenshot("running-open")
        phone.open(PORTAL6)
        phone.screenshot("running-later")
        phone.find(".keep summary").click()
        phone.screenshot("running-link")
        phone.open(PORTAL6)
        phone.find("details:not(.keep) summary").click()
        phone.redeem(tc_lab.voucher("Daily"))
        phone.wait_for(lambda: phone.browser.find_elements("css selector", ".lines .dim"))
        phone.screenshot("running-several")
        phone.open(PORTAL6)
        phone.find("form[action='/leave'] button").click()
        phone.wait_state("left")
        phone.screenshot("left")
        phone.open(f"{PORTAL6}/nothing-here")
        phone.screenshot("not-found")
        phone.open(f"{PORTAL6}/r")
        phone.screenshot("resume")
