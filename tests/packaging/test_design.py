# SPDX-License-Identifier: GPL-2.0-or-later
"""What comments cite can be found in docs/design.md."""

import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
DESIGN = (TOP / "docs/design.md").read_text()
SECTIONS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", DESIGN, flags=re.M))
PROMISES = set(re.findall(r"^\| ([A-Z]\d+) \|", DESIGN, flags=re.M))
# A promise stands in brackets, in a list of them, or begins a docstring.
LISTED = re.compile(r"\(((?:[GNPT]\d+(?:, )?)+)\)|\"\"\"([GNPT]\d+)[: ]|/\* ([GNPT]\d+)\b")


def sources():
    for folder in ("bpf", "include", "userspace", "portal", "scripts", "tests"):
        for path in sorted((TOP / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".py", ".sh", ".sql", ".js"):
                yield path.relative_to(TOP), path.read_text()


def test_cited_sections_and_promises_exist():
    cited, missing = 0, []
    for path, text in sources():
        found = re.findall(r"docs/design\.md (\d+(?:\.\d+)?|[GNPT]\d+)", text)
        for groups in LISTED.findall(text):
            found += re.findall(r"[GNPT]\d+", " ".join(groups))
        cited += len(found)
        missing += [f"{path}: {name}" for name in found
                    if name not in SECTIONS | PROMISES]
    assert cited > 40
    assert missing == []


def test_files_that_the_design_names_exist():
    names = re.findall(r"`((?:[a-z_]+/)+[a-z_*.]+)`", DESIGN)
    assert len(names) >= 5
    for name in names:
        assert any(list((TOP / base).glob(name))
                   for base in ("", "include", "userspace")), name


def test_links_of_the_documents_lead_somewhere():
    for page in [TOP / "README.md", *(TOP / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
