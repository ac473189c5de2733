/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file while it is read; for config.c and config_whole.c. */
#ifndef BASE_CONFIG_READING_H
#define BASE_CONFIG_READING_H

#include <stdio.h>

#include "base/config.h"
#include "base/findings.h"
#include "base/setting.h"

/* Where settings were found: those of the file, of each network, and of a
 * network that is none because its header is wrong. */
#define PLACE_FILE  0
#define PLACE_SPARE (1 + CONFIG_NETWORKS_MAX)
#define PLACE_COIN  (PLACE_SPARE + 1) /* the first; the last is spare, too */
#define PLACE_COUNT (PLACE_COIN + CONFIG_COINS_MAX + 1)

struct mark {
	int line; /* 0: not in the file */
	bool bad; /* its value was refused: say nothing more about it */
};

struct reading {
	FILE *file;
	struct config *config;
	struct config_network spare; /* is checked, and thrown away */
	struct config_coin spare_coin; /* the same */
	struct findings faults;
	enum config_use use;
	int line;
	int too_many; /* networks beyond the last that there is room for */
	bool begun;   /* there was a header, or a fault for lack of one */
	bool lost;    /* a network was meant, or something not understood */
	enum section section;
	int place; /* of `section` */
	struct mark marks[PLACE_COUNT][CONFIG_SETTINGS_MAX];
};

#define config_fault(r, line, ...) findings_add(&(r)->faults, line, __VA_ARGS__)

/* Row of the table of settings; -1: none. */
int config_setting(enum section section, const char *name);

/* Once every line is read: completes the config, or adds faults. */
void config_check_whole(struct reading *r);

#endif
