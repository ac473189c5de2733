/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sheet of vouchers. HTML with styles for print, because every desk has a
 * browser and a printer; the sizes are the paper's, in millimetres. Whatever is
 * text in the reply is escaped: a plan's name may be anything.
 */
#include "base/sheet.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/html.h"
#include "base/qr.h"
#include "base/util.h"
#include "gatehouse/ctl.h"

struct paper {
	const char *name;
	const char *style;
};

/* What is the same on all paper is in `style`. On a roll each voucher is a page,
 * so that the printer cuts, or feeds, behind each. */
static const struct paper papers[] = {
	{"a4", "@page{size:A4;margin:8mm}"
	       "main{display:grid;grid-template-columns:repeat(3,64mm)}"
	       ".v{width:64mm;min-height:55mm;border:0.2mm dashed #999}"
	       ".qr{width:25mm}.code{font-size:12.5pt}"},
	{"80mm", "@page{size:80mm 90mm;margin:0}"
		 ".v{width:72mm;margin:0 auto;break-after:page;padding:4mm 0}"
		 ".qr{width:37mm}.code{font-size:17pt}.plan,.how{font-size:9pt}"},
	{"58mm", "@page{size:58mm 82mm;margin:0}"
		 ".v{width:48mm;margin:0 auto;break-after:page;padding:3mm 0}"
		 ".qr{width:33mm}.code{font-size:13pt}"},
};
static const char style[] =
	"*{box-sizing:border-box;margin:0}"
	"body{font:9pt/1.25 \"DejaVu Sans\",Arial,sans-serif;color:#000;background:#fff}"
	".v{break-inside:avoid;overflow:hidden;padding:2mm;text-align:center}"
	".venue{font-size:9pt}.plan{font-size:8pt}"
	".code{font-family:\"DejaVu Sans Mono\",monospace;font-weight:bold;"
	"white-space:nowrap;margin:0.5mm 0;direction:ltr}"
	".qr{display:block;margin:0 auto}.how{font-size:7pt;overflow-wrap:anywhere}";

/* What the guest reads beside names and figures. */
struct words {
	const char *name, *dir;
	const char *how;	/* %s: the portal's address */
	const char *until;	/* %s: a day */
	const char *devices;	/* %lld: how many */
	const char *units[3];	/* days, hours, minutes */
};
static const struct words languages[] = {
	{"ar", "rtl", "امسح الرمز، أو افتح \u2068%s\u2069 واكتبه.",
		"يُستخدم قبل \u2068%s\u2069.", "عدد الأجهزة: %lld",
		{"ي", "س", "د"}},
	{"en", "ltr", "Scan the code, or open %s and type it in.", "To be used before %s.",
		"for %lld devices", {"d", "h", "min"}},
	{"es", "ltr", "Escanea el código, o abre %s y escríbelo.", "Úsalo antes del %s.",
		"para %lld dispositivos", {"d", "h", "min"}},
	{"fil", "ltr", "I-scan ang code, o buksan ang %s at i-type ito.",
		"Gamitin bago ang %s.", "para sa %lld device", {"araw", "oras", "min"}},
	{"fr", "ltr", "Scannez le code, ou ouvrez %s et saisissez-le.",
		"À utiliser avant le %s.", "pour %lld appareils", {"j", "h", "min"}},
	{"id", "ltr", "Pindai kode, atau buka %s lalu ketikkan kodenya.",
		"Gunakan sebelum %s.", "untuk %lld perangkat", {"hari", "jam", "mnt"}},
	{"sw", "ltr", "Skani msimbo, au fungua %s uuandike.", "Utumie kabla ya %s.",
		"kwa vifaa %lld", {"siku", "saa", "dak"}},
};

static const struct paper *paper_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(papers); i++)
		if (!strcmp(papers[i].name, name))
			return &papers[i];
	return NULL;
}

static const struct words *words_of(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(languages); i++)
		if (!strcmp(languages[i].name, name))
			return &languages[i];
	return NULL;
}

bool sheet_has_paper(const char *name)
{
	return paper_of(name) != NULL;
}

