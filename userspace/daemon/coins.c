/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coin slots: from a pulse to the journal, from the journal to a lock, and from
 * the locks back to what each slot shows. It decides nothing about money:
 * rules/coin.c does. It must never credit what is not committed, and never
 * answer for what is not.
 */
#include "daemon/coins.h"

#include <pwd.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "pay/acceptor.h"

/* So much noise within a minute is told; a spark now and then is not. */
#define NOISE_MANY 20
#define NOISE_NS   (60 * NSEC_PER_SEC)

struct slot {
	struct gatehoused *g;
	struct config_coin coin; /* its own: a reload may move the others */
	struct acceptor *acceptor; /* NULL: out of order */
	int64_t noise_ns; /* when counting began */
	int noise;
};

struct coins {
	int count;
	struct slot slots[CONFIG_COINS_MAX];
	struct loop_timer next; /* a lock begins or ends */
	bool touched;
};

struct entry {
	struct coin_pulse pulse;
	bool is_new;
};

static int journal(struct gatehoused *g, void *data)
{
	struct entry *entry = data;

	return coin_journal(&g->rules, &entry->pulse, &entry->is_new);
}

/* Gives what is journalled to its locks, and ends those that are over: all of it
 * or nothing, whatever else this turn does. */
static int settle(struct gatehoused *g)
{
	struct moment now = moment_now();
	int ret = turn_begin(g);

	if (!ret)
		ret = store_savepoint(g->store);
	if (ret)
		return ret;
	ret = coin_settle(&g->rules, &now);
	if (ret >= 0)
		ret = coin_expire(&g->rules, &now);
	if (ret < 0)
		store_rollback_to(g->store);
	else
		ret = store_release(g->store);
	coins_touch(g);
	return ret;
}

static int on_pulse(
	void *data, const struct acceptor_pulse *report, bool *ret_is_new)
{
	struct slot *slot = data;
	struct gatehoused *g = slot->g;
	int64_t ago_ns = clock_mono_ns() - report->at_ns;
	struct entry entry = {.pulse = {
		.seq = report->seq,
		.at = clock_wall_sec() - ago_ns / NSEC_PER_SEC,
		.at_ns = report->at_ns,
		.amount_minor = report->amount_minor,
	}};
	struct coin_pulse *pulse = &entry.pulse;
	int ret;

	memcpy(pulse->slot, slot->coin.name, sizeof(pulse->slot));
	memcpy(pulse->currency, g->config.currency, sizeof(pulse->currency));
	ret = turn_alone(g, journal, &entry);
	*ret_is_new = entry.is_new;
	if (ret) {
		log_error("coin slot %s: a coin cannot be stored: %s",
			slot->coin.name, strerror(-ret));
		return ret;
	}
	log_debug("coin slot %s: %lld %s", slot->coin.name,
		(long long)pulse->amount_minor,
		*ret_is_new ? "minor units" : "again");
	/* It is kept: what fails from here on is made up for at the next
	 * pulse, the next lock's end, or the next start. */
	ret = *ret_is_new ? settle(g) : 0;
	if (ret)
		log_error("coin slot %s: a coin cannot be credited yet: %s",
			slot->coin.name, strerror(-ret));
	return 0;
}

static int64_t on_last_seq(void *data)
{
	struct slot *slot = data;
	int64_t seq;

	return store_coin_pulse_last_seq(
		       slot->g->store, slot->coin.name, &seq)
		       ? UNLIMITED
		       : seq;
}

static void on_noise(void *data, const char *what)
{
	struct slot *slot = data;
	int64_t now = clock_mono_ns();

	if (!slot->noise_ns || now - slot->noise_ns > NOISE_NS) {
		slot->noise_ns = now;
		slot->noise = 0;
	}
	log_debug("coin slot %s: %s", slot->coin.name, what);
	if (++slot->noise != NOISE_MANY)
		return;
	log_warning("coin slot %s: %s, and many of them", slot->coin.name, what);
	alarms_raise(slot->g->alarms, "coin_noise", SEVERITY_MEDIUM, NULL, NULL,
		0, "a coin slot tells of pulses that are no coins");
}

