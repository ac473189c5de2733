/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coin acceptors: which levels of a line are pulses, and the acceptor at a GPIO
 * line. No kernel that tests run on has a simulated chip (Debian builds neither
 * gpio-sim nor gpio-mockup), so libgpiod's functions are this file's own: a line
 * whose edges the test makes, and one that it looks at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gpiod.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"
#include "pay/acceptor.h"
#include "pay/pulse.h"

#define MS NSEC_PER_MSEC

static const struct config_coin coin = {
	.name = "main",
	.chip = "gpiochip0",
	.gpio_line = 17,
	.active_low = true,
	.inhibit_line = 27,
	.value_minor = 100,
	.pulse_min_ms = 10,
	.pulse_max_ms = 200,
	.gap_ms = 15,
	.pulses_per_second = 20,
};

/* The chip. */

struct gpiod_line {
	unsigned int offset;
	int flags, value;
	int pipe[2]; /* of edges */
};

static struct {
	bool is_open;
	struct gpiod_line lines[2];
	int count;
} chip;

struct gpiod_chip *gpiod_chip_open_lookup(const char *name)
{
	if (strcmp(name, "gpiochip0")) {
		errno = ENOENT;
		return NULL;
	}
	memset(&chip, 0, sizeof(chip));
	chip.is_open = true;
	return (struct gpiod_chip *)&chip;
}

void gpiod_chip_close(struct gpiod_chip *c)
{
	int i;

	for (i = 0; i < chip.count; i++)
		if (chip.lines[i].pipe[1]) {
			close(chip.lines[i].pipe[0]);
			close(chip.lines[i].pipe[1]);
		}
	chip.is_open = false;
}

struct gpiod_line *gpiod_chip_get_line(struct gpiod_chip *c, unsigned int offset)
{
	chip.lines[chip.count].offset = offset;
	return &chip.lines[chip.count++];
}

int gpiod_line_request_output_flags(
	struct gpiod_line *line, const char *consumer, int flags, int value)
{
	line->flags = flags;
	line->value = value;
	return 0;
}

int gpiod_line_request_both_edges_events_flags(
	struct gpiod_line *line, const char *consumer, int flags)
{
	line->flags = flags;
	return pipe(line->pipe);
}

int gpiod_line_event_get_fd(struct gpiod_line *line)
{
	return line->pipe[0];
}

int gpiod_line_set_value(struct gpiod_line *line, int value)
{
	line->value = value;
	return 0;
}

int gpiod_line_event_read_multiple(struct gpiod_line *line,
	struct gpiod_line_event *events, unsigned int max)
{
	ssize_t n = read(line->pipe[0], events, max * sizeof(*events));

	return n < 0 ? -1 : (int)((size_t)n / sizeof(*events));
}

/* As the kernel tells of a level, inverted by the request. */
static void edge(bool active, int64_t at_ns)
{
	const struct gpiod_line_event event = {
		.ts = {at_ns / NSEC_PER_SEC, at_ns % NSEC_PER_SEC},
		.event_type = active ? GPIOD_LINE_EVENT_RISING_EDGE
				     : GPIOD_LINE_EVENT_FALLING_EDGE,
	};

	assert_int_equal(write(chip.lines[1].pipe[1], &event, sizeof(event)),
		sizeof(event));
}

/* The daemon. */

struct heard {
	struct loop *loop;
	int pulses, noises, failing;
	int64_t at_ns;
	struct loop_timer end;
};

static int on_pulse(void *data, const struct acceptor_pulse *pulse, bool *ret_is_new)
{
	struct heard *heard = data;

	if (heard->failing-- > 0)
		return -ENOSPC;
	assert_int_equal(pulse->amount_minor, 100);
	assert_true(pulse->seq == UNLIMITED);
	heard->pulses++;
	heard->at_ns = pulse->at_ns;
	*ret_is_new = true;
	return 0;
}

static int64_t on_last_seq(void *data)
{
	return UNLIMITED;
}

static void on_noise(void *data, const char *what)
{
	((struct heard *)data)->noises++;
}

static void on_end(void *data)
{
	loop_quit(((struct heard *)data)->loop);
}

static void turn(struct heard *heard, int64_t ns)
{
	loop_timer_start(heard->loop, &heard->end, ns, 0, on_end, heard);
	loop_run(heard->loop);
}

