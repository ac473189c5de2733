/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations about logins: the password, the code of an app behind it, an
 * operator's own password and who is logged in (N12, T1). Wrong ones are counted
 * for the address and for the account; which of the two was wrong nobody learns.
 */
#include <string.h>

#include "base/clock.h"
#include "base/role.h"
#include "base/util.h"
#include "daemon/alarms.h"
#include "daemon/client_json.h"
#include "daemon/later.h"
#include "daemon/login_throttle.h"
#include "daemon/ops_handlers.h"
#include "daemon/second_step.h"
#include "rules/operator.h"
#include "rules/second_factor.h"

/* Strangers leave the others room in the line. */
#define STRANGERS_WAITING (PASSWORDS_WAITING / 2)

static struct login_try try_of(const struct later *later)
{
	return (struct login_try){.name = later->name,
		.address = later->ip,
		.is_known = later->is_known};
}

/* Everything was right: a session. */
static json_t *log_in(struct gatehoused *g, const struct caller *caller,
	struct operator *operator, const struct login_try *try,
	const char *address)
{
	char text[OPERATOR_TOKEN], detail[96];
	int64_t expires_at = 0;
	int ret = operator_login(g->store, operator, address, clock_wall_sec(),
		text, &expires_at);

	snprintf(detail, sizeof(detail), "from %s", address);
	if (!ret)
		ret = audit_now(g, caller, "login", NULL, detail);
	if (ret)
		return reply_failed("operators.login", ret);
	login_throttle_right(g->login_throttle, try, clock_mono_ns());
	return reply_fields("{s:s, s:s, s:s, s:o}", "token", text, "name",
		operator->name, "role", role_name(operator->role), "expiresAt",
		json_time(expires_at));
}

/* By the setting; those whose account is on show a code anyway. */
static bool needs_second(struct gatehoused *g, enum role role)
{
	enum role least;

	return role_parse(g->config.second_factor, &least) == 0 && role >= least;
}

/* The password was right. It stays counted as a try until the code was, too. */
static json_t *ask_second(struct gatehoused *g, const struct later *later,
	const struct operator *operator, bool is_on)
{
	char ticket[CTL_TICKET_LEN + 1];
	struct second_step step = {
		.operator_id = operator->id,
		.ip = later->ip,
		.is_known = later->is_known,
		.enrols = !is_on,
	};
	json_t *reply;

	memcpy(step.password, operator->password, sizeof(step.password));
	memcpy(step.address, later->address, sizeof(step.address));
	if (step.enrols)
		crypto_random(step.secret, sizeof(step.secret));
	second_steps_add(g->second_steps, &step, clock_mono_ns(), ticket);
	reply = reply_refuse(CTL_second_factor_required,
		"Please enter the code that your app shows.");
	json_object_set_new(reply, "ticket", json_string(ticket));
	if (step.enrols)
		totp_describe(g, step.secret, operator->name, reply);
	crypto_wipe(&step, sizeof(step));
	return reply;
}

/* Is the code right; 0, -EACCES. One that enrols makes its secret the account's. */
static int check_second(
	struct gatehoused *g, const struct second_step *step, const char *code)
{
	int64_t used;

	if (!step->enrols)
		return second_factor_check(&g->rules, step->operator_id, true,
			code, clock_wall_sec());
	used = totp_step(step->secret, code, clock_wall_sec(), 0);
	if (used < 0)
		return (int)used;
	return second_factor_put(
		&g->rules, step->operator_id, step->secret, true, used);
}

static json_t *wrong_code(struct gatehoused *g, struct second_step *step,
	const struct login_try *try)
{
	/* The wait, if any, is what the password meets. */
	login_throttle_try(g->login_throttle, try, clock_mono_ns());
	step->tries++;
	alarms_raise(g->alarms, "login_refused", SEVERITY_MEDIUM, NULL, NULL, 0,
		"a right password, and a wrong code behind it, at the "
		"operators' portal");
	return reply_refuse(CTL_second_factor_required,
		"This code is wrong, or was used before. Please wait for the "
		"next one.");
}

json_t *op_operators_second(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_second *a = args;
	struct second_step *step = second_steps_find(
		g->second_steps, a->ticket, clock_mono_ns());
	struct caller who = *caller;
	struct operator operator;
	struct login_try try;
	json_t *reply;
	int ret;

	ret = step ? store_operator_lookup(
			     g->store, step->operator_id, &operator)
		   : -ENOENT;
	if (ret == -ENOENT || (!ret && strcmp(operator.password, step->password)))
		return reply_refuse(CTL_not_logged_in,
			"Too late, or too many tries. Please begin with the "
			"password again.");
	if (!ret)
		ret = check_second(g, step, a->code);
	try = (struct login_try){operator.name, step->ip, step->is_known};
	if (ret == -EACCES)
		return wrong_code(g, step, &try);
	if (ret)
		return reply_failed("operators.second", ret);
	snprintf(who.who, sizeof(who.who), "operator %s", operator.name);
	reply = log_in(g, &who, &operator, &try, step->address);
	second_step_end(step);
	return reply;
}

static json_t *finish_login(struct gatehoused *g, const struct later *later)
{
	struct login_try try = try_of(later);
	struct operator operator;
	int ret = later->ret;
	bool is_on = false;

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
		ret = second_factor_is_on(g->store, operator.id, &is_on);
	if (ret)
		return reply_failed("operators.login", ret);
	if (is_on || needs_second(g, operator.role))
		return ask_second(g, later, &operator, is_on);
	return log_in(g, &later->caller, &operator, &try, later->address);
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
		return later_wait(later, ret);
	if (!later->is_known &&
		passwords_waiting(g->passwords) >= STRANGERS_WAITING)
		return later_wait(later, -EBUSY);
	try = try_of(later);
	wait = login_throttle_try(g->login_throttle, &try, clock_mono_ns());
	if (wait) {
		later_free(later);
		return reply_slow_down(wait);
	}
	/* A name that does not exist takes as long. */
	ret = later->id ? passwords_check(g->passwords, a->password,
				  later->before, later_done, later)
			: passwords_make(g->passwords, a->password, later_done,
				  later);
	return later_wait(later, ret);
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
			later_done, later);
	}
	if (ret)
		later_done(later, ret, NULL);
}

static json_t *finish_own(struct gatehoused *g, const struct later *later)
{
	if (later->ret == -EACCES)
		return reply_refuse(CTL_wrong_password,
			"The old password is another one.");
	if (later->ret == -EBUSY)
		return reply_slow_down(NSEC_PER_SEC);
	return password_changed(g, later);
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
	return later_wait(later,
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
	bool is_on = false;
	int ret = store_operator_lookup(g->store, caller->operator_id, &operator);

	if (!ret)
		ret = second_factor_is_on(g->store, operator.id, &is_on);
	if (ret)
		return reply_failed("operators.me", ret);
	return reply_fields("{s:s, s:s, s:b, s:o, s:o}", "name", operator.name,
		"role", role_name(caller->role), "totp", is_on, "expiresAt",
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
