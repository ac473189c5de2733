/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration file (INI, read with inih): one table of settings says
 * each name, type, range and default (gatehouse.conf(5)). Both the daemon and
 * the portal read the same file; secrets are never in it.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <limits.h>

#include "base/findings.h"
#include "base/ip.h"
#include "gatehouse/types.h"

#define CONFIG_BRANDING     256
#define CONFIG_NETWORKS_MAX 32
#define CONFIG_NAME_MAX 32
#define CONFIG_REACH_MAX 8
#define CONFIG_GARDEN_MAX 64
#define CONFIG_GARDEN_TEXT 121 /* of the longest entry, with its zero */
#define CONFIG_UPLINKS_MAX 4
#define CONFIG_UPLINKS_TEXT 200
#define CONFIG_URL 256 /* bytes, with its zero */
#define CONFIG_ROLES_MAX 16
#define CONFIG_COINS_MAX 8
#define CONFIG_COIN_GROUP "gatehouse-coin" /* may connect to acceptors' sockets */
#define CONFIG_SETTINGS_MAX 128 /* rows of the table in config.c */

enum config_hook { CONFIG_HOOK_AUTO, CONFIG_HOOK_XDP, CONFIG_HOOK_TC };
enum config_shape { CONFIG_SHAPE_AUTO, CONFIG_SHAPE_FOUND, CONFIG_SHAPE_POLICE };

/* What becomes of who uses another's address or MAC. */
enum config_on_spoof {
	CONFIG_SPOOF_REPORT,
	CONFIG_SPOOF_HOLD, /* the session, until its token is shown */
	CONFIG_SPOOF_DROP,
};
const char *config_spoof_name(enum config_on_spoof on_spoof);

/* What becomes of frames whose source address is another's. */
enum config_source_check {
	CONFIG_SOURCE_OFF,
	CONFIG_SOURCE_REPORT,
	CONFIG_SOURCE_DROP,
};
const char *config_source_name(enum config_source_check check);

/* "10.0.0.5/32:8080/tcp"; port and protocol 0: any. */
struct config_reach {
	struct prefix prefix;
	uint16_t port; /* host order */
	uint8_t proto; /* IPPROTO_* */
};

/* "198.51.100.0/24", "example.org", "*.example.org" */
struct config_garden {
	char text[CONFIG_GARDEN_TEXT]; /* in lower case */
	bool is_name;
	struct prefix prefix; /* unless it is a name */
};

/* [network NAME]; its number (1 based, stable by `number =`) is the kernel's. */
struct config_network {
	int line;                  /* of its header in the file */
	char name[CONFIG_NAME_MAX];
	int number;                /* 1 to 63; default: order in the file */
	char interface[16];        /* plain interface or bridge master */
	struct ipaddr portal4;     /* the box's address there; zero: none */
	struct ipaddr portal6;
	char ssid[33];             /* for display; default: name */
	char venue_name[65];       /* heading of its pages; default: the portal's */
	char venue_url[CONFIG_URL]; /* about the venue; default: the portal's */
	char branding[CONFIG_BRANDING]; /* a folder; default: the portal's */
	enum config_hook hook;     /* default: [gatehouse] hook */
	bool block_private;
	bool operators; /* may log in from there; no */
	bool qr_login; /* by the QR code of the house; no */
	bool isolate; /* guests on ports of a bridge from each other */
	int reach_count;
	struct config_reach reach[CONFIG_REACH_MAX];
	bool steer_dns;            /* foreign DNS goes to the resolver; yes */
	struct ipaddr resolver4;   /* of these guests; default: the portal's */
	struct ipaddr resolver6;
	enum config_on_spoof on_spoof; /* report */
	enum config_source_check source_check; /* drop, unless on_spoof is report */
	int captive_kbps;          /* DNS of one captive client; default 8 */
	int network_kbps;          /* of all captive ones together; default 1024 */
	int box_kbps;              /* DNS + ICMP of a running one; default 64 */
	int garden_count;          /* what captive clients may reach */
	struct config_garden garden[CONFIG_GARDEN_MAX];
	int garden_kbps;           /* one client in the garden; default 1024 */
	int garden_network_kbps;   /* all of them together; default 16384 */
	int garden_keep_seconds;   /* addresses of names, at least; default 300 */
};

/* [coin NAME]: a coin slot; its acceptor is at a GPIO line, or a program at a
 * socket. */
struct config_coin {
	int line; /* of its header in the file */
	char name[CONFIG_NAME_MAX];
	char socket[104]; /* "": none */
	char user[33];	  /* who may connect there; "": whoever is in the group */
	char chip[64];	  /* "gpiochip0" or a path; "": none */
	int gpio_line;
	bool active_low;  /* a pulse is the low level; yes */
	int inhibit_line; /* -1: none */
	bool inhibit_low; /* the low level refuses coins; no */
	int value_minor;  /* of one pulse */
	int pulse_min_ms, pulse_max_ms; /* what is shorter or longer is noise */
	int gap_ms; /* between two pulses at least; what is sooner is a bounce */
	int pulses_per_second; /* more are noise */
};

struct config_role {
	int line; /* in the file */
	char user[33];
	enum role role;
};

