/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Posters. Sizes are the paper's, in millimetres; on a screen the code is never
 * smaller than 512 pixels (U8). All languages fit on one sheet of A4. Who reads it
 * stands two metres away and reads one of several languages: few words, large, in
 * steps.
 */
#include "base/poster.h"

#include <string.h>

#include "base/html.h"
#include "base/qr.h"
#include "base/util.h"

struct words {
	const char *name, *direction;
	const char *join;     /* %s: the SSID, in <b> */
	const char *join_any; /* whatever its name is */
	const char *scan, *enter, *until; /* %s: a day */
};

static const struct words languages[] = {
	{"en", "ltr", "Join the Wi-Fi %s.", "Join our Wi-Fi.",
		"Scan this code with your camera.",
		"Type in your e-mail address, booking number or staff number.",
		"Good until %s."},
	{"fil", "ltr", "Kumonekta sa Wi-Fi na %s.", "Kumonekta sa aming Wi-Fi.",
		"I-scan ang code na ito gamit ang camera.",
		"I-type ang iyong e-mail, numero ng booking o numero ng kawani.",
		"Gumagana hanggang %s."},
	{"id", "ltr", "Sambungkan ke Wi-Fi %s.", "Sambungkan ke Wi-Fi kami.",
		"Pindai kode ini dengan kamera.",
		"Ketikkan alamat e-mail, nomor pemesanan, atau nomor staf Anda.",
		"Berlaku sampai %s."},
	{"sw", "ltr", "Jiunge na Wi-Fi %s.", "Jiunge na Wi-Fi yetu.",
		"Skani msimbo huu kwa kamera yako.",
		"Andika barua pepe, namba ya nafasi au namba ya mfanyakazi.",
		"Hutumika hadi %s."},
	{"fr", "ltr", "Connectez-vous au Wi-Fi %s.", "Connectez-vous à notre Wi-Fi.",
		"Scannez ce code avec votre appareil photo.",
		"Saisissez votre e-mail, numéro de réservation ou numéro d’employé.",
		"Valable jusqu’au %s."},
	{"es", "ltr", "Conéctese al Wi-Fi %s.", "Conéctese a nuestro Wi-Fi.",
		"Escanee este código con la cámara.",
		"Escriba su correo, número de reserva o número de empleado.",
		"Válido hasta el %s."},
	{"ar", "rtl", "اتصل بشبكة الواي فاي %s.",
		"اتصل بشبكة الواي فاي لدينا.",
		"امسح هذا الرمز بكاميرا هاتفك.",
		"اكتب بريدك الإلكتروني أو رقم الحجز "
		"أو الرقم الوظيفي.",
		"صالح حتى %s."},
};

const char poster_style[] =
	"@page{size:A4;margin:10mm}"
	".poster{box-sizing:border-box;max-width:186mm;margin:0 auto;padding:0;"
	"text-align:center;color:#000;background:#fff;"
	"font:15pt/1.3 system-ui,\"DejaVu Sans\",Arial,sans-serif}"
	".poster h1{font-size:32pt;line-height:1.1;margin:0 0 4mm;overflow-wrap:anywhere}"
	".poster .qr{width:max(512px,118mm);max-width:100%}"
	"@media print{.poster .scan .qr{width:118mm}}"
	".poster .qr svg{display:block}"
	".poster .join,.poster .scan{display:flex;align-items:center;"
	"justify-content:center}.poster .join{gap:4mm}.poster .join .qr{width:40mm}"
	".poster .step{display:inline-block;min-width:1.6em;line-height:1.5;"
	"border:0.5mm solid;border-radius:1em}"
	".poster ol{display:table;margin:4mm auto 0;padding-inline-start:1.4em;"
	"text-align:start}.poster li::marker{font-weight:bold}"
	".poster .more{display:grid;grid-template-columns:repeat(auto-fit,minmax(56mm,1fr));"
	"gap:0 2mm;font-size:9pt}.poster .more ol{margin-top:3mm}"
	".poster section{break-inside:avoid}"
	".poster p{margin:1mm 0 0}.poster .until{font-size:9pt}";

static const char page_style[] =
	"body{margin:0;color:#000;background:#fff}";

static bool has(const char *text)
{
	return text && *text;
}

/* The language that `*at` begins with; *at goes behind it. */
static const struct words *next_words(const char **at)
{
	size_t len = strcspn(*at, ","), i;
	const struct words *found = NULL;

	for (i = 0; i < ARRAY_SIZE(languages); i++)
		if (strlen(languages[i].name) == len &&
			!memcmp(languages[i].name, *at, len))
			found = &languages[i];
	*at += len;
	*at += **at == ',';
	return found;
}

