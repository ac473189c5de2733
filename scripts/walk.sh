#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tour (`sudo make run`): brings the lab up with gatehouse inside, walks a
# guest from the first page to the last byte, and prints each step with what
# the kernel saw. Then it stays up to be played with until Ctrl-C.
#
# walk.sh [--once] [--mode xdp|tc] [--bridge]
#   --once  ends after the walk; exit status 0 when every step was as it should
set -uo pipefail
cd "$(dirname "$0")/.." || exit

once=0
options=(--guests 2)
while [ $# -gt 0 ]; do
	case $1 in
	--once) once=1 ;;
	--mode) options+=(--mode "$2"); shift ;;
	--bridge) options+=(--bridge) ;;
	*) sed -n '/^# walk.sh/,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
	shift
done

lab=scripts/lab.sh
state=/run/gatehouse-lab/${LAB_PREFIX:-gh}
web=http://example.org
portal=http://10.77.0.1
first_mac=02:00:00:00:01:01
other_mac=06:5a:11:22:33:44
failed=0

g1() { $lab guest 1 "$@"; }
g2() { $lab guest 2 "$@"; }
ctl() { $lab gw gatehousectl "$@"; }

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m'
else bold='' dim='' red='' plain=''; fi

step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
say() { sed "s/^/    /" <<<"$*"; }
kernel() { sed "s/^/    ${dim}kernel | /;s/\$/$plain/"; }

# expect WHAT COMMAND...: the step is as it should when COMMAND succeeds.
expect() {
	local what=$1
	shift
	if "$@" >/dev/null 2>&1; then
		say "yes: $what"
	else
		failed=$((failed + 1))
		say "${red}NO: $what$plain"
	fi
}

# Packets counted under a reason since the maps were made.
reason() { ctl reasons | awk -v r="$1" '$1 == r { n = $2 } END { print n + 0 }'; }

# json FIELD < JSON: its value.
json() { /usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin).get(sys.argv[1], ""))' "$1"; }

