/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between the BPF programs and user space: keys and values of
 * every pinned map, verdict reasons, and the arguments of the edit program.
 *
 * Anything here is a layout that outlives a process: maps stay pinned over
 * restarts and upgrades. Change a struct, and GH_LAYOUT must go up.
 *
 * Times are CLOCK_MONOTONIC nanoseconds. Addresses and ports are in network
 * byte order. Enums are 4 bytes so that `bpftool map dump` prints names.
 */
#ifndef GATEHOUSE_ABI_H
#define GATEHOUSE_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* `make TOMORROW=1` builds a layout of tomorrow, so that tests can carry over
 * records to it. */
#ifdef GH_TOMORROW
#define GH_TOMORROW_FIELDS __u64 tomorrow[8];
#define GH_TOMORROW_BYTES  64
#define GH_LAYOUT	   1000
#else
#define GH_TOMORROW_FIELDS
#define GH_TOMORROW_BYTES 0
#define GH_LAYOUT	  5
#endif

#define GH_NEVER     (~0ULL) /* expires_ns: no end */
#define GH_UNLIMITED (~0ULL) /* quota_bytes: no limit */
/* Of quota_bytes: it is about one direction. About neither: GH_UNLIMITED. */
#define GH_QUOTA_UP    (1ULL << 63)
#define GH_QUOTA_DOWN  (1ULL << 62)
#define GH_QUOTA_BYTES (GH_QUOTA_DOWN - 1)

#define GH_NETWORKS_MAX 64    /* networks of one box; policy.networks is a mask */
#define GH_IFINDEX_MAX  65536 /* entries of the `interfaces` map */
#define GH_PREFIXES_MAX 64    /* address rules per network and family */
#define GH_LOCATION_MAX 96    /* longest portal URL in the redirect, bytes */

/* skb->mark of an answer made by the gate itself on TC ("gh" + layout). */
#define GH_MARK_ANSWER 0x67680001
/* Device group of interfaces whose hooks are attached ("gh"). */
#define GH_DEVICE_GROUP 0x6768

/* Key of `clients` and `captive`: the MAC padded to a whole word. */
struct gh_mac {
	__u8 addr[6];
	__u8 zero[2];
};

enum gh_state {
	GH_STATE_CLOSED = 0, /* no access; also what a torn read falls back to */
	GH_STATE_RUNNING,
	GH_STATE_PAUSED,
	GH_STATE_HELD,
	GH_STATE_BLOCKED, /* not even captive: every frame is dropped */
	GH_STATE_EXEMPT,  /* passes without session, counted, no limits */
};

/*
 * Written by user space only, through the edit program. `seq` is odd while an
 * edit is under way; readers retry (docs/design.md 4.3).
 */
struct gh_policy {
	__u32 seq;
	enum gh_state state;
	/* GH_NEVER: no end. Paused or held: how long it may run yet. */
	__u64 expires_ns;
	/* up.bytes + down.bytes may reach it, not exceed it; or one of them */
	__u64 quota_bytes;
	/* GCRA prices, ns << 15 per byte (bpf/ratelimit.h); 0: no limit */
	__u32 up_price;
	__u32 down_price;
	/* With either, bytes over the quota have these prices, not an end. */
	__u32 slow_up_price;
	__u32 slow_down_price;
	__u64 networks;  /* bit n: may run on network n */
	__u64 record_id; /* the store's name for this record, never reused */
	__u32 session;   /* session number, 0: none (blocked, exempt) */
	__u32 group;     /* key into `groups`, 0: none */
};

/* Written by the kernel only; counters are never reset while a record lives. */
struct gh_half {
	GH_TOMORROW_FIELDS
	__u64 bytes;     /* IP bytes charged (docs/design.md 4.6) */
	__u64 packets;   /* wire packets: a GSO super-packet counts its segments */
	__u64 seen_ns;   /* coarse clock at the last frame of this direction */
	__u64 meter;     /* theoretical arrival time, 1/16 ns */
	__u64 box_meter; /* the same for DNS, ICMP and SYNs of the box (G8) */
	__u32 exhausted; /* sticky: a packet went over the quota */
	__u32 network;   /* up only: network of the last frame */
};

