/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-portal: arguments, start order, privilege. It opens everything
 * that needs rights - ports, certificate - then gives the rights up
 * (sandbox.c) and only then looks at the first byte from a guest.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "assets.h"
#include "base/log.h"
#include "base/util.h"
#include "brand.h"
#include "certificate.h"
#include "gatehouse/ctl.h"
#include "handover.h"
#include "i18n.h"
#include "keeper.h"
#include "known.h"
#include "listen.h"
#include "operation.h"
#include "portal.h"
#include "sandbox.h"
#include "server.h"
#include "refusals.h"
#include "terms.h"

/* Starting again does not help after the last two (the unit knows them). */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

struct program {
	struct portal portal;
	struct server *server;
	bool has_brand_faults;
	struct keeper keeper;
	struct loop_signal term, interrupt, hangup;
};

static int load_tls(struct program *program)
{
	const struct config *config = &program->portal.config;
	_cleanup_free_ char *chain = NULL, *key = NULL;
	int ret;

	if (!*config->tls_cert)
		return 0;
	ret = keeper_read(config->tls_cert, &chain);
	if (ret) {
		log_error("%s: %s", config->tls_cert, strerror(-ret));
		return ret;
	}
	ret = keeper_read(config->tls_key, &key);
	if (ret) {
		log_error("%s: %s", config->tls_key, strerror(-ret));
		return ret;
	}
	ret = certificate_set(chain, key);
	if (ret)
		log_error("tls_cert and tls_key: not a certificate with its "
			  "key, PEM");
	program->portal.has_tls = !ret;
	return ret;
}

static void on_certificate(void *data, const char *chain, const char *key)
{
	if (certificate_set(chain, key))
		log_warning("tls_cert and tls_key were changed and are not a "
			    "certificate with its key: the old one stays in use");
	else
		log_info("a new certificate is in use");
}

static int open_listener(struct program *program, const struct ipaddr *addr,
	int port, bool secure)
{
	char text[IP_TEXT];
	int fd = -1, ret;

	if (ip_is_zero(addr))
		return 0;
	fd = handover_listener(addr, port);
	ret = fd < 0 ? listen_open(addr, port, &fd) : 0;
	if (ret) {
		log_error("cannot listen on %s port %d: %s",
			ip_format(addr, text), port, strerror(-ret));
		return ret;
	}
	server_add_listener(program->server, fd, secure);
	return 0;
}

static int open_pair(struct program *program, const struct ipaddr *v4,
	const struct ipaddr *v6)
{
	const struct config *config = &program->portal.config;
	const struct ipaddr *addrs[] = {v4, v6};
	size_t a;
	int ret = 0;

	for (a = 0; a < ARRAY_SIZE(addrs) && !ret; a++) {
		ret = open_listener(
			program, addrs[a], config->portal_http_port, false);
		if (!ret && program->portal.has_tls)
			ret = open_listener(program, addrs[a],
				config->portal_https_port, true);
	}
	return ret;
}

static int open_loopback(struct program *program)
{
	struct ipaddr v4, v6;

	if (ip_parse("127.0.0.1", &v4) || ip_parse("::1", &v6))
		return -EINVAL;
	return open_pair(program, &v4, &v6);
}

static bool is_served(const struct portal *portal, const struct config_network *n)
{
	return portal->instance == INSTANCE_GUEST || n->operators;
}

static int open_listeners(struct program *program)
{
	const struct portal *portal = &program->portal;
	const struct config *config = &portal->config;
	int i, ret = 0;

	if (portal->instance == INSTANCE_OPERATOR)
		ret = open_loopback(program);
	for (i = 0; i < config->network_count && !ret; i++)
		if (is_served(portal, &config->networks[i]))
			ret = open_pair(program, &config->networks[i].portal4,
				&config->networks[i].portal6);
	return ret;
}

/* What a hole in this program would be worth, for whoever reads the log. */
static void tell_confined(int abi)
{
	char landlock[32] = "no Landlock in this kernel";

	if (abi)
		snprintf(landlock, sizeof(landlock), "Landlock ABI %d", abi);
	log_info("confined: uid %u, no capabilities, no new privileges, "
		 "seccomp, %s",
		(unsigned int)getuid(), landlock);
}

static int confine(const char *user)
{
	int abi, ret = sandbox_drop(user);

	if (ret) {
		log_error("cannot become %s: %s", user,
			ret == -ENOENT ? "there is no such user"
				       : strerror(-ret));
		return ret;
	}
	ret = sandbox_landlock(&abi);
	if (!ret)
		ret = sandbox_seccomp();
	if (ret)
		log_error("cannot confine itself: %s", strerror(-ret));
	else
		tell_confined(abi);
	return ret;
}

static void on_drained(void *data)
{
	struct program *program = data;

	loop_quit(program->portal.loop);
}

/* Who was accepted is answered; the next run finds the others. A second signal
 * does not wait for that. */
static void on_signal(void *data, int signum)
{
	struct program *program = data;

	if (program->portal.draining)
		loop_quit(program->portal.loop);
	else
		server_drain(program->server, on_drained, program);
}

/* No file can be opened any more. */
static void on_hangup(void *data, int signum)
{
	log_warning("SIGHUP changes nothing here; restart to read the "
		    "configuration again");
}