static void open_slot(struct gatehoused *g, struct slot *slot,
	const struct config_coin *coin)
{
	const struct acceptor_handlers handlers = {
		.pulse = on_pulse,
		.last_seq = on_last_seq,
		.noise = on_noise,
		.data = slot,
	};
	const struct passwd *portal = getpwnam(g->config.portal_user);
	int ret;

	slot->g = g;
	slot->coin = *coin;
	ret = acceptor_open(g->loop, &slot->coin,
		portal ? portal->pw_uid : (uid_t)-1, &handlers,
		&slot->acceptor);
	if (ret)
		log_error("coin slot %s is out of order: %s: %s", coin->name,
			coin->socket[0] ? coin->socket : coin->chip,
			strerror(-ret));
}

int coins_start(struct gatehoused *g)
{
	int i, ret;

	g->coins = xcalloc(1, sizeof(*g->coins));
	for (i = 0; i < g->config.coin_count; i++)
		open_slot(g, &g->coins->slots[i], &g->config.coins[i]);
	g->coins->count = g->config.coin_count;
	ret = settle(g);
	return ret ? ret : turn_commit(g);
}

void coins_stop(struct gatehoused *g)
{
	int i;

	if (!g->coins)
		return;
	loop_timer_stop(g->loop, &g->coins->next);
	for (i = 0; i < g->coins->count; i++)
		acceptor_close(g->coins->slots[i].acceptor);
	free(TAKE_PTR(g->coins));
}

void coins_touch(struct gatehoused *g)
{
	if (g->coins)
		g->coins->touched = true;
}

static void on_next(void *data)
{
	struct gatehoused *g = data;
	int ret = settle(g);

	if (ret)
		log_error("coins: %s", strerror(-ret));
}

/* What the slot shows now; until when. */
static int64_t show(struct slot *slot, const struct moment *now)
{
	struct acceptor_state state = {.inhibit = true};
	int64_t until = UNLIMITED;
	struct coin_lock lock;

	if (!coin_open_lock(&slot->g->rules, slot->coin.name, now, &lock)) {
		bool begun = now->mono_ns >= lock.from_ns;

		state.inhibit = !begun;
		state.lock = lock.id;
		until = begun ? lock.until_ns : lock.from_ns;
		state.seconds = (int)((lock.until_ns - now->mono_ns) /
				      NSEC_PER_SEC);
	}
	if (slot->acceptor)
		acceptor_show(slot->acceptor, &state);
	return until;
}

void coins_follow(struct gatehoused *g)
{
	struct moment now = moment_now();
	int64_t next = UNLIMITED;
	int i;

	if (!g->coins || !g->coins->touched)
		return;
	g->coins->touched = false;
	for (i = 0; i < g->coins->count; i++)
		next = MIN(next, show(&g->coins->slots[i], &now));
	loop_timer_stop(g->loop, &g->coins->next);
	if (next != UNLIMITED)
		loop_timer_start(g->loop, &g->coins->next,
			MAX(next - now.mono_ns, NSEC_PER_MSEC), 0, on_next, g);
}

const struct config_coin *coins_slot(const struct gatehoused *g, const char *name)
{
	int i;

	if (!g->coins)
		return NULL;
	if ((!name || !name[0]) && g->coins->count == 1)
		return &g->coins->slots[0].coin;
	for (i = 0; name && i < g->coins->count; i++)
		if (!strcmp(g->coins->slots[i].coin.name, name))
			return &g->coins->slots[i].coin;
	return NULL;
}

bool coins_is_ready(const struct gatehoused *g, const struct config_coin *slot)
{
	const struct slot *own = container_of(slot, struct slot, coin);

	return own->acceptor && acceptor_is_ready(own->acceptor);
}
