/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a DNS answer (RFC 1035) to the name that was asked and the addresses
 * that it has. No maps, and of the helpers only bpf_loop: compiles on the host
 * as well. The caller fills `data` and `len`; then gh_dns_question(), which
 * makes the key to look for the name with, then gh_dns_answers().
 *
 * An answer with anything in it that is not as it should be is none, however
 * good the rest of it is.
 *
 * Whose name an address has is not compared: the aliases of a name lead
 * anywhere, and who answers for the name may call any address its own anyway.
 *
 * The parser's state is memory that the verifier does not look into, and its
 * loops are bpf_loop: in any other form the verifier walks a million
 * instructions.
 */
#ifndef GH_DNS_H
#define GH_DNS_H

#define GH_DNS_BYTES	 2048 /* longest message, a power of 2 */
#define GH_DNS_HEAD	 12
#define GH_DNS_NAME	 255 /* longest name on the wire */
#define GH_DNS_LABEL	 63
#define GH_DNS_LABELS	 128
#define GH_DNS_RECORDS	 32 /* more, and the rest is not looked at */
#define GH_DNS_ADDRESSES 32 /* a power of 2 */

#define GH_DNS_RESPONSE 0x80 /* of byte 2; with the operation: */
#define GH_DNS_KIND	0xf8
#define GH_DNS_RCODE	0x0f /* of byte 3 */
#define GH_DNS_POINTER	0xc0 /* of a label's first byte */

#define GH_DNS_A    1
#define GH_DNS_AAAA 28
#define GH_DNS_IN   1

struct gh_dns_address {
	struct gh_ip ip;
	__u32 ttl; /* seconds */
};

/* The name's key ends here, and begins the earlier the longer the name is. */
#define GH_DNS_KEY_END 262

struct gh_dns {
	__u32 len; /* of the message */
	__u32 at;  /* the byte to be read next */
	__u32 bad;
	__u32 left;	/* bytes of a label that are to come */
	__u32 name_len; /* of the question, without the root's byte */
	__u32 done;	/* the name in hand is over */
	__u32 records;
	__u32 count; /* of `found` */
	struct gh_dns_address found[GH_DNS_ADDRESSES];
	__u8 key[GH_DNS_KEY_END + sizeof(struct gh_garden_name)];
	__u8 data[GH_DNS_BYTES + 16]; /* a read may begin at the last byte */
};

/* A loop's context is on the stack. */
struct gh_dns_loop {
	struct gh_dns *dns;
};

static __always_inline __u32 gh_dns_u8(const struct gh_dns *d, __u32 at)
{
	return d->data[at & (GH_DNS_BYTES - 1)];
}

static __always_inline __u32 gh_dns_u16(const struct gh_dns *d, __u32 at)
{
	return gh_dns_u8(d, at) << 8 | gh_dns_u8(d, at + 1);
}

static __always_inline bool gh_dns_fits(const struct gh_dns *d, __u32 bytes)
{
	return d->at + bytes <= d->len;
}

/* What host names are made of; 0: something else. So a dot in the key is a dot
 * between labels. */
static __always_inline __u32 gh_dns_letter(__u32 c)
{
	if (c >= 'A' && c <= 'Z')
		return c + ('a' - 'A');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return c;
	return 0;
}

/*
 * One byte of the question's name, into its place in the key: the name from
 * its end, "gro.elpmaxe.www", and behind it the zero of its first byte.
 */
static long gh_dns_name_byte(__u32 i, struct gh_dns_loop *loop)
{
	struct gh_dns *d = loop->dns;
	__u32 c, out;

	if (!gh_dns_fits(d, 1))
		return 1;
	c = gh_dns_u8(d, d->at++);
	if (d->left) {
		d->left--;
		out = gh_dns_letter(c);
		if (!out)
			return 1;
	} else if (!c) {
		d->name_len = i;
		d->done = 1;
		return 1;
	} else if (c > GH_DNS_LABEL) {
		return 1;
	} else {
		d->left = c;
		out = i ? '.' : '\0';
	}
	d->key[GH_DNS_KEY_END - (i & 255)] = out;
	return 0;
}

