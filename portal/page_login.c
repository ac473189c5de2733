/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logging in by the venue's QR code (docs/design.md 6.7, U8): how to scan it,
 * then who the guest is, then the proof of it where one is needed. The poster's
 * token comes in the address once and from then on travels in the form; the
 * script takes it out of the address, and no page of ours tells others where a
 * guest comes from.
 */
#include "base/text.h"
#include "base/util.h"
#include "locale.h"
#include "pages.h"
#include "qr_login.h"
#include "response.h"

/* A poster that leads nowhere any more: another one is to be scanned. */
static bool is_about_the_poster(const char *code)
{
	return !strcmp(code, "qr_unknown") || !strcmp(code, "qr_expired") ||
	       !strcmp(code, "qr_revoked") || !strcmp(code, "not_on_site");
}

static const char *typed(const struct request *req, const char *name, size_t max)
{
	const char *text = form_get(&req->form, name);

	text = text ? text + strspn(text, " ") : "";
	return strlen(text) <= max ? text : "";
}

/* The poster's token, of the form or of the address. NULL: none that can be one. */
static const char *given_token(struct request *req)
{
	const char *text = form_get(&req->form, "token");

	return qr_token(req, text ? text : form_get(&req->query, "token"));
}

/* `reply` is the visitor's session, or a refusal; `sentence` may be NULL. */
static void show(struct request *req, struct view *view, int status,
	const json_t *reply, const char *sentence)
{
	const char *token = view_get(view, "poster") ? NULL : given_token(req);

	page_device(view, reply);
	/* A refusal has the session beside it. */
	page_terms(view, json_object_get(reply, "session") ?: reply);
	view_set(view, "error", sentence);
	view_set(view, "token", token);
	view_set(view, "token_here", token); /* in another language too */
	view_set(view, "id", typed(req, "id", CTL_IDENTITY_MAX));
	view_set_flag(view, "scan", !token);
	view_set_flag(view, "enter", token && !view_get(view, "prove"));
	page_send(req, status, "login.html", view);
}

static void on_session(struct request *req, const struct outcome *outcome)
{
	const char *key = req->data;
	struct view *view = page_view(req);

	if (outcome->code)
		page_outcome_error(req, outcome);
	else
		show(req, view, key ? 400 : 200, outcome->reply,
			key ? lang_text(req->lang, key) : NULL);
}

/* The page by itself; `key` says what was wrong with a form, or is NULL. */
static void start(struct request *req, const char *key)
{
	req->data = key;
	operation_start(req, "guest.session", json_object(), on_session);
}

/* Elsewhere there may be such a login, or nowhere. */
static void refuse_place(struct request *req)
{
	const struct config *config = &req->portal->config;
	int i = 0;

	while (i < config->network_count && !config->networks[i].qr_login)
		i++;
	if (i < config->network_count)
		page_error(req, 403, "not_on_site",
			"This network takes no login by QR code.");
	else
		page_error(req, 404, "not_found", "There is no such page here.");
}

void page_qr_login(struct request *req)
{
	const char *text = form_get(&req->query, "token");

	if (!request_network(req)->qr_login)
		refuse_place(req);
	else
		start(req, text && !given_token(req) ? "error_qr_unknown" : NULL);
}

/* What means something else where vouchers are. */
static const char *sentence_of(
	const struct request *req, const struct outcome *outcome)
{
	static const struct {
		const char *code, *key;
	} own[] = {
		{"conflict", "error_qr_no_plan"},
		{"outside_stay", "error_outside_stay"},
		{"devices_full", "error_qr_devices"},
		{"session_used_up", "error_qr_used_up"},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(own[i].code, outcome->code))
			return lang_text(req->lang, own[i].key);
	return page_sentence(req, outcome->code, outcome->error);
}

/* What proves it: the PIN of staff ("pin"), or what the booking says: a last name,
 * a room, or "both" of them. */
static void ask_secret(struct request *req, struct view *view, const char *kind)
{
	bool is_pin = !strcmp(kind, "pin"), is_both = !strcmp(kind, "both");

	view_set_flag(view, "prove", true);
	view_set_flag(view, "pin", is_pin);
	view_set(view, "secret_text",
		lang_text(req->lang, is_pin    ? "qr_prove_pin"
				     : is_both ? "qr_prove_both"
					       : "qr_prove_text"));
	view_set(view, "secret_label",
		lang_text(req->lang, is_pin    ? "qr_pin"
				     : is_both ? "qr_proof_both"
					       : "qr_proof"));
}

/* After many wrong tries it is more than the minute that is said elsewhere. */
static void set_wait(struct request *req, struct view *view, const json_t *reply)
{
	int64_t wait = json_integer_value(json_object_get(reply, "retryAfter"));

	if (wait > 60)
		view_set(view, "wait",
			lang_duration(&req->arena, req->lang, wait + 59));
}

static void refuse(struct request *req, const struct outcome *outcome)
{
	const char *kind = json_string_value(
		json_object_get(outcome->reply, "secretKind"));
	const char *sentence = sentence_of(req, outcome);
	struct view *view;

	if (outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	view = page_view(req);
	view_set_flag(view, "poster", is_about_the_poster(outcome->code));
	set_wait(req, view, outcome->reply);
	if (kind && !strcmp(outcome->code, "second_factor_required")) {
		ask_secret(req, view, kind);
		sentence = *typed(req, "secret", CTL_SECRET_MAX)
				   ? lang_text(req->lang, "error_qr_secret")
				   : NULL;
	}
	show(req, view, outcome->status, outcome->reply, sentence);
}

/* Who may do more than the guests' pages can show goes on with the operators'
 * pages; a form must not lead to another site by itself, so by a link. */
static void show_other_site(struct request *req, const char *address)
{
	struct view *view = page_view(req);

	view_set(view, "other_site",
		arena_copy(&req->arena, address, strlen(address)));
	page_send(req, 200, "login.html", view);
}

static void on_login(struct request *req, const struct outcome *outcome)
{
	const char *to;

	if (outcome->code) {
		refuse(req, outcome);
		return;
	}
	qr_cookie_keep(req, outcome->reply);
	to = json_string_value(json_object_get(outcome->reply, "redirectUrl"));
	/* A whole new page: sign-in sheets look again after one. */
	if (to && *to == '/')
		response_redirect(req, 303, to);
	else if (to)
		show_other_site(req, to);
	else
		response_redirect(req, 303, "/");
}

static void enter(struct request *req, const char *token, const char *id)
{
	json_t *args = qr_login_args(
		req, token, id, typed(req, "secret", CTL_SECRET_MAX));

	page_accept(req, args);
	operation_start(req, "qr.login", args, on_login);
}

void page_qr_enter(struct request *req)
{
	const char *token = given_token(req);
	const char *id = typed(req, "id", CTL_IDENTITY_MAX);

	if (!token)
		start(req, "error_qr_unknown");
	else if (*id)
		enter(req, token, id);
	else
		start(req, form_get(&req->form, "id") ? "error_qr_id" : NULL);
}

static void on_logout(struct request *req, const struct outcome *outcome)
{
	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	/* Over already is over, too. */
	qr_cookie_delete(req);
	response_redirect(req, 303, "/");
}

void page_qr_logout(struct request *req)
{
	struct qr_cookie cookie;
	json_t *args;

	if (!qr_cookie_read(req, &cookie)) {
		response_redirect(req, 303, "/");
		return;
	}
	args = json_object();
	qr_cookie_put(&cookie, args);
	operation_start(req, "qr.logout", args, on_logout);
}
