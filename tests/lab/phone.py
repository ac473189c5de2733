# SPDX-License-Identifier: GPL-2.0-or-later
"""A phone: Chromium on a guest's own side of the gate, of a phone's size. What it
would show is left in build/test/screens."""

import base64
import contextlib
import os
import re
import shutil

import pytest

from conftest import TOP, wait_for
from netns import inside

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="python3-selenium is missing")
exceptions = pytest.importorskip("selenium.common.exceptions")

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
--window-size=500,900""".split()
SCREENS = TOP / "build/test/screens"
SIZE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
KEY = "ajc_session_token"
AXE = next((TOP / "build/axe").glob("axe-*.min.js"), None)

# What is to be touched and is too low, what makes the page wider than the screen,
# and the same with letters of twice the size.
LAYOUT = """
const found = [];
const name = e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") +
    (e.className ? "." + e.className : "");
for (const e of document.querySelectorAll("button, select, summary, a.button, " +
        "input:not([type=hidden]):not([type=checkbox]):not([type=radio])")) {
    const box = e.getBoundingClientRect();
    if (box.height && box.height < 43.5) found.push(name(e) + " is " + box.height + " px high");
}
const wide = size => {
    document.documentElement.style.fontSize = size;
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth + 1) {
        const last = [...document.querySelectorAll("main *")].find(
            e => e.getBoundingClientRect().right > innerWidth + 1 ||
                 e.getBoundingClientRect().left < -1);
        found.push("wider than the screen at " + (size || "100%") + ": " +
                   page.scrollWidth + (last ? ", " + name(last) : ""));
    }
};
wide("");
wide("200%");
document.documentElement.style.fontSize = "";
return found;
"""
# Two pages of one shape look alike: one of them is enough.
SHAPE = re.compile(r'<\w+|class="[^"]*"|hidden|open|type="[^"]*"')
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, arguments[0]).then(
    result => done(result.violations.map(v => v.id + ": " + v.nodes.map(
        n => n.target + " " + n.any.concat(n.all, n.none).map(c => c.message).join("; "))
        .join(" | "))),
    error => done(["axe failed: " + error]));
"""


class Phone:
    """A browser with a fresh profile on a guest's device."""

    def __init__(self, guest, folder, script=True, language=None, namespace=None,
                 schemes=("light", "dark")):
        self.folder, self.script, self.language = folder, script, language
        self.schemes = schemes if script else schemes[:1]
        self.namespace = namespace or guest.lab.namespace(guest.name)
        self.findings, self.shapes = [], set()

    def __enter__(self):
        # The driver listens on the loopback of its namespace.
        with contextlib.ExitStack() as undo:
            undo.enter_context(inside(self.namespace))
            self.browser = self.start()
            undo.callback(self.browser.quit)
            self.undo = undo.pop_all()
        self.browser.set_page_load_timeout(60)
        self.browser.set_script_timeout(60)
        self.command("Emulation.setDeviceMetricsOverride", **SIZE)
        self.command("Emulation.setScriptExecutionDisabled", value=not self.script)
        if self.script and AXE:
            self.command("Page.addScriptToEvaluateOnNewDocument", source=AXE.read_text())
        return self

    def __exit__(self, kind, *exc):
        with self.undo:
            log = self.browser.get_log("browser")
        # Nothing was blocked by our own policy, no script of ours failed.
        for line in log:
            if line["message"].startswith("chrome://"):
                continue
            assert "Content Security Policy" not in line["message"], line
            assert "Uncaught" not in line["message"], line
        assert kind or not self.findings, "\n".join(self.findings)

    def start(self):
        binary, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
        if not binary or not chromedriver:
            pytest.skip("chromium or chromium-driver is missing")
        self.folder.mkdir(parents=True, exist_ok=True)
        # `ip netns exec` brings the guest's resolver along.
        driver = self.folder / "driver"
        driver.write_text("#!/bin/sh\nexec ip netns exec "
                          f'{os.path.basename(self.namespace)} {chromedriver} "$@"\n')
        driver.chmod(0o755)
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={self.folder / 'profile'}")
        if self.language:
            options.add_experimental_option(
                "prefs", {"intl.accept_languages": self.language})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        return webdriver.Chrome(
            service=webdriver.chrome.service.Service(str(driver)), options=options)

    def command(self, name, **arguments):
        return self.browser.execute_cdp_cmd(name, arguments)

    def open(self, url):
        self.browser.get(url)

    def find(self, css):
        return self.browser.find_element("css selector", css)

    def has(self, css):
        return bool(self.browser.find_elements("css selector", css))

    def text(self, css):
        """Its text, or None: a page that goes away while we look has none."""
        try:
            return self.find(css).text
        except exceptions.WebDriverException:
            return None

    def wait_for(self, what, timeout=15):
        try:
            return wait_for(what, timeout, 0.05)
        except AssertionError:
            raise AssertionError(self.browser.current_url + "\n" +
                                 self.browser.page_source) from None

    def state(self):
        """What the portal's page says it is; None: no page of the portal."""
        try:
            return self.find("body").get_attribute("data-state")
        except exceptions.WebDriverException:
            return None

    def wait_state(self, state, timeout=15):
        """The portal's page of that state, loaded."""
        self.wait_for(lambda: self.state() == state, timeout)

    def redeem(self, code):
        self.find("#code").send_keys(code)
        self.find("form[action='/activate'] button").click()

    def stored(self):
        return self.browser.execute_script(f"return localStorage.getItem('{KEY}')")

    def cookie(self):
        return (self.browser.get_cookie("gh_session") or {}).get("value")

    def scheme(self, scheme):
        self.command("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, name):
        """The whole page at a phone's width, by day and by night."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        for scheme in self.schemes:
            self.scheme(scheme)
            height = self.command("Page.getLayoutMetrics")["cssContentSize"]["height"]
            picture = self.command(
                "Page.captureScreenshot", captureBeyondViewport=True,
                optimizeForSpeed=True, clip={
                    "x": 0, "y": 0, "width": SIZE["width"],
                    "height": max(height, SIZE["height"]), "scale": 1})
            (SCREENS / f"{name}-{scheme}.png").write_bytes(
                base64.b64decode(picture["data"]))

    def look(self, name):
        """A picture, and what axe-core and a ruler find; told when the phone is
        put away, all of it together."""
        shape = self.text("h1"), *SHAPE.findall(self.browser.page_source)
        if shape in self.shapes:
            return
        self.shapes.add(shape)
        self.screenshot(name)
        if not self.script:
            return
        rows = [f"{name}: {row}" for row in self.browser.execute_script(LAYOUT)]
        if AXE:
            for scheme in self.schemes:
                self.scheme(scheme)
                options = {"runOnly": ["color-contrast"]} if scheme == "dark" else {}
                rows += [f"{name}, {scheme}: {row}" for row in
                         self.browser.execute_async_script(RUN_AXE, options)]
        self.findings += rows
