/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Handlers of the operations table and the arguments that its rows fill for
 * them. One file per noun: ops_<noun>.c.
 */
#ifndef DAEMON_OPS_HANDLERS_H
#define DAEMON_OPS_HANDLERS_H

#include "base/clock.h"
#include "daemon/ops.h"
#include "rules/rules.h"
#include "store/coins.h"
#include "store/members.h"

#define OPS_LIST_DEFAULT 50
#define OPS_LIST_MAX     50 /* a page of the longest names fits into a frame */
#define STAFF_MINUTES   60 /* what staff may give or take at once (N13) */
#define OPS_COUNT_MAX    1000 /* codes of one vouchers.create */
#define OPS_WIDE_MAX     20 /* the same of members and QR logins */
#define OPS_IMPORT_MAX   4000 /* bytes of codes of one vouchers.import */

struct args_list {
	int64_t limit;
	bool limit_set, after_set, state_set, batch_set;
	int64_t after; /* cursor: "next" of the page before */
	char state[16];
	char batch[40];
	bool all; /* plans: also those that were removed */
};
struct args_clients {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, state_set, search_set;
	char state[16];	 /* of a session that is not ended */
	char search[64]; /* part of a MAC, a name or a note; or an address */
};
struct args_events {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, mac_set, type_set, severity_set;
	struct mac mac;
	char type[32];
	char severity[16];
};
struct args_garden {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, network_set;
	char network[CONFIG_NAME_MAX];
};
struct args_mac {
	struct mac mac;
};
struct args_rates { /* kbit/s */
	bool up_set, down_set, slow_up_set, slow_down_set;
	int64_t up, down, slow_up, slow_down;
};
struct args_allow {
	struct mac mac;
	bool minutes_set, megabytes_set, plan_set, paid_set;
	int64_t paid_minor; /* what was taken for it */
	int64_t minutes;
	int64_t megabytes;
	char plan[CTL_NAME_MAX + 1];
	struct args_rates rates;
};
struct args_rate {
	struct mac mac;
	struct args_rates rates;
};
struct args_block {
	struct mac mac;
	bool blocked;
};
struct args_move {
	struct mac from, to;
};
struct args_device {
	struct json_device device;
};
struct args_set {
	struct json_device device;
	bool name_set, note_set, session_time_set, blocked_set, exempt_set;
	bool exempt_network_set, exempt_until_set;
	char name[CTL_NAME_MAX + 1];
	char note[201];
	int64_t session_time; /* seconds to add; below 0: to take away */
	struct args_rates rates; /* the device's own; no slow ones */
	bool blocked, exempt;
	char exempt_network[CONFIG_NAME_MAX];
	char exempt_until[TIME_TEXT]; /* see time_parse() */
};
struct args_plan {
	char name[CTL_NAME_MAX + 1];
	bool megabytes_set, price_set, currency_set, moves_set, token_days_set;
	bool devices_set;
	bool minutes_set, counts_set, hours_set, idle_set, valid_set;
	int64_t minutes, megabytes, price_minor, moves, token_days;
	int64_t devices; /* 1 when it is not set */
	bool coin, coin_set;
	int64_t idle_minutes, valid_days; /* 0: none */
	char counts[16]; /* judged as a whole, as hours are */
	char hours[2 * STORE_HOURS];
	struct args_rates rates;
	char currency[CTL_NAME_MAX + 1]; /* judged as a whole */
	bool networks_set;
	char networks[CTL_NETWORKS_MAX + 1];
};
struct args_name {
	char name[CTL_NAME_MAX + 1];
};
struct args_group {
	char name[CTL_NAME_MAX + 1];
	bool megabytes_set;
	int64_t megabytes; /* 0: no limit */
	struct args_rates rates; /* no slow ones */
};
struct args_join {
	char name[CTL_NAME_MAX + 1];
	struct mac mac;
};
struct args_batch {
	char plan[CTL_NAME_MAX + 1];
	bool count_set, batch_set;
	char batch[40]; /* its name; otherwise it is made up */
	int64_t count; /* 1 when it is not set */
	bool expires_set, prefix_set;
	int64_t expires_days;
	char prefix[9];
};
struct args_code {
	char code[CTL_CODE_MAX + 1];
	char terms[CTL_TERMS_MAX + 1]; /* accepted with it (daemon/terms.h); "" */
};
struct args_sell {
	int64_t paid_minor; /* the plan's price when it is not set */
	bool plan_set, code_set, paid_set, network_set;
	char plan[CTL_NAME_MAX + 1]; /* a new voucher of it, or */
	char code[CTL_CODE_MAX + 1]; /* one that was made before */
	char network[CONFIG_NAME_MAX]; /* as in args_sheet */
};
struct args_sheet {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, network_set;
	char batch[40];
	char network[CONFIG_NAME_MAX]; /* whose portal; otherwise of the plan's */
};
struct args_revoke {
	char code[CTL_CODE_MAX + 1];
	bool code_set, batch_set;
	char batch[40];
};
struct args_import {
	char plan[CTL_NAME_MAX + 1];
	char batch[40];
	bool expires_set;
	int64_t expires_days;
	char codes[OPS_IMPORT_MAX + 1]; /* with a space between */
};
struct args_id {
	int64_t id;
};
struct args_share {
	struct mac mac, with;
};
struct args_guest_add {
	struct mac mac; /* typed */
	bool mac_set, pick_set;
	char pick[CTL_PICK_LEN + 1]; /* of guest.devices */
};
struct args_token {
	char token[CTL_TOKEN_MAX + 1];
};
struct args_days { /* as 2026-11-21, both in it */
	bool from_set, to_set;
	char from[16], to[16];
};
struct args_payments {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, who_set;
	char who[40];
	struct args_days days;
};
struct args_addresses {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, of_set, at_set;
	char of[48]; /* MAC or IP */
	char at[24];
};
struct args_statistics {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, by_set;
	char by[16];
	struct args_days days;
};
struct args_forget {
	char who[MEMBER_IDENTITY]; /* MAC, telephone number, e-mail address,
				    * identity of a member */
};
struct args_export {
	int64_t after; /* as in args_list */
	bool what_set, schema_set, format_set, subject_set;
	bool after_set;
	char what[24];
	char schema[16];
	char format[8];
	struct args_days days;
	char subject[MEMBER_IDENTITY]; /* as who of args_forget */
};
struct args_verify {
	bool repair;
};
struct args_explain {
	struct mac mac;
	bool to_set, from_set, port_set, proto_set, network_set;
	bool down; /* a packet to the client, not of it */
	char to[IP_TEXT], from[IP_TEXT];
	int64_t port; /* the server's */
	char proto[8];
	char network[CONFIG_NAME_MAX];
};
struct args_unload {
	bool open;
};
struct args_operator {
	char name[CTL_NAME_MAX + 1];
	char role[16];
	char password[129];
};
struct args_password {
	char old_password[129];
	char password[129];
};
struct args_token_add {
	char name[CTL_NAME_MAX + 1];
	bool label_set, expires_set;
	char label[CTL_NAME_MAX + 1];
	int64_t expires_days;
};
struct args_second { /* behind the password */
	char ticket[CTL_TICKET_LEN + 1];
	char code[17];
};
struct args_totp_set {
	char name[CTL_NAME_MAX + 1];
	char state[8]; /* on, off */
};
struct args_totp_code {
	char code[17];
};
struct args_login {
	char name[CTL_NAME_MAX + 1];
	char password[129];
	char address[IP_TEXT]; /* of the browser, as the operators' portal has it */
};
struct args_access {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, who_set, operation_set, result_set;
	char who[40];
	char operation[32];
	char result[32];
};
struct args_guest {
	bool claim; /* hand out the token if the rules allow it */
	bool token_set;
	char token[CTL_TOKEN_MAX + 1]; /* shown by the browser: it is renewed */
};
struct args_home {
	struct args_guest guest;
	/* A login by QR code, as the browser keeps it. */
	bool session_set, cookie_set;
	char session[CTL_TOKEN_LEN + 1];
	char cookie[CTL_TOKEN_LEN + 1];
};

