/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields by name: what the BPF object says of its maps, and a value in one
 * layout as a value in another. No kernel: the object is only opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/util.h"
#include "datapath/fields.h"
#include "gatehouse.skel.h"

static struct fields own;

static int setup(void **state)
{
	struct gatehouse_bpf *object = gatehouse_bpf__open();

	assert_non_null(object);
	assert_int_equal(fields_of_object(object->obj, &own), 0);
	gatehouse_bpf__destroy(object);
	return 0;
}

static int teardown(void **state)
{
	fields_free(&own);
	return 0;
}

static void assert_field(const char *name, size_t offset, size_t size)
{
	const struct gh_field *field = fields_find(&own, name);

	if (!field)
		fail_msg("no field %s", name);
	assert_int_equal(field->offset, offset);
	assert_int_equal(field->size, size);
}

static void test_object_describes_its_maps(void **state)
{
	assert_field("clients.policy.state",
		offsetof(struct gh_client, policy.state), 4);
	assert_field("clients.up.bytes", offsetof(struct gh_client, up.bytes), 8);
	assert_field("clients.down.network",
		offsetof(struct gh_client, down.network), 4);
	assert_field("meta.boot_id", offsetof(struct gh_meta, boot_id), 16);
	assert_field("event_losses", 0, 8);
	assert_field("networks.prefix4[1].place",
		offsetof(struct gh_network, prefix4[1].place), 4);
	assert_null(fields_find(&own, "clients.up.packet"));
}

/* Every byte of a record belongs to a field: nothing of it can be forgotten. */
static void test_fields_cover_a_record(void **state)
{
	uint8_t covered[sizeof(struct gh_client)] = {0};
	size_t n, i;
	const struct gh_field *rows = fields_of_map(&own, "clients", &n);

	for (i = 0; i < n; i++)
		memset(covered + rows[i].offset, 1, rows[i].size);
	for (i = 0; i < sizeof(covered); i++)
		assert_int_equal(covered[i], 1);
}

/* A map is not another one whose name begins alike. */
static void test_rows_of_one_map(void **state)
{
	struct gh_field rows[] = {
		{"client.a", 0, 8},
		{"clients.a", 0, 8},
		{"clients.b[0].c", 8, 8},
		{"clients2.a", 0, 8},
	};
	const struct fields fields = {rows, ARRAY_SIZE(rows), 0};
	size_t n;

	assert_ptr_equal(fields_of_map(&fields, "clients", &n), &rows[1]);
	assert_int_equal(n, 2);
	assert_null(fields_of_map(&fields, "cli", &n));
	assert_true(fields_map_equal(&fields, &fields, "clients"));
	assert_true(fields_map_equal(&fields, &own, "nothing"));
	assert_false(fields_map_equal(&fields, &own, "clients"));
}

static void test_value_in_another_layout(void **state)
{
	struct gh_field old_rows[] = {
		{"m.gone", 0, 4},
		{"m.grows", 4, 4},
		{"m.moves", 8, 8},
		{"m.text", 16, 4},
	};
	struct gh_field new_rows[] = {
		{"m.fresh", 0, 8},
		{"m.moves", 8, 8},
		{"m.text", 16, 4},
		{"m.grows", 24, 8},
	};
	const struct fields from = {old_rows, ARRAY_SIZE(old_rows), 0};
	const struct fields to = {new_rows, ARRAY_SIZE(new_rows), 0};
	struct {
		uint32_t gone, grows;
		uint64_t moves;
		char text[8];
	} old = {1, 0xfffffffe, 3, "abc"};
	struct {
		uint64_t fresh, moves;
		char text[8];
		uint64_t grows;
	} now;
	struct field_moves moves;

	memset(&now, 0xff, sizeof(now));
	field_moves_make(&from, &to, "m", &moves);
	field_moves_apply(&moves, &old, &now, sizeof(now));
	field_moves_free(&moves);
	assert_int_equal(now.fresh, 0);
	assert_int_equal(now.moves, 3);
	assert_int_equal(now.grows, 0xfffffffe);
	assert_string_equal(now.text, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_object_describes_its_maps),
		cmocka_unit_test(test_fields_cover_a_record),
		cmocka_unit_test(test_rows_of_one_map),
		cmocka_unit_test(test_value_in_another_layout),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
