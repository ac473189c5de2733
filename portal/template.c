/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates. A source is read once, into a list of nodes in which a section
 * knows where it ends; to render is to walk the list. What is embedded is read
 * when it is first asked for and then kept: to read it anew for each page was
 * half of what the portal did.
 *
 * Invariant: a value or a translation reaches the page through buf_put_html()
 * only; raw bytes come from the source alone.
 */
#include "template.h"

#include <ctype.h>

#include "base/embed.h"
#include "base/log.h"
#include "base/util.h"

#define DEPTH_MAX      12
#define NAME_MAX_BYTES 48
#define FILES_MAX      128

enum node_kind { NODE_RAW, NODE_VALUE, NODE_TEXT, NODE_SECTION, NODE_FILE };

struct node {
	enum node_kind kind;
	bool inverted; /* a section: shown when the value is not set */
	size_t end;    /* a section: the first node behind it */
	const char *raw;
	size_t raw_len;
	uint32_t hash;		   /* of the name */
	char name[NAME_MAX_BYTES]; /* of a value, a text's key, a file */
};

struct template {
	struct node *nodes;
	size_t count, room;
};

/* By place in embed_portal; NULL: not asked for yet. */
static struct template *files[FILES_MAX];

static void template_free(struct template *template)
{
	if (template)
		free(template->nodes);
	free(template);
}

/* Reading. */

struct tag {
	char kind; /* '#', '^', '/', '>', 0: a value */
	char name[NAME_MAX_BYTES];
};

struct reader {
	struct template *template;
	const char *text, *end;
	struct tag latest; /* at the end: what it failed at */
};

static int parse_tag(const char *text, size_t len, struct tag *ret_tag)
{
	size_t i;

	*ret_tag = (struct tag){0};
	if (len && strchr("#^/>", *text)) {
		ret_tag->kind = *text++;
		len--;
	}
	if (!len || len >= sizeof(ret_tag->name))
		return -EBADMSG;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return -EBADMSG;
	memcpy(ret_tag->name, text, len);
	ret_tag->name[len] = '\0';
	return 0;
}

static struct node *add_node(
	struct template *template, enum node_kind kind, const char *name)
{
	struct node *node;

	ARRAY_GROW(template->nodes, template->count, template->room);
	node = &template->nodes[template->count++];
	*node = (struct node){.kind = kind, .hash = view_hash(name)};
	snprintf(node->name, sizeof(node->name), "%s", name);
	return node;
}

static void add_raw(struct template *template, const char *text, const char *end)
{
	struct node *node;

	if (text == end)
		return;
	node = add_node(template, NODE_RAW, "");
	node->raw = text;
	node->raw_len = (size_t)(end - text);
}

/* {{name}} or {{t.key}} */
static int add_value(struct template *template, const char *name)
{
	if (strncmp(name, "t.", 2) != 0) {
		add_node(template, NODE_VALUE, name);
		return 0;
	}
	if (!lang_text(i18n_pick(NULL), name + 2))
		return -EBADMSG;
	add_node(template, NODE_TEXT, name + 2);
	return 0;
}

static int read_nodes(struct reader *reader, const char *closing, int depth);

static int read_section(struct reader *reader, int depth)
{
	size_t at = reader->template->count;
	struct tag tag = reader->latest;
	int ret;

	add_node(reader->template, NODE_SECTION, tag.name);
	ret = read_nodes(reader, tag.name, depth + 1);
	reader->template->nodes[at].inverted = tag.kind == '^';
	reader->template->nodes[at].end = reader->template->count;
	return ret;
}

/* Up to {{/closing}}, or to the end when that is NULL. */
static int read_nodes(struct reader *reader, const char *closing, int depth)
{
	int ret = depth > DEPTH_MAX ? -EBADMSG : 0;

	while (!ret) {
		const char *text = reader->text, *end = reader->end;
		const char *open = memmem(text, (size_t)(end - text), "{{", 2);
		const char *close =
			open ? memmem(open, (size_t)(end - open), "}}", 2) : end;

		add_raw(reader->template, text, open ?: end);
		if (!open)
			return closing ? -EBADMSG : 0;
		if (!close || parse_tag(open + 2, (size_t)(close - open - 2),
				      &reader->latest))
			return -EBADMSG;
		reader->text = close + 2;
		switch (reader->latest.kind) {
		case '/':
			return closing && !strcmp(closing, reader->latest.name)
				       ? 0
				       : -EBADMSG;
		case '>':
			add_node(reader->template, NODE_FILE, reader->latest.name);
			break;
		case 0:
			ret = add_value(reader->template, reader->latest.name);
			break;
		default:
			ret = read_section(reader, depth);
		}
	}
	return ret;
}

/* `name`: for the log, or NULL. */
static int template_read(const char *name, const char *source, size_t len,
	struct template **ret_template)
{
	struct template *template = xcalloc(1, sizeof(*template));
	struct reader reader = {
		.template = template, .text = source, .end = source + len};
	int ret = read_nodes(&reader, NULL, 0);

