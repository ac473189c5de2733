/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a DHCP server says (ctl/lease.h): taken when it is whole and an answer
 * to what was asked, refused otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/util.h"
#include "ctl/lease.h"

#define FIXED 240
#define ID    0x04030201
#define URL   "https://portal.example.org/.well-known/captive-portal"

struct answer {
	uint8_t bytes[1024];
	size_t len;
};

static void begin(struct answer *a)
{
	*a = (struct answer){.len = FIXED};
	a->bytes[0] = 2;
	memcpy(&a->bytes[4], &(uint32_t){ID}, 4);
	memcpy(&a->bytes[16], &(in_addr_t){htonl(0x0a4d000b)}, 4);
	memcpy(&a->bytes[236], "\x63\x82\x53\x63", 4);
}

static void add(struct answer *a, int option, const void *data, size_t len)
{
	a->bytes[a->len++] = (uint8_t)option;
	a->bytes[a->len++] = (uint8_t)len;
	memcpy(&a->bytes[a->len], data, len);
	a->len += len;
}

/* An offer with everything; the URL is the last option. */
static void make_offer(struct answer *a)
{
	begin(a);
	add(a, 53, "\2", 1);
	add(a, 54, "\x0a\x4d\0\1", 4);
	a->bytes[a->len++] = 0;
	add(a, 1, "\xff\xff\xff\0", 4);
	add(a, 3, "\x0a\x4d\0\1\x0a\x4d\0\2", 8);
	add(a, 6, "\x0a\x4d\0\3", 4);
	add(a, 114, URL, strlen(URL));
	a->bytes[a->len++] = 255;
}

static void test_an_offer(void **state)
{
	struct lease lease;
	struct answer a;
	int type = 0;

	make_offer(&a);
	assert_int_equal(lease_parse(a.bytes, a.len, ID, &lease, &type), 0);
	assert_int_equal(type, 2);
	assert_string_equal(lease.url, URL);
	assert_int_equal(ntohl(lease.address.s_addr), 0x0a4d000b);
	assert_int_equal(ntohl(lease.mask.s_addr), 0xffffff00);
	assert_int_equal(ntohl(lease.router.s_addr), 0x0a4d0001);
	assert_int_equal(ntohl(lease.resolver.s_addr), 0x0a4d0003);
	assert_int_equal(lease.id, ID);
}

/* Wherever it is cut off. */
static void test_half_of_one(void **state)
{
	struct lease lease;
	struct answer a;
	size_t len, whole;
	int type, taken = 0;

	make_offer(&a);
	whole = a.len - 1;
	for (len = 0; len < whole; len++)
		taken += !lease_parse(a.bytes, len, ID, &lease, &type);
	/* Between two options it is one with fewer of them: behind the type,
	 * the server, the empty byte, mask, router and resolver. */
	assert_int_equal(taken, 6);
}

static void test_what_is_no_answer(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} faults[] = {{0, 1}, {4, 9}, {236, 0}};
	struct lease lease;
	struct answer a;
	size_t i;
	int type;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		make_offer(&a);
		a.bytes[faults[i].at] = faults[i].byte;
		assert_int_equal(lease_parse(a.bytes, a.len, ID, &lease, &type),
			-EBADMSG);
	}
	begin(&a);
	add(&a, 54, "\x0a\x4d\0\1", 4);
	assert_int_equal(
		lease_parse(a.bytes, a.len, ID, &lease, &type), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_offer),
		cmocka_unit_test(test_half_of_one),
		cmocka_unit_test(test_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
