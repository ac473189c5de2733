/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Credits once more, from what is known of them besides the store: a redeemed
 * voucher's plan, or what the kernel lets a client use.
 */
#include "rules/recover.h"

#include <string.h>

#include "rules/pause.h"
#include "rules/standing.h"

/* Who has a session is known to operators. */
static int note_device(struct rules *rules, const struct mac *mac, int64_t at)
{
	struct device device;
	int ret = store_device_lookup(rules->store, mac, &device);

	if (ret != -ENOENT)
		return ret;
	device = (struct device){.mac = *mac, .first_seen = at, .last_seen = at};
	return store_device_put(rules->store, &device);
}

int recover_voucher(struct rules *rules, const struct spent_voucher *voucher,
	int64_t until_sec, const struct moment *now, int64_t *ret_session_id)
{
	int64_t gone_ns = MAX(until_sec - voucher->at, 0) * NSEC_PER_SEC;
	struct credit credit;
	enum outcome outcome;
	struct account account;
	struct plan plan;
	int ret = store_plan_lookup(rules->store, voucher->plan_id, &plan);

	*ret_session_id = 0;
	if (!ret)
		ret = note_device(rules, &voucher->mac, voucher->at);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	credit = credit_of_plan(voucher->times ? KIND_COIN : KIND_VOUCHER, &plan,
		MAX(voucher->times, 1));
	if (credit.left_ns <= gone_ns)
		return 0;
	if (voucher->times)
		credit.moves_left = UNLIMITED;
	if (credit.left_ns != UNLIMITED)
		credit.left_ns -= gone_ns;
	if (plan.terms.valid_days)
		credit.valid_until =
			voucher->at + plan.terms.valid_days * SEC_PER_DAY;
	ret = account_open(rules, &voucher->mac, now, &account);
	if (!ret)
		ret = account_add(rules, &account, &credit, now, &outcome);
	if (!ret)
		*ret_session_id = account.session.id;
	return ret;
}

static int64_t time_left(const struct recover_client *client, const struct moment *now)
{
	return client->deadline_ns == UNLIMITED ||
			       client->state != SESSION_RUNNING
		       ? client->deadline_ns
		       : MAX(client->deadline_ns - now->mono_ns, 0);
}

/* Of this much the kernel is sure. */
static int make_session(struct rules *rules, const struct recover_client *client,
	const struct moment *now, struct account *account)
{
	const struct credit credit = {
		.kind = KIND_MANUAL,
		.left_ns = time_left(client, now),
		.full_ns = UNLIMITED,
		.bytes = client->bytes_left,
		.terms.counts = client->counts,
		.rates = client->rates,
		.moves_left = UNLIMITED,
		.token_days = UNLIMITED,
	};
	enum outcome outcome;
	int ret = account_open(rules, &client->mac, now, account);

	if (!ret)
		ret = note_device(rules, &client->mac, now->wall_sec);
	return ret ? ret : account_add(rules, account, &credit, now, &outcome);
}

/* Outside a plan's hours a record stands as well, and nobody paused it. */
static bool was_paused(struct account *account)
{
	const struct credit *credit = account_in_use(account);

	return credit && !credit->terms.hours[0];
}

static void follow_state(struct account *account, enum session_state state,
	const struct moment *now)
{
	enum outcome outcome;

	if (state == SESSION_PAUSED && !was_paused(account))
		return;
	if (state != SESSION_HELD)
		account_release(account, SESSION_BY_OPERATOR, now);
	if (state == SESSION_HELD)
		account_hold(account, SESSION_HELD_BY_HAND, now);
	else if (state == SESSION_PAUSED)
		account_pause(account, SESSION_BY_OPERATOR, now, &outcome);
	else
		account_resume(account, SESSION_BY_OPERATOR, now);
}

/* Where the kernel's end is that of the hours, the copy knows better. */
static void follow_time(struct account *account, struct credit *credit,
	const struct recover_client *client, const struct moment *now)
{
	if (client->state == SESSION_RUNNING &&
		standing_turns_at(credit, client->deadline_ns, now))
		return;
	credit->left_ns = time_left(client, now);
	credit->deadline_ns = UNLIMITED;
	if (account->session.state == SESSION_RUNNING && !credit->is_resting &&
		credit->left_ns != UNLIMITED)
		credit->deadline_ns = now->mono_ns + credit->left_ns;
}

/* The credit in use is the one that the record is of. */
static void follow_record(struct account *account,
	const struct recover_client *client, const struct moment *now)
{
	struct credit *credit = account_in_use(account);

	if (!credit)
		return;
	follow_time(account, credit, client, now);
	credit->bytes = UNLIMITED;
	if (client->bytes_left == UNLIMITED)
		return;
	credit->terms.counts = client->counts;
	credit->bytes = counted(client->counts, credit->bytes_up,
				credit->bytes_down) +
			client->bytes_left;
}

/* What the record counted since the copy, if the copy knew the record. */
static int count(struct rules *rules, const struct recover_client *client)
{
	struct record record;
	int ret = store_record_of(rules->store, &client->mac, &record);

	if (ret || record.id != client->record_id)
		return ret == -ENOENT ? 0 : ret;
	return store_record_fold(rules->store, record.id, client->raw_up,
		client->raw_down);
}

int recover_client(struct rules *rules, const struct recover_client *client,
	const struct moment *now)
{
	struct record record = {.id = client->record_id, .mac = client->mac,
		.raw_up = client->raw_up, .raw_down = client->raw_down};
	const struct credit *credit;
	struct account account;
	int ret = count(rules, client);

	if (!ret)
		ret = account_load(rules, &client->mac, now, &account);
	if (ret == -ENOENT && !(time_left(client, now) && client->bytes_left))
		return 0;
	if (ret == -ENOENT)
		ret = make_session(rules, client, now, &account);
	if (ret)
		return ret;
	follow_state(&account, client->state, now);
	follow_record(&account, client, now);
	ret = account_save(rules, &account);
	credit = account_in_use(&account);
	if (ret || !credit)
		return ret;
	record.session_id = account.session.id;
	record.credit_id = credit->id;
	return store_record_adopt(rules->store, &record);
}

int recover_absent(
	struct rules *rules, const struct mac *mac, const struct moment *now)
{
	struct account account;
	int ret = account_load(rules, mac, now, &account);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	account_change(&account, SESSION_EVENT_FORGOTTEN, NULL, now);
	return account_save(rules, &account);
}
