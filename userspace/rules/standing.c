/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks that stand by themselves. The kernel needs no controller for either:
 * the end of the hours is an end in its record; and whoever is silent keeps a
 * record that runs, so that the first packet passes at once, with a deadline
 * that is put off by the time that does not count.
 */
#include "rules/standing.h"

#include "base/util.h"
#include "rules/hours.h"

/* The wall clock has whole seconds: its turns are not said anew for less. */
#define SAME_TURN_NS (2 * NSEC_PER_SEC)

void standing_begin(struct credit *credit, const struct moment *now)
{
	if (credit->terms.valid_days && !credit->valid_until)
		credit->valid_until =
			now->wall_sec + credit->terms.valid_days * SEC_PER_DAY;
}

bool standing_is_over(const struct credit *credit, const struct moment *now)
{
	return credit->valid_until && credit->valid_until <= now->wall_sec;
}

int64_t standing_end(
	const struct credit *credit, int64_t left_ns, int64_t from_sec)
{
	int64_t end = left_ns == UNLIMITED
			      ? UNLIMITED
			      : hours_end(credit->terms.hours, from_sec,
					left_ns / NSEC_PER_SEC);

	if (credit->valid_until)
		return MIN(end, credit->valid_until);
	if (credit->terms.valid_days)
		return MIN(end, from_sec + credit->terms.valid_days * SEC_PER_DAY);
	return end;
}

bool standing_turns_at(
	const struct credit *credit, int64_t at_ns, const struct moment *now)
{
	int64_t about_sec = SAME_TURN_NS / NSEC_PER_SEC, at_sec, until_sec;

	if (at_ns == UNLIMITED)
		return false;
	at_sec = now->wall_sec + (at_ns - now->mono_ns) / NSEC_PER_SEC;
	hours_hold(credit->terms.hours, at_sec - about_sec, &until_sec);
	return until_sec <= at_sec + about_sec ||
	       (credit->valid_until &&
		       llabs(credit->valid_until - at_sec) <= about_sec);
}

static void rest(struct credit *credit, int64_t from_ns)
{
	if (credit->deadline_ns != UNLIMITED)
		credit->left_ns = MAX(credit->deadline_ns - from_ns, 0);
	credit->deadline_ns = UNLIMITED;
	credit->is_resting = true;
	credit->is_idle = false;
}

static void wake(struct credit *credit, bool runs, int64_t now_ns)
{
	credit->is_resting = false;
	credit->heard_ns = now_ns;
	if (runs && credit->left_ns != UNLIMITED)
		credit->deadline_ns = now_ns + credit->left_ns;
}

static int64_t turn(const struct credit *credit, int64_t at_sec,
	const struct moment *now)
{
	int64_t at_ns, wait_sec;

	if (credit->valid_until)
		at_sec = MIN(at_sec, credit->valid_until);
	if (at_sec == UNLIMITED)
		return 0;
	wait_sec = MAX(at_sec - now->wall_sec, 1);
	at_ns = now->mono_ns + wait_sec * NSEC_PER_SEC;
	return credit->turn_ns > now->mono_ns &&
			       llabs(credit->turn_ns - at_ns) < SAME_TURN_NS
		       ? credit->turn_ns
		       : at_ns;
}

bool standing_by_hours(
	struct credit *credit, bool runs, const struct moment *now)
{
	int64_t until_sec, turn_ns = credit->turn_ns;
	bool was_resting = credit->is_resting;
	bool holds = hours_hold(credit->terms.hours, now->wall_sec, &until_sec);
	bool has_turned = turn_ns && turn_ns <= now->mono_ns;

	/* Used up before that: whoever asked goes on from there. */
	if (runs && credit->deadline_ns <= (has_turned ? turn_ns : now->mono_ns))
		return false;
	if (!was_resting && (has_turned || !holds))
		rest(credit, has_turned && !credit->is_idle ? turn_ns
							    : now->mono_ns);
	if (credit->is_resting && holds)
		wake(credit, runs, now->mono_ns);
	credit->turn_ns = turn(credit, until_sec, now);
	return credit->turn_ns != turn_ns || credit->is_resting != was_resting;
}

bool standing_is_silent(int64_t idle_sec, bool is_idle, int64_t heard_ns,
	int64_t seen_ns, int64_t now_ns)
{
	if (is_idle)
		return !idle_sec || seen_ns > heard_ns ||
		       now_ns - heard_ns >= STANDING_STEP_NS;
	return idle_sec && now_ns - MAX(heard_ns, seen_ns) >=
				   idle_sec * NSEC_PER_SEC;
}

/* Until then nothing counts. */
static void excuse(struct credit *credit, int64_t until_ns)
{
	if (credit->deadline_ns != UNLIMITED)
		credit->deadline_ns += until_ns - credit->heard_ns;
	credit->heard_ns = until_ns;
}

bool standing_by_silence(
	struct credit *credit, int64_t seen_ns, const struct moment *now)
{
	int64_t idle_ns = credit_idle_sec(credit) * NSEC_PER_SEC;
	bool was_idle = credit->is_idle;

	seen_ns = MIN(seen_ns, now->mono_ns);
	if (!was_idle && !idle_ns)
		return false;
	if (was_idle && (seen_ns > credit->heard_ns || !idle_ns)) {
		int64_t until_ns = idle_ns ? seen_ns : now->mono_ns;

		if (until_ns - credit->heard_ns > 2 * STANDING_STEP_NS)
			until_ns = credit->heard_ns;
		excuse(credit, until_ns);
		credit->is_idle = false;
	}
	if (!credit->is_idle)
		credit->heard_ns = MAX(credit->heard_ns, seen_ns);
	if (idle_ns && (credit->is_idle ||
			       now->mono_ns - credit->heard_ns >= idle_ns)) {
		credit->is_idle = true;
		excuse(credit, now->mono_ns);
	}
	return was_idle || credit->is_idle;
}
