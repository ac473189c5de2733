/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of the redirect: from a request to a 302 whose Location carries the
 * URL asked. Works on a scratch buffer that holds the beginning of the frame
 * asked (`in`) and the answer (`out`); redirect.h puts the headers round it.
 * No maps, no helpers: compiles on the host as well.
 *
 * Whatever the client wrote is copied by gh_encode() only: what is not plain
 * goes through gh_codes[], which knows no byte that could end a header, an
 * attribute or a query parameter.
 *
 * Loops are in functions of their own, verified once, and positions go through
 * memory, so that the verifier does not follow every value that they can have.
 */
#ifndef GH_REPLY_H
#define GH_REPLY_H

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are searched from low to high");

#define GH_HOST_MAX 128 /* of the page first asked for, as written */
#define GH_PATH_MAX 256
#define GH_HEAD_MAX 1024 /* how much of a request is looked at */

/* Index masks: the buffers are this large, and what is put at once. */
#define GH_IN_MASK  2047
#define GH_OUT_MASK 2047

/*
 * Where things stand in `out`: the layer 4 header at a fixed place, the others
 * before it. The answer begins at GH_OUT_L4 - IP header - Ethernet header.
 */
#define GH_OUT_L4      72
#define GH_OUT_IP4     (GH_OUT_L4 - 20)
#define GH_OUT_IP6     (GH_OUT_L4 - 40)
#define GH_OUT_PAYLOAD (GH_OUT_L4 + 20)

/* IP bytes. No link that carries IPv6 is smaller, so none needs to be cut. */
#define GH_ANSWER_MAX 1280

struct gh_scratch {
	__u8 in[GH_IN_MASK + 1 + 8];   /* bytes behind the frame are of an earlier one */
	__u8 out[GH_OUT_MASK + 1 + 256];
	__u32 from;  /* next byte of `in` to read */
	__u32 to;    /* next byte of `out` to write */
	__u32 end;   /* where the request ends in `in` */
	__u32 limit; /* where the answer must end in `out` */
};

/*
 * Words at any address. The BPF machine reads them as they stand, if a pointer
 * says so: of an array's element clang knows better, and goes by bytes. C on
 * the host must be told.
 */
#ifdef __bpf__
#define GH_GET(type, p)                        \
	({                                     \
		const type *_from = (void *)(p); \
		*_from;                        \
	})
#define GH_PUT(type, p, value)             \
	({                                 \
		type *_to = (void *)(p);   \
		*_to = (value);            \
	})
#else
#define GH_ANYWHERE(type) struct { type word; } __attribute__((packed, may_alias))
#define GH_GET(type, p)        (((const GH_ANYWHERE(type) *)(p))->word)
#define GH_PUT(type, p, value) (((GH_ANYWHERE(type) *)(p))->word = (value))
#endif

#define GH_ONES 0x0101010101010101ULL

/*
 * Where a position is in the buffers. The mask is for the verifier, and hidden
 * from the compiler, which may know of a bound that the verifier has lost.
 */
static __always_inline const __u8 *gh_in(const struct gh_scratch *s, __u32 at)
{
	asm volatile("" : "+r"(at));
	return &s->in[at & GH_IN_MASK];
}
static __always_inline __u8 *gh_out(struct gh_scratch *s, __u32 at)
{
	asm volatile("" : "+r"(at));
	return &s->out[at & GH_OUT_MASK];
}

/* Up to eight characters as the word that reads the same. */
#define GH_WORD4(a, b, c, d)                                             \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24)
#define GH_WORD8(a, b, c, d, e, f, g, h) \
	(GH_WORD4(a, b, c, d) | GH_WORD4(e, f, g, h) << 32)
#define GH_FIRST(n) (~0ULL >> (64 - 8 * (n)))

/*
 * How a byte is written into the query: the bytes themselves in the low three,
 * their number and what the byte may be part of in the highest. 0: nothing.
 * Kept as they are: RFC 3986 unreserved, and what neither a query parameter
 * nor an HTML attribute takes for its own.
 */
