/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused: arguments, configuration, signals; what runs is gatehoused.c.
 * It stays in the foreground: service managers want it so. Stopping it leaves
 * the gate working; `--unload` is for when that is not wanted and no daemon
 * runs that could be asked.
 */
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/util.h"
#include "daemon/config_check.h"
#include "daemon/gatehoused.h"
#include "daemon/offline.h"

/* Starting again does not help after the last two (the unit knows them). */
enum { EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 78 };

static void print_usage(FILE *to)
{
	fputs("usage: gatehoused [-c FILE] [-nv] [--unload open|closed]\n"
	      "       gatehoused [-c FILE] --backup | --restore BACKUP [--with FILE]\n"
	      "       gatehoused [-c FILE] --set-key\n"
	      "       gatehoused --backup-key\n"
	      "\n"
	      "  -c FILE    configuration, " CTL_CONFIG_DEFAULT "\n"
	      "  -n         check the configuration and exit\n"
	      "  -v         log details\n"
	      "  --unload   remove the gate, when no gatehoused runs: `open` lets\n"
	      "             every client through, `closed` none\n"
	      "  --backup   back the database up, also while gatehoused runs\n"
	      "  --restore  put a backup in the database's place; the first line\n"
	      "             of FILE (-: of the input) is what it is encrypted with\n"
	      "  --set-key  take the key of voucher codes from the input\n"
	      "  --backup-key  print a new pair of keys for backups\n"
	      "  --version  print the version and exit\n",
		to);
}

static int load_config(const char *path, struct config *ret_config)
{
	int ret = config_load(
		path, CONFIG_FOR_GATE, ret_config, config_report, stderr);

	/* -EINVAL: the faults have been reported one by one. */
	if (ret && ret != -EINVAL)
		fprintf(stderr, "gatehoused: %s: %s\n", path, strerror(-ret));
	if (!ret)
		config_warn(ret_config, path, config_report, stderr);
	return ret;
}

static void on_stop(void *data, int signum)
{
	struct gatehoused *g = data;

	log_info("shutting down; the gate stays in force");
	loop_quit(g->loop);
}

static void on_hangup(void *data, int signum)
{
	gatehoused_reload(data);
}

/* 0, or the exit status. */
static int run(struct gatehoused *g, const char *unload)
{
	struct loop_signal term, intr, hup;
	int ret;

	ret = gatehoused_start(g);
	if (ret)
		return EXIT_FAILED;
	if (unload) {
		ret = gatehoused_unload(g, !strcmp(unload, "open"));
	} else {
		loop_signal_start(g->loop, &term, SIGTERM, on_stop, g);
		loop_signal_start(g->loop, &intr, SIGINT, on_stop, g);
		loop_signal_start(g->loop, &hup, SIGHUP, on_hangup, g);
		gatehoused_run(g);
	}
	gatehoused_stop(g);
	return ret ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{"unload", required_argument, NULL, 'u'},
		{"backup", no_argument, NULL, 'b'},
		{"restore", required_argument, NULL, 'r'},
		{"with", required_argument, NULL, 'w'},
		{"set-key", no_argument, NULL, 's'},
		{"backup-key", no_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{},
	};
	_cleanup_free_ struct gatehoused *g = xcalloc(1, sizeof(*g));
	struct offline_args offline = {OFFLINE_NONE};
	const char *unload = NULL;
	bool check = false, verbose = false;
	int c;

	g->config_path = CTL_CONFIG_DEFAULT;
	while ((c = getopt_long(argc, argv, "c:nvh", longopts, NULL)) >= 0) {
		if (c == 'c') {
			g->config_path = optarg;
		} else if (c == 'n') {
			check = true;
		} else if (c == 'v') {
			verbose = true;
		} else if (c == 'u') {
			unload = optarg;
		} else if (c == 'b') {
			offline.what = OFFLINE_BACKUP;
		} else if (c == 'r') {
			offline.what = OFFLINE_RESTORE;
			offline.path = optarg;
		} else if (c == 'w') {
			offline.with = optarg;
		} else if (c == 's') {
			offline.what = OFFLINE_SET_KEY;
		} else if (c == 'k') {
			offline.what = OFFLINE_BACKUP_KEY;
		} else if (c == 'V') {
			puts("gatehoused " GATEHOUSE_VERSION);
			return 0;
		} else {
			print_usage(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : EXIT_USAGE;
		}
	}
	if (optind < argc || (unload && strcmp(unload, "open") &&
				     strcmp(unload, "closed"))) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	/* Needs no configuration. */
	if (offline.what == OFFLINE_BACKUP_KEY)
		return offline_run(&g->config, &offline);
	if (load_config(g->config_path, &g->config))
		return EXIT_CONFIG;
	if (check) {
		printf("%s: no fault, %d network%s\n", g->config_path,
			g->config.network_count,
			g->config.network_count == 1 ? "" : "s");
		return 0;
	}
	/* What others may read is said where it is made. */
	umask(077);
	/* A reload that comes before the loop runs, or a log that nobody reads
	 * any more, is no reason to die. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (offline.what)
		return offline_run(&g->config, &offline);
	log_init("gatehoused", verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	return run(g, unload);
}
