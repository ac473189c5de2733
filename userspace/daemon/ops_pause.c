/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations that let a session's clock stand or go: pause and resume, by
 * operators and by guests for their own, hold and release. Each change leaves
 * an audit row in its own transaction.
 */
#include "base/clock.h"
#include "base/mac.h"
#include "daemon/client_json.h"
#include "daemon/ops_handlers.h"
#include "daemon/sentences.h"
#include "daemon/sync.h"
#include "rules/pause.h"

/* One way of changing the clock. */
struct way {
	const char *op, *audit;
	int (*fn)(struct rules *rules, const struct mac *mac, const char *by,
		const struct moment *now, bool *ret_changed,
		enum outcome *ret_outcome);
	const char *by;
	const char *done, *already; /* for operators; NULL: say_held() */
};

/* `ret_session` is written when it was changed. */
static int change(struct gatehoused *g, const struct caller *caller,
	const struct way *way, const struct mac *mac,
	struct session *ret_session, bool *ret_changed, enum outcome *ret_outcome)
{
	struct moment now = moment_now();
	int ret;

	*ret_changed = false;
	*ret_outcome = OUTCOME_OK;
	sync_touch(g->sync, mac);
	ret = way->fn(&g->rules, mac, way->by, &now, ret_changed, ret_outcome);
	if (ret || *ret_outcome || !*ret_changed)
		return ret;
	ret = store_session_of(g->store, mac, ret_session);
	return ret ? ret
		   : store_audit(g->store, now.wall_sec, caller->who, way->audit,
			     mac, ret_session->id, NULL);
}

/* For the operator's request about one device. */
static json_t *by_operator(struct gatehoused *g, const struct caller *caller,
	const struct way *way, const void *args)
{
	const struct args_mac *a = args;
	char message[SENTENCES];
	struct session session;
	enum outcome outcome;
	bool changed;
	int ret = change(g, caller, way, &a->mac, &session, &changed, &outcome);

	if (ret)
		return reply_failed(way->op, ret);
	if (outcome)
		return client_refused(outcome, &a->mac);
	if (way->done)
		return client_changed(
			g, &a->mac, changed ? way->done : way->already);
	if (changed && session.state == SESSION_PAUSED)
		return client_changed(g, &a->mac,
			"The session is held no more, and paused as it was before.");
	say_held(message, &a->mac, way->fn == session_hold, changed);
	return client_changed(g, &a->mac, message);
}

json_t *op_clients_pause(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way pause = {"clients.pause", "pause",
		session_pause, SESSION_BY_OPERATOR,
		"The session is paused, and its time stands still, until "
		"`gatehousectl resume` or the guest goes on.",
		"The session was paused already."};

	return by_operator(g, caller, &pause, args);
}

json_t *op_clients_resume(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way resume = {"clients.resume", "resume",
		session_resume, SESSION_BY_OPERATOR, "The session goes on.",
		"The session was not paused."};

	return by_operator(g, caller, &resume, args);
}

json_t *op_clients_hold(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way hold = {"clients.hold", "hold", session_hold,
		SESSION_HELD_BY_HAND, NULL, NULL};

	return by_operator(g, caller, &hold, args);
}

json_t *op_clients_release(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way release = {"clients.release", "release",
		session_release, SESSION_BY_OPERATOR, NULL, NULL};

	return by_operator(g, caller, &release, args);
}

/* For the guest's own session: what is shown of it afterwards is the answer. */
static json_t *by_guest(struct gatehoused *g, const struct caller *caller,
	const struct way *way)
{
	static const struct args_guest nothing_shown;
	struct session session;
	enum outcome outcome;
	bool changed;
	int ret = change(
		g, caller, way, &caller->mac, &session, &changed, &outcome);

	if (ret)
		return reply_failed(way->op, ret);
	if (outcome == OUTCOME_NOT_FOUND)
		outcome = OUTCOME_SESSION_UNKNOWN;
	return outcome ? reply_outcome(outcome)
		       : op_guest_session(g, caller, &nothing_shown);
}

json_t *op_guest_pause(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way pause = {"guest.pause", "pause", session_pause,
		SESSION_BY_USER, NULL, NULL};

	return by_guest(g, caller, &pause);
}

json_t *op_guest_resume(struct gatehoused *g, const struct caller *caller,
	const void *args)
{
	static const struct way resume = {"guest.resume", "resume",
		session_resume, SESSION_BY_USER, NULL, NULL};

	return by_guest(g, caller, &resume);
}
