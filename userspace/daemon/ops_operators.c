/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about operators' accounts (N12, T1); their logins are those of
 * ops_logins.c. Whatever needs a password made is answered later. Nobody handles the account
 * of somebody who may do more; root and [roles] admins handle all.
 */
#include <string.h>

#include "base/clock.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/client_json.h"
#include "daemon/later.h"
#include "daemon/ops_handlers.h"
#include "daemon/passwords.h"
#include "rules/operator.h"

_Static_assert(OPERATOR_TOKEN == CTL_TOKEN_LEN + 1, "a token is what ctl.h says");
_Static_assert(OPERATOR_PASSWORD_MAX == PASSWORDS_TEXT - 1, "and a password");

json_t *refuse_above(enum role role)
{
	return reply_refuse(CTL_not_allowed,
		"This is about an account of role %s, which may do more than "
		"you. Do it on the gateway itself, as root.",
		role_name(role));
}

json_t *find_operator(struct gatehoused *g, const struct caller *caller,
	const char *name, struct operator *ret_operator)
{
	int ret = store_operator_by_name(g->store, name, ret_operator);

	if (ret == -ENOENT)
		return reply_refuse(CTL_not_found,
			"There is no operator \"%s\"; see `gatehousectl "
			"operator list`.",
			name);
	if (ret)
		return reply_failed("reading an operator", ret);
	return operator_may_handle(caller->role, ret_operator->role)
		       ? NULL
		       : refuse_above(ret_operator->role);
}

/* A role that the caller may give. NULL, or the refusal. */
static json_t *find_role(
	const struct caller *caller, const char *name, enum role *ret_role)
{
	if (role_parse(name, ret_role))
		return reply_refuse(
			CTL_bad_request, "role is " ROLE_WORDS ".");
	return operator_may_handle(caller->role, *ret_role)
		       ? NULL
		       : refuse_above(*ret_role);
}

static json_t *finish_add(struct gatehoused *g, const struct later *later)
{
	struct operator operator = {.role = later->role};
	char detail[96];
	int ret = later->ret;

	operator.created_at = clock_wall_sec();
	memcpy(operator.name, later->name, OPERATOR_NAME - 1);
	memcpy(operator.created_by, later->caller.who,
		sizeof(operator.created_by));
	if (!ret) {
		memcpy(operator.password, later->stored,
			sizeof(operator.password));
		ret = store_operator_insert(g->store, &operator);
	}
	if (ret == -EEXIST)
		return reply_refuse(CTL_conflict,
			"There is an operator \"%s\" already.", later->name);
	snprintf(detail, sizeof(detail), "%s, %s", operator.name,
		role_name(operator.role));
	if (!ret)
		ret = audit_now(g, &later->caller, "operator.add", NULL, detail);
	if (ret)
		return reply_failed("operators.add", ret);
	return reply_fields("{s:s, s:s, s:s}", "name", operator.name, "role",
		role_name(operator.role), "message",
		"The operator can log in now.");
}

json_t *op_operators_add(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_operator *a = args;
	const char *fault = operator_password_fault(a->name, a->password);
	struct operator other;
	struct later *later;
	enum role role;
	json_t *refusal;
	int ret;

	if (!operator_name_is_good(a->name))
		return reply_refuse(CTL_bad_request,
			"name is 1 to %d letters, digits, '.', '-', '_' or '@'.",
			OPERATOR_NAME - 1);
	refusal = find_role(caller, a->role, &role);
	if (refusal)
		return refusal;
	if (fault)
		return reply_refuse(CTL_bad_request, "%s", fault);
	ret = store_operator_by_name(g->store, a->name, &other);
	if (!ret)
		return reply_refuse(CTL_conflict,
			"There is an operator \"%s\" already.", other.name);
	if (ret != -ENOENT)
		return reply_failed("operators.add", ret);
	later = later_new(g, caller, "operators.add", finish_add);
	memcpy(later->name, a->name, sizeof(later->name));
	later->role = role;
	return later_wait(later,
		passwords_make(g->passwords, a->password, later_done, later));
}

static json_t *say_ended(const struct operator *operator, int64_t ended)
{
	return reply_fields("{s:s, s:s, s:I}", "name", operator->name, "role",
		role_name(operator->role), "ended", (json_int_t)ended);
}

/* The account is another one than when it was asked for: by its id. */
json_t *password_changed(struct gatehoused *g, const struct later *later)
{
	struct operator operator;
	int64_t ended = 0;
	int ret = later->ret;

	if (!ret)
		ret = store_operator_lookup(g->store, later->id, &operator);
	if (!ret) {
		memcpy(operator.password, later->stored,
			sizeof(operator.password));
		ret = operator_change(g->store, &operator, &ended);
	}
	if (!ret)
		ret = audit_now(g, &later->caller, "operator.passwd", NULL,
			operator.name);
	return ret ? reply_failed("operators.passwd", ret)
		   : say_ended(&operator, ended);
}