#define GH_CODE_LEN  (3U << 24)
#define GH_CODE_PATH (1U << 30)
#define GH_CODE_HOST (1U << 31)

#define GH_IS_ALNUM(c)                                              \
	(((c) >= '0' && (c) <= '9') || ((c) >= 'A' && (c) <= 'Z') || \
		((c) >= 'a' && (c) <= 'z'))
#define GH_IS_KEPT(c)                                                     \
	(GH_IS_ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' ||      \
		(c) == '~' || (c) == '/' || (c) == ':' || (c) == '?' ||   \
		(c) == '=' || (c) == '@' || (c) == ',')
#define GH_IS_HOST(c)                                                   \
	(GH_IS_ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' ||    \
		(c) == ':' || (c) == '[' || (c) == ']')
#define GH_HEX(n) ((n) < 10 ? '0' + (n) : 'A' + (n)-10)
#define GH_CODE_TEXT(c)                                                    \
	(GH_IS_KEPT(c) ? ((c) | 1U << 24)                                  \
		       : ('%' | GH_HEX((c) >> 4) << 8 | GH_HEX((c)&15) << 16 | \
				 3U << 24))
#define GH_CODE(c)                                                  \
	((c) <= ' ' || (c) >= 0x7f || (c) == '#'                    \
			? 0                                         \
			: (GH_CODE_TEXT(c) | GH_CODE_PATH |         \
				  (GH_IS_HOST(c) ? GH_CODE_HOST : 0)))
#define GH_CODES4(c)  GH_CODE(c), GH_CODE((c) + 1), GH_CODE((c) + 2), GH_CODE((c) + 3)
#define GH_CODES16(c) \
	GH_CODES4(c), GH_CODES4((c) + 4), GH_CODES4((c) + 8), GH_CODES4((c) + 12)

static const __u32 gh_codes[256] = {
	[0x20] = GH_CODES16(0x20),
	GH_CODES16(0x30),
	GH_CODES16(0x40),
	GH_CODES16(0x50),
	GH_CODES16(0x60),
	GH_CODES16(0x70),
};

/* The high bit of each byte, all below 0x80, that is one of `low` to `high`. */
#define GH_IN_RANGE(word, low, high)                  \
	(((word) + GH_ONES * (0x80 - (low))) &        \
		~((word) + GH_ONES * (0x7f - (high))))

/* The number of the first byte that has its high bit in `bits`, and nothing
 * else; 8: none has (Warren, Hacker's Delight, 6-1). */
static __always_inline __u32 gh_first_of(__u64 bits)
{
	return ((((bits - 1) & GH_ONES) * GH_ONES) >> 56) - !!bits;
}

/*
 * How many bytes at the beginning of a word are plain: letters, digits, "-",
 * ".", ":", in a path "/" as well. Most of every URL is, and it is copied by
 * words; gh_codes[] has the rest.
 */
static __always_inline __u32 gh_plain(__u64 word, __u32 kind)
{
	const __u64 high = GH_ONES << 7;
	__u64 low = word & ~high;
	__u64 plain = GH_IN_RANGE(low | GH_ONES * 0x20, 'a', 'z') |
		      GH_IN_RANGE(low, '-', ':');

	if (kind == GH_CODE_HOST)
		plain &= (low ^ GH_ONES * '/') + ~high;
	return gh_first_of((~plain | word) & high);
}

/*
 * Copies at most `max` bytes of `in`, plain or through the table, until one
 * that is not of `kind`, the end of the request, or the answer's limit. Moves
 * `from` and `to`. Returns how many bytes were read.
 */
__weak __noinline int gh_encode(struct gh_scratch *s, __u32 max, __u32 kind)
{
	__u32 from, to, end, limit;

	if (!s)
		return 0;
	from = s->from;
	to = s->to;
	end = s->end;
	limit = s->limit;
	if (end > from + max)
		end = from + max;
	for (__u32 i = 0; i < GH_PATH_MAX && from < end; i++) {
		__u64 word = GH_GET(__u64, gh_in(s, from));
		__u32 plain = gh_plain(word, kind), code;

		if (plain > end - from)
			plain = end - from;
		if (to + plain + 3 > limit)
			break;
		GH_PUT(__u64, gh_out(s, to), word);
		from += plain;
		to += plain;
		if (plain == 8 || from >= end)
			continue;
		code = gh_codes[*gh_in(s, from)];
		if (!(code & kind))
			break;
		GH_PUT(__u32, gh_out(s, to), code);
		to += (code & GH_CODE_LEN) >> 24;
		from++;
	}
	max = from - s->from;
	s->from = from;
	s->to = to;
	return max;
}

/*
 * Where the value of the Host header begins in `in`, from the request line at
 * `at` on; 0: there is none. Eight bytes at a time.
 */
__weak __noinline int gh_find_host(const struct gh_scratch *s, __u32 at)
{
	const __u64 host = GH_WORD8('h', 'o', 's', 't', ':', 0, 0, 0);
	__u32 end;

	if (!s)
		return 0;
	end = s->end;
	for (__u32 i = 0; i < 160; i++) {
		__u64 word, hit;

		if (at >= end)
			return 0;
		word = GH_GET(__u64, gh_in(s, at)) ^ GH_ONES * '\n';
		hit = (word - GH_ONES) & ~word & GH_ONES << 7;
		at += gh_first_of(hit);
		if (!hit)
			continue;
		at++;
		word = GH_GET(__u64, gh_in(s, at));
		if ((word & 0xff) == '\r' || (word & 0xff) == '\n')
			return 0;
		if (((word | GH_ONES * 0x20) & GH_FIRST(5)) == host)
			return at + 5;
	}
	return 0;
}

/* Whether `word`, of which `seen` are bytes of the request, begins with `text`
 * of `len` bytes as far as it goes. */
#define GH_IS_METHOD(word, seen, text, len)                          \
	(!(((word) ^ (text)) & GH_FIRST(len) & (seen)))

/*
 * Length of the method and its space at `at`; 0: this is no HTTP request. Of
 * one that came in pieces, the first is a request when it could become one:
 * nobody remembers it until the next comes.
 */
static __always_inline __u32 gh_method(const struct gh_scratch *s, __u32 at)
{
	__u64 word = GH_GET(__u64, gh_in(s, at)), seen = ~0ULL;
	__u32 end = s->end;

	if (at >= end)
		return 0;
	if (end - at < 8)
		seen = GH_FIRST(end - at);
	if (GH_IS_METHOD(word, seen, GH_WORD4('G', 'E', 'T', ' '), 4) ||
		GH_IS_METHOD(word, seen, GH_WORD4('P', 'U', 'T', ' '), 4))
		return 4;
	if (GH_IS_METHOD(word, seen, GH_WORD8('H', 'E', 'A', 'D', ' ', 0, 0, 0), 5) ||
		GH_IS_METHOD(word, seen, GH_WORD8('P', 'O', 'S', 'T', ' ', 0, 0, 0), 5))
		return 5;
	if (GH_IS_METHOD(word, seen, GH_WORD8('P', 'A', 'T', 'C', 'H', ' ', 0, 0), 6))
		return 6;
	if (GH_IS_METHOD(word, seen, GH_WORD8('D', 'E', 'L', 'E', 'T', 'E', ' ', 0), 7))
		return 7;
	if (GH_IS_METHOD(word, seen, GH_WORD8('O', 'P', 'T', 'I', 'O', 'N', 'S', ' '), 8))
		return 8;
	return 0;
}

/* One octet in decimal, without leading zeros and without branches. */
static __always_inline __u32 gh_put_octet(struct gh_scratch *s, __u32 to, __u32 n)
{
	*gh_out(s, to) = '0' + n / 100;
	to += (99 - n) >> 31;
	*gh_out(s, to) = '0' + n / 10 % 10;
	to += (9 - n) >> 31;
	*gh_out(s, to) = '0' + n % 10;
	return to + 1;
}

/* An address as it stands in a URL: where no name is known. */
__weak __noinline int gh_put_address4(struct gh_scratch *s, __u32 addr)
{
	__u32 to;

	if (!s)
		return 0;
	to = s->to;
	for (int i = 0; i < 4; i++) {
		to = gh_put_octet(s, to, addr >> (8 * i) & 0xff);
		*gh_out(s, to) = '.';
		to++;
	}
	s->to = to - 1;
	return 0;
}

/* Four digits for each of the eight groups, in encoded brackets. */
__weak __noinline int gh_put_address6(struct gh_scratch *s, const struct gh_ip *addr)
{
	__u32 to;

	if (!s || !addr)
		return 0;
	to = s->to;
	GH_PUT(__u32, gh_out(s, to), gh_codes['[']);
	to += 3;
	for (int i = 0; i < 16; i++) {
		__u32 high = addr->addr[i] >> 4, low = addr->addr[i] & 15;

		/* '0' + 39 is 'W', and 'W' + 10 is 'a' */
		*gh_out(s, to) = '0' + high + ((9 - high) >> 31) * 39;
		*gh_out(s, to + 1) = '0' + low + ((9 - low) >> 31) * 39;
		*gh_out(s, to + 2) = ':';
		to += 2 + (i & 1);
	}
	GH_PUT(__u32, gh_out(s, to - 1), gh_codes[']']);
	s->to = to + 2;
	return 0;
}

static __always_inline __u32 gh_peek(const struct gh_scratch *s)
{
	return s->from < s->end ? *gh_in(s, s->from) : 0;
}

static __always_inline void gh_put_char(struct gh_scratch *s, __u8 c)
{
	__u32 to = s->to;

	*gh_out(s, to) = c;
	s->to = to + 1;
}

/* The host of an absolute-form target (RFC 9112, 3.2.2), at `from`. */
static __always_inline bool gh_put_authority(struct gh_scratch *s)
{
	__u32 after;

	if (!gh_encode(s, GH_HOST_MAX, GH_CODE_HOST))
		return false;
	after = gh_peek(s);
	return after == '/' || after == '?' || after == ' ' || after == '\r';
}

/* The host of the Host header, if it is whole and nothing but a host. */
static __always_inline bool gh_put_host(struct gh_scratch *s, __u32 request)
{
	__u32 at = gh_find_host(s, request), after;

	if (!at)
		return false;
	s->from = at;
	if (gh_peek(s) == ' ' || gh_peek(s) == '\t')
		s->from = at + 1;
	if (!gh_encode(s, GH_HOST_MAX, GH_CODE_HOST))
		return false;
	after = gh_peek(s);
	return after == '\r' || after == '\n' || after == ' ' || after == '\t';
}

/*
 * The path and query at `from`; "/" unless they are whole: a URL that was cut
 * is another URL.
 */
static __always_inline void gh_put_path(struct gh_scratch *s)
{
	__u32 start = s->to, from = s->from, first = gh_peek(s), after;

	if (first == '/' || first == '?') {
		gh_encode(s, GH_PATH_MAX, GH_CODE_PATH);
		after = gh_peek(s);
		if (after == ' ' || after == '\r' || after == '\n' || after == '#')
			return;
	}
	s->from = from;
	s->to = start;
	gh_put_char(s, '/');
}

/*
 * Appends the URL asked, encoded for a query. `request` is where the request
 * line begins, `target` where its target does. A host that cannot be read
 * becomes the address asked.
 */
static __always_inline void gh_put_url(struct gh_scratch *s,
	const struct gh_pkt *pkt, __u32 request, __u32 target)
{
	const __u64 http = GH_WORD8('h', 't', 't', 'p', ':', '/', '/', 0);
	__u64 word = GH_GET(__u64, gh_in(s, target)) | GH_ONES * 0x20;
	__u32 start = s->to, path;
	bool absolute = (word & GH_FIRST(7)) == http;
	bool has_host;

	GH_PUT(__u64, gh_out(s, start), http);
	s->to = start + 7;
	if (absolute) {
		s->from = target + 7;
		has_host = gh_put_authority(s);
		path = s->from;
	} else {
		has_host = gh_put_host(s, request);
		path = target;
	}
	if (!has_host) {
		s->to = start + 7;
		if (pkt->family == 4)
			gh_put_address4(s, pkt->dst4);
		else
			gh_put_address6(s, (const struct gh_ip *)pkt->dst6);
	}
	s->from = path;
	gh_put_path(s);
	/* Half an address leads nowhere. */
	if (s->to > s->limit)
		s->to = start;
}

/* Text of fixed length, word by word. `at` must leave room for a word more. */
#define GH_PUT_TEXT(at, text)                                                  \
	do {                                                                   \
		__u8 *_at = (at);                                              \
		_Pragma("unroll") for (__u32 _i = 0; _i < sizeof(text) - 1; _i += 8) \
			GH_PUT(__u64, _at + _i,                                \
				gh_text_word(text, sizeof(text) - 1, _i));     \
	} while (0)

static __always_inline __u64 gh_text_word(const char *text, __u32 len, __u32 at)
{
	__u64 word = 0;

#pragma unroll
	for (__u32 i = 0; i < 8; i++)
		if (at + i < len)
			word |= (__u64)(__u8)text[at + i] << (8 * i);
	return word;
}

/* The portal's URL; what stands behind it is overwritten by what follows. */
static __always_inline void gh_put_location(
	struct gh_scratch *s, const char *location, __u32 len)
{
	__u8 *at = gh_out(s, s->to);

#pragma unroll
	for (__u32 i = 0; i < GH_LOCATION_MAX; i += 8)
		GH_PUT(__u64, at + i, GH_GET(__u64, location + i));
	s->to += len;
}

/*
 * No body: whoever asks goes where the Location says, without a look, and what
 * would be longer than the request may not fit.
 */
#define GH_REPLY_HEAD               \
	"HTTP/1.1 302 Found\r\n"    \
	"Cache-Control: no-store\r\n" \
	"Connection: close\r\n"     \
	"Content-Length: 0\r\n"     \
	"Location: "

/* Of what is the same always, the sum is known: of so many bytes. */
#define GH_REPLY_KNOWN ((sizeof(GH_REPLY_HEAD) - 1) & ~7U)

static __always_inline __u64 gh_reply_sum(void)
{
	__u64 sum = 0;

#pragma unroll
	for (__u32 i = 0; i < GH_REPLY_KNOWN; i += 8) {
		__u64 word = gh_text_word(GH_REPLY_HEAD, GH_REPLY_KNOWN, i);

		sum += (word & 0xffffffff) + (word >> 32);
	}
	return sum;
}

/*
 * Writes the 302 to the request at `request` of `in`, which ends at s->end,
 * behind the TCP header. s->limit is where it must end: what does not fit is
 * left out, first the path, then the URL. `location` has GH_LOCATION_MAX bytes,
 * `len` of them used. Returns its length; 0: what was sent is no request, or
 * there is no room for an answer.
 */
static __always_inline __u32 gh_reply_write(struct gh_scratch *s,
	const struct gh_pkt *pkt, __u32 request, const char *location, __u32 len)
{
	__u32 method = gh_method(s, request);

	if (!method || !len || len > GH_LOCATION_MAX)
		return 0;
	GH_PUT_TEXT(&s->out[GH_OUT_PAYLOAD], GH_REPLY_HEAD);
	s->to = GH_OUT_PAYLOAD + sizeof(GH_REPLY_HEAD) - 1;
	gh_put_location(s, location, len);
	if (s->to + 4 > s->limit)
		return 0;
	s->limit -= 4;
	gh_put_url(s, pkt, request, request + method);
	GH_PUT(__u32, gh_out(s, s->to), GH_WORD4('\r', '\n', '\r', '\n'));
	s->to += 4;
	return s->to - GH_OUT_PAYLOAD;
}

#endif
