/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules against a model: a second, much simpler statement of what a guest
 * has: a list of credits per client, used from the front. Random operations go
 * to both, through restarts of the box and undone transactions, and every client
 * must see the same nanoseconds and bytes, have one session at most, and get the
 * grant that follows from it. Every event is told once, in an order that makes
 * sense; all bytes that were sent are counted somewhere.
 *
 *   test_model [SEED [STEPS]]    one run with that seed
 *
 * The kernel is played by a record per client: it counts against the credit
 * that it was bound to last, and refuses a packet that the quota has no room
 * for, as the datapath does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rules/grant.h"
#include "rules/move.h"
#include "rules/pause.h"
#include "rules/refund.h"
#include "rules/sale.h"
#include "rules/share.h"
#include "rules/token.h"
#include "rules/voucher.h"
#include "store/payments.h"

#include "lib/fixture.h"

#define CLIENTS	 5
#define PLANS	 6
#define FAMILY	 4 /* the plan that several devices share */
#define DEVICES	 3 /* of it */
#define TOKENS	 48
#define PAYMENTS 32
#define SESSIONS 65536 /* of one run */
#define HOUR	 (3600 * NSEC_PER_SEC)
#define DAY	 86400
#define RENEW	 3600 /* a token's end is not written more often */
#define MEGA	 1000000LL

/* What there should be. Plain data: to undo is to copy it back. */

struct owned {
	int64_t serial; /* of the credit */
	enum kind kind;
	int64_t plan, left_ns, bytes, moves;
	int64_t share; /* 0: nobody shares it */
	int64_t shared_by; /* serial of the session that gave it; 0: none did */
	enum counts counts;
};

struct client {
	int64_t session; /* serial; 0: captive */
	enum session_state state;
	bool paused; /* also while it is held */
	bool blocked;
	int count;
	struct owned credits[CREDITS_MAX];
	int64_t paid;
};

struct shown {
	char text[TOKEN_TEXT];
	int64_t session; /* serial; -1: forgotten */
	int64_t ends;
};

struct paid {
	int64_t id, session, credit, ns, bytes, amount;
	int64_t share; /* of the credit, once it has one */
	bool refunded;
};

struct model {
	struct client clients[CLIENTS];
	int token_count, payment_count; /* ever */
	struct shown tokens[TOKENS];	/* the newest */
	struct paid payments[PAYMENTS];
	int64_t serial;
	char shared_code[VOUCHER_CODE]; /* the last one, and its credits' share */
	int64_t share;
	int64_t sent; /* bytes, by all */
	int64_t started, ended; /* sessions, as was told */
	bool exhausted[CLIENTS];
	int64_t raw_up[CLIENTS], raw_down[CLIENTS];
};

struct world {
	struct rules rules;
	struct moment now;
	struct mac macs[CLIENTS];
	struct record records[CLIENTS];
	struct plan plans[PLANS];
	struct model m;
	char code[VOUCHER_CODE];
	int64_t boots;
	uint8_t life[SESSIONS]; /* by id, as was told: 1 began, 2 ended */
	/* What one operation was told, to be undone with it. */
	struct {
		int64_t started, ended;
		bool exhausted[CLIENTS];
		int count;
		struct {
			uint8_t *at, was;
		} life[16];
	} op;
	uint64_t seed;
	int step;
};

static uint64_t random_state;

static int64_t pick(int64_t bound)
{
	random_state =
		random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (int64_t)((random_state >> 33) % (uint64_t)bound);
}

#define same(w, a, b)                                                          \
	do {                                                                   \
		int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                  \
		if (a_ != b_)                                                  \
			fail_msg("seed %llu, step %d: %s is %lld, not %lld",   \
				(unsigned long long)(w)->seed, (w)->step, #a,  \
				(long long)a_, (long long)b_);                 \
	} while (0)

/* The kernel and the listener. */

static int index_of(const struct world *w, const struct mac *mac)
{
	return mac->addr[5] - 1;
}

static int fold(void *data, const struct mac *mac, bool *ret_exhausted)
{
	struct world *w = data;
	int i = index_of(w, mac);

	*ret_exhausted = w->m.exhausted[i];
	w->m.exhausted[i] = false;
	return store_record_fold(w->rules.store, w->records[i].id,
		w->m.raw_up[i], w->m.raw_down[i]);
}

/* A session starts once, ends once, and nothing is told of it before or after. */
static void listen(void *data, const struct happening *happening)
{
	struct world *w = data;
	uint8_t *life = &w->life[happening->session->id % SESSIONS];
	bool starts = !strcmp(happening->name, "start");
	bool ends = !strcmp(happening->name, "end");

	same(w, *life, starts ? 0 : 1);
	if (w->op.count < (int)ARRAY_SIZE(w->op.life)) {
		w->op.life[w->op.count].at = life;
		w->op.life[w->op.count++].was = *life;
	}
	*life = ends ? 2 : 1;
	w->m.started += starts;
	w->m.ended += ends;
	assert_true(happening->reason[0]);
}

