# SPDX-License-Identifier: GPL-2.0-or-later
"""A portal with a certificate, and what announces it: the lines of `capport`
in the programs they are for, the option that a client really gets, the API
over verified TLS, and the certificate's own end."""

import json
import re
import shutil
import signal
import subprocess

import jsonschema
import pytest

from conftest import BUILD, TOP, Lab, Refused, wait_for

NAME = "portal.example.org"
API = f"https://{NAME}/.well-known/captive-portal"
SCHEMA = json.loads((TOP / "tests/portal/capport.schema.json").read_text())


def certify(folder, days, name=NAME):
    """A certificate of a CA of our own, which clients are told to trust."""
    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    if not (folder / "ca.pem").exists():
        openssl("req", "-x509", *curve, "-days", "30", "-subj", "/CN=Lab CA",
                "-keyout", folder / "ca.key", "-out", folder / "ca.pem")
    openssl("req", *curve, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
            "-keyout", folder / "key.new", "-out", folder / "request.pem")
    openssl("x509", "-req", "-in", folder / "request.pem", "-CA", folder / "ca.pem", "-CAkey",
            folder / "ca.key", "-CAcreateserial", "-days", days, "-copy_extensions", "copy",
            "-out", folder / "cert.new")
    # The portal reads them as the user that it is.
    for part in ("key", "cert"):
        (folder / f"{part}.new").chmod(0o644)
        (folder / f"{part}.new").rename(folder / f"{part}.pem")


@pytest.fixture(scope="module")
def lab():
    lab = Lab("cap", 1, ["--bridge", "--no-gatehouse"])
    try:
        certify(lab.state, 90)
        conf = lab.state / "gatehouse.conf"
        conf.write_text(conf.read_text().replace(
            "[portal]\n", f"[portal]\nname = {NAME}\ntls_cert = {lab.state}/cert.pem\n"
                          f"tls_key = {lab.state}/key.pem\n"))
        lab.start()
        yield lab
    finally:
        lab.down()


def lines(lab, program, *options):
    status, text = lab.text("capport", "--for", program, *options)
    assert status == 0, text
    return text


