/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A venue's own pages in our frame, and the images of its folder. The page was
 * checked when it was read (brand_html.c); it is put between two templates,
 * which still let nothing through unescaped.
 */
#include "brand.h"
#include "pages.h"
#include "response.h"

#define IMAGES "/venue/images/"

/* An SVG that is opened by itself is a document: it may look, and do nothing. */
#define IMAGE_POLICY "default-src 'none'; style-src 'unsafe-inline'; sandbox"

void page_venue(struct request *req)
{
	const struct brand_page *page = brand_page(request_brand(req),
		req->path + strlen("/venue/"), lang_code(req->lang));

	if (page)
		page_send_venue(req, page_view(req), &page->html);
	else
		page_error(req, 404, "not_found", "There is no such page here.");
}

void page_venue_image(struct request *req)
{
	const struct asset *image =
		brand_image(request_brand(req), req->path + strlen(IMAGES));

	if (!image) {
		page_error(req, 404, "not_found", "There is no such page here.");
		return;
	}
	response_header(req, "Content-Security-Policy", IMAGE_POLICY);
	/* Those in a page have no version in their address. */
	if (!form_get(&req->query, "v"))
		response_header(req, "Cache-Control", "public, max-age=3600");
	response_asset(req, image);
}
