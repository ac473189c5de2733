#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run-tests.sh PROGRAM...: runs cmocka test programs, one summary line each,
# the whole output of those that fail, and a last line
# "N passed, N failed[, N skipped]". A program that crashes, hangs (TEST_TIMEOUT
# seconds, default 300) or exits non-zero without a failed test is one failure.
set -u
export CMOCKA_MESSAGE_OUTPUT=TAP
limit=${TEST_TIMEOUT:-300}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for program in "$@"; do
	timeout -k 5 "$limit" "$program" >"$log" 2>&1 </dev/null
	status=$?
	# cmocka says "not ok N # SKIP name" for a skipped test.
	s=$(grep -cE '^not ok .*# SKIP' "$log")
	p=$(grep -cE '^ok ' "$log")
	f=$(($(grep -cE '^not ok ' "$log") - s))
	why=
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		why=", exit status $status"
		[ "$status" -eq 124 ] && why=", stopped after $limit s"
	elif [ $((p + f + s)) -eq 0 ]; then
		f=1
		why=", ran no test"
	fi
	if [ "$f" -gt 0 ]; then
		sed 's/^/    /' "$log"
	else
		# What is missing stands on the line before a skip.
		grep -B 1 -E '^not ok .*# SKIP' "$log" | sed 's/^/    /'
	fi
	printf '%-28s %4d passed, %d failed, %d skipped%s\n' \
		"${program##*/}" "$p" "$f" "$s" "$why"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
