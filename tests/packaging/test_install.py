# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make install` puts where, and that units, manuals and the example
configuration agree with the programs."""

import os
import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / os.environ.get("GATEHOUSE_BUILD", "build")
CONF = TOP / "packaging/gatehouse.conf"


def run(*args, **kwargs):
    return subprocess.run(args, cwd=TOP, text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **kwargs)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    result = run("make", "install", f"DESTDIR={root}")
    assert result.returncode == 0, result.stdout
    return root


def test_install_puts_everything_in_place(tree):
    files = {str(p.relative_to(tree)) for p in tree.rglob("*") if p.is_file()}
    assert files == {
        "usr/sbin/gatehoused", "usr/sbin/gatehouse-portal",
        "usr/bin/gatehousectl", "etc/gatehouse/gatehouse.conf",
        "lib/systemd/system/gatehoused.service",
        "lib/systemd/system/gatehouse-portal.service",
        "lib/systemd/system/gatehouse-operator.service",
        "usr/lib/sysctl.d/50-gatehouse.conf",
        "usr/lib/sysusers.d/gatehouse.conf",
        "usr/lib/tmpfiles.d/gatehouse.conf",
        "usr/share/doc/gatehouse/api.md",
        "usr/share/doc/gatehouse/branding.md",
        "usr/share/doc/gatehouse/coin-acceptors.md",
        "usr/share/doc/gatehouse/inspecting.md",
        "usr/share/doc/gatehouse/operator-guide.md",
        "usr/share/man/man5/gatehouse.conf.5",
        "usr/share/man/man8/gatehoused.8",
        "usr/share/man/man8/gatehouse-portal.8",
        "usr/share/man/man8/gatehousectl.8"} | {
        f"usr/share/doc/gatehouse/{p.relative_to(TOP / 'packaging')}"
        for p in (TOP / "packaging/branding").rglob("*") if p.is_file()}


def test_uninstall_keeps_configuration_only(tmp_path):
    assert run("make", "install", f"DESTDIR={tmp_path}").returncode == 0
    result = run("make", "uninstall", f"DESTDIR={tmp_path}")
    assert result.returncode == 0, result.stdout
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()] == \
        ["etc/gatehouse/gatehouse.conf"]


def test_help_names_the_targets():
    text = run("make", "help").stdout
    for target in ("check", "test", "bench", "run", "install", "uninstall"):
        assert re.search(rf"^make {target} ", text, flags=re.M), text


def test_second_install_keeps_the_operators_configuration(tree):
    conf = tree / "etc/gatehouse/gatehouse.conf"
    conf.write_text("# mine\n")
    assert run("make", "install", f"DESTDIR={tree}").returncode == 0
    assert conf.read_text() == "# mine\n"


def example_conf(tmp_path):
    """The example with every default and the example network switched on."""
    text = re.sub(r"^#(\[|[a-z0-9_]+ =)", r"\1", CONF.read_text(), flags=re.M)
    for name in ("tls_cert", "tls_key", "name"):
        text = re.sub(rf"^{name} =\n", "", text, flags=re.M)
    path = tmp_path / "gatehouse.conf"
    path.write_text(text)
    return path


def test_every_setting_of_the_example_is_accepted(tmp_path):
    result = run(BUILD / "gatehoused", "-n", "-c", example_conf(tmp_path))
    assert result.returncode == 0, result.stdout


def test_example_and_manual_name_every_setting():
    source = (TOP / "userspace/base/config.c").read_text()
    settings = set(re.findall(r'^\s*\{SECTION_\w+, "([a-z0-9_]+)"', source,
                              flags=re.M))
    assert len(settings) >= 25, "the pattern no longer finds config.c's table"
    conf = CONF.read_text()
    manual = (TOP / "docs/gatehouse.conf.5").read_text()
    assert [s for s in settings if f"\n#{s} =" not in conf] == []
    assert [s for s in settings if f".It Cm {s} = " not in manual] == []


def judge(tmp_path, text):
    """What `gatehoused -n` says of a configuration; "" when it accepts it."""
    path = tmp_path / "gatehouse.conf"
    path.write_text(text)
    result = run(BUILD / "gatehoused", "-n", "-c", path)
    return result.stdout if result.returncode else ""


def test_examples_of_the_manual_are_accepted(tmp_path):
    manual = (TOP / "docs/gatehouse.conf.5").read_text()
    blocks = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", manual, flags=re.M | re.S)
    assert blocks
    for block in blocks:
        assert judge(tmp_path, block) == ""
    reach = re.search(r"^\.It Cm reach = (.*?)^\.It ", manual, flags=re.M | re.S)
    examples = re.search(r"^Examples:\n(.*?)^Default", reach[1], flags=re.M | re.S)
    examples = re.findall(r"^\.Ql (\S+)", examples[1], flags=re.M)
    assert len(examples) >= 5
    network = "[network guest.5-a_b]\ninterface = eth1\nportal4 = 10.77.0.1\n"
    for example in examples:
        assert judge(tmp_path, f"{network}reach = {example}\n") == ""
    together = " ".join(examples[:3]) + "," + ",".join(examples[3:])
    assert judge(tmp_path, f"{network}reach = {together}\n") == ""
    # What the manual says cannot be.
    for wrong in ("[fd00::5]/128:53/udp", "10.0.0.5/tcp", "fd00::5:53/udp"):
        assert f"`reach` does not take {wrong};" in judge(
            tmp_path, f"{network}reach = {wrong}\n")


def test_configuration_of_the_readme_is_accepted(tmp_path):
    readme = (TOP / "README.md").read_text()
    sample = re.search(r"^ +\[portal\]\n.*?\[roles\]\n[^\n]+\n", readme,
                       flags=re.M | re.S)[0]
    assert judge(tmp_path, textwrap.dedent(sample)) == ""


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_units_start_what_was_installed(tmp_path, prefix):
    result = run("make", "install", f"DESTDIR={tmp_path}", f"PREFIX={prefix}")
    assert result.returncode == 0, result.stdout
    for unit in ("gatehoused.service", "gatehouse-portal.service",
                 "gatehouse-operator.service"):
        path = tmp_path / "lib/systemd/system" / unit
        assert path.stat().st_mode & 0o777 == 0o644
        text = path.read_text()
        assert "@SBINDIR" not in text
        started = re.findall(r"^ExecStart(?:Pre)?=(\S+)", text, flags=re.M)
        assert started
        for program in started:
            assert program.startswith(f"{prefix}/sbin/gatehouse")
            assert os.access(f"{tmp_path}{program}", os.X_OK), program


def test_units_verify(tree, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is missing")
    units = []
    for unit in (tree / "lib/systemd/system").glob("*.service"):
        # The programs are not installed on this machine.
        text = unit.read_text().replace("/usr/sbin/gatehouse", "/bin/true #")
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
        (tmp_path / unit.name).write_text(text)
        units.append(tmp_path / unit.name)
    assert len(units) == 3
    result = run("systemd-analyze", "verify", "--man=no", *units)
    assert result.returncode == 0 and not result.stdout, result.stdout


@pytest.mark.parametrize("unit", ["gatehouse-portal", "gatehouse-operator"])
def test_portal_unit_can_keep_one_capability_only(unit):
    text = (TOP / f"packaging/{unit}.service.in").read_text()
    assert f"User={unit}\n" in text
    assert re.findall(r"^CapabilityBoundingSet=(.*)$", text, flags=re.M) == \
        ["CAP_NET_BIND_SERVICE"]
    assert "NoNewPrivileges=yes" in text


def test_manuals_name_every_verb_and_page():
    verbs = re.findall(r'^\t\{"([a-z ]+)", (?:"[a-z.]+"|NULL), ',
                       (TOP / "userspace/ctl/verbs.c").read_text(), flags=re.M)
    manual = (TOP / "docs/gatehousectl.8").read_text()
    assert len(verbs) > 10
    assert [v for v in verbs if not re.search(
        rf"^\.It (Xo )?Cm {v}\b", manual, flags=re.M)] == []
    routes = re.findall(r'^\t\{METHOD_([A-Z]+), +"([^"]+)", +INSTANCE_\w+, ROUTE_(\w+),',
                        (TOP / "portal/routes.c").read_text(), flags=re.M)
    pages = [f"{method} {path}" for method, path, kind in routes
             if kind in ("PAGE", "FORM", "API")]
    assert len(pages) >= 9
    manual = (TOP / "docs/gatehouse-portal.8").read_text()
    assert [p for p in pages if not re.search(
        rf"^\.It Cm {re.escape(p)}( |$)", manual, flags=re.M)] == []
    api = (TOP / "docs/api.md").read_text()
    assert [p for p in pages if "/api/" in p and p not in api] == []


ROLES = ("staff", "supervisor", "manager", "admin")


def test_operator_guide_names_the_role_of_every_command():
    ops = dict(re.findall(r'^\t\{"([a-z.]+)", PROOF_(?:DESK|LOCAL)(?: \| PROOF_STAFF)?, '
                          r'ROLE_([A-Z]+),',
                          (TOP / "userspace/daemon/ops.c").read_text(), flags=re.M))
    verbs = re.findall(r'^\t\{"([a-z ]+)", "([a-z.]+)", ',
                       (TOP / "userspace/ctl/verbs.c").read_text(), flags=re.M)
    assert len(verbs) >= len(ops) > 10
    guide = (TOP / "docs/operator-guide.md").read_text()
    least = {}
    for role in ROLES:
        commands = re.search(rf"^\| {role} \| (.*) \|$", guide, flags=re.M)[1]
        for command in re.findall(r"`([a-z][a-z ]*)`", commands):
            least.setdefault(command, role)
    assert least == {verb: ops[operation].lower() for verb, operation in verbs}


def test_operator_guide_quotes_the_pages():
    guide = (TOP / "docs/operator-guide.md").read_text()
    texts = re.findall(r"^\w+ = (.*)$", (TOP / "portal/lang/en.txt").read_text(),
                       flags=re.M)
    table = guide[guide.index("| the page says |"):]
    quoted = re.findall(r"^\| ([A-Z][^|]*[.]) \|", table, flags=re.M)
    assert len(quoted) >= 7
    assert [text for text in quoted if text not in texts] == []


def test_manual_explains_every_reason():
    source = (TOP / "userspace/datapath/reasons.c").read_text()
    names = set(re.findall(r'^\t\[GH_\w+\] = "(\w+)"', source, flags=re.M))
    assert len(names) > 30, "the pattern no longer finds reasons.c's table"
    manual = (TOP / "docs/gatehousectl.8").read_text()
    section = re.search(r"^\.Sh REASONS\n(.*?)^\.Sh ", manual, flags=re.M | re.S)[1]
    items = [word for line in re.findall(r"^\.It Cm (.*)$", section, flags=re.M)
             for word in line.replace(",", " ").split()]
    assert len(items) == len(set(items))
    assert names - set(items) == {"no_reason"}
    assert set(items) <= names


@pytest.mark.parametrize("page", sorted(
    p.name for p in (TOP / "docs").glob("*.[58]")))
def test_manual_formats_without_a_warning(page):
    result = run("groff", "-ww", "-mandoc", "-Tutf8", "-z", f"docs/{page}")
    assert result.returncode == 0 and not result.stdout, result.stdout
