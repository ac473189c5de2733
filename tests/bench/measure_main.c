/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure [-r ROUNDS] [ROW...]: ns per run of the gate's programs.
 *
 * Method: the kernel's test run over one frame, as many times as take about
 * SLICE_NS; CPU time of this thread / runs, and the best of SLICES, so that
 * other load on the machine counts little. What the test run itself and a
 * wrapper (measure.bpf.c) cost is in the figure, and also in the baseline's:
 * the same test run and wrapper with a program that only passes. Rows and
 * baselines take turns, ROUNDS times.
 * Prints "row NAME VALUE" and "baseline NAME VALUE" lines.
 *
 * A row without suffix has one client, always the same; .10k and .1m have so
 * many records and draw a client at random for each run; .1m.same has them and
 * draws nothing. A GET is of a connection that its client opened before, or it
 * would be a reset that is measured. bpf.floor.* is the map work alone, without
 * parsing or rules, as a second thing to compare with. Maps and pins are gone
 * afterwards.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fnmatch.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "datapath/datapath.h"
#include "datapath/garden.h"
#include "datapath/groups.h"
#include "datapath/handle.h"
#include "frame.h"
#include "measure.skel.h"

#define PIN_DIR "/sys/fs/bpf/gatehouse-bench-%d-%s"
#define SLICE_NS 10000000.0
#define SLICES 5
#define WARM_UP 2000
#define BATCH 4096
#define NETWORK 1
#define LOOPBACK 1   /* where a test run's frame comes from by default */
#define STRANGERS 0x40000000 /* guests from here on have no record */
#define RATED     0x20000000 /* this one has a rate, which it never reaches */
#define GROUPED   0x10000000 /* and this one a group, with one of that kind */
#define GROUP     1
#define GARDEN    "203.0.113.0"
#define GARDEN_KBPS 10000000
#define REDIRECT_MIN 100 /* bytes; a reset has 54 */
#define PASS_XDP 2
#define TX_XDP 3
#define PASS_TC 0xffffffff

/* A gate with so many records. */
struct gate {
	const char *suffix;
	uint32_t records;
	uint32_t first_ack; /* in `acks` */
	struct datapath *dp;
};

enum { GATE_1, GATE_10K, GATE_1M, GATES };
static struct gate gates[GATES] = {
	[GATE_1] = {"", 1, 0, NULL},
	[GATE_10K] = {".10k", 10000, 1, NULL},
	[GATE_1M] = {".1m", 1000000, 10001, NULL},
};

enum direction { UP, DOWN };

enum content {
	CONTENT_EMPTY,
	CONTENT_FLOOR,
	CONTENT_HOT,
	CONTENT_RATE,
	CONTENT_GROUP,
	CONTENT_SOURCE, /* a network that checks whose addresses are used */
	CONTENT_GARDEN, /* from here on the client has no record */
	CONTENT_CAPTIVE,
	CONTENT_SYN, /* from here on the program answers */
	CONTENT_GET,
};

/* A row without its suffix. */
struct row {
	const char *name;
	enum content content;
	enum datapath_program program; /* PROGRAMS: the empty one */
	enum direction direction;
	uint32_t verdict; /* which the program must give */
};

