/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records and pins against the running kernel, without an interface: adopting
 * what an earlier handle left, refusing what is not ours, the table made equal
 * to what is wanted, counters kept by every edit. Pins are in a directory of
 * this process; root only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/clients.h"
#include "datapath/events.h"
#include "datapath/reasons.h"

#define CLIENTS_MAX 2048
#define ROOM	    (CLIENTS_MAX + 48) /* with those on their way out */

static char pin_dir[64];
static struct datapath *dp;

static int open_datapath(struct datapath_error *err)
{
	const struct datapath_options options = {
		.pin_dir = pin_dir,
		.clients_max = CLIENTS_MAX,
	};

	return datapath_open(&options, err, &dp);
}

static int setup(void **state)
{
	struct datapath_error err;
	int r;

	snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/gatehouse-test-%d",
		getpid());
	r = open_datapath(&err);
	if (r < 0)
		fail_msg("open: %s: %s", strerror(-r), err.text);
	return 0;
}

static int teardown(void **state)
{
	struct datapath_error err;

	datapath_close(dp);
	dp = NULL;
	assert_int_equal(datapath_unload(pin_dir, &err), 0);
	assert_int_equal(access(pin_dir, F_OK), -1);
	return 0;
}

static void reopen(void)
{
	struct datapath_error err;

	datapath_close(dp);
	dp = NULL;
	assert_int_equal(open_datapath(&err), 0);
}

static struct mac mac_number(uint32_t n)
{
	return (struct mac){{2, 0, n >> 24, n >> 16, n >> 8, n}};
}

static struct gh_policy policy_of(uint64_t record_id)
{
	return (struct gh_policy){
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER,
		.quota_bytes = GH_UNLIMITED,
		.networks = ~0ULL,
		.record_id = record_id,
		.session = 7,
	};
}

static struct client_want *wants(uint32_t first, size_t n)
{
	struct client_want *want = calloc(n, sizeof(*want));
	size_t i;

	for (i = 0; i < n; i++)
		want[i] = (struct client_want){
			mac_number(first + i), policy_of(1000 + first + i)};
	return want;
}

/* Stands in for the kernel's counting. */
static void count_bytes(uint32_t n, uint64_t up, uint64_t down)
{
	struct mac mac = mac_number(n);
	struct gh_mac key = {0};
	struct gh_client record;
	char path[96];
	int fd;

	memcpy(key.addr, mac.addr, sizeof(key.addr));
	snprintf(path, sizeof(path), "%s/clients", pin_dir);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &record), 0);
	record.up.bytes = up;
	record.down.bytes = down;
	assert_int_equal(bpf_map_update_elem(fd, &key, &record, BPF_EXIST), 0);
	close(fd);
}

static int count_one(void *data, const struct client *client)
{
	++*(size_t *)data;
	return 0;
}

static size_t records(void)
{
	size_t n = 0;

	assert_int_equal(clients_each(dp, count_one, &n), 0);
	return n;
}

static size_t records_in_parts(void)
{
	struct clients_walk *walk = clients_walk_new(dp);
	bool more = true;
	size_t n = 0;

	while (more)
		assert_int_equal(
			clients_walk_next(walk, count_one, &n, &more), 0);
	clients_walk_free(walk);
	return n;
}

static void test_edit_keeps_counters_and_returns_them(void **state)
{
	struct mac mac = mac_number(1);
	struct gh_policy policy = policy_of(50);
	struct gh_client record;

	assert_int_equal(clients_edit(dp, &mac, &policy, NULL), -ENOENT);
	assert_int_equal(clients_put(dp, &mac, &policy), 0);
	count_bytes(1, 1234, 5678);
	policy.state = GH_STATE_PAUSED;
	assert_int_equal(clients_edit(dp, &mac, &policy, &record), 0);
	assert_int_equal(record.up.bytes, 1234);
	assert_int_equal(record.down.bytes, 5678);
	assert_int_equal(clients_put(dp, &mac, &policy), 0);
	assert_int_equal(clients_lookup(dp, &mac, &record), 0);
	assert_int_equal(record.policy.state, GH_STATE_PAUSED);
	assert_int_equal(record.policy.seq % 2, 0);
	assert_int_equal(record.up.bytes, 1234);
}