# The client's record as bpftool prints it, the fields that people ask about.
record() {
	local key=${1//:/ }
	$lab gw bpftool map lookup pinned "$pins/clients" \
		key hex $key 00 00 2>/dev/null | /usr/bin/python3 -c '
import json, sys
r = json.load(sys.stdin)["value"]
print("clients[%s]: %s, session %d" % (
    sys.argv[1], r["policy"]["state"], r["policy"]["session"]))
for half in ("up", "down"):
    print("  %-4s %6d packets %10d bytes" % (
        half, r[half]["packets"], r[half]["bytes"]))' "$1" 2>/dev/null ||
		echo "clients[$1]: no record"
}
bytes_of() { record "$1" | awk '$1 == "up" || $1 == "down" { n += $4 } END { print n + 0 }'; }


# post GUEST PATH JSON
post() {
	$lab guest "$1" curl -s -m 5 -H 'Content-Type: application/json' \
		-d "$3" "$portal$2"
}

code_of() { # GUEST URL: HTTP status, 000 without an answer
	$lab guest "$1" curl -s -o /dev/null -m 5 -w '%{http_code}' "$2"
}
is_code() { [ "$(code_of "$1" "$2")" = "$3" ]; }

arrive() {
	step "1. A phone joins. It has an address, and that is all it has."
	say "$(g1 ip -br addr show dev eth0)"
	expect "DNS answers" g1 getent ahosts example.org
	expect "the internet does not: ping gets nothing" \
		bash -c "! $lab guest 1 ping -c 1 -W 1 192.0.2.80"
	expect "HTTPS is refused at once, so that the phone asks over HTTP" \
		bash -c "! $lab guest 1 curl -s -m 1 https://example.org/"
}

redirect() {
	local before
	step "2. It asks for a page. The kernel answers in the server's place."
	before=$(reason answer_redirect)
	say "$(g1 curl -s -m 5 -i $web/news | tr -d '\r' | head -n 4)"
	expect "302 to the portal, IPv4" is_code 1 $web/news 302
	expect "302 to the portal, IPv6" \
		is_code 1 'http://[2001:db8::80]/news' 302
	ctl reasons | grep -E '^(answer|drop|pass_dns)' | kernel
	expect "no process was asked: answer_redirect went up by 3" \
		test "$(reason answer_redirect)" -eq $((before + 3))
}

portal_page() {
	step "3. The portal's page, and what it tells machines (RFC 8908)."
	say "$(g1 curl -s -m 5 $portal/ | grep -o '<title>[^<]*</title>')"
	say "$(g1 curl -s -m 5 $portal/.well-known/captive-portal)"
	expect "a wrong code is refused" \
		bash -c "$lab guest 1 curl -s -m 5 -H 'Content-Type: application/json' \
			-d '{\"code\":\"AJCWRONG99\"}' $portal/api/vouchers/activate |
			grep -q voucher_unknown"
}

redeem() {
	local code reply
	step "4. The desk sells a voucher, the guest types it in."
	expect "a plan: 60 minutes, 50 MB, may move twice to another address" \
		ctl plan add Walk --minutes 60 --megabytes 50 --moves 2
	code=$(ctl voucher create --plan Walk --count 1 | head -n 1)
	say "voucher: $code"
	reply=$(post 1 /api/vouchers/activate "{\"code\":\"$code\"}")
	say "$reply"
	token=$(json token <<<"$reply")
	expect "the guest has a token" test "${#token}" -eq 64
	expect "the same code does not work again" \
		bash -c "$lab guest 2 curl -s -m 5 -H 'Content-Type: application/json' \
			-d '{\"code\":\"$code\"}' $portal/api/vouchers/activate |
			grep -q voucher_used"
}

online() {
	local before after
	step "5. Online, IPv4 and IPv6. Every byte is counted in the kernel."
	expect "the page that was asked for, IPv4" is_code 1 $web/news 200
	expect "and IPv6" is_code 1 'http://[2001:db8::80]/news' 200
	before=$(bytes_of $first_mac)
	g1 curl -s -m 20 -o /dev/null 192.0.2.80/bytes/5000000
	after=$(bytes_of $first_mac)
	record $first_mac | kernel
	expect "5,000,000 bytes and their headers: $((after - before)) counted" \
		test $((after - before)) -gt 5000000
	expect "the other guest is still captive" is_code 2 $web/ 302
	say "$(ctl clients)"
}

crash() {
	local before
	step "6. kill -9 the controller and the portal. The gate does not notice."
	$lab kill gatehoused
	$lab kill gatehouse-portal
	before=$(bytes_of $first_mac)
	expect "the guest who paid is online" is_code 1 $web/ 200
	expect "the guest who did not is redirected" is_code 2 $web/ 302
	expect "counting goes on" test "$(bytes_of $first_mac)" -gt "$before"
	record $first_mac | kernel
	expect "both start again and adopt what is pinned" $lab start
	expect "kernel and database agree" ctl verify
}

move() {
	step "7. Overnight the phone took another MAC. Its browser has the token."
	$lab mac 1 $other_mac
	expect "captive under the new address" is_code 1 $web/ 302
	say "$(post 1 /api/sessions/restore "{\"token\":\"$token\"}")"
	expect "online again" is_code 1 $web/ 200
	record $other_mac | kernel
	record $first_mac | kernel
	expect "the old address is off" \
		bash -c "! grep -q RUNNING <<<'$(record $first_mac)'"
}

quota() {
	local mac=02:00:00:00:01:02 used
	step "8. The other guest gets 2 MB and asks for 10: the kernel ends it."
	expect "allow 2 MB" ctl allow $mac --minutes 60 --megabytes 2
	g2 curl -s -m 3 -o /dev/null 192.0.2.80/bytes/10000000
	used=$(ctl --json sessions | /usr/bin/python3 -c 'import json, sys
print(next(s["bytesUp"] + s["bytesDown"]
           for s in json.load(sys.stdin)["items"] if s["mac"] == sys.argv[1]))' $mac)
	say "$(ctl sessions | sed -n 1,2p)"
	expect "$used bytes passed, not one more than 2,000,000" \
		test "$used" -gt 1900000 -a "$used" -le 2000000
	ctl reasons | grep -E '^drop_quota' | kernel
}

the_end() {
	step "9. The desk ends the first guest's session."
	expect "kick" ctl kick $other_mac
	expect "captive again, in the middle of things" is_code 1 $web/ 302
	say "$(ctl sessions)"
	expect "kernel and database agree" ctl verify
}

# What to type into another terminal: with the name of this lab, as it was given.
hints() {
	local name=${LAB_PREFIX:+LAB_PREFIX=$LAB_PREFIX }
	cat <<END

The lab stays up until Ctrl-C. In another terminal, as root, in $PWD:
    ${name}scripts/lab.sh guest 2 curl -i $web/
    ${name}scripts/lab.sh gw gatehousectl clients
    ${name}scripts/lab.sh gw gatehousectl reasons
    bpftool map dump pinned $pins/clients
END
}

down() {
	trap '' INT TERM
	$lab down
}

trap 'exit 130' INT TERM
trap down EXIT
$lab up "${options[@]}" || exit 1
# Pages say so where a box has no way to the internet.
$lab gw ip route replace default via 192.0.2.80
# Whoever brings a lab of this name up meanwhile is told.
echo $$ >"$state/walk.pid"
pins=$(awk '$1 == "pin_dir" { print $3 }' "$state/gatehouse.conf")
token=
for part in arrive redirect portal_page redeem online crash move quota the_end; do
	$part
done

if [ "$failed" -eq 0 ]; then
	step "Every step was as it should be."
else
	step "${red}$failed steps were not as they should be; logs: $state/*.log"
fi
if [ "$once" = 0 ]; then
	hints
	# From here on Ctrl-C is how it ends.
	trap 'kill "$nap"; exit $((failed > 0))' INT TERM HUP
	while :; do
		sleep 3600 &
		nap=$!
		wait "$nap"
	done
fi
[ "$failed" -eq 0 ]