struct args_coin {
	char slot[CONFIG_NAME_MAX]; /* "": the only one */
	bool slot_set, lock_set;
	char lock[COIN_KEY];
	char terms[CTL_TERMS_MAX + 1]; /* as in args_code */
};
struct args_start {
	char lock[COIN_KEY];
	char terms[CTL_TERMS_MAX + 1]; /* as in args_code */
	char slot[CONFIG_NAME_MAX];
	bool minutes_set, pesos_set, slot_set;
	int64_t minutes, pesos;
};
struct args_free {
	char terms[CTL_TERMS_MAX + 1]; /* as in args_code */
};
struct args_terms {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, mac_set;
	struct mac mac;
};
struct args_claim {
	int64_t id;
	struct mac mac;
};

struct args_member {
	int64_t id; /* of members.set: then identity is a new one */
	bool id_set, identity_set, name_set, email_set, role_set, operator_set;
	bool plan_set, devices_set, in_set, out_set, proof_name_set;
	bool proof_room_set;
	char identity[MEMBER_IDENTITY];
	char name[STORE_NAME];
	char email[MEMBER_IDENTITY];
	char role[16]; /* that which it has by the operator's account */
	char operator_name[OPERATOR_NAME]; /* "": none */
	char plan[CTL_NAME_MAX + 1]; /* "": that of the role */
	int64_t devices;
	char in[TIME_TEXT], out[TIME_TEXT]; /* "": none */
	char proof_name[MEMBER_PROOF], proof_room[MEMBER_PROOF];
};
struct args_members {
	int64_t limit, after; /* as in args_list */
	bool limit_set, after_set, text_set;
	char text[MEMBER_IDENTITY]; /* part of identity, name or e-mail */
};
struct args_member_import {
	char header[301];
	char rows[OPS_IMPORT_MAX + 1]; /* lines of CSV */
};
struct args_pin {
	char name[CTL_NAME_MAX + 1];
	char pin[33];
};
struct args_label {
	char label[STORE_NAME];
	bool label_set;
};
struct args_qr_login {
	char token[CTL_TOKEN_MAX + 1];
	char user_id[MEMBER_IDENTITY];
	bool secret_set, agent_set;
	char secret[CTL_SECRET_MAX + 1];
	char agent[QR_USER_AGENT];
	char terms[CTL_TERMS_MAX + 1]; /* as in args_code */
};
struct args_qr_session {
	char session[CTL_TOKEN_MAX + 1];
	bool cookie_set;
	char cookie[CTL_TOKEN_MAX + 1];
};

