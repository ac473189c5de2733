/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's test run needs around the programs that it measures: empty
 * programs to compare with, and wrappers that set up the frame and tail-call
 * the program under test through `next_xdp` or `next_tc`. A wrapper is part of
 * what is timed, so each row is printed beside the same wrapper in front of an
 * empty program; nothing is subtracted. A tail call wants both of one kind: the
 * gate takes frames in fragments, and so do these.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define FRAME_MAX 256
#define ETH_ALEN 6
#define ACK_AT 42 /* in a TCP frame without options */
#define TC_PASS -1

/* Set by measure_main.c before a run. */
__u32 clients = 1;     /* how many MACs to draw from */
__u32 first_mac = 0;   /* number of the first one */
__u32 frame_len = 0;
unsigned char frame[FRAME_MAX];
__s32 first_ack = -1;  /* in `acks`, of the first client; -1: as in the frame */

/* Where the frame began in its buffer at the first run. */
__u64 frame_start = 0;
__u32 random_state = 1;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} next_xdp SEC(".maps"), next_tc SEC(".maps");

/* What each client must acknowledge to be answered. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << 21);
	__type(key, __u32);
	__type(value, __u32);
} acks SEC(".maps");

SEC("xdp.frags")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("tc")
int empty_tc(struct __sk_buff *ctx)
{
	return TC_PASS;
}

/*
 * The floor: what a gate with one record per client cannot do without on this
 * machine, and nothing else: no parsing, no rule. An array by interface, the
 * clock, the record, two counters that are exact, one that is per CPU.
 */
struct record {
	__u64 expires_ns;
	__u64 filler[7];
	__u64 bytes;
	__u64 packets;
	__u64 rest[14];
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct record);
} floor_records SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} floor_interfaces SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} floor_reasons SEC(".maps");

static __always_inline bool floor_of(void *data, void *end, __u32 ifindex)
{
	__u64 now = bpf_ktime_get_coarse_ns(), mac, *network, *count;
	struct record *record;

	network = bpf_map_lookup_elem(&floor_interfaces, &ifindex);
	if (!network || data + 14 > end)
		return false;
	mac = *(__u64 *)(data + ETH_ALEN) & 0xffffffffffffULL;
	record = bpf_map_lookup_elem(&floor_records, &mac);
	if (!record || now >= record->expires_ns)
		return false;
	if (__sync_fetch_and_add(&record->bytes, end - data) == ~0ULL)
		return false;
	__sync_fetch_and_add(&record->packets, 1);
	count = bpf_map_lookup_elem(&floor_reasons, &ifindex);
	if (count)
		(*count)++;
	return true;
}

SEC("xdp.frags")
int floor_xdp(struct xdp_md *ctx)
{
	return floor_of((void *)(long)ctx->data, (void *)(long)ctx->data_end,
		       ctx->ingress_ifindex) ? XDP_PASS : XDP_DROP;
}

SEC("tc")
int floor_tc(struct __sk_buff *ctx)
{
	return floor_of((void *)(long)ctx->data, (void *)(long)ctx->data_end,
		       ctx->ifindex) ? TC_PASS : 2;
}

/* A MAC of frame.h's series (02:10:nn:nn:nn:nn), drawn at random: a linear
 * congruence is enough and costs a nanosecond. */
static __always_inline __u32 draw(void)
{
	__u32 x = random_state * 1664525 + 1013904223;

	random_state = x;
	return ((__u64)x * clients) >> 32;
}

static __always_inline void put_mac(unsigned char *at, __u32 client)
{
	*(__u16 *)at = bpf_htons(0x0210);
	*(__u32 *)(at + 2) = bpf_htonl(first_mac + client);
}

static __always_inline bool put_ack(unsigned char *data, __u32 client)
{
	__u32 key = first_ack + client;
	__u32 *ack = bpf_map_lookup_elem(&acks, &key);

	if (!ack)
		return false;
	*(__u32 *)(data + ACK_AT) = *ack;
	return true;
}

/* Another client each time. */
SEC("xdp.frags")
int random_xdp(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;

	if (data + 14 > (unsigned char *)(long)ctx->data_end)
		return XDP_ABORTED;
	put_mac(data + ETH_ALEN, draw());
	bpf_tail_call(ctx, &next_xdp, 0);
	return XDP_ABORTED;
}

/* A frame pointer as a number: through memory, where the verifier lets it be. */
static __always_inline __u64 number_of(__u32 pointer)
{
	static volatile __u64 at;

	at = (long)pointer;
	return at;
}

/* The same, and the frame as it was, for programs that turn it into an answer
 * and change its length at either end. */
SEC("xdp.frags")
int restore_xdp(struct xdp_md *ctx)
{
	__u32 len = frame_len, client;
	unsigned char *data;

	__u64 start = number_of(ctx->data);
	__u64 end = number_of(ctx->data_end);

	if (!frame_start)
		frame_start = start;
	bpf_xdp_adjust_head(ctx, (int)(frame_start - start));
	bpf_xdp_adjust_tail(ctx, (int)(frame_start + len - end));
	if (len < 14 || len > FRAME_MAX)
		return XDP_ABORTED;
	if (bpf_xdp_store_bytes(ctx, 0, frame, len))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	if (data + ACK_AT + 4 > (unsigned char *)(long)ctx->data_end)
		return XDP_ABORTED;
	client = draw();
	put_mac(data + ETH_ALEN, client);
	if (first_ack >= 0 && !put_ack(data, client))
		return XDP_ABORTED;
	bpf_tail_call(ctx, &next_xdp, 0);
	return XDP_ABORTED;
}

SEC("tc")
int random_up_tc(struct __sk_buff *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;

	if (data + 14 > (unsigned char *)(long)ctx->data_end)
		return TC_PASS;
	put_mac(data + ETH_ALEN, draw());
	bpf_tail_call(ctx, &next_tc, 0);
	return TC_PASS;
}

SEC("tc")
int random_down_tc(struct __sk_buff *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;

	if (data + 14 > (unsigned char *)(long)ctx->data_end)
		return TC_PASS;
	put_mac(data, draw());
	bpf_tail_call(ctx, &next_tc, 0);
	return TC_PASS;
}

char _license[] SEC("license") = "GPL";