static void test_gpio(void **state)
{
	struct heard heard = {.loop = loop_new()};
	const struct acceptor_handlers handlers = {
		on_pulse, on_last_seq, on_noise, &heard};
	const struct acceptor_state open = {.lock = 17, .seconds = 60};
	struct config_coin other = coin;
	struct acceptor *acceptor = NULL;
	int64_t now = clock_mono_ns();

	memcpy(other.chip, "gpiochip9", 10);
	assert_int_equal(acceptor_open(heard.loop, &other, (uid_t)-1, &handlers,
				 &acceptor), -ENOENT);
	assert_int_equal(acceptor_open(heard.loop, &coin, (uid_t)-1, &handlers,
				 &acceptor), 0);
	assert_true(acceptor_is_ready(acceptor));
	/* Refused until somebody has the slot. */
	assert_int_equal(chip.lines[0].offset, 27);
	assert_int_equal(chip.lines[0].value, 1);
	assert_int_equal(chip.lines[1].offset, 17);
	assert_int_equal(chip.lines[1].flags, GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW);
	acceptor_show(acceptor, &open);
	assert_int_equal(chip.lines[0].value, 0);
	edge(true, now - 500 * MS);
	edge(false, now - 450 * MS);
	edge(true, now - 400 * MS);
	edge(false, now - 350 * MS);
	edge(true, now - 300 * MS);
	edge(false, now - 299 * MS);
	turn(&heard, 20 * MS);
	assert_int_equal(heard.pulses, 2);
	assert_int_equal(heard.noises, 1);
	assert_true(heard.at_ns == now - 350 * MS);
	/* A full disk: the coin is kept, and the slot takes no more meanwhile. */
	heard.failing = 1;
	edge(true, now - 200 * MS);
	edge(false, now - 150 * MS);
	turn(&heard, 20 * MS);
	assert_int_equal(heard.pulses, 2);
	assert_int_equal(chip.lines[0].value, 1);
	turn(&heard, 1200 * MS);
	assert_int_equal(heard.pulses, 3);
	assert_int_equal(chip.lines[0].value, 0);
	acceptor_close(acceptor);
	assert_int_equal(chip.lines[0].value, 1);
	assert_false(chip.is_open);
	loop_free(heard.loop);
}

/* A line's levels, and what they are. */
static void test_pulses(void **state)
{
	static const struct {
		const char *what;
		int ms[8]; /* active, rest, active, rest ... */
		int good, noise;
	} rows[] = {
		{"one", {50}, 1, 0},
		{"a coin of three", {50, 50, 50, 50, 50}, 3, 0},
		{"a spark", {1}, 0, 1},
		{"stuck", {3000}, 0, 1},
		{"as short and as long as may be", {10, 100, 200}, 2, 0},
		{"bounces at its end", {50, 2, 3, 2, 12}, 1, 0},
		{"bounces at its beginning", {1, 1, 50}, 1, 1},
		{"bounces in its middle", {20, 1, 30}, 1, 0},
		{"a bounce before the next one", {50, 5, 3, 40, 50}, 2, 0},
	};
	size_t i, at;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t now = NSEC_PER_SEC;
		int good = 0, noise = 0;
		struct pulse_meter meter;

		pulse_meter_init(&meter, &coin);
		for (at = 0; at < ARRAY_SIZE(rows[i].ms) && rows[i].ms[at]; at++) {
			enum pulse_verdict verdict =
				pulse_edge(&meter, at % 2 == 0, now);

			good += verdict == PULSE_GOOD;
			noise += verdict == PULSE_NOISE;
			now += rows[i].ms[at] * MS;
		}
		/* The last one ends. */
		switch (pulse_edge(&meter, false, now)) {
		case PULSE_GOOD:
			good++;
			break;
		case PULSE_NOISE:
			noise++;
			break;
		case PULSE_NONE:
			break;
		}
		if (good != rows[i].good || noise != rows[i].noise)
			fail_msg("%s: %d good, %d noise", rows[i].what, good,
				noise);
	}
}

static void test_how_many_in_a_second(void **state)
{
	struct pulse_meter meter;
	int64_t now = NSEC_PER_SEC;
	int i, good = 0, noise = 0;

	pulse_meter_init(&meter, &coin);
	/* 25 a second, for two seconds. */
	for (i = 0; i < 50; i++, now += 40 * MS) {
		pulse_edge(&meter, true, now);
		switch (pulse_edge(&meter, false, now + 20 * MS)) {
		case PULSE_GOOD:
			good++;
			break;
		case PULSE_NOISE:
			noise++;
			break;
		case PULSE_NONE:
			break;
		}
	}
	assert_int_equal(good, 40);
	assert_int_equal(noise, 10);
	/* The same level told twice is nothing. */
	assert_int_equal(pulse_edge(&meter, false, now), PULSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pulses),
		cmocka_unit_test(test_how_many_in_a_second),
		cmocka_unit_test(test_gpio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
