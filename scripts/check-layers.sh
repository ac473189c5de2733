#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Reads every #include of the tree and refuses an arrow that points up, and a
# third-party header outside the file or folder that owns it. Only what a file
# includes itself is judged: ev.h and jansson.h reach others through
# base/loop.h and base/json.h. The two tables below are the rules; nothing else
# in the tree states them.
set -eu
cd "$(dirname "$0")/.."

find bpf include userspace portal -name '*.[ch]' | LC_ALL=C sort |
	xargs awk '
BEGIN {
	# Folder -> what it may include, besides itself and the C library.
	# Names: folder of userspace, a file, "contract/x.h" = include/gatehouse.
	may["bpf"] = "contract/abi.h vmlinux"
	may["include"] = "contract"
	may["base"] = "contract/types.h contract/ctl.h"
	may["store"] = "contract/types.h base"
	may["rules"] = "contract/types.h base store"
	may["net"] = "contract/types.h contract/abi.h base"
	may["pay"] = "contract/types.h base"
	may["datapath"] = "contract/types.h contract/abi.h base skeleton"
	may["daemon"] = "contract base store rules net pay datapath"
	may["ctl"] = "contract/types.h contract/ctl.h base"
	may["portal"] = "contract/types.h contract/ctl.h base ctl/ctl_client.h ctl/probes.h"
	# rules/ decides: it waits for nothing and talks to nobody.
	never["rules"] = "base/loop.h base/log.h"
	never["store"] = "base/loop.h base/log.h"

	# Third-party header (a prefix) -> who may see it (a regex on the path).
	owner["sqlite3.h"] = "^userspace/store/sqlite[.]c$"
	owner["bpf/bpf_"] = "^bpf/"
	owner["bpf/libbpf"] = "^userspace/datapath/"
	owner["bpf/bpf.h"] = "^userspace/datapath/"
	owner["bpf/btf.h"] = "^userspace/datapath/"
	owner["libmnl"] = "^userspace/net/"
	owner["nftables"] = "^userspace/net/nft[.]c$"
	owner["microhttpd.h"] = "^portal/(server|request|response)[.][ch]$"
	owner["gnutls"] = "^(portal/certificate[.][ch]|userspace/base/x509[.]c)$"
	owner["curl/"] = "^userspace/ctl/fetch[.]c$"
	owner["gpiod.h"] = "^userspace/pay/coin_gpio[.]c$"
	owner["seccomp.h"] = "^portal/sandbox[.]c$"
	owner["zlib.h"] = "^portal/squeeze[.]c$"
	owner["ev.h"] = "^userspace/base/loop[.][ch]$"
	owner["qrencode.h"] = "^userspace/base/qr[.]c$"
	owner["png.h"] = "^userspace/base/qr_png[.]c$"
	owner["liboath"] = "^userspace/base/totp[.]c$"
	owner["jansson.h"] = "^userspace/base/json[.][ch]$"
	owner["sodium.h"] = "^userspace/base/(crypto|archive)[.]c$"
	owner["ini.h"] = "^userspace/base/config[.]c$"
	owner["sys/socket.h"] = "^(userspace/(base|net|pay|datapath|daemon|ctl)|portal)/"
}

function complain(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad = 1
}

# "userspace/rules/grant.c" -> "rules"; "bpf/maps.h" -> "bpf".
function folder_of(path,    part) {
	split(path, part, "/")
	return part[1] == "userspace" ? part[2] : part[1]
}

function allowed(folder, target,    list, n, i) {
	n = split(never[folder], list, " ")
	for (i = 1; i <= n; i++)
		if (list[i] == target)
			return 0
	n = split(may[folder], list, " ")
	for (i = 1; i <= n; i++)
		if (target == list[i] || index(target, list[i] "/") == 1)
			return 1
	return index(target, folder "/") == 1
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	name = $0
	sub(/^[^<"]*[<"]/, "", name)
	sub(/[>"].*$/, "", name)
	folder = folder_of(FILENAME)
	included++

	for (prefix in owner)
		if (index(name, prefix) == 1) {
			if (FILENAME !~ owner[prefix])
				complain("<" name "> belongs to " owner[prefix])
			next
		}
	if ($0 ~ /</) {
		if (folder == "bpf")
			complain("<" name ">: no C library header in bpf/")
		next
	}
	target = name
	if (name ~ /^gatehouse\//)
		sub(/^gatehouse/, "contract", target)
	else if (name == "gatehouse.skel.h")
		target = "skeleton"
	else if (name == "vmlinux.h")
		target = "vmlinux"
	else if (name !~ /\//) {
		# A bare name is a file of the same folder; in userspace/ the
		# folder is always named.
		if (FILENAME ~ /^userspace\//)
			complain("\"" name "\": name its folder")
		target = folder "/" name
	}
	if (!allowed(folder, target))
		complain(folder "/ may not include \"" name "\"")
}
END {
	printf "layers: %d includes %s\n", included, bad ? "checked" : "point down"
	exit bad
}'
