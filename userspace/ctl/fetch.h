/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One web request, as a phone's detector makes it, and one name looked up. */
#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define FETCH_BODY_MAX 65536

struct fetched {
	int status;  /* 0: no answer came, `error` says why */
	bool is_refused; /* at once, by a reset */
	bool is_untrusted; /* its certificate */
	int ms;
	char location[512], type[128];
	char *body; /* NUL behind `len` bytes; the caller frees it */
	size_t len;
	char error[256];
};

struct wanted {
	const char *url;
	const char *agent;   /* NULL: says none */
	const char *address; /* where, whatever the name; NULL: the name's own */
	const char *ca;	     /* file of who is trusted; NULL: as this machine does */
};

/* GETs it and follows nothing; fetch_fini() is the caller's. */
void fetch_get(const struct wanted *wanted, struct fetched *ret);
void fetch_fini(struct fetched *fetched);

/* The first IPv4 address of a name, asked of `server` (0: of the resolvers of
 * this machine). -ENOENT: there is none; -ETIMEDOUT: no answer. */
int fetch_resolve(const char *name, struct in_addr server,
	struct in_addr *ret_address);

#endif
