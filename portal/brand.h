/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a venue puts in the place of ours (docs/branding.md): a folder with its
 * name and colour, its logo, texts, pages and pictures. It is read once, before
 * the portal gives up its rights; nothing in it is a reason not to start: what
 * is wrong is told and left out.
 */
#ifndef PORTAL_BRAND_H
#define PORTAL_BRAND_H

#include "assets.h"
#include "base/config.h"
#include "brand_html.h"
#include "i18n.h"

#define BRAND_NAME_MAX	 32
#define BRAND_PAGES_MAX	 64
#define BRAND_IMAGES_MAX 32
#define BRAND_STYLE_MAX	 256

/* A page in one language, or in none: shown where that of the guest's is
 * missing. `name` is its address, /venue/NAME. */
struct brand_page {
	char name[BRAND_NAME_MAX + 1];
	char lang[8]; /* "": any */
	char title[BRAND_TITLE_MAX + 1];
	struct buf html;
};

/* A file of the folder, as it is given out: /venue/images/NAME. */
struct brand_image {
	char name[BRAND_NAME_MAX + 1];
	struct asset asset;
};

struct brand {
	char name[65]; /* of the venue; "": the setting venue_name */
	/* Colours, as CSS, and the same for the pages' policy; or "". */
	char style[BRAND_STYLE_MAX];
	char style_source[64];
	char version[ASSETS_VERSION_TEXT]; /* of the images */
	const char *logo;		   /* name of that image, or NULL */
	struct brand_image images[BRAND_IMAGES_MAX];
	int image_count;
	struct brand_page pages[BRAND_PAGES_MAX]; /* by name, then language */
	int page_count;
	struct lang *langs[I18N_LANGUAGES_MAX];
	int lang_count;
};

/* `line` 0: the file as a whole. config_report() is one. */
typedef void brand_report_fn(
	void *data, const char *path, int line, const char *text);

/*
 * Reads folder `dir`; after i18n_init(). 0, -EBADMSG after faults, which were
 * told: the rest of it is in *ret_brand; or another -errno when the folder
 * cannot be read, also told: *ret_brand is an empty one.
 */
int brand_load(const char *dir, brand_report_fn *fn, void *data,
	struct brand **ret_brand);
/* Before i18n_fini(). NULL is fine. */
void brand_free(struct brand *brand);

/* `lang` with the venue's own texts. */
const struct lang *brand_lang(
	const struct brand *brand, const struct lang *lang);
/* The page called `name` for that language; NULL. */
const struct brand_page *brand_page(
	const struct brand *brand, const char *name, const char *lang);
/* NULL: no such image. */
const struct asset *brand_image(const struct brand *brand, const char *name);

/* The brands of a configuration: of each network its own, or the portal's. */
struct brands;

/* Loads them and gives its name to each network that has one. -EBADMSG after
 * faults; *ret_brands is usable in any case. */
int brands_load(struct config *config, brand_report_fn *fn, void *data,
	struct brands **ret_brands);
void brands_free(struct brands *brands);
/* Never NULL: without a folder an empty one. */
const struct brand *brands_of(const struct brands *brands, int network);

#endif
