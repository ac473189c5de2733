/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Redeeming a voucher from the form. A refusal shows the form again with the
 * reason above it and the code still in it; success shows the session, with
 * the resume link, because the token is handed out here and only now.
 */
#include <ctype.h>

#include "base/util.h"
#include "pages.h"

static void on_activated(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	if (outcome->code) {
		page_refused(view, outcome);
		page_entry(req, view, outcome->status,
			page_sentence(req, outcome->code, outcome->error));
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
		page_entry(req, page_view(req), 400,
			lang_text(req->lang, len ? "error_voucher_unknown"
						 : "error_code_missing"));
		return;
	}
	args = json_object();
	json_object_set_new(args, "code", json_stringn(code, len));
	operation_start(req, "vouchers.activate", args, on_activated);
}