/* As the daemon's turn: the record of the client counts against its credit. */
static int follow_to(struct world *w, int client, struct account *account)
{
	struct credit *credit = NULL;
	int ret = account_load(&w->rules, &w->macs[client], &w->now, account);

	assert_true(ret == 0 || ret == -ENOENT);
	if (!ret)
		credit = account_in_use(account);
	/* A live session always has a credit in use. */
	assert_true(ret == -ENOENT || credit);
	assert_int_equal(store_record_bind(w->rules.store, w->records[client].id,
				 credit ? account->session.id : 0,
				 credit ? credit->id : 0),
		0);
	return ret;
}

static void follow(struct world *w, int client)
{
	struct account account;

	follow_to(w, client, &account);
}

/* The model's own rules. */

static int64_t plus(int64_t a, int64_t b)
{
	return a == UNLIMITED || b == UNLIMITED ? UNLIMITED : a + b;
}

static void drop(struct client *c, int at)
{
	memmove(&c->credits[at], &c->credits[at + 1],
		(size_t)(c->count - at - 1) * sizeof(c->credits[0]));
	c->count--;
}

static void end(struct client *c)
{
	c->session = 0;
	c->state = SESSION_ENDED;
	c->paused = false;
	c->count = 0;
	c->paid = 0;
}

/* Takes away what is empty; a session without credits is over. */
static void settle(struct client *c)
{
	int i;

	for (i = 0; i < c->count;)
		if (!c->credits[i].left_ns || !c->credits[i].bytes)
			drop(c, i);
		else
			i++;
	if (c->session && !c->count)
		end(c);
}

static void wait_ns(struct world *w, int64_t ns)
{
	int i;

	lib_wait(&w->now, ns);
	for (i = 0; i < CLIENTS; i++) {
		struct client *c = &w->m.clients[i];
		int64_t rest = ns;
		int count = c->count;

		while (c->state == SESSION_RUNNING && c->count && rest) {
			struct owned *first = &c->credits[0];
			int64_t part = MIN(first->left_ns, rest);

			if (first->left_ns == UNLIMITED)
				break;
			first->left_ns -= part;
			rest -= part;
			if (!first->left_ns)
				drop(c, 0);
		}
		settle(c);
		/* The daemon has a timer for it. */
		if (c->count != count)
			follow(w, i);
	}
}

static bool is_more(const struct owned *last, const struct owned *more)
{
	return last->kind == more->kind && last->plan == more->plan &&
	       !last->share && !more->share;
}

/* Into which credit; 0: no room. */
static int64_t add(struct model *m, struct client *c, struct owned more)
{
	struct owned *last = c->count ? &c->credits[c->count - 1] : NULL;

	if (last && is_more(last, &more)) {
		last->left_ns = plus(last->left_ns, more.left_ns);
		if (more.plan || more.bytes != UNLIMITED)
			last->bytes = plus(last->bytes, more.bytes);
		last->moves = MAX(last->moves, more.moves);
	} else if (c->count == CREDITS_MAX) {
		return 0;
	} else {
		more.serial = ++m->serial;
		last = &c->credits[c->count++];
		*last = more;
	}
	if (!c->session) {
		c->session = ++m->serial;
		c->state = SESSION_RUNNING;
	}
	/* The guest bought it to use it. */
	if (more.kind != KIND_MANUAL && c->state == SESSION_PAUSED) {
		c->state = SESSION_RUNNING;
		c->paused = false;
	}
	return last->serial;
}

static void release(struct client *c)
{
	if (c->state == SESSION_HELD)
		c->state = c->paused ? SESSION_PAUSED : SESSION_RUNNING;
}

static bool has_share(const struct client *c, int64_t share)
{
	int i;

	for (i = 0; share && i < c->count; i++)
		if (c->credits[i].share == share)
			return true;
	return false;
}

static bool may_pause(const struct owned *c)
{
	return (c->kind == KIND_MANUAL || c->kind == KIND_COIN) && !c->share;
}

/* The credits marked go to `to`; what `to` had queues behind them, but for the
 * clock that runs and has no pause, if that of what comes has one. */
