#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds and runs every test (`sudo make test`). Each row of STEPS is a step:
# its output goes to build/test/NAME.log and, when something fails, to the
# terminal; its counts are added up. The last line is "N passed, N failed".
#
# test.sh [STEP...] runs some of the steps. Every step ends by itself or is
# ended after its limit, so the whole is bounded.
set -u
cd "$(dirname "$0")/.." || exit
# A make that called us means nothing to the ones called here.
unset MAKEFLAGS MFLAGS MAKELEVEL

jobs=$(nproc)
make="make --no-print-directory -j$jobs"
export PYTEST_ADDOPTS="-rfEs -p no:cacheprovider"
pytest="/usr/bin/python3 -m pytest -q"
# The programs under the sanitizers, in the part of the lab marked `san`.
# Leaks are not looked for where a test kills the program.
san="env ASAN_OPTIONS=detect_leaks=0"

# name | limit in seconds | command
STEPS="
deps       | 600 | scripts/deps.sh
build      | 600 | $make WERROR=1 all
layers     |  20 | $make check-layers
style      |  20 | $make check-style
unit       | 300 | $make WERROR=1 check-unit
portal     | 360 | $make SLOW=1 check-portal
packaging  | 120 | $pytest tests/packaging
bpf        | 600 | $make WERROR=1 test-bpf
lab        |2400 | $make test-lab
alone      | 600 | $make test-alone
san-build  | 600 | $make SAN=1 all
san-unit   | 300 | $make SAN=1 check-unit
san-portal | 360 | $make SAN=1 SLOW=1 check-portal
san-lab    | 400 | $san $make SAN=1 PYTEST_MARK=san test-lab
san-alone  | 200 | $san $make SAN=1 PYTEST_MARK=san test-alone
fuzz       | 300 | env FUZZ_SECONDS=3 $make fuzz
"

passed=0 failed=0 skipped=0

# The number before WORD on the last line of the log that has one.
count()
{
	grep -oE "[0-9]+ $1" "$2" | tail -n 1 | cut -d' ' -f1
}

# A step that counts its tests ends with "N passed, N failed" or pytest's
# summary; one that does not is itself one test.
run_step()
{
	local name=$1 limit=$2 log=build/test/$1.log status p f e s start=$SECONDS
	shift 2
	timeout -s INT -k 30 "$limit" "$@" >"$log" 2>&1 </dev/null
	status=$?
	tail -n 3 "$log" >"$log.tail"
	p=$(count passed "$log.tail") f=$(count failed "$log.tail")
	e=$(count 'errors?' "$log.tail") s=$(count skipped "$log.tail")
	rm -f "$log.tail"
	p=${p:-0} f=$((${f:-0} + ${e:-0})) s=${s:-0}
	[ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
	[ $((p + f + s)) -eq 0 ] && p=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$status" -ne 0 ]; then
		tail -n 150 "$log" | sed 's/^/    /'
		[ "$status" -eq 124 ] || [ "$status" -eq 137 ] &&
			echo "    stopped: over its limit of $limit s"
	elif [ "$s" -gt 0 ]; then
		grep -hE -B 1 '^SKIPPED|# SKIP' "$log" | sed 's/^/    /'
	fi
	printf '%-11s %4d passed, %d failed, %d skipped  (%d s)\n' \
		"$name" "$p" "$f" "$s" $((SECONDS - start))
	return "$status"
}

if [ "$(id -u)" -ne 0 ]; then
	echo "test.sh: needs root for the kernel's test runs and the lab;" \
		"run 'sudo make test', or 'make check' without root" >&2
	exit 2
fi
mkdir -p build/test
while IFS='|' read -r name limit command; do
	name=${name// /}
	[ -n "$name" ] || continue
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
	# shellcheck disable=SC2086 # words of a command
	run_step "$name" "${limit// /}" $command
	case $name:$? in
	deps:[1-9]* | build:[1-9]*)
		echo "nothing else can run without the step '$name'"
		break ;;
	esac
done <<<"$STEPS"

[ "$skipped" -gt 0 ] && echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
