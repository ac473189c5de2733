/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate, asked what it would do. The programs are this build's, unchanged;
 * only their maps differ, by the table below: what tells the rules is shared
 * and only read by them, what belongs to a client is copied for each question,
 * and the rest is theirs alone and thrown away. A map that the table does not
 * know is theirs alone as well; a test finds it.
 *
 * It must never write to a pinned map.
 */
#include "datapath/explain.h"

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/ip.h"
#include "base/util.h"
#include "datapath/handle.h"
#include "datapath/reasons.h"
#include "gatehouse.skel.h"

#define ETHER       14
#define LRU_ENTRIES 1024 /* fewer, and a CPU may find no free one */

enum use {
	USE_ALONE, /* made empty, with `size` entries; 0: as it is */
	USE_SHARED,
	USE_OF_CLIENT,  /* one element is copied; the key is the client's MAC */
	USE_OF_NETWORK, /* ... the network's number */
	USE_OF_GROUP,   /* ... of its group, if any; in a row behind `clients` */
	USE_OF_ADDRESS, /* ... the client's address in the packet */
};

static const struct row {
	const char *map;
	enum use use;
	uint32_t size;
} rows[] = {
	{"interfaces", USE_SHARED, 0},
	{"networks", USE_SHARED, 0},
	{"secret", USE_SHARED, 0},
	{"gardens", USE_SHARED, 0},
	{"garden_prefixes", USE_SHARED, 0},
	{"garden_names", USE_SHARED, 0},
	{"garden_learned", USE_SHARED, 0},
	{"clients", USE_OF_CLIENT, 16},
	{"groups", USE_OF_GROUP, 16},
	{"captive", USE_OF_CLIENT, LRU_ENTRIES},
	{"guards", USE_OF_CLIENT, 16},
	{"no_guard", USE_ALONE, 0},
	{"twins", USE_OF_CLIENT, LRU_ENTRIES},
	{"no_twin", USE_ALONE, 0},
	{"syn_scratch", USE_ALONE, 0},
	{"bindings", USE_OF_ADDRESS, 64},
	{"lease_scratch", USE_ALONE, 0},
	{"network_meters", USE_OF_NETWORK, 0},
	{"alarms", USE_OF_NETWORK, 0},
	{"addresses", USE_ALONE, LRU_ENTRIES},
	{"garden_counts", USE_ALONE, 0},
	{"garden_clients", USE_OF_CLIENT, LRU_ENTRIES},
	{"garden_meters", USE_OF_NETWORK, 0},
	{"steered", USE_ALONE, LRU_ENTRIES},
	{"reasons", USE_ALONE, 0},
	{"events", USE_ALONE, 4096},
	{"event_losses", USE_ALONE, 0},
	{"meta", USE_ALONE, 0},
	{"fields", USE_ALONE, 0},
	{"copied", USE_ALONE, 16},
	{"question", USE_ALONE, 0},
	{"scratch", USE_ALONE, 0},
	{"responder_xdp", USE_ALONE, 0},
	{"responder_tc", USE_ALONE, 0},
	{"lesson", USE_ALONE, 0},
	{"learner", USE_ALONE, 0},
};

/* What a kind of hook needs. */
static const struct hook {
	const char *program;
	enum datapath_program pinned; /* the same, at work */
	const char *responder;        /* NULL: answers nobody */
	const char *slot;             /* of the responder */
} hooks[] = {
	[EXPLAIN_UP_XDP] = {"gh_upload_xdp", PROGRAM_UPLOAD_XDP, "gh_answer_xdp",
		"responder_xdp"},
	[EXPLAIN_UP_TC] = {"gh_upload_tc", PROGRAM_UPLOAD_TC, "gh_answer_tc",
		"responder_tc"},
	[EXPLAIN_DOWN] = {"gh_download_tc", PROGRAM_DOWNLOAD_TC, NULL, NULL},
};

struct explain {
	struct gatehouse_bpf *objects[ARRAY_SIZE(hooks)];
};

static const struct row *row_of(const char *map)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].map, map) == 0)
			return &rows[i];
	return NULL;
}

static int open_pinned(struct datapath *dp, const char *map)
{
	char path[PATH_MAX];
	int ret = pin_path(path, dp->pin_dir, "%s", map);

	if (ret)
		return ret;
	ret = bpf_obj_get(path);
	return ret < 0 ? -errno : ret;
}

