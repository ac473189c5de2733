# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages in a real browser: with the script, restoring happens by itself,
the clock counts and leaving wipes everything; without it, forms do all."""
import shutil
import time

import pytest

from fake import CAPTIVE, RUNNING, TOKEN, Portal

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="python3-selenium is missing")
exceptions = pytest.importorskip("selenium.common.exceptions")
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
--window-size=500,900""".split()
KEY = "ajc_session_token"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("chromium or chromium-driver is missing")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('web')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(
        service=webdriver.chrome.service.Service(driver), options=options)
    browser.set_page_load_timeout(15)
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def portal():
    portal = Portal()
    yield portal
    assert portal.stop() == 0, portal.log()


class World:
    """A daemon with one session that a client has or has not."""

    def __init__(self, portal, browser):
        self.portal, self.browser = portal, browser
        self.base = f"http://127.0.0.1:{portal.port}"
        self.session = dict(CAPTIVE)
        self.refusal = None
        portal.daemon.reply = self.reply
        portal.daemon.asked.clear()

    def reply(self, op, args):
        if op == "guest.session":
            return self.session
        if self.refusal:
            return {"success": False, "error": "No: " + self.refusal,
                    "code": self.refusal}
        self.session = dict(RUNNING)
        if op == "sessions.restore":
            return {"success": True, "remainingSeconds": 3541,
                    "migrated": True}
        return dict(RUNNING, token=TOKEN)

    def asked(self, op):
        return [args for name, args in self.portal.daemon.asked if name == op]

    def open(self, path="/"):
        self.browser.get(self.base + path)

    def find(self, css):
        return self.browser.find_element("css selector", css)

    def stored(self):
        return self.browser.execute_script(
            f"return localStorage.getItem('{KEY}')")

    def store(self, token):
        self.open("/assets/icon.svg")
        self.browser.execute_script(
            f"localStorage.setItem('{KEY}', '{token}')")

    def wait(self, what, seconds=8):
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, self.browser.page_source
            time.sleep(0.05)

    def wait_text(self, css, text):
        """A click does not wait for the page that follows it."""
        def there():
            try:
                return self.find(css).text == text
            except exceptions.WebDriverException:
                return False
        self.wait(there)

    def wait_state(self, state):
        self.wait(lambda: self.browser.execute_script(
            "return document.body && document.readyState == 'complete' &&"
            " document.body.getAttribute('data-state')") == state)


@pytest.fixture
def world(portal, browser):
    world = World(portal, browser)
    world.open("/assets/icon.svg")
    browser.execute_script("localStorage.clear()")
    browser.delete_all_cookies()
    browser.get_log("browser")
    yield world
    assert not portal.daemon.faults
    # Nothing was blocked by our own policy, no script failed.
    for line in browser.get_log("browser"):
        assert "Content Security Policy" not in line["message"], line
        assert "Uncaught" not in line["message"], line


def test_a_printed_code_waits_in_line_by_itself(world):
    """The QR code fills the form in; behind guessers the page goes on alone."""
    said = {"success": False, "error": "slow", "code": "slow_down", "retryAfter": 1}

    def busy(op, args):
        if op == "guest.session" or len(world.asked("vouchers.activate")) > 2:
            return world.reply(op, args)
        return said
    world.portal.daemon.reply = busy
    world.open("/?code=ajc12345")
    assert not world.asked("vouchers.activate")
    world.find("form[action='/activate'] button").click()
    world.wait(lambda: "few seconds" in world.browser.page_source)
    assert world.find("#code").get_attribute("value") == "ajc12345"
    world.wait(lambda: len(world.asked("vouchers.activate")) == 3, 30)
    world.wait_state("running")
    assert world.asked("vouchers.activate") == [{"code": "ajc12345"}] * 3


def test_a_voucher_by_its_form(world):
    world.open("/?url=http%3A%2F%2Fnews.example.com%2F")
    world.find("#code").send_keys("ajc12345")
    world.find("form[action='/activate'] button").click()
    world.wait_state("running")
    assert world.asked("vouchers.activate") == [{"code": "ajc12345"}]
    link = world.find("a.primary")
    assert "news.example.com" in link.text
    assert link.get_attribute("href") == "http://news.example.com/"
    assert world.stored() == TOKEN
    cookie = world.browser.get_cookie("gh_session")
    assert cookie["value"] == TOKEN and cookie["httpOnly"]
    # Reloading shows the session and sends no form.
    world.browser.refresh()
    world.wait_state("running")
    assert len(world.asked("vouchers.activate")) == 1


