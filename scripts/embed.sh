#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh NAME FILE...: prints C source for `const struct embed NAME[]`
# (userspace/base/embed.h), one row per file, sorted by base name. Style sheets,
# which each page carries, and templates lose what only their authors need.
set -eu

squeeze() {
	case $1 in
	*.css)
		awk '{ text = text $0 "\n" } END {
			while ((at = index(text, "/*")) && (n = index(substr(text, at), "*/")))
				text = substr(text, 1, at - 1) substr(text, at + n + 1)
			gsub(/[ \t\n]+/, " ", text)
			gsub(/ ?[{] ?/, "{", text)
			gsub(/;? ?[}] ?/, "}", text)
			gsub(/; /, ";", text)
			gsub(/: /, ":", text)
			gsub(/, /, ",", text)
			gsub(/ > /, ">", text)
			sub(/^ /, "", text)
			print text
		}' "$1"
		;;
	*.html)
		sed "/^<!-- SPDX-License-Identifier: .* -->\$/d" "$1"
		;;
	*)
		cat "$1"
		;;
	esac
}

name=$1
shift
echo '#include "base/embed.h"'
n=0
rows=
for f in $(for g in "$@"; do echo "${g##*/} $g"; done | LC_ALL=C sort | cut -d' ' -f2-); do
	echo "static const unsigned char file_$n[] = {"
	squeeze "$f" | od -An -v -tx1 | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo "0 };"
	rows="$rows	{ \"${f##*/}\", (const char *)file_$n, sizeof(file_$n) - 1 },
"
	n=$((n + 1))
done
printf 'const struct embed %s[] = {\n%s\t{ NULL, NULL, 0 },\n};\n' "$name" "$rows"
