/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options of a SYN, through the reader that the kernel runs (bpf/twin.h) and
 * through another one that is written as RFC 9293 says it. Both find the same.
 */
#include "../host_bpf.h"

/* clang-format off: in this order */
#define GH_SEC 1000000000ULL
#include "../../bpf/twin.h"
/* clang-format on */

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gh_guise read_plainly(const uint8_t *data, size_t size)
{
	struct gh_guise guise = {.seen_ns = 0};
	bool telling = false;
	size_t at = 0;

	while (at < size && data[at] != 0) {
		size_t len = data[at] == 1 ? 1 : at + 1 < size ? data[at + 1] : 0;

		if (data[at] != 1 && (len < 2 || len > size - at))
			break;
		switch (data[at]) {
		case 2:
			if (len == 4)
				guise.mss = (uint16_t)(data[at + 2] << 8 | data[at + 3]);
			break;
		case 3:
			if (len == 3)
				guise.scale = (uint8_t)(data[at + 2] + 1);
			break;
		}
		if (data[at] == 2 || data[at] == 3 || data[at] == 4 || data[at] == 8)
			guise.options = (uint16_t)(guise.options << 4 | data[at]);
		telling |= data[at] == 3 || data[at] == 8;
		at += len;
	}
	if (!telling)
		guise.options = 0;
	return guise;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gh_guise want;
	struct gh_syn syn;

	if (size > GH_SYN_OPTIONS_BYTES)
		return 0;
	/* What a SYN before left in it must not matter. */
	memset(&syn, 0x5a, sizeof(syn));
	memset(&syn.guise, 0, sizeof(syn.guise));
	memcpy(syn.options, data, size);
	syn.len = (__u32)size;
	gh_syn_read(&syn);
	want = read_plainly(data, size);
	if (memcmp(&syn.guise, &want, sizeof(want)) != 0)
		abort();
	return 0;
}
