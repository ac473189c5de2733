/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What headers of bpf/ need to compile on the host: the kernel's types and
 * structs, the words of bpf_helpers.h, and in C the two helpers that they call.
 */
#ifndef TESTS_HOST_BPF_H
#define TESTS_HOST_BPF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "gatehouse/abi.h"

/* Loops that only clang -target bpf unrolls. */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

#undef __always_inline
#define __always_inline inline __attribute__((always_inline, unused))
#define __noinline __attribute__((noinline, unused))
#define __weak static /* one file is all there is */

/* Calls `fn` until it says 1, or `n` times. */
#define bpf_loop(n, fn, context, flags)                                  \
	({                                                               \
		__u32 _round = 0;                                        \
		while (_round < (n) && !(fn)(_round, (context)))         \
			_round++;                                        \
		(long)_round;                                            \
	})

/* Sums the words of `to` like RFC 1071; sizes are whole words, as the kernel's
 * helper wants them, and what is subtracted (`from`) is not in use. */
static inline int64_t bpf_csum_diff(
	__be32 *from, __u32 from_size, __be32 *to, __u32 to_size, __u32 seed)
{
	uint64_t sum = seed;
	__u32 i;

	if (from || from_size || to_size % 4 || to_size > 512)
		return -22;
	for (i = 0; i < to_size / 4; i++) {
		uint32_t word;

		__builtin_memcpy(&word, (uint8_t *)to + 4 * i, sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)(sum + (sum >> 32));
}

#endif
