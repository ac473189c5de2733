/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about operators: their accounts and logins (N12, T1).
 * Whatever needs a password made or checked is answered later, by a turn of its
 * own: passwords.c takes its time, and the loop none. Nobody handles the account
 * of somebody who may do more; root and [roles] admins handle all.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "daemon/login_throttle.h"
#include "daemon/ops.h"
#include "daemon/ops_handlers.h"
#include "daemon/passwords.h"
#include "rules/operator.h"

_Static_assert(OPERATOR_TOKEN == CTL_TOKEN_LEN + 1, "a token is what ctl.h says");
_Static_assert(OPERATOR_PASSWORD_MAX == PASSWORDS_TEXT - 1, "and a password");

/* Strangers leave the others room in the line. */
#define STRANGERS_WAITING (PASSWORDS_WAITING / 2)

/* An operation that waits for its password. */
struct later {
	struct gatehoused *g;
	const char *operation;
	json_t *(*finish)(struct gatehoused *g, const struct later *later);
	uint64_t ticket;
	int64_t begun_ns;
	struct caller caller;
	/* Of the account. */
	int64_t id; /* 0: there is none, or not yet */
	char name[CTL_NAME_MAX + 1];
	enum role role;
	char before[CRYPTO_PASSWORD]; /* what a login was checked against */
	char password[PASSWORDS_TEXT]; /* the next one, once that is right */
	char address[IP_TEXT];
	struct ipaddr ip;
	bool is_known;
	/* What came of it. */
	int ret;
	const char *stored;
};

static void later_free(struct later *later)
{
	crypto_wipe(later, sizeof(*later));
	free(later);
}

static json_t *call_finish(struct gatehoused *g, void *data)
{
	const struct later *later = data;

	return later->finish(g, later);
}

static void on_password(void *data, int ret, const char *stored)
{
	struct later *later = data;
	struct gatehoused *g = later->g;
	json_t *reply;

	if (ret == -ECANCELED) { /* the daemon ends */
		later_free(later);
		return;
	}
	later->ret = ret;
	later->stored = stored;
	reply = ops_run(g, later->operation, call_finish, later);
	access_log_note(g->access_log, later->operation, &later->caller,
		reply_code(reply), later->begun_ns);
	ctl_server_answer(g->ctl, later->ticket, reply);
	later_free(later);
}

static struct later *later_new(struct gatehoused *g, const struct caller *caller,
	const char *operation,
	json_t *(*finish)(struct gatehoused *g, const struct later *later))
{
	struct later *later = xcalloc(1, sizeof(*later));

	later->g = g;
	later->operation = operation;
	later->finish = finish;
	later->begun_ns = clock_mono_ns();
	later->caller = *caller;
	return later;
}

/* NULL: the reply comes later; `later` is taken. */
static json_t *wait_for_it(struct later *later, int ret)
{
	if (!ret) {
		later->ticket = ctl_server_defer(later->g->ctl);
		return NULL;
	}
	later_free(later);
	if (ret == -EBUSY)
		return reply_refuse(CTL_slow_down,
			"Others are logging in; please try again in a moment.");
	return reply_failed("checking a password", ret);
}

/* Accounts. */

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
	return wait_for_it(later,
		passwords_make(g->passwords, a->password, on_password, later));
}

static json_t *say_ended(const struct operator *operator, int64_t ended)
{
	return reply_fields("{s:s, s:s, s:I}", "name", operator->name, "role",
		role_name(operator->role), "ended", (json_int_t)ended);
}

/* The account is another one than when it was asked for: by its id. */
static json_t *finish_password(struct gatehoused *g, const struct later *later)
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
	later = later_new(g, caller, "operators.passwd", finish_password);
	later->id = operator.id;
	return wait_for_it(later,
		passwords_make(g->passwords, a->password, on_password, later));
}

