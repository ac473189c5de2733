/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sentences about what became of a device. They are made of the account after
 * the change and of the block, never of what was asked for: a guest is told
 * over the desk what stands here. Nothing is decided here.
 */
#include "daemon/sentences.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mac.h"
#include "gatehouse/ctl.h"

const char *say_money(char buf[static SENTENCES_MONEY], int64_t minor,
	const char *currency)
{
	snprintf(buf, SENTENCES_MONEY, "%lld.%02lld %s", (long long)(minor / 100),
		(long long)(minor % 100), currency);
	return buf;
}

static void add(char buf[static SENTENCES], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(char buf[static SENTENCES], const char *fmt, ...)
{
	size_t at = strlen(buf);
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf + at, SENTENCES - at, fmt, args);
	va_end(args);
}

/* What is not so for a device that is blocked. */
static void add_blocked(
	char buf[static SENTENCES], const char *device, const struct mac *mac)
{
	char text[MAC_TEXT];

	add(buf,
		"%s%s is blocked: nothing of it gets through, not even to the "
		"portal, until `gatehousectl block %s --off`.",
		buf[0] ? " " : "", device, mac_format(mac, text));
}

static void add_portal(
	char buf[static SENTENCES], const struct mac *mac, bool is_blocked)
{
	if (is_blocked)
		add_blocked(buf, "The device", mac);
	else
		add(buf, " The device sees the portal again.");
}

static void add_minutes(char buf[static SENTENCES], int64_t minutes)
{
	add(buf, "%lld minute%s", (long long)minutes, minutes == 1 ? "" : "s");
}

/* "60 minutes and 50 MB (plan Walk)"; by fair use bytes end no session. */
static void add_amount(
	char buf[static SENTENCES], const struct allowance *allowance)
{
	const struct rates *rates = allowance->plan ? &allowance->plan->rates
						    : &allowance->rates;

	if (allowance->seconds == UNLIMITED)
		add(buf, "time without end");
	else
		add_minutes(buf, allowance->seconds / 60);
	if (allowance->bytes == UNLIMITED)
		add(buf, " without a limit of bytes");
	else
		add(buf, " and %lld MB%s",
			(long long)(allowance->bytes / CTL_MEGABYTE),
			rates_have_slow(rates) ? " at the full rate" : "");
	if (allowance->plan)
		add(buf, " (plan %s)", allowance->plan->name);
}

/* Onto the last credit: its limit of bytes, or none, is that of the sum. */
static void add_joined(char buf[static SENTENCES],
	const struct allowance *allowance, const struct credit *last,
	const struct mac *mac)
{
	int64_t left = last->bytes - credit_counted(last);
	char text[MAC_TEXT];

	if ((last->bytes == UNLIMITED) == (allowance->bytes == UNLIMITED)) {
		add_amount(buf, allowance);
		add(buf, ", on top of what the session has.");
		return;
	}
	add_minutes(buf, allowance->seconds / 60);
	add(buf, ", on top of what the session has. ");
	if (last->bytes == UNLIMITED)
		add(buf,
			"It had no limit of bytes, and still has none: the "
			"megabytes limit nothing. To give it one, end it with "
			"`gatehousectl kick %s` first.",
			mac_format(mac, text));
	else
		add(buf,
			"Its limit of bytes stays: %.2f MB are left %s; "
			"--megabytes would add to them.",
			(double)MAX(left, 0) / (double)CTL_MEGABYTE,
			rates_have_slow(&last->rates) ? "at the full rate"
						      : "for all of its time");
}

/* Behind other credits, whose bytes may all have no limit. */
static void add_waiting(char buf[static SENTENCES],
	const struct allowance *allowance, const struct account *before)
{
	bool unlimited = true;
	int i;

	for (i = 0; i < before->count; i++)
		unlimited &= before->credits[i].bytes == UNLIMITED;
	add_amount(buf, allowance);
	add(buf, ", when what the session has already is used up%s.",
		unlimited && allowance->bytes != UNLIMITED
			? "; until then there is no limit of bytes"
			: "");
}

void say_given(char buf[static SENTENCES], const struct allowance *allowance,
	const struct account *before, const struct account *after,
	bool is_blocked)
{
	const struct credit *last = &after->credits[after->count - 1];

	snprintf(buf, SENTENCES, "Given: ");
	if (!before->count) {
		add_amount(buf, allowance);
		add(buf, ", from now on.");
	} else if (after->count == before->count) {
		add_joined(buf, allowance, last, &after->session.mac);
	} else {
		add_waiting(buf, allowance, before);
	}
	if (is_blocked) {
		add_blocked(buf, "But the device", &after->session.mac);
		add(buf, " Its time runs all the same.");
	}
}

void say_taken(char buf[static SENTENCES], int64_t minutes,
	const struct account *after, bool is_blocked)
{
	if (after->session.state != SESSION_ENDED) {
		snprintf(buf, SENTENCES, "Taken away: ");
		add_minutes(buf, minutes);
		add(buf, ".");
		return;
	}
	snprintf(buf, SENTENCES,
		"The session has ended: it had no more time than that.");
	add_portal(buf, &after->session.mac, is_blocked);
}

void say_kicked(
	char buf[static SENTENCES], const struct mac *mac, bool is_blocked)
{
	snprintf(buf, SENTENCES,
		"The session has ended, and what was left of it is lost.");
	add_portal(buf, mac, is_blocked);
}

void say_held(char buf[static SENTENCES], const struct mac *mac, bool is_held,
	bool changed)
{
	char text[MAC_TEXT];

	buf[0] = '\0';
	if (!changed) {
		add(buf, "The session was %s.",
			is_held ? "held already" : "not held");
		return;
	}
	if (is_held)
		add(buf,
			"The session is held, and its time stands still, until "
			"its token is shown at the portal or `gatehousectl "
			"release %s`.",
			mac_format(mac, text));
	else
		add(buf, "The session goes on.");
}

void say_moved(char buf[static SENTENCES], const struct mac *from,
	const struct mac *to, bool to_is_blocked)
{
	char old[MAC_TEXT], new[MAC_TEXT];

	snprintf(buf, SENTENCES, "The session has moved to %s; %s is offline.",
		mac_format(to, new), mac_format(from, old));
	if (to_is_blocked)
		add_blocked(buf, "But the new device", to);
}

void say_blocked(char buf[static SENTENCES], const struct mac *mac)
{
	buf[0] = '\0';
	add_blocked(buf, "The device", mac);
}