bool poster_has_languages(const char *list)
{
	do {
		if (!next_words(&list))
			return false;
	} while (*list);
	return true;
}

/* `sentence` with `text` between the tags where its %s is. The value may be of
 * another direction than the sentence. */
static void put_with(FILE *out, const char *sentence, const char *tag, const char *text)
{
	const char *at = strstr(sentence, "%s");

	fprintf(out, "%.*s<%s dir=\"auto\">", (int)(at - sentence), sentence, tag);
	html_put(out, text);
	fprintf(out, "</%s>%s", tag, at + 2);
}

static int put_code(FILE *out, const char *text, const struct qr_look *look)
{
	int ret;

	fputs("<div class=\"qr\">", out);
	ret = qr_put_svg_look(out, text, look);
	fputs("</div>\n", out);
	return ret;
}

static void put_join(
	FILE *out, const struct words *words, const struct poster *poster)
{
	fputs("<li>", out);
	if (has(poster->ssid))
		put_with(out, words->join, "b", poster->ssid);
	else
		fputs(words->join_any, out);
	fputs("</li>\n", out);
}

static void put_steps(
	FILE *out, const struct words *words, const struct poster *poster, bool is_first)
{
	bool scan_joins = !has(poster->url);

	fprintf(out, "<section lang=\"%s\" dir=\"%s\">\n<ol>\n", words->name,
		words->direction);
	if (!scan_joins)
		put_join(out, words, poster);
	fprintf(out, "<li>%s</li>\n", words->scan);
	if (scan_joins)
		put_join(out, words, poster);
	if (poster->is_login)
		fprintf(out, "<li>%s</li>\n", words->enter);
	fputs("</ol>\n", out);
	if (has(poster->until) && is_first) {
		fputs("<p class=\"until\">", out);
		put_with(out, words->until, "span", poster->until);
		fputs("</p>\n", out);
	}
	fputs("</section>\n", out);
}

int poster_put_main(FILE *out, const struct poster *poster)
{
	/* Paper gets dirty, and nobody prints it anew for that. */
	struct qr_look look = {.level = 'Q'}, plain = {.level = 'Q'};
	const char *at = has(poster->languages) ? poster->languages : "en";
	bool two = has(poster->wifi) && has(poster->url);
	int ret = 0;

	if (poster->look) {
		look = *poster->look;
		look.level = 'Q';
	}
	fputs("<main class=\"poster\">\n<h1 dir=\"auto\">", out);
	html_put(out, has(poster->venue) ? poster->venue : "Wi-Fi");
	fputs("</h1>\n", out);
	if (two) {
		fputs("<div class=\"join\">", out);
		/* Two codes: the numbers are those of the steps below. */
		fputs("<b class=\"step\">1</b>", out);
		ret = put_code(out, poster->wifi, &plain);
		fputs("<p>Wi-Fi<br><b dir=\"auto\">", out);
		html_put(out, has(poster->ssid) ? poster->ssid : "");
		fputs("</b></p></div>\n", out);
	}
	fputs("<div class=\"scan\">", out);
	if (two)
		fputs("<b class=\"step\">2</b>", out);
	if (!ret)
		ret = put_code(out, has(poster->url) ? poster->url : poster->wifi,
			&look);
	fputs("</div>\n", out);
	put_steps(out, next_words(&at) ?: &languages[0], poster, true);
	fputs("<div class=\"more\">\n", out);
	while (*at)
		put_steps(out, next_words(&at) ?: &languages[0], poster, false);
	fputs("</div>\n</main>\n", out);
	return ret;
}

int poster_put(FILE *out, const struct poster *poster)
{
	const char *list = has(poster->languages) ? poster->languages : "en";
	const struct words *words = next_words(&list) ?: &languages[0];
	int ret;

	fprintf(out,
		"<!DOCTYPE html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n"
		"<meta charset=\"utf-8\">\n<meta name=\"robots\" content=\"noindex\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n<title>",
		words->name, words->direction);
	html_put(out, has(poster->venue) ? poster->venue : "Wi-Fi");
	fprintf(out, "</title>\n<style>%s%s</style>\n</head>\n<body>\n", page_style,
		poster_style);
	ret = poster_put_main(out, poster);
	fputs("</body>\n</html>\n", out);
	return ret;
}
