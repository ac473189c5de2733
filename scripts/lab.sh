#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A hotspot in network namespaces, for people and for tests: guests, a gateway
# with gatehouse, and an internet with a web server. Nothing outside its own
# namespaces is touched, and `down` leaves nothing behind.
#
#   guests g1..gN --- lan0 [gateway] wan0 --- [internet] 192.0.2.80
#   10.77.0.0/24, fd77::/64 by DHCP and RA    2001:db8::80, every DNS name
set -euo pipefail

usage() {
    cat <<EOF
usage: lab.sh up [--guests N] [--mode xdp|tc] [--bridge] [--delay MS]
              [--no-gatehouse]
       lab.sh guest N COMMAND...    in the namespace of guest N (1..)
       lab.sh gw COMMAND...         on the gateway; gatehousectl is in PATH
       lab.sh inet COMMAND...       on the internet's server
       lab.sh mac N MAC             guest N gets another MAC, and a new address
       lab.sh start [--boot-id ID]  starts gatehoused and the portal, if not running
       lab.sh kill NAME             kill -9 gatehoused or gatehouse-portal
       lab.sh down
LAB_PREFIX (default gh) names the namespaces, so that several labs can run.
Up: 2 guests, tc, LAN as a plain interface; --bridge gives each guest a port
of a bridge on the gateway, --delay puts the internet MS ms away, each way.
EOF
}

top=$(cd "$(dirname "$0")/.." && pwd)
build=$(realpath -m "${GATEHOUSE_BUILD:-$top/build}")
prefix=${LAB_PREFIX:-gh}
gw=$prefix-gw inet=$prefix-inet sw=$prefix-sw
state=/run/gatehouse-lab/$prefix
if [ "$prefix" = gh ]; then pins=/sys/fs/bpf/gatehouse; else pins=/sys/fs/bpf/gatehouse-$prefix; fi

# How to call this script for this lab.
me="${LAB_PREFIX:+LAB_PREFIX=$LAB_PREFIX }lab.sh"

die() {
    echo "lab.sh: $*" >&2
    exit 1
}

# What was typed cannot be meant: one line that says why.
misused() {
    echo "lab.sh: $*; see lab.sh --help" >&2
    exit 2
}

[[ $prefix =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$ ]] ||
    misused "LAB_PREFIX is up to 24 letters, digits, _ and -"

# in NAMESPACE COMMAND...: only the network is another one; bpffs stays visible
in_ns() {
    local ns=$1
    shift
    nsenter --net="/run/netns/$ns" -- "$@"
}

spawn() { # NAME NAMESPACE COMMAND...: in the background, its PID and log kept
    local name=$1 ns=$2
    shift 2
    setsid nsenter --net="/run/netns/$ns" -- "$@" \
        >>"$state/$name.log" 2>&1 </dev/null &
    echo $! >"$state/$name.pid"
}

pid_of() { cat "$state/$1.pid" 2>/dev/null || true; }

is_running() { # NAME
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null
}

# Ends a process of ours: by PID, and only while that PID runs in our lab.
stop_process() { # NAME [SIGNAL]
    local pid
    pid=$(pid_of "$1")
    rm -f "$state/$1.pid"
    [ -n "$pid" ] && [ -d "/proc/$pid" ] || return 0
    grep -qz "^LAB_STATE=$state\$" "/proc/$pid/environ" 2>/dev/null || return 0
    kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
    for _ in $(seq 50); do
        [ -d "/proc/$pid" ] || return 0
        grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null && return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

ensure_bpffs() {
    mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
}

ensure_users() {
    getent group gatehouse >/dev/null || groupadd --system gatehouse
    local user
    for user in gatehouse-portal gatehouse-operator; do
        id "$user" >/dev/null 2>&1 ||
            useradd --system --no-create-home --home-dir /nonexistent \
                --shell /usr/sbin/nologin -g gatehouse "$user"
    done
}

new_ns() {
    ip netns add "$1"
    ip -n "$1" link set lo up
    # What a namespace inherits differs between machines.
    in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=0 \
        net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.accept_dad=0
}

guest_mac() { printf '02:00:00:00:01:%02x' "$1"; }

dhcp() { # N: as a phone does it
    local ns=$prefix-g$1
    cat >"$state/dhcp.sh" <<'EOF'
#!/bin/sh
case $1 in
bound | renew)
    ip -4 addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route replace default via "${router%% *}"
    ;;
esac
EOF
    chmod +x "$state/dhcp.sh"
    in_ns "$ns" busybox udhcpc -i eth0 -n -q -f -t 10 -T 1 -s "$state/dhcp.sh" \
        >>"$state/dhcp.log" 2>&1 || die "guest $1 got no address; see $state/dhcp.log"
}

