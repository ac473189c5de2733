/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small reader of HTML, stricter than browsers: what it does not know is a
 * fault. So nothing depends on how a browser mends what is broken.
 */
#include "brand_html.h"

#include <ctype.h>
#include <strings.h>

#include "base/text.h"
#include "base/util.h"

#define DEPTH_MAX 32
#define NAME_MAX_BYTES 16

/* Each with a space on both sides. */
static const char elements[] =
	" h1 h2 h3 h4 p ul ol li dl dt dd a strong em b i small u s mark sub sup "
	"br hr img figure figcaption blockquote q cite abbr address time bdi "
	"code pre table caption thead tbody tfoot tr th td section div span "
	"details summary ";
/* Without an end. */
static const char empty[] = " br hr img ";
static const char attributes[] =
	" href src alt title class lang dir width height colspan rowspan scope "
	"datetime open start cite loading ";

struct reader {
	const char *at;
	int line;
	const char *why;
	char open[DEPTH_MAX][NAME_MAX_BYTES];
	int depth;
	bool has_heading;
	bool has_alt; /* of the element that is read */
};

static bool is_in(const char *list, const char *name)
{
	char word[NAME_MAX_BYTES + 3];

	snprintf(word, sizeof(word), " %s ", name);
	return strstr(list, word) != NULL;
}

static int fault(struct reader *r, const char *why)
{
	r->why = why;
	return -EBADMSG;
}

static void step(struct reader *r)
{
	if (*r->at++ == '\n')
		r->line++;
}

static void skip_space(struct reader *r)
{
	while (*r->at && isspace((unsigned char)*r->at))
		step(r);
}

/* In small letters; "" when there is none or it is too long. */
static void read_name(struct reader *r, char name[static NAME_MAX_BYTES])
{
	size_t len = 0;

	for (; isalnum((unsigned char)*r->at) || *r->at == '-'; r->at++, len++)
		if (len + 1 < NAME_MAX_BYTES)
			name[len] = (char)tolower((unsigned char)*r->at);
	name[len < NAME_MAX_BYTES ? len : 0] = '\0';
}

static bool begins(const char *text, const char *with)
{
	return !strncasecmp(text, with, strlen(with));
}

static int check_value(struct reader *r, const char *name, const char *value)
{
	if (!strcmp(name, "href") &&
		!(begins(value, "https://") || begins(value, "http://") ||
			*value == '#' || (*value == '/' && value[1] != '/')))
		return fault(r, "href goes to https://, http://, / or # only: a "
				"link to another app does nothing in a sign-in "
				"sheet");
	if (!strcmp(name, "src") &&
		(strncmp(value, "images/", 7) || strchr(value + 7, '/')))
		return fault(r, "src is \"images/NAME\", a file of the folder images");
	if (!strcmp(name, "alt"))
		r->has_alt = true;
	return 0;
}

static int read_value(struct reader *r, const char *name)
{
	char value[512];
	const char *start;
	char quote = *r->at;
	size_t len;

	if (quote != '"' && quote != '\'')
		return fault(r, "a value stands in quotes");
	start = ++r->at;
	while (*r->at && *r->at != quote)
		step(r);
	len = (size_t)(r->at - start);
	if (!*r->at)
		return fault(r, "a quote is not closed");
	r->at++;
	if (len >= sizeof(value))
		return fault(r, "a value is too long");
	memcpy(value, start, len);
	value[len] = '\0';
	return check_value(r, name, value);
}

static int read_attributes(struct reader *r)
{
	char name[NAME_MAX_BYTES];
	int ret = 0;

	r->has_alt = false;
	while (!ret) {
		skip_space(r);
		if (*r->at == '/')
			r->at++;
		if (*r->at == '>')
			return 0;
		read_name(r, name);
		if (!*name || !is_in(attributes, name))
			return fault(r, "an attribute that is not allowed here");
		skip_space(r);
		if (*r->at != '=')
			continue;
		r->at++;
		skip_space(r);
		ret = read_value(r, name);
	}
	return ret;
}

static int close_element(struct reader *r)
{
	char name[NAME_MAX_BYTES];

	read_name(r, name);
	skip_space(r);
	if (*r->at != '>' || !r->depth || strcmp(r->open[r->depth - 1], name) != 0)
		return fault(r, "an end without its beginning");
	r->depth--;
	return 0;
}

