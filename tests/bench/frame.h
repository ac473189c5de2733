/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests of the benchmarks, by number, and the frames that they send.
 * Guest n has the MAC 02:10:nn:nn:nn:nn and the address `first + n`.
 */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 2048

/* Both ends of a frame; addresses in network byte order. */
struct ends {
	uint8_t src_mac[6];
	uint8_t dst_mac[6];
	uint32_t src;
	uint32_t dst;
	uint16_t src_port; /* host order */
	uint16_t dst_port;
};

struct tcp_fields {
	uint32_t seq, ack; /* host order */
	uint8_t flags;     /* TH_SYN ... */
};

void guest_mac(uint32_t n, uint8_t ret[static 6]);
/* The guest that has this MAC, or -1. */
int64_t guest_of(const uint8_t mac[static 6]);
/* "02:00:00:00:00:01"; exits with a message when it is none. */
void mac_of(const char *text, uint8_t ret[static 6]);

/* RFC 1071 over `len` bytes, added to `sum`; fold with checksum_fold(). */
uint32_t checksum_add(uint32_t sum, const void *data, size_t len);
uint16_t checksum_fold(uint32_t sum);

/* Build a whole frame, checksums and all, and return its length. `frame` has
 * room for FRAME_MAX bytes, `len` bytes of payload leave room for headers. */
size_t frame_udp(uint8_t *frame, const struct ends *ends, const void *payload,
	size_t len);
size_t frame_tcp(uint8_t *frame, const struct ends *ends,
	const struct tcp_fields *tcp, const void *payload, size_t len);

/* Prints the message and exits with status 1. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
