/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An acceptor of either sort. It knows no lock and no client: it tells of
 * pulses, and is told whether to take coins.
 */
#include "pay/backend.h"

#include "base/util.h"

int acceptor_open(struct loop *loop, const struct config_coin *coin,
	uid_t portal_uid, const struct acceptor_handlers *handlers,
	struct acceptor **ret_acceptor)
{
	struct acceptor *acceptor = xcalloc(1, sizeof(*acceptor));
	int ret;

	*acceptor = (struct acceptor){
		.backend = coin->socket[0] ? &backend_socket : &backend_gpio,
		.loop = loop,
		.coin = coin,
		.portal_uid = portal_uid,
		.handlers = *handlers,
		.state = {.inhibit = true},
	};
	pulse_meter_init(&acceptor->meter, coin);
	ret = acceptor->backend->open(acceptor);
	if (ret) {
		free(acceptor);
		return ret;
	}
	*ret_acceptor = acceptor;
	return 0;
}

void acceptor_close(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	acceptor->state = (struct acceptor_state){.inhibit = true};
	acceptor->backend->show(acceptor);
	acceptor->backend->close(acceptor);
	free(acceptor);
}

void acceptor_show(struct acceptor *acceptor, const struct acceptor_state *state)
{
	bool same = acceptor->state.inhibit == state->inhibit &&
		    acceptor->state.lock == state->lock;

	/* The seconds alone are told again when they grow. */
	same = same && state->seconds <= acceptor->state.seconds;
	acceptor->state = *state;
	if (!same)
		acceptor->backend->show(acceptor);
}

bool acceptor_is_ready(const struct acceptor *acceptor)
{
	return acceptor->backend->is_ready(acceptor);
}
