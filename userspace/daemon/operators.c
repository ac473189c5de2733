/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a token to the caller of an operation. What the audit then names is
 * "operator NAME": no user of the box can have a name with a space in it.
 */
#include "daemon/operators.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "rules/operator.h"
#include "rules/qr_login.h"

enum ctl_code operators_prove(
	struct gatehoused *g, const char *token, struct caller *ret_caller)
{
	struct caller caller = {.proof = PROOF_OPERATOR};
	struct operator_proof proof;
	int ret = turn_begin(g);

	if (!ret)
		ret = operator_by_token(
			g->store, token, clock_wall_sec(), &proof);
	if (ret == -ENOENT)
		return CTL_not_logged_in;
	if (ret) {
		log_error("reading a login failed: %s", strerror(-ret));
		return CTL_internal;
	}
	caller.role = proof.role;
	caller.operator_id = proof.operator_id;
	caller.operator_session = proof.session_id;
	caller.operator_expires_at = proof.expires_at;
	snprintf(caller.who, sizeof(caller.who), "operator %s", proof.name);
	*ret_caller = caller;
	return CTL_OK;
}

enum ctl_code operators_prove_staff(
	struct gatehoused *g, const char *cookie, struct caller *caller)
{
	struct moment now = moment_now();
	struct qr_session row;
	struct member member;
	enum role role;
	int ret = turn_begin(g);

	if (!ret)
		ret = qr_login_by_cookie(
			&g->rules, cookie, &now, &row, &member, &role);
	if (ret == -ENOENT || (!ret && !mac_equal(&row.mac, &caller->mac)))
		return CTL_not_logged_in;
	if (ret) {
		log_error("reading a login failed: %s", strerror(-ret));
		return CTL_internal;
	}
	caller->proof = PROOF_STAFF;
	caller->role = role;
	caller->operator_id = member.operator_id;
	snprintf(caller->who, sizeof(caller->who), "operator %s",
		member.operator_name);
	return CTL_OK;
}

int operators_clean_up(struct gatehoused *g)
{
	int ret = turn_begin(g);

	return ret ?: operator_clean_up(g->store, clock_wall_sec());
}
