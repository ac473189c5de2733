/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates, by virtual scheduling (GCRA): each counter is one time, the moment at
 * which its next use would be on schedule; a use is admitted while that moment
 * is at most `burst` steps ahead. An unused counter needs no upkeep.
 *
 * Clients live in a set-associative table that never grows: a MAC is free to
 * make up, so the table must survive millions of them. The newest clients make
 * room, and among those the one that was not used for longest: a flood loses its
 * own entries.
 */
#include "daemon/throttle.h"

#include "base/mac.h"
#include "base/util.h"
#include "gatehouse/abi.h"

#define WAYS 8
#define SETS (THROTTLE_CLIENTS_MAX / WAYS)

struct rate {
	int64_t step_ns; /* between two uses in the long run */
	int burst;       /* uses at once after a rest */
};

static const struct rate page_rate = {NSEC_PER_SEC / 4, 20};
/* Each leaves rows behind for years. */
static const struct rate change_rate = {15 * NSEC_PER_SEC, 60};
static const struct rate client_rate = {60 * NSEC_PER_SEC, 5};
static const struct rate network_rate = {NSEC_PER_SEC / 20, 20};
/* Above this somebody is guessing. */
static const struct rate alarm_rate = {NSEC_PER_SEC / 5, 25};
/* All networks together, beside what is too little for an alarm: only those with
 * guessers on them have to mind. */
static const struct rate all_rate = {NSEC_PER_SEC / 60, 60};
#define ALARM_EVERY_NS (60 * NSEC_PER_SEC)

/*
 * Lines share the network's rate. Whoever has guessed wrong lately stands in one
 * that is let in twice a second. The others are let in 18 times, those who have
 * been here for longer first: a MAC costs nothing, but to keep many of them for
 * a minute does. So guessers delay each other, and whoever makes up a new MAC
 * for every guess stays behind every guest who was there before.
 */
enum line { LINE_MISSED, LINE_NEW, LINES = LINE_NEW + 4 };
static const int64_t line_ages_ns[] = {
	2 * NSEC_PER_SEC, 10 * NSEC_PER_SEC, 60 * NSEC_PER_SEC};
static const int64_t line_step_ns[] = {NSEC_PER_SEC / 2, NSEC_PER_SEC / 18};
/* Places in a line end here. */
#define LINE_NS (6 * NSEC_PER_SEC)
/* Lines overtake each other, so what is taken of them all has a limit, too. */
static const struct rate turn_rate = {NSEC_PER_SEC / 20, 4};
/* Who was not here for so long begins anew. */
#define ABSENT_NS (120 * NSEC_PER_SEC)

struct client {
	struct mac mac;
	int64_t first_ns;
	int64_t used_ns; /* 0: free */
	int64_t page_ns;
	int64_t change_ns;
	int64_t guess_ns;
	int64_t turn_ns; /* place in line, 0: none */
};

struct network {
	int64_t guess_ns;
	int64_t line_ns[LINES]; /* the last place taken in each line */
	int64_t turn_ns;
	int64_t alarm_ns;
	int64_t alarmed_ns;
};

struct throttle {
	struct client clients[SETS][WAYS];
	struct network networks[GH_NETWORKS_MAX];
	int64_t all_ns;
};

struct throttle *throttle_new(void)
{
	return xcalloc(1, sizeof(struct throttle));
}

void throttle_free(struct throttle *throttle)
{
	free(throttle);
}

static int64_t rate_wait(const struct rate *rate, int64_t next, int64_t now)
{
	return MAX(next - (rate->burst - 1) * rate->step_ns - now, 0);
}

static void rate_use(const struct rate *rate, int64_t *next, int64_t now)
{
	*next = MAX(*next, now) + rate->step_ns;
}

/* For how long it has been here, in steps of line_ages_ns: from its first try to
 * its last one, so that who came once does not grow old by itself. */
static int seniority(const struct client *client, int64_t now)
{
	int years = 0;

	if (now - client->used_ns > ABSENT_NS)
		return 0;
	while (years < (int)ARRAY_SIZE(line_ages_ns) &&
		client->used_ns - client->first_ns >= line_ages_ns[years])
		years++;
	return years;
}

/* Does `a` make room rather than `b`? */
static bool goes_first(
	const struct client *a, const struct client *b, int64_t now)
{
	int of_a = a->used_ns ? seniority(a, now) : -1;
	int of_b = b->used_ns ? seniority(b, now) : -1;

	return of_a != of_b ? of_a < of_b : a->used_ns < b->used_ns;
}

/* The same, but never further ahead than the burst. */
static void rate_use_up_to(const struct rate *rate, int64_t *next, int64_t now)
{
	rate_use(rate, next, now);
	*next = MIN(*next, now + rate->burst * rate->step_ns);
}