def test_without_the_script(world):
    world.browser.execute_cdp_cmd(
        "Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        world.open()
        world.find("#code").send_keys("AJC12345")
        world.find("form[action='/activate'] button").click()
        world.wait_text("#clock", "00:59:01")
        assert world.find("#resume").get_attribute("href").endswith(
            "/r#" + TOKEN)
        world.session = dict(RUNNING, creditSeconds=3000)
        world.find(".noscript a").click()
        world.wait_text("#clock", "00:50:00")
        world.session = dict(CAPTIVE)
        world.open()
        world.find("#again button").click()
        world.wait_text("#clock", "00:59:01")
        assert world.asked("sessions.restore") == [{"token": TOKEN}]
        world.find("form[action='/leave'] button").click()
        world.wait(lambda: world.browser.get_cookie("gh_session") is None)
    finally:
        world.browser.execute_cdp_cmd(
            "Emulation.setScriptExecutionDisabled", {"value": False})


def test_restore_by_itself_from_the_cookie(world):
    world.browser.add_cookie({"name": "gh_session", "value": TOKEN})
    world.open("/?url=http%3A%2F%2Fnews.example.com%2F")
    world.wait_state("running")
    assert world.asked("sessions.restore") == [{"token": TOKEN}]
    assert "news.example.com" in world.find("a.primary").text


def test_restore_by_itself_from_storage(world):
    world.store(TOKEN)
    world.open()
    world.wait_state("running")
    assert world.asked("sessions.restore") == [{"token": TOKEN}]
    assert world.browser.get_cookie("gh_session")["value"] == TOKEN


def test_a_dead_token_is_forgotten_silently(world):
    world.refusal = "session_unknown"
    world.store(TOKEN)
    world.open()
    world.wait(lambda: world.stored() is None)
    assert not world.find("#alert").is_displayed()
    assert world.find("#code").is_displayed()


def test_not_transferable_says_what_to_do(world):
    world.refusal = "not_transferable"
    world.store(TOKEN)
    world.open()
    world.wait(lambda: world.find("#alert").is_displayed())
    assert "cannot be moved" in world.find("#alert").text
    assert world.stored() == TOKEN
    world.find("#help a").click()
    world.wait_state("help")


def test_the_resume_link(world):
    world.open("/r#" + TOKEN)
    world.wait_state("running")
    assert world.asked("sessions.restore") == [{"token": TOKEN}]
    assert world.stored() == TOKEN
    assert TOKEN not in world.browser.current_url


def test_the_clock_counts_and_the_state_follows(world):
    world.session = dict(RUNNING)
    world.open()
    world.wait(lambda: world.find("#clock").text < "00:59:00")
    world.session = dict(RUNNING, creditSeconds=100, bytesDown=5000000)
    world.wait(lambda: world.find("#down").text == "5.0 MB")
    assert world.find("#clock").text.startswith("00:01:")
    world.session = dict(CAPTIVE)
    world.wait_state("captive")
    assert world.find(".notice").text.startswith("Your session has ended.")


def credit(plan, seconds, size):
    return {"kind": "voucher", "plan": plan, "seconds": seconds, "bytes": size}


def test_one_credit_after_the_other(world):
    """What is counted down is the credit in use; its end is said, and so is
    that of the session."""
    world.browser.add_cookie({"name": "gh_session", "value": TOKEN})
    world.session = dict(RUNNING, remainingSeconds=9000, credits=[
        credit("1 Hour", 3541, 500000000), credit("Daily", 5459, None)])
    world.open()
    assert world.find("#clock").text.startswith("00:5")
    height = world.find("#used").size["height"]
    world.session = dict(world.session, bytesUp=123456789, bytesDown=987654321)
    world.wait(lambda: world.find("#down").text == "988 MB")
    assert world.find("#used").size["height"] == height
    world.session = dict(RUNNING, plan="Daily", creditSeconds=5400,
                         remainingBytes=None, credits=[credit("Daily", 5400, None)])
    world.wait(lambda: world.browser.find_elements("css selector", ".notice"))
    assert "What follows has begun" in world.find(".notice").text
    assert world.find("#clock").text.startswith(("01:30", "01:29"))
    world.refusal = "session_used_up"
    world.session = dict(CAPTIVE, endReason="used up")
    world.wait_state("captive")
    assert world.find(".notice").text.startswith("Your data is used up.")
    assert world.browser.current_url == world.base + "/"


def test_loading_a_paid_page_anew_without_the_script(world):
    """The browser sends the form once more: the guest is online all the same."""
    world.browser.execute_cdp_cmd(
        "Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        world.open()
        world.find("#code").send_keys("AJC12345")
        world.find("form[action='/activate'] button").click()
        world.wait_text("#clock", "00:59:01")
        world.portal.daemon.reply = {
            "success": False, "error": "No", "code": "voucher_used",
            "yours": True, "mac": RUNNING["mac"], "session": world.session}
        world.browser.refresh()
        world.wait(lambda: len(world.asked("vouchers.activate")) == 2)
        world.wait_text("h1", "You are online")
        assert "is yours already" in world.find(".notice").text
        assert "already been used" not in world.find("body").text
    finally:
        world.browser.execute_cdp_cmd(
            "Emulation.setScriptExecutionDisabled", {"value": False})


def test_leaving_wipes_everything(world):
    world.session = dict(RUNNING, token=TOKEN)
    world.open()
    assert world.stored() == TOKEN
    world.find("form[action='/leave'] button").click()
    world.wait_state("left")
    assert world.stored() is None
    assert world.browser.get_cookie("gh_session") is None


def test_login_by_qr_code(world):
    """The poster's token leaves the address bar and comes along all the same."""
    code = "a" * 48
    world.open(f"/login?token={code}")
    world.wait(lambda: world.browser.current_url == world.base + "/login")
    world.find("#id").send_keys("B-7")

    def reply(op, args):
        if op == "qr.home":
            return dict(RUNNING, member={"name": "Ana", "role": "guest", "userId": "B-7"})
        if op == "qr.login" and args.get("secret") != "204":
            return {"success": False, "error": "No", "code": "second_factor_required",
                    "secretKind": "proof"}
        return {"success": True, "sessionId": "5" * 64, "role": "guest", "token": TOKEN,
                "redirectUrl": "/guest/concierge"}
    world.portal.daemon.reply = reply
    world.find("form .primary").click()
    world.wait(lambda: world.browser.find_elements("css selector", "#secret"))
    world.find("#secret").send_keys("204")
    world.find("form .primary").click()
    world.wait_text("h1", "Welcome, Ana")
    assert [args["token"] for args in world.asked("qr.login")] == [code, code]
    assert "5" * 64 not in world.browser.page_source
    assert world.browser.get_cookie("gh_qr")["httpOnly"]