static void test_another_record_is_not_touched(void **state)
{
	struct mac mac = mac_number(1);
	struct gh_policy policy = policy_of(50), other = policy_of(51);
	struct client row = {.mac = mac, .record.policy.record_id = 51};
	struct gh_client record;

	assert_int_equal(clients_put(dp, &mac, &policy), 0);
	other.state = GH_STATE_BLOCKED;
	assert_int_equal(clients_put(dp, &mac, &other), -ESTALE);
	assert_int_equal(clients_edit(dp, &mac, &other, NULL), -ESTALE);
	assert_int_equal(clients_remove(dp, &row, 1), 0);
	assert_int_equal(row.record.policy.record_id, 0);
	assert_int_equal(clients_lookup(dp, &mac, &record), 0);
	assert_int_equal(record.policy.state, GH_STATE_RUNNING);
	assert_int_equal(record.policy.record_id, 50);
}

static void test_remove_returns_final_counters(void **state)
{
	struct client rows[3] = {
		{.mac = mac_number(1), .record.policy.record_id = 50},
		{.mac = mac_number(2)}, /* not there */
		{.mac = mac_number(3)}, /* whichever is there */
	};
	struct gh_policy first = policy_of(50), third = policy_of(52);

	assert_int_equal(clients_put(dp, &rows[0].mac, &first), 0);
	assert_int_equal(clients_put(dp, &rows[2].mac, &third), 0);
	count_bytes(1, 10, 20);
	count_bytes(3, 30, 40);
	assert_int_equal(clients_remove(dp, rows, 3), 0);
	assert_int_equal(rows[0].record.policy.record_id, 50);
	assert_int_equal(rows[0].record.up.bytes, 10);
	assert_int_equal(rows[1].record.policy.record_id, 0);
	assert_int_equal(rows[2].record.policy.record_id, 52);
	assert_int_equal(rows[2].record.down.bytes, 40);
	assert_int_equal(records(), 0);
}

struct removed {
	size_t n;
	uint64_t bytes;
	uint64_t last_id;
};

static void on_removed(void *data, const struct client *final)
{
	struct removed *removed = data;

	removed->n++;
	removed->bytes += final->record.up.bytes + final->record.down.bytes;
	removed->last_id = final->record.policy.record_id;
}

static void test_sync_does_the_difference_and_nothing_else(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, 1000);
	struct removed removed = {0};
	struct clients_synced synced;

	assert_int_equal(
		clients_sync(dp, want, 1000, on_removed, &removed, &synced), 0);
	assert_int_equal(synced.put, 1000);
	assert_int_equal(records(), 1000);

	assert_int_equal(
		clients_sync(dp, want, 1000, on_removed, &removed, &synced), 0);
	assert_int_equal(synced.put + synced.edited + synced.removed, 0);

	/* 0: gone. 1: another record. 2: another policy. All had traffic. */
	count_bytes(0, 1, 2);
	count_bytes(1, 4, 8);
	count_bytes(2, 16, 32);
	want[1].policy.record_id = 9999;
	want[2].policy.expires_ns = 77;
	assert_int_equal(
		clients_sync(dp, want + 1, 999, on_removed, &removed, &synced),
		0);
	assert_int_equal(synced.put, 1);
	assert_int_equal(synced.edited, 1);
	assert_int_equal(synced.removed, 2);
	assert_int_equal(removed.n, 2);
	assert_int_equal(removed.bytes, 15);
	assert_int_equal(records(), 999);
}

static void test_sync_refuses_one_client_twice(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, 10);
	struct clients_synced synced;

	want[3].mac = want[5].mac;
	assert_int_equal(
		clients_sync(dp, want, 10, NULL, NULL, &synced), -EINVAL);
	assert_int_equal(records(), 0);
}

static void test_full_table_says_so_and_keeps_the_rest(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, ROOM + 5);
	struct clients_synced synced;

	assert_int_equal(
		clients_sync(dp, want, ROOM + 5, NULL, NULL, &synced),
		-ENOSPC);
	assert_int_equal(synced.failed, 5);
	assert_int_equal(records(), ROOM);
	assert_int_equal(records_in_parts(), ROOM);
}

static void unpin(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", pin_dir, name);
	assert_int_equal(unlink(path), 0);
}

static uint32_t table_size(void)
{
	return datapath_records_max(dp);
}

