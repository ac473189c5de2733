/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session and its token: going on with it on this device, the page behind
 * the resume link, and forgetting it. The token is the link's fragment, which
 * browsers keep to themselves: only the script, or the guest by pasting, hands
 * it over.
 */
#include "base/text.h"
#include "base/util.h"
#include "pages.h"
#include "response.h"

/* What was pasted: the token, or the whole link with the token at its end. */
static const char *pasted_token(const struct request *req)
{
	const char *text = form_get(&req->form, "token"), *hash;

	if (!text)
		return NULL;
	hash = strrchr(text, '#');
	if (hash)
		text = hash + 1;
	return text + strspn(text, " ");
}

static const char *trimmed(struct request *req, const char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == ' ')
		len--;
	return arena_copy(&req->arena, text, len);
}

static const char *given_token(struct request *req)
{
	const char *text = pasted_token(req);

	if (!text || !*text)
		return request_token(req);
	text = trimmed(req, text);
	return text_is_hex(text, CTL_TOKEN_LEN) ? text : NULL;
}

/* These will not become true again. */
static bool is_dead(const char *code)
{
	return !strcmp(code, "session_unknown") ||
	       !strcmp(code, "token_expired") ||
	       !strcmp(code, "session_used_up");
}

static void on_restored(struct request *req, const struct outcome *outcome)
{
	const char *token = req->data, *shown = request_token(req), *sentence;
	struct view *view = page_view(req);

	if (!outcome->code) {
		response_set_token(req, token);
		/* A whole new page: sign-in sheets look again after one. */
		response_redirect(req, 303,
			view_get(view, "url")
				? arena_printf(&req->arena, "/?restored=1&url=%s",
					  form_escape(&req->arena,
						  view_get(view, "url")))
				: "/?restored=1");
		return;
	}
	page_refused(view, outcome);
	sentence = page_sentence(req, outcome->code, outcome->error);
	if (is_dead(outcome->code) && shown && !strcmp(shown, token))
		response_set_token(req, NULL);
	if (!strcmp(outcome->code, "not_transferable"))
		page_advice(req, view, outcome->status, sentence);
	else if (outcome->status >= 500)
		page_outcome_error(req, outcome);
	else
		page_entry(req, view, outcome->status, outcome->reply, sentence);
}

void page_restore(struct request *req)
{
	const char *token = given_token(req);
	json_t *args;

	if (!token) {
		page_slip(req, 400, "error_token_missing");
		return;
	}
	req->data = token;
	args = json_object();
	json_object_set_new(args, "token", json_string(token));
	operation_start(req, "sessions.restore", args, on_restored);
}

static void on_session(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	page_device(view, outcome->reply);
	view_set_flag(view, "restores", true);
	page_send(req, 200, "resume.html", view);
}

void page_resume(struct request *req)
{
	operation_start(req, "guest.session", json_object(), on_session);
}

/* What becomes of the session that is forgotten: as the page that was left had
 * it, for the daemon is not asked. */
static void set_left(struct request *req, struct view *view)
{
	const char *state = form_get(&req->form, "state");

	view_set_flag(view, "held", state && !strcmp(state, "held"));
	view_set_flag(view, "paused", state && !strcmp(state, "paused"));
}

void page_leave(struct request *req)
{
	struct view *view = page_view(req);

	set_left(req, view);
	response_set_token(req, NULL);
	/* Browsers heed it over TLS only; the page's script wipes the rest. */
	if (req->endpoint->secure)
		response_header(req, "Clear-Site-Data", "\"storage\"");
	page_send(req, 200, "left.html", view);
}
