#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what building, testing and running needs and this machine lacks:
# Debian 12 packages, through apt-get. Says nothing and takes no time when
# nothing is missing. `deps.sh --list` prints the packages.
set -eu

build="gcc libc6-dev make pkg-config clang libclang-rt-14-dev bpftool
	libbpf-dev libelf-dev zlib1g-dev libmnl-dev libnftables-dev
	libsqlite3-dev libmicrohttpd-dev libgnutls28-dev libev-dev
	libjansson-dev libsodium-dev libinih-dev libseccomp-dev"
run="busybox dnsmasq-base nftables iproute2 ethtool procps util-linux"
tests="libcmocka-dev python3 python3-pytest python3-scapy python3-selenium
	chromium chromium-driver fonts-dejavu-core curl tcpdump iperf3
	iputils-ping groff-base openssl"

if [ "${1:-}" = --list ]; then
	# shellcheck disable=SC2086 # one word per package
	printf '%s\n' $build $run $tests
	exit 0
fi

missing=
for package in $build $run $tests; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
		status=absent
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "deps: no apt-get here; install by hand:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "deps: these packages are missing and only root can install" \
		"them; run again with sudo:$missing" >&2
	exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install()
{
	# shellcheck disable=SC2086 # one word per package
	apt-get install -qq -y --no-install-recommends $missing >"$log" 2>&1
}

echo "deps: installing$missing"
# The package lists may be stale or absent: refresh them only if need be.
if ! install && ! { apt-get update -qq >"$log" 2>&1 && install; }; then
	tail -n 20 "$log" >&2
	echo "deps: apt-get failed; its last lines are above" >&2
	exit 1
fi
