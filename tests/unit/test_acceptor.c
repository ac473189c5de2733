/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Coin acceptors: which levels of a line are pulses, the acceptor at a GPIO line,
 * and the program at a socket. No kernel that tests run on has a simulated chip
 * (Debian builds neither gpio-sim nor gpio-mockup), so libgpiod's functions are
 * this file's own: a line whose edges the test makes, and one that it looks at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gpiod.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
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
	int64_t at_ns, seq, amount;
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

/* The program's end of the socket. */
struct program {
	int fd;
	char said[4096];
};

static void connect_to(struct program *program, const char *path, uid_t uid)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int status = 0;
	pid_t child;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	program->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(program->fd >= 0);
	/* As another user: who connects is what counts, the descriptor is shared. */
	child = fork();
	assert_true(child >= 0);
	if (!child)
		_exit((uid && setuid(uid)) ||
		      connect(program->fd, (struct sockaddr *)&addr, sizeof(addr)));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void say(struct program *program, const char *line)
{
	assert_int_equal(send(program->fd, line, strlen(line), MSG_NOSIGNAL),
		strlen(line));
}

/* What has come by now; false: the other side has hung up. */
static bool listen_to(struct program *program, struct heard *heard)
{
	ssize_t n;

	turn(heard, 20 * MS);
	n = recv(program->fd, program->said, sizeof(program->said) - 1,
		MSG_DONTWAIT);
	program->said[MAX(n, 0)] = '\0';
	return n != 0 && !(n < 0 && errno == ECONNRESET);
}

static int on_any_pulse(void *data, const struct acceptor_pulse *pulse, bool *ret_is_new)
{
	struct heard *heard = data;

	if (heard->failing-- > 0)
		return -ENOSPC;
	*ret_is_new = pulse->seq != heard->seq;
	heard->seq = pulse->seq;
	heard->amount += *ret_is_new ? pulse->amount_minor : 0;
	heard->at_ns = pulse->at_ns;
	return 0;
}

static void test_socket(void **state)
{
	struct heard heard = {.loop = loop_new(), .seq = UNLIMITED};
	const struct acceptor_handlers handlers = {
		on_any_pulse, on_last_seq, on_noise, &heard};
	const struct acceptor_state open = {.lock = 17, .seconds = 60};
	struct config_coin slot = {.name = "main", .value_minor = 100,
		.pulses_per_second = 5};
	char folder[] = "/tmp/acceptor.XXXXXX", long_line[600];
	struct acceptor *acceptor = NULL;
	struct program one, two;
	int i;

	assert_non_null(mkdtemp(folder));
	snprintf(slot.socket, sizeof(slot.socket), "%s/s", folder);
	assert_int_equal(acceptor_open(heard.loop, &slot, (uid_t)-1, &handlers,
				 &acceptor), 0);
	assert_false(acceptor_is_ready(acceptor));
	connect_to(&one, slot.socket, 0);
	assert_true(listen_to(&one, &heard));
	assert_true(acceptor_is_ready(acceptor));
	assert_non_null(strstr(one.said, "\"inhibit\":true"));
	assert_non_null(strstr(one.said, "\"slot\":\"main\""));
	acceptor_show(acceptor, &open);
	assert_true(listen_to(&one, &heard));
	assert_non_null(strstr(one.said, "\"inhibit\":false,\"lock\":17"));
	/* In pieces, and several at once. */
	say(&one, "{\"pulses\":5,\"s");
	assert_true(listen_to(&one, &heard));
	assert_string_equal(one.said, "");
	say(&one, "eq\":1}\n{\"seq\":1}\n{\"seq\":2,\"ageMs\":5000}\nx\n");
	assert_true(listen_to(&one, &heard));
	assert_non_null(strstr(one.said, "{\"seq\":1,\"counted\":true}\n"));
	assert_non_null(strstr(one.said, "\"again\":true"));
	assert_non_null(strstr(one.said, "\"error\""));
	assert_int_equal(heard.amount, 600);
	assert_true(heard.at_ns <= clock_mono_ns() - 5000 * MS);
	/* What cannot be kept is not acknowledged, and told again. */
	heard.failing = 1;
	say(&one, "{\"seq\":3}\n");
	assert_false(listen_to(&one, &heard));
	assert_false(acceptor_is_ready(acceptor));
	connect_to(&two, slot.socket, 0);
	assert_true(listen_to(&two, &heard));
	turn(&heard, 1000 * MS);
	say(&two, "{\"seq\":3}\n");
	assert_true(listen_to(&two, &heard));
	assert_int_equal(heard.amount, 700);
	close(one.fd);
	/* The newest is the one that is there. */
	connect_to(&one, slot.socket, 0);
	assert_true(listen_to(&one, &heard));
	assert_false(listen_to(&two, &heard));
	close(two.fd);
	/* A flood, and a line without an end. */
	for (i = 0; i < 20; i++)
		say(&one, "{}\n");
	turn(&heard, 20 * MS);
	assert_int_equal(heard.noises, 1);
	assert_false(acceptor_is_ready(acceptor));
	close(one.fd);
	connect_to(&one, slot.socket, 0);
	memset(long_line, 'x', sizeof(long_line) - 1);
	long_line[sizeof(long_line) - 1] = '\0';
	assert_true(listen_to(&one, &heard));
	say(&one, long_line);
	assert_false(listen_to(&one, &heard));
	close(one.fd);
	acceptor_close(acceptor);
	assert_int_equal(rmdir(folder), 0);
	loop_free(heard.loop);
}

/* Who may be an acceptor: the slot's user, and never the portal's. */
static void test_who_connects(void **state)
{
	static const struct {
		const char *user;
		uid_t portal, uid;
		bool may;
	} rows[] = {
		{"", (uid_t)-1, 1, true},
		{"", 1, 1, false},
		{"daemon", (uid_t)-1, 1, true},
		{"daemon", (uid_t)-1, 2, false},
		{"daemon", (uid_t)-1, 0, true},
		{"daemon", 1, 1, false},
		{"nobody-of-that-name", (uid_t)-1, 1, false},
	};
	struct heard heard = {.loop = loop_new(), .seq = UNLIMITED};
	const struct acceptor_handlers handlers = {
		on_any_pulse, on_last_seq, on_noise, &heard};
	size_t i;

	if (getuid()) {
		print_message("only root can be other users\n");
		loop_free(heard.loop);
		skip();
	}
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config_coin slot = {.name = "main", .value_minor = 100};
		char folder[] = "/tmp/acceptor.XXXXXX";
		struct acceptor *acceptor = NULL;
		struct program program;

		assert_non_null(mkdtemp(folder));
		assert_int_equal(chmod(folder, 0755), 0);
		snprintf(slot.socket, sizeof(slot.socket), "%s/s", folder);
		snprintf(slot.user, sizeof(slot.user), "%s", rows[i].user);
		assert_int_equal(acceptor_open(heard.loop, &slot, rows[i].portal,
					 &handlers, &acceptor), 0);
		/* Whatever the group says. */
		assert_int_equal(chmod(slot.socket, 0666), 0);
		connect_to(&program, slot.socket, rows[i].uid);
		if (listen_to(&program, &heard) != rows[i].may ||
			acceptor_is_ready(acceptor) != rows[i].may)
			fail_msg("row %zu", i);
		close(program.fd);
		acceptor_close(acceptor);
		assert_int_equal(rmdir(folder), 0);
	}
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
		cmocka_unit_test(test_socket),
		cmocka_unit_test(test_who_connects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