static struct client *client_of(
	struct throttle *throttle, const struct mac *mac, int64_t now)
{
	struct client *set = throttle->clients[mac_hash(mac) % SETS];
	struct client *client = &set[0];
	int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].used_ns && mac_equal(&set[i].mac, mac)) {
			client = &set[i];
			if (now - client->used_ns > ABSENT_NS)
				client->first_ns = now;
			client->used_ns = now;
			return client;
		}
		if (goes_first(&set[i], client, now))
			client = &set[i];
	}
	*client = (struct client){.mac = *mac, .first_ns = now, .used_ns = now};
	return client;
}

/* Is the network over its rate, or are all together because of it? */
static bool is_over(
	const struct throttle *throttle, const struct network *network, int64_t now)
{
	return rate_wait(&network_rate, network->guess_ns, now) ||
	       (rate_wait(&all_rate, throttle->all_ns, now) &&
		       rate_wait(&alarm_rate, network->alarm_ns, now));
}

/* Whose turn it is goes in, unless too many did just now. */
static int64_t take_turn(const struct throttle *throttle,
	struct network *network, struct client *client, int64_t now)
{
	int64_t wait = MAX(rate_wait(&turn_rate, network->turn_ns, now),
		rate_wait(&all_rate, throttle->all_ns, now));

	if (wait)
		return wait;
	rate_use(&turn_rate, &network->turn_ns, now);
	client->turn_ns = 0;
	return 0;
}

/* How long until the client has a better line, if it would have one at all. */
static int64_t until_older(const struct client *client, int64_t now)
{
	int years = seniority(client, now);

	if (client->guess_ns > now || years == ARRAY_SIZE(line_ages_ns))
		return LINE_NS;
	return client->first_ns + line_ages_ns[years] - now;
}

/* The network is over its rate: give the client a place in its line, behind
 * those before it there and in the lines of older ones. The wait until it comes,
 * or until it is worth asking again, whatever is first. 0: it is its turn. */
static int64_t wait_in_line(const struct throttle *throttle,
	struct network *network, struct client *client, int64_t now)
{
	bool missed = client->guess_ns > now;
	int line = missed ? LINE_MISSED : LINE_NEW + seniority(client, now), at;
	int64_t place = MAX(now, network->line_ns[line]);

	if (client->turn_ns && client->turn_ns <= now)
		return take_turn(throttle, network, client, now);
	for (at = line + 1; !missed && at < LINES; at++)
		place = MAX(place, network->line_ns[at]);
	place += line_step_ns[!missed];
	/* The end of the line, where nobody waits; a worse place than its own. */
	if (place <= now + LINE_NS &&
		(!client->turn_ns || place < client->turn_ns)) {
		network->line_ns[line] = place;
		client->turn_ns = place;
	}
	if (!client->turn_ns)
		return MIN(LINE_NS, until_older(client, now));
	return MIN(client->turn_ns - now, until_older(client, now));
}

int64_t throttle_check(struct throttle *throttle, enum rate_class class,
	const struct mac *mac, int network, int64_t now_ns)
{
	struct network *n = &throttle->networks[network];
	struct client *client;
	int64_t wait = 0;

	if (class == RATE_FREE)
		return 0;
	client = client_of(throttle, mac, now_ns);
	if (class != RATE_GUEST)
		wait = rate_wait(&change_rate, client->change_ns, now_ns);
	if (class != RATE_GUESS) {
		wait = MAX(wait, rate_wait(&page_rate, client->page_ns, now_ns));
		if (!wait)
			rate_use(&page_rate, &client->page_ns, now_ns);
		return wait;
	}
	wait = MAX(wait, rate_wait(&client_rate, client->guess_ns, now_ns));
	if (!wait && is_over(throttle, n, now_ns))
		wait = wait_in_line(throttle, n, client, now_ns);
	return wait;
}

void throttle_changed(
	struct throttle *throttle, const struct mac *mac, int64_t now_ns)
{
	rate_use(&change_rate, &client_of(throttle, mac, now_ns)->change_ns,
		now_ns);
}

bool throttle_missed(struct throttle *throttle, const struct mac *mac,
	int network, int64_t now_ns)
{
	struct network *n = &throttle->networks[network];

	rate_use(&client_rate, &client_of(throttle, mac, now_ns)->guess_ns,
		now_ns);
	/* Turns taken in line come on top of a full budget: without this cap
	 * they would push the moment of relief away for ever. */
	rate_use_up_to(&network_rate, &n->guess_ns, now_ns);
	rate_use_up_to(&all_rate, &throttle->all_ns, now_ns);
	if (rate_wait(&alarm_rate, n->alarm_ns, now_ns) == 0) {
		rate_use(&alarm_rate, &n->alarm_ns, now_ns);
		return false;
	}
	if (n->alarmed_ns && now_ns - n->alarmed_ns < ALARM_EVERY_NS)
		return false;
	n->alarmed_ns = now_ns;
	return true;
}
