/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parsed form of a request. libmicrohttpd reads the request line and the
 * headers; target, query, body and cookies are decoded here (form.c), in one
 * way for all. Nothing here decides whether a request is allowed: guard.c does.
 */
#include "request.h"

#include <microhttpd.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "brand.h"
#include "operation.h"

/* Read and forgotten, so that an answer can still be sent. */
#define SWALLOW_MAX (64 * 1024)

/* "http://host/path?x" (absolute form) -> "/path?x". */
static const char *strip_authority(const char *uri)
{
	const char *rest = strncasecmp(uri, "http://", 7) == 0	  ? uri + 7
			   : strncasecmp(uri, "https://", 8) == 0 ? uri + 8
								  : NULL;

	if (!rest)
		return uri;
	rest += strcspn(rest, "/?");
	return *rest == '/' ? rest : "/";
}

struct request *request_new(struct portal *portal, struct endpoint *endpoint,
	struct MHD_Connection *connection, const char *uri)
{
	struct request *req = xcalloc(1, sizeof(*req));
	struct form path;
	size_t len;

	req->portal = portal;
	req->endpoint = endpoint;
	req->connection = connection;
	req->started_ns = clock_mono_ns();
	uri = strip_authority(uri);
	req->target = arena_copy(&req->arena, uri, strlen(uri));
	len = strcspn(uri, "?");
	/* A path decodes as a value does, but for '+'. */
	req->path = "";
	if (len && !memchr(uri, '+', len) && !memchr(uri, '&', len)) {
		const char *field =
			arena_printf(&req->arena, "p=%.*s", (int)len, uri);

		form_parse(&req->arena, field, strlen(field), &path);
		if (path.count)
			req->path = path.fields[0].value;
	}
	if (uri[len])
		form_parse(&req->arena, uri + len + 1, strlen(uri + len + 1),
			&req->query);
	return req;
}

void request_free(struct request *req)
{
	if (!req)
		return;
	operation_cancel(req);
	if (req->response)
		MHD_destroy_response(req->response);
	free(req->body);
	arena_fini(&req->arena);
	free(req);
}

const char *request_header(const struct request *req, const char *name)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(req->connection, MHD_HEADER_KIND,
		    name, strlen(name), &value, &len) != MHD_YES ||
		!value || strlen(value) != len)
		return NULL;
	return text_is_clean(value, len) ? value : NULL;
}

/* "[fd00::1]:80", "10.0.0.1:8080", "name" -> without the port. */
static const char *parse_host(struct request *req, const char *header)
{
	size_t len;

	if (!header)
		return "";
	if (*header == '[') {
		len = strcspn(header, "]");
		return header[len] ? arena_copy(&req->arena, header + 1, len - 1)
				   : "";
	}
	return arena_copy(&req->arena, header, strcspn(header, ":"));
}

const char *request_cookie(struct request *req, const char *name)
{
	return cookie_get(&req->arena, request_header(req, "Cookie"), name);
}

static const struct lang *pick_language(struct request *req)
{
	const char *code = form_get(&req->query, "lang");
	const struct lang *lang = code ? i18n_lookup(code) : NULL;

	if (!lang) {
		code = request_cookie(req, COOKIE_LANG);
		lang = code ? i18n_lookup(code) : NULL;
	}
	if (!lang)
		lang = i18n_pick(request_header(req, "Accept-Language"));
	return brand_lang(request_brand(req), lang);
}

void request_begin(struct request *req, const char *method)
{
	req->begun = true;
	if (!strcmp(method, "GET") || !strcmp(method, "HEAD"))
		req->method = METHOD_GET;
	else if (!strcmp(method, "POST"))
		req->method = METHOD_POST;
	else if (!strcmp(method, "PUT"))
		req->method = METHOD_PUT;
	req->host = parse_host(req, request_header(req, "Host"));
	req->lang = pick_language(req);
}

size_t request_body_max(const struct request *req)
{
	return req->portal->instance == INSTANCE_OPERATOR ? PORTAL_IMPORT_MAX
							  : PORTAL_BODY_MAX;
}

int request_add_body(struct request *req, const char *data, size_t len)
{
	size_t max = request_body_max(req), room;

	if (req->body_len + len > SWALLOW_MAX)
		return -E2BIG;
	if (!req->body)
		req->body = xcalloc(1, max + 1);
	if (req->body_len < max) {
		room = max - req->body_len;
		memcpy(req->body + req->body_len, data, MIN(len, room));
	}
	req->body_len += len;
	return 0;
}