/* One label of a name that does not matter. */
static long gh_dns_label(__u32 i, struct gh_dns_loop *loop)
{
	struct gh_dns *d = loop->dns;
	__u32 c;

	if (!gh_dns_fits(d, 1))
		return 1;
	c = gh_dns_u8(d, d->at);
	if (c > GH_DNS_LABEL && c < GH_DNS_POINTER)
		return 1;
	d->at += c >= GH_DNS_POINTER ? 2 : 1 + c;
	d->done = !c || c >= GH_DNS_POINTER;
	return d->done ? 1 : 0;
}

static __always_inline void gh_dns_add(
	struct gh_dns *d, __u32 type, __u32 len, __u32 ttl)
{
	struct gh_dns_address *to = &d->found[d->count & (GH_DNS_ADDRESSES - 1)];
	const __u8 *from = &d->data[d->at & (GH_DNS_BYTES - 1)];

	if (d->count == GH_DNS_ADDRESSES)
		return;
	if (type == GH_DNS_A && len == 4) {
		__builtin_memset(&to->ip, 0, 10);
		__builtin_memset(&to->ip.addr[10], 0xff, 2);
		__builtin_memcpy(&to->ip.addr[12], from, 4);
	} else if (type == GH_DNS_AAAA && len == 16) {
		__builtin_memcpy(&to->ip, from, 16);
	} else {
		d->bad = 1;
		return;
	}
	/* RFC 2181 section 8: one beyond 31 bits is none. */
	to->ttl = ttl >> 31 ? 0 : ttl;
	d->count++;
}

static long gh_dns_record(__u32 i, struct gh_dns_loop *loop)
{
	struct gh_dns *d = loop->dns;
	__u32 type, class, ttl, len;

	if (i >= d->records)
		return 1;
	d->done = 0;
	bpf_loop(GH_DNS_LABELS, gh_dns_label, loop, 0);
	if (!d->done || !gh_dns_fits(d, 10)) {
		d->bad = 1;
		return 1;
	}
	type = gh_dns_u16(d, d->at);
	class = gh_dns_u16(d, d->at + 2);
	ttl = gh_dns_u16(d, d->at + 4) << 16 | gh_dns_u16(d, d->at + 6);
	len = gh_dns_u16(d, d->at + 8);
	d->at += 10;
	if (!gh_dns_fits(d, len)) {
		d->bad = 1;
		return 1;
	}
	if (class == GH_DNS_IN && (type == GH_DNS_A || type == GH_DNS_AAAA))
		gh_dns_add(d, type, len, ttl);
	d->at += len;
	return d->bad ? 1 : 0;
}

/*
 * The key of the name that was asked, in `network`; NULL: this is no answer, or
 * not to one question. It is good for a look-up only: nothing is behind a name
 * that is shorter than the key.
 */
static __always_inline const struct gh_garden_name *gh_dns_question(
	struct gh_dns *d, __u32 network)
{
	struct gh_dns_loop loop = {d};
	__u32 start, bytes, bits;

	if (d->len < GH_DNS_HEAD || d->len > GH_DNS_BYTES ||
		(gh_dns_u8(d, 2) & GH_DNS_KIND) != GH_DNS_RESPONSE ||
		gh_dns_u8(d, 3) & GH_DNS_RCODE || gh_dns_u16(d, 4) != 1)
		return NULL;
	d->at = GH_DNS_HEAD;
	d->bad = d->left = d->name_len = d->done = d->count = 0;
	bpf_loop(GH_DNS_NAME, gh_dns_name_byte, &loop, 0);
	if (!d->done || !d->name_len || !gh_dns_fits(d, 4) ||
		gh_dns_u16(d, d->at + 2) != GH_DNS_IN)
		return NULL;
	d->at += 4;
	bytes = d->name_len;
	/* The key's last byte is the zero, its first the name's last letter. */
	start = (GH_DNS_KEY_END + 1 - 8 - bytes) & 255;
	if (bytes > GH_GARDEN_NAME_MAX)
		bytes = GH_GARDEN_NAME_MAX;
	bits = 32 + 8 * bytes;
	__builtin_memcpy(&d->key[start], &bits, 4);
	__builtin_memcpy(&d->key[start + 4], &network, 4);
	return (const struct gh_garden_name *)&d->key[start];
}

/* How many addresses the answer has; 0: none, or it is not as it should be. */
static __always_inline __u32 gh_dns_answers(struct gh_dns *d)
{
	struct gh_dns_loop loop = {d};

	d->records = gh_dns_u16(d, 6);
	bpf_loop(GH_DNS_RECORDS, gh_dns_record, &loop, 0);
	return d->bad ? 0 : d->count;
}

#endif
