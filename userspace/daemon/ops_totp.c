/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about the app that shows an operator's codes: one's own, begun and
 * then confirmed with a code, so that nobody locks himself out; and somebody
 * else's by who manages accounts. The secret is in the answer once.
 */
#include <string.h>

#include "base/clock.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/login_throttle.h"
#include "daemon/ops_handlers.h"
#include "rules/second_factor.h"

void totp_describe(struct gatehoused *g, const uint8_t *secret, const char *name,
	json_t *reply)
{
	char text[TOTP_BASE32], url[TOTP_URL];

	totp_base32(secret, text);
	totp_url(secret, g->config.venue_name, name, url);
	json_object_set_new(reply, "secret", json_string(text));
	json_object_set_new(reply, "url", json_string(url));
}

/* A new secret for an account. */
static json_t *give(struct gatehoused *g, const struct caller *caller,
	const struct operator *operator, bool is_on, const char *operation)
{
	uint8_t secret[TOTP_SECRET];
	json_t *reply;
	int ret;

	crypto_random(secret, sizeof(secret));
	ret = second_factor_put(&g->rules, operator->id, secret, is_on, 0);
	if (!ret)
		ret = audit_now(g, caller, operation, NULL, operator->name);
	if (ret)
		return reply_failed(operation, ret);
	reply = reply_fields("{s:s, s:s}", "name", operator->name, "role",
		role_name(operator->role));
	totp_describe(g, secret, operator->name, reply);
	crypto_wipe(secret, sizeof(secret));
	return reply;
}

json_t *op_totp_begin(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct operator operator;
	bool is_on;
	int ret = store_operator_lookup(g->store, caller->operator_id, &operator);

	if (!ret)
		ret = second_factor_is_on(g->store, operator.id, &is_on);
	if (ret)
		return reply_failed("operators.totp.begin", ret);
	if (is_on)
		return reply_refuse(CTL_conflict,
			"Your account has an app already. Switch that one off "
			"first, with a code of it.");
	return give(g, caller, &operator, false, "operators.totp.begin");
}

/* NULL, or the refusal. Whose login somebody has taken is not to lose the codes
 * to one who tries them out. */
static json_t *check(struct gatehoused *g, const struct caller *caller,
	const struct args_totp_code *a, bool is_on, const char *operation)
{
	const struct login_try try = {.name = caller->who, .is_known = true};
	int64_t wait = login_throttle_try(
		g->login_throttle, &try, clock_mono_ns());
	int ret;

	if (wait)
		return reply_slow_down(wait);
	ret = second_factor_check(&g->rules, caller->operator_id, is_on, a->code,
		clock_wall_sec());
	if (ret == -ENOENT)
		return reply_refuse(CTL_conflict,
			is_on ? "Your account has no app."
			      : "Please begin again: there is no app that waits "
				"for its code.");
	if (ret == -EACCES)
		return reply_refuse(CTL_second_factor_required,
			"This code is wrong, or was used before. Please wait "
			"for the next one.");
	if (ret)
		return reply_failed(operation, ret);
	login_throttle_right(g->login_throttle, &try, clock_mono_ns());
	return NULL;
}

json_t *op_totp_confirm(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	json_t *refusal = check(g, caller, args, false, "operators.totp.confirm");
	int ret;

	if (refusal)
		return refusal;
	ret = audit_now(g, caller, "totp.on", NULL, NULL);
	return ret ? reply_failed("operators.totp.confirm", ret) : reply_ok();
}

json_t *op_totp_off(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	json_t *refusal = check(g, caller, args, true, "operators.totp.off");
	int ret;

	if (refusal)
		return refusal;
	ret = store_totp_remove(g->store, caller->operator_id);
	if (!ret)
		ret = audit_now(g, caller, "operators.totp.off", NULL, NULL);
	return ret ? reply_failed("operators.totp.off", ret) : reply_ok();
}

json_t *op_operators_totp(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_totp_set *a = args;
	struct operator operator;
	json_t *refusal = find_operator(g, caller, a->name, &operator);
	int ret;

	if (refusal)
		return refusal;
	/* Whose login somebody has taken does not lose the codes to him. */
	if (caller->proof == PROOF_OPERATOR && caller->operator_id == operator.id)
		return reply_refuse(CTL_conflict,
			"Your own codes are switched on and off with a code of "
			"your app, on the page of your account.");
	if (!strcmp(a->state, "on"))
		return give(g, caller, &operator, true, "operator.totp");
	if (strcmp(a->state, "off") != 0)
		return reply_refuse(CTL_bad_request, "state is on or off.");
	ret = store_totp_remove(g->store, operator.id);
	if (!ret)
		ret = audit_now(g, caller, "operator.totp off", NULL, operator.name);
	if (ret)
		return reply_failed("operators.totp", ret);
	return reply_fields("{s:s, s:s, s:s}", "name", operator.name, "role",
		role_name(operator.role), "message",
		"The password alone is enough again, unless second_factor in "
		"gatehouse.conf asks for more.");
}
