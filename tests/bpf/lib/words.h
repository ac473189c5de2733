/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short words for rows of frames: who they are for, and what they are. */
#ifndef TESTS_BPF_LIB_WORDS_H
#define TESTS_BPF_LIB_WORDS_H

#include <netinet/in.h>

#include "gate.h"

#define OUT	  "198.51.100.7" /* a host of the internet */
#define OUT6	  "2001:db8::7"
#define BOX	  GATE_BOX
#define BOX6	  GATE_BOX6
#define ALL	  "255.255.255.255"
#define GROUP_MAC "ff:ff:ff:ff:ff:ff"

#define TCP   .proto = IPPROTO_TCP
#define UDP   .proto = IPPROTO_UDP
#define ICMP  .proto = IPPROTO_ICMP
#define ICMP6 .proto = IPPROTO_ICMPV6

#endif
