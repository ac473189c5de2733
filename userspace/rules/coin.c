/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coins: who has a slot, whose a coin is, and starting with them. Money is never
 * made here and never dropped: it goes from a pulse to a lock, and from a lock to
 * a payment or to the same client's next lock. What it buys: coin_offer.c.
 */
#include "rules/coin.h"

#include <string.h>

#include "rules/sale.h"

#define SLOT_LOCKS 8	/* the newest of a slot, that a late pulse may be for */
#define PULSES_MAX 64	/* settled at a time */

static int64_t rest_of(const struct coin_lock *lock)
{
	return lock->credited_minor - lock->spent_minor;
}

/* Pulses. */

int coin_journal(
	struct rules *rules, struct coin_pulse *pulse, bool *ret_is_new)
{
	int ret = store_coin_pulse_insert(rules->store, pulse);

	*ret_is_new = ret == 0;
	return ret == -EEXIST ? 0 : ret;
}

/* Was the slot this lock's then, a coin's way included? */
static bool covers(const struct coin_lock *lock, int64_t at_ns)
{
	return at_ns >= lock->from_ns && lock->until_ns &&
	       at_ns <= lock->until_ns + COIN_FLIGHT_NS;
}

static void make_key(char key[static COIN_KEY])
{
	uint8_t random[(COIN_KEY - 1) / 2];

	crypto_random(random, sizeof(random));
	hex_format(random, sizeof(random), key);
}

/* Where coins go that are nobody's: with those that fell just before them. */
static int find_for_nobody(struct rules *rules, const struct coin_pulse *pulse,
	struct coin_lock *ret_lock)
{
	struct coin_lock lock = {.id = 0};
	int ret = store_coin_lock_unclaimed(rules->store, pulse->slot, &lock);

	if (ret && ret != -ENOENT)
		return ret;
	if (ret || strcmp(lock.currency, pulse->currency) ||
		pulse->at_ns < lock.from_ns ||
		pulse->at_ns > lock.until_ns + COIN_FIND_NS) {
		lock = (struct coin_lock){
			.state = COIN_LOCK_UNCLAIMED,
			.from_ns = pulse->at_ns,
		};
		make_key(lock.key);
		memcpy(lock.slot, pulse->slot, sizeof(lock.slot));
		memcpy(lock.currency, pulse->currency, sizeof(lock.currency));
	}
	lock.until_ns = MAX(lock.until_ns, pulse->at_ns);
	ret = lock.id ? store_coin_lock_update(rules->store, &lock)
		      : store_coin_lock_insert(rules->store, &lock);
	*ret_lock = lock;
	return ret;
}

/* The client's lock that the pulse fell into; id 0: none. */
static int find_lock(struct rules *rules, const struct coin_pulse *pulse,
	struct coin_lock *ret_lock)
{
	struct coin_lock locks[SLOT_LOCKS];
	int n = store_coin_lock_of_slot(
		rules->store, pulse->slot, locks, SLOT_LOCKS);
	int i;

	ret_lock->id = 0;
	for (i = 0; i < n && !ret_lock->id; i++)
		if (covers(&locks[i], pulse->at_ns) &&
			!strcmp(locks[i].currency, pulse->currency))
			*ret_lock = locks[i];
	return MIN(n, 0);
}

static int settle(struct rules *rules, const struct coin_pulse *pulse)
{
	struct coin_lock lock;
	int ret = find_lock(rules, pulse, &lock);
	bool is_coin;

	if (!ret && !lock.id)
		ret = find_for_nobody(rules, pulse, &lock);
	is_coin = !lock.coins || pulse->at_ns > lock.coin_ns + COIN_ONE_NS;
	if (!ret && is_coin && lock.state == COIN_LOCK_OPEN) {
		lock.until_ns = MIN(lock.until_ns + COIN_MORE_NS,
			lock.from_ns + COIN_MOST_NS);
		ret = store_coin_lock_update(rules->store, &lock);
	}
	return ret ? ret
		   : store_coin_pulse_credit(
			     rules->store, pulse, lock.id, is_coin);
}

int coin_settle(struct rules *rules, const struct moment *now)
{
	struct coin_pulse rows[PULSES_MAX];
	int total = 0, n, i, ret = 0;

	do {
		n = store_coin_pulse_new(rules->store, rows, PULSES_MAX);
		for (i = 0; !ret && i < n; i++)
			ret = settle(rules, &rows[i]);
		total += n;
	} while (!ret && n == PULSES_MAX);
	if (n < 0)
		return n;
	return ret ? ret : total;
}

/* Locks. */