/* [retention]: for how long things are kept. */
struct config_retention {
	int captive_hours;    /* 24: who was there without a session */
	int access_log_days;  /* 14: who asked for what */
	int address_days;     /* 90: IP addresses in events */
	int address_log_days; /* 180 */
	int contact_days;     /* 30: telephone numbers, since their last use */
	int member_days;      /* 30: members, since their check-out */
	int event_days;	      /* 180: security events */
	int audit_days;	      /* 730 */
	int sales_days;	      /* 730: sessions that ended, payments */
};

struct config {
	char state_dir[PATH_MAX];  /* /var/lib/gatehouse */
	char socket[PATH_MAX];     /* CTL_SOCKET_DEFAULT */
	char socket_group[33];     /* gatehouse; may connect, proves nothing */
	char pin_dir[PATH_MAX];    /* /sys/fs/bpf/gatehouse */
	enum config_hook hook;     /* auto */
	enum config_shape shape;   /* auto */
	int clients_max;           /* 65536; 1024 to 4194304 */
	int token_days;            /* 3 */
	char voucher_prefix[9];    /* AJC */
	char currency[4];          /* TZS, for the first plans */
	/* Asked for an answer, to know whether the internet is there. */
	char uplink_check[CONFIG_UPLINKS_TEXT];
	int uplink_count;
	struct config_uplink {
		struct ipaddr addr;
		int port;
	} uplinks[CONFIG_UPLINKS_MAX];
	int sweep_seconds;         /* 10: how often counters reach the store */
	char portal_user[33];      /* gatehouse-portal */
	int portal_http_port;      /* 80 */
	int portal_https_port;     /* 443, used when tls_cert is set */
	char portal_name[254];     /* host name of the portal; "": its address */
	char tls_cert[PATH_MAX];
	char tls_key[PATH_MAX];
	int hsts_days;		   /* 0: browsers are not told to stay with TLS */
	/* The same of the instance for operators. */
	char operator_user[33];    /* gatehouse-operator */
	int operator_http_port;    /* 8080 */
	int operator_https_port;   /* 8443 */
	/* none, or the least role of operators who show a code besides the password */
	char second_factor[16];
	char operator_name[254];   /* admin.<portal_name>; "": no name */
	char operator_tls_cert[PATH_MAX];
	char operator_tls_key[PATH_MAX];
	char venue_name[65];       /* heading of the pages; "Guest Wi-Fi" */
	char venue_url[CONFIG_URL]; /* about the venue (RFC 8908); "": none */
	char branding[CONFIG_BRANDING]; /* folder of the venue's own; "": none */
	char terms_file[PATH_MAX]; /* terms of use, text; "": none */
	char terms_version[41];    /* which have to be accepted; "": none */
	char free_plan[65]; /* "": no free time */
	int free_kbps;	    /* 1000: the most that it has, up and down */
	int free_random_per_hour; /* 60: made-up addresses, per network */
	char qr_plans[ROLE_ADMIN + 1][65]; /* of each role; "": as the one below */
	char qr_unknown[65]; /* plan of who is no member; "refuse": none */
	int qr_token_days;  /* 30: how long a QR code is good */
	int qr_rotate_days; /* 7: so long before its end there is the next */
	char qr_venue_id[65]; /* hotelId; "": none */
	struct config_retention retention;
	char backup_dir[PATH_MAX]; /* "": backups in state_dir */
	int backup_keep;	   /* 7 encrypted ones */
	char backup_key[65];	   /* public key, hex; "": none */
	char backup_passphrase[PATH_MAX]; /* file; "": none */
	int network_count;
	struct config_network networks[CONFIG_NETWORKS_MAX];
	int coin_count;
	struct config_coin coins[CONFIG_COINS_MAX];
	int role_count;
	struct config_role roles[CONFIG_ROLES_MAX];
	/* config_line() reads them: of the file, then of each network. */
	int lines[1 + CONFIG_NETWORKS_MAX][CONFIG_SETTINGS_MAX];
};

#define CONFIG_PORTAL_PORTS 2
/* Where the portal listens, HTTP first; returns how many. */
int config_portal_ports(const struct config *config,
	uint16_t ret_ports[static CONFIG_PORTAL_PORTS]);

/* The same of the instance for operators; none where no network lets them in:
 * then it listens on loopback only, which no guest reaches. */
int config_operator_ports(const struct config *config,
	uint16_t ret_ports[static CONFIG_PORTAL_PORTS]);
/* What [portal] says of operators takes the place of what it says of guests. */
void config_for_operators(struct config *config);

/* What a portal without a gate may listen at, no guest would reach. */
enum config_use { CONFIG_FOR_GATE, CONFIG_FOR_PORTAL };

/*
 * Reads and checks `path`. Each fault is reported through `report` with its
 * line (0: the file as a whole), all of them, by line. Returns 0, -EINVAL
 * after faults, or the errno of opening or reading the file.
 */
int config_load(const char *path, enum config_use use,
	struct config *ret_config, finding_fn *report, void *data);

/* The line that sets `name`: of a network, otherwise its header's; of another
 * section (NULL), otherwise 0. */
int config_line(const struct config *config,
	const struct config_network *network, const char *name);

/* Of all networks, the one of that name or number; NULL: there is none. */
const struct config_network *config_network_named(
	const struct config *config, const char *name);
const struct config_network *config_network_numbered(
	const struct config *config, uint32_t number);

/* A ready `report`: a line on the stream `data`, or in the log (NULL). */
void config_report(void *data, const char *path, int line, const char *text);

#endif
