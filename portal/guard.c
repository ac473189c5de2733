/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard: whether a request is let through to its handler. It knows hosts,
 * origins, form tokens, sizes and rates; it does not know sessions, which are
 * the daemon's. The order of the checks is the order of the table `checks`.
 *
 * Cross-site requests: a POST form must come from our own page, shown by an
 * equal Origin or by the form token (browsers send "Origin: null" where a
 * page's referrer policy is no-referrer, as ours is). The JSON API takes
 * application/json only, which another site cannot send without asking us
 * first, and we never agree. GET changes nothing.
 */
#include "guard.h"

#include <strings.h>

#include "base/util.h"
#include "csrf.h"
#include "pages.h"
#include "response.h"
#include "routes.h"
#include "refusals.h"

/* Of the page first asked for, as far as it is carried along. */
#define TARGET_MAX 512

static void refuse(
	struct request *req, int status, const char *code, const char *error)
{
	if (req->route && req->route->kind == ROUTE_PAGE)
		page_error(req, status, code, error);
	else if (req->route && req->route->kind == ROUTE_FORM)
		page_error(req, status, code, error);
	else if (!req->route && strncmp(req->path, "/api/", 5))
		page_error(req, status, code, error);
	else
		response_json_error(req, status, code, error);
}

/* Somebody asked for another site and came here: to the welcome page, which
 * then offers the page asked for. */
static int check_host(struct request *req)
{
	const char *location;

	if (request_host_is_own(req) ||
		(req->route && req->route->kind == ROUTE_PROBE))
		return 0;
	if (req->method != METHOD_GET || !strncmp(req->path, "/api/", 5)) {
		refuse(req, 403, "not_allowed",
			arena_printf(&req->arena, "This portal is at %s/",
				request_base_url(req)));
		return -EPERM;
	}
	location = arena_printf(&req->arena, "%s/", request_base_url(req));
	/* Operators asked for this and for no other site. */
	if (req->portal->instance == INSTANCE_GUEST && *req->host &&
		strlen(req->target) <= TARGET_MAX)
		location = arena_printf(&req->arena, "%s?url=%s", location,
			form_escape(&req->arena,
				arena_printf(&req->arena, "http://%s%s",
					req->host, req->target)));
	response_redirect(req, 302, location);
	return -EPERM;
}

/* With a certificate, tokens travel by TLS only (docs/design.md T4). */
static int check_secure(struct request *req)
{
	if (!req->portal->has_tls || req->endpoint->secure ||
		(req->route && req->route->kind == ROUTE_PROBE))
		return 0;
	if (req->method == METHOD_GET && *req->target == '/')
		response_redirect(req, 302,
			arena_printf(&req->arena, "%s%s", request_base_url(req),
				req->target));
	else
		refuse(req, 403, "not_allowed",
			arena_printf(&req->arena, "Please use %s/",
				request_base_url(req)));
	return -EPERM;
}

static int check_route(struct request *req)
{
	int ret = routes_lookup(
		req->portal->instance, req->method, req->path, &req->route);

	if (ret == -EOPNOTSUPP) {
		response_header(req, "Allow",
			req->route->method == METHOD_POST  ? "POST"
			: req->route->method == METHOD_PUT ? "PUT"
							   : "GET, HEAD");
		refuse(req, 405, "bad_request",
			"This address does not take that kind of request.");
	} else if (ret) {
		req->route = NULL;
	}
	return ret == -EOPNOTSUPP ? ret : 0;
}

static int check_found(struct request *req)
{
	if (req->route)
		return 0;
	refuse(req, 404, "not_found", "There is no such page here.");
	return -ENOENT;
}

static int check_rate(struct request *req)
{
	int64_t wait = refusals_wait(
		req->portal->refusals, &req->endpoint->peer, req->started_ns);

	if (!wait || (req->route && req->route->kind == ROUTE_ASSET))
		return 0;
	response_header(req, "Retry-After",
		arena_printf(&req->arena, "%lld",
			(long long)(wait / NSEC_PER_SEC + 1)));
	refuse(req, 429, "slow_down",
		"Too many tries. Please wait a moment, then try again.");
	return -EAGAIN;
}

static int check_length(struct request *req)
{
	if (request_content_length(req) <= request_body_max(req))
		return 0;
	refuse(req, 413, "bad_request", "That is too much to send here.");
	return -E2BIG;
}

static int check_type(struct request *req)
{
	const char *type = req->route->kind == ROUTE_API
				   ? "application/json"
				   : "application/x-www-form-urlencoded";

	if (req->method == METHOD_GET || request_has_type(req, type))
		return 0;
	/* A form without fields may come without a type. */
	if (req->route->kind == ROUTE_FORM &&
		!request_header(req, "Content-Type"))
		return 0;
	refuse(req, 415, "bad_request",
		arena_printf(&req->arena, "Send this as %s.", type));
	return -EINVAL;
}

/* "http://10.0.0.1:8080" of a header against where the request was sent. */
static bool is_own_origin(const struct request *req, const char *origin)
{
	const char *host = request_header(req, "Host");
	const char *scheme = req->endpoint->secure ? "https://" : "http://";
	size_t len = strlen(scheme);

	return host && !strncasecmp(origin, scheme, len) &&
	       !strcasecmp(origin + len, host);
}

static int check_origin(struct request *req)
{
	const char *origin = request_header(req, "Origin");
	const char *site = request_header(req, "Sec-Fetch-Site");

	if (req->method == METHOD_GET)
		return 0;
	if ((!origin || !strcmp(origin, "null") || is_own_origin(req, origin)) &&
		(!site || strcmp(site, "cross-site")))
		return 0;
	refuse(req, 403, "not_allowed",
		"Another web site tried to do this in your name.");
	return -EPERM;
}

static int check_body_length(struct request *req)
{
	if (req->body_len <= request_body_max(req))
		return 0;
	refuse(req, 413, "bad_request", "That is too much to send here.");
	return -E2BIG;
}

static int check_form_token(struct request *req)
{
	const char *origin = request_header(req, "Origin");

	if (req->route->kind != ROUTE_FORM)
		return 0;
	/* No browser posts a form to us without saying where it comes from,
	 * except those that say "null". */
	if (!origin || is_own_origin(req, origin) ||
		csrf_check(req->portal->form_key, &req->endpoint->peer,
			req->started_ns, form_get(&req->form, "form")))
		return 0;
	page_form_again(req);
	return -EPERM;
}

typedef int check_fn(struct request *req);

static check_fn *const header_checks[] = {check_route, check_host, check_secure,
	check_rate, check_found, check_length, check_type, check_origin};
static check_fn *const body_checks[] = {check_body_length, check_form_token};

static int run(struct request *req, check_fn *const *checks, size_t count)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < count && !ret; i++)
		ret = checks[i](req);
	return ret;
}

int guard_headers(struct request *req)
{
	return run(req, header_checks, ARRAY_SIZE(header_checks));
}

int guard_body(struct request *req)
{
	return run(req, body_checks, ARRAY_SIZE(body_checks));
}
