/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a venue's folder. One table says what may be in it; each kind of file
 * has its reader below. Sizes are bounded so that a page with all that it loads
 * stays light, and so does the memory of the portal.
 */
#include "brand.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/text.h"
#include "base/util.h"
#include "colour.h"

#define CONF_MAX  4096
#define TEXTS_MAX (64 * 1024)
#define PAGE_MAX  (16 * 1024)
#define LOGO_MAX  (24 * 1024)
#define IMAGE_MAX (200 * 1024)

/* What our own style sheet has behind text (portal.css), light and dark. */
static const struct colour page_light = {0xf4, 0xf5, 0xf2};
static const struct colour card_light = {0xff, 0xff, 0xff};
static const struct colour page_dark = {0x10, 0x16, 0x14};
static const struct colour card_dark = {0x19, 0x21, 0x1e};

struct reading {
	struct brand *brand;
	brand_report_fn *fn;
	void *data;
	char path[PATH_MAX]; /* of the file that is read */
	int faults;
};

static void fault(struct reading *r, int line, const char *text)
{
	r->faults++;
	r->fn(r->data, r->path, line, text);
}

/* With a NUL behind it. */
static int read_file(struct reading *r, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_fd_ int fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *data = xcalloc(1, max + 2);
	size_t len = 0;
	ssize_t part = 1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		fault(r, 0, fd < 0 ? strerror(errno) : "is no file");
		return -EBADMSG;
	}
	while (len <= max && (part = read(fd, data + len, max + 1 - len)) > 0)
		len += (size_t)part;
	if (part < 0 || len > max) {
		fault(r, 0, part < 0 ? strerror(errno) : "is too large");
		return -EBADMSG;
	}
	*ret_data = TAKE_PTR(data);
	*ret_len = len;
	return 0;
}

/* The line of the first byte that is no text; 0 when all is. */
static int dirty_line(const char *text, size_t len)
{
	const char *end = text + len, *next;
	int line = 1;

	for (; text < end; text = next + 1, line++) {
		const char *at = text, *tab;

		next = memchr(text, '\n', (size_t)(end - text)) ?: end;
		for (; at < next; at = tab + 1) {
			tab = at + strcspn(at, "\t\r\n");
			tab = MIN(tab, next);
			if (!text_is_clean(at, (size_t)(tab - at)))
				return line;
		}
	}
	return 0;
}

static int read_text(struct reading *r, size_t max, char **ret_text)
{
	size_t len;
	int ret = read_file(r, max, ret_text, &len), line;

	if (ret)
		return ret;
	line = dirty_line(*ret_text, len);
	if (!line && strlen(*ret_text) == len)
		return 0;
	fault(r, line, "is no text in UTF-8");
	free(*ret_text);
	*ret_text = NULL;
	return -EBADMSG;
}

/* Letters, digits, '-' and '_': what an address needs no escapes for. */
static bool is_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", name[i]))
			return false;
	return len > 0 && len <= BRAND_NAME_MAX;
}

/* Colours. */

static void put_palette(char *text, size_t size, struct colour main,
	struct colour card, struct colour page)
{
	char a[COLOUR_TEXT], b[COLOUR_TEXT], c[COLOUR_TEXT];
	struct colour soft = card;
	int percent;

	/* As much of it as links in it bear. */
	for (percent = 14; percent > 0; percent--) {
		soft = colour_mix(page, main, percent);
		if (colour_contrast(main, soft) >= COLOUR_READABLE)
			break;
	}
	if (!percent)
		soft = card;
	snprintf(text, size, ":root{--main:%s;--main-text:%s;--main-soft:%s}",
		colour_format(main, a), colour_format(colour_text_on(main), b),
		colour_format(soft, c));
}

static bool is_readable(struct colour colour, struct colour page, struct colour card)
{
	return colour_contrast(colour, page) >= COLOUR_READABLE &&
	       colour_contrast(colour, card) >= COLOUR_READABLE;
}

