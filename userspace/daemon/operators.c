/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a token to the caller of an operation. What the audit then names is
 * "operator NAME": no user of the box can have a name with a space in it.
 */
#include "daemon/operators.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "rules/operator.h"

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

int operators_clean_up(struct gatehoused *g)
{
	int ret = turn_begin(g);

	return ret ?: operator_clean_up(g->store, clock_wall_sec());
}