bool sheet_has_language(const char *name)
{
	return words_of(name) != NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* In groups that can be read aloud: ours as prefix, 4 and 5, others by four. */
static void put_code(FILE *out, const char *code)
{
	size_t len = strlen(code), at, rest;

	for (at = 0; at < len; at++) {
		rest = len - at;
		if (at && len > 9 && len <= 17 ? rest == 9 || rest == 5
					       : at && at % 4 == 0)
			fputc(' ', out);
		fputc(code[at], out);
	}
}

/* "1 d 12 h" */
static void put_time(FILE *out, const struct words *words, int64_t minutes)
{
	const int64_t parts[] = {
		minutes / 1440, minutes / 60 % 24, minutes % 60};
	bool any = false;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!parts[i])
			continue;
		fprintf(out, "%s%" PRId64 " %s", any ? " " : "", parts[i],
			words->units[i]);
		any = true;
	}
}

static void put_money(FILE *out, int64_t minor, const char *currency)
{
	fprintf(out, "%" PRId64, minor / 100);
	if (minor % 100)
		fprintf(out, ".%02" PRId64, minor % 100);
	fputc(' ', out);
	html_put(out, currency);
}

/* Plan, what it is worth, and its price. */
static void put_plan(FILE *out, const struct words *words, const json_t *item)
{
	int64_t minutes = number_of(item, "minutes");
	int64_t megabytes = number_of(item, "megabytes");

	fputs("<p class=\"plan\">", out);
	html_put(out, text_of(item, "plan"));
	if (minutes) {
		fputs(" &middot; ", out);
		put_time(out, words, minutes);
	}
	if (megabytes)
		fprintf(out, " &middot; %" PRId64 " MB", megabytes);
	if (number_of(item, "priceMinor")) {
		fputs(" &middot; ", out);
		put_money(out, number_of(item, "priceMinor"),
			text_of(item, "currency"));
	}
	/* It is worth nothing at other times: the guest wants to know before. */
	if (*text_of(item, "hours")) {
		fputs(" &middot; ", out);
		html_put(out, text_of(item, "hours"));
	}
	fputs("</p>\n", out);
}

/* The day before which it must be used, here. */
static void put_until(FILE *out, const struct words *words, const char *text)
{
	struct tm tm = {0};
	char day[16];
	time_t t;

	if (!strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	t = timegm(&tm);
	localtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	fputs("<p class=\"how\">", out);
	fprintf(out, words->until, day);
	fputs("</p>\n", out);
}

static void put_voucher(FILE *out, const struct words *words,
	const json_t *reply, const json_t *item)
{
	const char *code = text_of(item, "code");
	const char *portal = text_of(reply, "portal");
	int64_t devices = number_of(item, "devices");
	char url[512], how[512];

	fputs("<section class=\"v\">\n<h1 class=\"venue\">", out);
	html_put(out, text_of(reply, "venue"));
	fputs("</h1>\n", out);
	if (*text_of(reply, "ssid")) {
		fputs("<p class=\"plan\">Wi-Fi: ", out);
		html_put(out, text_of(reply, "ssid"));
		fputs("</p>\n", out);
	}
	put_plan(out, words, item);
	fputs("<p class=\"code\">", out);
	put_code(out, code);
	fputs("</p>\n", out);
	if (*portal) {
		snprintf(url, sizeof(url), "%s?code=%s", portal, code);
		fputs("<div class=\"qr\">", out);
		qr_put_svg(out, url);
		fputs("</div>\n<p class=\"how\">", out);
		snprintf(how, sizeof(how), words->how, portal);
		html_put(out, how);
		if (devices > 1) {
			fputs(" (", out);
			fprintf(out, words->devices, (long long)devices);
			fputc(')', out);
		}
		fputs("</p>\n", out);
	}
	put_until(out, words, text_of(item, "expiresAt"));
	fputs("</section>\n", out);
}

void sheet_print(FILE *out, const json_t *reply, const char *paper,
	const char *language)
{
	const struct words *words = words_of(language);
	const json_t *item;
	size_t at;

	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n"
		"<meta charset=\"utf-8\">\n<meta name=\"robots\" content=\"noindex\">\n"
		"<title>",
		words->name, words->dir);
	html_put(out, text_of(reply, "venue"));
	fprintf(out, "</title>\n<style>%s%s</style>\n</head>\n<body>\n<main>\n",
		style, paper_of(paper)->style);
	json_array_foreach(json_object_get(reply, "items"), at, item)
		put_voucher(out, words, reply, item);
	fputs("</main>\n</body>\n</html>\n", out);
}
