#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# embed.sh NAME FILE...: prints C source for `const struct embed NAME[]`
# (userspace/base/embed.h), one row per file, sorted by base name.
set -eu
name=$1
shift
echo '#include "base/embed.h"'
n=0
rows=
for f in $(for g in "$@"; do echo "${g##*/} $g"; done | LC_ALL=C sort | cut -d' ' -f2-); do
	echo "static const unsigned char file_$n[] = {"
	od -An -v -tx1 "$f" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
	echo "0 };"
	rows="$rows	{ \"${f##*/}\", (const char *)file_$n, sizeof(file_$n) - 1 },
"
	n=$((n + 1))
done
printf 'const struct embed %s[] = {\n%s\t{ NULL, NULL, 0 },\n};\n' "$name" "$rows"
