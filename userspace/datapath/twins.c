/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `twins` from user space, which only reads it.
 */
#include "datapath/twins.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/util.h"
#include "datapath/handle.h"

int twins_lookup(struct datapath *dp, const struct mac *mac, struct gh_twin *ret_twin)
{
	struct gh_mac key = {{0}, {0}};

	memcpy(key.addr, mac->addr, sizeof(key.addr));
	return bpf_map_lookup_elem(dp->maps[MAP_TWINS], &key, ret_twin) < 0
		       ? -errno
		       : 0;
}

/* By their kinds (RFC 9293, 7323, 2018). */
static const char *const options[16] = {
	[2] = "mss",
	[3] = "scale",
	[4] = "sack",
	[8] = "timestamps",
};

void twins_system_format(const struct gh_guise *guise, char buf[static TWINS_SYSTEM])
{
	int at = snprintf(buf, TWINS_SYSTEM, "ttl %u", guise->ttl), shift;
	const char *sep = ": ";

	for (shift = 12; shift >= 0 && at < TWINS_SYSTEM; shift -= 4) {
		unsigned int kind = guise->options >> shift & 15;

		if (!options[kind])
			continue;
		at += snprintf(buf + at, (size_t)(TWINS_SYSTEM - at), "%s%s",
			sep, options[kind]);
		if (kind == 2 && at < TWINS_SYSTEM)
			at += snprintf(buf + at, (size_t)(TWINS_SYSTEM - at),
				" %u", guise->mss);
		if (kind == 3 && at < TWINS_SYSTEM)
			at += snprintf(buf + at, (size_t)(TWINS_SYSTEM - at),
				" %u", guise->scale - 1U);
		sep = ", ";
	}
}
