/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP request, from its first line until its answer has left. All text
 * in here lives as long as the request.
 */
#ifndef PORTAL_REQUEST_H
#define PORTAL_REQUEST_H

#include "arena.h"
#include "form.h"
#include "gatehouse/types.h"
#include "i18n.h"
#include "portal.h"

struct MHD_Connection;
struct MHD_Response;
struct brand;
struct route;
struct operation;

enum method { METHOD_OTHER = 0, METHOD_GET, METHOD_POST, METHOD_PUT };

/* Where a connection came from and to; the server's. */
struct endpoint {
	int fd;
	bool secure; /* TLS */
	struct ipaddr peer, local;
	bool proof_used; /* its saved SYN is gone */
};

struct request {
	struct portal *portal;
	struct endpoint *endpoint;
	struct MHD_Connection *connection;
	struct arena arena;
	int64_t started_ns;

	enum method method; /* HEAD counts as GET */
	const char *path;   /* decoded; "" when it was not clean text */
	const char *target; /* path and query as sent */
	struct form query;
	struct form form; /* of the body, when it is a form */
	const char *host; /* of the Host header, without port, or "" */
	const struct route *route;
	const struct lang *lang;

	bool begun;	  /* headers were seen */
	char *body;	  /* NUL behind */
	size_t body_len;  /* what was sent, also beyond request_body_max() */
	const void *data; /* the handler's, for its callback */
	struct operation *operation; /* under way, or NULL */
	bool suspended;

	/* The answer, once there is one (response.h). */
	struct MHD_Response *response;
	int status;
	struct form headers; /* to be added */
};

/* `uri` is the request line's target. */
struct request *request_new(struct portal *portal, struct endpoint *endpoint,
	struct MHD_Connection *connection, const char *uri);
/* NULL is fine. */
void request_free(struct request *req);

/* The headers are in: fills in method, host and language. */
void request_begin(struct request *req, const char *method);
/* How much of a body is kept: PORTAL_BODY_MAX, of operators PORTAL_IMPORT_MAX. */
size_t request_body_max(const struct request *req);
/* Bytes of the body; -E2BIG far beyond that: hang up. */
int request_add_body(struct request *req, const char *data, size_t len);
/* Announced length of the body; 0 when unknown. */
uint64_t request_content_length(const struct request *req);
/* The body is in: reads it as a form when it is one. */
void request_end(struct request *req);

/* A header's value or NULL; never with control characters. */
const char *request_header(const struct request *req, const char *name);
/* Is the type of the body `type` (parameters aside)? */
bool request_has_type(const struct request *req, const char *type);
/* A cookie of that name, or NULL. */
const char *request_cookie(struct request *req, const char *name);
/* The session token that the browser showed as a cookie: 64 hex, or NULL. */
const char *request_token(struct request *req);

/* An operator's token, of the cookie or of "Authorization: Bearer"; NULL. */
const char *request_operator_token(struct request *req);

/* Does the Host header name this portal? An unknown name that leads here
 * could be another site's, rebound to our address. */
bool request_host_is_own(const struct request *req);
/* Whose portal was asked. */
const struct config_network *request_network(const struct request *req);
/* Its venue's own. Never NULL. */
const struct brand *request_brand(const struct request *req);
/* "http://10.0.0.1:8080", where this portal is to be opened. */
const char *request_base_url(struct request *req);

/* "https://admin.portal.example:8443", the instance for operators, seen from the
 * guests'. */
const char *request_operators_url(struct request *req);

/* Hands the request back to the server after it was suspended. */
void request_resume(struct request *req);

#define COOKIE_SESSION "gh_session"
#define COOKIE_OPERATOR "gh_operator"
#define COOKIE_LANG    "gh_lang"

#endif