ra_wait() { # N: until the guest has its address by SLAAC and a router
    for _ in $(seq 100); do
        if ip -n "$prefix-g$1" -6 addr show dev eth0 scope global | grep -q inet6 &&
            ip -n "$prefix-g$1" -6 route show default | grep -q via; then
            return
        fi
        sleep 0.1
    done
    die "guest $1 got no IPv6 address from the router advertisement"
}

make_guest() { # N
    local n=$1 ns=$prefix-g$1
    new_ns "$ns"
    in_ns "$ns" sysctl -qw net.ipv6.conf.default.accept_ra=1 \
        net.ipv6.conf.default.router_solicitation_delay=0 \
        net.ipv6.conf.default.router_solicitation_interval=1
    if [ "$bridge" = 1 ]; then
        ip -n "$gw" link add "p$n" type veth peer name eth0 netns "$ns" \
            address "$(guest_mac "$n")"
        ip -n "$gw" link set "p$n" master br-lan up
    else
        ip -n "$sw" link add "g$n" type veth peer name eth0 netns "$ns" \
            address "$(guest_mac "$n")"
        ip -n "$sw" link set "g$n" master br0 up
    fi
    # The resolver of a namespace, for programs started by `ip netns exec`.
    mkdir -p "/etc/netns/$ns"
    echo "nameserver 10.77.0.1" >"/etc/netns/$ns/resolv.conf"
}

# XDP_TX towards a veth needs an XDP program on its peer.
xdp_peer() { # NAMESPACE INTERFACE
    ip -n "$1" link set dev "$2" xdpdrv obj "$build/lab/pass.bpf.o" sec xdp ||
        die "cannot load $build/lab/pass.bpf.o: run make first"
}

make_lan() {
    if [ "$bridge" = 1 ]; then
        lan=br-lan
        ip -n "$gw" link add br-lan type bridge forward_delay 0
    else
        lan=lan0
        new_ns "$sw"
        # A switch says nothing of its own, and so is no client.
        in_ns "$sw" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
        ip -n "$sw" link add br0 type bridge forward_delay 0
        ip -n "$sw" link set br0 up
        ip -n "$gw" link add lan0 type veth peer name up0 netns "$sw"
        ip -n "$sw" link set up0 master br0 up
        if [ "$mode" = xdp ]; then xdp_peer "$sw" up0; fi
    fi
    ip -n "$gw" addr add 10.77.0.1/24 dev $lan
    ip -n "$gw" addr add fd77::1/64 dev $lan nodad
    ip -n "$gw" link set $lan up
}

make_wan() {
    if [ "$delay" = 0 ]; then
        ip -n "$gw" link add wan0 type veth peer name eth0 netns "$inet"
        return
    fi
    [ -x "$build/tests/lab/delay" ] ||
        die "$build/tests/lab/delay is not there: run make build/tests/lab/delay first"
    spawn delay "$gw" "$build/tests/lab/delay" wan0 "$inet" eth0 "$delay"
    for _ in $(seq 100); do
        if grep -qx ready "$state/delay.log"; then break; fi
        is_running delay || die "$(cat "$state/delay.log")"
        sleep 0.05
    done
    # A burst waits in the device rather than being lost.
    ip -n "$gw" link set wan0 txqueuelen 10000
    ip -n "$inet" link set eth0 txqueuelen 10000
}

make_internet() {
    new_ns "$inet"
    make_wan
    ip -n "$gw" addr add 192.0.2.1/24 dev wan0
    ip -n "$gw" addr add 2001:db8::1/64 dev wan0 nodad
    ip -n "$gw" link set wan0 up
    ip -n "$inet" addr add 192.0.2.80/24 dev eth0
    ip -n "$inet" addr add 2001:db8::80/64 dev eth0 nodad
    ip -n "$inet" link set eth0 up
    ip -n "$inet" route add default via 192.0.2.1
    ip -n "$inet" route add default via 2001:db8::1
    spawn web "$inet" /usr/bin/python3 "$top/scripts/lab-web.py"
    spawn iperf3 "$inet" iperf3 -s
}

make_gateway() {
    new_ns "$gw"
    in_ns "$gw" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    make_lan
    make_internet
    in_ns "$gw" nft -f - <<'EOF'
table inet lab {
    chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        oifname "wan0" masquerade
    }
}
EOF
    mkdir -p "$state/dnsmasq"
    cat >"$state/dnsmasq.conf" <<EOF
