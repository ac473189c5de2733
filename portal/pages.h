/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest pages: handlers of routes.c, and what they share (page.c). */
#ifndef PORTAL_PAGES_H
#define PORTAL_PAGES_H

#include "base/mac.h"
#include "operation.h"
#include "request.h"
#include "template.h"

/* Handlers. */
void page_welcome(struct request *req);	 /* page_welcome.c */
void page_activate(struct request *req); /* page_voucher.c */
void page_restore(struct request *req);	 /* page_resume.c */
void page_resume(struct request *req);
void page_leave(struct request *req);
void page_pause(struct request *req); /* page_pause.c */
void page_go_on(struct request *req);
void page_coins(struct request *req); /* page_coins.c */
void page_coins_lock(struct request *req);
void page_coins_done(struct request *req);
void page_coins_start(struct request *req);
void page_devices(struct request *req); /* page_devices.c */
void page_device_add(struct request *req);
void page_device_remove(struct request *req);
void page_free(struct request *req); /* page_free.c */
void page_plans(struct request *req); /* page_plans.c */
void page_venue(struct request *req); /* page_venue.c */
void page_venue_image(struct request *req);
void page_help(struct request *req); /* page_help.c */
void page_terms_text(struct request *req); /* page_terms.c */
void page_qr_login(struct request *req); /* page_login.c */
void page_qr_enter(struct request *req);
void page_qr_logout(struct request *req);
void page_concierge(struct request *req); /* page_concierge.c */
void page_staff(struct request *req); /* page_staff.c */
void page_staff_client(struct request *req);
void page_staff_time(struct request *req);
void page_staff_pause(struct request *req);
void page_staff_go_on(struct request *req);
void page_staff_move(struct request *req);
void page_staff_plans(struct request *req);
void page_staff_sell(struct request *req);
void page_login(struct request *req); /* page_operator.c */
void page_login_code(struct request *req);
void page_logout(struct request *req);
void page_to_operators(struct request *req);
void page_asset(struct request *req);
void page_icon(struct request *req);

/*
 * A view with what each template may use: venue, coins, lang, languages, version,
 * form (token), and of the page first asked for (query or form field `url`)
 * url and host.
 */
struct view *page_view(struct request *req);
void page_send(struct request *req, int status, const char *template,
	struct view *view);
/* A venue's own page, which brand_html.c has checked, in our frame. */
void page_send_venue(
	struct request *req, struct view *view, const struct buf *inner);
/* The sentence for a code in the guest's language; `error` where there is
 * none. */
const char *page_sentence(
	const struct request *req, const char *code, const char *error);

/* A page that says no more than the error. */
void page_error(
	struct request *req, int status, const char *code, const char *error);
void page_outcome_error(struct request *req, const struct outcome *outcome);
/* Which device it is, for the desk: the MAC in a reply, if it has one. */
void page_device(struct view *view, const json_t *reply);
/* The terms of use that this device has not accepted yet, as forms carry them. */
void page_terms(struct view *view, const json_t *reply);
/* What the form says of them, for an operation that begins something. */
void page_accept(const struct request *req, json_t *args);
/* `text` as a QR code: qr (the path) and qr_size; neither when it is too long.
 * In page_qr.c. */
void page_qr(struct view *view, const char *text);
/* The device of a refusal, and the link to /help where that knows more. */
void page_refused(struct view *view, const struct outcome *outcome);
/*
 * What was sent was refused: the page of the "session" in the refusal, or the
 * voucher form, with the sentence above it; what was typed stays in the form.
 */
void page_entry(struct request *req, struct view *view, int status,
	const json_t *reply, const char *sentence);
/* The same for what is no question for the daemon: asks it for the session
 * only. `key`: of the sentence. */
void page_slip(struct request *req, int status, const char *key);
/* The form came from a page that is too old to be sure of: show it anew. */
void page_form_again(struct request *req);
/* Nobody is logged in, or not any more: the form to do so. */
void page_log_in(struct request *req);
/* The form again, on the operators' instance. */
void page_login_again(struct request *req);
/* Is this a refusal about which the page of page_advice() knows more? */
bool page_has_advice(const char *code);
/* How to fix a private address; with a sentence why it is shown, or NULL. */
void page_advice(struct request *req, struct view *view, int status,
	const char *sentence);

/* An address as it stands on a label: with colons, dashes, spaces or nothing
 * between. In page_devices.c. */
bool page_read_mac(const char *text, char ret_mac[static MAC_TEXT]);
/* A time of a reply by the clock of the box, with its day. NULL: there is none.
 * In page_session.c. */
const char *page_local_time(struct request *req, const json_t *time);
/* Fills in what a session of the daemon's reply says; `state` as in its
 * "state". In page_session.c. */
void page_session_values(struct request *req, struct view *view,
	const json_t *session, const char *state);

/* "08:00-12:00, 14:00-22:00" from the daemon's way to say it. The same file. */
void page_hours(struct view *view, const char *name, const char *hours);

#endif