static void move(struct model *m, int from, int to, const bool *moves)
{
	struct client *old = &m->clients[from], *new = &m->clients[to];
	struct client moved = *old, rest = *old, had = *new;
	bool first;
	int i;

	moved.count = rest.count = 0;
	for (i = 0; i < old->count; i++)
		if (moves[i])
			moved.credits[moved.count++] = old->credits[i];
		else
			rest.credits[rest.count++] = old->credits[i];
	first = had.count && had.state == SESSION_RUNNING &&
		moved.state != SESSION_HELD &&
		!may_pause(&had.credits[0]) && may_pause(&moved.credits[0]) &&
		!has_share(&moved, had.credits[0].share);
	if (first) {
		memmove(&moved.credits[1], &moved.credits[0],
			(size_t)moved.count++ * sizeof(moved.credits[0]));
		moved.credits[0] = had.credits[0];
	}
	/* The time of one voucher twice, one after the other, was never sold. */
	for (i = first; i < had.count; i++)
		if (!has_share(&moved, had.credits[i].share))
			moved.credits[moved.count++] = had.credits[i];
	for (i = 0; had.session && i < TOKENS; i++)
		if (m->tokens[i].session == had.session)
			m->tokens[i].session = moved.session;
	for (i = 0; had.session && i < PAYMENTS; i++)
		if (m->payments[i].session == had.session)
			m->payments[i].session = moved.session;
	if (had.state == SESSION_RUNNING && moved.state == SESSION_PAUSED) {
		moved.state = SESSION_RUNNING;
		moved.paused = false;
	}
	moved.paid += had.paid;
	moved.blocked = had.blocked;
	*new = moved;
	rest.paid = 0;
	rest.session = ++m->serial;
	if (!rest.count)
		end(&rest);
	*old = rest;
}

static void token(struct world *w, int64_t session, const char *text)
{
	struct model *m = &w->m;
	int i, kept = 0;

	m->tokens[m->token_count % TOKENS] =
		(struct shown){.session = session, .ends = w->now.wall_sec + 3 * DAY};
	memcpy(m->tokens[m->token_count++ % TOKENS].text, text, TOKEN_TEXT);
	for (i = m->token_count - 1; i >= MAX(m->token_count - TOKENS, 0); i--)
		if (m->tokens[i % TOKENS].session == session && ++kept > TOKENS_MAX)
			m->tokens[i % TOKENS].session = -1;
}

/* What a payment bought, to be refunded one day. */
static void paid(struct model *m, struct client *c, const struct payment *payment,
	int64_t credit)
{
	m->payments[m->payment_count++ % PAYMENTS] = (struct paid){
		.id = payment->id,
		.session = c->session,
		.credit = credit,
		.ns = payment->bought_ns,
		.bytes = payment->bought_bytes,
		.amount = payment->amount_minor,
	};
	c->paid += payment->amount_minor;
}

/* Steps: each does the same to both. A refusal is undone, as an operation is. */

static void begin_op(struct world *w)
{
	w->op.started = w->m.started;
	w->op.ended = w->m.ended;
	memcpy(w->op.exhausted, w->m.exhausted, sizeof(w->op.exhausted));
	w->op.count = 0;
	assert_int_equal(store_savepoint(w->rules.store), 0);
}

static void end_op(struct world *w, enum outcome outcome)
{
	if (!outcome) {
		assert_int_equal(store_release(w->rules.store), 0);
		return;
	}
	assert_int_equal(store_rollback_to(w->rules.store), 0);
	w->m.started = w->op.started;
	w->m.ended = w->op.ended;
	memcpy(w->m.exhausted, w->op.exhausted, sizeof(w->op.exhausted));
	for (; w->op.count > 0; w->op.count--)
		*w->op.life[w->op.count - 1].at = w->op.life[w->op.count - 1].was;
}

static void take_code(void *data, const char *code)
{
	struct world *w = data;

	snprintf(w->code, sizeof(w->code), "%s", code);
}

static void step_activate(struct world *w, int client)
{
	const struct plan *plan = &w->plans[pick(PLANS)];
	bool is_shared = plan == &w->plans[FAMILY];
	struct voucher_batch batch = {plan, 1, UNLIMITED, "AJC", "b", "test"};
	struct guest guest = {&w->macs[client], NULL};
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_OK;
	struct owned more = {.kind = KIND_VOUCHER, .plan = plan->id,
		.left_ns = plan->seconds == UNLIMITED ? UNLIMITED
						      : plan->seconds * NSEC_PER_SEC,
		.bytes = plan->bytes, .moves = plan->moves,
		.share = is_shared ? ++w->m.serial : 0,
		.counts = plan->terms.counts};
	struct activated a;

	assert_int_equal(voucher_create(&w->rules, &batch, take_code, w), 0);
	if (c->blocked)
		want = OUTCOME_CLIENT_BLOCKED;
	else if (c->state == SESSION_HELD)
		want = OUTCOME_SESSION_HELD;
	else if (!add(&w->m, c, more))
		want = OUTCOME_CONFLICT;
	begin_op(w);
	assert_int_equal(
		voucher_activate(&w->rules, &guest, w->code, &w->now, &a, &outcome), 0);
	end_op(w, outcome);
	same(w, outcome, want);
	if (want)
		return;
	c->paid += plan->price_minor;
	token(w, c->session, a.token);
	if (is_shared) {
		memcpy(w->m.shared_code, w->code, VOUCHER_CODE);
		w->m.share = more.share;
	}
}

