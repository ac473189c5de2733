# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehousectl explain: what it says is what then happens, and nothing
happens because it was asked."""

import os

import pytest

from conftest import Lab, Refused, WAYS, numbers, wait_for

OUT, OUT6 = "192.0.2.80", "2001:db8::80"


@pytest.fixture(scope="module", params=["xdp", "bridge"])
def lab(request):
    made = Lab(f"t{os.getpid() % 10000}{next(numbers)}", 2, WAYS[request.param])
    yield made
    made.down()


def guest_of(lab):
    """One without a record: a kicked one's is closed for a moment."""
    guest = lab.guest()
    wait_for(lambda: lab.record(guest.mac) is None)
    return guest


def explain(lab, guest, *words):
    return lab.ctl("explain", guest.mac, *words)


def reason(lab, guest, *words):
    return explain(lab, guest, *words)["reason"]


def test_captive(lab):
    guest = guest_of(lab)
    assert reason(lab, guest, "--port", 80) == "answer_syn"
    assert reason(lab, guest) == "answer_reset"
    assert reason(lab, guest, "--to", OUT6, "--port", 80) == "answer_syn"
    assert reason(lab, guest, "--proto", "udp", "--to", OUT) == "answer_prohibited"
    assert reason(lab, guest, "--proto", "icmp") == "answer_prohibited"
    assert reason(lab, guest, "--proto", "arp") == "pass_arp"
    assert reason(lab, guest, "--proto", "udp", "--port", 53, "--to", "10.77.0.1") == "pass_dns"
    assert reason(lab, guest, "--to", "10.77.0.1", "--port", 80) == "pass_portal"
    assert reason(lab, guest, "--down") == "drop_captive"
    reply = explain(lab, guest, "--down", "--from", "10.77.0.1")
    assert (reply["verdict"], reply["reason"]) == ("passed", "pass_box_made")
    assert reply["record"] is None and reply["charged"] == 0


def test_online_and_what_ends_it(lab):
    guest = lab.guest()
    lab.ctl("allow", guest.mac, "--minutes", 5, "--megabytes", 1)
    assert guest.is_online()
    reply = explain(lab, guest, "--to", OUT, "--port", 80)
    assert (reply["verdict"], reply["reason"], reply["charged"]) == ("passed", "pass_charged", 40)
    packet, record = reply["packet"], reply["record"]
    assert packet["network"] == "lan" and packet["port"] == 80
    assert record["state"] == "running" and record["quotaBytes"] == 1_000_000
    assert record["networks"] == ["lan"] and 200 < record["remainingSeconds"] <= 300
    assert record["bytesUp"] > 0
    # The same as the raw one; TCP may still have been at it.
    wait_for(lambda: explain(lab, guest)["record"]["bytesUp"]
             == lab.record(guest.mac)["up"][0])
    assert reason(lab, guest, "--to", "10.77.0.9", "--port", 445) == "drop_inside"
    assert reason(lab, guest, "--to", "10.77.0.1", "--port", 22) == "answer_reset"
    assert reason(lab, guest, "--down", "--proto", "udp") == "pass_charged"
    guest.curl("http://192.0.2.80/bytes/1500000", timeout=2)
    reply = explain(lab, guest)
    assert reply["reason"] in ("drop_quota", "answer_reset"), reply
    assert not reply["record"] or reply["record"]["exhausted"] is True
    lab.ctl("allow", guest.mac, "--minutes", 5)
    lab.ctl("block", guest.mac)
    reply = explain(lab, guest, "--proto", "arp")
    assert reply["reason"] == "drop_blocked" and reply["record"]["state"] == "blocked"


def test_rates_of_the_record(lab):
    guest = lab.guest()
    plan = lab.plan(minutes=60, megabytes=1, up=2000, down=5000, slow_up=128, slow_down=256)
    lab.ctl("allow", guest.mac, "--plan", plan)
    record = explain(lab, guest)["record"]
    assert [record[name] for name in ("upKbps", "downKbps", "slowUpKbps", "slowDownKbps")] == [
        2000, 5000, 128, 256]


def test_address_seen_last(lab):
    """Noted at a frame after a second of silence."""
    guest = lab.guest()
    for target, family in ((OUT, 4), (OUT6, 6)):
        def seen():
            guest.run("ping", "-c1", "-W1", target, check=False)
            packet = explain(lab, guest, "--to", target)["packet"]
            return not packet["addressGuessed"] and packet["from"]
        assert wait_for(seen, timeout=10, step=1.1) == guest.address(family)


def test_what_it_says_is_what_happens(lab):
    """The reason that was told is the one that the next real packet counts."""
    guest = guest_of(lab)
    cases = [(["--to", OUT, "--port", 81], ["curl", "-m1", f"http://{OUT}:81/"]),
             (["--to", OUT, "--proto", "icmp"], ["ping", "-c1", "-W1", OUT]),
             (["--to", "10.77.0.1", "--proto", "icmp"], ["ping", "-c1", "-W1", "10.77.0.1"])]
    for allowed in (False, True):
        if allowed:
            lab.ctl("allow", guest.mac, "--minutes", 5)
        for words, command in cases:
            told = reason(lab, guest, *words)
            before = lab.reasons()
            guest.run(*command, check=False)
            assert lab.reasons()[told] > before[told], (told, words)


def packets(lab, guest):
    record = lab.record(guest.mac)
    return record["up"][1] + record["down"][1]


def test_no_trace(lab):
    guest = lab.guest()
    lab.ctl("allow", guest.mac, "--minutes", 5)
    guest.is_online()
    unknown = "02:00:00:00:99:01"
    explain(lab, guest)

    def asked():
        """60 questions; what its own system sends meanwhile is less, mostly."""
        before = packets(lab, guest)
        for words in ([], ["--down"], ["--proto", "udp"]):
            for _ in range(20):
                explain(lab, guest, *words)
        return packets(lab, guest) - before
    wait_for(lambda: asked() < 10, 30)
    assert lab.ctl("explain", unknown)["record"] is None
    assert unknown.upper() not in [row["mac"] for row in lab.ctl("clients")["items"]]
    assert lab.ctl("verify")["differences"] == []


REFUSED = [
    (["--to", "nowhere"], 2, "--to must be an IP address"),
    (["--to", OUT, "--from", "fd77::9"], 2, "one family"),
    (["--proto", "sctp"], 2, "--proto is tcp, udp, icmp or arp"),
    (["--proto", "icmp", "--port", "80"], 2, "--port goes with tcp or udp"),
    (["--proto", "arp", "--to", OUT6], 2, "IPv6 has no ARP"),
    (["--port", "65536"], 2, "--port"),
    (["--network", "moon"], 3, "no such network"),
]


def test_refusals(lab):
    guest = lab.guest()
    for words, status, sentence in REFUSED:
        got, text = lab.text("explain", guest.mac, *words)
        assert got == status and sentence in text, (words, got, text)
    with pytest.raises(Refused):
        lab.ctl("explain", "nonsense")


def test_in_words(lab):
    guest = guest_of(lab)
    status, text = lab.text("explain", guest.mac, "--port", 80)
    assert status == 0 and "answer_syn" in text and "the device has no session" in text
    lab.ctl("allow", guest.mac, "--minutes", 5)
    text = lab.text("explain", guest.mac)[1]
    assert "counted against the client's session" in text and "no limit" in text
    assert "running" in text and max(map(len, text.splitlines())) < 120
