/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How gatehousectl shows a reply to a person. Text in replies may come from
 * guests: nothing of it reaches the terminal unescaped.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include "base/json.h"

/* To stderr, behind "gatehousectl: "; control characters escaped. */
void print_problem(const char *text);

/* Printers of verbs: the reply of a success. */
void print_done(const json_t *reply);
void print_status(const json_t *reply);
/* The part of it that is said while nothing can be stored. */
void print_store(const json_t *reply);
/* And that of the portal's processes. */
void print_portals(const json_t *reply);
void print_clients(const json_t *reply);
void print_devices(const json_t *reply);
void print_client(const json_t *reply);
void print_sessions(const json_t *reply);
void print_plans(const json_t *reply);
void print_groups(const json_t *reply);
/* One, with its devices. */
void print_group(const json_t *reply);
void print_codes(const json_t *reply);
void print_vouchers(const json_t *reply);
void print_jobs(const json_t *reply);
void print_addresses(const json_t *reply);
void print_terms(const json_t *reply);
void print_statistics(const json_t *reply);
void print_coins(const json_t *reply);
/* One, with its history. */
void print_voucher(const json_t *reply);
void print_batches(const json_t *reply);
/* A file for a spreadsheet. */
void print_voucher_csv(const json_t *reply);
/* HTML to be printed. */
void print_sheet(const json_t *reply);
/* A code that was sold: as text, or as a sheet of one when paper was named. */
void print_sale(const json_t *reply);
void print_qr(const json_t *reply);
/* The secret for an operator's app, as a code to scan and to be typed. */
void print_totp(const json_t *reply);
void print_import(const json_t *reply);
/* A page, as it is: gatehousectl gives it one after another. */
void print_export(const json_t *reply);
void print_forget(const json_t *reply);
void print_verify(const json_t *reply);
void print_events(const json_t *reply);
void print_reasons(const json_t *reply);
void print_garden(const json_t *reply);
void print_explain(const json_t *reply);
void print_payments(const json_t *reply);
void print_sales(const json_t *reply);
/* print_operators.c */
void print_operators(const json_t *reply);
void print_operator(const json_t *reply); /* after a change */
void print_tokens(const json_t *reply);
void print_token(const json_t *reply); /* a new one */
void print_access(const json_t *reply);
/* Also of a refusal that has "checks". */
void print_selftest(const json_t *reply);
/* As it is, to be pasted. */
void print_capport(const json_t *reply);
/* print_members.c */
void print_members(const json_t *reply);
void print_member(const json_t *reply);
void print_member_import(const json_t *reply);
void print_qr_codes(const json_t *reply);
void print_qr_sessions(const json_t *reply);
void print_backup(const json_t *reply);
void print_key(const json_t *reply);
/* One event of `watch`, as a line. */
void print_event(const json_t *event);

#endif
