# SPDX-License-Identifier: GPL-2.0-or-later
"""Every page of a guest and of an operator on a phone, in a language from left to
right and one from right to left, with and without JavaScript, by day and by night:
axe-core and a ruler find nothing (N15). And a way in over a line that is slow and
loses packets. The pictures in build/test/screens are for eyes."""

import contextlib
import re
import subprocess
import time
import urllib.parse

import pytest

from conftest import BUILD, PORTAL4, TOP, make_lab, wait_for
from phone import AXE, Phone

NEWS = "http://example.org/news"
LANGUAGES = ("en", "ar")
# Colours are those of every language.
SCHEMES = {"en": ("light", "dark"), "ar": ("light",)}
# What is no page, or is looked at where it belongs.
ELSEWHERE = {"/wispr/abort", "/dashboard*", "/r"}

PASSWORD = "correct horse battery"
OFFICE = "http://127.0.0.1:8080"


def pages(instance):
    """The paths that routes.c has for it, those that take the rest of one aside."""
    found = re.findall(rf'^\t\{{METHOD_GET, +"([^"*]+)", +INSTANCE_{instance}, +ROUTE_PAGE,',
                       (TOP / "portal/routes.c").read_text(), flags=re.M)
    assert found, "the pattern no longer finds the table of routes"
    return [path for path in found if path not in ELSEWHERE]


@pytest.fixture(name="lab", scope="module")
def fixture_lab():
    """A venue that sells in every way there is."""
    made = make_lab("tc", 6)
    path = made.state / "gatehouse.conf"
    terms = made.state / "terms.txt"
    terms.write_text("# House rules\n\nBe kind to the others here.\n")
    path.write_text(f"[terms]\nfile = {terms}\nversion = 1\n\n"
                    "[qr_login]\nguest_plan = Stay\nstaff_plan = Staff\n\n"
                    + path.read_text() + "\nqr_login = yes\n"
                    + f"\n[coin main]\nsocket = {made.state}/coin.sock\nvalue = 100\n")
    made.kill("gatehouse-portal")
    made.kill("gatehoused")
    made.start()
    made.ctl("plan", "add", "One hour", "--minutes", 60, "--price", 100, "--coin")
    made.ctl("plan", "add", "Family", "--minutes", 2880, "--megabytes", 2000,
             "--devices", 3, "--moves", 2, "--price", 500000)
    made.ctl("plan", "add", "Stay", "--minutes", 600)
    made.ctl("plan", "add", "Staff", "--minutes", 60)
    made.portal = subprocess.Popen(
        ["nsenter", f"--net={made.namespace('gw')}", "--", str(BUILD / "gatehouse-portal"),
         "-c", str(path), "--operator"], stderr=subprocess.DEVNULL)
    yield made
    made.portal.terminate()
    made.portal.wait(30)
    made.down()


def ask(lab, *words, text):
    """A verb that asks for a secret."""
    subprocess.run([str(BUILD / "gatehousectl"), "--socket", str(lab.state / "control.sock"),
                    *words], input=text + "\n", text=True, check=True, timeout=30,
                   stdout=subprocess.DEVNULL)


def name_of(path):
    return path.strip("/").replace("/", "-") or "welcome"


