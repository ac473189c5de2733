/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved SYN that proves a guest: first 16 bytes are the peer's address. */
#include <string.h>

#include "base/mac.h"
#include "base/util.h"
#include "daemon/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipaddr peer;
	struct mac mac, to;

	if (size < sizeof(peer.addr))
		return 0;
	memcpy(peer.addr, data, sizeof(peer.addr));
	if (proof_parse_syn(data + sizeof(peer.addr), size - sizeof(peer.addr),
		    &peer, &mac, &to) == 0 &&
		(mac_is_zero(&mac) || mac.addr[0] & 1))
		abort();
	return 0;
}
