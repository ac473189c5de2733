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


# The categories of a whole number, by the rules of portal/plural.c.
CATEGORIES = {
    "none": {"other"},
    "english": {"one", "other"},
    "french": {"one", "other"},
    "arabic": {"zero", "one", "two", "few", "many", "other"},
    "russian": {"one", "few", "many", "other"},
    "polish": {"one", "few", "many", "other"},
    "czech": {"one", "few", "other"},
}
COUNTED = re.compile(r"(\w+)\.(zero|one|two|few|many|other)$")


def without_counted(keys):
    return {key for key in keys if not COUNTED.match(key)}


def values(text):
    return set(re.findall(r"{(\w+)}", text))


def sources(*globs):
    return "".join(path.read_text() for glob in globs
                   for path in sorted(ROOT.glob(glob)))


ENGLISH = dict(read("en"))
TEMPLATES = sources("portal/templates/*.html")
CODE = sources("portal/*.c", "userspace/**/*.[ch]")
CODES = sources("include/gatehouse/ctl.h")
# Keys that are put together: the word behind the prefix is the daemon's.
FAMILIES = ("error_", "role_", "state_", "voucher_", "method_", "done_")


def test_all_seven_are_there():
    assert {"ar", "en", "es", "fil", "fr", "id", "sw"} <= set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_every_text_once(code):
    keys = [key for key, _ in read(code)]
    assert sorted(keys) == sorted(set(keys)), "a key is there twice"
    assert without_counted(keys) == without_counted(ENGLISH)
    assert all(text for _, text in read(code))


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_counted_has_a_text_for_each_form(code):
    texts = dict(read(code))
    counted = [COUNTED.match(key) for key in texts if COUNTED.match(key)]
    names = {COUNTED.match(key)[1] for key in ENGLISH if COUNTED.match(key)}
    assert {match[1] for match in counted} == names
    for name in names:
        assert {match[2] for match in counted if match[1] == name} == \
            CATEGORIES[texts["plural"]], (code, name)
    for match in counted:
        allowed = {"{n}"} if match[2] in ("few", "many", "other") else {"{n}", ""}
        assert "".join(re.findall(r"{\w+}", texts[match[0]])) in allowed


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_says_how_it_writes_things(code):
    texts = dict(read(code))
    assert texts["direction"] in ("ltr", "rtl")
    assert texts["decimal"] != texts["group"]
    for key, count in (("weekdays", 7), ("months", 12), ("bytes", 5), ("rates", 2)):
        assert len(texts[key].split()) == count, (code, key)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_translation_has_the_same_values(code):
    for key, text in read(code):
        if COUNTED.match(key) or key in ("date", "date_year"):
            continue
        assert values(text) - {"space"} == values(ENGLISH[key]) - {"space"}, (code, key)
        assert text.count("{") == text.count("}") == len(
            re.findall(r"{\w+}", text)), (code, key)


def is_used(key):
    key = key.rpartition(".")[0] if COUNTED.match(key) else key
    words = [key] + [key.removeprefix(prefix) for prefix in FAMILIES
                     if key.startswith(prefix)]
    return f"{{{{t.{key}}}}}" in TEMPLATES or any(
        f'"{word}"' in CODE or f"X({word}," in CODES for word in words)


def test_every_text_is_used():
    assert [key for key in ENGLISH if not is_used(key)] == []


def test_a_template_asks_for_texts_that_there_are():
    assert set(re.findall(r"{{t\.([\w.-]+)}}", TEMPLATES)) <= set(ENGLISH)
    assert set(re.findall(r'lang_text\([^,;]*, "(\w+)"', CODE)) <= set(ENGLISH)


@pytest.mark.parametrize("sheet", sorted((ROOT / "portal/assets").glob("*.css")),
                         ids=lambda sheet: sheet.name)
def test_styles_know_begin_and_end_but_not_left_and_right(sheet):
    """What is for one direction only says so."""
    for line in re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S).splitlines():
        assert line.startswith("[dir=rtl]") or not re.search(
            r"(margin|padding|border|inset)-(left|right)|"
            r"(?<![-\w])(left|right):|(text-align|float|clear): (left|right)",
            line.replace("safe-area-inset", "")), line
