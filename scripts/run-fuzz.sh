#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run-fuzz.sh FUZZER...: runs each fuzzer over its corpus (tests/fuzz/corpus/X
# for fuzz_X) and then for FUZZ_SECONDS more (default 10), or for FUZZ_RUNS
# inputs. What it finds new stays in build/fuzz; an input that fails is printed
# with its path.
# Last line "N passed, N failed".
set -u
seconds=${FUZZ_SECONDS:-10}
[ -z "${FUZZ_RUNS:-}" ] || seconds=36000
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for fuzzer in "$@"; do
	name=${fuzzer##*/}
	seeds=tests/fuzz/corpus/${name#fuzz_}
	found=build/fuzz/found/$name
	mkdir -p "$found"
	[ -d "$seeds" ] || seeds=
	# shellcheck disable=SC2086 # no seeds: no argument
	if timeout -k 5 $((seconds + 60)) "$fuzzer" -max_total_time="$seconds" \
		${FUZZ_RUNS:+-runs=$FUZZ_RUNS} \
		-timeout=5 -rss_limit_mb=1024 -artifact_prefix="$found/fail-" \
		-print_final_stats=1 "$found" $seeds >"$log" 2>&1; then
		passed=$((passed + 1))
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		printf '%-28s %s inputs, none fails\n' "$name" "${runs:-?}"
	else
		failed=$((failed + 1))
		tail -n 40 "$log" | sed 's/^/    /'
		printf '%-28s failed; the input is in %s\n' "$name" "$found"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
