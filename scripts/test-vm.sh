#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests under Debian's kernels 6.1 and 6.12 in virtual machines (`sudo make
# test-vm`): what this machine's own kernel may lack (VLAN devices, flowtables,
# fq), and that the programs load and decide there as they do here. What runs
# is tests/vm/suite.sh. The last line is "N passed, N failed"; a machine that
# cannot be prepared, boots not or ends early is one failed test, with its
# reason.
#
# test-vm.sh [KERNEL...]   default: 6.1 6.12; at once where there are processors
#                          for both, because tests of rates take time as it is
set -u
cd "$(dirname "$0")/.." || exit
unset MAKEFLAGS MFLAGS MAKELEVEL

limit=900
kernels=${*:-6.1 6.12}
logs=build/test
passed=0 failed=0 skipped=0

if [ "$(id -u)" -ne 0 ]; then
    echo "test-vm.sh: needs root for namespaces and for sharing files with" \
        "the machines; run 'sudo make test-vm'" >&2
    exit 2
fi
mkdir -p "$logs"

# The number before WORD in a log's last line.
count() {
    tail -n 1 "$2" | grep -oE "[0-9]+ $1" | cut -d' ' -f1
}

run_kernel() { # KERNEL
    scripts/vm.sh prepare "$1" &&
        scripts/vm.sh run "$1" "$limit" tests/vm/suite.sh
}

report() { # KERNEL STATUS SECONDS
    local log=$logs/vm-$1.log p f s
    p=$(count passed "$log") f=$(count failed "$log") s=$(count skipped "$log")
    p=${p:-0} f=${f:-0} s=${s:-0}
    [ "$2" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$2" -ne 0 ]; then
        tail -n 150 "$log" | sed 's/^/    /'
        [ "$2" -ne 124 ] || echo "    stopped: over its limit of $limit s"
    elif [ "$s" -gt 0 ]; then
        grep -hE -B 1 '^SKIPPED|# SKIP' "$log" | sed 's/^/    /'
    fi
    printf 'kernel %-5s %4d passed, %d failed, %d skipped  (%d s)\n' \
        "$1" "$p" "$f" "$s" "$3"
}

if ! make --no-print-directory -j"$(nproc)" WERROR=1 vm-tests >"$logs/vm-build.log" 2>&1; then
    tail -n 50 "$logs/vm-build.log"
    echo "0 passed, 1 failed"
    exit 1
fi
declare -A pid
for kernel in $kernels; do
    run_kernel "$kernel" >"$logs/vm-$kernel.log" 2>&1 &
    pid[$kernel]=$!
    [ "$(nproc)" -ge 4 ] || wait "${pid[$kernel]}"
done
for kernel in $kernels; do
    wait "${pid[$kernel]}"
    report "$kernel" $? $SECONDS
done

[ "$skipped" -gt 0 ] && echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