/* Another device shows the code of a voucher that several may use. */
static void join(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	struct guest guest = {&w->macs[client], NULL};
	const struct owned *running = NULL;
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_OK;
	struct activated a;
	int i, at, n = 0;

	if (!w->m.share)
		return;
	for (i = 0; i < CLIENTS; i++)
		for (at = 0; at < w->m.clients[i].count; at++) {
			const struct owned *o = &w->m.clients[i].credits[at];

			if (o->share != w->m.share)
				continue;
			n++;
			if (at == 0 && (!running || o->serial < running->serial))
				running = o;
		}
	if (c->blocked)
		want = OUTCOME_CLIENT_BLOCKED;
	else if (!running)
		want = OUTCOME_VOUCHER_USED;
	else if (n >= DEVICES)
		want = OUTCOME_DEVICES_FULL;
	begin_op(w);
	assert_int_equal(voucher_activate(&w->rules, &guest, w->m.shared_code,
				 &w->now, &a, &outcome),
		0);
	end_op(w, outcome);
	/* One session for each device: who has one cannot join another's. */
	if (c->session)
		assert_int_not_equal(outcome, OUTCOME_OK);
	else
		same(w, outcome, want);
	if (outcome)
		return;
	add(&w->m, c, *running);
	token(w, c->session, a.token);
}

/* Rather one that has no session: the others are refused. */
static void step_join(struct world *w, int client)
{
	int i;

	for (i = 0; pick(10) && i < CLIENTS && w->m.clients[client].session; i++)
		client = (client + 1) % CLIENTS;
	join(w, client);
	follow(w, client);
}

/* Coins, an operator's minutes or a free plan, paid or not. */
static void step_buy(struct world *w, int client)
{
	static const enum kind kinds[] = {KIND_COIN, KIND_MANUAL, KIND_FREE};
	struct client *c = &w->m.clients[client];
	bool is_family = pick(2);
	struct owned more = {
		.kind = kinds[pick(3)],
		.plan = is_family ? w->plans[FAMILY].id : 0,
		.left_ns = (1 + pick(7200)) * NSEC_PER_SEC,
		.bytes = pick(2) || is_family ? UNLIMITED : 1 + pick(3 * MEGA),
		.moves = UNLIMITED,
	};
	struct credit credit = {.kind = more.kind, .left_ns = more.left_ns,
		.plan_id = more.plan,
		.bytes = more.bytes, .moves_left = UNLIMITED,
		.token_days = UNLIMITED};
	struct payment payment = {.paid_at = w->now.wall_sec, .method = "cash",
		.amount_minor = 1 + pick(1000), .currency = "TZS", .who = "test"};
	enum outcome outcome = OUTCOME_OK;
	struct account account;
	int64_t serial;

	begin_op(w);
	assert_int_equal(
		account_open(&w->rules, &w->macs[client], &w->now, &account), 0);
	assert_int_equal(
		account_add(&w->rules, &account, &credit, &w->now, &outcome), 0);
	end_op(w, outcome);
	serial = add(&w->m, c, more);
	same(w, outcome, serial ? OUTCOME_OK : OUTCOME_CONFLICT);
	if (outcome || pick(2))
		return;
	assert_int_equal(sale_to_session(&w->rules, &account, &payment), 0);
	paid(&w->m, c, &payment, serial);
}

static void step_take(struct world *w, int client)
{
	int64_t ns = (1 + pick(5000)) * NSEC_PER_SEC, part;
	struct allowance allowance = {.seconds = -ns / NSEC_PER_SEC,
		.bytes = UNLIMITED};
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK;
	struct account account;
	int i;

	assert_int_equal(session_allow(&w->rules, &w->macs[client], &allowance,
				 &w->now, &account, &outcome),
		0);
	same(w, outcome, c->session ? OUTCOME_OK : OUTCOME_NOT_FOUND);
	for (i = c->count - 1; i >= 0; i--) {
		if (c->credits[i].left_ns == UNLIMITED)
			continue;
		part = MIN(c->credits[i].left_ns, ns);
		c->credits[i].left_ns -= part;
		ns -= part;
	}
	settle(c);
}

/* A packet; the kernel refuses what the quota has no room for. */
static void step_traffic(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	int64_t len = 1 + pick(800000), counted_len;
	bool is_up = pick(2);

	if (c->state != SESSION_RUNNING || !c->session || c->blocked)
		return;
	counted_len = counted(c->credits[0].counts, is_up ? len : 0, is_up ? 0 : len);
	if (c->credits[0].bytes != UNLIMITED && counted_len > c->credits[0].bytes) {
		w->m.exhausted[client] = true;
		c->credits[0].bytes = 0;
	} else {
		*(is_up ? &w->m.raw_up[client] : &w->m.raw_down[client]) += len;
		w->m.sent += len;
		if (c->credits[0].bytes != UNLIMITED)
			c->credits[0].bytes -= counted_len;
	}
	settle(c);
}

static int holder_of(const struct model *m, int64_t session)
{
	int i;

	for (i = 0; session > 0 && i < CLIENTS; i++)
		if (m->clients[i].session == session)
			return i;
	return -1;
}