/* All but the policy is the kernel's; a cache line for each direction. */
struct gh_client {
	struct gh_policy policy;
	struct gh_half up;
	/* IPv4, IPv6: the last source found to be its own (bpf/guard.h) */
	__u64 checked[2];
	struct gh_half down;
	/* of upload too, but seldom written */
	__u64 link_meter; /* as box_meter, for ARP, ND, MLD and DHCP */
	__u64 told_ns;    /* last event about a frame of this client */
};

/*
 * `groups`: key is policy.group of the clients that share it, value a struct
 * gh_client. Of its policy the quota and the prices count, for all members
 * together and on top of what each has of its own; of its halves the counters,
 * `meter` and `exhausted`.
 */
#define GH_GROUPS_MAX 8192

/* Limits of clients that do not run (docs/design.md G8), each of its own. */
enum gh_meter_kind {
	GH_METER_NONE = 0,
	GH_METER_DNS,
	GH_METER_ECHO,   /* ICMP with the box */
	GH_METER_LINK,   /* ARP, ND, MLD, DHCP */
	GH_METER_SYN,    /* connections to the portal */
	GH_METER_ANSWER, /* ICMP made by the gate */
	GH_METER_REPLY,  /* DNS and ICMP of the box, towards the client */
	GH_METER_FRESH,  /* of a network: MACs that were not seen before */
	GH_METERS = 8,   /* a power of 2, with room */
};

/* `captive`: clients without a record. LRU, so never authoritative. */
struct gh_captive {
	__u64 first_ns;
	__u64 seen_ns;
	__u64 packets;
	/* theoretical arrival times, 1/16 ns; what they are for: policy.h */
	__u64 meters[GH_METERS];
	__u64 told_ns; /* last event about a frame of this client */
	__u32 network;
	__u32 admitted; /* its first service of the box was within the limit */
};

/* `addresses`: key is 16 bytes, IPv4 in mapped form. For display only. */
struct gh_ip {
	__u8 addr[16];
};
/*
 * `bindings`: the same key, but a link-local address has its network's number
 * in the last of its first eight bytes; whose address it is, for the source
 * check. Bounded by the DHCP pool and by GH_GUARD_ADDRESSES of each running
 * client.
 */
struct gh_binding {
	struct gh_mac mac;
	__u64 seen_ns;  /* used by its owner, to a second */
	__u64 lease_ns; /* the box's DHCP gave it until then; 0: never */
	__u64 told_ns;  /* last event about somebody else who used it */
	__u32 network;
	__u32 reserved;
};
/* `guards`: by MAC, for running clients: which of `bindings` they made. */
#define GH_GUARD_ADDRESSES 16 /* a power of 2 */
struct gh_guard {
	struct gh_ip addresses[GH_GUARD_ADDRESSES]; /* all zero: free */
	__u32 next;				    /* place to be used next */
	__u32 reserved;
};
/*
 * `twins`: LRU by MAC, of running clients that opened connections or changed
 * the network of late: are they one device? (bpf/twin.h)
 */
struct gh_guise {
	__u64 seen_ns; /* 0: none */
	/* of its SYNs, 0: not known, or does not matter */
	__u16 mss;
	__u16 options; /* kinds in their order, 4 bits each */
	__u8 ttl;      /* when sent: 64, 128, 255 */
	__u8 scale;    /* of the window, + 1 */
	__u8 network;
	__u8 reserved;
};
struct gh_turns {
	struct gh_guise last;  /* what it is heard as now */
	struct gh_guise other; /* and was before */
	struct gh_guise first; /* which of them was the first */
	__u64 begun_ns;	       /* first return of those that are counted */
	__u64 back_ns;	       /* last one */
	__u32 returns;
	__u32 reserved;
};
struct gh_twin {
	struct gh_turns networks;
	struct gh_turns systems[2]; /* IPv4, IPv6: hop limits differ by it */
	__u64 told_ns;
};
struct gh_sighting {
	struct gh_mac mac;
	__u64 seen_ns;
	__u32 network;
	__u32 reserved;
};

/* What an address rule of a network says about a destination. First match. */
enum gh_place {
	GH_PLACE_OUTSIDE = 0, /* the internet: charged */
	GH_PLACE_BOX,    /* this network's own addresses of the box */
	GH_PLACE_INSIDE, /* the box's other networks and addresses: refused */
	GH_PLACE_REACH,  /* inside, but listed by the operator: charged */
	GH_PLACE_LINK,   /* this network's own prefixes, guests */
};