/* A descriptor per connection, the listeners and a few more. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* All that can be wrong with what we were given. */
static int prepare(struct program *program)
{
	struct portal *portal = &program->portal;
	int ret;

	ret = crypto_init();
	/* It would open /dev/urandom at the first object of a guest's. */
	json_object_seed(0);
	if (!ret)
		ret = i18n_init();
	if (!ret)
		ret = load_tls(program);
	if (ret)
		return ret;
	program->has_brand_faults = brands_load(&portal->config,
		config_report, NULL, &portal->brands) != 0;
	/* In the venue's own languages, too. */
	if (portal->instance == INSTANCE_GUEST)
		ret = terms_load(portal->config.terms_file);
	if (ret)
		return ret;
	assets_init();
	portal->loop = loop_new();
	if (!portal->loop)
		return -ENOMEM;
	portal->refusals = refusals_new();
	portal->known = known_new(portal->instance == INSTANCE_OPERATOR);
	portal->ctl = ctl_client_new(
		portal->loop, portal->config.socket, PORTAL_DAEMON_NS);
	if (portal->instance == INSTANCE_OPERATOR)
		portal->door = ctl_client_new(
			portal->loop, portal->config.socket, PORTAL_DAEMON_NS);
	portal->operations = operations_new(portal);
	ret = server_new(portal, &program->server);
	if (ret)
		log_error("cannot start the HTTP server");
	return ret;
}

static int start(struct program *program)
{
	struct portal *portal = &program->portal;
	int ret = 0;

	raise_limits();
	handover_begin();
	handover_form_key(portal->form_key);
	tzset(); /* reads a file; the log wants it later */
	if (portal->has_tls)
		ret = keeper_start(&program->keeper, portal->loop,
			portal->config.portal_user, portal->config.tls_cert,
			portal->config.tls_key, on_certificate, program);
	if (ret) {
		log_error("cannot start the certificate's keeper: %s",
			strerror(-ret));
		return ret;
	}
	ret = open_listeners(program);
	if (ret)
		return ret;
	handover_end();
	server_each_listener(program->server, handover_keep_listener);
	loop_signal_start(
		portal->loop, &program->term, SIGTERM, on_signal, program);
	loop_signal_start(
		portal->loop, &program->interrupt, SIGINT, on_signal, program);
	loop_signal_start(
		portal->loop, &program->hangup, SIGHUP, on_hangup, program);
	server_start(program->server);
	return confine(portal->config.portal_user);
}

/* Undoes prepare() and start(), also half of them. */
static void stop(struct program *program)
{
	struct portal *portal = &program->portal;

	keeper_stop(&program->keeper);
	ctl_client_free(portal->ctl);
	ctl_client_free(portal->door);
	portal->ctl = portal->door = NULL;
	operations_free(portal->operations);
	server_free(program->server);
	refusals_free(portal->refusals);
	known_free(portal->known);
	loop_free(portal->loop);
	brands_free(portal->brands);
	terms_fini();
	i18n_fini();
	certificate_fini();
}

static const char *plural(int count)
{
	return count == 1 ? "" : "s";
}

static int served_count(const struct portal *portal)
{
	int i, count = 0;

	for (i = 0; i < portal->config.network_count; i++)
		count += is_served(portal, &portal->config.networks[i]);
	return count;
}

static int run(struct program *program)
{
	int networks = served_count(&program->portal);
	int ret = start(program);

	if (ret)
		return ret;
	log_info("serving %s%d network%s",
		program->portal.instance == INSTANCE_OPERATOR
			? "operators on loopback and "
			: "",
		networks, plural(networks));
	loop_run(program->portal.loop);
	log_info("stopping");
	return 0;
}

static int report(const struct program *program, const char *path)
{
	int networks = served_count(&program->portal);

	if (program->has_brand_faults)
		return -EBADMSG;
	printf("%s: no fault, %d network%s\n", path, networks, plural(networks));
	return 0;
}

static int usage(FILE *to, int status)
{
	fputs("usage: gatehouse-portal [-nv] [-c FILE] [--operator]\n"
	      "\n"
	      "  -c FILE    configuration, " CTL_CONFIG_DEFAULT "\n"
	      "  -n         check the configuration and the certificate and exit\n"
	      "  -v         log details\n"
	      "  --operator serve operators, not guests\n"
	      "  --version  print the version and exit\n",
		to);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{"operator", no_argument, NULL, 'o'},
		{},
	};
	_cleanup_free_ struct program *program = xcalloc(1, sizeof(*program));
	const char *path = CTL_CONFIG_DEFAULT;
	int level = LOG_LEVEL_INFO, c, ret;
	bool check = false;

	program->portal.instance = INSTANCE_GUEST;
	while ((c = getopt_long(argc, argv, "c:nvh", longopts, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'n') {
			check = true;
		} else if (c == 'v') {
			level = LOG_LEVEL_DEBUG;
		} else if (c == 'o') {
			program->portal.instance = INSTANCE_OPERATOR;
		} else if (c == 'V') {
			puts("gatehouse-portal " GATEHOUSE_VERSION);
			return 0;
		} else {
			return c == 'h' ? usage(stdout, 0)
					: usage(stderr, EXIT_USAGE);
		}
	}
	if (optind < argc)
		return usage(stderr, EXIT_USAGE);
	log_init(program->portal.instance == INSTANCE_OPERATOR
			 ? "gatehouse-operator"
			 : "gatehouse-portal",
		(enum log_level)level);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(077);
	ret = config_load(path, CONFIG_FOR_PORTAL, &program->portal.config,
		config_report, NULL);
	if (ret) {
		if (ret != -EINVAL)
			log_error("%s: %s", path, strerror(-ret));
		return EXIT_CONFIG;
	}
	program->portal.guests_have_tls = program->portal.config.tls_cert[0];
	if (program->portal.instance == INSTANCE_OPERATOR)
		config_for_operators(&program->portal.config);
	ret = prepare(program);
	if (!ret)
		ret = check ? report(program, path) : run(program);
	stop(program);
	return ret ? EXIT_FAILED : 0;
}