static int open_element(struct reader *r)
{
	char name[NAME_MAX_BYTES];
	int ret;

	read_name(r, name);
	if (!*name)
		return fault(r, "\"<\" is written &lt;");
	if (!is_in(elements, name))
		return fault(r, "an element that is not allowed here");
	if (!strcmp(name, "h1") == r->has_heading)
		return fault(r, "a page begins with its <h1> and has one");
	r->has_heading = true;
	ret = read_attributes(r);
	if (ret)
		return ret;
	if (!strcmp(name, "img") && !r->has_alt)
		return fault(r, "an image says in alt what it shows (\"\": nothing)");
	if (is_in(empty, name))
		return 0;
	if (r->depth == DEPTH_MAX)
		return fault(r, "too many elements inside each other");
	memcpy(r->open[r->depth++], name, sizeof(name));
	return 0;
}

/* Behind "<". Browsers end one at "<!-->", "<!--->" and "--!>" as well. */
static int skip_comment(struct reader *r)
{
	const char *text = r->at + strlen("!--"), *end = strstr(text, "--");

	if (!end)
		return fault(r, "a comment is not closed");
	while (r->at < end + 2)
		step(r);
	if (*r->at != '>' || *text == '>' || begins(text, "->"))
		return fault(r, "a comment has no -- in it");
	return 0;
}

/* Behind "<". */
static int read_tag(struct reader *r)
{
	int ret;

	if (begins(r->at, "!--")) {
		ret = skip_comment(r);
	} else if (*r->at == '/') {
		r->at++;
		ret = close_element(r);
	} else {
		ret = open_element(r);
	}
	if (!ret)
		r->at++;
	return ret;
}

static int read_page(struct reader *r)
{
	int ret = 0;

	while (*r->at && !ret) {
		char c = *r->at;

		if (!r->has_heading && c != '<' && !isspace((unsigned char)c))
			return fault(r, "a page begins with its <h1> and has one");
		step(r);
		if (c == '<')
			ret = read_tag(r);
	}
	if (!ret && !r->has_heading)
		return fault(r, "a page begins with its <h1> and has one");
	if (!ret && r->depth)
		return fault(r, "an element is not closed");
	return ret;
}

int brand_html_check(const char *text, int *ret_line, const char **ret_why)
{
	struct reader r = {.at = text, .line = 1};
	int ret = read_page(&r);

	if (ret) {
		*ret_line = r.line;
		*ret_why = r.why;
	}
	return ret;
}

/* Of the references the five that have names everybody uses. */
static size_t read_reference(const char *text, char *ret_c)
{
	static const struct {
		const char *name;
		char c;
	} names[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'},
		{"&quot;", '"'}, {"&nbsp;", ' '}};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(text, names[i].name, strlen(names[i].name))) {
			*ret_c = names[i].c;
			return strlen(names[i].name);
		}
	*ret_c = *text;
	return 1;
}

void brand_html_title(const char *text, char title[static BRAND_TITLE_MAX + 1])
{
	const char *at = strcasestr(text, "<h1");
	size_t len = 0;

	at = at ? strchr(at, '>') : NULL;
	at = at ? at + 1 : "";
	while (*at && !begins(at, "</h1") && len < BRAND_TITLE_MAX) {
		if (*at == '<') {
			at += strcspn(at, ">");
			at += *at == '>';
			continue;
		}
		at += read_reference(at, &title[len]);
		if (isspace((unsigned char)title[len]))
			title[len] = ' ';
		if (title[len] != ' ' || (len && title[len - 1] != ' '))
			len++;
	}
	/* Not in the middle of a character, and no blank at the end. */
	while (len && (title[len - 1] == ' ' ||
			      !text_is_clean(title, len)))
		len--;
	title[len] = '\0';
}

static void put_line(struct buf *buf, const char *line, size_t len)
{
	if (len && line[len - 1] == '\r')
		len--;
	buf_put_html(buf, line, len);
}

void brand_html_from_text(const char *text, struct buf *buf)
{
	bool in_paragraph = false;
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strcspn(text, "\n");
	buf_puts(buf, "<h1>");
	put_line(buf, text, len);
	buf_puts(buf, "</h1>\n");
	for (text += len; *text; text += len) {
		text++;
		len = strcspn(text, "\n");
		if (strspn(text, " \t\r") >= len) {
			buf_puts(buf, in_paragraph ? "</p>\n" : "");
			in_paragraph = false;
			continue;
		}
		buf_puts(buf, in_paragraph ? "<br>\n" : "<p>");
		put_line(buf, text, len);
		in_paragraph = true;
	}
	buf_puts(buf, in_paragraph ? "</p>\n" : "");
}