def look_around(phone, lang, state):
    """Each page there is, in this state."""
    for path in pages("GUEST"):
        phone.open(PORTAL4 + path)
        assert phone.find("html").get_attribute("lang") == lang, path
        phone.look(f"{lang}-{state}-{name_of(path)}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page(lab, tmp_path, lang):
    if not AXE:
        pytest.skip("axe-core is missing: scripts/deps.sh test")
    guest = lab.guest()
    with Phone(guest, tmp_path, language=lang,
               schemes=SCHEMES[lang]) as phone:
        look_around(phone, lang, "captive")
        phone.open(PORTAL4)
        phone.redeem("AJC23456789")
        phone.wait_for(lambda: phone.text("#alert"))
        phone.look(f"{lang}-captive-unknown")
        phone.open(PORTAL4)
        phone.redeem(lab.voucher("Family"))
        phone.wait_state("running")
        phone.look(f"{lang}-running-first")
        look_around(phone, lang, "running")
        lab.ctl("hold", guest.mac)
        phone.open(PORTAL4)
        phone.wait_state("held")
        phone.look(f"{lang}-held")
        lab.ctl("release", guest.mac)
        phone.open(PORTAL4)
        phone.wait_state("running")
        phone.find("form[action='/leave'] button").click()
        phone.wait_state("left")
        phone.look(f"{lang}-left")
        guest.reset()
        lab.ctl("allow", guest.mac, "--minutes", 30)
        phone.open(PORTAL4)
        phone.wait_state("running")
        phone.find("form[action='/pause'] button").click()
        phone.wait_state("paused")
        phone.look(f"{lang}-paused")
        phone.find("form[action='/go-on'] button").click()
        phone.wait_state("running")
        phone.open(PORTAL4 + "/nothing-here")
        phone.look(f"{lang}-not-found")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_the_script(lab, tmp_path, lang):
    """The same by forms and links alone."""
    guest = lab.guest()
    with Phone(guest, tmp_path, script=False, language=lang,
               schemes=SCHEMES[lang]) as phone:
        look_around(phone, lang, "noscript-captive")
        phone.open(NEWS)
        phone.redeem("AJC23456789")
        phone.wait_for(lambda: phone.text("#alert"))
        phone.find("#code").clear()
        phone.redeem(lab.voucher("Family"))
        phone.wait_state("running")
        look_around(phone, lang, "noscript-running")
        phone.open(PORTAL4)
        phone.find("form[action='/leave'] button").click()
        phone.wait_state("left")
        phone.look(f"{lang}-noscript-left")


def scanned(lab, folder):
    """The address in the code as it is on the wall."""
    picture = folder / "code.png"
    lab.text("qr", "generate", "--label", "wall", "--png", picture)
    return subprocess.run(["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", picture],
                          check=True, text=True, capture_output=True,
                          timeout=60).stdout.strip()


def say(phone, field, text):
    """Types it, and sends the form."""
    phone.find(f"#{field}").send_keys(text)
    phone.find(f"form:has(#{field}) button").click()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_code_on_the_wall(lab, tmp_path, lang):
    """A guest of the house who says the wrong room first, then one of the staff
    who mistypes the PIN: from the camera to online, and each page on the way."""
    room, badge = f"R-{lang}-204", f"S-{lang}"
    lab.ctl("member", "add", room, "--name", "J. Smith", "--devices", 2,
            "--proof-name", "Müller", "--proof-room", 204, "--check-out", "2126-12-24")
    ask(lab, "operator", "add", f"maria-{lang}", "--role", "staff", text=PASSWORD)
    ask(lab, "operator", "pin", f"maria-{lang}", text="739150")
    lab.ctl("member", "add", badge, "--operator", f"maria-{lang}")
    url = scanned(lab, tmp_path)
    guest, other = lab.guests(2)
    with Phone(guest, tmp_path / "guest", language=lang,
               schemes=SCHEMES[lang]) as phone:
        phone.open(url)
        phone.wait_for(lambda: phone.has("#id"))
        assert url.split("=")[1] not in phone.browser.current_url
        phone.look(f"{lang}-wall-who")
        say(phone, "id", "nobody")
        phone.wait_for(lambda: phone.has(".alert"))
        phone.look(f"{lang}-wall-nobody")
        phone.find("#id").clear()
        say(phone, "id", room)
        phone.wait_for(lambda: phone.has("#secret"))
        phone.look(f"{lang}-wall-proof")
        say(phone, "secret", "Smith 999")
        phone.wait_for(lambda: phone.has(".alert"))
        phone.look(f"{lang}-wall-wrong")
        say(phone, "secret", "müller 204")
        phone.wait_for(lambda: phone.state() == "running"
                       or "concierge" in phone.browser.current_url)
        phone.look(f"{lang}-wall-concierge")
        assert guest.is_online()
    with Phone(other, tmp_path / "staff", language=lang,
               schemes=SCHEMES[lang]) as phone:
        phone.open(url)
        say(phone, "id", badge)
        phone.wait_for(lambda: phone.has("#secret"))
        phone.look(f"{lang}-wall-pin")
        say(phone, "secret", "739150")
        phone.wait_for(lambda: "/staff/" in phone.browser.current_url)
        look_around(phone, lang, "staff")
        phone.open(f"{PORTAL4}/staff/client?mac={guest.mac}")
        phone.look(f"{lang}-staff-client")
        # Who comes too late.
        lab.ctl("qr", "revoke", lab.ctl("qr", "list")["qrTokens"][0]["id"])
        phone.browser.delete_all_cookies()
        phone.open(url)
        say(phone, "id", room)
        phone.wait_for(lambda: phone.has(".alert"))
        phone.look(f"{lang}-wall-revoked")


@contextlib.contextmanager
def losses(guest, of_ten):
    """So many of ten packets are lost on the guest's side of the air, either way."""
    rule = f"numgen random mod 10 < {of_ten} drop"
    guest.run("nft", "-f", "-", input=f"""
        table inet air {{
            chain in {{
                type filter hook input priority 0
                iifname eth0 {rule}
            }}
            chain out {{
                type filter hook output priority 0
                oifname eth0 {rule}
            }}
        }}""")
    try:
        yield
    finally:
        guest.run("nft", "delete", "table", "inet", "air")


def test_a_slow_line_that_loses_packets(lab, tmp_path):
    """2G at the far end of the garden: one packet of ten is lost either way, the
    rest has 300 ms each and 50 kbit/s. From the first page asked for to online."""
    guest = lab.guest()
    code = lab.voucher("One hour")
    with Phone(guest, tmp_path) as phone, losses(guest, 1):
        phone.command("Network.enable")
        phone.command("Network.emulateNetworkConditions", offline=False, latency=300,
                      downloadThroughput=6250, uploadThroughput=6250)
        phone.browser.set_page_load_timeout(120)
        began = time.monotonic()
        phone.open(NEWS)
        phone.wait_state("captive", 60)
        shown = time.monotonic() - began
        phone.redeem(code)
        phone.wait_state("running", 120)
        print(f"the page after {shown:.1f} s, online after {time.monotonic() - began:.1f} s")
        phone.look("slow-running")


def links(phone):
    """What the page leads to in this instance, but for languages."""
    found = [urllib.parse.urlsplit(element.get_attribute("href") or "") for element in
             phone.browser.find_elements("css selector", "a[href]")]
    return [link for link in found if link.netloc == OFFICE.removeprefix("http://")
            and "/assets/" not in link.path and "lang=" not in link.query]


def kind_of(link):
    """Links of one kind lead to pages that look alike."""
    return link.path + re.sub("=[^&]*", "", link.query and "?" + link.query)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_of_operators(lab, tmp_path, lang):
    """Whatever the pages lead to, one of each kind."""
    if not AXE:
        pytest.skip("axe-core is missing: scripts/deps.sh test")
    ask(lab, "operator", "add", f"anna-{lang}", "--role", "admin", text=PASSWORD)
    lab.ctl("voucher", "create", "--plan", "Family", "--count", 3, "--batch", f"b-{lang}")
    lab.ctl("member", "add", f"M-{lang}", "--name", "M. Ali")
    lab.ctl("qr", "generate", "--label", f"bar-{lang}")
    lab.ctl("allow", lab.guest().mac, "--minutes", 30)
    wait_for(lambda: lab.run("gw", "ss", "-Hltn", "src", "127.0.0.1:8080").stdout)
    with Phone(None, tmp_path, language=lang, namespace=lab.namespace("gw"),
               schemes=SCHEMES[lang]) as phone:
        phone.open(OFFICE + "/")
        phone.look(f"{lang}-office-login")
        phone.find("input[type=password]").send_keys("not my password at all")
        phone.find("input[name=name]").send_keys(f"anna-{lang}")
        phone.find("form[action='/login'] button").click()
        phone.wait_for(lambda: phone.has(".alert"))
        phone.look(f"{lang}-office-refused")
        phone.find("input[name=name]").clear()
        phone.find("input[name=name]").send_keys(f"anna-{lang}")
        phone.find("input[type=password]").send_keys(PASSWORD)
        phone.find("form[action='/login'] button").click()
        phone.wait_for(lambda: not phone.has("input[type=password]"))
        queue, seen = links(phone), set()
        while queue:
            link = queue.pop(0)
            if kind_of(link) in seen:
                continue
            seen.add(kind_of(link))
            phone.open(link.geturl())
            phone.look(f"{lang}-office-{name_of(link.path)}")
            queue += links(phone)
        assert {"/dashboard", "/dashboard/clients/client?mac"} <= seen


def test_a_venue_of_its_own(lab, tmp_path):
    """The example of a branding folder: its colour can be read, its page is in order."""
    if not AXE:
        pytest.skip("axe-core is missing: scripts/deps.sh test")
    conf = lab.state / "gatehouse.conf"
    before = conf.read_text()
    conf.write_text(before.replace(
        "[portal]\n", f"[portal]\nbranding = {TOP}/packaging/branding\n"))
    lab.kill("gatehouse-portal")
    lab.start()
    with Phone(lab.guest(), tmp_path, language="en") as phone:
        phone.open(PORTAL4)
        assert phone.text("h1") == "Welcome to Hotel Kilima"
        phone.look("branded-captive")
        phone.find("footer a[href='/venue/about']").click()
        phone.wait_state("venue")
        phone.look("branded-page")
    conf.write_text(before)
    lab.kill("gatehouse-portal")
    lab.start()
