/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS answers for tests, faults included: built piece by piece. */
#ifndef TESTS_BPF_LIB_DNS_H
#define TESTS_BPF_LIB_DNS_H

#include <stddef.h>
#include <stdint.h>

#define DNS_ROOM 3000
#define DNS_A	  1
#define DNS_CNAME 5
#define DNS_TXT	  16
#define DNS_AAAA  28
/* Name of a record: the one that was asked, by a pointer to it. */
#define DNS_ASKED NULL

struct dns {
	uint8_t bytes[DNS_ROOM];
	size_t len;
};

/* Begins an answer to one question for the addresses of `name`. */
void dns_begin(struct dns *d, const char *name);
/* Adds labels and the root's byte. */
void dns_name(struct dns *d, const char *name);
void dns_u16(struct dns *d, uint16_t value);
/* Adds a record to the answers, and counts it. */
void dns_record(struct dns *d, const char *name, uint16_t type, uint32_t ttl,
	const void *data, size_t len);
/* The same: an A or AAAA, by what the address is. */
void dns_address(
	struct dns *d, const char *name, uint32_t ttl, const char *address);
/* The same: `name` is `target`. */
void dns_alias(struct dns *d, const char *name, const char *target);

#endif
