#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What runs in the machine of scripts/test-vm.sh, under its kernel: the
# verifier's word on every program and their test runs, then traffic. The
# programs were built on the host. The last line is "N passed, N failed, N
# skipped". Loading the programs takes this emulated processor 5 to 10 s, so
# tests are chosen for how few times they do it.
set -u

bpf="test_charge test_redirect test_verdict test_random test_learn"
lab="tests/vm
    tests/lab/test_journey.py::test_any_page_to_online[tc-4]
    tests/lab/test_journey.py::test_any_page_to_online[tc-6]"

export GATEHOUSE_ATTACH=$PWD/build/tests/lab/attach
# Each is given what it takes here, where all is slow.
export TEST_TIMEOUT=200 LAB_PATIENCE=3
export LAB_PREFIX=vm
log=$(mktemp)
passed=0 failed=0 skipped=0

# The number before WORD in what was said last.
count() {
    tail -n 3 "$log" | grep -oE "[0-9]+ $1" | tail -n 1 | cut -d' ' -f1
}

step() {
    local status p f e s
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    p=$(count passed) f=$(count failed) e=$(count 'errors?') s=$(count skipped)
    p=${p:-0} f=$((${f:-0} + ${e:-0})) s=${s:-0}
    [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# shellcheck disable=SC2086 # one word per test
step scripts/run-tests.sh $(printf 'build/tests/bpf/%s ' $bpf)
# shellcheck disable=SC2086
step /usr/bin/python3 -m pytest -q -rfEs -p no:cacheprovider --durations=5 $lab
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
