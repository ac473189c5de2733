/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates, by virtual scheduling (GCRA): each counter is one time, the moment at
 * which its next use would be on schedule; a use is admitted while that moment
 * is at most `burst` steps ahead. An unused counter needs no upkeep.
 *
 * Clients live in a set-associative table that never grows: a MAC is free to
 * make up, so the table must survive millions of them. The entry that was not
 * used for longest makes room, and a flood only loses entries of its own age.
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
static const struct rate client_rate = {60 * NSEC_PER_SEC, 5};
static const struct rate network_rate = {NSEC_PER_SEC / 20, 20};
/* Above this somebody is guessing. */
static const struct rate alarm_rate = {NSEC_PER_SEC / 5, 25};
#define ALARM_EVERY_NS (60 * NSEC_PER_SEC)

/*
 * Two lines share the network's rate: whoever has not guessed wrong lately is
 * let in 18 times a second, the others twice. So a hundred guessers delay each
 * other, and hardly a guest with a right code.
 */
static const int64_t line_step_ns[] = {NSEC_PER_SEC / 18, NSEC_PER_SEC / 2};
/* Places in a line end here. */
#define LINE_NS (6 * NSEC_PER_SEC)

struct client {
	struct mac mac;
	int64_t used_ns; /* 0: free */
	int64_t page_ns;
	int64_t guess_ns;
	int64_t turn_ns; /* place in line, 0: none */
};

struct network {
	int64_t guess_ns;
	int64_t line_ns[2]; /* the last place taken in each line */
	int64_t alarm_ns;
	int64_t alarmed_ns;
};

struct throttle {
	struct client clients[SETS][WAYS];
	struct network networks[GH_NETWORKS_MAX];
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

static struct client *client_of(
	struct throttle *throttle, const struct mac *mac, int64_t now)
{
	struct client *set = throttle->clients[mac_hash(mac) % SETS];
	struct client *client = &set[0];
	int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].used_ns && mac_equal(&set[i].mac, mac)) {
			client = &set[i];
			client->used_ns = now;
			return client;
		}
		if (set[i].used_ns < client->used_ns)
			client = &set[i];
	}
	*client = (struct client){.mac = *mac, .used_ns = now};
	return client;
}

/* The network is over its rate: give the client a place in the line, or tell
 * it how long its place is away. 0: it is its turn. */
static int64_t wait_in_line(
	struct network *network, struct client *client, int64_t now)
{
	if (client->turn_ns && client->turn_ns <= now) {
		client->turn_ns = 0;
		return 0;
	}
	if (!client->turn_ns) {
		bool missed = client->guess_ns > now;
		int64_t *line = &network->line_ns[missed];
		int64_t place = MAX(*line, now) + line_step_ns[missed];

		/* The line is full: come and ask again. */
		if (place > now + LINE_NS)
			return LINE_NS;
		*line = place;
		client->turn_ns = place;
	}
	return client->turn_ns - now;
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
	if (class == RATE_GUEST) {
		wait = rate_wait(&page_rate, client->page_ns, now_ns);
		if (!wait)
			rate_use(&page_rate, &client->page_ns, now_ns);
		return wait;
	}
	wait = rate_wait(&client_rate, client->guess_ns, now_ns);
	if (!wait && rate_wait(&network_rate, n->guess_ns, now_ns))
		wait = wait_in_line(n, client, now_ns);
	return wait;
}

bool throttle_missed(struct throttle *throttle, const struct mac *mac,
	int network, int64_t now_ns)
{
	struct network *n = &throttle->networks[network];

	rate_use(&client_rate, &client_of(throttle, mac, now_ns)->guess_ns,
		now_ns);
	/* Turns taken in line come on top of a full budget: without this cap
	 * they would push the moment of relief away for ever. */
	n->guess_ns = MIN(MAX(n->guess_ns, now_ns) + network_rate.step_ns,
		now_ns + network_rate.burst * network_rate.step_ns);
	if (rate_wait(&alarm_rate, n->alarm_ns, now_ns) == 0) {
		rate_use(&alarm_rate, &n->alarm_ns, now_ns);
		return false;
	}
	if (n->alarmed_ns && now_ns - n->alarmed_ns < ALARM_EVERY_NS)
		return false;
	n->alarmed_ns = now_ns;
	return true;
}