struct gh_prefix4 {
	__be32 net;
	__be32 mask;
	__be16 port; /* 0: any */
	__u8 proto;  /* 0: any */
	__u8 reserved;
	enum gh_place place;
};
struct gh_prefix6 {
	__be64 net[2];
	__be64 mask[2];
	__be16 port;
	__u8 proto;
	__u8 reserved;
	enum gh_place place;
};

enum gh_interface_flag {
	/*
	 * The master of gated ports. Its hooks repeat the verdict without
	 * charging, so that a port that appears is closed before its own hooks
	 * are attached.
	 */
	GH_INTERFACE_MASTER = 1 << 0,
	/* User space's own note: it isolated this port of a bridge. */
	GH_INTERFACE_ISOLATED = 1 << 1,
	/* Another one: no longer configured, and so closed (network 0). */
	GH_INTERFACE_RETIRED = 1 << 2,
	/* A bridge's port whose guests may meet: what one of them sends to a
	 * group goes to the others, and not to the box. */
	GH_INTERFACE_MEET = 1 << 3,
	/*
	 * Somebody keeps packets until their departure time: fq on this
	 * interface, for downloads; on the way to the internet, for uploads.
	 */
	GH_INTERFACE_PACED_DOWN = 1 << 8,
	GH_INTERFACE_PACED_UP = 1 << 9,
};

/* `interfaces`: array by ifindex: which network a frame came from or goes to. */
struct gh_interface {
	__u32 network; /* 0: not ours */
	enum gh_interface_flag flags;
	__u8 mac[6]; /* the box's own address there */
	/* That fq keeps waiting of one flow; the least of both ways. */
	__u16 paced_packets;
};

enum gh_network_flag {
	GH_NETWORK_ACTIVE = 1 << 0,
	GH_NETWORK_MEET = 1 << 1, /* guests who run may reach each other */
	/* Source addresses are compared with `bindings`, and events told. */
	GH_NETWORK_CHECK_SOURCE = 1 << 2,
	/* What does not agree is dropped as well. */
	GH_NETWORK_DROP_SPOOFED = 1 << 3,
	/* Of two devices with one MAC the second one gets nothing. */
	GH_NETWORK_DROP_TWINS = 1 << 4,
};

/* `networks`: array by network number; number 0 is "not a network". */
struct gh_network {
	enum gh_network_flag flags;
	__u32 n4;    /* used entries of prefix4 */
	__u32 n6;
	__be16 portal_ports[2]; /* HTTP, HTTPS; 0: none */
	__be32 portal4;         /* 0: none */
	__u8 portal6[16];       /* all zero: none */
	/* who answers what captive clients ask of others; zero: nobody */
	__be32 resolver4;
	__u8 resolver6[16];
	/* GCRA prices, ns << 15 per byte; see bpf/ratelimit.h */
	__u64 captive_price; /* per captive client, each of its meters */
	__u64 network_price; /* all captive clients of the network together */
	__u64 box_price;     /* running client: DNS and ICMP of the box */
	/* redirect target, "http://10.0.0.1/?url=": the URL asked is appended */
	__u32 location4_len;
	__u32 location6_len;
	char location4[GH_LOCATION_MAX];
	char location6[GH_LOCATION_MAX];
	struct gh_prefix4 prefix4[GH_PREFIXES_MAX];
	struct gh_prefix6 prefix6[GH_PREFIXES_MAX];
};

/*
 * `steered`: LRU; what captive clients asked of DNS servers elsewhere and our
 * resolver was sent instead: its answer is to come from the server asked.
 */
struct gh_steer_key {
	struct gh_mac mac;
	struct gh_ip client;
	__be16 port; /* the client's */
	__be16 id;   /* of the query */
	__u32 network;
};
struct gh_steered {
	struct gh_ip server; /* the one asked */
	__u64 asked_ns;
};

/* `network_meters`: array by network number, written by the kernel. */
struct gh_network_meter {
	__u64 meters[GH_METERS];
};

/* `alarms`: the same; for events about nobody's record. */
struct gh_alarm {
	__u64 told_ns;
};