static const struct row rows[] = {
	{"bpf.empty.xdp", CONTENT_EMPTY, PROGRAMS, UP, PASS_XDP},
	{"bpf.empty.tc", CONTENT_EMPTY, PROGRAMS, DOWN, PASS_TC},
	{"bpf.floor.xdp", CONTENT_FLOOR, PROGRAMS, UP, PASS_XDP},
	{"bpf.floor.tc", CONTENT_FLOOR, PROGRAMS, UP, PASS_TC},
	{"bpf.up.hot.xdp", CONTENT_HOT, PROGRAM_UPLOAD_XDP, UP, PASS_XDP},
	{"bpf.up.hot.tc", CONTENT_HOT, PROGRAM_UPLOAD_TC, UP, PASS_TC},
	{"bpf.down.hot.tc", CONTENT_HOT, PROGRAM_DOWNLOAD_TC, DOWN, PASS_TC},
	{"bpf.up.rate.tc", CONTENT_RATE, PROGRAM_UPLOAD_TC, UP, PASS_TC},
	{"bpf.down.rate.tc", CONTENT_RATE, PROGRAM_DOWNLOAD_TC, DOWN, PASS_TC},
	{"bpf.up.group.tc", CONTENT_GROUP, PROGRAM_UPLOAD_TC, UP, PASS_TC},
	{"bpf.down.group.tc", CONTENT_GROUP, PROGRAM_DOWNLOAD_TC, DOWN, PASS_TC},
	{"bpf.up.source.tc", CONTENT_SOURCE, PROGRAM_UPLOAD_TC, UP, PASS_TC},
	{"bpf.up.garden.tc", CONTENT_GARDEN, PROGRAM_UPLOAD_TC, UP, PASS_TC},
	{"bpf.down.garden.tc", CONTENT_GARDEN, PROGRAM_DOWNLOAD_TC, DOWN, PASS_TC},
	{"bpf.captive_drop.xdp", CONTENT_CAPTIVE, PROGRAM_UPLOAD_XDP, UP, 0},
	{"bpf.redirect_syn.xdp", CONTENT_SYN, PROGRAM_UPLOAD_XDP, UP, TX_XDP},
	{"bpf.redirect_get.xdp", CONTENT_GET, PROGRAM_UPLOAD_XDP, UP, TX_XDP},
};

static struct measure *programs;

static bool is_tc(const struct row *row)
{
	return row->verdict == PASS_TC;
}

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* A record with an end and a quota that stay far away: every check is made. */
static struct gh_client record_of(uint32_t n)
{
	return (struct gh_client){.policy = {
		.state = GH_STATE_RUNNING,
		.expires_ns = GH_NEVER - 1,
		.quota_bytes = GH_QUOTA_BYTES,
		.up_price = n == RATED,
		.down_price = n == RATED,
		.networks = ~0ULL,
		.record_id = n + 1,
		.session = n + 1,
		.group = n == GROUPED ? GROUP : 0,
	}};
}

/* One record outside the row of them. */
static void put_client(struct gate *gate, uint32_t n)
{
	struct gh_client record = record_of(n);
	struct gh_mac key = {0};

	guest_mac(n, key.addr);
	if (bpf_map_update_elem(
		    gate->dp->maps[MAP_CLIENTS], &key, &record, BPF_ANY))
		die("record: %s", strerror(errno));
}

static void put_group(struct datapath *dp)
{
	struct gh_policy policy = record_of(RATED).policy;
	int err = group_put(dp, GROUP, &policy);

	if (err)
		die("group: %s", strerror(-err));
}

static void fill_clients(struct gate *gate)
{
	struct gh_mac *keys = calloc(BATCH, sizeof(*keys));
	struct gh_client *values = calloc(BATCH, sizeof(*values));
	uint32_t n, i, done;

	if (!keys || !values)
		die("no memory for records");
	for (done = 0; done < gate->records; done += n) {
		n = MIN(gate->records - done, BATCH);
		for (i = 0; i < n; i++) {
			guest_mac(done + i, keys[i].addr);
			values[i] = record_of(done + i);
		}
		if (bpf_map_update_batch(gate->dp->maps[MAP_CLIENTS], keys,
			    values, &n, NULL))
			die("records: %s", strerror(errno));
	}
	put_client(gate, RATED);
	put_client(gate, GROUPED);
	free(keys);
	free(values);
}

static void plant_garden(struct datapath *dp)
{
	struct garden_entry entry = {.network = NETWORK};
	struct garden garden = {.entries = &entry, .entry_count = 1};
	int err = prefix_parse(GARDEN "/24", &entry.prefix);

	if (err)
		die("garden: %s", strerror(-err));
	garden.networks[NETWORK].kbps = GARDEN_KBPS;
	garden.networks[NETWORK].network_kbps = GARDEN_KBPS;
	err = garden_set(dp, &garden);
	if (err)
		die("garden: %s", strerror(-err));
}

/* The one client of the floor's own table. */
static void fill_floor(void)
{
	struct {
		uint64_t expires_ns;
		uint64_t rest[23];
	} record = {.expires_ns = GH_NEVER};
	struct gh_mac key = {0};

	guest_mac(0, key.addr);
	if (bpf_map_update_elem(bpf_map__fd(programs->maps.floor_records), &key,
		    &record, BPF_ANY))
		die("floor: %s", strerror(errno));
}

