# SPDX-License-Identifier: GPL-2.0-or-later
"""A box with several guest networks, each built in a way of its own: network n
has guest n at 10.7.n.11, the box at 10.7.n.1, and a portal there; and the same at
2001:db8:n::.

    plain    w1
    bridge   br1, port w1
    vlan     w1.10, tagged by the guest
    stacked  w1.20.30, two tags, the outer one 802.1ad
    access   br1.10 on a bridge that filters VLANs, port w1 untagged in 10
    trunk    w1, the gate itself, and the address on w1.10 above it
    tagged   br1, a bridge that filters VLANs, port w1 tagged, address on br1.10
    xdp-...  the same with hook = xdp, where w1 itself is gated

All but plain and bridge need a kernel with 802.1Q.
"""
import json
import re

from gatebox import BUILD, ROOT, UPLINK, UPLINK6, Box, Traffic, mac, run, wait_for

PASS = f"{ROOT}/{BUILD}/lab/pass.bpf.o"


def box_mac(n):
    return f"02:00:00:00:ff:{n:02x}"


class Lans(Box):
    def __init__(self, *kinds):
        super().__init__(guests=len(kinds))
        self.kinds = dict(enumerate(kinds, 1))
        self.xdp = [n for n, kind in self.kinds.items() if kind.startswith("xdp-")]
        self.portal = {n: f"10.7.{n}.1" for n in self.kinds}
        self.portal6 = {n: f"2001:db8:{n}::1" for n in self.kinds}
        # What the file names; where the box has its address; the guest's own.
        self.interface, self.address_on, self.guest_on = {}, {}, {}

    def networks(self):
        return "".join(f"[network {kind}{n}]\ninterface = {self.interface[n]}\n"
                       f"portal4 = {self.portal[n]}\nportal6 = {self.portal6[n]}\n"
                       f"hook = {'xdp' if n in self.xdp else 'tc'}\n"
                       for n, kind in self.kinds.items())

    def make_lan(self):
        for who in self.everybody():
            # Addresses as they are given, and nobody who asks for others.
            run("ip", "netns", "exec", self.ns(who), "sysctl", "-qw",
                "net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0",
                "net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.default.accept_dad=0",
                f"net.ipv6.conf.all.forwarding={int(who == 'gw')}")
        self.ip("gw", "addr add 2001:db8:ff::1/64 dev up0 nodad")
        self.ip("up", f"addr add {UPLINK6}/64 dev eth0 nodad")
        self.ip("up", "route add 2001:db8::/32 via 2001:db8:ff::1")
        self.know_uplink("2001:db8:ff::1", UPLINK6)
        self.ip("up", "route add 10.7.0.0/16 via 203.0.113.1")
        for n in self.kinds:
            self.add_guest(n)

    def add_guest(self, n):
        run("ip", "link", "add", f"w{n}", "netns", self.ns("gw"), "type", "veth",
            "peer", "name", "eth0", "netns", self.ns(f"g{n}"))
        self.ip("gw", f"link set w{n} address {box_mac(n)} up")
        self.ip(f"g{n}", f"link set eth0 address {mac(n)} up")
        getattr(self, f"make_{self.kinds[n].removeprefix('xdp-')}")(n)
        gw, guest = self.address_on[n], self.guest_on[n]
        self.ip("gw", f"link set {gw} up")
        self.ip(f"g{n}", f"link set {guest} up")
        at = json.loads(self.ip("gw", f"-j link show {gw}"))[0]["address"]
        for box, client, bits, dad in ((f"10.7.{n}.1", f"10.7.{n}.11", 24, ""),
                                       (f"2001:db8:{n}::1", f"2001:db8:{n}::11", 64, "nodad")):
            self.ip("gw", f"addr add {box}/{bits} dev {gw} {dad}")
            self.ip(f"g{n}", f"addr add {client}/{bits} dev {guest} {dad}")
            self.ip(f"g{n}", f"route add default via {box}")
            # Known neighbours: a datagram goes at once or never.
            self.ip(f"g{n}", f"neigh replace {box} lladdr {at} dev {guest} nud permanent")
            self.ip("gw", f"neigh replace {client} lladdr {mac(n)} dev {gw} nud permanent")
        if n in self.xdp:
            # XDP_TX towards a veth needs a program on its peer.
            self.ip(f"g{n}", f"link set dev eth0 xdpdrv obj {PASS} sec xdp")

    def note(self, n, interface, address_on=None, guest_on="eth0"):
        self.interface[n] = interface
        self.address_on[n] = address_on or interface
        self.guest_on[n] = guest_on

    def make_bridge_device(self, n, options=""):
        self.ip("gw", f"link add br{n} address {box_mac(n)} type bridge {options}")
        self.ip("gw", f"link set w{n} master br{n}")
        self.ip("gw", f"link set br{n} up")

    def make_vlan_device(self, who, link, number, protocol="802.1q"):
        self.ip(who, f"link add link {link} name {link}.{number} type vlan "
                     f"protocol {protocol} id {number}")
        self.ip(who, f"link set {link}.{number} up")

    def make_plain(self, n):
        self.note(n, f"w{n}")

    def make_bridge(self, n):
        self.make_bridge_device(n)
        self.note(n, f"br{n}")

    def make_vlan(self, n):
        self.make_vlan_device("gw", f"w{n}", 10)
        self.make_vlan_device(f"g{n}", "eth0", 10)
        self.note(n, f"w{n}.10", guest_on="eth0.10")

    def make_stacked(self, n):
        for who, link in (("gw", f"w{n}"), (f"g{n}", "eth0")):
            self.make_vlan_device(who, link, 20, "802.1ad")
            self.make_vlan_device(who, f"{link}.20", 30)
        self.note(n, f"w{n}.20.30", guest_on="eth0.20.30")

    def make_filtering(self, n, port_options):
        self.make_bridge_device(n, "vlan_filtering 1 vlan_default_pvid 0")
        self.gw(f"bridge vlan add dev w{n} vid 10 {port_options}")
        self.gw(f"bridge vlan add dev br{n} vid 10 self")
        self.make_vlan_device("gw", f"br{n}", 10)

    def make_access(self, n):
        self.make_filtering(n, "pvid untagged")
        self.note(n, f"br{n}.10")

    def make_trunk(self, n):
        self.make_vlan_device("gw", f"w{n}", 10)
        self.make_vlan_device(f"g{n}", "eth0", 10)
        self.note(n, f"w{n}", f"w{n}.10", "eth0.10")

    def make_tagged(self, n):
        self.make_filtering(n, "")
        self.make_vlan_device(f"g{n}", "eth0", 10)
        self.note(n, f"br{n}", f"br{n}.10", "eth0.10")

    # What holds for every network, whatever it is built of.

    def check_gated(self, numbers=None):
        """Captive, running and closed; and the bytes, of which tags are none."""
        gate = self.driver
        for n in numbers or self.kinds:
            kind = self.kinds[n]
            # 20 or 40 bytes of IP, 8 of UDP, 8 of ours.
            both = [(Traffic(self, n), 36), (Traffic(self, n, 6), 56)]
            for traffic, _ in both:
                assert not traffic.passes(), f"{kind}: captive"
            assert gate.ask(f"run {mac(n)}")["error"] == 0
            for traffic, size in both:
                assert traffic.comes_back(), f"{kind}: running"
                before = gate.clients()[mac(n)]
                for _ in range(50):
                    traffic.send()
                wait_for(f"{kind}: 50 charged", lambda: gate.clients()[mac(n)]["upPackets"]
                         >= before["upPackets"] + 50, 5)
                after = gate.clients()[mac(n)]
                assert after["upPackets"] - before["upPackets"] == 50, kind
                assert after["upBytes"] - before["upBytes"] == 50 * size, kind
            assert gate.ask(f"close {mac(n)}")["error"] == 0
            for traffic, _ in both:
                assert not traffic.passes(), f"{kind}: closed"

    def check_portals(self, numbers=None):
        """Each network's captives are sent to its own portal."""
        for n in numbers or self.kinds:
            for asked, portal in ((UPLINK, self.portal[n]),
                                  (f"[{UPLINK6}]", f"[{self.portal6[n]}]")):
                said = run("ip", "netns", "exec", self.ns(f"g{n}"), "curl", "-s", "-m", "5",
                           "-g", "-i", f"http://{asked}/page", check=False)
                assert said.startswith("HTTP/1.1 302"), (self.kinds[n], asked, said)
                location = re.search(r"(?i)^location: (\S+)", said, re.MULTILINE)[1]
                assert location.startswith(f"http://{portal}/"), (self.kinds[n], location)
