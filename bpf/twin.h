/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two devices with one MAC (docs/design.md 4.15, N8): heard in turns on two
 * networks, or as two systems. A device that moves or starts another system
 * changes once and is silent where it was; two that are active come back,
 * again and again. Only returns count.
 *
 * No maps, and of the helpers only bpf_loop: compiles on the host as well.
 */
#ifndef GH_TWIN_H
#define GH_TWIN_H

/* What makes two of it; see GH_TWIN_NETWORKS. */
struct gh_turn_rule {
	__u64 away_ns;	/* who was away for longer has not come back, but moved */
	__u64 pause_ns; /* returns that are nearer count once */
	__u64 quiet_ns; /* so long without a return, and it is over */
	__u32 returns;	/* as many are two */
};
/* A phone needs longer than a quarter of a second for each change of network;
 * frames that overtake each other in the air do not. */
#define GH_TWIN_NETWORKS                                               \
	(struct gh_turn_rule){.away_ns = 2 * GH_SEC, .pause_ns = GH_SEC / 4, \
		.quiet_ns = 3 * GH_SEC, .returns = 4}
/* Connections are opened less often, and nothing but another system makes a
 * system's options another. */
#define GH_TWIN_SYSTEMS                                     \
	(struct gh_turn_rule){.away_ns = 10 * GH_SEC,       \
		.quiet_ns = 10 * GH_SEC, .returns = 2}

/*
 * One system or two? The path to a server changes its MSS, and a program its
 * window scale, so either alone says nothing. Nor does the TTL of a few hops,
 * which tools set, or a SYN without scale and time stamps: systems leave them
 * out when they repeat one.
 */
static __always_inline bool gh_is_same_guise(
	const struct gh_guise *a, const struct gh_guise *b)
{
	return a->network == b->network && a->ttl == b->ttl &&
	       (!a->options || !b->options || a->options == b->options) &&
	       (a->mss == b->mss || a->scale == b->scale || !a->scale ||
		       !b->scale);
}

static __always_inline bool gh_is_back(const struct gh_turns *turns,
	const struct gh_guise *guise, const struct gh_turn_rule *rule)
{
	const struct gh_guise *other = &turns->other;

	return other->seen_ns && gh_is_same_guise(other, guise) &&
	       guise->seen_ns - other->seen_ns < rule->away_ns &&
	       turns->last.seen_ns >= other->seen_ns;
}

/* The MAC is heard as `guise`. True: two are active. */
static __always_inline bool gh_take_turn(struct gh_turns *turns,
	const struct gh_guise *guise, const struct gh_turn_rule *rule)
{
	__u64 since_ns = guise->seen_ns - turns->back_ns;

	if (turns->last.seen_ns && !gh_is_same_guise(&turns->last, guise)) {
		bool is_back = gh_is_back(turns, guise, rule);

		turns->other = turns->last;
		if (is_back && since_ns >= rule->quiet_ns) {
			turns->first = *guise;
			turns->begun_ns = guise->seen_ns;
			turns->returns = 0;
		}
		if (is_back && since_ns >= rule->pause_ns) {
			turns->returns++;
			turns->back_ns = guise->seen_ns;
			since_ns = 0;
		}
	}
	turns->last = *guise;
	return turns->returns >= rule->returns && since_ns < rule->quiet_ns;
}

/* The options of a SYN (RFC 9293 section 3.1). */
#define GH_SYN_OPTIONS_BYTES 40
#define GH_SYN_MASK	   63

#define GH_SYN_END	  0
#define GH_SYN_NOTHING	  1
#define GH_SYN_MSS	  2
#define GH_SYN_SCALE	  3
#define GH_SYN_SACK	  4
#define GH_SYN_TIMESTAMPS 8
#define GH_SYN_KINDS                                                    \
	(1 << GH_SYN_MSS | 1 << GH_SYN_SCALE | 1 << GH_SYN_SACK | \
		1 << GH_SYN_TIMESTAMPS)

#define GH_TTL_LEAST 32 /* no system begins with less */

struct gh_syn {
	__u8 options[GH_SYN_MASK + 1];
	__u32 len; /* of them that are there, at most GH_SYN_OPTIONS_BYTES */
	__u32 at;
	__u32 telling; /* an option that not every SYN of a system has */
	__u32 reserved;
	struct gh_guise guise;
};

static __always_inline __u32 gh_syn_byte(const struct gh_syn *syn, __u32 at)
{
	asm volatile("" : "+r"(at));
	return syn->options[at & GH_SYN_MASK];
}

static __always_inline void gh_syn_option(
	struct gh_syn *syn, __u32 kind, __u32 at, __u32 len)
{
	struct gh_guise *guise = &syn->guise;

	if (kind == GH_SYN_MSS && len == 4)
		guise->mss = gh_syn_byte(syn, at + 2) << 8 |
			     gh_syn_byte(syn, at + 3);
	if (kind == GH_SYN_SCALE && len == 3)
		guise->scale = gh_syn_byte(syn, at + 2) + 1;
	if (kind <= GH_SYN_TIMESTAMPS && GH_SYN_KINDS >> kind & 1)
		guise->options = guise->options << 4 | kind;
}

struct gh_syn_walk {
	struct gh_syn *syn;
};

/* One option; 1: there are no more. */
static long gh_syn_step(__u32 i, struct gh_syn_walk *walk)
{
	struct gh_syn *syn = walk->syn;
	__u32 at = syn->at, kind, len;

	if (at >= syn->len)
		return 1;
	kind = gh_syn_byte(syn, at);
	if (kind == GH_SYN_END)
		return 1;
	if (kind == GH_SYN_NOTHING) {
		syn->at = at + 1;
		return 0;
	}
	len = gh_syn_byte(syn, at + 1);
	if (len < 2 || at + len > syn->len)
		return 1;
	gh_syn_option(syn, kind, at, len);
	if (kind == GH_SYN_SCALE || kind == GH_SYN_TIMESTAMPS)
		syn->telling = 1;
	syn->at = at + len;
	return 0;
}

/*
 * Fills in what the options say of the system. Those that come and go
 * (RFC 7413, RFC 8684) and what only fills are left out. Always 0.
 */
__weak __noinline int gh_syn_read(struct gh_syn *syn)
{
	struct gh_syn_walk walk = {syn};

	if (!syn)
		return 0;
	syn->at = 0;
	syn->telling = 0;
	bpf_loop(GH_SYN_OPTIONS_BYTES, gh_syn_step, &walk, 0);
	if (!syn->telling)
		syn->guise.options = 0;
	return 0;
}

/* What it was when it was sent, by the usual ones. */
static __always_inline __u8 gh_first_ttl(__u8 ttl)
{
	return ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

#endif