static void describe_network(struct datapath *dp, enum gh_network_flag flags)
{
	static const char location[] = "http://10.78.0.1/?url=";
	struct gh_network network = {
		.flags = GH_NETWORK_ACTIVE | flags,
		.n4 = 2,
		.portal_ports = {htons(80)},
		.portal4 = inet_addr("10.78.0.1"),
		.captive_price = datapath_price(8),
		.network_price = datapath_price(1024),
		.box_price = datapath_price(64),
		.location4_len = sizeof(location) - 1,
	};
	struct gh_interface interface = {.network = NETWORK};
	int err;

	network.prefix4[0] = (struct gh_prefix4){
		.net = network.portal4,
		.mask = ~0U,
		.place = GH_PLACE_BOX,
	};
	network.prefix4[1] = (struct gh_prefix4){
		.net = inet_addr("10.78.0.0"),
		.mask = inet_addr("255.254.0.0"),
		.place = GH_PLACE_LINK,
	};
	memcpy(network.location4, location, sizeof(location) - 1);
	err = datapath_network_set(dp, NETWORK, &network);
	if (!err)
		err = datapath_interface_set(dp, LOOPBACK, &interface);
	if (err)
		die("network: %s", strerror(-err));
}

static void gate_open(struct gate *gate)
{
	struct datapath_options options = {.clients_max = 65536};
	struct datapath_error error = {""};
	char pin_dir[128];
	int err;

	snprintf(pin_dir, sizeof(pin_dir), PIN_DIR, getpid(),
		*gate->suffix ? gate->suffix + 1 : "1");
	options.pin_dir = pin_dir;
	if (gate->records > options.clients_max)
		options.clients_max = 1 << 20;
	err = datapath_open(&options, &error, &gate->dp);
	if (err)
		die("%s: %s (%s)", pin_dir, error.text, strerror(-err));
	describe_network(gate->dp, 0);
	put_group(gate->dp);
	plant_garden(gate->dp);
	fill_clients(gate);
}

static void gate_close(struct gate *gate)
{
	struct datapath_error error;
	char pin_dir[sizeof(gate->dp->pin_dir)];

	if (!gate->dp)
		return;
	memcpy(pin_dir, gate->dp->pin_dir, sizeof(pin_dir));
	datapath_close(gate->dp);
	gate->dp = NULL;
	datapath_unload(pin_dir, &error);
}

/* At exit, also after die(): nothing stays in the kernel. */
static void close_all(void)
{
	for (size_t g = 0; g < GATES; g++)
		gate_close(&gates[g]);
	measure__destroy(programs);
}

/* The frame of a row, from guest `n` or to it. */
static size_t build_frame(const struct row *row, uint32_t n, uint8_t *frame)
{
	static const char get[] = "GET /generate_204 HTTP/1.1\r\n"
		"Host: connectivitycheck.gstatic.com\r\n"
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
		"Accept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\n";
	struct ends ends = {
		.dst_mac = {2, 0, 0, 0, 0, 1},
		.src = htonl(0x0a4e1000),
		.dst = inet_addr(row->content == CONTENT_GARDEN ? GARDEN
								: "198.51.100.7"),
		.src_port = 40000,
		.dst_port = row->content >= CONTENT_SYN ? 80 : 443,
	};
	struct tcp_fields syn = {1000, 0, TH_SYN};
	struct tcp_fields data = {1001, 2000, TH_PUSH | TH_ACK};
	char payload[18] = "";

	guest_mac(n, ends.src_mac);
	if (row->direction == DOWN) {
		struct ends back = ends;

		memcpy(back.dst_mac, ends.src_mac, 6);
		memcpy(back.src_mac, ends.dst_mac, 6);
		back.src = ends.dst;
		back.dst = ends.src;
		ends = back;
	}
	if (row->content == CONTENT_SYN)
		return frame_tcp(frame, &ends, &syn, NULL, 0);
	if (row->content == CONTENT_GET)
		return frame_tcp(frame, &ends, &data, get, sizeof(get) - 1);
	return frame_udp(frame, &ends, payload, sizeof(payload));
}

