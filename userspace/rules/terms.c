/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has accepted the terms of use, by device and version. Whether an operation
 * asks for it is the table of operations' (daemon/terms.c).
 */
#include "rules/terms.h"

#include <string.h>

#include "store/terms.h"

int terms_needed(struct rules *rules, const struct mac *mac, const char *version,
	bool *ret_needed)
{
	bool accepted = false;
	int ret;

	*ret_needed = false;
	if (!version[0])
		return 0;
	ret = store_terms_accepted(rules->store, mac, version, &accepted);
	if (!ret)
		*ret_needed = !accepted;
	return ret;
}

int terms_accept(struct rules *rules, const struct guest *guest,
	const char *version, const char *given, const struct moment *now,
	bool *ret_kept)
{
	struct acceptance acceptance = {.mac = *guest->mac, .at = now->wall_sec};

	*ret_kept = !strcmp(version, given);
	if (!*ret_kept)
		return 0;
	snprintf(acceptance.version, sizeof(acceptance.version), "%s", version);
	snprintf(acceptance.network, sizeof(acceptance.network), "%s",
		guest->network ?: "");
	return store_terms_accept(rules->store, &acceptance);
}
