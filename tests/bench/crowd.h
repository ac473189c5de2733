/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A crowd of guests behind one interface, each with a MAC and an address of its
 * own, each asking one HTTP request over a connection of its own. Frames go
 * through a packet socket: the machine's TCP has one MAC per interface, and it
 * is the MAC of the SYN that tells the daemon who asks.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#define CROWD_REQUEST_MAX 512
#define CROWD_REPLY_MAX 32768 /* below the window that it announces */

struct crowd_options {
	const char *interface;
	uint8_t gateway_mac[6];
	uint32_t first_addr; /* of guest 0; network byte order, as the next */
	uint32_t portal;
	uint16_t port;
	uint32_t first_guest; /* guests first_guest .. first_guest + count - 1 */
	uint32_t count;
	uint32_t at_once;
	/* Writes guest i's request (i counts from 0); returns its length. */
	int (*request)(void *data, uint32_t i, char buf[static CROWD_REQUEST_MAX]);
	/* Called between frames; may send with crowd_send(). May be NULL. */
	void (*tick)(void *data);
	void *data;
};

struct crowd;

/* Opens the packet socket; exits with a message when it cannot. */
struct crowd *crowd_open(const struct crowd_options *options);
void crowd_close(struct crowd *crowd);
/* Runs until every guest has its reply or gave up; once more from the beginning
 * when called again. */
void crowd_run(struct crowd *crowd);
void crowd_send(struct crowd *crowd, const void *frame, uint32_t len);

/* What guest i got. `asked_ns` is when its request was first sent, 0: not yet;
 * `replied_ns` when the reply was complete; CLOCK_MONOTONIC. */
struct crowd_result {
	int status; /* HTTP; 0: no answer */
	int64_t asked_ns;
	int64_t replied_ns;
};
const struct crowd_result *crowd_result(const struct crowd *crowd, uint32_t i);
/* A reply that was an error or none, for the message; "" when there was none. */
const char *crowd_complaint(const struct crowd *crowd);
int64_t crowd_now(void);

#endif
