#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The part of the style that a machine can judge without quarrelling with a
# good line: licence line, width, spaces, function length, opening comment,
# left-over marks. `make format` formats the lines you changed.
set -eu
cd "$(dirname "$0")/.."

# Hand-written text: no generated header, no licence text, no test corpus.
find Makefile README.md .ci bpf docs include packaging portal scripts tests \
	userspace -type f ! -path '*/corpus/*' ! -path '*/__pycache__/*' \
	! -path '*/.pytest_cache/*' ! -name '*.png' ! -name '*.ico' \
	! -name '*.woff2' 2>/dev/null | LC_ALL=C sort |
	LC_ALL=C.UTF-8 xargs awk '
function complain(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

# Columns as an editor shows them: a tab goes to the next multiple of 8.
function width(line,    n, i, part, w) {
	n = split(line, part, "\t")
	w = length(part[1])
	for (i = 2; i <= n; i++)
		w = w - w % 8 + 8 + length(part[i])
	return w
}

FNR == 1 {
	files++
	spdx = 0
	is_c = FILENAME ~ /[.][ch]$/
	is_code = is_c || FILENAME ~ /[.](py|sh|sql|js|css)$/ ||
		FILENAME ~ /^(Makefile|[.]ci[/])/
	# Prose and pages wrap by themselves.
	has_width = is_code && FILENAME !~ /[.](css|js)$/
	opening = 0
	in_comment = 0
	in_code = 0
	wide = 0
}
FNR <= 3 && /SPDX-License-Identifier: GPL-2.0-or-later/ { spdx = 1 }
FNR == 3 && is_code && !spdx { complain("no SPDX line") }

/[ \t]$/ && FILENAME !~ /[.]md$/ { complain("space at the end of the line") }
/\r$/ { complain("carriage return") }
# A table that is wider than a page is set apart from clang-format.
/clang-format off/ { wide = 1 }
/clang-format on/ { wide = 0 }
has_width && !wide && width($0) > 100 {
	complain("line of " width($0) " columns, 100 at most")
}
is_code && FILENAME !~ /check-style/ && /(^|[^A-Za-z0-9])(TODO|FIXME|HACK)([^A-Za-z0-9]|$)/ {
	complain("left-over mark")
}

# The comment that opens a .c says what the file owns and must never do; a
# machine sees only that it has three lines or more behind the licence line.
FILENAME ~ /[.]c$/ && !in_code && FNR > 1 {
	if (/^\/\*/)
		in_comment = 1
	if (in_comment || /^\/\//)
		opening++
	else if (NF) {
		in_code = 1
		if (opening < 3 && FILENAME !~ /^tests\/fuzz\//)
			complain("opens without a comment of 3 lines or more")
	}
	if (/\*\/[ \t]*$/)
		in_comment = 0
}

is_c && /^{/ { start = FNR }
is_c && /^}/ && start {
	if (FNR - start > 120)
		complain("function of " FNR - start " lines, 120 at most")
	start = 0
}
END {
	printf "style: %d files %s\n", files, bad ? "checked" : "clean"
	exit bad
}'