/*
 * The garden: what clients without access may reach all the same. `gardens` is
 * an array by network number, `garden_prefixes` an LPM trie; the others are written
 * by the kernel.
 */
enum gh_garden_flag {
	GH_GARDEN_PREFIXES = 1 << 0, /* the trie has some of this network */
	GH_GARDEN_NAMES = 1 << 1,    /* and so has that of names */
};
struct gh_garden {
	__u32 flags; /* enum gh_garden_flag; 0: no garden */
	__u32 reserved;
	/* GCRA prices, ns << 15 per byte, up and down together */
	__u64 price;         /* one client */
	__u64 network_price; /* all of the network */
};
/* `garden_counts`: per-CPU array by network number: what passed. */
struct gh_garden_count {
	__u64 up_packets, up_bytes;
	__u64 down_packets, down_bytes;
};
/* `garden_meters`: array by network number. */
struct gh_garden_meter {
	__u64 meter; /* theoretical arrival time, 1/16 ns */
};
/* `garden_clients`: LRU by MAC, so a hint of who uses it. */
struct gh_garden_client {
	__u64 meter;
	__u64 seen_ns;
	struct gh_garden_count count;
};
#define GH_GARDEN_PREFIXES_MAX 2048 /* of all networks together */
struct gh_garden_prefix {
	__u32 bits; /* that count: those of the network's number, and of addr */
	__u32 network;
	struct gh_ip addr;
};

/*
 * Names in the garden. `garden_names` is an LPM trie, so that one look-up finds
 * the entry that says most of a name. A name is written from its end, in lower
 * case: example.org is "gro.elpmaxe" and the zero behind it, *.example.org is
 * "gro.elpmaxe." without one.
 */
#define GH_GARDEN_NAMES_MAX 2048 /* of all networks together */
#define GH_GARDEN_NAME_MAX  124
struct gh_garden_name {
	__u32 bits; /* that count: those of the network's number, and of name */
	__u32 network;
	char name[GH_GARDEN_NAME_MAX];
};
struct gh_garden_topic {
	__u32 name;   /* number of this entry, never 0 */
	__u32 keep_s; /* what it teaches stays so many seconds at least */
};
/* `garden_learned`: LRU, written by the kernel: addresses of such names. */
struct gh_garden_address {
	__u32 network;
	struct gh_ip addr;
};
struct gh_garden_learned {
	__u64 until_ns;
	__u32 name; /* number of the entry that it is known by */
	__u32 reserved;
};

/*
 * `reasons`: per-CPU array by enum gh_reason. Names are the operator's words:
 * `gatehousectl` prints them without the GH_ prefix, lower case. The number
 * says the kind: below GH_ANSWERS passed, below GH_DROPS answered by the gate,
 * from there on dropped. New ones go to the end of their kind.
 */
