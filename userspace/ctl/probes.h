/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What operating systems and browsers ask to find out whether there is a
 * portal. The portal answers from this table when it is asked itself,
 * `selftest` asks what it says, and no host of it is a page that a guest
 * wanted. Pure: no sockets.
 */
#ifndef CTL_PROBES_H
#define CTL_PROBES_H

#include <stdbool.h>
#include <stddef.h>

struct probe {
	const char *asker;  /* for people: "Android" */
	const char *agent;  /* as what: its User-Agent; NULL: sends none */
	const char *host, *path;
	/* The answer that it takes for internet: body is in what came. */
	int status;
	const char *type, *body;
};

/* The rows in order; NULL beyond the last. */
const struct probe *probes_at(int index);
/* The first row with that path, whatever its host; NULL: none. "/" is no
 * probe's own path. */
const struct probe *probes_lookup(const char *path);
/* Is the host, without port, asked by machines and not by people? */
bool probes_is_host(const char *host);

/* What the asking system makes of an answer. */
enum verdict {
	VERDICT_INTERNET,
	VERDICT_PORTAL, /* it opens the sign-in page */
	VERDICT_NONE,	/* neither: no internet, and no sign-in page */
};

/* status 0: no answer came. `location` and `body` may be NULL; `len` bytes of
 * body, not all of which need be text. */
enum verdict probes_judge(const struct probe *probe, int status,
	const char *location, const char *body, size_t len);

#endif
