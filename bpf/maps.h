/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every map, once; __weak, so that the program files link to one object. The
 * map's name is its pin's name under /sys/fs/bpf/gatehouse; sizes that depend
 * on the box are set by the loader before they are made.
 */
#ifndef GH_MAPS_H
#define GH_MAPS_H

#define GH_MAP __weak SEC(".maps")

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct gh_mac);
	__type(value, struct gh_client);
} clients GH_MAP;

/* What clients share. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GH_GROUPS_MAX);
	__type(key, __u32);
	__type(value, struct gh_client);
} groups GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_mac);
	__type(value, struct gh_captive);
} captive GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_ip);
	__type(value, struct gh_sighting);
} addresses GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, struct gh_ip);
	__type(value, struct gh_binding);
} bindings GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct gh_mac);
	__type(value, struct gh_guard);
} guards GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_mac);
	__type(value, struct gh_twin);
} twins GH_MAP;

/* What a new guard is made of: too large for a stack. Stays all zero. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_guard);
} no_guard GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_IFINDEX_MAX);
	__type(key, __u32);
	__type(value, struct gh_interface);
} interfaces GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_network);
} networks GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_network_meter);
} network_meters GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_alarm);
} alarms GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_garden);
} gardens GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_garden_count);
} garden_counts GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_NETWORKS_MAX);
	__type(key, __u32);
	__type(value, struct gh_garden_meter);
} garden_meters GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_mac);
	__type(value, struct gh_garden_client);
} garden_clients GH_MAP;

/* 8 s of queries at the default limit of a network; older ones are not waited
 * for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_steer_key);
	__type(value, struct gh_steered);
} steered GH_MAP;

/* That it is there is all that a value says. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GH_GARDEN_PREFIXES_MAX);
	__type(key, struct gh_garden_prefix);
	__type(value, __u32);
} garden_prefixes GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, GH_GARDEN_NAMES_MAX);
	__type(key, struct gh_garden_name);
	__type(value, struct gh_garden_topic);
} garden_names GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct gh_garden_address);
	__type(value, struct gh_garden_learned);
} garden_learned GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GH_REASONS_MAX);
	__type(key, __u32);
	__type(value, struct gh_count);
} reasons GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} event_losses GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_meta);
} meta GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GH_FIELDS_MAX);
	__type(key, __u32);
	__type(value, struct gh_field);
} fields GH_MAP;

/* Only while records are carried over into another layout. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct gh_mac);
	__type(value, struct gh_counters);
} copied GH_MAP;

/* Tail calls into the responder; an array takes programs of one type only. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} responder_xdp GH_MAP;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} responder_tc GH_MAP;

/* What the responder is asked, on this CPU. */
struct gh_question {
	struct gh_pkt pkt;
	enum gh_reason reason; /* GH_ANSWER_*: which answer is due */
	__u32 network;
	__u32 packets, bytes; /* to count with the reason in the end */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_question);
} question GH_MAP;

/* Tail call into the learner. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} learner GH_MAP;

/* A DNS answer for the learner, on this CPU, and what it reads in it. */
struct gh_lesson {
	__u32 network;
	__u32 at; /* where in the frame */
	__u32 len;
	struct gh_dns dns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_lesson);
} lesson GH_MAP;

/* Keys the responder's sequence numbers; made with the other maps. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gh_secret);
} secret GH_MAP;

#endif