bool coin_is_open(const struct coin_lock *lock, const struct moment *now)
{
	return lock->state == COIN_LOCK_OPEN && now->mono_ns < lock->until_ns;
}

static int close_lock(struct rules *rules, struct coin_lock *lock,
	enum coin_lock_state state, const struct moment *now)
{
	lock->state = state;
	lock->until_ns = MIN(lock->until_ns, now->mono_ns);
	return store_coin_lock_update(rules->store, lock);
}

int coin_expire(struct rules *rules, const struct moment *now)
{
	struct coin_lock rows[SLOT_LOCKS];
	int total = 0, ret = 0, i;
	int n = store_coin_lock_open(rules->store, rows, SLOT_LOCKS);

	for (i = 0; !ret && i < n && !coin_is_open(&rows[i], now); i++) {
		ret = close_lock(rules, &rows[i], COIN_LOCK_OVER, now);
		total++;
	}
	if (n < 0)
		return n;
	return ret ? ret : total;
}

int coin_open_lock(struct rules *rules, const char *slot,
	const struct moment *now, struct coin_lock *ret_lock)
{
	int n = store_coin_lock_of_slot(rules->store, slot, ret_lock, 1);

	if (n < 0)
		return n;
	return n && coin_is_open(ret_lock, now) ? 0 : -ENOENT;
}

/* What is left of the client's other locks goes into this one. */
static int carry(struct rules *rules, struct coin_lock *lock)
{
	struct coin_lock rows[SLOT_LOCKS];
	bool found;
	int n, i, ret = 0;

	do {
		found = false;
		n = store_coin_lock_rests(rules->store, &lock->mac, UNLIMITED,
			rows, SLOT_LOCKS);
		for (i = 0; !ret && i < n; i++) {
			if (rows[i].id == lock->id ||
				strcmp(rows[i].currency, lock->currency))
				continue;
			found = true;
			lock->credited_minor += rest_of(&rows[i]);
			rows[i].spent_minor = rows[i].credited_minor;
			ret = store_coin_lock_update(rules->store, &rows[i]);
		}
	} while (!ret && found && n == SLOT_LOCKS);
	if (!ret && n > 0)
		ret = store_coin_lock_update(rules->store, lock);
	return n < 0 ? n : ret;
}

/* Blocked devices, and sessions on hold, get nothing for money. */
static int refuse_guest(struct rules *rules, const struct mac *mac,
	enum outcome *ret_outcome)
{
	struct session session = {.state = SESSION_ENDED};
	bool blocked = false;
	int ret = store_device_is_blocked(rules->store, mac, &blocked);

	if (!ret)
		ret = store_session_of(rules->store, mac, &session);
	if (ret && ret != -ENOENT)
		return ret;
	*ret_outcome = blocked ? OUTCOME_CLIENT_BLOCKED
		       : !ret && session.state == SESSION_HELD
			       ? OUTCOME_SESSION_HELD
			       : OUTCOME_OK;
	return 0;
}

/* How long must this client wait for the slot? 0: not at all. */
static int64_t must_wait(const struct coin_lock *rows, int n,
	const struct mac *mac, const struct moment *now)
{
	int i;

	if (n && coin_is_open(&rows[0], now) &&
		(rows[0].coins || now->mono_ns < rows[0].from_ns + COIN_IDLE_NS))
		return (rows[0].coins ? rows[0].until_ns
				      : rows[0].from_ns + COIN_IDLE_NS) -
		       now->mono_ns;
	/* It was his, and he let it stand idle while another waited. */
	for (i = 0; i < n; i++)
		if (rows[i].state == COIN_LOCK_TAKEN &&
			!memcmp(&rows[i].mac, mac, sizeof(*mac)) &&
			now->mono_ns < rows[i].until_ns + COIN_SULK_NS)
			return rows[i].until_ns + COIN_SULK_NS - now->mono_ns;
	return 0;
}

/* One at a time: what he has at another slot is done. */
static int leave_other(struct rules *rules, const struct mac *mac,
	const struct moment *now)
{
	struct coin_lock lock;
	int ret = store_coin_lock_of_mac(rules->store, mac, &lock);

	if (!ret && coin_is_open(&lock, now))
		ret = close_lock(rules, &lock, COIN_LOCK_DONE, now);
	return ret == -ENOENT ? 0 : ret;
}

