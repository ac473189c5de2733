/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way to answer. A handler answers exactly once, at once or from the
 * callback of its operation; the server sends it. Headers that each answer
 * carries are added here.
 */
#ifndef PORTAL_RESPONSE_H
#define PORTAL_RESPONSE_H

#include "assets.h"
#include "base/json.h"
#include "buf.h"
#include "request.h"

/* Adds a header to the answer to come; up to FORM_FIELDS_MAX of them. `name`
 * must be a literal, `value` is copied and must be clean text. */
void response_header(struct request *req, const char *name, const char *value);
/* Sets or (NULL) deletes the session cookie. */
void response_set_token(struct request *req, const char *token);

/* The same of an operator's login. */
void response_set_operator(struct request *req, const char *token);

/* `body` is taken, its owner is left with an empty one. */
void response_buf(
	struct request *req, int status, const char *type, struct buf *body);
void response_text(
	struct request *req, int status, const char *type, const char *text);
void response_json(struct request *req, int status, const json_t *json);
/* {"success":false,"error","code"}. */
void response_json_error(
	struct request *req, int status, const char *code, const char *error);
/* 302 or 303, with a body for those who ask what this is. */
void response_redirect(struct request *req, int status, const char *location);
void response_asset(struct request *req, const struct asset *asset);

#endif
