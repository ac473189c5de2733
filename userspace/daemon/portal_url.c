/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of the portal, made of the settings alone: what is printed, and
 * what is answered to who logged in.
 */
#include "daemon/portal_url.h"

#include <stdio.h>

#include "base/ip.h"

bool portal_is_on(const struct config_network *network)
{
	return !ip_is_zero(&network->portal4) || !ip_is_zero(&network->portal6);
}

struct instance {
	const char *name;
	bool is_tls;
	int http_port, https_port;
};

static const char *write_url(const struct instance *instance,
	const struct config_network *network, char buf[static PORTAL_URL])
{
	int port = instance->is_tls ? instance->https_port : instance->http_port;
	char host[IP_TEXT + 2] = "", address[IP_TEXT], suffix[16] = "";

	if (!ip_is_zero(&network->portal4))
		snprintf(host, sizeof(host), "%s",
			ip_format(&network->portal4, address));
	else
		snprintf(host, sizeof(host), "[%s]",
			ip_format(&network->portal6, address));
	if (port != (instance->is_tls ? 443 : 80))
		snprintf(suffix, sizeof(suffix), ":%d", port);
	snprintf(buf, PORTAL_URL, "http%s://%s%s/", instance->is_tls ? "s" : "",
		instance->name[0] ? instance->name : host, suffix);
	return buf;
}

const char *portal_url(const struct config *config,
	const struct config_network *network, char buf[static PORTAL_URL])
{
	const struct instance instance = {config->portal_name,
		config->tls_cert[0] != '\0', config->portal_http_port,
		config->portal_https_port};

	return write_url(&instance, network, buf);
}

const char *portal_operators_url(const struct config *config,
	const struct config_network *network, char buf[static PORTAL_URL])
{
	const struct instance instance = {config->operator_name,
		config->operator_tls_cert[0] != '\0',
		config->operator_http_port, config->operator_https_port};

	buf[0] = '\0';
	return network->operators ? write_url(&instance, network, buf) : buf;
}
