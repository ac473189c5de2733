/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codes of an app: the step of the last one is stored with each that is right,
 * in the same transaction as what it was shown for, so none is good twice, also
 * not across a restart.
 */
#include "rules/second_factor.h"

_Static_assert(TOTP_SECRET + CRYPTO_SEAL_OVERHEAD <= OPERATOR_SEALED,
	"a sealed secret fits");

int second_factor_is_on(
	struct store *store, int64_t operator_id, bool *ret_is_on)
{
	struct operator_totp totp;
	int ret = store_totp_lookup(store, operator_id, &totp);

	if (ret && ret != -ENOENT)
		return ret;
	*ret_is_on = !ret && totp.is_on;
	return 0;
}

int second_factor_put(struct rules *rules, int64_t operator_id,
	const uint8_t secret[static TOTP_SECRET], bool is_on, int64_t last_step)
{
	struct operator_totp totp = {
		.operator_id = operator_id,
		.sealed_len = TOTP_SECRET + CRYPTO_SEAL_OVERHEAD,
		.is_on = is_on,
		.last_step = last_step,
	};

	crypto_seal(rules->seal_key, secret, TOTP_SECRET, totp.sealed);
	return store_totp_put(rules->store, &totp);
}

int second_factor_check(struct rules *rules, int64_t operator_id, bool is_on,
	const char *code, int64_t now_sec)
{
	uint8_t secret[TOTP_SECRET];
	struct operator_totp totp;
	int64_t step;
	int ret = store_totp_lookup(rules->store, operator_id, &totp);

	if (!ret && totp.is_on != is_on)
		ret = -ENOENT;
	if (!ret && totp.sealed_len != sizeof(secret) + CRYPTO_SEAL_OVERHEAD)
		ret = -EBADMSG;
	if (!ret)
		ret = crypto_open(rules->seal_key, totp.sealed,
			totp.sealed_len, secret);
	if (ret)
		return ret;
	step = totp_step(secret, code, now_sec, totp.last_step);
	crypto_wipe(secret, sizeof(secret));
	if (step < 0)
		return (int)step;
	totp.last_step = step;
	totp.is_on = true;
	return store_totp_put(rules->store, &totp);
}
