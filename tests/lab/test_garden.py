# SPDX-License-Identifier: GPL-2.0-or-later
"""The garden: what captive guests reach without paying, by prefix or by name;
nothing else, within its limit, counted apart, and changed while traffic flows."""

import os
import time

import pytest

from conftest import Refused, wait_for

GARDEN4, GARDEN6 = "192.0.2.81", "2001:db8::81"
SIZE = 400_000
PLAIN = f"garden = {GARDEN4} {GARDEN6}/128\n"


@pytest.fixture(scope="module", autouse=True)
def addresses(lab):
    for address in (f"{GARDEN4}/24", f"{GARDEN6}/64"):
        lab.run("inet", "ip", "addr", "add", address, "dev", "eth0",
                *(["nodad"] if ":" in address else []))


def url(family, path="/", garden=True):
    if family == 4:
        return f"http://{GARDEN4 if garden else '192.0.2.80'}{path}"
    return f"http://[{GARDEN6 if garden else '2001:db8::80'}]{path}"


def reach(guest, family, garden=True):
    """The status of a page: 200 of its server, 302 of the gate, 0 none."""
    options = ["-6"] if family == 6 else []
    return guest.curl(url(family, garden=garden), *options, timeout=2).status


def garden_of(lab):
    return lab.ctl("status")["networks"][0]["garden"]


def download(guest, family, size=SIZE, timeout=20):
    """Seconds that a download took."""
    result = guest.run("curl", "-sS", "-m", timeout, "-o", "/dev/null", "-w",
                       "%{size_download} %{time_total}", url(family, f"/bytes/{size}"))
    got, seconds = result.stdout.split()
    assert int(got) == size
    return float(seconds)


@pytest.mark.parametrize("family", [4, 6])
def test_captive_guests_reach_it_and_nothing_else(lab, settings, family):
    guest = lab.guest()
    assert reach(guest, family) == 302
    settings(PLAIN)
    assert reach(guest, family) == 200
    assert reach(guest, family, garden=False) == 302
    ping = guest.run("ping", "-c", "1", "-W", "1", GARDEN4 if family == 4 else GARDEN6,
                     check=False)
    assert ping.returncode == 0, ping.stdout
    # Paid or over: it is there all the same.
    assert guest.redeem(lab.voucher())[0] == 200
    assert reach(guest, family) == 200 and guest.is_online()
    lab.ctl("kick", guest.mac)
    assert reach(guest, family) == 200 and not guest.is_online()
    lab.ctl("block", guest.mac)
    assert reach(guest, family) == 0


@pytest.mark.parametrize("family", [4, 6])
def test_bytes_are_counted_apart(lab, settings, family):
    settings(PLAIN + "garden_kbps = 100000\ngarden_network_kbps = 100000\n")
    guest = lab.guest()
    before = garden_of(lab)
    host = GARDEN4 if family == 4 else GARDEN6
    with guest.capture(host) as capture:
        download(guest, family)
        time.sleep(0.2)
    after = garden_of(lab)
    assert after["entries"] == 2 and after["kbps"] == 100000
    assert (after["upBytes"] - before["upBytes"],
            after["downBytes"] - before["downBytes"]) == (capture.up, capture.down)
    # Who pays, pays for it: nothing of it is the garden's.
    assert guest.redeem(lab.voucher())[0] == 200
    download(guest, family)
    assert garden_of(lab)["downBytes"] == after["downBytes"]
    assert lab.record(guest.mac)["down"][0] > SIZE


# Where the way of the LAN makes no difference.
one_way = pytest.mark.parametrize("lab", ["tc"], indirect=True)


@one_way
@pytest.mark.parametrize("setting", ["garden_kbps", "garden_network_kbps"])
def test_it_is_limited(lab, settings, setting):
    """400 kB at 1.6 Mbit/s are 2 s; headers, acknowledgements and the ways of
    TCP with a limit cost some more, a first burst of 1 s less."""
    other = {"garden_kbps": "garden_network_kbps", "garden_network_kbps": "garden_kbps"}
    settings(PLAIN + f"{setting} = 1600\n{other[setting]} = 100000\n")
    guest = lab.guest()
    time.sleep(1.2)
    assert 1.0 < download(guest, 4) < 3.5


