# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest reaches of the box (G8): DHCP, DNS, ping and the portal, within
a limit; nothing else of it and of its other networks."""

import subprocess

import pytest

from conftest import wait_for

SERVER = """
import socket
l = socket.create_server(("::", 2222), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
while True:
    c, _ = l.accept(); c.sendall(b"secret"); c.close()
"""


@pytest.fixture()
def service(lab):
    """Something on the box that is nobody's business."""
    process = lab.spawn("gw", "/usr/bin/python3", "-c", SERVER, stdout=subprocess.PIPE)
    process.stdout.readline()
    yield
    process.kill()
    process.wait()


def connects(guest, address):
    probe = ("import socket,sys\ntry: socket.create_connection((sys.argv[1], 2222), "
             "timeout=1); print('open')\nexcept OSError: print('closed')")
    return guest.run("/usr/bin/python3", "-c", probe, address).stdout.strip() == "open"


@pytest.mark.parametrize("paid", [False, True])
def test_other_ports_are_closed(lab, service, paid):
    guest = lab.guest()
    if paid:
        assert guest.redeem(lab.voucher())[0] == 200
    for address in ("10.77.0.1", "fd77::1", "192.0.2.1", "2001:db8::1"):
        assert not connects(guest, address), address


@pytest.mark.parametrize("paid", [False, True])
def test_what_everyone_reaches(lab, paid):
    guest = lab.guest()
    if paid:
        assert guest.redeem(lab.voucher())[0] == 200
    for target in (["10.77.0.1"], ["-6", "fd77::1"]):
        guest.run("ping", "-c", "1", "-W", "2", *target)
    guest.run("busybox", "nslookup", "example.org", "10.77.0.1")
    assert guest.curl("http://10.77.0.1/").status == 200
    assert guest.curl("http://[fd77::1]/", "-6").status == 200
    # A lease is renewed while online as well.
    guest.change_mac(guest.mac)


@pytest.mark.parametrize("paid", [False, True])
def test_ping_of_the_box_is_limited(lab, paid):
    guest = lab.guest()
    if paid:
        assert guest.redeem(lab.voucher())[0] == 200
    before = lab.reasons()["drop_box_limit"]
    result = guest.run("ping", "-q", "-f", "-c", "2000", "-s", "1000", "-w", "3", "10.77.0.1",
                       check=False)
    answered = int(result.stdout.split(" received")[0].split()[-1])
    limit = 64_000 if paid else 8_000
    # Limit x 3 s, and what is let through at once.
    assert answered * 1028 * 8 <= limit * 3 + 6 * limit
    assert lab.reasons()["drop_box_limit"] > before


def test_more_addresses_than_rules(lab):
    """The gate goes on with the rules that it has, and says so."""
    def each(verb):
        change = f"ip addr {verb} 198.18.0.$n/32 dev lo"
        lab.run("gw", "sh", "-c", f"for n in $(seq 70); do {change}; done", check=verb == "add")

    try:
        each("add")
        wait_for(lambda: "too many addresses" in
                 lab.ctl("status")["networks"][0]["problem"])
        assert lab.guest().curl("http://10.77.0.1/").status == 200
    finally:
        each("del")
    wait_for(lambda: lab.ctl("status")["networks"][0]["problem"] == "")
