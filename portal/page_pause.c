/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pausing the own session and going on with it. Done, the browser is sent to
 * the start page: to load that anew changes nothing, and sign-in sheets look
 * again. A refusal shows the session with the reason above it.
 */
#include "base/util.h"
#include "pages.h"
#include "response.h"

static void on_changed(struct request *req, const struct outcome *outcome)
{
	struct view *view = page_view(req);
	const char *url = view_get(view, "url");

	if (!outcome->code)
		response_redirect(req, 303,
			url ? arena_printf(&req->arena, "/?url=%s",
				      form_escape(&req->arena, url))
			    : "/");
	else if (outcome->status >= 500)
		page_outcome_error(req, outcome);
	else
		page_entry(req, view, outcome->status, outcome->reply,
			page_sentence(req, outcome->code, outcome->error));
}

void page_pause(struct request *req)
{
	operation_start(req, "guest.pause", json_object(), on_changed);
}

void page_go_on(struct request *req)
{
	operation_start(req, "guest.resume", json_object(), on_changed);
}
