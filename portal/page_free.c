/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free time by a button. As with a voucher the answer is the session itself
 * with its resume link: the token is handed out here and only now.
 */
#include "pages.h"

static void on_free(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);

	if (outcome->code && outcome->status >= 500) {
		page_outcome_error(req, outcome);
		return;
	}
	if (outcome->code) {
		page_refused(view, outcome);
		page_entry(req, view, outcome->status, outcome->reply,
			page_sentence(req, outcome->code, outcome->error));
		return;
	}
	page_session_values(req, view, outcome->reply, "running");
	view_set_flag(view, "fresh", true);
	page_send(req, 200, "welcome.html", view);
}

void page_free(struct request *req)
{
	json_t *args = json_object();

	page_accept(req, args);
	operation_start(req, "guest.free", args, on_free);
}
