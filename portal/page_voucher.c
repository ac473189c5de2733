/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redeeming a voucher from the form. A refusal shows the form again with the
 * reason above it and the code still in it; success shows the session, with
 * the resume link, because the token is handed out here and only now. No
 * redirect, therefore: a browser that keeps no cookies would lose it. Who loads
 * that page anew sends the code once more, and is told that it is in use here.
 */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "pages.h"

#define LINE_SECONDS 10 /* a wait in line, not one for tries of one's own */

/* Many try at once: the page goes on by itself when it is its turn. */
static const char *refusal(
	struct request *req, struct view *view, const struct outcome *outcome)
{
	int64_t wait = json_integer_value(
		json_object_get(outcome->reply, "retryAfter"));

	if (wait < 1 || wait > LINE_SECONDS || strcmp(outcome->code, "slow_down") != 0)
		return page_sentence(req, outcome->code, outcome->error);
	view_format(view, "again_in", "%d", (int)wait);
	return lang_text(req->lang, "error_in_line");
}

static void on_activated(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	if (json_is_true(json_object_get(outcome->reply, "yours"))) {
		view_set(view, "notice", lang_text(req->lang, "voucher_yours"));
		view_set_flag(view, "fresh", true);
		page_entry(req, view, 200, outcome->reply, NULL);
		return;
	}
	if (outcome->code) {
		page_refused(view, outcome);
		page_entry(req, view, outcome->status, outcome->reply,
			refusal(req, view, outcome));
		return;
	}
	page_session_values(req, view, outcome->reply, "running");
	view_set_flag(view, "fresh", true);
	page_send(req, 200, "welcome.html", view);
}

void page_activate(struct request *req)
{
	const char *code = form_get(&req->form, "code");
	size_t len;
	json_t *args;

	code = code ? code + strspn(code, " ") : "";
	len = strlen(code);
	while (len && isspace((unsigned char)code[len - 1]))
		len--;
	if (!len || len > CTL_CODE_MAX) {
		page_slip(req, 400,
			len ? "error_voucher_unknown" : "error_code_missing");
		return;
	}
	args = json_object();
	json_object_set_new(args, "code", json_stringn(code, len));
	page_accept(req, args);
	operation_start(req, "vouchers.activate", args, on_activated);
}
