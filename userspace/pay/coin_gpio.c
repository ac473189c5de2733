/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A coin acceptor at a GPIO line: its pulses by the kernel's own time stamps,
 * and a line that tells it to refuse coins. Only this file sees libgpiod.
 *
 * A pulse that cannot be stored (a full disk) is kept here and told again each
 * second; meanwhile the slot refuses coins.
 */
#include <gpiod.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "pay/backend.h"

#define CONSUMER   "gatehouse"
#define KEPT_MAX   256
#define AGAIN_NS   NSEC_PER_SEC
#define STALE_NS   (3600 * NSEC_PER_SEC)

struct coin_gpio {
	struct gpiod_chip *chip;
	struct gpiod_line *pulses, *inhibit; /* NULL: there is no such line */
	struct loop_fd watch;
	struct loop_timer again;
	int kept_count;
	struct acceptor_pulse kept[KEPT_MAX]; /* not stored yet, oldest first */
};

static void show(struct acceptor *acceptor)
{
	struct coin_gpio *gpio = acceptor->own;
	bool refuse = acceptor->state.inhibit || gpio->kept_count;

	/* The request inverts it for inhibit_low. */
	if (gpio->inhibit && gpiod_line_set_value(gpio->inhibit, refuse))
		log_error("coin slot %s: cannot set its inhibit line: %s",
			acceptor->coin->name, strerror(errno));
}

static void store_kept(void *data)
{
	struct acceptor *acceptor = data;
	struct coin_gpio *gpio = acceptor->own;
	bool is_new;
	int done = 0;

	while (done < gpio->kept_count &&
		!acceptor->handlers.pulse(acceptor->handlers.data,
			&gpio->kept[done], &is_new))
		done++;
	gpio->kept_count -= done;
	memmove(gpio->kept, gpio->kept + done,
		(size_t)gpio->kept_count * sizeof(gpio->kept[0]));
	if (gpio->kept_count)
		loop_timer_start(acceptor->loop, &gpio->again, AGAIN_NS, 0,
			store_kept, acceptor);
	show(acceptor);
}

static void keep(struct acceptor *acceptor, int64_t at_ns)
{
	struct coin_gpio *gpio = acceptor->own;

	if (gpio->kept_count == KEPT_MAX) {
		log_error("coin slot %s: a coin is lost: nothing can be stored",
			acceptor->coin->name);
		return;
	}
	gpio->kept[gpio->kept_count++] = (struct acceptor_pulse){
		.at_ns = at_ns,
		.amount_minor = acceptor->coin->value_minor,
		.seq = UNLIMITED,
	};
}

/* Kernels before 5.7 stamp events with the wall clock. */
static int64_t when(const struct gpiod_line_event *event)
{
	int64_t now = clock_mono_ns();
	int64_t at = (int64_t)event->ts.tv_sec * NSEC_PER_SEC +
		     event->ts.tv_nsec;

	return at > now || at < now - STALE_NS ? now : at;
}

static void on_edges(void *data, int fd, int events)
{
	struct acceptor *acceptor = data;
	struct coin_gpio *gpio = acceptor->own;
	struct gpiod_line_event batch[16];
	int n = gpiod_line_event_read_multiple(
		gpio->pulses, batch, ARRAY_SIZE(batch));
	int i;

	if (n < 0) {
		log_error("coin slot %s: cannot read its line: %s",
			acceptor->coin->name, strerror(errno));
		loop_fd_stop(acceptor->loop, &gpio->watch);
		return;
	}
	for (i = 0; i < n; i++) {
		/* The request inverts an active_low line. */
		bool active =
			batch[i].event_type == GPIOD_LINE_EVENT_RISING_EDGE;
		int64_t at = when(&batch[i]);

		switch (pulse_edge(&acceptor->meter, active, at)) {
		case PULSE_NONE:
			break;
		case PULSE_GOOD:
			keep(acceptor, at);
			break;
		case PULSE_NOISE:
			acceptor->handlers.noise(acceptor->handlers.data,
				"a pulse that is too short, too long, or one too "
				"many in a second");
			break;
		}
	}
	store_kept(acceptor);
}

static int request_inhibit(struct acceptor *acceptor, struct coin_gpio *gpio)
{
	const struct config_coin *coin = acceptor->coin;

	if (coin->inhibit_line < 0)
		return 0;
	gpio->inhibit = gpiod_chip_get_line(
		gpio->chip, (unsigned int)coin->inhibit_line);
	if (!gpio->inhibit ||
		gpiod_line_request_output_flags(gpio->inhibit, CONSUMER,
			coin->inhibit_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW
					  : 0,
			1))
		return -errno;
	return 0;
}

static int request_pulses(struct acceptor *acceptor, struct coin_gpio *gpio)
{
	const struct config_coin *coin = acceptor->coin;

	gpio->pulses = gpiod_chip_get_line(
		gpio->chip, (unsigned int)coin->gpio_line);
	if (!gpio->pulses ||
		gpiod_line_request_both_edges_events_flags(gpio->pulses,
			CONSUMER,
			coin->active_low ? GPIOD_LINE_REQUEST_FLAG_ACTIVE_LOW
					 : 0))
		return -errno;
	return 0;
}

static int open_gpio(struct acceptor *acceptor)
{
	struct coin_gpio *gpio = xcalloc(1, sizeof(*gpio));
	int ret;

	gpio->chip = gpiod_chip_open_lookup(acceptor->coin->chip);
	ret = gpio->chip ? 0 : -errno;
	/* It refuses coins before one could be counted. */
	if (!ret)
		ret = request_inhibit(acceptor, gpio);
	if (!ret)
		ret = request_pulses(acceptor, gpio);
	if (ret) {
		if (gpio->chip)
			gpiod_chip_close(gpio->chip);
		free(gpio);
		return ret;
	}
	acceptor->own = gpio;
	loop_fd_start(acceptor->loop, &gpio->watch,
		gpiod_line_event_get_fd(gpio->pulses), LOOP_READ, on_edges,
		acceptor);
	return 0;
}

static void close_gpio(struct acceptor *acceptor)
{
	struct coin_gpio *gpio = acceptor->own;

	loop_timer_stop(acceptor->loop, &gpio->again);
	loop_fd_stop(acceptor->loop, &gpio->watch);
	gpiod_chip_close(gpio->chip);
	free(gpio);
}

static bool is_ready(const struct acceptor *acceptor)
{
	return true;
}

const struct backend backend_gpio = {
	.open = open_gpio,
	.close = close_gpio,
	.show = show,
	.is_ready = is_ready,
};
