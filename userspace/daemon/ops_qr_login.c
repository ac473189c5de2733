/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging in by the QR code of the house (U4 to U7), for guests. The code says
 * that somebody stands in the house, and the identity which member he says he
 * is; what is more than a guest needs the PIN of an operator's account, and is
 * staff at most. A PIN takes its time to be checked, so that answer comes later.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mac.h"
#include "base/util.h"
#include "daemon/access.h"
#include "daemon/client_json.h"
#include "daemon/counters.h"
#include "daemon/group_records.h"
#include "daemon/moves.h"
#include "daemon/ops_handlers.h"
#include "daemon/passwords.h"
#include "daemon/portal_url.h"
#include "daemon/sync.h"
#include "rules/qr_login.h"

_Static_assert(QR_TOKEN_TEXT == CTL_QR_LEN + 1, "a code is what ctl.h says");
_Static_assert(QR_USER_AGENT == CTL_AGENT_MAX + 1, "and a user agent");
_Static_assert(MEMBER_IDENTITY == CTL_IDENTITY_MAX + 1, "and an identity");

/* Guests leave operators room in the line. */
#define GUESTS_WAITING (PASSWORDS_WAITING / 2)

/* Wrong ones (U7): of a client, and at a member. */
static const struct counter_rate identity_rate = {720 * NSEC_PER_SEC, 5};
static const struct counter_rate secret_rate = {360 * NSEC_PER_SEC, 10};

/* 'i': of a client; 's': at a member; 'd': at a member by a device that it was
 * in with, so that strangers do not lock it out. What a kind is not about is 0. */
struct tries {
	char kind;
	struct mac mac;
	char member[sizeof(int64_t)];
};

static struct tries tries_of_client(const struct caller *caller)
{
	return (struct tries){.kind = 'i', .mac = caller->mac};
}

static struct tries tries_at(struct gatehoused *g, const struct member *member,
	const struct caller *caller)
{
	struct tries tries = {.kind = 's'};

	memcpy(tries.member, &member->id, sizeof(member->id));
	if (store_qr_session_of_device(g->store, member->id, &caller->mac) == 0) {
		tries.kind = 'd';
		tries.mac = caller->mac;
	}
	return tries;
}

static json_t *refuse_tries(struct gatehoused *g, const struct tries *tries,
	const struct counter_rate *rate)
{
	int64_t wait = counters_wait(
		g->qr_tries, rate, tries, sizeof(*tries), clock_mono_ns());

	return wait ? reply_slow_down(wait) : NULL;
}

static void count_try(struct gatehoused *g, const struct tries *tries,
	const struct counter_rate *rate)
{
	counters_use(
		g->qr_tries, rate, tries, sizeof(*tries), clock_mono_ns());
}

/* A login under way. */
struct attempt {
	struct gatehoused *g;
	uint64_t ticket;
	int64_t begun_ns;
	struct caller caller;
	struct qr_token token;
	struct member member; /* id 0: somebody unknown */
	char pin[CRYPTO_PASSWORD]; /* that the one typed is checked against */
	char identity[MEMBER_IDENTITY];
	char agent[QR_USER_AGENT];
	int ret; /* of that */
};

static void attempt_free(struct attempt *attempt)
{
	crypto_wipe(attempt, sizeof(*attempt));
	free(attempt);
}

/* The plan of the member itself, of its role, or of the next lower one that has
 * some. NULL, or the refusal. */
static json_t *plan_of(struct gatehoused *g, const struct member *member,
	struct plan *ret_plan)
{
	const struct config *config = &g->config;
	const char *name = config->qr_unknown;
	int ret, role = (int)member->role;

	while (role > ROLE_NONE && !config->qr_plans[role][0])
		role--;
	if (member->id)
		name = config->qr_plans[role];
	ret = member->plan_id
		      ? store_plan_lookup(g->store, member->plan_id, ret_plan)
		      : store_plan_by_name(g->store, name, ret_plan);
	if (ret == -ENOENT) {
		log_warning("[qr_login] names the plan \"%s\", which there is "
			    "not", name);
		return reply_refuse(CTL_conflict,
			"There is no plan for you here yet. Please ask at the "
			"desk.");
	}
	return ret ? reply_failed("qr.login", ret) : NULL;
}