@pytest.fixture(scope="module")
def told(lab):
    """The lab's own dnsmasq, with the lines added."""
    conf = lab.state / "dnsmasq.conf"
    conf.write_text(conf.read_text() + lines(lab, "dnsmasq"))
    subprocess.run(["dnsmasq", "--test", "-C", conf], check=True, capture_output=True)
    lab.kill("dnsmasq")
    process = lab.spawn("gw", "dnsmasq", "--keep-in-foreground", "-C", conf,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(10)


def test_a_client_gets_option_114(lab, told):
    script = lab.state / "show.sh"
    script.write_text("#!/bin/sh\nenv | grep -i -e opt114 -e ^ip=\n")
    script.chmod(0o755)
    # 114 asked for by its number, as phones do.
    got = lab.guest().run("busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "10",
                          "-T", "1", "-O", "114", "-s", script)
    match = re.search(r"opt114=([0-9a-f]+)", got.stdout)
    assert match and bytes.fromhex(match[1]).decode() == API, got


def test_the_api_where_the_option_says(lab, told):
    """By its name, over TLS that the client verifies, before and after."""
    guest = lab.guest()

    def ask():
        answer = lab.sh("guest", "1", "curl", "-sS", "-i", "-m", "10", "--cacert",
                        str(lab.state / "ca.pem"), API)
        head, _, body = answer.replace("\r", "").partition("\n\n")
        assert "content-type: application/captive+json" in head.lower(), answer
        assert "cache-control: private, no-store" in head.lower()
        said = json.loads(body)
        jsonschema.validate(said, SCHEMA)
        return said

    assert ask() == {"captive": True, "user-portal-url": f"https://{NAME}/",
                     "can-extend-session": True}
    lab.ctl("allow", guest.mac, "--minutes", "10", "--megabytes", "5")
    said = ask()
    assert not said["captive"] and 500 < said["seconds-remaining"] <= 600
    # What is left of both directions together.
    assert 4000000 < said["bytes-remaining"] <= 5000000
    lab.ctl("kick", guest.mac)
    assert ask()["captive"]


def test_plain_http_only_sends_on(lab):
    """With a certificate nothing but the redirect is said without TLS."""
    guest = lab.guest()
    for path in ("/", "/help", "/r", "/coins"):
        answer = guest.curl(f"http://10.77.0.1{path}")
        assert answer.status == 302, path
        assert answer.headers["location"] == f"https://{NAME}{path}"
        assert "Set-Cookie" not in answer.headers
    status, reply = guest.redeem(lab.voucher())
    assert (status, reply["code"]) == (403, "not_allowed")


def test_kea_takes_the_lines(lab, tmp_path):
    if not shutil.which("kea-dhcp4"):
        pytest.skip("kea-dhcp4 is missing: scripts/deps.sh test")
    text = lines(lab, "kea")
    options = re.findall(r'"option-data": .*?\],\n', text, re.DOTALL)
    assert len(options) == 2
    for version, subnet, option in ((4, "10.77.0.0/24", options[0]),
                                    (6, "fd77::/64", options[1])):
        conf = tmp_path / f"kea{version}.conf"
        conf.write_text(f'{{"Dhcp{version}": {{"lease-database": {{"type": "memfile", '
                        f'"persist": false}}, "subnet{version}": [ {{ {option} '
                        f'"subnet": "{subnet}" }} ] }} }}')
        done = subprocess.run([f"kea-dhcp{version}", "-t", conf], capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_radvd_takes_the_lines(lab, tmp_path):
    if not shutil.which("radvd"):
        pytest.skip("radvd is missing: scripts/deps.sh test")
    text = lines(lab, "radvd")
    assert f'AdvCaptivePortalAPI "{API}";' in text
    version = subprocess.run(["radvd", "-v"], capture_output=True, text=True, check=False)
    number = re.search(r"(\d+)\.(\d+)", version.stdout + version.stderr)
    if (int(number[1]), int(number[2])) < (2, 20):
        # As the comment says.
        text = re.sub(r"\tAdvCaptivePortalAPI.*\n", "", text)
    conf = tmp_path / "radvd.conf"
    conf.write_text(text)
    conf.chmod(0o644)
    done = subprocess.run(["radvd", "-c", "-C", conf], capture_output=True, text=True,
                          timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_of_one_network_and_as_json(lab):
    assert lines(lab, "dnsmasq", "--network", "lan") == lines(lab, "dnsmasq")
    reply = lab.ctl("capport", "--for", "kea")
    assert reply["url"] == API and reply["networks"][0]["name"] == "lan"
    for words, status in ((["--for", "isc"], 2), (["--for", "kea", "--network", "x"], 3)):
        with pytest.raises(Refused) as refused:
            lab.ctl("capport", *words)
        assert refused.value.status == status


def test_a_certificate_that_ends_is_told_of(lab):
    assert lab.ctl("status")["portals"]["guests"]["certificate"]["problem"] == ""
    assert "certificate" not in lab.text("status")[1]
    for days, name, word in ((5, NAME, "ends soon"), (90, "else.example", "`name`")):
        certify(lab.state, days, name)
        told = lab.ctl("status")["portals"]["guests"]
        assert told["url"] == f"https://{NAME}"
        assert told["certificate"]["daysLeft"] in (days - 1, days)
        assert word in told["certificate"]["problem"]
        assert word in lab.text("status")[1]
        assert "# MIND THE CERTIFICATE: it" in lines(lab, "kea")
    certify(lab.state, 5)
    lab.ctl("job", "run", "certificates")
    event = wait_for(lambda: [e for e in lab.ctl("events")["items"]
                              if e["type"] == "certificate_expires"])[0]
    assert event["severity"] == "HIGH" and "portal's certificate" in event["description"]
    assert "ends in" in (lab.state / "gatehoused.log").read_text()


def restart(lab):
    lab.kill("gatehoused")
    lab.kill("gatehouse-portal")
    lab.start()


def test_without_a_certificate_nothing_is_announced(lab):
    conf = lab.state / "gatehouse.conf"
    whole = conf.read_text()
    conf.write_text(re.sub(r"tls_(cert|key) = .*\n", "", whole))
    try:
        restart(lab)
        with pytest.raises(Refused) as refused:
            lab.ctl("capport", "--for", "dnsmasq")
        assert "tls_cert" in refused.value.text
        # All else is there, by the portal's addresses.
        status, reply = selftest(lab, "gw")
        assert status == 0 and results(reply).pop("DHCP option 114") == "left out", reply
        pages = [row for row in reply["checks"] if row["check"] == "sign-in page"]
        assert [row["result"] for row in pages] == ["ok", "ok"]
    finally:
        conf.write_text(whole)
        restart(lab)


def selftest(lab, who, *options):
    """As a person on the box runs it, in its namespaces: (status, reply)."""
    done = lab.run(who, BUILD / "gatehousectl", "--socket", lab.state / "control.sock", "--json",
                   "selftest", *options, check=False, timeout=120)
    return done.returncode, json.loads(done.stdout)


def results(reply):
    return {row["check"].split(":")[0]: row["result"] for row in reply["checks"]}


def test_selftest_from_a_port_of_its_own(lab, told):
    links = lab.run("gw", "ip", "-br", "link").stdout
    # The CA is not the world's, and a phone would say so.
    status, reply = selftest(lab, "gw")
    assert status == 1 and reply["code"] == "differs"
    rows = {row["check"]: row for row in reply["checks"]}
    assert rows["sign-in page"]["result"] == "failed"
    assert "certificate" in rows["sign-in page"]["remedy"]
    assert rows["DHCP option 114"]["said"] == API
    status, reply = selftest(lab, "gw", "--network", "lan", "--ca", lab.state / "ca.pem")
    assert status == 0 and set(results(reply).values()) == {"ok"}, reply
    for name in ("DHCP", "DNS", "Android", "iPhone, iPad", "Windows, Xbox", "Firefox", "GNOME",
                 "RFC 8908 API", "IPv6, Android"):
        assert name in results(reply)
    wait_for(lambda: lab.run("gw", "ip", "-br", "link").stdout == links)
    assert "sessions running" in lab.text("status")[1]
    assert lab.ctl("status")["sessions"] == 0


def test_selftest_of_a_client_that_is_there(lab, told):
    """On a guest's own machine, where no daemon is."""
    guest = lab.guest()

    def here():
        return json.loads(lab.sh("guest", "1", str(BUILD / "gatehousectl"), "--json", "selftest",
                                 "--here", "--ca", str(lab.state / "ca.pem"), check=False))

    assert set(results(here()).values()) == {"ok"}
    lab.ctl("allow", guest.mac, "--minutes", "5")
    reply = here()
    assert reply["code"] == "differs" and results(reply)["Android"] == "failed"
    assert any("is online" in row["remedy"] for row in reply["checks"])


def test_selftest_says_what_is_wrong(lab, told):
    lab.kill("gatehouse-portal")
    try:
        status, reply = selftest(lab, "gw")
    finally:
        lab.start()
    failed = {row["check"]: row["remedy"] for row in reply["checks"] if row["result"] == "failed"}
    assert status == 1 and set(failed) == {"sign-in page", "RFC 8908 API"}
    assert "gatehouse-portal must run" in failed["sign-in page"]
    assert selftest(lab, "gw", "--network", "bar")[0] == 3


def test_selftest_leaves_nothing_when_it_is_killed(lab, told):
    links = lab.run("gw", "ip", "-br", "link").stdout
    told.send_signal(signal.SIGSTOP)
    try:
        process = lab.spawn("gw", BUILD / "gatehousectl", "--socket", lab.state / "control.sock",
                            "selftest")
        wait_for(lambda: "ght" in lab.run("gw", "ip", "-br", "link").stdout)
        process.kill()
        process.wait(10)
        wait_for(lambda: lab.run("gw", "ip", "-br", "link").stdout == links)
    finally:
        told.send_signal(signal.SIGCONT)