struct account;
/* When the member may be here, and with how many devices (ops_qr_session.c). */
void json_add_stay(const struct member *member, json_t *reply);
/* What a guest is told of the own session; `account` NULL: none. */
void json_add_own(json_t *reply, const struct caller *caller,
	const struct account *account, const struct moment *now);
/* A session as lists of them show it; null when it cannot be read. */
json_t *session_json(struct gatehoused *g, const struct session *session,
	const struct moment *now);

/* What is known of a client, with a sentence about what was changed, or why
 * nothing is; a refusal for who asks about one device by its address. */
json_t *client_changed(
	struct gatehoused *g, const struct mac *mac, const char *message);
/* As clients.get shows it, with its addresses; `message` may be NULL. */
json_t *client_shown(
	struct gatehoused *g, const struct mac *mac, const char *message);
json_t *client_refused(enum outcome outcome, const struct mac *mac);
/* NULL, or a refusal: the MAC of the device that is meant. */
json_t *device_meant(struct gatehoused *g, const struct json_device *device,
	struct mac *ret_mac);
/* The plan on sale; NULL, or the refusal. */
json_t *find_plan(
	struct gatehoused *g, const char *name, struct plan *ret_plan);
/* An audit row of what the caller did now; `mac` may be NULL. */
int audit_now(struct gatehoused *g, const struct caller *caller,
	const char *operation, const struct mac *mac, const char *detail);

