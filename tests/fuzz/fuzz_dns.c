/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a resolver can send, through the reader of DNS answers that the kernel
 * runs (bpf/dns.h), and through another one, written without its ways of
 * pleasing a verifier. Both read the same name and the same addresses, or both
 * say that it is no answer.
 */
#include "../host_bpf.h"

/* clang-format off: in this order */
#include "../../bpf/dns.h"
/* clang-format on */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NETWORK 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the plain reader found. */
struct plain {
	const uint8_t *data;
	size_t len, at;
	char name[256]; /* "www.example.org" */
	struct gh_dns_address found[GH_DNS_ADDRESSES];
	__u32 count;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool has(const struct plain *p, size_t bytes)
{
	return p->len - p->at >= bytes;
}

static __u32 take(struct plain *p, int bytes)
{
	__u32 value = 0;

	while (bytes--)
		value = value << 8 | p->data[p->at++];
	return value;
}

static bool read_question(struct plain *p)
{
	size_t start = 12, used = 0;

	p->at = start;
	for (;;) {
		size_t len, i;

		if (!has(p, 1))
			return false;
		len = take(p, 1);
		if (!len)
			break;
		if (len > 63 || !has(p, len) || p->at - start + len > 254)
			return false;
		if (used)
			p->name[used++] = '.';
		for (i = 0; i < len; i++) {
			int c = (int)take(p, 1);

			if (!isascii(c) || (!isalnum(c) && c != '-' && c != '_'))
				return false;
			p->name[used++] = (char)tolower(c);
		}
	}
	if (!used || !has(p, 4))
		return false;
	p->at += 2;
	return take(p, 2) == 1;
}

static bool skip_name(struct plain *p)
{
	int labels;

	for (labels = 0; labels < 128; labels++) {
		size_t len;

		if (!has(p, 1))
			return false;
		len = take(p, 1);
		if (len >= 0xc0) {
			if (!has(p, 1))
				return false;
			p->at++;
			return true;
		}
		if (len > 63 || !has(p, len))
			return false;
		p->at += len;
		if (!len)
			return true;
	}
	return false;
}

static bool read_record(struct plain *p)
{
	struct gh_dns_address *to = &p->found[p->count];
	__u32 type, class, ttl, len;

	if (!skip_name(p) || !has(p, 10))
		return false;
	type = take(p, 2);
	class = take(p, 2);
	ttl = take(p, 4);
	len = take(p, 2);
	if (!has(p, len))
		return false;
	p->at += len;
	if (class != 1 || (type != 1 && type != 28))
		return true;
	if (p->count == GH_DNS_ADDRESSES)
		return true;
	if (len != (type == 1 ? 4 : 16))
		return false;
	if (type == 1)
		memcpy(to->ip.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	memcpy(to->ip.addr + 16 - len, p->data + p->at - len, len);
	to->ttl = ttl > 0x7fffffff ? 0 : ttl;
	p->count++;
	return true;
}

static bool read_answer(struct plain *p)
{
	__u32 records;

	if (p->len < 12 || (p->data[2] & 0xf8) != 0x80 || p->data[3] & 0x0f ||
		p->data[4] || p->data[5] != 1 || !read_question(p))
		return false;
	records = p->data[6] << 8 | p->data[7];
	for (__u32 i = 0; i < records && i < GH_DNS_RECORDS; i++)
		if (!read_record(p)) {
			p->count = 0;
			return true;
		}
	return true;
}

static void check_key(const struct gh_garden_name *key, const char *name)
{
	size_t len = strlen(name), n = (key->bits - 32) / 8, i;

	check(key->network == NETWORK);
	check(n == (len < GH_GARDEN_NAME_MAX ? len + 1 : GH_GARDEN_NAME_MAX));
	for (i = 0; i < n; i++)
		check(key->name[i] == (i < len ? name[len - 1 - i] : '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gh_dns *d;
	struct plain p = {.data = data, .len = size};
	struct gh_garden_name key;
	const void *found;
	bool is_answer;

	if (size > GH_DNS_BYTES)
		return 0;
	/* What a run before left in it must not matter. */
	d = malloc(sizeof(*d));
	memset(d, 0x5a, sizeof(*d));
	memcpy(d->data, data, size);
	d->len = (__u32)size;
	is_answer = read_answer(&p);
	found = gh_dns_question(d, NETWORK);
	check(!!found == is_answer);
	if (found) {
		memcpy(&key, found, sizeof(key));
		check_key(&key, p.name);
		check(gh_dns_answers(d) == p.count);
		for (__u32 i = 0; i < p.count; i++)
			check(!memcmp(&d->found[i], &p.found[i], sizeof(d->found[i])));
	}
	free(d);
	return 0;
}
