/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plans that a first start makes (N2). */
#ifndef RULES_PLAN_DEFAULTS_H
#define RULES_PLAN_DEFAULTS_H

#include "rules/rules.h"

/* Makes the default plans when there is none at all. */
int plan_defaults(struct rules *rules, const char *currency);

#endif