/* The guest showed something that does not exist: maybe a guess. */
void guess_missed(struct gatehoused *g, const struct caller *caller);

/* "guest", or the operator's role. */
const char *member_role_name(enum role role);
/* The account is going: so are its members, and what they have ends. */
int members_leave(struct gatehoused *g, int64_t operator_id);
/* Job: a QR code that ends soon gets its successor, and operators are told. */
int qr_rotate(struct gatehoused *g);

struct operator;
/* The operator's account, if the caller may handle it; and what is said of one
 * that the caller may not. NULL, or the refusal. */
json_t *find_operator(struct gatehoused *g, const struct caller *caller,
	const char *name, struct operator *ret_operator);
json_t *refuse_above(enum role role);
/* What an app takes, into a reply: `secret` to be typed, `url` for a QR code. */
void totp_describe(struct gatehoused *g, const uint8_t *secret, const char *name,
	json_t *reply);
/* The time that the days say, to the second behind it; what is not said stays.
 * NULL, or the refusal. */
json_t *days_of(const struct args_days *days, int64_t *from, int64_t *until);

op_fn op_status, op_verify, op_reasons, op_explain, op_watch,
	op_events_list, op_garden_list, op_backup, op_key_show, op_unload;
op_fn op_clients_list, op_clients_get, op_clients_allow, op_clients_block,
	op_clients_kick, op_clients_move, op_clients_rate, op_clients_set;
op_fn op_sessions_list, op_sessions_restore;
op_fn op_plans_list, op_plans_add, op_plans_set, op_plans_apply, op_plans_remove;
op_fn op_vouchers_create, op_vouchers_list, op_vouchers_get, op_vouchers_sell,
	op_vouchers_sheet, op_vouchers_import, op_vouchers_revoke,
	op_vouchers_activate, op_batches_list;
op_fn op_groups_list, op_groups_get, op_groups_add, op_groups_set,
	op_groups_join, op_groups_leave, op_groups_remove;
op_fn op_jobs_list, op_jobs_run, op_addresses_list, op_statistics_list,
	op_export, op_forget;
op_fn op_payments_list, op_payments_sums, op_payments_refund;
/* ops_pause.c */
op_fn op_clients_pause, op_clients_resume, op_clients_hold, op_clients_release;
op_fn op_coins_lock, op_coins_status, op_coins_done, op_sessions_start,
	op_coins_list, op_coins_claim;
op_fn op_devices_add, op_devices_remove, op_devices_list, op_guest_devices,
	op_guest_add, op_guest_remove, op_guest_free;
op_fn op_qr_home, op_guest_session, op_guest_pause, op_guest_resume;
op_fn op_guest_plans; /* ops_offer.c */
op_fn op_terms_list; /* terms.c */
op_fn op_operators_list, op_operators_add, op_operators_remove,
	op_operators_role, op_operators_passwd, op_operators_logout,
	op_operators_login, op_operators_password, op_operators_me, op_operators_leave;
op_fn op_tokens_list, op_tokens_add, op_tokens_remove;
op_fn op_access_list;
op_fn op_operators_pin, op_operators_second, op_operators_totp;
op_fn op_totp_begin, op_totp_confirm, op_totp_off;
/* ops_members.c */
op_fn op_members_list, op_members_get, op_members_add, op_members_set,
	op_members_remove, op_members_import;
/* ops_qr.c */
op_fn op_qr_generate, op_qr_show, op_qr_list, op_qr_revoke, op_qr_sessions,
	op_qr_end;
op_fn op_qr_login; /* ops_qr_login.c */
/* ops_qr_session.c */
op_fn op_qr_session, op_qr_logout;

#endif