interface=$lan
bind-dynamic
except-interface=lo
no-resolv
no-hosts
# every name is the internet's server
address=/#/192.0.2.80
address=/#/2001:db8::80
# but for these; their addresses may be kept for 2 s
host-record=shop.garden.example,192.0.2.81,2001:db8::81,2
cname=www.garden.example,shop.garden.example
dhcp-range=10.77.0.10,10.77.0.250,1h
dhcp-option=option:dns-server,10.77.0.1
# The portal's RFC 8908 API is announced by nothing (DHCP option 114, DHCPv6
# option 103, RFC 8910): that takes an https URL with a name and a certificate
# that guests trust, and the lab has neither; "gatehousectl capport" has the lines.
dhcp-authoritative
dhcp-ignore-clid
no-ping
enable-ra
ra-param=$lan,10,600
dhcp-range=fd77::,ra-only,64,1h
dhcp-option=option6:dns-server,[fd77::1]
dhcp-leasefile=$state/dnsmasq/leases
pid-file=
user=root
EOF
    spawn dnsmasq "$gw" dnsmasq --keep-in-foreground -C "$state/dnsmasq.conf"
}

write_config() {
    cat >"$state/gatehouse.conf" <<EOF
[gatehouse]
state_dir = $state/state
socket = $state/control.sock
pin_dir = $pins
hook = $mode
sweep_seconds = 1

[portal]
venue_name = The Lab Cafe

[network lan]
interface = $lan
portal4 = 10.77.0.1
portal6 = fd77::1
EOF
    mkdir -p "$state/bin"
    printf '#!/bin/sh\nexec %s --socket %s "$@"\n' \
        "$build/gatehousectl" "$state/control.sock" >"$state/bin/gatehousectl"
    chmod +x "$state/bin/gatehousectl"
}

start_gatehoused() { # [--boot-id ID]
    local boot=()
    if [ "${1:-}" = --boot-id ]; then
        # Another boot of the same machine, for whoever reads its id.
        echo "$2" >"$state/boot_id"
        boot=(unshare --mount sh -c "mount --bind $state/boot_id \
            /proc/sys/kernel/random/boot_id && exec \"\$@\"" sh)
    fi
    rm -f "$state/control.sock"
    # A library between it and libc, for a test.
    if [ -n "${GATEHOUSED_PRELOAD:-}" ]; then
        boot=(env "LD_PRELOAD=$GATEHOUSED_PRELOAD" "${boot[@]}")
    fi
    spawn gatehoused "$gw" "${boot[@]}" "$build/gatehoused" -c "$state/gatehouse.conf"
    for _ in $(seq 200); do
        if "$state/bin/gatehousectl" status >/dev/null 2>&1; then return; fi
        is_running gatehoused || break
        sleep 0.05
    done
    tail -20 "$state/gatehoused.log" >&2
    die "gatehoused did not start; its log is above"
}

start_portal() {
    spawn gatehouse-portal "$gw" "$build/gatehouse-portal" -c "$state/gatehouse.conf"
    for _ in $(seq 200); do
        if in_ns "$gw" ss -Hltn src 10.77.0.1:80 | grep -q .; then return; fi
        is_running gatehouse-portal || break
        sleep 0.05
    done
    tail -20 "$state/gatehouse-portal.log" >&2
    die "gatehouse-portal does not listen; its log is above"
}

start_gatehouse() { # [--boot-id ID]
    case $#:${1:-} in
    0: | 2:--boot-id) ;;
    *) misused "start takes nothing, or --boot-id and an ID" ;;
    esac
    [ -x "$build/gatehoused" ] || die "$build/gatehoused is not there: run make first"
    is_running gatehoused || start_gatehoused "$@"
    is_running gatehouse-portal || start_portal
}

