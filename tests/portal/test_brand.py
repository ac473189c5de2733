# SPDX-License-Identifier: GPL-2.0-or-later
"""A venue's own folder: what it changes, what it cannot, and what is told."""
import os
import re
import shutil
import socket
import subprocess

import pytest

from fake import CAPTIVE, ROOT, Portal, receive

EXAMPLE = ROOT / "packaging/branding"
GERMAN = """language = Deutsch
direction = ltr
plural = english
decimal = ,
group = .
welcome = Willkommen
"""


def get(portal, path, host="127.0.0.1", accept="en"):
    with socket.create_connection((host, portal.port), timeout=15) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}:{portal.port}\r\n"
                     f"Accept-Language: {accept}\r\n"
                     "Connection: close\r\n\r\n".encode())
        return receive(sock)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example, and more."""
    folder = tmp_path_factory.mktemp("brand") / "venue"
    shutil.copytree(EXAMPLE, folder)
    (folder / "texts/de.txt").write_text(GERMAN)
    (folder / "images").mkdir()
    (folder / "images/evil.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    (folder / "pages/pool.html").write_text(
        '<h1>Pool &amp; bar</h1><p><img src="images/evil.svg" alt="A pool"></p>')
    for path in [folder.parent.parent, folder.parent, folder, *folder.rglob("*")]:
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    return folder


@pytest.fixture(scope="module")
def portal(folder):
    portal = Portal(extra=f"branding = {folder}", bar="branding =")
    portal.daemon.reply = dict(CAPTIVE)
    yield portal
    assert not portal.daemon.faults
    assert portal.stop() == 0, portal.log()


def test_name_colour_logo_and_texts(portal):
    answer = get(portal, "/")
    page = answer.text()
    assert "Hotel Kilima" in page and "<h1>Welcome to Hotel Kilima</h1>" in page
    assert "<style>:root{--main:#7a2e1f;--main-text:#ffffff;" in page
    # The policy knows the styles by their hash: both count.
    assert len(re.findall(r"'sha256-[\w+/=]{44}'", answer.header("content-security-policy"))) == 2
    logo = re.search(r'<img class="logo own" src="([^"]+)"', page)[1]
    image = get(portal, logo)
    assert image.status == 200 and image.header("content-type") == "image/svg+xml"
    assert "immutable" in image.header("cache-control")
    assert "Karibu Hotel Kilima" in get(portal, "/", accept="sw").text()


def test_terms_are_in_the_language_of_a_venue_with_texts_of_its_own(portal):
    for accept, title in (("sw", "Masharti"), ("de", "Regeln"), ("id", "Be kind")):
        assert title in get(portal, "/terms", accept=accept).text(), accept


def test_an_image_cannot_run_a_script(portal):
    image = get(portal, "/venue/images/evil.svg")
    policy = image.header("content-security-policy")
    assert "sandbox" in policy and "script" not in policy
    assert image.header("x-content-type-options") == "nosniff"


def test_own_pages_have_links_and_a_language(portal):
    page = get(portal, "/").text()
    assert '<a href="/venue/about">About us</a>' in page
    assert '<a href="/venue/house-rules">House rules</a>' in page
    assert '<a href="/venue/pool">Pool &amp; bar</a>' in page
    about = get(portal, "/venue/about").text()
    assert "<h1>About us</h1>" in about and "Hotel Kilima" in about
    assert about.count("<h1>") == 1
    about = get(portal, "/venue/about", accept="sw").text()
    assert "<h1>Kuhusu sisi</h1>" in about
    assert '<a href="/venue/about">Kuhusu sisi</a>' in about
    rules = get(portal, "/venue/house-rules").text()
    assert "<p>Quiet hours are from 22:00 to 6:00.<br>" in rules
    for missing in ("/venue/nothing", "/venue/", "/venue/about.sw",
                    "/venue/images/nothing.png", "/venue/images/../venue.conf"):
        assert get(portal, missing).status == 404


def test_a_made_up_language_is_one_more_file(portal):
    page = get(portal, "/", accept="de-AT, en;q=0.5").text()
    assert '<html lang="de" dir="ltr" data-decimal="," data-group="."' in page
    assert "<h1>Willkommen</h1>" in page and "Voucher code" in page
    assert '>Deutsch</a>' in get(portal, "/").text()
    chosen = get(portal, "/?lang=de")
    assert "gh_lang=de;" in chosen.header("set-cookie")


def test_a_network_without_it(portal):
    page = get(portal, "/", host="127.0.0.2").text()
    assert "The bar" in page and "Kilima" not in page and "/venue/" not in page


WRONG = {
    "venue.conf": "name = X\naccent = #ffcc00\naccent_dark = red\ncolour = 1\nword\n",
    "logo.png": "GIF89a",
    "extra.css": "x",
    "texts/en.txt": "welcome = Hi\nwelcom = Hi\ncontinue_to = To {where}\nno line\n",
    "texts/sw.txt": b"welcome = Karibu\nonline = \xff\n",
    "texts/english.text": "",
    "pages/a.html": "<h1>A</h1>\n<script>alert(1)</script>",
    "pages/b.html": "<h1>B</h1>\n<p onclick='x'>x</p>",
    "pages/c.html": "<h1>C</h1>\n\n<a href=\"javascript:x\">x</a>",
    "pages/d.html": "<h1>D</h1><p>\n<b>x</p>",
    "pages/e.html": "no heading",
    "pages/f.html": "<h1>F</h1>\n<img src=\"images/no.png\" alt=\"\">",
    "pages/Big Name.txt": "x",
    "images/huge.png": b"\x89PNG\r\n\x1a\n" + bytes(300000),
}
TOLD = """venue.conf:2: #ffcc00 cannot be read on the light pages
venue.conf:3: a colour is #rrggbb
venue.conf:4: there are name, accent and accent_dark only
venue.conf:5: a line is
logo.png: is not the kind of image
extra.css: there is no use
texts/en.txt:2: there is no text called "welcom"
texts/en.txt:3: "continue_to" has a {value}
texts/en.txt:4: "no line" is not
texts/sw.txt:2: is no text in UTF-8
texts/english.text: texts are called
pages/a.html:2: an element that is not allowed
pages/b.html:2: an attribute that is not allowed
pages/c.html:3: href goes to
pages/d.html:2: an end without its beginning
pages/e.html:1: a page begins with its <h1>
pages/f.html:2: shows an image that there is not
pages/Big Name.txt: a page is called
images/huge.png: is too large"""


def test_what_is_wrong_is_told_and_left_out(tmp_path):
    folder = tmp_path / "venue"
    for name, text in WRONG.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    portal = Portal(extra=f"branding = {folder}")
    try:
        check = subprocess.run([portal.command[0], "-n", *portal.command[2:]],
                               capture_output=True, text=True, timeout=30)
        assert check.returncode == 1
        for line in TOLD.splitlines():
            assert f"{folder}/{line}" in check.stderr, (line, check.stderr)
        # Guests get their page all the same, in the nearest readable colour.
        portal.daemon.reply = dict(CAPTIVE)
        page = get(portal, "/").text()
        assert "<h1>Hi</h1>" in page
        assert ":root{--main:#" in page and "#ffcc00;--main-text" not in page
        assert get(portal, "/venue/a").status == 404
    finally:
        assert portal.stop() == 0


def test_the_example_has_no_fault(portal):
    check = subprocess.run([portal.command[0], "-n", *portal.command[2:]],
                           capture_output=True, text=True, timeout=30)
    assert (check.returncode, check.stderr) == (0, ""), check.stderr


def test_operators_see_it_too(folder):
    portal = Portal(operators=True, extra=f"branding = {folder}")
    portal.daemon.reply = {"success": False, "code": "not_logged_in", "error": "x"}
    try:
        assert "Hotel Kilima" in get(portal, "/").text()
    finally:
        assert portal.stop() == 0


@pytest.mark.parametrize("sheet", ["portal.css", "operators.css"])
def test_the_colours_are_checked_against_those_of_the_pages(sheet):
    css = (ROOT / "portal/assets" / sheet).read_text()
    code = (ROOT / "portal/brand.c").read_text()
    for what in ("page", "card"):
        values = re.findall(rf"--{what}: #(\w+);", css)
        assert len(values) == 2
        for shade, value in zip(("light", "dark"), values):
            full = value if len(value) == 6 else "".join(c + c for c in value)
            parts = re.findall("..", full)
            assert f"{what}_{shade} = {{0x{', 0x'.join(parts)}}}" in code