#define GH_ANSWERS     32
#define GH_DROPS       48
#define GH_REASONS_MAX 128 /* size of the map, so that it outlives upgrades */
enum gh_reason {
	GH_NO_REASON = 0,
	/* passed */
	GH_PASS_CHARGED,   /* running client, counted against its session */
	GH_PASS_EXEMPT,    /* exempt client, counted */
	GH_PASS_DHCP,
	GH_PASS_DNS,
	GH_PASS_PORTAL,
	GH_PASS_ECHO,      /* ICMP echo with the box */
	GH_PASS_ARP,
	GH_PASS_ND,
	GH_PASS_MLD,
	GH_PASS_GARDEN,
	GH_PASS_BOX_MADE,  /* download: made by the box itself */
	GH_PASS_MULTICAST, /* to a group; upload only where guests may meet */
	GH_PASS_NEIGHBOUR, /* from guest to guest, where they may meet */
	GH_PASS_STEERED,   /* DNS for another server, sent to our resolver */
	/* answered by the gate */
	GH_ANSWER_SYN = GH_ANSWERS,
	GH_ANSWER_REDIRECT,
	GH_ANSWER_FIN,
	GH_ANSWER_RESET,
	GH_ANSWER_PROHIBITED,
	/* dropped */
	GH_DROP_SOURCE = GH_DROPS, /* source MAC is a group, zero or the box's own */
	GH_DROP_NETWORK,   /* interface belongs to no active network */
	GH_DROP_MALFORMED, /* shorter than it claims, or not what it claims */
	GH_DROP_ETHERTYPE,
	GH_DROP_BLOCKED,
	GH_DROP_CLOSED,
	GH_DROP_PAUSED,
	GH_DROP_HELD,
	GH_DROP_EXPIRED,
	GH_DROP_QUOTA,
	GH_DROP_ELSEWHERE, /* running, but not on this network */
	GH_DROP_RATE,
	GH_DROP_CAPTIVE,
	GH_DROP_FRAGMENT,
	GH_DROP_EXTENSION, /* IPv6 extension header or IPv4 option, captive */
	GH_DROP_ROGUE,     /* plays router, DHCP server, another client, the box */
	GH_DROP_ND,        /* neighbour discovery that is not on-link */
	GH_DROP_INSIDE,    /* the box's other ports and networks */
	GH_DROP_BOX_LIMIT, /* DNS, ICMP, ARP, ND beyond the limit */
	GH_DROP_TCP_STRAY, /* TCP segment to the responder that needs no answer */
	GH_DROP_ERROR,     /* a helper failed; should stay 0 */
	GH_DROP_ADDRESS,   /* from an address that is not on the link */
	GH_DROP_GARDEN,    /* garden, beyond its limit */
	GH_DROP_GROUP_QUOTA, /* the bytes of its group are used up */
	GH_DROP_GROUP_RATE,
	GH_DROP_SPOOFED,   /* from, or to, an address that is another's */
	GH_DROP_TWIN,      /* the second device with this MAC */
	GH_REASONS,        /* behind the last one */
};

struct gh_count {
	__u64 packets;
	__u64 bytes; /* IP bytes; for drops before parsing, frame bytes */
	enum gh_reason reason; /* its own key by name, once it counted */
	__u32 reserved;
};

/* `events`: ring buffer. Losses are counted in `event_losses`. */
enum gh_event_type {
	GH_EVENT_FIRST_SEEN = 1, /* a MAC without a record, not in `captive` */
	GH_EVENT_EXHAUSTED,      /* a packet went over the quota, once */
	GH_EVENT_EXPIRED,        /* a packet came after the end, once a second */
	/*
	 * What a client should not do, each once a second and client. From here
	 * on `ip` is the address that the frame came from or claims, `other`
	 * the MAC that it names or takes from somebody.
	 */
	GH_EVENT_ROGUE_RA,       /* plays router */
	GH_EVENT_ROGUE_REDIRECT, /* ICMP or ICMPv6 redirect */
	GH_EVENT_ROGUE_DHCP,     /* plays DHCP server, of either family */
	GH_EVENT_FORGED_ARP,     /* names another's MAC */
	GH_EVENT_FORGED_ND,      /* the same in neighbour discovery */
	GH_EVENT_BOX_ADDRESS,    /* has an address of the box for its own */
	GH_EVENT_BOX_MAC,        /* sends as the box; once a second and network */
	GH_EVENT_SPOOFED,        /* uses an address that is another's */
	/* Nobody's fault: a packet of this client went over the quota of its
	 * group, once; record_id is the group. */
	GH_EVENT_GROUP_EXHAUSTED,
	/* Two devices have this MAC; what shows it is in `twins`. */
	GH_EVENT_TWO_NETWORKS,
	GH_EVENT_TWO_SYSTEMS,
};
#define GH_EVENT_SUSPICIOUS GH_EVENT_ROGUE_RA /* the first of them */
#define GH_EVENT_TYPES (GH_EVENT_TWO_SYSTEMS + 1) /* behind the last one */
struct gh_event {
	__u64 time_ns;
	struct gh_mac mac;
	enum gh_event_type type;
	__u32 network;
	__u64 record_id; /* 0: no record */
	struct gh_mac other; /* all zero: none */
	struct gh_ip ip;     /* all zero: none */
};

/* `meta`: array of one; says what the pinned maps are. */
struct gh_meta {
	__u32 layout; /* GH_LAYOUT of the maps */
	__u32 clients_max;
	__u64 generation; /* random, new when the maps are made */
	__u8 boot_id[16]; /* kernel boot that the times belong to */
};

/*
 * `fields`: array; what the values of the other maps are made of, so that a
 * build with another layout finds each field by its name. An empty name ends
 * it.
 */