static int prepare_map(
	struct datapath *dp, struct bpf_map *map, struct datapath_error *err)
{
	const struct row *row = row_of(bpf_map__name(map));
	int ret = 0;

	if (row && row->use == USE_SHARED) {
		_cleanup_fd_ int fd = open_pinned(dp, row->map);

		ret = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
	} else if (row && row->size) {
		ret = bpf_map__set_max_entries(map, row->size);
	}
	if (ret)
		datapath_explain(err, "map '%s'", bpf_map__name(map));
	return ret;
}

static int map_fd(struct gatehouse_bpf *object, const char *name)
{
	return bpf_object__find_map_fd_by_name(object->obj, name);
}

static int program_fd(struct gatehouse_bpf *object, const char *name)
{
	return bpf_program__fd(
		bpf_object__find_program_by_name(object->obj, name));
}

/* The kernel's own fingerprint of a program's instructions. */
static int program_tag(int fd, uint8_t ret_tag[static BPF_TAG_SIZE])
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
		return -errno;
	memcpy(ret_tag, info.tag, BPF_TAG_SIZE);
	return 0;
}

/* An answer by other programs than those at work would be worth nothing. */
static int check_same(struct datapath *dp, struct gatehouse_bpf *object,
	const struct hook *hook, struct datapath_error *err)
{
	uint8_t ours[BPF_TAG_SIZE], pinned[BPF_TAG_SIZE];
	int ret = program_tag(program_fd(object, hook->program), ours);

	if (!ret)
		ret = program_tag(dp->programs[hook->pinned], pinned);
	if (!ret && memcmp(ours, pinned, sizeof(ours)) != 0) {
		datapath_explain(err, "'%s' is not the one at work",
			hook->program);
		return -EPROTO;
	}
	return ret;
}

static int set_responder(
	struct gatehouse_bpf *object, const struct hook *hook)
{
	uint32_t zero = 0;
	int program;

	if (!hook->responder)
		return 0;
	program = program_fd(object, hook->responder);
	if (bpf_map_update_elem(map_fd(object, hook->slot), &zero, &program,
		    BPF_ANY) < 0)
		return -errno;
	return 0;
}

static int prepare(struct datapath *dp, struct gatehouse_bpf *object,
	const struct hook *hook, struct datapath_error *err)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int ret = 0;

	bpf_object__for_each_program(program, object->obj)
	{
		const char *name = bpf_program__name(program);

		bpf_program__set_autoload(program,
			strcmp(name, hook->program) == 0 ||
				(hook->responder &&
					strcmp(name, hook->responder) == 0));
	}
	bpf_object__for_each_map(map, object->obj)
	{
		if (!ret && !bpf_map__is_internal(map))
			ret = prepare_map(dp, map, err);
	}
	return ret;
}

static int open_hook(struct datapath *dp, struct explain *explain,
	enum explain_hook which, struct datapath_error *err)
{
	const struct hook *hook = &hooks[which];
	struct gatehouse_bpf *object;
	int ret;

	if (explain->objects[which])
		return 0;
	object = gatehouse_bpf__open();
	if (!object)
		return -errno;
	ret = prepare(dp, object, hook, err);
	if (!ret)
		ret = gatehouse_bpf__load(object);
	if (!ret)
		ret = check_same(dp, object, hook, err);
	if (!ret)
		ret = set_responder(object, hook);
	if (ret) {
		gatehouse_bpf__destroy(object);
		return ret;
	}
	explain->objects[which] = object;
	return 0;
}

/* From the map at work to ours; what is not there is not there for us. */
static int copy_element(int from, int to, const void *key)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	_cleanup_free_ void *value = NULL;

	if (bpf_obj_get_info_by_fd(to, &info, &len) < 0)
		return -errno;
	value = xcalloc(1, info.value_size);
	if (bpf_map_lookup_elem(from, key, value) < 0) {
		if (errno != ENOENT)
			return -errno;
		bpf_map_delete_elem(to, key);
		return 0;
	}
	return bpf_map_update_elem(to, key, value, BPF_ANY) < 0 ? -errno : 0;
}

/* That the client's record in our copy names; 0: none. */
static uint32_t group_of(
	struct gatehouse_bpf *object, const struct gh_mac *client)
{
	struct gh_client record;