uint64_t request_content_length(const struct request *req)
{
	const char *text = request_header(req, "Content-Length");

	return text ? strtoull(text, NULL, 10) : 0;
}

bool request_has_type(const struct request *req, const char *type)
{
	const char *value = request_header(req, "Content-Type");
	size_t len = strlen(type);

	return value && !strncasecmp(value, type, len) &&
	       (!value[len] || strchr(" \t;", value[len]));
}

void request_end(struct request *req)
{
	if (req->body && req->body_len <= request_body_max(req) &&
		request_has_type(req, "application/x-www-form-urlencoded"))
		form_parse(&req->arena, req->body, req->body_len, &req->form);
}

const char *request_token(struct request *req)
{
	const char *token = request_cookie(req, COOKIE_SESSION);

	return token && text_is_hex(token, CTL_TOKEN_LEN) ? token : NULL;
}

const char *request_operator_token(struct request *req)
{
	static const char scheme[] = "Bearer ";
	const char *header = request_header(req, "Authorization");
	const char *token;

	if (!header)
		token = request_cookie(req, COOKIE_OPERATOR);
	else if (!strncasecmp(header, scheme, strlen(scheme)))
		token = arena_printf(
			&req->arena, "%s", header + strlen(scheme));
	else
		return NULL;
	return token && text_is_hex(token, CTL_TOKEN_LEN) ? token : NULL;
}

bool request_host_is_own(const struct request *req)
{
	const char *name = req->portal->config.portal_name;
	struct ipaddr addr;

	/* Through a tunnel, for example. */
	if (req->portal->instance == INSTANCE_OPERATOR &&
		ip_is_loopback(&req->endpoint->local) &&
		!strcasecmp(req->host, "localhost"))
		return true;
	/* Browsers send a login to every port of the host that set it, so to the
	 * guests' instance as well: not if ours has a name of its own. */
	if (req->portal->instance == INSTANCE_OPERATOR && *name &&
		!ip_is_loopback(&req->endpoint->local))
		return !strcasecmp(req->host, name);

	if (*name && !strcasecmp(req->host, name))
		return true;
	return ip_parse(req->host, &addr) == 0 &&
	       ip_equal(&addr, &req->endpoint->local);
}

/* "https://name:port", without what is usual; the address where there is no
 * name. */
static const char *make_url(struct request *req, const char *name, bool secure,
	int http_port, int https_port)
{
	int port = secure ? https_port : http_port;
	const char *scheme = secure ? "https" : "http";
	bool standard = port == (secure ? 443 : 80);
	char addr[IP_TEXT], host[256];

	ip_format(&req->endpoint->local, addr);
	if (*name)
		snprintf(host, sizeof(host), "%s", name);
	else if (ip_is_v4(&req->endpoint->local))
		snprintf(host, sizeof(host), "%s", addr);
	else
		snprintf(host, sizeof(host), "[%s]", addr);
	if (standard)
		return arena_printf(&req->arena, "%s://%s", scheme, host);
	return arena_printf(&req->arena, "%s://%s:%d", scheme, host, port);
}

const char *request_base_url(struct request *req)
{
	const struct config *config = &req->portal->config;

	return make_url(req, config->portal_name, req->portal->has_tls,
		config->portal_http_port, config->portal_https_port);
}

const char *request_operators_url(struct request *req)
{
	const struct config *config = &req->portal->config;

	return make_url(req, config->operator_name, config->operator_tls_cert[0],
		config->operator_http_port, config->operator_https_port);
}

const struct config_network *request_network(const struct request *req)
{
	const struct config *config = &req->portal->config;
	int i;

	for (i = 0; i < config->network_count; i++) {
		const struct config_network *n = &config->networks[i];

		if (ip_equal(&n->portal4, &req->endpoint->local) ||
			ip_equal(&n->portal6, &req->endpoint->local))
			return n;
	}
	/* We listen at those addresses only. */
	return &config->networks[0];
}

const struct brand *request_brand(const struct request *req)
{
	const struct portal *portal = req->portal;

	return brands_of(portal->brands,
		(int)(request_network(req) - portal->config.networks));
}

void request_resume(struct request *req)
{
	if (!req->suspended)
		return;
	req->suspended = false;
	MHD_resume_connection(req->connection);
	req->portal->http_work = true;
}