/* What became of the last frame. */
struct end {
	uint32_t verdict;
	uint32_t len;
};

/* Runs `prog` over `frame` `repeat` times; ns of CPU. */
static double run(int prog, bool tc, uint8_t *frame, size_t len, int repeat,
	struct end *ret_end)
{
	static uint8_t out[FRAME_MAX];
	/* Forwarded, not made by the box: it came in by another interface. */
	struct __sk_buff skb = {.ingress_ifindex = 2, .ifindex = LOOPBACK};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
		.data_size_in = len, .data_out = out,
		.data_size_out = sizeof(out), .repeat = repeat,
		.ctx_in = tc ? &skb : NULL, .ctx_size_in = tc ? sizeof(skb) : 0);
	double start = thread_ns();
	int err = bpf_prog_test_run_opts(prog, &opts);

	if (err)
		die("test run: %s", strerror(-err));
	*ret_end = (struct end){opts.retval, opts.data_size_out};
	return thread_ns() - start;
}

/* Which program begins: the program itself, or a wrapper in front of it. */
static int entry(const struct row *row, int prog, bool random)
{
	struct bpf_program *wrapper = NULL;
	struct bpf_map *next = is_tc(row) ? programs->maps.next_tc
					  : programs->maps.next_xdp;
	uint32_t zero = 0;

	if (row->content >= CONTENT_SYN)
		wrapper = programs->progs.restore_xdp;
	else if (random)
		wrapper = !is_tc(row) ? programs->progs.random_xdp :
			row->direction == UP ? programs->progs.random_up_tc
					     : programs->progs.random_down_tc;
	if (!wrapper)
		return prog;
	if (bpf_map_update_elem(bpf_map__fd(next), &zero, &prog, BPF_ANY))
		die("tail call: %s", strerror(errno));
	return bpf_program__fd(wrapper);
}

static void check_end(const struct row *row, struct end end)
{
	if (row->verdict && end.verdict != row->verdict)
		die("%s gave verdict %d, not %d", row->name, (int)end.verdict,
			(int)row->verdict);
	if (!row->verdict && end.verdict == PASS_XDP)
		die("%s let a captive frame pass", row->name);
	if (row->content == CONTENT_GET && end.len < REDIRECT_MIN)
		die("%s was answered in %u bytes", row->name, end.len);
}

/* Who sends it, or the first of them. */
static uint32_t first_guest(const struct row *row)
{
	return row->content >= CONTENT_GARDEN ? STRANGERS
	       : row->content == CONTENT_RATE  ? RATED
	       : row->content == CONTENT_GROUP ? GROUPED
					       : 0;
}

/* ns per run of `prog` as this row wants it measured. */
static double measure(const struct row *row, const struct gate *gate, int prog,
	bool random, bool check)
{
	uint32_t base = first_guest(row);
	uint8_t frame[FRAME_MAX];
	size_t len = build_frame(row, base, frame);
	struct end end;
	int first, repeat, i;
	double ns, slice;

	programs->data->clients = random ? gate->records : 1;
	programs->bss->first_mac = base;
	programs->data->first_ack =
		row->content == CONTENT_GET ? (int)gate->first_ack : -1;
	programs->bss->frame_len = len;
	programs->bss->frame_start = 0;
	memcpy(programs->bss->frame, frame, len);
	first = entry(row, prog, random);
	ns = run(first, is_tc(row), frame, len, WARM_UP, &end) / WARM_UP;
	repeat = SLICE_NS / MAX(ns, 5);
	for (i = 0; i < SLICES; i++) {
		programs->bss->frame_start = 0;
		slice = run(first, is_tc(row), frame, len, repeat, &end) / repeat;
		ns = i ? MIN(ns, slice) : slice;
	}
	if (check)
		check_end(row, end);
	return ns;
}