/* The colour of a line, or with a fault that says which one would do. */
static int read_colour(struct reading *r, int line, const char *value,
	bool is_dark, struct colour *ret_colour)
{
	const struct colour page = is_dark ? page_dark : page_light;
	const struct colour card = is_dark ? card_dark : card_light;
	const struct colour end = is_dark ? (struct colour){255, 255, 255}
					  : (struct colour){0, 0, 0};
	char text[160], near[COLOUR_TEXT];
	struct colour colour;

	if (colour_parse(value, &colour)) {
		fault(r, line, "a colour is #rrggbb");
		return -EBADMSG;
	}
	*ret_colour = colour_until_readable(colour, end, page, card);
	if (is_readable(colour, page, card))
		return 0;
	snprintf(text, sizeof(text),
		"%s cannot be read on the %s pages (contrast %.1f, 4.5 is "
		"needed); %s can, and is used",
		value, is_dark ? "dark" : "light", colour_contrast(colour, page),
		colour_format(*ret_colour, near));
	fault(r, line, text);
	return 0;
}

static void make_style(struct brand *brand, struct colour light, struct colour dark)
{
	char one[96], two[96], base64[CRYPTO_HASH_BASE64];
	uint8_t hash[CRYPTO_HASH];

	put_palette(one, sizeof(one), light, card_light, page_light);
	put_palette(two, sizeof(two), dark, card_dark, page_dark);
	snprintf(brand->style, sizeof(brand->style),
		"%s@media (prefers-color-scheme:dark){%s}", one, two);
	crypto_sha256(brand->style, strlen(brand->style), hash);
	crypto_hash_base64(hash, base64);
	snprintf(brand->style_source, sizeof(brand->style_source),
		" 'sha256-%s'", base64);
}

/* venue.conf */

struct venue {
	struct colour light, dark;
	bool has_light, has_dark;
};

static void read_setting(struct reading *r, struct venue *venue, int line,
	const char *key, const char *value)
{
	if (!strcmp(key, "name") && *value &&
		strlen(value) < sizeof(r->brand->name))
		memcpy(r->brand->name, value, strlen(value) + 1);
	else if (!strcmp(key, "name"))
		fault(r, line, "a name has 1 to 64 bytes");
	else if (!strcmp(key, "accent"))
		venue->has_light =
			!read_colour(r, line, value, false, &venue->light);
	else if (!strcmp(key, "accent_dark"))
		venue->has_dark =
			!read_colour(r, line, value, true, &venue->dark);
	else
		fault(r, line, "there are name, accent and accent_dark only");
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

static void read_conf(struct reading *r, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct venue venue = {0};
	char *rest, *line, *equals;
	int number = 0;

	if (read_text(r, CONF_MAX, &text))
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		number++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		equals = strchr(line, '=');
		if (!equals) {
			fault(r, number, "a line is \"key = value\"");
			continue;
		}
		*equals = '\0';
		read_setting(r, &venue, number, trim(line), trim(equals + 1));
	}
	if (venue.has_light && !venue.has_dark)
		venue.dark = colour_until_readable(venue.light,
			(struct colour){255, 255, 255}, page_dark, card_dark);
	if (venue.has_light)
		make_style(r->brand, venue.light, venue.dark);
	else if (venue.has_dark)
		fault(r, 0, "accent_dark needs accent");
}

/* Images. */

static bool is_svg(const char *data, size_t len)
{
	return !dirty_line(data, len) && strlen(data) == len &&
	       strstr(data, "<svg");
}

