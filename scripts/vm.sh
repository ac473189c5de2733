#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A command under another kernel: a virtual machine whose root is this
# machine's own, read-only beneath a layer in memory. The command sees every
# file that is here and can change none of them.
set -euo pipefail

usage() {
    cat <<EOF
usage: vm.sh prepare KERNEL              once; downloads Debian's kernel package
       vm.sh run KERNEL SECONDS COMMAND  as root, in the top folder; its output
                                         and exit status are the command's
KERNEL is 6.1 or 6.12. Exit status 124: over SECONDS; 125: the machine did not
get to the command or died in it, and its last words are on stderr.
VM_ACCEL=tcg or kvm overrides what is found. Everything is kept in build/vm.
EOF
}

top=$(cd "$(dirname "$0")/.." && pwd)
store=$top/build/vm
apt=$store/apt
# All that boots the machine; what its tests need is loaded when asked for.
boot_modules="virtio_pci 9pnet_virtio 9p overlay virtio_rng"

die() {
    echo "vm.sh: $*" >&2
    exit 125
}

# An apt of our own: Debian 12 and its backports from the mirror that this
# machine uses, whatever its own sources say; nothing is installed.
private_apt() { # apt-get|apt-cache WORDS...
    local tool=$1
    shift
    "$tool" -qq -o Dir::Etc::sourcelist=/dev/null \
        -o Dir::Etc::sourceparts="$apt/sources" \
        -o Dir::Etc::preferencesparts="$apt/none" \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" \
        -o APT::Sandbox::User=root "$@"
}

update_lists() {
    local site
    [ ! -e "$apt/updated" ] || return 0
    site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
        'Label: Debian' 2>/dev/null | head -n 1)
    mkdir -p "$apt"/{sources,none,lists/partial,cache/archives/partial}
    cat >"$apt/sources/debian.sources" <<EOF
Types: deb
URIs: ${site:-http://deb.debian.org/debian}
Suites: bookworm bookworm-backports
Components: main
Architectures: amd64
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
    private_apt apt-get update || die "cannot read Debian's package lists"
    touch "$apt/updated"
}

# The package that Debian's own name for "the kernel" stands for.
package_of() { # KERNEL
    private_apt apt-cache show linux-image-amd64 |
        grep -oE "linux-image-${1/./\\.}\.[^ ,]*-amd64" | sort -V | tail -n 1
}

unpack() { # PACKAGE TARGET: the kernel, and of its modules what a network needs
    local dir=/kernel
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards './boot/vmlinuz-*' \
        './*lib/modules/*/modules.*' "./*$dir/net/*" "./*$dir/lib/*" \
        "./*$dir/crypto/*" "./*$dir/fs/*" "./*$dir/drivers/virtio/*" \
        "./*$dir/drivers/net/*.ko*" "./*$dir/drivers/char/hw_random/*"
    [ -d "$2/lib/modules" ] || ln -s usr/lib "$2/lib"
    mv "$2"/boot/vmlinuz-* "$2/vmlinuz"
    rmdir "$2/boot"
}

make_initrd() { # KERNEL'S FOLDER, VERSION
    local root=$1/initrd busybox module verb file name
    busybox=$(command -v busybox)
    rm -rf "$root"
    mkdir -p "$root"/{bin,dev,proc,sys,lower,upper,new,modules}
    cp -L "$busybox" "$root/bin/busybox"
    # Its libraries, unless it is the static one.
    ldd "$busybox" 2>/dev/null | grep -oE '/[^ ]+' |
        xargs -r cp -L --parents -t "$root" || true
    for module in $boot_modules; do
        modprobe -d "$1" -S "$2" --show-depends "$module" |
            while read -r verb file _; do
                name=$(basename "${file%.xz}")
                [ "$verb" = insmod ] && [ ! -e "$root/modules/$name" ] || continue
                case $file in
                *.xz) xz -dc "$file" >"$root/modules/$name" ;;
                *) cp "$file" "$root/modules/$name" ;;
                esac
                echo "$name" >>"$root/modules/order"
            done
    done
    install -m 755 "$top/tests/vm/init" "$root/init"
    (cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$1/initrd.gz"
    rm -rf "$root"
}

