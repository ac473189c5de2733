/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operators' pages. A page is a row: its template and what it asks the
 * daemon for, one operation after the other, each with the login's token. Which
 * operations somebody may ask for is the daemon's word ("operations" of
 * operators.me): what is not among them is not asked and, by the flag
 * "may.<operation>" of the view, not shown. No rule about roles lives here.
 */
#ifndef PORTAL_DESK_H
#define PORTAL_DESK_H

#include "base/json.h"
#include "operation.h"
#include "pages.h"

#define DESK_LOOKS_MAX 6

/* One thing that a page asks for. */
struct desk_look {
	const char *op; /* NULL: the last one was before */
	/* Its arguments, the caller's then; NULL: not this time. Without this
	 * function there are none. */
	json_t *(*args)(struct request *req);
	/* What of the reply is shown. */
	void (*show)(struct request *req, struct view *view, const json_t *reply);
};

struct desk_page {
	const char *path;     /* where it is, to link to */
	const char *template; /* desk_<noun>.html */
	const char *title;    /* key of its text */
	const char *needs;    /* who may not ask for this has no such page */
	/* Those that may be asked for, in order. */
	struct desk_look looks[DESK_LOOKS_MAX];
};

/* A handler's whole work; whoever is not logged in is shown the login. */
void desk_show(struct request *req, const struct desk_page *page);
/* The same page after a form of it was refused: the sentence is above it. */
void desk_show_refused(struct request *req, const struct desk_page *page,
	const struct outcome *outcome);
/* A view with what every page of the desk has, for who is logged in by `me`. */
struct view *desk_view(
	struct request *req, const struct desk_page *page, const json_t *me);
/* Answers. Pictures may be in the page as data, because they show secrets. */
void desk_send(struct request *req, int status, const char *template,
	struct view *view);
/* A page for the printer with its styles in a <style>; `body` is taken. In
 * desk_sheet.c. */
void desk_send_paper(struct request *req, struct buf *body);
/* Asks with the login of this request, which there is. */
void desk_ask(
	struct request *req, const char *op, json_t *args, operation_fn *fn);
/* A reply for a later callback, as text: the arena's, so it goes with the
 * request, also when the browser hangs up. */
const char *desk_keep(struct request *req, const json_t *json);
/* A refusal that no page of ours can say better. */
void desk_error(struct request *req, const struct outcome *outcome);

/* Handlers of routes.c. */
void desk_home(struct request *req);	/* desk_home.c */
void desk_supervisor(struct request *req);
void desk_manager(struct request *req);
void desk_clients(struct request *req); /* desk_clients.c */
void desk_client(struct request *req);
void desk_vouchers(struct request *req); /* desk_vouchers.c */
void desk_batch(struct request *req);
void desk_sheet(struct request *req);
void desk_members(struct request *req); /* desk_members.c */
void desk_member(struct request *req);
void desk_members_import(struct request *req);
void desk_qr(struct request *req); /* desk_qr.c */
void desk_qr_image(struct request *req);
void desk_qr_poster(struct request *req);
void desk_account(struct request *req); /* desk_account.c */
void desk_do(struct request *req); /* desk_forms.c */

/* Pages that forms lead back to. */
extern const struct desk_page desk_page_client, desk_page_shift;
extern const struct desk_page desk_page_vouchers, desk_page_batch;
extern const struct desk_page desk_page_account;
extern const struct desk_page desk_page_members, desk_page_member, desk_page_qr;

/* What a form's answer is shown as, instead of going back to its page. */
void desk_show_sold(struct request *req, const struct outcome *outcome);
void desk_show_secret(struct request *req, const struct outcome *outcome);
/* "secret" and "url" of a reply, for the operator's app: typed, and as a picture. */
void desk_put_secret(struct view *view, const json_t *reply);
void desk_show_voucher(struct request *req, const struct outcome *outcome);

/* Values of replies as text; nothing is set for null. In desk_text.c. */
void desk_put_text(struct view *view, const char *name, const json_t *value);
void desk_put_int(struct view *view, const char *name, const json_t *value);
/* By the clock of the box. */
void desk_put_time(struct request *req, struct view *view, const char *name,
	const json_t *value);
/* "2 days 3 hours"; of what has no end the words for that. */
void desk_put_rest(struct request *req, struct view *view, const char *name,
	const json_t *seconds);
void desk_put_bytes(struct request *req, struct view *view, const char *name,
	const json_t *bytes);
/* `minor`: the field of the amount; its "currency" is beside it. */
void desk_put_money(struct request *req, struct view *view, const char *name,
	const json_t *object, const char *minor);
/* The text `prefix`_`word`, or the word itself where there is none. */
void desk_put_word(struct request *req, struct view *view, const char *name,
	const char *prefix, const json_t *word);
/* One more argument, of the query or the form; nothing when it is not there. */
void desk_arg_text(const struct form *form, const char *field, json_t *args,
	const char *name);
void desk_arg_int(const struct form *form, const char *field, json_t *args,
	const char *name);
/* A picture as an address that has it in it; NULL: none, "". The caller's. */
char *desk_data_url(const char *type, const char *data, size_t len);
/* The list "plans" of plans.list: plan, price; "no_plans" when it is empty. */
void desk_put_plans(
	struct request *req, struct view *view, const json_t *reply);
/* The link to the next page of a list that is longer: "next" of the reply. */
void desk_put_next(
	struct request *req, struct view *view, const json_t *reply);

#endif
