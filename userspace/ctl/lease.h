/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address by DHCP, as a phone asks for one, with option 114. */
#ifndef CTL_LEASE_H
#define CTL_LEASE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct lease {
	struct in_addr address, mask, router, resolver, server;
	char url[256]; /* option 114; "": none was given */
	uint32_t id;   /* of the conversation */
};

/* Asks on `interface`, which is up and has no address. -ETIMEDOUT: nobody
 * answered within `seconds`; -ENODEV and the like of the sockets. */
int lease_take(const char *interface, int seconds, struct lease *ret_lease);
/* Gives it back, so that trying this again and again uses nothing up. */
void lease_release(const char *interface, const struct lease *lease);
/* A server's message of `len` bytes; -EBADMSG when it is none. `ret_type` is
 * the kind of it. */
int lease_parse(const uint8_t *message, size_t len, uint32_t id,
	struct lease *ret_lease, int *ret_type);

#endif