static const char *type_of(const char *data, size_t len)
{
	if (len > 8 && !memcmp(data, "\x89PNG\r\n\x1a\n", 8))
		return "image/png";
	if (len > 3 && !memcmp(data, "\xff\xd8\xff", 3))
		return "image/jpeg";
	if (len > 12 && !memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WEBP", 4))
		return "image/webp";
	return is_svg(data, len) ? "image/svg+xml" : NULL;
}

static const char *type_named(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {{".png", "image/png"}, {".jpg", "image/jpeg"},
		{".webp", "image/webp"}, {".svg", "image/svg+xml"}};
	const char *dot = strrchr(name, '.');
	size_t i;

	for (i = 0; dot && i < ARRAY_SIZE(types); i++)
		if (!strcmp(dot, types[i].suffix) &&
			is_name(name, (size_t)(dot - name)))
			return types[i].type;
	return NULL;
}

static struct brand_image *add_image(
	struct reading *r, const char *name, size_t max)
{
	const char *type = type_named(name);
	_cleanup_free_ char *data = NULL;
	struct brand_image *image;
	size_t len;

	if (!type || strlen(name) > BRAND_NAME_MAX ||
		r->brand->image_count == BRAND_IMAGES_MAX) {
		fault(r, 0, type ? "one image too many, or its name is too long"
				 : "an image is called NAME.png, .jpg, .webp or "
				   ".svg, with small letters, digits, - and _");
		return NULL;
	}
	if (read_file(r, max, &data, &len))
		return NULL;
	if (!type_of(data, len) || strcmp(type_of(data, len), type) != 0) {
		fault(r, 0, "is not the kind of image that its name says");
		return NULL;
	}
	image = &r->brand->images[r->brand->image_count++];
	memcpy(image->name, name, strlen(name) + 1);
	image->asset = (struct asset){image->name, type, TAKE_PTR(data), len};
	return image;
}

static void read_image(struct reading *r, const char *name)
{
	add_image(r, name, IMAGE_MAX);
}

static void read_logo(struct reading *r, const char *name)
{
	struct brand_image *image = add_image(r, name, LOGO_MAX);

	if (image && r->brand->logo)
		fault(r, 0, "there is a logo already");
	else if (image)
		r->brand->logo = image->name;
}

/* Texts and pages. */

static void on_text_fault(void *data, int line, const char *text)
{
	fault(data, line, text);
}

static void read_texts(struct reading *r, const char *name)
{
	struct brand *brand = r->brand;
	_cleanup_free_ char *text = NULL;
	size_t len = strcspn(name, ".");
	const struct lang *lang;
	char code[8];

	if (strcmp(name + len, ".txt") != 0 || len < 2 || len >= sizeof(code) ||
		brand->lang_count == I18N_LANGUAGES_MAX) {
		fault(r, 0, "texts are called by their language: en.txt");
		return;
	}
	snprintf(code, sizeof(code), "%.*s", (int)len, name);
	if (read_text(r, TEXTS_MAX, &text))
		return;
	lang = i18n_lookup(code);
	if (lang)
		i18n_change(lang, text, on_text_fault, r,
			&brand->langs[brand->lang_count++]);
	else
		i18n_add(code, text, on_text_fault, r);
}

/* "menu.sw.html" into its parts. */
static int split(const char *name, struct brand_page *page, bool *ret_is_html)
{
	size_t len = strcspn(name, ".");
	const char *rest = name + len;

	if (!is_name(name, len))
		return -EINVAL;
	memcpy(page->name, name, len);
	if (strchr(rest + 1, '.')) {
		size_t code_len = strcspn(rest + 1, ".");

		if (code_len < 2 || code_len >= sizeof(page->lang))
			return -EINVAL;
		memcpy(page->lang, rest + 1, code_len);
		rest += 1 + code_len;
	}
	*ret_is_html = !strcmp(rest, ".html");
	return *ret_is_html || !strcmp(rest, ".txt") ? 0 : -EINVAL;
}

/* What a page shows must be there. */
static void check_images(struct reading *r, const char *text)
{
	static const char src[] = "src=\"images/";
	const char *at = text, *line = text;
	char name[BRAND_NAME_MAX + 1];
	int number = 1;

	while ((at = strstr(at, src))) {
		at += strlen(src);
		for (; line < at; line++)
			number += *line == '\n';
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, "\""), at);
		if (!brand_image(r->brand, name))
			fault(r, number, "shows an image that there is not");
	}
}