static void renew(struct world *w, struct shown *t)
{
	if (w->now.wall_sec + 3 * DAY >= t->ends + RENEW)
		t->ends = w->now.wall_sec + 3 * DAY;
}

static enum outcome judge_restore(const struct world *w, const struct shown *t,
	int from, int client, bool *moves)
{
	const struct client *old = &w->m.clients[MAX(from, 0)];
	const struct client *c = &w->m.clients[client];
	bool any = false;
	int i;

	if (t->session < 0)
		return OUTCOME_SESSION_UNKNOWN;
	if (from < 0)
		return OUTCOME_SESSION_USED_UP;
	if (c->blocked || old->blocked)
		return OUTCOME_CLIENT_BLOCKED;
	if (t->ends < w->now.wall_sec && (from != client || old->state == SESSION_HELD))
		return OUTCOME_TOKEN_EXPIRED;
	if (from == client)
		return OUTCOME_OK;
	for (i = 0; i < old->count; i++)
		any |= moves[i] = old->credits[i].kind != KIND_FREE &&
				  old->credits[i].moves > 0;
	if (!any)
		return OUTCOME_NOT_TRANSFERABLE;
	if (c->state == SESSION_HELD)
		return OUTCOME_SESSION_HELD;
	return old->count + c->count > CREDITS_MAX ? OUTCOME_CONFLICT : OUTCOME_OK;
}

static void step_restore(struct world *w, int client)
{
	struct shown *t = &w->m.tokens[pick(MIN(w->m.token_count, TOKENS) + 1) % TOKENS];
	struct guest guest = {&w->macs[client], NULL};
	bool moves[CREDITS_MAX] = {false};
	enum outcome outcome = OUTCOME_OK, want;
	int from = holder_of(&w->m, t->session), i;
	struct restored r;

	if (!t->text[0])
		return;
	want = judge_restore(w, t, from, client, moves);
	begin_op(w);
	assert_int_equal(
		token_restore(&w->rules, &guest, t->text, &w->now, &r, &outcome), 0);
	end_op(w, outcome);
	same(w, outcome, want);
	if (want)
		return;
	same(w, r.migrated, from != client);
	if (t->ends >= w->now.wall_sec) {
		release(&w->m.clients[from]);
		renew(w, t);
	}
	if (from == client)
		return;
	for (i = 0; i < w->m.clients[from].count; i++)
		if (w->m.clients[from].credits[i].moves != UNLIMITED && moves[i])
			w->m.clients[from].credits[i].moves--;
	move(&w->m, from, client, moves);
	follow(w, from);
}

static void step_move(struct world *w, int client)
{
	int to = (client + 1 + (int)pick(CLIENTS - 1)) % CLIENTS;
	struct client *old = &w->m.clients[client], *new = &w->m.clients[to];
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_OK;
	bool moves[CREDITS_MAX];

	if (!old->session)
		want = OUTCOME_NOT_FOUND;
	else if (new->state == SESSION_HELD)
		want = OUTCOME_SESSION_HELD;
	else if (old->count + new->count > CREDITS_MAX)
		want = OUTCOME_CONFLICT;
	begin_op(w);
	assert_int_equal(session_move(&w->rules, &w->macs[client], &w->macs[to],
				 &w->now, &outcome),
		0);
	end_op(w, outcome);
	same(w, outcome, want);
	memset(moves, true, sizeof(moves));
	if (!want)
		move(&w->m, client, to, moves);
	follow(w, to);
}

static void step_kick(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK;

	if (pick(2))
		return;
	assert_int_equal(
		session_kick(&w->rules, &w->macs[client], &w->now, &outcome), 0);
	same(w, outcome, c->session ? OUTCOME_OK : OUTCOME_NOT_FOUND);
	end(c);
}

static void step_pause(struct world *w, int client)
{
	const char *by = pick(2) ? SESSION_BY_USER : SESSION_BY_OPERATOR;
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_OK;
	bool changed = false;

	if (!c->session)
		want = OUTCOME_NOT_FOUND;
	else if (c->blocked && !strcmp(by, SESSION_BY_USER))
		want = OUTCOME_CLIENT_BLOCKED;
	else if (c->state == SESSION_HELD)
		want = OUTCOME_SESSION_HELD;
	else if (c->state == SESSION_RUNNING &&
		 (c->credits[0].share || (c->credits[0].kind != KIND_COIN &&
						 c->credits[0].kind != KIND_MANUAL)))
		want = OUTCOME_NOT_PAUSABLE;
	assert_int_equal(session_pause(&w->rules, &w->macs[client], by, &w->now,
				 &changed, &outcome),
		0);
	same(w, outcome, want);
	same(w, changed, !want && c->state == SESSION_RUNNING);
	if (changed) {
		c->state = SESSION_PAUSED;
		c->paused = true;
	}
}