static json_t *finish_pin(struct gatehoused *g, const struct later *later)
{
	struct operator operator;
	int ret = later->ret;

	if (!ret)
		ret = store_operator_lookup(g->store, later->id, &operator);
	if (!ret) {
		memcpy(operator.pin, later->stored, sizeof(operator.pin));
		ret = store_operator_put(g->store, &operator);
	}
	if (!ret)
		ret = audit_now(g, &later->caller, "operator.pin", NULL,
			operator.name);
	return ret ? reply_failed("operators.pin", ret)
		   : reply_fields("{s:s, s:s, s:s}", "name", operator.name,
			     "role", role_name(operator.role), "message",
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
	return wait_for_it(later,
		passwords_make(g->passwords, a->pin, on_password, later));
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
	ret = store_operator_sessions_remove(g->store, operator.id, 0, &ended);
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

/* Logins. */

static struct login_try try_of(const struct later *later)
{
	return (struct login_try){.name = later->name,
		.address = later->ip,
		.is_known = later->is_known};
}

static json_t *finish_login(struct gatehoused *g, const struct later *later)
{
	struct login_try try = try_of(later);
	char text[OPERATOR_TOKEN], detail[96];
	struct operator operator;
	int64_t expires_at = 0;
	int ret = later->ret;

	/* What is right is no more so if it was changed meanwhile. */
	if (!ret)
		ret = later->id ? store_operator_lookup(
					  g->store, later->id, &operator)
				: -EACCES;
	if (ret == -ENOENT ||
		(!ret && strcmp(operator.password, later->before)))
		ret = -EACCES;
	if (ret == -EACCES)
		alarms_raise(g->alarms, "login_refused", SEVERITY_MEDIUM, NULL,
			NULL, 0,
			"a wrong name or password at the operators' portal");
	if (ret == -EACCES)
		return reply_refuse(CTL_wrong_password,
			"The name or the password is wrong.");
	if (!ret)
		ret = operator_login(g->store, &operator, later->address,
			clock_wall_sec(), text, &expires_at);
	snprintf(detail, sizeof(detail), "from %s", later->address);
	if (!ret)
		ret = audit_now(g, &later->caller, "login", NULL, detail);
	if (ret)
		return reply_failed("operators.login", ret);
	login_throttle_right(g->login_throttle, &try, clock_mono_ns());
	return reply_fields("{s:s, s:s, s:s, s:o}", "token", text, "name",
		operator.name, "role", role_name(operator.role), "expiresAt",
		json_time(expires_at));
}

/* Whose login it is, as far as there is such an account. */
static int find_login(struct gatehoused *g, struct later *later)
{
	struct operator operator;
	int ret = store_operator_by_name(g->store, later->name, &operator);

	if (ret == -ENOENT) {
		/* What was typed there may be a password. */
		snprintf(later->caller.who, sizeof(later->caller.who),
			"nobody");
		return 0;
	}
	if (ret)
		return ret;
	later->id = operator.id;
	memcpy(later->before, operator.password, sizeof(later->before));
	snprintf(later->caller.who, sizeof(later->caller.who), "operator %s",
		operator.name);
	return store_operator_address_is_known(g->store, operator.id,
		later->address, clock_wall_sec() - OPERATOR_ADDRESS_SEC,
		&later->is_known);
}

json_t *op_operators_login(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_login *a = args;
	struct login_try try;
	struct later *later;
	int64_t wait;
	int ret;

	later = later_new(g, caller, "operators.login", finish_login);
	memcpy(later->name, a->name, sizeof(later->name));
	if (ip_parse(a->address, &later->ip)) {
		later_free(later);
		return reply_refuse(
			CTL_bad_request, "address is not an IP address.");
	}
	ip_format(&later->ip, later->address);
	ret = find_login(g, later);
	if (ret)
		return wait_for_it(later, ret);
	if (!later->is_known &&
		passwords_waiting(g->passwords) >= STRANGERS_WAITING)
		return wait_for_it(later, -EBUSY);
	try = try_of(later);
	wait = login_throttle_try(g->login_throttle, &try, clock_mono_ns());
	if (wait) {
		later_free(later);
		return reply_slow_down(wait);
	}
	/* A name that does not exist takes as long. */
	ret = later->id ? passwords_check(g->passwords, a->password,
				  later->before, on_password, later)
			: passwords_make(g->passwords, a->password, on_password,
				  later);
	return wait_for_it(later, ret);
}

/* The old one was right: now the new one is made. */
static void on_old_password(void *data, int ret, const char *stored)
{
	struct later *later = data;
	struct login_try try = try_of(later);

	if (!ret) {
		login_throttle_right(
			later->g->login_throttle, &try, clock_mono_ns());
		ret = passwords_make(later->g->passwords, later->password,
			on_password, later);
	}
	if (ret)
		on_password(later, ret, NULL);
}

static json_t *finish_own(struct gatehoused *g, const struct later *later)
{
	if (later->ret == -EACCES)
		return reply_refuse(CTL_wrong_password,
			"The old password is another one.");
	if (later->ret == -EBUSY)
		return reply_slow_down(NSEC_PER_SEC);
	return finish_password(g, later);
}

json_t *op_operators_password(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_password *a = args;
	struct operator operator;
	struct login_try try;
	struct later *later;
	const char *fault;
	int64_t wait;
	int ret = store_operator_lookup(g->store, caller->operator_id, &operator);

	if (ret)
		return reply_failed("operators.password", ret);
	fault = operator_password_fault(operator.name, a->password);
	if (fault)
		return reply_refuse(CTL_bad_request, "%s", fault);
	later = later_new(g, caller, "operators.password", finish_own);
	later->id = operator.id;
	later->is_known = true;
	memcpy(later->name, operator.name, sizeof(operator.name));
	memcpy(later->password, a->password, sizeof(later->password));
	try = try_of(later);
	wait = login_throttle_try(g->login_throttle, &try, clock_mono_ns());
	if (wait) {
		later_free(later);
		return reply_slow_down(wait);
	}
	return wait_for_it(later,
		passwords_check(g->passwords, a->old_password, operator.password,
			on_old_password, later));
}

/* What this role may ask for: a page need not offer what would be refused. */
static json_t *operations_of(enum role role)
{
	json_t *names = json_array();
	const struct op *op;

	for (op = ops; op->name; op++)
		if (op->proofs & PROOF_OPERATOR && role >= op->least)
			json_array_append_new(names, json_string(op->name));
	return names;
}

json_t *op_operators_me(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	struct operator operator;
	int ret = store_operator_lookup(g->store, caller->operator_id, &operator);

	if (ret)
		return reply_failed("operators.me", ret);
	return reply_fields("{s:s, s:s, s:o, s:o}", "name", operator.name,
		"role", role_name(caller->role), "expiresAt",
		json_time(caller->operator_expires_at), "operations",
		operations_of(caller->role));
}

json_t *op_operators_leave(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	int ret;

	if (!caller->operator_session)
		return reply_refuse(CTL_conflict,
			"This is an API token; it ends with `gatehousectl "
			"operator token remove`.");
	ret = store_operator_session_remove(g->store, caller->operator_session);
	if (!ret)
		ret = audit_now(g, caller, "logout", NULL, NULL);
	return ret ? reply_failed("operators.leave", ret) : reply_ok();
}