/* Where to go from here (U6). Above staff it is the operators' portal, which
 * asks for the password. */
static void add_redirect(struct gatehoused *g, const struct caller *caller,
	enum role role, json_t *reply)
{
	static const char *const landings[] = {
		[ROLE_NONE] = "/guest/concierge",
		[ROLE_STAFF] = "/staff/dashboard",
		[ROLE_SUPERVISOR] = "dashboard/supervisor",
		[ROLE_MANAGER] = "dashboard/manager",
		[ROLE_ADMIN] = "dashboard",
	};
	const struct config_network *network = config_network_numbered(
		&g->config, (uint32_t)caller->network);
	char base[PORTAL_URL] = "", url[PORTAL_URL + 32];

	if (role > ROLE_STAFF && network)
		portal_operators_url(&g->config, network, base);
	if (role > ROLE_STAFF && !base[0])
		role = ROLE_STAFF;
	snprintf(url, sizeof(url), "%s%s", base, landings[role]);
	json_object_set_new(reply, "redirectUrl", json_string(url));
}

static json_t *refuse_stay(const struct member *member, int64_t now_sec)
{
	char text[TIME_TEXT];

	return now_sec < member->check_in
		       ? reply_refuse(CTL_outside_stay,
				 "Your stay begins at %s. Until then please ask "
				 "at the desk.",
				 time_format(member->check_in, text))
		       : reply_refuse(CTL_outside_stay,
				 "Your stay ended at %s. Please ask at the "
				 "desk.",
				 time_format(member->check_out, text));
}

/* The device comes online. NULL, or the refusal. */
static json_t *admit(struct gatehoused *g, struct attempt *attempt,
	const struct moment *now, struct admitted *ret_admitted)
{
	static const struct mac nobody;
	const struct caller *caller = &attempt->caller;
	const struct guest guest = {&caller->mac, caller->network_name};
	enum outcome outcome = OUTCOME_OK;
	struct plan plan;
	json_t *refusal = plan_of(g, &attempt->member, &plan);
	int ret;

	if (!refusal)
		refusal = refuse_without_room(g, &caller->mac);
	if (refusal)
		return refusal;
	sync_touch(g->sync, &caller->mac);
	ret = member_admit(&g->rules, &guest, &attempt->member, &plan, now,
		ret_admitted, &outcome);
	if (ret)
		return reply_failed("qr.login", ret);
	if (outcome == OUTCOME_DEVICES_FULL)
		return reply_refuse(CTL_devices_full,
			"As many devices of this booking are online as may be.");
	if (outcome)
		return reply_outcome(outcome);
	if (ret_admitted->group_id)
		groups_touch(g, ret_admitted->group_id);
	if (!mac_equal(&ret_admitted->from, &nobody)) {
		sync_touch(g->sync, &ret_admitted->from);
		moves_note(g->moves, &ret_admitted->from, &caller->mac);
	}
	ret = device_seen(g, &caller->mac, NULL);
	return ret ? reply_failed("qr.login", ret) : NULL;
}

static int start(struct gatehoused *g, struct attempt *attempt,
	const struct moment *now, struct qr_login *login)
{
	struct qr_session *row = &login->row;

	memset(login, 0, sizeof(*login));
	row->member_id = attempt->member.id;
	memcpy(row->identity, attempt->identity, sizeof(row->identity));
	snprintf(row->email, sizeof(row->email), "%s",
		strchr(attempt->identity, '@') ? attempt->identity
					       : attempt->member.email);
	row->mac = attempt->caller.mac;
	row->ip = attempt->caller.ip;
	snprintf(row->network, sizeof(row->network), "%s",
		attempt->caller.network_name);
	memcpy(row->user_agent, attempt->agent, sizeof(row->user_agent));
	return qr_login_start(&g->rules, &attempt->token,
		MIN(attempt->member.role, ROLE_STAFF), now, login);
}