json_t *op_operators_passwd(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_operator *a = args;
	const char *fault = operator_password_fault(a->name, a->password);
	struct operator operator;
	struct later *later;
	json_t *refusal = find_operator(g, caller, a->name, &operator);

	if (refusal)
		return refusal;
	if (fault)
		return reply_refuse(CTL_bad_request, "%s", fault);
	later = later_new(g, caller, "operators.passwd", password_changed);
	later->id = operator.id;
	return later_wait(later,
		passwords_make(g->passwords, a->password, later_done, later));
}

static json_t *finish_pin(struct gatehoused *g, const struct later *later)
{
	struct operator operator;
	int64_t ended = 0;
	int ret = later->ret;

	if (!ret)
		ret = store_operator_lookup(g->store, later->id, &operator);
	if (!ret) {
		memcpy(operator.pin, later->stored, sizeof(operator.pin));
		ret = store_operator_put(g->store, &operator);
	}
	/* The phone that was lost was logged in by the old one. */
	if (!ret)
		ret = store_qr_sessions_end(g->store, operator.id, &ended);
	if (!ret)
		ret = audit_now(g, &later->caller, "operator.pin", NULL,
			operator.name);
	return ret ? reply_failed("operators.pin", ret)
		   : reply_fields("{s:s, s:s, s:I, s:s}", "name", operator.name,
			     "role", role_name(operator.role), "ended",
			     (json_int_t)ended, "message",
			     "The PIN is good for logging in by the QR code "
			     "from now on.");
}

json_t *op_operators_pin(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_pin *a = args;
	struct operator operator;
	struct later *later;
	json_t *refusal = find_operator(g, caller, a->name, &operator);

	if (refusal)
		return refusal;
	if (!operator_pin_is_good(a->pin))
		return reply_refuse(CTL_bad_request,
			"pin is 6 to 32 digits, neither all the same nor in "
			"their order.");
	later = later_new(g, caller, "operators.pin", finish_pin);
	later->id = operator.id;
	return later_wait(later,
		passwords_make(g->passwords, a->pin, later_done, later));
}

json_t *op_operators_role(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_operator *a = args;
	struct operator operator;
	int64_t ended = 0;
	char detail[96];
	enum role role;
	json_t *refusal = find_operator(g, caller, a->name, &operator);
	int ret;

	if (!refusal)
		refusal = find_role(caller, a->role, &role);
	if (refusal)
		return refusal;
	snprintf(detail, sizeof(detail), "%s: %s, was %s", operator.name,
		role_name(role), role_name(operator.role));
	if (role == operator.role)
		return say_ended(&operator, 0);
	operator.role = role;
	ret = operator_change(g->store, &operator, &ended);
	if (!ret)
		ret = audit_now(g, caller, "operator.role", NULL, detail);
	return ret ? reply_failed("operators.role", ret)
		   : say_ended(&operator, ended);
}

json_t *op_operators_remove(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	struct operator operator;
	json_t *refusal = find_operator(g, caller, a->name, &operator);
	int ret;

	if (refusal)
		return refusal;
	ret = members_leave(g, operator.id);
	if (!ret)
		ret = store_operator_remove(g->store, operator.id);
	if (!ret)
		ret = audit_now(
			g, caller, "operator.remove", NULL, operator.name);
	if (ret)
		return reply_failed("operators.remove", ret);
	return reply_fields("{s:s, s:s}", "name", operator.name, "message",
		"The operator is removed, with all logins and API tokens.");
}

json_t *op_operators_logout(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_name *a = args;
	struct operator operator;
	int64_t ended = 0;
	json_t *refusal = find_operator(g, caller, a->name, &operator);
	int ret;

	if (refusal)
		return refusal;
	ret = operator_log_out(g->store, operator.id, &ended);
	if (!ret)
		ret = audit_now(
			g, caller, "operator.logout", NULL, operator.name);
	return ret ? reply_failed("operators.logout", ret)
		   : say_ended(&operator, ended);
}

static json_t *operator_json(const struct operator *o)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:s, s:o, s:I, s:I}", "id",
		(json_int_t)o->id, "name", o->name, "role", role_name(o->role),
		"createdAt", json_time(o->created_at), "createdBy",
		o->created_by, "lastLoginAt", json_time(o->last_login_at),
		"sessions", (json_int_t)o->sessions, "tokens",
		(json_int_t)o->tokens);
}

json_t *op_operators_list(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_list *a = args;
	int limit = a->limit_set ? (int)a->limit : OPS_LIST_DEFAULT;
	struct operator rows[OPS_LIST_MAX];
	json_t *items;
	int n, i;

	n = store_operator_list(g->store, a->after, rows, limit);
	if (n < 0)
		return reply_failed("operators.list", n);
	items = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(items, operator_json(&rows[i]));
	return reply_fields("{s:o, s:o}", "items", items, "next",
		n == limit ? json_integer(rows[n - 1].id) : json_null());
}