up() {
    local guests=2 gatehouse=1 n
    mode=tc bridge=0 delay=0
    while [ $# -gt 0 ]; do
        case $1 in
        --guests) guests=${2:-} && shift $(($# > 1 ? 2 : 1)) ;;
        --mode) mode=${2:-} && shift $(($# > 1 ? 2 : 1)) ;;
        --bridge) bridge=1 && shift ;;
        --delay) delay=${2:-} && shift $(($# > 1 ? 2 : 1)) ;;
        --no-gatehouse) gatehouse=0 && shift ;;
        *) misused "up has no option \"$1\"" ;;
        esac
    done
    case $mode in xdp | tc) ;; *) misused "--mode is xdp or tc" ;; esac
    [[ $guests =~ ^[0-9]+$ ]] && [ "$guests" -ge 1 ] && [ "$guests" -le 200 ] ||
        misused "--guests is 1 to 200"
    [[ $delay =~ ^[0-9]+$ ]] && [ "$delay" -le 1000 ] || misused "--delay is 0 to 1000"
    ensure_bpffs
    if [ ! -d "$state" ] && [ -e "$pins" ]; then
        die "$pins is in use: a gatehouse runs on this machine; give the lab" \
            "another name (LAB_PREFIX=lab)"
    fi
    if is_running walk; then
        die "the lab \"$prefix\" belongs to a walk that is still up (PID $(pid_of walk));" \
            "end it, or give this lab another name (LAB_PREFIX=lab)"
    fi
    down
    mkdir -p "$state"
    ensure_users
    # 0755 on the way: the portal's user must reach the socket.
    chmod 755 /run/gatehouse-lab "$state"
    export LAB_STATE=$state
    trap 'echo "lab.sh: up failed, cleaning up" >&2; down' EXIT
    make_gateway
    for n in $(seq "$guests"); do
        make_guest "$n"
        if [ "$mode" = xdp ] && [ "$bridge" = 1 ]; then xdp_peer "$prefix-g$n" eth0; fi
    done
    write_config
    # Before the first frame of a guest: nobody is ever open.
    if [ "$gatehouse" = 1 ]; then start_gatehouse; fi
    for n in $(seq "$guests"); do ip -n "$prefix-g$n" link set eth0 up; done
    for n in $(seq "$guests"); do dhcp "$n"; done
    for n in $(seq "$guests"); do ra_wait "$n"; done
    trap - EXIT
    echo "lab: $guests guests, $mode, LAN $lan; $me guest 1 curl -i http://example.org/"
}

change_mac() { # N MAC
    local ns=$prefix-g${1:-} mac='^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$'
    need_guest "${1:-}"
    [[ ${2:-} =~ $mac ]] || misused "mac wants a guest's number and a MAC like 02:00:00:00:02:01"
    ip -n "$ns" link set eth0 down
    ip -n "$ns" link set eth0 address "$2"
    ip -n "$ns" link set eth0 up
    dhcp "$1"
    ra_wait "$1"
}

down() {
    local ns name
    if [ -d "$state" ]; then
        for name in gatehouse-portal gatehoused dnsmasq web iperf3 delay; do
            stop_process "$name"
        done
    fi
    # Unpinned links detach their programs; the namespaces take the rest.
    if [ -d "$state" ] && [ -d "$pins" ]; then rm -rf "$pins"; fi
    for ns in $(ip netns list 2>/dev/null | awk '{print $1}' |
        grep -E "^$prefix-(gw|inet|sw|g[0-9]+)\$" || true); do
        # Whatever still runs in there was started there.
        ip netns pids "$ns" | xargs -r kill -9 2>/dev/null || true
        ip netns del "$ns"
        rm -rf "/etc/netns/$ns"
    done
    rmdir /etc/netns 2>/dev/null || true
    rm -rf "$state"
    rmdir /run/gatehouse-lab 2>/dev/null || true
}

need_lab() { [ -e "/run/netns/$gw" ] || die "there is no lab \"$prefix\": $me up"; }

need_guest() { # N
    [ -e "/run/netns/$prefix-g${1:-}" ] || die "there is no guest \"${1:-}\""
}

kill_program() { # NAME
    case ${1:-} in
    gatehoused | gatehouse-portal) ;;
    *) misused "kill wants gatehoused or gatehouse-portal" ;;
    esac
    is_running "$1" || die "$1 does not run"
    stop_process "$1" KILL
}

run_in() { # NAMESPACE COMMAND...: with its resolver and bpffs
    local ns=$1
    shift
    [ $# -gt 0 ] || misused "a command is missing"
    export PATH="$state/bin:$build:$PATH"
    if [ -e "/etc/netns/$ns/resolv.conf" ]; then
        exec ip netns exec "$ns" "$@"
    fi
    exec nsenter --net="/run/netns/$ns" -- "$@"
}

export LAB_STATE=$state
[ $# -gt 0 ] || misused "a command is missing"
command=$1 && shift
case $command in
-h | --help) ;;
*) [ "$(id -u)" = 0 ] || die "namespaces need root: use sudo" ;;
esac
case $command in
up) up "$@" ;;
guest)
    need_lab
    need_guest "${1:-}"
    n=$1 && shift
    run_in "$prefix-g$n" "$@"
    ;;
gw) need_lab && run_in "$gw" "$@" ;;
inet) need_lab && run_in "$inet" "$@" ;;
mac) need_lab && change_mac "$@" ;;
start) need_lab && start_gatehouse "$@" ;;
kill) need_lab && kill_program "$@" ;;
down)
    [ $# -eq 0 ] || misused "down takes nothing"
    down
    ;;
-h | --help) usage ;;
*) misused "there is no command \"$command\"" ;;
esac
