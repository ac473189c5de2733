/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A poster with QR codes for a wall: HTML for a browser to print, A4. */
#ifndef BASE_POSTER_H
#define BASE_POSTER_H

#include <stdbool.h>
#include <stdio.h>

struct qr_look;

/* Text is UTF-8 and the caller's; it is escaped here. "" or NULL: none. */
struct poster {
	const char *venue; /* the headline */
	const char *url;   /* what the large code opens; it is not printed as text */
	const char *ssid;  /* of the Wi-Fi to join first */
	/* wifi_uri_format(): a second, smaller code that joins it; without `url`, which
	 * one of the two has to be, it is the large one. */
	const char *wifi;
	const char *until; /* how long the code is good for, as it is to be read */
	bool is_login;	   /* the page asks who one is (U8) */
	const char *languages; /* as poster_has_languages(): the first large. "": en */
	const struct qr_look *look; /* for its logo; the codes are of 'Q' or 'H' */
};

/* Whether each word of "en,sw" is a language of posters. */
bool poster_has_languages(const char *languages);

/* For who puts poster_put_main() into a page of their own: its rules of CSS. */
extern const char poster_style[];

/* The whole page. -EMSGSIZE, -EBADMSG, -E2BIG: as qr_put_svg_look(). */
int poster_put(FILE *out, const struct poster *poster);
/* Only its <main class="poster">; the same. */
int poster_put_main(FILE *out, const struct poster *poster);

#endif
