/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SipHash-1-3 of a TCP tuple and the client's MAC: what makes the responder's
 * sequence numbers hard to guess. The MAC, because what is answered goes there:
 * nobody learns with his own what is needed to have answers sent to another's.
 * Few rounds are enough: a forger gains one small answer. No maps, no helpers:
 * compiles on the host as well.
 */
#ifndef GH_SIPHASH_H
#define GH_SIPHASH_H

struct gh_siphash {
	__u64 v0, v1, v2, v3;
};

#define GH_ROTATE(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

static __always_inline void gh_siphash_round(struct gh_siphash *h)
{
	h->v0 += h->v1;
	h->v1 = GH_ROTATE(h->v1, 13) ^ h->v0;
	h->v0 = GH_ROTATE(h->v0, 32);
	h->v2 += h->v3;
	h->v3 = GH_ROTATE(h->v3, 16) ^ h->v2;
	h->v0 += h->v3;
	h->v3 = GH_ROTATE(h->v3, 21) ^ h->v0;
	h->v2 += h->v1;
	h->v1 = GH_ROTATE(h->v1, 17) ^ h->v2;
	h->v2 = GH_ROTATE(h->v2, 32);
}

static __always_inline void gh_siphash_word(struct gh_siphash *h, __u64 word)
{
	h->v3 ^= word;
	gh_siphash_round(h);
	h->v0 ^= word;
}

static __always_inline __u64 gh_siphash_tuple(
	const __u64 key[2], const struct gh_pkt *pkt)
{
	struct gh_siphash h = {
		.v0 = key[0] ^ 0x736f6d6570736575ULL,
		.v1 = key[1] ^ 0x646f72616e646f6dULL,
		.v2 = key[0] ^ 0x6c7967656e657261ULL,
		.v3 = key[1] ^ 0x7465646279746573ULL,
	};
	__u64 ports = (__u32)pkt->sport | (__u32)pkt->dport << 16;

	gh_siphash_word(&h, pkt->src);
	if (pkt->family == 4) {
		gh_siphash_word(&h, pkt->src4 | (__u64)pkt->dst4 << 32);
		ports |= 20ULL << 56; /* the length in bytes ends the last word */
	} else {
		gh_siphash_word(&h, pkt->src6[0]);
		gh_siphash_word(&h, pkt->src6[1]);
		gh_siphash_word(&h, pkt->dst6[0]);
		gh_siphash_word(&h, pkt->dst6[1]);
		ports |= 44ULL << 56;
	}
	gh_siphash_word(&h, ports);
	h.v2 ^= 0xff;
	gh_siphash_round(&h);
	gh_siphash_round(&h);
	gh_siphash_round(&h);
	return h.v0 ^ h.v1 ^ h.v2 ^ h.v3;
}

#endif