#define GH_FIELDS_MAX 2048
struct gh_field {
	char name[56]; /* "clients.up.bytes" */
	__u32 offset;  /* within the value, bytes */
	__u32 size;
};

/* `copied`: what of a record's counters was carried over into a new layout. */
struct gh_counters {
	__u64 up_bytes, up_packets;
	__u64 down_bytes, down_packets;
};
/*
 * Argument of SEC("syscall") gh_carry: `now` are the counters of the record in
 * the old layout. Returns 0, or -ENOENT when it was not copied. With
 * mac.zero[0] = GH_CARRY_GROUP, here and in `copied`, it is the record of a
 * group, whose number the first 4 bytes are.
 */
#define GH_CARRY_GROUP 1
struct gh_carry {
	struct gh_mac mac;
	struct gh_counters now;
};

/* `secret`: array of one; random, made with the maps, never shown. */
struct gh_secret {
	__u64 key[2];
};

/*
 * Argument of SEC("syscall") gh_edit. Finds `mac`, or the record of `group`
 * when that is not 0; replaces the policy (all but seq) when `replace` is set;
 * returns the record as it is then.
 * Clears the sticky exhausted flags when quota_bytes changed, and the meters of
 * the rates when a rate did.
 * Returns 0, -ENOENT without a record, -ESTALE when the record is not
 * `record.policy.record_id`.
 */
struct gh_edit {
	struct gh_mac mac;
	__u32 replace;
	__u32 group;
	struct gh_client record;
};

#ifdef __cplusplus
#define GH_ASSERT static_assert
#else
#define GH_ASSERT _Static_assert
#endif
GH_ASSERT(sizeof(struct gh_mac) == 8, "gh_mac is one word");
GH_ASSERT(sizeof(struct gh_policy) == 64, "policy is one cache line");
GH_ASSERT(sizeof(struct gh_half) == 48 + GH_TOMORROW_BYTES, "half layout");
GH_ASSERT(sizeof(struct gh_client) == 192 + 2 * GH_TOMORROW_BYTES, "client record is three lines");
GH_ASSERT(sizeof(struct gh_captive) == 104, "captive layout");
GH_ASSERT(sizeof(struct gh_sighting) == 24, "sighting layout");
GH_ASSERT(sizeof(struct gh_binding) == 40, "binding layout");
GH_ASSERT(sizeof(struct gh_guard) == 264, "guard layout");
GH_ASSERT(sizeof(struct gh_guise) == 16, "guise layout");
GH_ASSERT(sizeof(struct gh_twin) == 224, "twin layout");
GH_ASSERT(sizeof(struct gh_interface) == 16, "interface layout");
GH_ASSERT(sizeof(struct gh_steer_key) == 32, "steer key layout");
GH_ASSERT(sizeof(struct gh_steered) == 24, "steered layout");
GH_ASSERT(sizeof(struct gh_prefix4) == 16, "prefix4 layout");
GH_ASSERT(sizeof(struct gh_prefix6) == 40, "prefix6 layout");
GH_ASSERT(sizeof(struct gh_count) == 24, "count layout");
GH_ASSERT(sizeof(struct gh_garden) == 24, "garden layout");
GH_ASSERT(sizeof(struct gh_garden_client) == 48, "garden client layout");
GH_ASSERT(sizeof(struct gh_garden_prefix) == 24, "garden prefix layout");
GH_ASSERT(sizeof(struct gh_garden_name) == 132, "garden name layout");
GH_ASSERT(sizeof(struct gh_garden_address) == 20, "garden address layout");
GH_ASSERT(sizeof(struct gh_garden_learned) == 16, "garden learned layout");
GH_ASSERT(sizeof(struct gh_meta) == 32, "meta layout");
GH_ASSERT(sizeof(struct gh_field) == 64, "field layout");
GH_ASSERT(sizeof(struct gh_edit) == 208 + 2 * GH_TOMORROW_BYTES, "edit layout");
GH_ASSERT(GH_PASS_STEERED < GH_ANSWERS, "room for passes");
GH_ASSERT(GH_ANSWER_PROHIBITED < GH_DROPS, "room for answers");
GH_ASSERT((int)GH_REASONS <= GH_REASONS_MAX, "room for drops");

#endif