/* Who it is is proven. */
static json_t *let_in(struct gatehoused *g, struct attempt *attempt)
{
	const struct member *member = &attempt->member;
	struct moment now = moment_now();
	struct admitted admitted;
	struct qr_login login;
	char detail[32] = "somebody unknown";
	json_t *reply;
	int ret;

	if (!member_is_staying(member, now.wall_sec))
		return refuse_stay(member, now.wall_sec);
	reply = admit(g, attempt, &now, &admitted);
	if (reply)
		return reply;
	ret = start(g, attempt, &now, &login);
	if (member->id)
		snprintf(detail, sizeof(detail), "member %lld",
			(long long)member->id);
	if (!ret)
		ret = store_audit(g->store, now.wall_sec, attempt->caller.who,
			"qr login", &attempt->caller.mac,
			admitted.account.session.id, detail);
	if (!ret && member->id)
		ret = store_member_lookup(
			g->store, member->id, &attempt->member);
	if (ret)
		return reply_failed("qr.login", ret);
	reply = reply_ok();
	json_add_own(reply, &attempt->caller, &admitted.account, &now);
	json_object_set_new(reply, "sessionId", json_string(login.session));
	json_object_set_new(reply, "token", json_string(admitted.token));
	if (login.row.has_cookie)
		json_object_set_new(reply, "cookie", json_string(login.cookie));
	json_object_set_new(reply, "role",
		json_string(member_role_name(MIN(member->role, ROLE_STAFF))));
	json_object_set_new(
		reply, "expiresAt", json_time(login.row.expires_at));
	add_redirect(g, &attempt->caller, member->role, reply);
	json_add_stay(member, reply);
	crypto_wipe(&login, sizeof(login));
	return reply;
}

/* `is_wrong`: one was typed. "secretKind" says what the page is to ask for. */
static json_t *refuse_secret(const struct member *member, bool is_wrong)
{
	bool is_pin = member->role > ROLE_NONE;
	json_t *reply = reply_refuse(CTL_second_factor_required, "%s",
		is_pin ? (is_wrong ? "This is not your PIN."
				   : "Please type your PIN as well.")
		       : (is_wrong ? "That is not what this booking has: last "
				     "name, room, or both."
				   : "Please type the last name or the room of "
				     "your booking as well."));

	json_object_set_new(reply, "secretKind",
		json_string(is_pin			  ? "pin"
			    : member_proof_is_both(member) ? "both"
							   : "proof"));
	return reply;
}

/* What was checked is worth nothing if it was changed meanwhile. */
static json_t *finish(struct gatehoused *g, void *data)
{
	struct attempt *attempt = data;
	struct member *member = &attempt->member;
	struct tries tries = tries_at(g, member, &attempt->caller);
	struct operator operator;
	int ret = attempt->ret;

	if (!ret)
		ret = store_member_lookup(g->store, member->id, member);
	if (!ret)
		ret = store_operator_lookup(
			g->store, member->operator_id, &operator);
	if (ret == -ENOENT || (!ret && strcmp(operator.pin, attempt->pin) != 0))
		ret = -EACCES;
	if (ret == -EACCES) {
		count_try(g, &tries, &secret_rate);
		guess_missed(g, &attempt->caller);
		return refuse_secret(member, true);
	}
	return ret ? reply_failed("qr.login", ret) : let_in(g, attempt);
}

static void on_pin(void *data, int ret, const char *stored)
{
	struct attempt *attempt = data;
	struct gatehoused *g = attempt->g;
	json_t *reply;

	attempt->ret = ret;
	if (ret == -ECANCELED) { /* the daemon ends */
		attempt_free(attempt);
		return;
	}
	reply = ops_run(g, "qr.login", finish, attempt);
	ops_answered(g, op_lookup("qr.login"), &attempt->caller, reply);
	access_log_note(g->access_log, "qr.login", &attempt->caller,
		reply_code(reply), attempt->begun_ns);
	ctl_server_answer(g->ctl, attempt->ticket, reply);
	attempt_free(attempt);
}

/* Staff: takes `attempt`, and answers later. */
static json_t *ask_pin(
	struct gatehoused *g, struct attempt *attempt, const char *pin)
{
	struct operator operator;
	int ret = store_operator_lookup(
		g->store, attempt->member.operator_id, &operator);