fetch() { # KERNEL
    local dir=$store/$1 package
    rm -rf "$dir"
    mkdir -p "$dir"
    update_lists
    package=$(package_of "$1")
    [ -n "$package" ] || die "Debian's lists have no kernel $1"
    (cd "$dir" && private_apt apt-get download "$package") ||
        die "cannot download $package"
    unpack "$dir/$package"_*.deb "$dir"
    rm -f "$dir"/*.deb
}

prepare() { # KERNEL
    local dir=$store/$1 version
    case $1 in 6.1 | 6.12) ;; *) die "there is no kernel \"$1\": 6.1 or 6.12" ;; esac
    [ "$(uname -m)" = x86_64 ] || die "this needs an amd64 machine"
    if [ -e "$dir/ready" ] && [ "$dir/ready" -nt "$top/tests/vm/init" ]; then
        return
    fi
    if [ ! -e "$dir/vmlinuz" ]; then
        mkdir -p "$store"
        # One at a time: the kernels share apt's lists.
        (flock 9 && fetch "$1") 9>"$store/lock"
    fi
    version=$(ls "$dir/lib/modules")
    depmod -b "$dir" "$version"
    make_initrd "$dir" "$version"
    touch "$dir/ready"
    echo "vm: prepared $version"
}

# A /dev/kvm that opens is not enough: without the processor's own support an
# ordinary kernel does not run in it.
acceleration() {
    if [ -n "${VM_ACCEL:-}" ]; then
        echo "$VM_ACCEL"
    elif [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
        echo kvm
    else
        echo tcg
    fi
}

boot() { # KERNEL SECONDS JOB
    local dir=$store/$1 accel=(-accel kvm -cpu host)
    # Without cmpxchg16b, which QEMU 7.2 emulates wrongly now and then.
    [ "$(acceleration)" = kvm ] ||
        accel=(-accel tcg,thread=multi -cpu max,la57=off,cx16=off)
    timeout -k 5 "$2" qemu-system-x86_64 -M q35 "${accel[@]}" -smp 2 -m 1536 \
        -nodefaults -no-user-config -display none -no-reboot \
        -serial "file:$3/console" -device virtio-rng-pci \
        -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
        -device virtio-9p-pci,fsdev=root,mount_tag=root \
        -fsdev "local,id=job,path=$3,security_model=none" \
        -device virtio-9p-pci,fsdev=job,mount_tag=job \
        -kernel "$dir/vmlinuz" -initrd "$dir/initrd.gz" -append \
        "console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off nowatchdog \
random.trust_cpu=on rcupdate.rcu_expedited=1 net.ifnames=0 tsc=reliable" \
        </dev/null >"$3/qemu" 2>&1
}

run() { # KERNEL SECONDS COMMAND
    local status=0 qemu tail
    command -v qemu-system-x86_64 >/dev/null || die "qemu-system-x86 is not installed"
    [ -e "$store/$1/ready" ] || die "first: vm.sh prepare $1"
    job=$(mktemp -d "$store/job.XXXXXX")
    trap 'rm -rf "$job"' EXIT
    printf 'cd %q\n%s\n' "$top" "$3" >"$job/command"
    echo "$store/$1/lib/modules" >"$job/modules"
    : >"$job/output"
    boot "$1" "$2" "$job" &
    qemu=$!
    tail -n +1 -f --pid=$qemu -s 0.2 "$job/output" &
    tail=$!
    wait $qemu || status=$?
    wait $tail || true
    if [ -s "$job/status" ]; then exit "$(cat "$job/status")"; fi
    [ "$status" -ne 124 ] && [ "$status" -ne 137 ] || exit 124
    cat "$job/qemu" >&2
    tail -n 25 "$job/console" >&2
    die "the machine with kernel $1 ended without a word"
}

[ $# -gt 0 ] && [ "$(id -u)" != 0 ] &&
    die "only root can share this machine's files: use sudo"
case ${1:-}:$# in
prepare:2) prepare "$2" ;;
run:4) run "$2" "$3" "$4" ;;
-h:1 | --help:1) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
