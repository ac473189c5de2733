#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing of the Debian 12 packages that gatehouse needs,
# through apt-get. Says nothing and takes no time when nothing is.
#
# deps.sh [--list] [build|run|test|vm]...   default: all four
#   build   compilers and libraries
#   run     what a gateway needs besides; no DHCP or DNS server, because
#           installing one starts it
#   test    what the tests and the lab need besides: browser, packet tools; the
#           DHCP servers in it hear no interface as they are installed
#   vm      what tests under other kernels need besides (make test-vm)
#   --list  only prints the packages
set -eu

build="gcc libc6-dev make pkg-config clang bpftool
	libbpf-dev libelf-dev zlib1g-dev libmnl-dev libnftables-dev
	libsqlite3-dev libmicrohttpd-dev libgnutls28-dev libev-dev
	libjansson-dev libsodium-dev libinih-dev libseccomp-dev libgpiod-dev
	libqrencode-dev libpng-dev"
run="nftables iproute2 util-linux"
test="libcmocka-dev libclang-rt-14-dev python3 python3-pytest
	python3-pytest-xdist python3-scapy python3-jsonschema python3-selenium
	chromium chromium-driver fonts-dejavu-core busybox dnsmasq-base
	radvd kea-dhcp4-server kea-dhcp6-server ethtool procps curl tcpdump
	iperf3 iputils-ping groff-base openssl zbar-tools"
vm="qemu-system-x86 seabios cpio kmod xz-utils
	debian-archive-keyring"

list=
packages=
for word in "$@"; do
	case $word in
	build) packages="$packages $build" ;;
	run) packages="$packages $run" ;;
	test) packages="$packages $test" ;;
	vm) packages="$packages $vm" ;;
	--list) list=1 ;;
	*)
		sed -n '/^# deps.sh/,/^set/s/^# \{0,1\}//p' "$0" >&2
		exit 2 ;;
	esac
done
: "${packages:=$build $run $test $vm}"

if [ "$list" ]; then
	# shellcheck disable=SC2086 # one word per package
	printf '%s\n' $packages
	exit 0
fi

missing=
for package in $packages; do
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
