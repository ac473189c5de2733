/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Money as text: payments one by one, and what each operator has in the drawer
 * for each day. Amounts in different currencies are never added up.
 */
#include "ctl/print.h"
#include "ctl/print_table.h"

static const struct column payment_columns[] = {
	{"ID", "id", FORMAT_NUMBER},
	{"PAID", "paidAt", FORMAT_TIME},
	{"AMOUNT", "amountMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{"METHOD", "method", FORMAT_TEXT},
	{"STATUS", "status", FORMAT_TEXT},
	{"PLAN", "plan", FORMAT_TEXT},
	{"SESSION", "sessionId", FORMAT_NUMBER},
	{"VOUCHER", "voucherId", FORMAT_NUMBER},
	{"NETWORK", "network", FORMAT_TEXT},
	{"TAKEN BY", "who", FORMAT_TEXT},
	{"GIVEN BACK", "refundedAt", FORMAT_TIME},
	{"BY", "refundedBy", FORMAT_TEXT},
	{},
};
static const struct column sum_columns[] = {
	{"DAY", "day", FORMAT_TEXT},
	{"WHO", "who", FORMAT_TEXT},
	{"METHOD", "method", FORMAT_TEXT},
	{"SALES", "sales", FORMAT_NUMBER},
	{"TAKEN", "takenMinor", FORMAT_MONEY},
	{"REFUNDS", "refunds", FORMAT_NUMBER},
	{"GIVEN BACK", "refundedMinor", FORMAT_MONEY},
	{"IN ALL", "totalMinor", FORMAT_MONEY},
	{"CUR", "currency", FORMAT_TEXT},
	{},
};

void print_payments(const json_t *reply)
{
	print_items(reply, payment_columns, "no payments");
}

void print_sales(const json_t *reply)
{
	print_items(reply, sum_columns, "no sales");
}
