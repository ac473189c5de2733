/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The welcome page: what the daemon says about the client that asks, as the
 * voucher form or as the running session. It is a GET and changes nothing:
 * ?code= fills the form in, ?url= is the page first asked for.
 */
#include "base/util.h"
#include "pages.h"
#include "response.h"

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
	if (code && strlen(code) <= CTL_CODE_MAX)
		view_set(view, "code", code);
	view_set_flag(view, "cookie", request_token(req) != NULL);
	/* What has just been restored is not restored again by the script. */
	view_set_flag(
		view, "restored", form_get(&req->query, "restored") != NULL);
	page_send(req, 200, "welcome.html", view);
}

void page_welcome(struct request *req)
{
	operation_start_session(req, on_session);
}