static void reopen_with(uint32_t clients_max)
{
	const struct datapath_options options = {
		.pin_dir = pin_dir,
		.clients_max = clients_max,
	};
	struct datapath_error err;
	int r;

	datapath_close(dp);
	dp = NULL;
	r = datapath_open(&options, &err, &dp);
	if (r < 0)
		fail_msg("open: %s: %s", strerror(-r), err.text);
}

/* Another size is carried over to, as another layout would be. */
static void test_table_of_another_size_has_the_same_records(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, 1500);
	struct mac mac = mac_number(7);
	struct clients_synced synced;
	struct gh_client record;

	assert_int_equal(clients_sync(dp, want, 1500, NULL, NULL, &synced), 0);
	count_bytes(7, 1111, 2222);
	reopen_with(4 * CLIENTS_MAX);
	assert_true(datapath_carried_over(dp));
	assert_true(table_size() > 4 * CLIENTS_MAX);
	assert_int_equal(datapath_meta(dp)->clients_max, 4 * CLIENTS_MAX);
	assert_int_equal(records(), 1500);
	assert_int_equal(clients_lookup(dp, &mac, &record), 0);
	assert_int_equal(record.up.bytes, 1111);
	assert_int_equal(record.down.bytes, 2222);
	/* Nothing is left to change, and nothing is done twice. */
	assert_int_equal(clients_sync(dp, want, 1500, NULL, NULL, &synced), 0);
	assert_int_equal(synced.put + synced.edited + synced.removed, 0);
	reopen_with(4 * CLIENTS_MAX);
	assert_false(datapath_carried_over(dp));
	/* As if this build were the first that has such a map. */
	unpin("responder_tc");
	reopen_with(3 * CLIENTS_MAX);
	assert_true(datapath_carried_over(dp));
	assert_int_equal(records(), 1500);
	/* Too small for those who are in it: it stays. */
	reopen_with(1024);
	assert_false(datapath_carried_over(dp));
	assert_int_equal(datapath_meta(dp)->clients_max, 3 * CLIENTS_MAX);
	assert_int_equal(records(), 1500);
	reopen_with(1500);
	assert_true(datapath_carried_over(dp));
	assert_int_equal(records(), 1500);
}

static int count_difference(void *data, enum client_difference difference,
	const struct client_want *want, const struct client *have)
{
	((int *)data)[difference]++;
	return 0;
}

static void test_compare_names_each_difference(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, 20);
	struct clients_synced synced;
	int seen[4] = {0};

	assert_int_equal(clients_sync(dp, want, 10, NULL, NULL, &synced), 0);
	want[0].policy.session = 8;
	want[1].policy.record_id = 1;
	assert_int_equal(
		clients_compare(dp, want, 20, count_difference, seen), 0);
	assert_int_equal(seen[CLIENT_MISSING], 10);
	assert_int_equal(seen[CLIENT_DIFFERENT] + seen[CLIENT_OTHER], 2);
	assert_int_equal(seen[CLIENT_UNKNOWN], 0);
	memset(seen, 0, sizeof(seen));
	assert_int_equal(clients_compare(dp, want, 0, count_difference, seen), 0);
	assert_int_equal(seen[CLIENT_UNKNOWN], 10);
}

static void test_adopting_keeps_every_record(void **state)
{
	_cleanup_free_ struct client_want *want = wants(0, 100);
	uint64_t generation = datapath_meta(dp)->generation;
	struct mac mac = mac_number(5);
	struct clients_synced synced;
	struct gh_client record;

	assert_false(datapath_adopted(dp));
	assert_int_equal(clients_sync(dp, want, 100, NULL, NULL, &synced), 0);
	count_bytes(5, 111, 222);
	reopen();
	assert_true(datapath_adopted(dp));
	assert_int_equal(datapath_meta(dp)->generation, generation);
	assert_int_equal(records(), 100);
	assert_int_equal(clients_lookup(dp, &mac, &record), 0);
	assert_int_equal(record.up.bytes + record.down.bytes, 333);
	/* The new handle's edit program on it. */
	assert_int_equal(clients_edit(dp, &mac, &want[5].policy, &record), 0);
	assert_int_equal(record.up.bytes, 111);
}