@one_way
def test_changes_are_live(lab, settings):
    """A download that flows ends when its garden goes, and with nothing else."""
    settings(PLAIN + "garden_kbps = 800\n")
    guest, paid = lab.guests(2)
    assert paid.redeem(lab.voucher())[0] == 200
    curl = guest.spawn("curl", "-sS", "-m", "20", "-o", "/dev/null", "-Y", "1000", "-y", "1",
                       url(4, f"/bytes/{SIZE * 100}"))
    time.sleep(0.5)
    settings(PLAIN + "garden_kbps = 1600\n# more\n")
    time.sleep(0.5)
    assert curl.poll() is None
    settings(f"garden = {GARDEN6}\n")
    assert curl.wait(timeout=10)
    assert reach(guest, 4) == 302 and reach(guest, 6) == 200
    assert paid.is_online()
    # It is in force without gatehoused, and found again by the next one.
    lab.kill("gatehoused")
    assert reach(guest, 4) == 302 and reach(guest, 6) == 200
    lab.start()
    assert reach(guest, 4) == 302 and reach(guest, 6) == 200


@one_way
def test_it_opens_nothing_inside(lab, settings):
    settings("garden = 10.0.0.0/8 192.0.2.0/24 fd77::/64 2001:db8::/64\n")
    guest = lab.guest()
    for address in ("10.77.0.1", "192.0.2.1", "2001:db8::1", "fd77::1"):
        ssh = guest.run("nc", "-z", "-w", "1", address, "22", check=False)
        assert ssh.returncode != 0
    assert reach(guest, 4) == 200 and reach(guest, 6) == 200
    for address in ("192.0.2.1", "2001:db8::1"):
        ping = guest.run("ping", "-c", "1", "-W", "1", address, check=False)
        assert ping.returncode != 0, ping.stdout


def visit(guest, family, name="www.garden.example"):
    """The status of a page, asked for by a name: the box's resolver is asked first."""
    # `ip netns exec` brings the guest's resolver along.
    space = os.path.basename(guest.lab.namespace(guest.name))
    result = guest.run("ip", "netns", "exec", space, "curl", f"-{family}", "-s", "-m", "3",
                       "-o", "/dev/null", "-w", "%{http_code}", f"http://{name}/", check=False)
    return int(result.stdout)


def entries(lab, *words):
    return {(item["entry"], item["address"]): item["remainingSeconds"]
            for item in lab.ctl("garden", *words)["items"]}


@pytest.mark.parametrize("family", [4, 6])
def test_names_are_learned_before_the_guest_knows_them(lab, settings, family):
    """The answer is a chain: www is an alias of shop."""
    settings("garden = www.garden.example *.example.net\n")
    guest = lab.guest()
    address = GARDEN4 if family == 4 else GARDEN6
    assert reach(guest, family) == 302
    assert entries(lab) == {("www.garden.example", None): None, ("*.example.net", None): None}
    assert visit(guest, family) == 200
    assert 290 < entries(lab)["www.garden.example", address] <= 300
    assert reach(guest, family) == 200 and reach(guest, family, garden=False) == 302
    # Names beside it teach nothing: every other one has the other server's address.
    assert visit(guest, family, "example.org") == 302
    assert visit(guest, family, "example.net") == 302
    assert reach(guest, family, garden=False) == 302
    # A guest who is online asks, and those who are not profit.
    assert guest.redeem(lab.voucher())[0] == 200
    assert visit(guest, family, "www.example.net") == 200
    lab.ctl("kick", guest.mac)
    assert reach(guest, family, garden=False) == 200


@one_way
def test_what_names_teach_ends(lab, settings):
    settings("garden = *.garden.example\ngarden_keep_seconds = 0\n")
    guest = lab.guest()
    assert visit(guest, 4, "shop.garden.example") == 200
    wait_for(lambda: reach(guest, 4) == 302)
    assert entries(lab) == {("*.garden.example", None): None}
    settings("garden = *.garden.example\n")
    assert visit(guest, 4) == 200
    # It outlives gatehoused, as long as its name is in the file.
    lab.kill("gatehoused")
    assert reach(guest, 4) == 200
    lab.start()
    assert reach(guest, 4) == 200
    settings("garden = *.garden.example example.com\n# more\n")
    assert reach(guest, 4) == 200
    settings("garden = example.com\n")
    assert reach(guest, 4) == 302
    assert entries(lab, "--network", "lan") == {("example.com", None): None}
    with pytest.raises(Refused):
        entries(lab, "--network", "none")