static void read_page(struct reading *r, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct brand_page page = {0};
	const char *why;
	bool is_html;
	int line;

	if (split(name, &page, &is_html) ||
		r->brand->page_count == BRAND_PAGES_MAX) {
		fault(r, 0, "a page is called NAME.html, NAME.txt or, in one "
			    "language, NAME.sw.html; there are at most 64");
		return;
	}
	if (read_text(r, PAGE_MAX, &text))
		return;
	if (is_html && brand_html_check(text, &line, &why)) {
		fault(r, line, why);
		return;
	}
	check_images(r, text);
	if (is_html)
		buf_puts(&page.html, text);
	else
		brand_html_from_text(text, &page.html);
	brand_html_title(page.html.data, page.title);
	if (*page.title) {
		r->brand->pages[r->brand->page_count++] = page;
	} else {
		fault(r, 1, "a page begins with its heading");
		buf_fini(&page.html);
	}
}

/* The folder. */

static const struct {
	const char *folder; /* "": the venue's itself */
	const char *prefix;
	void (*read)(struct reading *r, const char *name);
} kinds[] = {
	{"", "venue.conf", read_conf},
	{"", "logo.", read_logo},
	{"texts", "", read_texts},
	{"pages", "", read_page},
	{"images", "", read_image},
};

static bool is_folder(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (*name && !strcmp(kinds[i].folder, name))
			return true;
	return false;
}

static void read_one(struct reading *r, const char *folder, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].folder, folder) &&
			!strncmp(kinds[i].prefix, name, strlen(kinds[i].prefix))) {
			kinds[i].read(r, name);
			return;
		}
	fault(r, 0, "there is no use for a file of that name");
}

/* Editors' copies, hidden files, and what explains the folder. */
static bool is_ignored(const char *name)
{
	return *name == '.' || !strncmp(name, "README", 6) ||
	       name[strlen(name) - 1] == '~';
}

static int read_folder(struct reading *r, const char *dir, const char *folder)
{
	struct dirent **entries;
	int count, i;

	snprintf(r->path, sizeof(r->path), "%s%s%s", dir, *folder ? "/" : "",
		folder);
	count = scandir(r->path, &entries, NULL, alphasort);
	if (count < 0 && *folder && errno == ENOENT)
		return 0;
	if (count < 0) {
		int ret = -errno;

		fault(r, 0, strerror(errno));
		return ret;
	}
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		snprintf(r->path, sizeof(r->path), "%s%s%s/%s", dir,
			*folder ? "/" : "", folder, name);
		if (!is_ignored(name) && (*folder || !is_folder(name)))
			read_one(r, folder, name);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

static void make_version(struct brand *brand)
{
	uint8_t sum[2 * CRYPTO_HASH] = {0};
	int i;

	for (i = 0; i < brand->image_count; i++) {
		const struct asset *asset = &brand->images[i].asset;

		crypto_sha256(asset->data, asset->len, sum + CRYPTO_HASH);
		crypto_sha256(sum, sizeof(sum), sum);
	}
	hex_format(sum, (sizeof(brand->version) - 1) / 2, brand->version);
}

int brand_load(const char *dir, brand_report_fn *fn, void *data,
	struct brand **ret_brand)
{
	struct reading r = {.fn = fn, .data = data};
	int ret;

	r.brand = *ret_brand = xcalloc(1, sizeof(**ret_brand));
	ret = read_folder(&r, dir, "");
	if (!ret)
		ret = read_folder(&r, dir, "texts");
	if (!ret)
		ret = read_folder(&r, dir, "images");
	if (!ret)
		ret = read_folder(&r, dir, "pages");
	make_version(r.brand);
	return ret ?: r.faults ? -EBADMSG : 0;
}

void brand_free(struct brand *brand)
{
	int i;

	for (i = 0; brand && i < brand->image_count; i++)
		free((char *)brand->images[i].asset.data);
	for (i = 0; brand && i < brand->page_count; i++)
		buf_fini(&brand->pages[i].html);
	for (i = 0; brand && i < brand->lang_count; i++)
		lang_free(brand->langs[i]);
	free(brand);
}
