/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers. Each one gets the security headers of the table below and, unless
 * it says otherwise, must not be stored: what the portal says holds for one
 * client at one moment. An answer that used the connection's proof closes the
 * connection, because a second request on it could prove nothing.
 */
#include "response.h"

#include <microhttpd.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "base/util.h"
#include "brand.h"

/* No script, style or picture but our own files and the styles that each page
 * has in its head, ours and the venue's, by their hashes; nothing from
 * elsewhere, no frames around us. */
#define POLICY                                                             \
	"default-src 'none'; script-src 'self'; style-src 'self' "         \
	"'sha256-%s'%s; img-src 'self'; connect-src 'self'; "              \
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

/* No hint to other sites where a guest came from. */
static const struct {
	const char *name, *value;
} always[] = {
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
};

/* Browsers cap it at 400 days; when a token ends is for the daemon to say. */
#define COOKIE_AGE 34560000

void response_header(struct request *req, const char *name, const char *value)
{
	int at = req->headers.count;

	if (at == FORM_FIELDS_MAX || !text_is_clean(value, strlen(value))) {
		log_warning("%s: cannot add header %s", req->path, name);
		return;
	}
	req->headers.fields[at].name = name;
	req->headers.fields[at].value =
		arena_copy(&req->arena, value, strlen(value));
	req->headers.count++;
}

/* Only when no other of that name is there. */
static void response_default(
	struct request *req, const char *name, const char *value)
{
	if (!form_get(&req->headers, name))
		response_header(req, name, value);
}

void response_set_token(struct request *req, const char *token)
{
	const char *secure = req->endpoint->secure ? "; Secure" : "";

	response_header(req, "Set-Cookie",
		arena_printf(&req->arena,
			COOKIE_SESSION "=%s; Max-Age=%d; Path=/; HttpOnly; "
				       "SameSite=Lax%s",
			token ? token : "", token ? COOKIE_AGE : 0, secure));
}

/* Strict: no link of another site's arrives logged in. Over when the browser is,
 * or when the daemon says so. */
void response_set_operator(struct request *req, const char *token)
{
	response_header(req, "Set-Cookie",
		arena_printf(&req->arena,
			COOKIE_OPERATOR "=%s; Path=/; HttpOnly; SameSite=Strict"
					"%s%s",
			token ? token : "", token ? "" : "; Max-Age=0",
			req->endpoint->secure ? "; Secure" : ""));
}

/* RFC 6797: browsers come by TLS from then on, whatever is typed. Only when
 * asked for: who gives the certificate up within that time locks them out. */
static void add_hsts(struct request *req)
{
	int days = req->portal->config.hsts_days;

	if (days && req->endpoint->secure)
		response_default(req, "Strict-Transport-Security",
			arena_printf(
				&req->arena, "max-age=%lld", days * SEC_PER_DAY));
}

static const char *policy(struct request *req)
{
	return arena_printf(&req->arena, POLICY, assets_style_hash(),
		request_brand(req)->style_source);
}

/* `response` becomes the request's. */
static void finish(struct request *req, int status,
	struct MHD_Response *response, const char *type)
{
	size_t i;
	int n;

	if (!response)
		abort();
	if (req->response) {
		log_error("%s was answered twice", req->path);
		MHD_destroy_response(response);
		return;
	}
	response_default(req, "Content-Type", type);
	response_default(req, "Cache-Control", "no-store");
	if (status == 429 || status == 503)
		response_default(req, "Retry-After", "5");
	if (req->endpoint->proof_used || req->portal->draining)
		response_header(req, "Connection", "close");
	if (!form_get(&req->headers, "Content-Security-Policy"))
		MHD_add_response_header(
			response, "Content-Security-Policy", policy(req));
	add_hsts(req);
	for (i = 0; i < ARRAY_SIZE(always); i++)
		response_default(req, always[i].name, always[i].value);
	for (n = 0; n < req->headers.count; n++)
		MHD_add_response_header(response, req->headers.fields[n].name,
			req->headers.fields[n].value);
	req->response = response;
	req->status = status;
	request_resume(req);
}

void response_buf(
	struct request *req, int status, const char *type, struct buf *body)
{
	struct buf taken = *body;

	*body = (struct buf){0};
	finish(req, status,
		taken.data ? MHD_create_response_from_buffer(taken.len,
				     taken.data, MHD_RESPMEM_MUST_FREE)
			   : MHD_create_response_from_buffer(
				     0, "", MHD_RESPMEM_PERSISTENT),
		type);
}

void response_text(
	struct request *req, int status, const char *type, const char *text)
{
	finish(req, status,
		MHD_create_response_from_buffer(
			strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY),
		type);
}

void response_json(struct request *req, int status, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (!text)
		abort();
	finish(req, status,
		MHD_create_response_from_buffer(
			strlen(text), text, MHD_RESPMEM_MUST_FREE),
		"application/json");
}

void response_json_error(
	struct request *req, int status, const char *code, const char *error)
{
	_cleanup_json_ json_t *json = json_object();

	json_object_set_new(json, "success", json_false());
	json_object_set_new(json, "error", json_string(error));
	json_object_set_new(json, "code", json_string(code));
	response_json(req, status, json);
}

void response_redirect(struct request *req, int status, const char *location)
{
	const char *venue = request_network(req)->venue_name;
	struct buf body = {0};

	response_header(req, "Location", location);
	buf_puts(&body, "<!DOCTYPE html><meta charset=\"utf-8\"><title>");
	buf_put_html(&body, venue, strlen(venue));
	buf_puts(&body, "</title><a href=\"");
	buf_put_html(&body, location, strlen(location));
	buf_puts(&body, "\">Continue</a>\n");
	response_buf(req, status, "text/html; charset=utf-8", &body);
}

void response_asset(struct request *req, const struct asset *asset)
{
	/* The URL names the version, so what it says never changes. */
	response_default(
		req, "Cache-Control", "public, max-age=31536000, immutable");
	finish(req, 200,
		MHD_create_response_from_buffer(asset->len, (void *)asset->data,
			MHD_RESPMEM_PERSISTENT),
		asset->type);
}
