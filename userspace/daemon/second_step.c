/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fixed table of tickets. They are looked up by their hash, so that how long
 * it takes tells nothing of a ticket, and one that is over is wiped.
 */
#include "daemon/second_step.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define STEPS_MAX 64

struct second_steps {
	struct second_step places[STEPS_MAX];
};

struct second_steps *second_steps_new(void)
{
	return xcalloc(1, sizeof(struct second_steps));
}

void second_steps_free(struct second_steps *steps)
{
	if (steps)
		crypto_wipe(steps, sizeof(*steps));
	free(steps);
}

void second_steps_add(struct second_steps *steps, const struct second_step *step,
	int64_t now_ns, char ret_ticket[static CTL_TICKET_LEN + 1])
{
	uint8_t ticket[CTL_TICKET_LEN / 2];
	struct second_step *place = steps->places;
	size_t i;

	for (i = 0; i < STEPS_MAX && place->operator_id; i++)
		if (!steps->places[i].operator_id ||
			steps->places[i].until_ns < place->until_ns)
			place = &steps->places[i];
	*place = *step;
	crypto_random(ticket, sizeof(ticket));
	crypto_sha256(ticket, sizeof(ticket), place->hash);
	place->until_ns = now_ns + SECOND_STEP_NS;
	place->tries = 0;
	hex_format(ticket, sizeof(ticket), ret_ticket);
}

struct second_step *second_steps_find(
	struct second_steps *steps, const char *ticket, int64_t now_ns)
{
	uint8_t bytes[CTL_TICKET_LEN / 2], hash[CRYPTO_HASH];
	size_t i;

	if (hex_parse(ticket, sizeof(bytes), bytes))
		return NULL;
	crypto_sha256(bytes, sizeof(bytes), hash);
	for (i = 0; i < STEPS_MAX; i++) {
		struct second_step *step = &steps->places[i];

		if (!step->operator_id ||
			memcmp(step->hash, hash, sizeof(hash)) != 0)
			continue;
		if (now_ns < step->until_ns && step->tries < SECOND_STEP_TRIES)
			return step;
		second_step_end(step);
	}
	return NULL;
}

void second_step_end(struct second_step *step)
{
	crypto_wipe(step, sizeof(*step));
}
