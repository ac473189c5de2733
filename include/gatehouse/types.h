/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain values that every part of gatehouse understands. No behaviour here:
 * parsing and printing are in userspace/base.
 */
#ifndef GATEHOUSE_TYPES_H
#define GATEHOUSE_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* An Ethernet address, in the order it has on the wire. */
struct mac {
	uint8_t addr[6];
};

/*
 * An IP address of either family. IPv4 is kept in its IPv4-mapped form
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so one comparison serves both.
 */
struct ipaddr {
	uint8_t addr[16];
};

/* "No end" for times in seconds or nanoseconds, and "no limit" for bytes. */
#define UNLIMITED INT64_MAX

/* Session kinds: how a credit was obtained (docs/design.md 6.1). */
enum kind {
	KIND_VOUCHER = 1,
	KIND_MANUAL = 2,
	KIND_COIN = 3,
	KIND_FREE = 4,
	KIND_MEMBER = 5,
};

/* Operator roles, weakest first; a higher role may do what a lower one may. */
enum role {
	ROLE_NONE = 0,
	ROLE_STAFF,
	ROLE_SUPERVISOR,
	ROLE_MANAGER,
	ROLE_ADMIN,
};

#endif