static void measure_row(const struct row *row, const struct gate *gate,
	bool random, const char *suffix)
{
	int empty = bpf_program__fd(is_tc(row) ? programs->progs.empty_tc
					       : programs->progs.empty_xdp);
	int prog = row->program != PROGRAMS ? gate->dp->programs[row->program] :
		row->content != CONTENT_FLOOR ? empty :
		bpf_program__fd(is_tc(row) ? programs->progs.floor_tc
					   : programs->progs.floor_xdp);

	printf("baseline %s%s %.2f\n", row->name, suffix,
		measure(row, gate, empty, random, false));
	if (row->content == CONTENT_SOURCE)
		describe_network(gate->dp, GH_NETWORK_CHECK_SOURCE);
	printf("row %s%s %.2f\n", row->name, suffix,
		measure(row, gate, prog, random, true));
	if (row->content == CONTENT_SOURCE)
		describe_network(gate->dp, 0);
}

/* A SYN of each client: its answer has the number that data must acknowledge. */
static void open_connections(const struct gate *gate)
{
	static const struct row syn = {.content = CONTENT_SYN};
	int prog = gate->dp->programs[PROGRAM_UPLOAD_XDP];
	uint8_t frame[FRAME_MAX], answer[FRAME_MAX];
	size_t len = build_frame(&syn, STRANGERS, frame);
	struct tcphdr tcp;
	uint32_t n, at, ack;

	for (n = 0; n < gate->records; n++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
			.data_size_in = len, .repeat = 1, .data_out = answer,
			.data_size_out = sizeof(answer));

		guest_mac(STRANGERS + n, frame + 6);
		if (bpf_prog_test_run_opts(prog, &opts) || opts.retval != TX_XDP)
			die("a SYN is not answered");
		memcpy(&tcp, answer + 34, sizeof(tcp));
		at = gate->first_ack + n;
		ack = htonl(ntohl(tcp.seq) + 1);
		if (bpf_map_update_elem(bpf_map__fd(programs->maps.acks), &at,
			    &ack, BPF_ANY))
			die("acks: %s", strerror(errno));
	}
}

static bool is_wanted(const char *name, const char *suffix, char **patterns)
{
	char full[64];

	snprintf(full, sizeof(full), "%s%s", name, suffix);
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, full, 0))
			return true;
	return false;
}

/* Of these there is one client. */
static bool has_row(const struct row *row, size_t g)
{
	return g == GATE_1 || row->content <= CONTENT_EMPTY ||
	       row->content == CONTENT_HOT || row->content > CONTENT_GARDEN;
}

/* Whether a row needs this gate: a million records take a second to fill in. */
static bool gate_is_wanted(size_t g, char **patterns)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (has_row(&rows[i], g) &&
			is_wanted(rows[i].name, gates[g].suffix, patterns))
			return true;
		if (g == GATE_1M && rows[i].content == CONTENT_HOT &&
			is_wanted(rows[i].name, ".1m.same", patterns))
			return true;
	}
	return false;
}

/* Every row once: one client, then 10k and 1m at random, then 1m and one. */
static void round_of(char **patterns)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		for (size_t g = 0; g < GATES; g++)
			if (has_row(row, g) &&
				is_wanted(row->name, gates[g].suffix, patterns))
				measure_row(row, &gates[g], g != GATE_1,
					gates[g].suffix);
		if (row->content == CONTENT_HOT &&
			is_wanted(row->name, ".1m.same", patterns))
			measure_row(row, &gates[GATE_1M], false, ".1m.same");
	}
}

int main(int argc, char **argv)
{
	char *all[] = {"*", NULL};
	char **patterns = all;
	int rounds = 7, opt;

	while ((opt = getopt(argc, argv, "r:")) == 'r')
		rounds = strtol(optarg, NULL, 10);
	if (opt != -1 || rounds < 1)
		die("usage: measure [-r ROUNDS] [PATTERN...]");
	if (optind < argc)
		patterns = argv + optind;
	atexit(close_all);
	programs = measure__open_and_load();
	if (!programs)
		die("cannot load the wrappers: %s", strerror(errno));
	fill_floor();
	for (size_t g = 0; g < GATES; g++) {
		if (!gate_is_wanted(g, patterns))
			continue;
		gate_open(&gates[g]);
		if (is_wanted("bpf.redirect_get.xdp", gates[g].suffix, patterns))
			open_connections(&gates[g]);
	}
	while (rounds--)
		round_of(patterns);
	return 0;
}