	if (!ret && !operator.pin[0]) {
		attempt_free(attempt);
		return reply_refuse(CTL_second_factor_required,
			"Your account has no PIN yet; a manager gives it one. "
			"Or log in at the operators' portal.");
	}
	if (!ret && passwords_waiting(g->passwords) >= GUESTS_WAITING)
		ret = -EBUSY;
	if (!ret) {
		memcpy(attempt->pin, operator.pin, sizeof(attempt->pin));
		ret = passwords_check(g->passwords, pin, attempt->pin, on_pin,
			attempt);
	}
	if (!ret) {
		attempt->ticket = ctl_server_defer(g->ctl);
		return NULL;
	}
	attempt_free(attempt);
	return ret == -EBUSY ? reply_slow_down(NSEC_PER_SEC)
			     : reply_failed("qr.login", ret);
}

/* The member is found, or nobody is known by that name. Takes `attempt`. */
static json_t *prove(struct gatehoused *g, struct attempt *attempt,
	const char *secret)
{
	const struct member *member = &attempt->member;
	struct tries tries = tries_at(g, member, &attempt->caller);
	json_t *reply = NULL;

	if (member->role > ROLE_NONE || member_has_proof(member)) {
		reply = secret[0] ? refuse_tries(g, &tries, &secret_rate)
				  : refuse_secret(member, false);
		if (!reply && member->role > ROLE_NONE)
			return ask_pin(g, attempt, secret);
		if (!reply && !member_proof_is(&g->rules, member, secret)) {
			count_try(g, &tries, &secret_rate);
			guess_missed(g, &attempt->caller);
			reply = refuse_secret(member, true);
		}
	}
	if (!reply)
		reply = let_in(g, attempt);
	attempt_free(attempt);
	return reply;
}

/* NULL, or the refusal. Nobody by that name is fine where there is a plan for
 * him. */
static json_t *find_member(struct gatehoused *g, struct attempt *attempt)
{
	struct tries tries = tries_of_client(&attempt->caller);
	json_t *refusal = refuse_tries(g, &tries, &identity_rate);
	int ret;

	if (refusal)
		return refusal;
	ret = store_member_by_identity(
		g->store, attempt->identity, &attempt->member);
	if (ret != -ENOENT)
		return ret ? reply_failed("qr.login", ret) : NULL;
	memset(&attempt->member, 0, sizeof(attempt->member));
	if (strcmp(g->config.qr_unknown, "refuse") != 0)
		return NULL;
	count_try(g, &tries, &identity_rate);
	guess_missed(g, &attempt->caller);
	return reply_refuse(CTL_identity_unknown,
		"Nobody is known here by that name. Check it, or ask at the "
		"desk.");
}

/* The identity without what copying brings along; false: nothing is left. */
static bool take_identity(const char *text, char identity[static MEMBER_IDENTITY])
{
	size_t len;

	text += strspn(text, " ");
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		len--;
	memcpy(identity, text, len);
	identity[len] = '\0';
	return len > 0;
}

/* The code on the poster. NULL, or the refusal. */
static json_t *find_code(struct gatehoused *g, const struct caller *caller,
	const char *text, struct qr_token *ret_token)
{
	struct moment now = moment_now();
	enum outcome outcome = OUTCOME_OK;
	int ret = qr_token_find(&g->rules, text, &now, ret_token, &outcome);

	if (ret)
		return reply_failed("qr.login", ret);
	if (outcome == OUTCOME_QR_UNKNOWN)
		guess_missed(g, caller);
	return outcome ? reply_outcome(outcome) : NULL;
}

static json_t *refuse_place(struct gatehoused *g, const struct caller *caller)
{
	const struct config_network *network = config_network_numbered(
		&g->config, (uint32_t)caller->network);

	if (network && network->qr_login)
		return NULL;
	return reply_refuse(CTL_not_on_site,
		"This network does not take logins by QR code. Join the Wi-Fi "
		"that stands beside the code.");
}

json_t *op_qr_login(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	const struct args_qr_login *a = args;
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	json_t *refusal;

	attempt->g = g;
	attempt->begun_ns = clock_mono_ns();
	attempt->caller = *caller;
	memcpy(attempt->agent, a->agent, sizeof(attempt->agent));
	refusal = refuse_place(g, caller);
	if (!refusal)
		refusal = find_code(g, caller, a->token, &attempt->token);
	if (!refusal && !take_identity(a->user_id, attempt->identity))
		refusal = reply_refuse(CTL_bad_request, "userId is empty.");
	if (!refusal)
		refusal = find_member(g, attempt);
	if (!refusal)
		return prove(g, attempt, a->secret);
	attempt_free(attempt);
	return refusal;
}