static int open_lock(struct rules *rules, const struct guest *guest,
	const char *slot, const char *currency, const struct coin_lock *newest,
	const struct moment *now, struct coin_lock *ret_lock)
{
	struct coin_lock lock = {
		.mac = *guest->mac,
		.state = COIN_LOCK_OPEN,
		.from_ns = now->mono_ns,
	};
	int ret;

	/* What is on its way belongs to whoever was before. */
	if (newest && newest->until_ns)
		lock.from_ns = MAX(lock.from_ns,
			newest->until_ns + COIN_FLIGHT_NS);
	lock.until_ns = lock.from_ns + COIN_LOCK_NS;
	make_key(lock.key);
	snprintf(lock.slot, sizeof(lock.slot), "%s", slot);
	snprintf(lock.currency, sizeof(lock.currency), "%s", currency);
	ret = leave_other(rules, guest->mac, now);
	if (!ret)
		ret = store_coin_lock_insert(rules->store, &lock);
	if (!ret)
		ret = carry(rules, &lock);
	*ret_lock = lock;
	return ret;
}

int coin_lock(struct rules *rules, const struct guest *guest, const char *slot,
	const char *currency, const struct moment *now,
	struct coin_lock *ret_lock, int64_t *ret_wait_ns,
	enum outcome *ret_outcome)
{
	struct coin_lock rows[SLOT_LOCKS];
	int n, ret = refuse_guest(rules, guest->mac, ret_outcome);

	*ret_wait_ns = 0;
	if (ret || *ret_outcome)
		return ret;
	n = store_coin_lock_of_slot(rules->store, slot, rows, SLOT_LOCKS);
	if (n < 0)
		return n;
	if (n && coin_is_open(&rows[0], now) &&
		!memcmp(&rows[0].mac, guest->mac, sizeof(rows[0].mac))) {
		*ret_lock = rows[0];
		return 0;
	}
	*ret_wait_ns = must_wait(rows, n, guest->mac, now);
	if (*ret_wait_ns) {
		*ret_outcome = OUTCOME_SLOT_BUSY;
		return 0;
	}
	if (n && rows[0].state == COIN_LOCK_OPEN)
		ret = close_lock(rules, &rows[0],
			coin_is_open(&rows[0], now) ? COIN_LOCK_TAKEN
						    : COIN_LOCK_OVER,
			now);
	return ret ? ret
		   : open_lock(rules, guest, slot, currency,
			     n ? &rows[0] : NULL, now, ret_lock);
}

int coin_status(struct rules *rules, const struct guest *guest, const char *key,
	struct coin_lock *ret_lock, enum outcome *ret_outcome)
{
	int ret = key ? store_coin_lock_by_key(rules->store, key, ret_lock)
		      : store_coin_lock_of_mac(
				rules->store, guest->mac, ret_lock);

	if (!ret && memcmp(&ret_lock->mac, guest->mac, sizeof(ret_lock->mac)))
		ret = -ENOENT;
	if (ret && ret != -ENOENT)
		return ret;
	*ret_outcome = ret ? OUTCOME_LOCK_UNKNOWN : OUTCOME_OK;
	return 0;
}

int coin_done(struct rules *rules, const struct guest *guest, const char *key,
	const struct moment *now, struct coin_lock *ret_lock,
	enum outcome *ret_outcome)
{
	int ret = coin_status(rules, guest, key, ret_lock, ret_outcome);

	if (ret || *ret_outcome || ret_lock->state != COIN_LOCK_OPEN)
		return ret;
	return close_lock(rules, ret_lock, COIN_LOCK_DONE, now);
}

/* Starting. */

static struct credit credit_of(const struct coin_part *part)
{
	struct credit credit = credit_of_plan(KIND_COIN, &part->plan, part->times);

	credit.moves_left = UNLIMITED;
	return credit;
}

/* One plan of the offer: a credit, and the payment that it was bought with. */
static int buy_part(struct rules *rules, const struct guest *guest,
	struct coin_started *started, const struct coin_part *part,
	const struct moment *now, enum outcome *ret_outcome)
{
	struct coin_lock *lock = &started->lock;
	struct credit credit = credit_of(part);
	struct payment payment = {
		.paid_at = now->wall_sec,
		.method = "coin",
		.amount_minor = part->plan.price_minor * part->times,
		.plan_id = part->plan.id,
	};
	int ret = account_add(
		rules, &started->account, &credit, now, ret_outcome);

	if (ret || *ret_outcome)
		return ret;
	lock->spent_minor += payment.amount_minor;
	started->paid_minor += payment.amount_minor;
	/* Up to where the lock's money was spent: once. */
	snprintf(payment.reference, sizeof(payment.reference), "%lld-%lld",
		(long long)lock->id, (long long)lock->spent_minor);
	memcpy(payment.currency, lock->currency, sizeof(payment.currency));
	snprintf(payment.network, sizeof(payment.network), "%s",
		guest->network ? guest->network : "");
	snprintf(payment.who, sizeof(payment.who), "slot %s", lock->slot);
	return sale_to_session(rules, &started->account, &payment);
}

