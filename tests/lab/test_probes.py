# SPDX-License-Identifier: GPL-2.0-or-later
"""What phones, computers and consoles ask to find out whether there is a portal,
each as itself: the detector says portal before, internet in the first probe
after, and portal again in the first one after the end. The detectors are
written here once more, from what their makers publish, not from our table."""

import dataclasses
import json
import time
import typing

import pytest

from conftest import BUILD, Lab


@pytest.fixture(scope="module")
def lab():
    lab = Lab("probe", 1, [])
    yield lab
    lab.down()


ANDROID = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/60.0.3112.32 Safari/537.36")
APPLE = "CaptiveNetworkSupport-443.120.1 wispr"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def no_content(answer):
    """Android, ChromeOS, Edge, Steam: 204. Else a redirect, or a page of more
    than 4 bytes, is a portal; an empty 200 is a broken network."""
    if answer.status == 204:
        return "internet"
    if 300 <= answer.status < 400 and answer.headers.get("location"):
        return "portal"
    return "portal" if answer.status == 200 and len(answer.body) > 4 else "broken"


def text(expected, whole=True):
    """Everyone else compares the text; anything else that came is a portal."""
    def judge(answer):
        same = answer.body.strip() == expected if whole else expected in answer.body
        if answer.status == 200 and same:
            return "internet"
        return "portal" if answer.status in (200, 302, 303, 307) else "broken"
    return judge


def apple(answer):
    body = answer.body.replace("\n", "").lower()
    if (answer.status == 200 and "<title>success</title>" in body
            and "<body>success</body>" in body):
        return "internet"
    return "portal" if answer.status in (200, 302) else "broken"


def begins(expected):
    """NetworkManager: g_str_has_prefix()."""
    def judge(answer):
        if answer.status == 200 and answer.body.startswith(expected):
            return "internet"
        return "portal" if answer.status in (200, 302) else "broken"
    return judge


@dataclasses.dataclass
class Detector:
    name: str
    url: str
    agent: typing.Optional[str]
    judge: typing.Callable

    def ask(self, guest):
        family = ["-6"] if "ipv6." in self.url else []
        # Nothing follows the redirect by itself, and a Mozilla says "Accept".
        return self.judge(guest.curl(
            self.url, *family, "-A", self.agent or "", "-H", "Connection: close"))


MOZILLA = ('<meta http-equiv="refresh" content="0;'
           'url=https://support.mozilla.org/kb/captive-portal"/>')
NM = begins("NetworkManager is online")
NCSI = "Microsoft NCSI"
DETECTORS = [Detector(*row) for row in [
    ("Android", "http://connectivitycheck.gstatic.com/generate_204", ANDROID, no_content),
    ("Android, second", "http://www.google.com/gen_204", ANDROID, no_content),
    ("Android 4", "http://clients3.google.com/generate_204",
     "Dalvik/1.6.0 (Linux; U; Android 4.4.2)", no_content),
    ("Xiaomi", "http://connect.rom.miui.com/generate_204", ANDROID, no_content),
    ("HarmonyOS", "http://connectivitycheck.platform.hicloud.com/generate_204", ANDROID,
     no_content),
    ("Fire OS", "http://fireoscaptiveportal.com/generate_204", ANDROID, no_content),
    ("Kindle", "http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html",
     "Mozilla/5.0 (Linux; U; en-US) AppleWebKit/528.5+ Kindle/3.0+",
     text("81ce4465-7167-4dcb-835b-dcc9e44c112a", whole=False)),
    ("ChromeOS", "http://www.gstatic.com/generate_204", ANDROID, no_content),
    ("iOS", "http://captive.apple.com/hotspot-detect.html", APPLE, apple),
    ("iOS 6", "http://www.apple.com/library/test/success.html",
     "CaptiveNetworkSupport-183 wispr", apple),
    ("Windows", "http://www.msftconnecttest.com/connecttest.txt", NCSI,
     text("Microsoft Connect Test")),
    ("Windows, IPv6", "http://ipv6.msftconnecttest.com/connecttest.txt", NCSI,
     text("Microsoft Connect Test")),
    ("Windows 8", "http://www.msftncsi.com/ncsi.txt", NCSI, text("Microsoft NCSI")),
    ("Edge", "http://edge-http.microsoft.com/captiveportal/generate_204", ANDROID, no_content),
    ("Firefox", "http://detectportal.firefox.com/canonical.html", FIREFOX, text(MOZILLA)),
    ("Firefox, IPv4", "http://detectportal.firefox.com/success.txt?ipv4", FIREFOX,
     text("success")),
    ("GNOME", "http://nmcheck.gnome.org/check_network_status.txt", None, NM),
    ("Debian", "http://network-test.debian.org/nm", None, NM),
    ("Fedora", "http://fedoraproject.org/static/hotspot.txt", None, text("OK")),
    ("Ubuntu", "http://connectivity-check.ubuntu.com/", None, no_content),
    ("Arch", "http://ping.archlinux.org/nm-check.txt", None, NM),
    ("openSUSE", "http://conncheck.opensuse.org/", None, NM),
    ("KDE", "http://networkcheck.kde.org/", None, text("OK")),
    ("Steam Deck", "http://test.steampowered.com/204", "Valve/Steam HTTP Client 1.0",
     no_content),
    ("Nintendo Switch", "http://ctest.cdn.nintendo.net/", None, text("ok")),
]]


