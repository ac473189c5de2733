/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is the same for every guest: the page about private addresses, and the
 * embedded files.
 */
#include "pages.h"

#include "assets.h"
#include "base/util.h"
#include "response.h"

void page_help(struct request *req)
{
	page_moved(req, 200, NULL);
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