/* The lock's money becomes credits of the client, the dearest plan first. */
static int buy(struct rules *rules, const struct guest *guest,
	struct coin_started *started, const struct moment *now,
	enum outcome *ret_outcome)
{
	struct account *account = &started->account;
	struct coin_lock *lock = &started->lock;
	int i, ret = account_open(rules, guest->mac, now, account);

	for (i = started->offer.count - 1; !ret && !*ret_outcome && i >= 0; i--)
		ret = buy_part(rules, guest, started, &started->offer.parts[i],
			now, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	if (account_prefer(account, guest, now))
		ret = account_save(rules, account);
	lock->session_id = account->session.id;
	if (!ret && lock->state == COIN_LOCK_OPEN)
		return close_lock(rules, lock, COIN_LOCK_DONE, now);
	return ret ? ret : store_coin_lock_update(rules->store, lock);
}

static bool agrees(const struct coin_claim *claim, const struct coin_lock *lock,
	const struct coin_offer *offer)
{
	return (!claim->slot[0] || !strcmp(claim->slot, lock->slot)) &&
	       (claim->amount_minor == UNLIMITED ||
		       claim->amount_minor == rest_of(lock)) &&
	       (claim->minutes == UNLIMITED ||
		       claim->minutes == offer->seconds / 60);
}

/* The answer to the first start was lost: is its session still here? What is
 * left in the lock bought nothing then, and does not now. */
static int was_started(struct rules *rules, const struct guest *guest,
	struct coin_started *started, const struct moment *now)
{
	int ret;

	if (!started->lock.session_id || started->offer.count)
		return -ENOENT;
	ret = account_load(rules, guest->mac, now, &started->account);
	if (!ret && started->account.session.id != started->lock.session_id)
		return -ENOENT;
	return ret;
}

/* The lock becomes the guest's whole money; what that buys is the offer. */
static int collect(struct rules *rules, const struct guest *guest,
	struct coin_started *started)
{
	int ret = carry(rules, &started->lock);

	return ret ? ret
		   : coin_offer(rules, guest, started->lock.currency,
			     rest_of(&started->lock), &started->offer);
}

static int start(struct rules *rules, const struct guest *guest,
	const struct coin_claim *claim, const struct moment *now,
	struct coin_started *started, enum outcome *ret_outcome)
{
	*ret_outcome = !agrees(claim, &started->lock, &started->offer)
			       ? OUTCOME_AMOUNT_DIFFERS
		       : !started->offer.count ? OUTCOME_AMOUNT_SMALL
					       : OUTCOME_OK;
	return *ret_outcome
		       ? 0
		       : buy(rules, guest, started, now, ret_outcome);
}

int coin_start(struct rules *rules, const struct guest *guest, const char *key,
	const struct coin_claim *claim, const struct moment *now,
	struct coin_started *started, enum outcome *ret_outcome)
{
	int ret = coin_status(rules, guest, key, &started->lock, ret_outcome);

	started->paid_minor = 0;
	if (!ret && !*ret_outcome)
		ret = refuse_guest(rules, guest->mac, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	ret = collect(rules, guest, started);
	if (!ret)
		ret = was_started(rules, guest, started, now);
	if (ret == -ENOENT)
		ret = start(rules, guest, claim, now, started, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	/* The key is a proof: its guest gets a token whatever was before. */
	return token_make(rules, &started->account, now, started->token);
}

int coin_claim(struct rules *rules, int64_t id, const struct guest *guest,
	const struct moment *now, struct coin_started *started,
	enum outcome *ret_outcome)
{
	static const struct coin_claim none = {UNLIMITED, UNLIMITED, ""};
	struct coin_lock *lock = &started->lock;
	int ret = store_coin_lock_lookup(rules->store, id, lock);

	started->paid_minor = 0;
	if (ret == -ENOENT || (!ret && rest_of(lock) <= 0)) {
		*ret_outcome = OUTCOME_LOCK_UNKNOWN;
		return 0;
	}
	if (!ret)
		ret = refuse_guest(rules, guest->mac, ret_outcome);
	if (ret || *ret_outcome)
		return ret;
	if (lock->state == COIN_LOCK_OPEN || lock->state == COIN_LOCK_UNCLAIMED)
		lock->state = COIN_LOCK_DONE;
	lock->mac = *guest->mac;
	lock->until_ns = MIN(lock->until_ns, now->mono_ns);
	ret = collect(rules, guest, started);
	return ret ? ret : start(rules, guest, &none, now, started, ret_outcome);
}