static void step_resume(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK;
	bool changed = false;

	assert_int_equal(session_resume(&w->rules, &w->macs[client],
				 SESSION_BY_USER, &w->now, &changed, &outcome),
		0);
	same(w, outcome,
		!c->session		  ? OUTCOME_NOT_FOUND
		: c->state == SESSION_HELD ? OUTCOME_SESSION_HELD
					   : OUTCOME_OK);
	same(w, changed, c->session && c->state == SESSION_PAUSED);
	if (changed) {
		c->state = SESSION_RUNNING;
		c->paused = false;
	}
}

static void step_hold(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	enum outcome outcome = OUTCOME_OK;
	bool changed = false, hold = pick(3) == 0;

	assert_int_equal((hold ? session_hold : session_release)(&w->rules,
				 &w->macs[client], "operator", &w->now, &changed,
				 &outcome),
		0);
	same(w, outcome, c->session ? OUTCOME_OK : OUTCOME_NOT_FOUND);
	if (!c->session)
		return;
	same(w, changed, hold == (c->state != SESSION_HELD));
	if (hold)
		c->state = SESSION_HELD;
	else
		release(c);
}

static void step_block(struct world *w, int client)
{
	struct client *c = &w->m.clients[client];
	struct device device = {.mac = w->macs[client], .first_seen = 1, .last_seen = 1};
	int ret = store_device_lookup(w->rules.store, &w->macs[client], &device);

	assert_true(!ret || ret == -ENOENT);
	c->blocked = device.blocked = pick(3) == 0;
	assert_int_equal(store_device_put(w->rules.store, &device), 0);
	assert_int_equal(session_blocked(&w->rules, &w->macs[client], c->blocked,
				 &w->now),
		0);
}

static int count_shares(const struct model *m, int64_t share)
{
	int i, at, n = 0;

	for (i = 0; i < CLIENTS; i++)
		for (at = 0; at < m->clients[i].count; at++)
			n += m->clients[i].credits[at].share == share;
	return share ? n : 1;
}

/* A device without a page is put beside the session of another. */
static void share(struct world *w, int client, int to)
{
	struct client *c = &w->m.clients[client], *device = &w->m.clients[to];
	struct guest guest = {&w->macs[to], NULL};
	struct owned *first = &c->credits[0], part;
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_OK;
	struct shared shared;
	int i;

	if (!c->session)
		want = OUTCOME_NOT_FOUND;
	else if (c->state != SESSION_RUNNING || first->kind == KIND_FREE ||
		 (!first->share && first->plan != w->plans[FAMILY].id))
		want = OUTCOME_NOT_SHAREABLE;
	else if (device->session || device->blocked)
		want = OUTCOME_DEVICE_TAKEN;
	else if (count_shares(&w->m, first->share) >= DEVICES)
		want = OUTCOME_DEVICES_FULL;
	begin_op(w);
	assert_int_equal(share_add(&w->rules, &w->macs[client], &guest, &w->now,
				 &shared, &outcome),
		0);
	end_op(w, outcome);
	same(w, outcome, want);
	if (want)
		return;
	if (!first->share)
		first->share = ++w->m.serial;
	for (i = 0; i < PAYMENTS; i++)
		if (w->m.payments[i].credit == first->serial)
			w->m.payments[i].share = first->share;
	part = *first;
	part.shared_by = c->session;
	add(&w->m, device, part);
	follow(w, to);
}

/* Rather one that may, and a device that is free: the others are refused. */
static void step_share(struct world *w, int client)
{
	const struct client *c = w->m.clients;
	int to = (int)pick(CLIENTS), i;

	for (i = 0; pick(10) && i < CLIENTS && c[client].credits[0].kind != KIND_COIN &&
		    c[client].credits[0].plan != w->plans[FAMILY].id;
		i++)
		client = (client + 1) % CLIENTS;
	for (i = 0; pick(10) && i < CLIENTS && c[to].session; i++)
		to = (to + 1) % CLIENTS;
	share(w, client, to);
	follow(w, client);
}

static void unshare(struct world *w, int client, int to)
{
	struct client *c = &w->m.clients[client], *device = &w->m.clients[to];
	enum outcome outcome = OUTCOME_OK, want = OUTCOME_NOT_FOUND;
	struct shared shared;
	int at;

	for (at = 0; c->session && at < device->count; at++)
		if (device->credits[at].shared_by == c->session) {
			want = OUTCOME_OK;
			break;
		}
	begin_op(w);
	assert_int_equal(share_remove(&w->rules, &w->macs[client], &w->macs[to],
				 &w->now, &shared, &outcome),
		0);
	end_op(w, outcome);
	same(w, outcome, want);
	if (want)
		return;
	device->credits[at].left_ns = 0;
	settle(device);
	follow(w, to);
}

static void step_unshare(struct world *w, int client)
{
	int to, owner, at;

	for (to = 0; pick(10) && to < CLIENTS; to++)
		for (at = 0; at < w->m.clients[to].count; at++) {
			owner = holder_of(&w->m, w->m.clients[to].credits[at].shared_by);
			if (owner < 0 || owner == to)
				continue;
			unshare(w, owner, to);
			follow(w, owner);
			return;
		}
	unshare(w, client, (client + 1) % CLIENTS);
}