	if (ret) {
		template_free(template);
		if (name)
			log_error("%s: %s, at or behind {{%.1s%s}}", name,
				strerror(-ret), &reader.latest.kind,
				reader.latest.name);
		return ret;
	}
	*ret_template = template;
	return 0;
}

static int find_file(const char *name, const struct template **ret_template)
{
	const struct embed *file = embed_portal;
	int i, ret = 0;

	for (i = 0; file[i].name && i < FILES_MAX; i++)
		if (!strcmp(file[i].name, name))
			break;
	if (i == FILES_MAX || !file[i].name)
		return -ENOENT;
	if (!files[i])
		ret = template_read(name, file[i].data, file[i].len, &files[i]);
	*ret_template = files[i];
	return ret;
}

/* Rendering. */

struct render {
	const struct lang *lang;
	struct buf *buf;
	int depth; /* files in files */
};

/* Marks around a value (Unicode UAX #9): where the text runs from right to left,
 * an address or a code would else be torn apart. */
#define ISOLATE	    "\u2068"
#define ISOLATE_END "\u2069"

static void put_value_in_text(
	const char *value, const struct lang *lang, struct buf *buf)
{
	const char *before = lang_is_rtl(lang) ? ISOLATE : "";
	const char *behind = lang_is_rtl(lang) ? ISOLATE_END : "";

	buf_put_html(buf, before, strlen(before));
	buf_put_html(buf, value, strlen(value));
	buf_put_html(buf, behind, strlen(behind));
}

/* Replaces "{name}" in a translation. */
static void put_text(const char *text, const struct lang *lang,
	const struct view *view, struct buf *buf)
{
	while (*text) {
		size_t plain = strcspn(text, "{"), len;
		char name[NAME_MAX_BYTES];
		const char *value;

		buf_put_html(buf, text, plain);
		text += plain;
		if (!*text)
			return;
		len = strcspn(text, "}");
		if (text[len] != '}' || len > sizeof(name)) {
			buf_put_html(buf, text, strlen(text));
			return;
		}
		memcpy(name, text + 1, len - 1);
		name[len - 1] = '\0';
		value = view_get(view, name);
		if (value)
			put_value_in_text(value, lang, buf);
		text += len + 1;
	}
}

static int render(struct render *r, const struct template *template, size_t from,
	size_t to, const struct view *view);

static int render_file(struct render *r, const char *name, const struct view *view)
{
	const struct template *template;
	int ret = r->depth == DEPTH_MAX ? -EBADMSG : find_file(name, &template);

	if (ret)
		return ret;
	r->depth++;
	ret = render(r, template, 0, template->count, view);
	r->depth--;
	return ret;
}

/* The section that begins at node `at`. */
static int render_section(struct render *r, const struct template *template,
	size_t at, const struct view *view)
{
	const struct node *node = &template->nodes[at];
	const struct value *value = view_find(view, node->name, node->hash);
	const struct view *row = value_rows(value);
	bool is_set = row || *value_text(value);
	int ret = 0;

	if (is_set == node->inverted)
		return 0;
	if (!row)
		return render(r, template, at + 1, node->end, view);
	for (; row && !ret; row = view_next(row))
		ret = render(r, template, at + 1, node->end, row);
	return ret;
}

static int render(struct render *r, const struct template *template, size_t from,
	size_t to, const struct view *view)
{
	size_t at = from;
	int ret = 0;

	while (at < to && !ret) {
		const struct node *node = &template->nodes[at];
		const char *text;

		switch (node->kind) {
		case NODE_RAW:
			buf_put(r->buf, node->raw, node->raw_len);
			break;
		case NODE_VALUE:
			text = value_text(
				view_find(view, node->name, node->hash));
			buf_put_html(r->buf, text, strlen(text));
			break;
		case NODE_TEXT:
			put_text(lang_text(r->lang, node->name), r->lang,
				view, r->buf);
			break;
		case NODE_SECTION:
			ret = render_section(r, template, at, view);
			break;
		case NODE_FILE:
			ret = render_file(r, node->name, view);
			break;
		}
		at = node->kind == NODE_SECTION ? node->end : at + 1;
	}
	return ret;
}

int template_render(const char *name, const struct view *view,
	const struct lang *lang, struct buf *buf)
{
	struct render r = {.lang = lang, .buf = buf};
	int ret = render_file(&r, name, view);

	if (!ret && buf->overflow)
		ret = -E2BIG;
	if (ret)
		log_error("%s in %s: %s", name, lang_code(lang), strerror(-ret));
	return ret;
}

int template_render_text(const char *source, size_t len,
	const struct view *view, const struct lang *lang, struct buf *buf)
{
	struct render r = {.lang = lang, .buf = buf};
	struct template *template;
	int ret = template_read(NULL, source, len, &template);

	if (ret)
		return ret;
	ret = render(&r, template, 0, template->count, view);
	template_free(template);
	return ret ? ret : buf->overflow ? -E2BIG : 0;
}