def verdicts(guest):
    return {d.name: d.ask(guest) for d in DETECTORS}


def all_say(word):
    return {d.name: word for d in DETECTORS}


def test_each_detector_before_and_after(lab):
    guest = lab.guest()
    assert verdicts(guest) == all_say("portal")
    assert guest.redeem(lab.voucher())[0] == 200
    # Each one asks once and for the first time since.
    assert verdicts(guest) == all_say("internet")
    lab.ctl("kick", guest.mac)
    assert verdicts(guest) == all_say("portal")


def test_the_first_probe_after_the_change_is_within_a_second(lab):
    """Nothing is asked again and again until it is right."""
    guest, android = lab.guest(), DETECTORS[0]
    code = lab.voucher()
    assert android.ask(guest) == "portal"
    assert guest.redeem(code)[0] == 200
    begin = time.monotonic()
    verdict = android.ask(guest)
    took = time.monotonic() - begin
    assert verdict == "internet"
    # What a loaded machine needs to start curl is not the gate's.
    begin = time.monotonic()
    guest.run("curl", "--version")
    assert took - (time.monotonic() - begin) < 1


def test_the_end_of_time_is_seen_by_the_next_probe(lab):
    guest, apple_device = lab.guest(), DETECTORS[8]
    lab.ctl("allow", guest.mac, "--minutes", "1")
    assert apple_device.ask(guest) == "internet"
    lab.ctl("allow", guest.mac, "--minutes", "-1")
    assert apple_device.ask(guest) == "portal"


def test_selftest_where_there_is_no_place_for_a_client(lab):
    """The LAN is a plain interface: the gate says what it would do."""
    done = lab.run("gw", BUILD / "gatehousectl", "--socket", lab.state / "control.sock",
                   "--json", "selftest")
    reply = json.loads(done.stdout)
    results = {row["check"]: row["result"] for row in reply["checks"]}
    assert results["the gate answers port 80"] == results["the portal is served"] == "ok"
    assert results["the gate answers port 80, IPv6"] == "ok"
    assert results.pop("the probes themselves") == "left out"
    assert set(results.values()) == {"ok"}


def test_where_windows_opens_its_browser(lab):
    """Nobody wanted that page, so no link to it is shown."""
    guest = lab.guest()
    answer = guest.curl("http://www.msftconnecttest.com/redirect")
    assert answer.status == 302
    page = guest.curl(answer.headers["location"])
    assert page.status == 200 and "msftconnecttest" not in page.body
