/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members, the codes by which they log in, and their logins (U1 to U9). As
 * store.h: 0 or a negative errno, and lists return how many rows there are.
 */
#ifndef STORE_MEMBERS_H
#define STORE_MEMBERS_H

#include "store/operators.h"

#define MEMBER_IDENTITY	   255 /* with the final NUL, as the others */
#define MEMBER_PROOF	   65
#define MEMBER_DEVICES	   5  /* of a new one */
#define MEMBER_DEVICES_MAX GROUP_DEVICES_MAX
#define QR_SEALED	   128
#define QR_USER_AGENT	   201

struct member {
	int64_t id;
	char identity[MEMBER_IDENTITY]; /* capitals make no other one */
	char name[STORE_NAME];
	char email[MEMBER_IDENTITY];
	int64_t operator_id; /* 0: a guest */
	char operator_name[OPERATOR_NAME]; /* read only, as the next */
	enum role role; /* the operator's; ROLE_NONE: a guest */
	int64_t plan_id; /* 0: that of the role */
	char plan_name[STORE_NAME]; /* read only */
	int64_t devices;
	int64_t check_in, check_out; /* UTC seconds; 0: none */
	char proof_name[MEMBER_PROOF], proof_room[MEMBER_PROOF];
	int64_t given_credit_id, given_until; /* see the schema; 0: none */
	int64_t last_used_at; /* 0: never */
	char created_by[40];
	int64_t created_at; /* read only, as the next */
	int64_t online;	    /* credits of it that are not used up */
};

/* Sets the id. -EEXIST: the identity is taken. */
int store_member_insert(struct store *store, struct member *member);
/* -ENOENT; -EEXIST. */
int store_member_put(struct store *store, const struct member *member);
int store_member_lookup(struct store *store, int64_t id, struct member *ret_member);
int store_member_by_identity(
	struct store *store, const char *identity, struct member *ret_member);
/* With its logins; what it has of credits is nobody's then. */
int store_member_remove(struct store *store, int64_t id);
/* By id, those above `after`; `operator_id` 0: of any; `text` NULL: any,
 * otherwise it is in the identity, the name or the e-mail address. */
int store_member_list(struct store *store, int64_t operator_id,
	const char *text, int64_t after, struct member *rows, int max);
/* Whose identity, e-mail address or logins say so. */
int store_member_of_person(
	struct store *store, const char *text, struct member *rows, int max);

/* Credits of the member that are not used up. */
int store_member_credits(
	struct store *store, int64_t id, struct credit *rows, int max);
/* What all of it used since the credit `first_id`, that one included. */
int store_member_used(struct store *store, int64_t id, int64_t first_id,
	int64_t *ret_up, int64_t *ret_down);
/* Whose it is; -ENOENT: no member's. */
int store_member_of_session(
	struct store *store, int64_t session_id, struct member *ret_member);
/* Whose session it is from now on. */
int store_session_member(struct store *store, int64_t session_id, int64_t id);
/* When the newest session of this device began that somebody unknown had by the
 * QR code; -ENOENT. */
int store_unknown_since(
	struct store *store, const struct mac *mac, int64_t *ret_started_at);

struct qr_token {
	int64_t id;
	uint8_t hash[CRYPTO_HASH];
	uint8_t sealed[QR_SEALED];
	size_t sealed_len;
	char label[STORE_NAME];
	int64_t expires_at, revoked_at; /* revoked_at 0: it was not */
	int64_t next_id; /* 0: none yet */
	int64_t logins;
	char created_by[40];
	int64_t created_at;
};
/* Sets the id. */
int store_qr_token_insert(struct store *store, struct qr_token *token);
int store_qr_token_lookup(
	struct store *store, int64_t id, struct qr_token *ret_token);
int store_qr_token_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_token *ret_token);
/* One login more by it. */
int store_qr_token_use(struct store *store, int64_t id);
/* Its end of use, and what takes its place. */
int store_qr_token_put(struct store *store, const struct qr_token *token);
/* Newest first, ids below `before`. */
int store_qr_token_list(
	struct store *store, int64_t before, struct qr_token *rows, int max);
/* Good ones that end until then, and have nothing in their place. */
int store_qr_token_due(
	struct store *store, int64_t until, struct qr_token *rows, int max);

struct qr_session {
	int64_t id;
	uint8_t hash[CRYPTO_HASH];
	bool has_cookie; /* above guest */
	uint8_t cookie_hash[CRYPTO_HASH];
	int64_t token_id; /* 0: it is gone */
	int64_t member_id; /* 0: unknown */
	char identity[MEMBER_IDENTITY];
	char email[MEMBER_IDENTITY];
	struct mac mac;
	char network[STORE_NETWORK];
	struct ipaddr ip;
	char user_agent[QR_USER_AGENT];
	int64_t created_at, used_at, expires_at;
};
/* Sets the id. */
int store_qr_session_insert(struct store *store, struct qr_session *session);
int store_qr_session_lookup(
	struct store *store, int64_t id, struct qr_session *ret_session);
int store_qr_session_by_hash(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_session *ret_session);
int store_qr_session_by_cookie(struct store *store,
	const uint8_t hash[static CRYPTO_HASH], struct qr_session *ret_session);
/* Has this device a login of this member, or had one today? 0; -ENOENT: no. */
int store_qr_session_of_device(
	struct store *store, int64_t member_id, const struct mac *mac);
int store_qr_session_use(struct store *store, int64_t id, int64_t now_sec);
int store_qr_session_remove(struct store *store, int64_t id);
/* Those that an operator's account proved; *ret_count of them. */
int store_qr_sessions_end(
	struct store *store, int64_t operator_id, int64_t *ret_count);
/* Newest first, ids below `before`, that end after `now_sec`. */
int store_qr_session_list(struct store *store, int64_t now_sec, int64_t before,
	struct qr_session *rows, int max);

#endif
