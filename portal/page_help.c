/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is the same for every guest: the page about private addresses, but for
 * the device's own, and the embedded files.
 */
#include "pages.h"

#include "assets.h"
#include "base/util.h"
#include "response.h"

/* Whom the daemon cannot tell, or cannot answer, is helped all the same. */
static void on_session(struct request *req, const struct outcome *outcome)
{
	const char *why = form_get(&req->query, "why");
	struct view *view = page_view(req);

	page_device(view, outcome->reply);
	page_advice(req, view, 200,
		page_has_advice(why) ? page_sentence(req, why, NULL) : NULL);
}

void page_help(struct request *req)
{
	operation_start(req, "guest.session", json_object(), on_session);
}

static void send_asset(struct request *req, const char *name)
{
	struct asset asset;

	if (assets_lookup(name, &asset))
		page_error(req, 404, "not_found", "There is no such page here.");
	else
		response_asset(req, &asset);
}

void page_asset(struct request *req)
{
	send_asset(req, req->path + strlen("/assets/"));
}

void page_icon(struct request *req)
{
	send_asset(req, "icon.svg");
}
