#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing of the Debian 12 packages that gatehouse needs,
# through apt-get. Says nothing and takes no time when nothing is.
#
# deps.sh [--list] [build|run|test|vm]...   default: all four
#   build   compilers and libraries
#   run     what a gateway needs besides; no DHCP or DNS server, because
#           installing one starts it
#   test    what the tests and the lab need besides: browser, packet tools,
#           DHCP servers, which hear no interface as they are installed; and
#           axe-core, which judges pages, by npm where there is one, into
#           build/axe
#   vm      what tests under other kernels need besides (make test-vm)
#   --list  only prints the packages
set -eu

build="gcc libc6-dev make pkg-config clang bpftool
	libbpf-dev libelf-dev zlib1g-dev libmnl-dev libnftables-dev
	libsqlite3-dev libmicrohttpd-dev libgnutls28-dev libev-dev
	libjansson-dev libsodium-dev libinih-dev libseccomp-dev libgpiod-dev
	libqrencode-dev liboath-dev libpng-dev libcurl4-gnutls-dev"
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

# One file of one version, checked by its hash. Without npm or the net its tests
# are skipped, and say so.
axe=4.10.3
axe_sum=0f2b4d7dcdf7d1219df8d1959ad68e565f51d14c3f0d88bb71cd59abeb956292
get_axe()
{
	folder=$(dirname "$0")/../build/axe
	[ ! -e "$folder/axe-$axe.min.js" ] || return 0
	if ! command -v npm >/dev/null; then
		echo "deps: no npm here: axe-core will not look at the pages" >&2
		return 0
	fi
	mkdir -p "$folder"
	if npm pack --silent --pack-destination "$folder" "axe-core@$axe" \
		>/dev/null 2>&1 &&
		echo "$axe_sum  $folder/axe-core-$axe.tgz" | sha256sum -c --quiet; then
		tar -xzf "$folder/axe-core-$axe.tgz" -O package/axe.min.js \
			>"$folder/axe.part" &&
			mv "$folder/axe.part" "$folder/axe-$axe.min.js"
	else
		echo "deps: axe-core could not be had: it will not look at the pages" >&2
	fi
	rm -f "$folder/axe-core-$axe.tgz" "$folder/axe.part"
}
case $packages in
*chromium*) get_axe ;;
esac

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
