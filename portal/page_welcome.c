/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The welcome page: what the daemon says about the client that asks, as the
 * voucher form or as the running session; the same answers a form that was
 * refused, with the reason above it. The GET changes nothing: ?code= fills the
 * form in, ?url= is the page first asked for; ?ended and ?next are the
 * script's, which saw a session or a credit end.
 */
#include "base/util.h"
#include "pages.h"
#include "response.h"

/* Why a session is over, and which text says so. */
static const struct {
	const char *reason, *key;
} ends[] = {
	{"expired", "ended_time"},
	{"used up", "ended_data"},
	{"ended by operator", "ended_desk"},
	{"refunded", "ended_refund"},
};

/* What has changed since the guest looked last: the session is over, or the
 * next credit has begun. NULL: nothing. */
static const char *notice_of(const struct request *req, const json_t *session)
{
	const char *reason =
		json_string_value(json_object_get(session, "endReason"));
	size_t i;

	for (i = 0; reason && i < ARRAY_SIZE(ends); i++)
		if (!strcmp(ends[i].reason, reason))
			return lang_text(req->lang, ends[i].key);
	if (json_array_size(json_object_get(session, "credits")))
		return form_get(&req->query, "next")
			       ? lang_text(req->lang, "next_begun")
			       : NULL;
	return form_get(&req->query, "ended") ? lang_text(req->lang, "ended")
					      : NULL;
}

static void on_session(struct request *req, const struct outcome *outcome)
{
	const char *code = form_get(&req->query, "code"), *state;
	struct view *view;

	if (outcome->code) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	state = json_string_value(json_object_get(outcome->reply, "state"));
	page_session_values(req, view, outcome->reply, state ? state : "captive");
	if (code && strlen(code) <= CTL_CODE_MAX) {
		view_set(view, "code", code);
		view_set_flag(view, "scanned", true);
	}
	view_set(view, "notice", notice_of(req, outcome->reply));
	/* The token of a session that is over brings nothing back. */
	view_set_flag(view, "cookie",
		request_token(req) &&
			!json_object_get(outcome->reply, "endReason"));
	/* What has just been restored is not restored again by the script. */
	view_set_flag(
		view, "restored", form_get(&req->query, "restored") != NULL);
	view_set_flag(view, "wispr", state && !strcmp(state, "captive"));
	page_send(req, 200, "welcome.html", view);
}

/* What is wrong with a form, before the daemon is asked. */
struct slip {
	int status;
	const char *sentence;
};

void page_entry(struct request *req, struct view *view, int status,
	const json_t *reply, const char *sentence)
{
	const char *code = form_get(&req->form, "code");
	const json_t *session = json_object_get(reply, "session");
	const char *state =
		json_string_value(json_object_get(session, "state"));

	page_session_values(req, view, session,
		state && strcmp(state, "blocked") ? state : "captive");
	page_device(view, reply);
	view_set(view, "error", sentence);
	if (code && strlen(code) <= CTL_CODE_MAX)
		view_set(view, "code", code);
	view_set_flag(view, "after_error", sentence != NULL);
	page_send(req, status, "welcome.html", view);
}

static void on_asked(struct request *req, const struct outcome *outcome)
{
	const struct slip *slip = req->data;
	json_t *reply = json_object();

	json_object_set(reply, "session", (json_t *)outcome->reply);
	page_entry(req, page_view(req), slip->status, reply, slip->sentence);
	json_decref(reply);
}

void page_slip(struct request *req, int status, const char *key)
{
	struct slip *slip = arena_alloc(&req->arena, sizeof(*slip));

	slip->status = status;
	slip->sentence = lang_text(req->lang, key);
	req->data = slip;
	/* Without the token: nobody has shown yet that the form is ours. */
	operation_start(req, "guest.session", json_object(), on_asked);
}

void page_form_again(struct request *req)
{
	if (req->portal->instance == INSTANCE_OPERATOR)
		page_login_again(req);
	else
		page_slip(req, 403, "error_form_again");
}

void page_welcome(struct request *req)
{
	operation_start_session(req, on_session);
}