static void test_two_processes_cannot_share_the_pins(void **state)
{
	const struct datapath_options options = {pin_dir, CLIENTS_MAX, false};
	struct datapath_error err;
	struct datapath *second;

	assert_int_equal(datapath_open(&options, &err, &second), -EBUSY);
	assert_non_null(strstr(err.text, pin_dir));
	assert_int_equal(datapath_unload(pin_dir, &err), -EBUSY);
}

/* Writes `meta` as another program would have. */
static void forge_meta(uint32_t layout, uint8_t boot_byte)
{
	struct gh_meta meta = *datapath_meta(dp);
	uint32_t zero = 0;
	char path[96];
	int fd;

	meta.layout = layout;
	meta.boot_id[3] ^= boot_byte;
	snprintf(path, sizeof(path), "%s/meta", pin_dir);
	fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, &meta, BPF_ANY), 0);
	close(fd);
}

static void refused(int want)
{
	struct datapath_error err;

	datapath_close(dp);
	dp = NULL;
	assert_int_equal(open_datapath(&err), want);
	assert_true(strlen(err.text) > 20);
}

static void test_other_layouts_are_refused_untouched(void **state)
{
	struct mac mac = mac_number(1);
	struct gh_policy policy = policy_of(50);
	char path[96];

	assert_int_equal(clients_put(dp, &mac, &policy), 0);
	forge_meta(GH_LAYOUT + 1, 0);
	refused(-EPROTO);
	snprintf(path, sizeof(path), "%s/clients", pin_dir);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_another_boot_is_refused(void **state)
{
	forge_meta(GH_LAYOUT, 0xff);
	refused(-ESTALE);
}

/* The machine went down between making the maps and saying what they are. */
static void test_unfinished_maps_are_made_anew(void **state)
{
	struct mac mac = mac_number(1);
	struct gh_policy policy = policy_of(50);

	assert_int_equal(clients_put(dp, &mac, &policy), 0);
	forge_meta(0, 0);
	reopen();
	assert_false(datapath_adopted(dp));
	assert_int_equal(records(), 0);
}

static void test_arrays_are_set_and_read(void **state)
{
	struct gh_interface interface = {.network = 3};
	struct gh_network network = {.flags = GH_NETWORK_ACTIVE, .n4 = 2}, got;
	struct gh_count counts[GH_REASONS];
	uint64_t lost = 1;

	assert_int_equal(datapath_interface_set(dp, 9, &interface), 0);
	assert_int_equal(datapath_interface_set(dp, GH_IFINDEX_MAX, &interface),
		-ERANGE);
	assert_int_equal(datapath_network_set(dp, 3, &network), 0);
	assert_int_equal(datapath_network_set(dp, 0, &network), -ERANGE);
	assert_int_equal(
		datapath_network_set(dp, GH_NETWORKS_MAX, &network), -ERANGE);
	assert_int_equal(datapath_network_lookup(dp, 3, &got), 0);
	assert_int_equal(got.n4, 2);
	assert_int_equal(reasons_read(dp, counts), 0);
	assert_int_equal(counts[GH_DROP_CAPTIVE].packets, 0);
	assert_int_equal(events_losses(dp, &lost), 0);
	assert_int_equal(lost, 0);
}

static void ignore_event(void *data, const struct gh_event *event)
{
}

static void test_empty_ring_has_nothing_to_say(void **state)
{
	struct events *events;

	assert_int_equal(events_open(dp, ignore_event, NULL, &events), 0);
	assert_true(events_fd(events) >= 0);
	assert_int_equal(events_dispatch(events), 0);
	events_close(events);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_edit_keeps_counters_and_returns_them),
		CASE(test_another_record_is_not_touched),
		CASE(test_remove_returns_final_counters),
		CASE(test_sync_does_the_difference_and_nothing_else),
		CASE(test_sync_refuses_one_client_twice),
		CASE(test_full_table_says_so_and_keeps_the_rest),
		CASE(test_table_of_another_size_has_the_same_records),
		CASE(test_compare_names_each_difference),
		CASE(test_adopting_keeps_every_record),
		CASE(test_two_processes_cannot_share_the_pins),
		CASE(test_other_layouts_are_refused_untouched),
		CASE(test_another_boot_is_refused),
		CASE(test_unfinished_maps_are_made_anew),
		CASE(test_arrays_are_set_and_read),
		CASE(test_empty_ring_has_nothing_to_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