static void take_back(struct client *c, int at, const struct paid *p)
{
	struct owned *o = &c->credits[at];
	bool is_all = p->ns == UNLIMITED && p->bytes == UNLIMITED;

	if (p->ns != UNLIMITED && o->left_ns != UNLIMITED)
		o->left_ns -= MIN(o->left_ns, p->ns);
	if (p->bytes != UNLIMITED && o->bytes != UNLIMITED)
		o->bytes -= MIN(o->bytes, p->bytes);
	if (is_all)
		o->left_ns = 0;
	settle(c);
}

static void step_refund(struct world *w, int client)
{
	struct paid *p = &w->m.payments[pick(PAYMENTS)];
	enum outcome outcome = OUTCOME_CONFLICT;
	struct payment payment;
	int i, at;

	if (!p->id || p->refunded || pick(3))
		return;
	p->refunded = true;
	assert_int_equal(store_payment_lookup(w->rules.store, p->id, &payment), 0);
	assert_int_equal(
		session_refund(&w->rules, &payment, &w->now, &outcome), 0);
	same(w, outcome, OUTCOME_OK);
	i = holder_of(&w->m, p->session);
	if (i >= 0)
		w->m.clients[i].paid -= p->amount;
	for (i = 0; i < CLIENTS; i++)
		for (at = 0; at < w->m.clients[i].count; at++)
			if (w->m.clients[i].credits[at].serial == p->credit ||
				(p->share && w->m.clients[i].credits[at].share ==
						    p->share)) {
				take_back(&w->m.clients[i], at, p);
				follow(w, i);
				break;
			}
}

static void step_wait(struct world *w, int client)
{
	int64_t ns = pick(2) ? pick(HOUR) : pick(NSEC_PER_SEC);

	/* Now and then days, for the tokens. Sums stay exact in nanoseconds,
	 * and whole seconds keep both clocks in step. */
	if (!pick(40))
		ns = pick(4 * DAY) * NSEC_PER_SEC;
	wait_ns(w, ns - ns % NSEC_PER_SEC);
}

/* The kernel's records are gone; the clock begins anew. */
static void step_reboot(struct world *w, int client)
{
	char boot[32];
	bool rebooted;
	int i;

	if (pick(20))
		return;
	for (i = 0; i < CLIENTS; i++)
		follow(w, i);
	snprintf(boot, sizeof(boot), "boot %lld", (long long)++w->boots);
	assert_int_equal(store_boot_touch(w->rules.store, w->now.mono_ns), 0);
	w->now.mono_ns = 1 + pick(HOUR);
	assert_int_equal(store_boot_enter(w->rules.store, boot, w->now.mono_ns,
				 &rebooted),
		0);
	assert_true(rebooted);
	for (i = 0; i < CLIENTS; i++) {
		w->m.raw_up[i] = w->m.raw_down[i] = 0;
		assert_int_equal(
			store_record_insert(w->rules.store, &w->records[i]), 0);
		follow(w, i);
	}
}

/* Comparing. */

static void compare(struct world *w, int client)
{
	const struct client *c = &w->m.clients[client];
	const struct owned *first = &c->credits[0];
	struct holder holder;
	struct account account;
	struct view view = {0};
	struct grant grant;
	int64_t left_ns = 0;
	int ret = follow_to(w, client, &account), i;

	same(w, ret == 0, c->session != 0);
	for (i = 0; i < c->count; i++)
		left_ns = plus(left_ns, c->credits[i].left_ns);
	if (!ret) {
		account_view(&account, &w->now, &view);
		same(w, account.session.state, c->state);
		same(w, account.session.paused_at != 0, c->paused);
		same(w, account.session.total_paid_minor, c->paid);
		same(w, view.remaining_bytes, first->bytes);
		same(w, view.credit_ns, first->left_ns);
		same(w, view.kind, first->kind);
	}
	same(w, view.remaining_ns, left_ns);
	/* What the kernel is told follows from it. */
	ret = store_holder_lookup(w->rules.store, &w->macs[client], &holder);
	assert_true(ret == 0 || ret == -ENOENT);
	same(w, ret == 0, c->session || c->blocked);
	if (ret)
		return;
	grant = grant_of(&holder, &w->now);
	same(w, grant.state == GRANT_BLOCKED, c->blocked);
	same(w, grant.state == GRANT_RUNNING,
		!c->blocked && c->session && c->state == SESSION_RUNNING);
	if (!c->session)
		return;
	same(w, grant.bytes_left, first->bytes);
	same(w, grant.expires_ns,
		c->state == SESSION_RUNNING
			? plus(first->left_ns, first->left_ns == UNLIMITED ? 0 : w->now.mono_ns)
			: first->left_ns);
}