	if (bpf_map_lookup_elem(map_fd(object, "clients"), client, &record) < 0)
		return 0;
	return record.policy.group;
}

/* Of the packet, as a key; all zero when it has none. */
static struct gh_ip address_in(const struct explain_question *q)
{
	bool is_down = q->hook == EXPLAIN_DOWN;
	const uint8_t *ip = (const uint8_t *)q->frame + ETHER;
	bool is_arp = q->len >= ETHER + 28 && ip[-2] == 0x08 && ip[-1] == 0x06;
	struct gh_ip key = {{0}};

	if (is_arp || (q->len >= ETHER + 20 && ip[0] >> 4 == 4)) {
		memset(key.addr + 10, 0xff, 2);
		memcpy(key.addr + 12, ip + (is_arp ? 14 : is_down ? 16 : 12), 4);
	} else if (q->len >= ETHER + 40 && ip[0] >> 4 == 6) {
		memcpy(key.addr, ip + (is_down ? 24 : 8), 16);
	}
	return key;
}

static int copy_state(struct datapath *dp, struct gatehouse_bpf *object,
	const struct explain_question *q, const struct gh_mac *client,
	uint32_t network)
{
	struct gh_ip address = address_in(q);
	uint32_t group = 0;
	const void *const keys[] = {
		[USE_OF_CLIENT] = client,
		[USE_OF_NETWORK] = &network,
		[USE_OF_GROUP] = &group,
		[USE_OF_ADDRESS] = &address,
	};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(rows); i++) {
		_cleanup_fd_ int from = -1;

		if (rows[i].use < USE_OF_CLIENT)
			continue;
		if (rows[i].use == USE_OF_GROUP)
			group = group_of(object, client);
		from = open_pinned(dp, rows[i].map);
		ret = from < 0 ? from
			       : copy_element(from, map_fd(object, rows[i].map),
					 keys[rows[i].use]);
	}
	return ret;
}

static int clear_reasons(struct gatehouse_bpf *object)
{
	int fd = map_fd(object, "reasons"), cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct gh_count *zero = NULL;
	uint32_t reason;

	if (cpus < 0)
		return cpus;
	zero = xcalloc(cpus, sizeof(*zero));
	for (reason = 0; reason < GH_REASONS; reason++)
		if (bpf_map_update_elem(fd, &reason, zero, BPF_ANY) < 0)
			return -errno;
	return 0;
}

static int read_reason(struct gatehouse_bpf *object, enum gh_reason *ret_reason)
{
	struct datapath view = {0};
	struct gh_count counts[GH_REASONS];
	int ret, i;

	view.maps[MAP_REASONS] = map_fd(object, "reasons");
	ret = reasons_read(&view, counts);
	if (ret)
		return ret;
	for (i = GH_NO_REASON + 1; i < GH_REASONS; i++)
		if (counts[i].packets) {
			*ret_reason = (enum gh_reason)i;
			return 0;
		}
	return -ENODATA;
}

static int run(struct gatehouse_bpf *object,
	const struct explain_question *q, struct explain_verdict *verdict)
{
	struct __sk_buff skb = {.ifindex = (uint32_t)q->ifindex,
		.ingress_ifindex = (uint32_t)q->from_ifindex};
	struct xdp_md xdp = {.data_end = (uint32_t)q->len,
		.ingress_ifindex = (uint32_t)q->ifindex};
	bool is_xdp = q->hook == EXPLAIN_UP_XDP;
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = q->frame,
		.data_size_in = (uint32_t)q->len, .data_out = verdict->answer,
		.data_size_out = sizeof(verdict->answer), .repeat = 1,
		.ctx_in = is_xdp ? (void *)&xdp : (void *)&skb,
		.ctx_size_in = is_xdp ? sizeof(xdp) : sizeof(skb));

	if (bpf_prog_test_run_opts(
		    program_fd(object, hooks[q->hook].program), &opts) < 0)
		return -errno;
	verdict->answer_len = opts.data_size_out;
	return 0;
}

/* What the copy of the record has paid. */
static void read_charge(struct gatehouse_bpf *object, const struct gh_mac *key,
	struct explain_verdict *verdict)
{
	const struct gh_client *before = &verdict->record;
	struct gh_client after;

