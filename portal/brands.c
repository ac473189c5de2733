/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which brand is whose, and what is looked up in one. Networks that name the
 * same folder share it.
 */
#include "base/util.h"
#include "brand.h"

struct brands {
	struct brand *brands[CONFIG_NETWORKS_MAX];
	const char *dirs[CONFIG_NETWORKS_MAX]; /* the configuration's */
	int count;
	const struct brand *of[CONFIG_NETWORKS_MAX];
};

static const struct brand unbranded;

static int load(struct brands *brands, const char *dir, brand_report_fn *fn,
	void *data, const struct brand **ret_brand)
{
	int i, ret;

	*ret_brand = &unbranded;
	if (!*dir)
		return 0;
	for (i = 0; i < brands->count; i++)
		if (!strcmp(brands->dirs[i], dir)) {
			*ret_brand = brands->brands[i];
			return 0;
		}
	ret = brand_load(dir, fn, data, &brands->brands[brands->count]);
	brands->dirs[brands->count] = dir;
	*ret_brand = brands->brands[brands->count++];
	return ret;
}

int brands_load(struct config *config, brand_report_fn *fn, void *data,
	struct brands **ret_brands)
{
	struct brands *brands = xcalloc(1, sizeof(*brands));
	int i, ret = 0;

	for (i = 0; i < config->network_count; i++) {
		struct config_network *n = &config->networks[i];
		int fault = load(brands, n->branding, fn, data, &brands->of[i]);

		if (fault)
			ret = -EBADMSG;
		if (brands->of[i]->name[0])
			memcpy(n->venue_name, brands->of[i]->name,
				sizeof(n->venue_name));
	}
	*ret_brands = brands;
	return ret;
}

void brands_free(struct brands *brands)
{
	while (brands && brands->count)
		brand_free(brands->brands[--brands->count]);
	free(brands);
}

const struct brand *brands_of(const struct brands *brands, int network)
{
	return brands && brands->of[network] ? brands->of[network] : &unbranded;
}

const struct lang *brand_lang(
	const struct brand *brand, const struct lang *lang)
{
	int i;

	for (i = 0; i < brand->lang_count; i++)
		if (!strcmp(lang_code(brand->langs[i]), lang_code(lang)))
			return brand->langs[i];
	return lang;
}

const struct brand_page *brand_page(
	const struct brand *brand, const char *name, const char *lang)
{
	const struct brand_page *any = NULL;
	int i;

	for (i = 0; i < brand->page_count; i++) {
		const struct brand_page *page = &brand->pages[i];

		if (strcmp(page->name, name) != 0)
			continue;
		if (!strcmp(page->lang, lang))
			return page;
		/* English is read by more than the first of an alphabet. */
		if (!any || !*page->lang ||
			(*any->lang && !strcmp(page->lang, "en")))
			any = page;
	}
	return any;
}

const struct asset *brand_image(const struct brand *brand, const char *name)
{
	int i;

	for (i = 0; i < brand->image_count; i++)
		if (!strcmp(brand->images[i].name, name))
			return &brand->images[i].asset;
	return NULL;
}