static void compare_all(struct world *w)
{
	int64_t live = 0, count;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		compare(w, i);
		live += w->m.clients[i].session != 0;
	}
	same(w, w->m.started - w->m.ended, live);
	assert_int_equal(store_session_count(w->rules.store, &count), 0);
	same(w, count, live);
}

/* Every byte is counted in one session, and in one only. */
static void compare_bytes(struct world *w)
{
	int64_t counted = 0, id;

	for (id = 1; id <= SESSIONS; id++) {
		struct account account;
		struct view view;
		int ret = account_load_id(&w->rules, id, &w->now, &account);

		if (ret == -ENOENT)
			break;
		assert_int_equal(ret, 0);
		account_view(&account, &w->now, &view);
		counted += view.bytes_up + view.bytes_down;
	}
	same(w, counted, w->m.sent);
}

typedef void step_fn(struct world *w, int client);
static step_fn *const steps[] = {step_wait, step_wait, step_wait, step_traffic,
	step_traffic, step_traffic, step_traffic, step_activate, step_activate,
	step_join, step_join, step_share, step_share, step_unshare,
	step_buy, step_buy, step_take, step_restore, step_restore, step_restore,
	step_move, step_kick, step_pause, step_pause, step_resume, step_resume,
	step_hold, step_hold, step_block, step_refund, step_refund, step_reboot};

static void one_step(struct world *w)
{
	int client = (int)pick(CLIENTS);

	steps[pick(ARRAY_SIZE(steps))](w, client);
	compare(w, client);
}

/* Some steps happen in a transaction that is lost: then nothing did. */
static void lost_steps(struct world *w, struct world *before)
{
	int n = 1 + (int)pick(4);

	assert_int_equal(store_commit(w->rules.store), 0);
	assert_int_equal(store_begin(w->rules.store), 0);
	*before = *w;
	while (n--)
		one_step(w);
	store_rollback(w->rules.store);
	assert_int_equal(store_begin(w->rules.store), 0);
	*w = *before;
}

static struct plan make_plan(struct world *w, const char *name, int64_t seconds,
	int64_t bytes, int64_t moves)
{
	struct plan plan = lib_plan(name, seconds);

	plan.bytes = bytes;
	plan.moves = moves;
	plan.devices = strcmp(name, "family") ? 1 : DEVICES;
	plan.terms.counts = strcmp(name, "download") ? COUNTS_BOTH : COUNTS_DOWN;
	lib_plan_add(&w->rules, &plan);
	return plan;
}

static struct world *world_new(uint64_t seed)
{
	struct world *w = xcalloc(1, sizeof(*w));
	bool rebooted;
	int i;

	random_state = w->seed = seed;
	lib_rules_open(&w->rules);
	w->rules.fold = fold;
	w->rules.data = w;
	w->rules.happened = listen;
	w->rules.listener = w;
	w->now = (struct moment){1000 * HOUR, 1800000000};
	assert_int_equal(store_boot_enter(w->rules.store, "boot 0",
				 w->now.mono_ns, &rebooted),
		0);
	for (i = 0; i < CLIENTS; i++) {
		w->macs[i] = lib_mac(i + 1);
		w->records[i].mac = w->macs[i];
		end(&w->m.clients[i]);
		assert_int_equal(
			store_record_insert(w->rules.store, &w->records[i]), 0);
	}
	w->plans[0] = make_plan(w, "hour", 3600, UNLIMITED, 0);
	w->plans[1] = make_plan(w, "one move", 7200, 2 * MEGA, 1);
	w->plans[2] = make_plan(w, "bytes", UNLIMITED, 3 * MEGA, 0);
	w->plans[3] = make_plan(w, "anywhere", 1800, UNLIMITED, UNLIMITED);
	w->plans[FAMILY] = make_plan(w, "family", 5400, UNLIMITED, 1);
	w->plans[5] = make_plan(w, "download", 4000, MEGA, 2);
	return w;
}

static void run(uint64_t seed, int count)
{
	struct world *w = world_new(seed);
	struct world *before = xcalloc(1, sizeof(*before));

	print_message("seed %llu, %d steps\n", (unsigned long long)seed, count);
	for (w->step = 0; w->step < count; w->step++) {
		if (!pick(50))
			lost_steps(w, before);
		one_step(w);
		if (!pick(20))
			compare_all(w);
	}
	compare_all(w);
	compare_bytes(w);
	store_rollback(w->rules.store);
	store_close(w->rules.store);
	free(before);
	free(w);
}

static uint64_t first_seed = 1;
#ifdef __SANITIZE_ADDRESS__
static int runs = 5, steps_of_run = 4000;
#else
static int runs = 5, steps_of_run = 20000;
#endif

static void test_model(void **state)
{
	uint64_t seed;

	for (seed = first_seed; seed < first_seed + (uint64_t)runs; seed++)
		run(seed, steps_of_run);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		runs = 1;
	}
	if (argc > 2)
		steps_of_run = (int)strtol(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
