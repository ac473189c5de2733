# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts in portal/lang: every language says the same things, with the same
values in them, and nothing that no page says."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[2]
LANGUAGES = sorted(path.stem for path in (ROOT / "portal/lang").glob("*.txt"))


def read(code):
    """Pairs of key and text, in the order of the file."""
    lines = (ROOT / f"portal/lang/{code}.txt").read_text().splitlines()
    pairs = [line.partition("=") for line in lines
             if line.strip() and not line.startswith("#")]
    assert all(equals for _, equals, _ in pairs), pairs
    return [(key.strip(), text.strip()) for key, _, text in pairs]


def values(text):
    return sorted(set(re.findall(r"{(\w+)}", text)))


def sources(*globs):
    return "".join(path.read_text() for glob in globs
                   for path in sorted(ROOT.glob(glob)))


ENGLISH = dict(read("en"))
TEMPLATES = sources("portal/templates/*.html")
CODE = sources("portal/*.c", "userspace/**/*.c")
CODES = sources("include/gatehouse/ctl.h")
# Keys that are put together: the word behind the prefix is the daemon's.
FAMILIES = ("error_", "role_")


def test_all_seven_are_there():
    assert {"ar", "en", "es", "fil", "fr", "id", "sw"} <= set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_every_text_once(code):
    keys = [key for key, _ in read(code)]
    assert sorted(keys) == sorted(set(keys)), "a key is there twice"
    assert set(keys) == set(ENGLISH)
    assert all(text for _, text in read(code))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_has_the_same_values(code):
    for key, text in read(code):
        assert values(text) == values(ENGLISH[key]), (code, key)
        assert text.count("{") == text.count("}") == len(
            re.findall(r"{\w+}", text)), (code, key)


def is_used(key):
    words = [key] + [key.removeprefix(prefix) for prefix in FAMILIES
                     if key.startswith(prefix)]
    return f"{{{{t.{key}}}}}" in TEMPLATES or any(
        f'"{word}"' in CODE or f"X({word}," in CODES for word in words)


def test_every_text_is_used():
    assert [key for key in ENGLISH if not is_used(key)] == []


def test_a_template_asks_for_texts_that_there_are():
    assert set(re.findall(r"{{t\.([\w.-]+)}}", TEMPLATES)) <= set(ENGLISH)
    assert set(re.findall(r'lang_text\([^,;]*, "(\w+)"', CODE)) <= set(ENGLISH)
