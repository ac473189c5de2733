# SPDX-License-Identifier: GPL-2.0-or-later
"""QR codes as a camera sees them: what gatehousectl draws is read again by zbar,
in every form and size, with a logo in the middle and with dirt on it."""
import http.client
import os
import pathlib
import re
import struct
import subprocess
import zlib

import pytest

from desk import QR, Venue
from fake import TOKEN, Portal

BUILD = pathlib.Path(os.environ.get("GATEHOUSE_BUILD", "build")).resolve()
LOGIN = "https://portal.example.org/login?token=" + "0123456789abcdef" * 3
LANGUAGES = ("en", "fil", "id", "sw", "fr", "es", "ar")
SVG = re.compile(r"<svg .*?</svg>", re.S)


def draw(*args, code=0):
    out = subprocess.run([BUILD / "gatehousectl", "--socket", "/nowhere", "qr", *map(str, args)],
                         text=True, capture_output=True, timeout=60, check=False)
    assert out.returncode == code, out.stderr
    return out


def scan(path):
    return subprocess.run(
        ["zbarimg", "-q", "--raw", "-Sdisable", "-Sqrcode.enable", path],
        check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


def png(path, width, height, pixel):
    """An RGB picture of pixel(x, y)."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + bytes(c for x in range(width) for c in pixel(x, y))
                    for y in range(height))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" +
                     chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


def header(path):
    """(side, colour type) of a PNG: 3 is a palette, 2 is RGB."""
    side, _, _, colour = struct.unpack_from(">IIBB", path.read_bytes(), 16)
    return side, colour


def paint(path, svg, pixels):
    """The modules of an SVG of ours as a picture, as a browser would draw them:
    its path has runs such as M4 4h7v1h-7z."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    dark = set()
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-", svg):
        dark |= {(int(x) + i, int(y)) for i in range(int(run))}
    scale = -(-pixels // size)
    return png(path, size * scale, size * scale,
               lambda x, y: (0,) * 3 if (x // scale, y // scale) in dark else (255,) * 3)


@pytest.fixture(name="logo", scope="module")
def fixture_logo(tmp_path_factory):
    """Busy, and the worst colour: dark."""
    return png(tmp_path_factory.mktemp("logo") / "logo.png", 300, 200,
               lambda x, y: (x % 60, y % 40, 90 if (x // 10 + y // 10) % 2 else 0))


@pytest.mark.parametrize("level, pixels", [
    ("L", 100), ("M", 1), ("M", 512), ("Q", 512), ("Q", 1500), ("H", 100), ("H", 4096)])
def test_a_picture_is_read_again(tmp_path, level, pixels):
    path = tmp_path / "code.png"
    draw("url", LOGIN, "--png", path, "--level", level, "--pixels", pixels)
    side, colour = header(path)
    assert side >= pixels and colour == 3
    assert path.stat().st_size < 2000 + side * side / 64
    # One pixel a module is for who enlarges it.
    if pixels > 1:
        assert scan(path) == [LOGIN]


@pytest.mark.parametrize("pixels", [150, 512, 1024])
def test_a_logo_leaves_it_readable(tmp_path, logo, pixels):
    path, svg = tmp_path / "code.png", tmp_path / "code.svg"
    for text in ("http://10.77.0.1/", LOGIN, LOGIN + "x" * 200):
        draw("url", text, "--logo", logo, "--png", path, "--svg", svg, "--pixels", pixels)
        assert scan(path) == [text]
    assert header(path)[1] == 2
    # In SVG it is a picture within; the modules under it are gone.
    text = svg.read_text()
    assert text.count("<image ") == 1 and "data:image/png;base64,iVBORw0KGgo" in text


def test_a_torn_poster(tmp_path):
    """Level Q: a corner piece of a tenth is covered."""
    svg, path = tmp_path / "code.svg", tmp_path / "code.png"
    draw("url", LOGIN, "--svg", svg, "--level", "Q")
    text = svg.read_text()
    size = int(re.search(r'viewBox="0 0 (\d+)', text)[1])
    assert "M4 4h7" in text, "a quiet zone of 4 modules, then the finder"
    torn = re.sub(r"M(\d+) (\d+)h(\d+)v1h-\d+z",
                  lambda m: "" if int(m[1]) > size - 18 and int(m[2]) > size - 18 else m[0], text)
    assert torn != text
    assert scan(paint(path, torn, 600)) == [LOGIN]
    assert scan(paint(path, text, 60)) == [LOGIN]


def test_posters(tmp_path, logo):
    page, path = tmp_path / "poster.html", tmp_path / "code.png"
    draw("url", LOGIN, "--poster", page, "--langs", ",".join(LANGUAGES), "--logo", logo,
         "--venue", "Cafe <Baraka>", "--ssid", "Baraka & Co", "--password", "karibu;sana")
    text = page.read_text()
    assert "<h1 dir=\"auto\">Cafe &lt;Baraka&gt;</h1>" in text
    assert "<script" not in text and "http" not in text.replace("http://www.w3.org", "")
    assert [m for m in re.findall(r'<section lang="(\w+)"', text)] == list(LANGUAGES)
    assert 'lang="ar" dir="rtl"' in text
    # Each language has its steps, with the Wi-Fi's name.
    assert text.count("<b dir=\"auto\">Baraka &amp; Co</b>") == len(LANGUAGES) + 1
    assert "max(512px," in text
    join, login = SVG.findall(text)
    assert scan(paint(path, join, 300)) == ["WIFI:T:WPA;S:Baraka & Co;P:karibu\\;sana;;"]
    assert "<image" in login and scan(paint(path, login, 512)) == [LOGIN]
    # The Wi-Fi alone.
    draw("wifi", "Baraka", "--poster", page)
    code, = SVG.findall(page.read_text())
    assert scan(paint(path, code, 300)) == ["WIFI:T:nopass;S:Baraka;;"]


def test_operators_get_the_venues_logo(tmp_path):
    """A PNG in the branding folder is in the middle of what they print."""
    (tmp_path / "brand").mkdir()
    tmp_path.chmod(0o755)
    png(tmp_path / "brand/logo.png", 120, 60, lambda x, y: (x * 2, 0, y * 4))
    office = Portal(operators=True, extra=f"branding = {tmp_path}/brand")
    try:
        office.daemon.reply = Venue()
        conn = http.client.HTTPConnection("127.0.0.1", office.port, timeout=20)
        for path, name in (("image?id=3&format=png", "code.png"), ("poster?id=3", "page.html")):
            conn.request("GET", "/dashboard/admin/qr/" + path,
                         headers={"Cookie": f"gh_operator={TOKEN}"})
            (tmp_path / name).write_bytes(conn.getresponse().read())
    finally:
        assert office.stop() == 0, office.log()
    assert header(tmp_path / "code.png")[1] == 2 and scan(tmp_path / "code.png") == [QR["loginUrl"]]
    assert "<image " in (tmp_path / "page.html").read_text()


def test_what_cannot_be(tmp_path, logo):
    path = tmp_path / "code.png"
    path.write_text("mine")
    huge = png(tmp_path / "huge.png", 1025, 2, lambda x, y: (0, 0, 0))
    for args in (["url", "x" * 3000], ["url", "x", "--logo", __file__],
                 ["url", "x", "--logo", huge], ["url", "x", "--logo", tmp_path / "none"],
                 ["url", "x", "--level", "Z"], ["url", "x", "--pixels", "4097"],
                 ["url", "x", "--langs", "en,xx"], ["wifi", ""], ["wifi", "x" * 33],
                 ["wifi", "x", "--password", "short"],
                 ["wifi", "x", "--security", "WPA"],
                 ["wifi", "x", "--security", "nopass", "--password", "long enough"]):
        out = draw(*args, "--png", path, code=2)
        assert out.stderr.startswith("gatehousectl: ")
        assert path.read_text() == "mine", args
    out = draw("wifi", "Baraka", "--hidden", "--security", "SAE", "--password", "x", "--json")
    assert '"text": "WIFI:T:SAE;S:Baraka;P:x;H:true;;"' in out.stdout
