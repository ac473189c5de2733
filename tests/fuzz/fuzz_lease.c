/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a DHCP server sends to `selftest`. */
#include <string.h>

#include "base/util.h"
#include "ctl/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lease lease = {0};
	uint32_t id = 0;
	int type = 0;

	if (size >= 8)
		memcpy(&id, data + 4, 4);
	if (!lease_parse(data, size, id, &lease, &type) &&
		(!type || strnlen(lease.url, sizeof(lease.url)) ==
				 sizeof(lease.url)))
		abort();
	return 0;
}