	if (!verdict->has_record ||
		bpf_map_lookup_elem(map_fd(object, "clients"), key, &after) < 0)
		return;
	verdict->charged = after.up.bytes - before->up.bytes +
			   after.down.bytes - before->down.bytes;
}

/* One question to a loaded hook. */
static int ask(struct datapath *dp, struct gatehouse_bpf *object,
	const struct explain_question *q, uint32_t network,
	struct explain_verdict *verdict)
{
	struct gh_mac key = {0};
	uint32_t group;
	int ret;

	memcpy(key.addr, q->client.addr, sizeof(key.addr));
	ret = copy_state(dp, object, q, &key, network);
	if (!ret)
		ret = clear_reasons(object);
	if (ret)
		return ret;
	verdict->has_record = bpf_map_lookup_elem(map_fd(object, "clients"),
				      &key, &verdict->record) == 0;
	ret = run(object, q, verdict);
	if (!ret)
		ret = read_reason(object, &verdict->reason);
	read_charge(object, &key, verdict);
	/* Nobody's record stays here. */
	group = group_of(object, &key);
	bpf_map_delete_elem(map_fd(object, "groups"), &group);
	bpf_map_delete_elem(map_fd(object, "clients"), &key);
	return ret;
}

int explain_frame(struct datapath *dp, struct explain **explain,
	const struct explain_question *question,
	struct explain_verdict *ret_verdict, struct datapath_error *err)
{
	struct gh_interface interface;
	int ret;

	err->text[0] = '\0';
	memset(ret_verdict, 0, sizeof(*ret_verdict));
	ret = datapath_interface_lookup(dp, question->ifindex, &interface);
	if (ret)
		return ret;
	if (!*explain)
		*explain = xcalloc(1, sizeof(**explain));
	datapath_listen(err);
	ret = open_hook(dp, *explain, question->hook, err);
	datapath_listen(NULL);
	return ret ?: ask(dp, (*explain)->objects[question->hook], question,
			      interface.network, ret_verdict);
}

void explain_free(struct explain *explain)
{
	size_t i;

	if (!explain)
		return;
	for (i = 0; i < ARRAY_SIZE(explain->objects); i++)
		gatehouse_bpf__destroy(explain->objects[i]);
	free(explain);
}

/* The newest address of a MAC that others can answer. */
static bool is_linklocal(const struct ipaddr *addr)
{
	return addr->addr[0] == 0xfe && (addr->addr[1] & 0xc0) == 0x80;
}

struct address_search {
	const struct mac *mac;
	bool is_v6;
	uint64_t seen_ns;
	struct ipaddr found;
};

static int visit_address(void *data, const void *key, const void *value)
{
	struct address_search *search = data;
	const struct gh_sighting *sighting = value;
	struct ipaddr addr;
	uint64_t seen_ns;

	memcpy(addr.addr, key, sizeof(addr.addr));
	memcpy(&seen_ns, &sighting->seen_ns, sizeof(seen_ns));
	if (memcmp(sighting->mac.addr, search->mac->addr, 6) == 0 &&
		ip_is_v4(&addr) != search->is_v6 && !is_linklocal(&addr) &&
		seen_ns > search->seen_ns) {
		search->seen_ns = seen_ns;
		search->found = addr;
	}
	return 0;
}

int explain_address(struct datapath *dp, const struct mac *mac, bool is_v6,
	struct ipaddr *ret_addr)
{
	struct address_search search = {.mac = mac, .is_v6 = is_v6};
	_cleanup_fd_ int fd = open_pinned(dp, "addresses");
	int ret;

	if (fd < 0)
		return fd;
	ret = map_each(fd, sizeof(struct gh_ip), sizeof(struct gh_sighting),
		visit_address, &search);
	if (!ret && !search.seen_ns)
		ret = -ENOENT;
	if (!ret)
		*ret_addr = search.found;
	return ret;
}

int explain_check_maps(void (*fn)(void *data, const char *name), void *data)
{
	struct gatehouse_bpf *object = gatehouse_bpf__open();
	struct bpf_map *map;
	int count = 0;

	if (!object)
		return -errno;
	bpf_object__for_each_map(map, object->obj)
	{
		if (bpf_map__is_internal(map))
			continue;
		count++;
		if (!row_of(bpf_map__name(map)))
			fn(data, bpf_map__name(map));
	}
	gatehouse_bpf__destroy(object);
	return count;
}
