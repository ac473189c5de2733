/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decision, row by row: what a frame gets from a client that runs and from
 * one that does not, at both upload hooks and at the bridge's check, with the
 * responder behind them. Every row is sent by clients in all standings, and
 * then again cut short at every byte. A second table is for what goes to them.
 *
 * The tables are the specification (docs/design.md 4.4) for people: a frame that
 * is not in one and matters belongs there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "datapath/reasons.h"
#include "lib/frame.h"
#include "lib/gate.h"
#include "lib/words.h"

#define GARDEN  GATE_GARDEN
#define GARDEN6 GATE_GARDEN6

#define EXT(...) .exts = sizeof((uint8_t[]){__VA_ARGS__}), .ext = {__VA_ARGS__}

/* In a row: the reason why this client has no access. */
#define WHY GH_NO_REASON

struct row {
	const char *name;
	struct frame_spec frame;
	enum gh_reason running; /* exempt: the same, but for PASS_EXEMPT */
	enum gh_reason refused; /* blocked: DROP_BLOCKED, but for DROP_SOURCE */
};

/* Short names, for the table only. */
#define CHARGED    GH_PASS_CHARGED
#define SYN        GH_ANSWER_SYN
#define RESET      GH_ANSWER_RESET
#define PROHIBITED GH_ANSWER_PROHIBITED
#define INSIDE     GH_DROP_INSIDE
#define EXTENSION  GH_DROP_EXTENSION
#define FRAGMENT   GH_DROP_FRAGMENT
#define ETHERTYPE  GH_DROP_ETHERTYPE
#define MALFORMED  GH_DROP_MALFORMED
#define SOURCE     GH_DROP_SOURCE
#define ROGUE      GH_DROP_ROGUE
#define BAD_ND     GH_DROP_ND
#define ADDRESS    GH_DROP_ADDRESS
#define STRAY      GH_DROP_TCP_STRAY
#define ARP        GH_PASS_ARP
#define ND         GH_PASS_ND
#define MLD        GH_PASS_MLD
#define DHCP       GH_PASS_DHCP
#define DNS        GH_PASS_DNS
#define PORTAL     GH_PASS_PORTAL
#define ECHO       GH_PASS_ECHO
#define IN_GARDEN  GH_PASS_GARDEN
#define STEERED    GH_PASS_STEERED

/* clang-format off */
static const struct row rows[] = {
	/* The link itself */
	{"ARP request",            {.ethertype = 0x0806, .payload = 28, .dst_mac = GROUP_MAC}, ARP, ARP},
	{"ARP reply, padded",      {.ethertype = 0x0806, .payload = 46}, ARP, ARP},
	{"RS",                     {.to = "ff02::2", ICMP6, .type = 133, .ttl = 255}, ND, ND},
	{"ARP of its address",     {.ethertype = 0x0806, .payload = 28, .claims = "10.77.0.50"}, ARP, ARP},
	{"ARP of the box's",       {.ethertype = 0x0806, .payload = 28, .claims = BOX}, ROGUE, ROGUE},
	{"ARP of elsewhere",       {.ethertype = 0x0806, .payload = 28, .claims = "198.51.100.9"}, ADDRESS, ADDRESS},
	{"ARP of another's MAC",   {.ethertype = 0x0806, .payload = 28, .forged = 1}, ROGUE, ROGUE},
	{"ARP, short",             {.ethertype = 0x0806, .payload = 27}, MALFORMED, MALFORMED},
	{"NS to a group",          {.to = "ff02::1:ff00:1", ICMP6, .type = 135, .ttl = 255, .payload = 16, .nd_option = 1}, ND, ND},
	{"NS of another's MAC",    {.to = BOX6, ICMP6, .type = 135, .ttl = 255, .payload = 16, .nd_option = 1, .forged = 1}, ROGUE, ROGUE},
	{"NA with its MAC",        {.to = BOX6, ICMP6, .type = 136, .ttl = 255, .payload = 16, .nd_option = 2}, ND, ND},
	{"NA of another's MAC",    {.to = "fe80::1", ICMP6, .type = 136, .ttl = 255, .payload = 16, .nd_option = 2, .forged = 1}, ROGUE, ROGUE},
	{"RS with its MAC",        {.to = "ff02::2", ICMP6, .type = 133, .ttl = 255, .nd_option = 1}, ND, ND},
	{"RS of another's MAC",    {.to = "ff02::2", ICMP6, .type = 133, .ttl = 255, .nd_option = 1, .forged = 1}, ROGUE, ROGUE},
	{"NS with a nonce",        {.to = BOX6, ICMP6, .type = 135, .ttl = 255, .payload = 16, .nd_option = 14, .forged = 1}, ND, ND},
	{"NS to the box",          {.to = BOX6, ICMP6, .type = 135, .ttl = 255, .payload = 16}, ND, ND},
	{"NA link-local",          {.to = "fe80::2", ICMP6, .type = 136, .ttl = 255, .payload = 16}, ND, ND},
	{"NS for a new address",   {.to = "ff02::1:ff00:1", .from = "::", ICMP6, .type = 135, .ttl = 255, .payload = 16}, ND, ND},
	{"NS of elsewhere",        {.to = BOX6, .from = "2001:db8::9", ICMP6, .type = 135, .ttl = 255, .payload = 16}, ADDRESS, ADDRESS},
	{"RS as the box",          {.to = "ff02::2", .from = BOX6, ICMP6, .type = 133, .ttl = 255}, ROGUE, ROGUE},
	{"NS forwarded",           {.to = BOX6, ICMP6, .type = 135, .ttl = 254, .payload = 16}, BAD_ND, BAD_ND},
	{"NS as a tunnel",         {.to = OUT6, ICMP6, .type = 135, .ttl = 255, .payload = 900}, MALFORMED, MALFORMED},
	{"NA to a wide group",     {.to = "ff0e::1", ICMP6, .type = 136, .ttl = 255}, BAD_ND, BAD_ND},
	{"NS behind hop-by-hop",   {.to = BOX6, ICMP6, .type = 135, .ttl = 255, EXT(0)}, BAD_ND, BAD_ND},
	{"RA",                     {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255}, ROGUE, ROGUE},
	{"RA to the box",          {.to = "fe80::1", ICMP6, .type = 134, .ttl = 255}, ROGUE, ROGUE},
	{"RA outside",             {.to = OUT6, ICMP6, .type = 134}, ROGUE, ROGUE},
	{"ICMPv6 redirect",        {.to = BOX6, ICMP6, .type = 137, .ttl = 255}, ROGUE, ROGUE},
	{"ICMP redirect",          {.to = BOX, ICMP, .type = 5}, ROGUE, ROGUE},
	{"MLDv2 report",           {.to = "ff02::16", ICMP6, .type = 143, .ttl = 1, EXT(0)}, MLD, MLD},
	{"MLDv1 done, bare",       {.to = "ff02::2", ICMP6, .type = 132, .ttl = 1}, MLD, MLD},
	{"MLD as a tunnel",        {.to = OUT6, ICMP6, .type = 143, EXT(0)}, BAD_ND, BAD_ND},
	{"MLD, long hop-by-hop",   {.to = "ff02::16", ICMP6, .type = 143, EXT(0), .ext_words = 1}, INSIDE, EXTENSION},
	{"MLD, two extensions",    {.to = "ff02::16", ICMP6, .type = 143, EXT(0, 60)}, INSIDE, EXTENSION},
	{"RA, options",            {.to = "ff02::1", ICMP6, .type = 134, .ttl = 255, EXT(60)}, ROGUE, ROGUE},
	{"RA outside, options",    {.to = OUT6, ICMP6, .type = 134, .ttl = 255, EXT(60)}, ROGUE, ROGUE},
	{"redirect, long header",  {.to = "ff02::1", ICMP6, .type = 137, .ttl = 255, EXT(0), .ext_words = 1}, ROGUE, ROGUE},
	{"DHCP server, options",   {.to = ALL, UDP, .sport = 67, .port = 68, .payload = 240, .options = 4}, ROGUE, ROGUE},
	{"ICMP redirect, options", {.to = BOX, ICMP, .type = 5, .options = 4}, ROGUE, ROGUE},

	/* Addresses */
	{"DHCP discover",          {.to = ALL, .from = "0.0.0.0", UDP, .sport = 68, .port = 67, .dst_mac = GROUP_MAC, .payload = 240}, DHCP, DHCP},
	{"DHCP rebind",            {.to = ALL, .from = "0.0.0.0", UDP, .sport = 68, .port = 67, .dst_mac = GROUP_MAC, .payload = 240, .claims = "10.77.0.50"}, DHCP, DHCP},
	{"DHCP for another's MAC", {.to = ALL, .from = "0.0.0.0", UDP, .sport = 68, .port = 67, .dst_mac = GROUP_MAC, .payload = 240, .forged = 1}, ROGUE, ROGUE},
	{"DHCP as a relay",        {.to = BOX, UDP, .sport = 68, .port = 67, .payload = 240, .relay = "198.51.100.9"}, ROGUE, ROGUE},
	{"DHCP from elsewhere",    {.to = ALL, .from = "198.51.100.9", UDP, .sport = 68, .port = 67, .payload = 240}, ADDRESS, ADDRESS},
	{"DHCP, answer elsewhere", {.to = BOX, UDP, .sport = 68, .port = 67, .payload = 240, .claims = "198.51.100.9"}, ADDRESS, ADDRESS},
	{"DHCP as the box",        {.to = BOX, UDP, .sport = 68, .port = 67, .payload = 240, .claims = BOX}, ROGUE, ROGUE},
	{"DHCP, short",            {.to = BOX, UDP, .sport = 68, .port = 67, .payload = 33}, MALFORMED, MALFORMED},
	{"DHCP renew",             {.to = BOX, UDP, .sport = 68, .port = 67, .payload = 240}, DHCP, DHCP},
	{"DHCP of a server",       {.to = ALL, UDP, .sport = 67, .port = 68, .dst_mac = GROUP_MAC}, ROGUE, ROGUE},
	{"DHCP of one, to guests", {.to = "10.77.0.51", UDP, .sport = 67, .port = 68}, ROGUE, ROGUE},
	{"DHCP of one, elsewhere", {.to = OUT, UDP, .sport = 67, .port = 68}, CHARGED, PROHIBITED},
	{"DHCPv6 of a server",     {.to = "fe80::77", UDP, .sport = 547, .port = 546}, ROGUE, ROGUE},
	{"DHCP, another port",     {.to = ALL, UDP, .port = 67}, INSIDE, WHY},
	{"DHCP elsewhere",         {.to = OUT, UDP, .sport = 68, .port = 67, .payload = 240}, CHARGED, PROHIBITED},
	{"DHCP in a fragment",     {.to = ALL, UDP, .sport = 68, .port = 67, .offset = 0x2000, .payload = 240}, INSIDE, FRAGMENT},
	{"DHCPv6 solicit",         {.to = "ff02::1:2", UDP, .sport = 546, .port = 547, .payload = 40}, DHCP, DHCP},
	{"DHCPv6 to the box",      {.to = "fe80::1", UDP, .sport = 546, .port = 547, .type = 11, .payload = 40}, DHCP, DHCP},
	{"DHCPv6 as a relay",      {.to = "ff02::1:2", UDP, .sport = 546, .port = 547, .type = 12, .payload = 40}, ROGUE, ROGUE},
	{"DHCPv6 from elsewhere",  {.to = "ff02::1:2", .from = "2001:db8::9", UDP, .sport = 546, .port = 547, .type = 11, .payload = 40}, ADDRESS, ADDRESS},
	{"DHCPv6, empty",          {.to = "ff02::1:2", UDP, .sport = 546, .port = 547}, MALFORMED, MALFORMED},
	{"DHCPv6 to site servers", {.to = "ff05::1:3", UDP, .sport = 546, .port = 547, .payload = 40}, INSIDE, WHY},
	{"DHCPv6 elsewhere",       {.to = OUT6, UDP, .sport = 546, .port = 547, .payload = 40}, CHARGED, PROHIBITED},

	/* The box's services */
	{"DNS",                    {.to = BOX, UDP, .port = 53, .payload = 30}, DNS, DNS},
	{"DNS, TCP",               {.to = BOX, TCP, .port = 53}, DNS, DNS},
	{"DNS, IPv6",              {.to = BOX6, UDP, .port = 53, .payload = 30}, DNS, DNS},
	{"DNS, link-local",        {.to = "fe80::1", TCP, .port = 53}, DNS, DNS},
	{"DNS from elsewhere",     {.to = BOX, .from = "198.51.100.9", UDP, .port = 53, .payload = 30}, ADDRESS, ADDRESS},
	{"DNS from the office",    {.to = BOX, .from = "10.78.0.9", UDP, .port = 53, .payload = 30}, ADDRESS, ADDRESS},
	{"DNS from the box",       {.to = BOX, .from = BOX, UDP, .port = 53, .payload = 30}, ROGUE, ROGUE},
	{"ping from the box",      {.to = BOX6, .from = BOX6, ICMP6, .type = 128, .payload = 56}, ROGUE, ROGUE},
	{"NS from the box",        {.to = BOX6, .from = BOX6, ICMP6, .type = 135, .ttl = 255, .payload = 16}, ROGUE, ROGUE},
	{"DNS from a link-local",  {.to = "fe80::1", .from = "fe80::50", UDP, .port = 53, .payload = 30}, DNS, DNS},
	{"portal from elsewhere",  {.to = BOX6, .from = "2001:db8::9", TCP, .port = 80}, ADDRESS, ADDRESS},
	{"ping from elsewhere",    {.to = BOX, .from = "198.51.100.9", ICMP, .type = 8, .payload = 56}, ADDRESS, ADDRESS},
	{"DNS, padded",            {.to = BOX, UDP, .port = 53, .pad = 18}, DNS, DNS},
	{"DNS in a fragment",      {.to = BOX, UDP, .port = 53, .offset = 0x2000}, FRAGMENT, FRAGMENT},
	{"DNS, options",           {.to = BOX, UDP, .port = 53, .options = 4}, INSIDE, EXTENSION},
	{"DNS, hop-by-hop",        {.to = BOX6, UDP, .port = 53, EXT(0)}, INSIDE, EXTENSION},
	{"DNS, routing header",    {.to = BOX6, UDP, .port = 53, EXT(43)}, INSIDE, EXTENSION},
	{"DNS outside",            {.to = OUT, UDP, .port = 53, .payload = 30}, CHARGED, STEERED},
	{"DNS outside, IPv6",      {.to = OUT6, UDP, .port = 53, .payload = 30}, CHARGED, STEERED},
	{"DNS outside, its head",  {.to = OUT, UDP, .port = 53, .payload = 12}, CHARGED, STEERED},
	{"DNS outside, less",      {.to = OUT, UDP, .port = 53, .payload = 11, .pad = 18}, CHARGED, PROHIBITED},
	{"DNS to the office",      {.to = "10.78.0.1", UDP, .port = 53, .payload = 30}, INSIDE, STEERED},
	{"DNS to the office, IPv6", {.to = "fd78::1", UDP, .port = 53, .payload = 30}, INSIDE, STEERED},
	{"DNS to a link-local",    {.to = "fe80::77", UDP, .port = 53, .payload = 30}, INSIDE, PROHIBITED},
	{"DNS to a group",         {.to = "ff02::fb", UDP, .port = 53, .payload = 30}, INSIDE, WHY},
	{"DNS to all MACs",        {.to = OUT, UDP, .port = 53, .payload = 30, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"DNS outside, as others", {.to = OUT, .from = "198.51.100.9", UDP, .port = 53, .payload = 30}, CHARGED, ADDRESS},
	{"DNS outside, as the box", {.to = OUT6, .from = BOX6, UDP, .port = 53, .payload = 30}, CHARGED, ROGUE},
	{"DNS outside, options",   {.to = OUT, UDP, .port = 53, .payload = 30, .options = 4}, CHARGED, EXTENSION},
	{"DNS outside, extension", {.to = OUT6, UDP, .port = 53, .payload = 30, EXT(60)}, CHARGED, EXTENSION},
	{"DNS outside, tagged",    {.tags = 2, .to = OUT6, UDP, .port = 53, .payload = 30}, CHARGED, STEERED},
	{"DNS outside, TCP",       {.to = OUT, TCP, .port = 53}, CHARGED, RESET},
	{"DNS from port 53",       {.to = OUT, UDP, .sport = 53, .port = 4000}, CHARGED, PROHIBITED},
	{"DNS to a neighbour",     {.to = "10.77.0.9", UDP, .port = 53}, INSIDE, PROHIBITED},
	{"portal",                 {.to = BOX, TCP, .port = 80}, PORTAL, PORTAL},
	{"portal, data",           {.to = BOX, TCP, .port = 80, .tcp_flags = TH_ACK | TH_PUSH, .payload = 300}, PORTAL, PORTAL},
	{"portal, TLS",            {.to = BOX, TCP, .port = 443}, PORTAL, PORTAL},
	{"portal, IPv6",           {.to = BOX6, TCP, .port = 80}, PORTAL, PORTAL},
	{"portal, QUIC",           {.to = BOX, UDP, .port = 443, .payload = 1200}, PROHIBITED, PROHIBITED},
	{"portal, later fragment", {.to = BOX, TCP, .port = 80, .offset = 3, .payload = 64}, FRAGMENT, FRAGMENT},
	{"box, port 0",            {.to = BOX, TCP}, RESET, RESET},
	{"box, SSH",               {.to = BOX, TCP, .port = 22}, RESET, RESET},
	{"box, SSH, IPv6",         {.to = BOX6, TCP, .port = 22}, RESET, RESET},
	{"box, NTP",               {.to = BOX, UDP, .port = 123, .payload = 48}, INSIDE, PROHIBITED},
	{"box, ESP",               {.to = BOX, .proto = 50, .payload = 40}, INSIDE, PROHIBITED},
	{"ping the box",           {.to = BOX, ICMP, .type = 8, .payload = 56}, ECHO, ECHO},
	{"ping the box, IPv6",     {.to = BOX6, ICMP6, .type = 128, .payload = 56}, ECHO, ECHO},
	{"echo reply to the box",  {.to = BOX, ICMP, .type = 0, .payload = 56}, INSIDE, PROHIBITED},
	{"error to the box",       {.to = BOX, ICMP, .type = 3, .payload = 28}, INSIDE, GH_DROP_CAPTIVE},
	{"timestamp of the box",   {.to = BOX, ICMP, .type = 13, .payload = 12}, INSIDE, PROHIBITED},

	/* The internet */
	{"web",                    {.to = OUT, TCP, .port = 80}, CHARGED, SYN},
	{"web, IPv6",              {.to = OUT6, TCP, .port = 80}, CHARGED, SYN},
	{"web, TLS",               {.to = OUT, TCP, .port = 443}, CHARGED, RESET},
	{"web, TLS, IPv6",         {.to = OUT6, TCP, .port = 443}, CHARGED, RESET},
	{"web, port 8080",         {.to = OUT, TCP, .port = 8080}, CHARGED, RESET},
	{"web, DF",                {.to = OUT, TCP, .port = 80, .offset = 0x4000}, CHARGED, SYN},
	{"QUIC",                   {.to = OUT, UDP, .port = 443, .payload = 1200}, CHARGED, PROHIBITED},
	{"QUIC, IPv6",             {.to = OUT6, UDP, .port = 443, .payload = 1200}, CHARGED, PROHIBITED},
	{"ping",                   {.to = OUT, ICMP, .type = 8, .payload = 56}, CHARGED, PROHIBITED},
	{"ping, IPv6",             {.to = OUT6, ICMP6, .type = 128, .payload = 56}, CHARGED, PROHIBITED},
	{"ICMP error",             {.to = OUT, ICMP, .type = 11, .payload = 28}, CHARGED, GH_DROP_CAPTIVE},
	{"ICMPv6 error",           {.to = OUT6, ICMP6, .type = 1, .payload = 48}, CHARGED, GH_DROP_CAPTIVE},
	{"GRE",                    {.to = OUT, .proto = 47, .payload = 60}, CHARGED, PROHIBITED},
	{"IPv6 in IPv4",           {.to = OUT, .proto = 41, .payload = 60}, CHARGED, PROHIBITED},
	{"SCTP, IPv6",             {.to = OUT6, .proto = 132, .payload = 60}, CHARGED, PROHIBITED},
	{"no next header",         {.to = OUT6, .proto = 59, .payload = 8}, CHARGED, PROHIBITED},
	{"protocol 0, IPv4",       {.to = OUT, .proto = 0, .payload = 8}, CHARGED, PROHIBITED},
	{"ICMPv6 in IPv4",         {.to = OUT, ICMP6, .type = 135, .ttl = 255}, CHARGED, PROHIBITED},
	{"ICMP in IPv6",           {.to = OUT6, ICMP, .type = 8}, CHARGED, PROHIBITED},
	{"only IP",                {.to = OUT, .proto = 254}, CHARGED, PROHIBITED},

	/* The box's other places, and one that may be reached */
	{"neighbour",              {.to = "10.77.0.9", TCP, .port = 445}, INSIDE, RESET},
	{"neighbour, IPv6",        {.to = "fd77::9", TCP, .port = 445}, INSIDE, RESET},
	{"neighbour, link-local",  {.to = "fe80::9", UDP, .port = 445}, INSIDE, PROHIBITED},
	{"office",                 {.to = "10.78.0.1", TCP, .port = 22}, INSIDE, RESET},
	{"office, web",            {.to = "10.78.0.1", TCP, .port = 80}, INSIDE, SYN},
	{"printer, IPv6",          {.to = "fd78::80", TCP, .port = 80}, CHARGED, SYN},
	{"printer, another port",  {.to = "10.78.0.80", TCP, .port = 22}, INSIDE, RESET},
	{"printer, UDP",           {.to = "fd78::80", UDP, .port = 80}, INSIDE, PROHIBITED},
	{"printer, fragment",      {.to = "10.78.0.80", TCP, .port = 80, .offset = 9, .payload = 8}, INSIDE, FRAGMENT},

	/* The garden, which opens nothing inside */
	{"garden",                 {.to = GARDEN, TCP, .port = 443}, CHARGED, IN_GARDEN},
	{"garden, web",            {.to = GARDEN, TCP, .port = 80, .tcp_flags = TH_ACK}, CHARGED, IN_GARDEN},
	{"garden, IPv6",           {.to = GARDEN6, UDP, .port = 443, .payload = 99}, CHARGED, IN_GARDEN},
	{"garden, ping",           {.to = GARDEN, ICMP, .type = 8, .payload = 56}, CHARGED, IN_GARDEN},
	{"garden, tagged",         {.tags = 2, .to = GARDEN6, TCP, .port = 443}, CHARGED, IN_GARDEN},
	{"garden, next to it",     {.to = "198.51.100.127", TCP, .port = 443}, CHARGED, RESET},
	{"garden, next, IPv6",     {.to = "2001:db8:8::1", TCP, .port = 443}, CHARGED, RESET},
	{"garden, printer",        {.to = "10.78.0.80", TCP, .port = 80}, CHARGED, IN_GARDEN},
	{"garden, fragment",       {.to = GARDEN, UDP, .port = 9, .offset = 0x2000}, CHARGED, FRAGMENT},
	{"garden, options",        {.to = GARDEN, UDP, .port = 9, .options = 4}, CHARGED, EXTENSION},
	{"garden, hop-by-hop",     {.to = GARDEN6, UDP, .port = 9, EXT(0)}, CHARGED, EXTENSION},
	{"garden, too long",       {.to = GARDEN, UDP, .port = 9, .claim = 1}, MALFORMED, MALFORMED},
	{"garden, group MAC",      {.to = GARDEN, UDP, .port = 9, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"garden from elsewhere",  {.to = GARDEN, .from = "198.51.100.9", TCP, .port = 443}, CHARGED, ADDRESS},
	{"garden, inside",         {.to = "10.78.7.1", TCP, .port = 443}, INSIDE, RESET},
	{"garden, box",            {.to = "10.77.0.1", TCP, .port = 22}, RESET, RESET},
	{"garden, neighbour",      {.to = "10.77.0.9", TCP, .port = 443}, INSIDE, RESET},
	{"garden, printer, TLS",   {.to = "10.78.0.80", TCP, .port = 443}, INSIDE, RESET},

	/* Groups */
	{"mDNS",                   {.to = "224.0.0.251", UDP, .port = 5353, .dst_mac = "01:00:5e:00:00:fb"}, INSIDE, WHY},
	{"mDNS, IPv6",             {.to = "ff02::fb", UDP, .port = 5353, .dst_mac = "33:33:00:00:00:fb"}, INSIDE, WHY},
	{"multicast, own MAC",     {.to = "239.1.2.3", UDP, .port = 9}, INSIDE, WHY},
	{"multicast, TCP",         {.to = "ff0e::9", TCP, .port = 80}, INSIDE, WHY},
	{"broadcast",              {.to = ALL, UDP, .port = 137, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"unicast to all MACs",    {.to = OUT, TCP, .port = 80, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"ping to all MACs",       {.to = OUT, ICMP, .type = 8, .dst_mac = "01:80:c2:00:00:00"}, INSIDE, WHY},

	/* Fragments, options, extension headers */
	{"first fragment",         {.to = OUT, UDP, .port = 53, .offset = 0x2000, .payload = 64}, CHARGED, FRAGMENT},
	{"later fragment",         {.to = OUT, UDP, .offset = 0x2004, .payload = 64}, CHARGED, FRAGMENT},
	{"last fragment",          {.to = OUT, TCP, .offset = 0x1fff, .payload = 8}, CHARGED, FRAGMENT},
	{"first fragment, IPv6",   {.to = OUT6, TCP, .port = 80, EXT(44)}, CHARGED, FRAGMENT},
	{"fragment to box, IPv6",  {.to = BOX6, UDP, .port = 53, EXT(44)}, FRAGMENT, FRAGMENT},
	{"fragment behind others", {.to = OUT6, UDP, .port = 9, EXT(0, 43, 44)}, CHARGED, FRAGMENT},
	{"options",                {.to = OUT, TCP, .port = 80, .options = 4}, CHARGED, EXTENSION},
	{"all options",            {.to = OUT, UDP, .port = 9, .options = 40}, CHARGED, EXTENSION},
	{"options and fragment",   {.to = OUT, UDP, .options = 8, .offset = 7, .payload = 9}, CHARGED, FRAGMENT},
	{"hop-by-hop",             {.to = OUT6, TCP, .port = 80, EXT(0)}, CHARGED, EXTENSION},
	{"long hop-by-hop",        {.to = OUT6, TCP, .port = 80, EXT(0), .ext_words = 3}, CHARGED, EXTENSION},
	{"destination options",    {.to = OUT6, TCP, .port = 80, EXT(60)}, CHARGED, EXTENSION},
	{"routing header",         {.to = OUT6, UDP, .port = 9, EXT(43)}, CHARGED, EXTENSION},
	{"four extensions",        {.to = OUT6, TCP, .port = 80, EXT(0, 60, 43, 60)}, CHARGED, EXTENSION},
	{"five extensions",        {.to = OUT6, TCP, .port = 80, EXT(0, 60, 43, 60, 60)}, CHARGED, EXTENSION},
	{"authentication header",  {.to = OUT6, TCP, .port = 80, EXT(51)}, CHARGED, EXTENSION},
	{"mobility header",        {.to = OUT6, .proto = 135, .payload = 8}, CHARGED, EXTENSION},
	{"ESP, IPv6",              {.to = OUT6, .proto = 50, .payload = 40}, CHARGED, PROHIBITED},
	{"portal behind options",  {.to = BOX6, TCP, .port = 80, EXT(60)}, INSIDE, EXTENSION},

	/* Tags: two at most; a third is an ethertype of its own */
	{"tagged web",             {.tags = 1, .to = OUT, TCP, .port = 80}, CHARGED, SYN},
	{"tagged ARP",             {.tags = 1, .ethertype = 0x0806, .payload = 28}, ARP, ARP},
	{"tagged NS",              {.tags = 1, .to = BOX6, ICMP6, .type = 135, .ttl = 255}, ND, ND},
	{"tagged DNS, IPv6",       {.tags = 2, .to = BOX6, UDP, .port = 53}, DNS, DNS},
	{"twice tagged web",       {.tags = 2, .to = OUT, TCP, .port = 80}, CHARGED, SYN},
	{"twice tagged fragment",  {.tags = 2, .to = OUT6, UDP, EXT(44)}, CHARGED, FRAGMENT},
	{"twice tagged PPPoE",     {.tags = 2, .ethertype = 0x8864, .payload = 40}, ETHERTYPE, ETHERTYPE},
	{"thrice tagged web",      {.tags = 3, .to = OUT, TCP, .port = 80}, ETHERTYPE, ETHERTYPE},

	/* Not IP */
	{"LLC",                    {.ethertype = 0x0027, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"length 1500",            {.ethertype = 0x05dc, .payload = 1500}, ETHERTYPE, ETHERTYPE},
	{"RARP",                   {.ethertype = 0x8035, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"wake on LAN",            {.ethertype = 0x0842, .payload = 102}, ETHERTYPE, ETHERTYPE},
	{"MPLS",                   {.ethertype = 0x8847, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"PPPoE discovery",        {.ethertype = 0x8863, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"PPPoE session",          {.ethertype = 0x8864, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"EAPOL",                  {.ethertype = 0x888e, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"LLDP",                   {.ethertype = 0x88cc, .payload = 46, .dst_mac = "01:80:c2:00:00:0e"}, ETHERTYPE, ETHERTYPE},
	{"MACsec",                 {.ethertype = 0x88e5, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"batman",                 {.ethertype = 0x4305, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"old tag",                {.ethertype = 0x9100, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"type 0001",              {.ethertype = 0x0001, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"type ffff",              {.ethertype = 0xffff, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"IPv4 as PPPoE",          {.ethertype = 0x8864, .to = OUT, TCP, .port = 80}, ETHERTYPE, ETHERTYPE},

	/* Not what it claims */
	{"IPv6 as IPv4",           {.ethertype = 0x0800, .to = OUT6, TCP, .port = 80}, MALFORMED, MALFORMED},
	{"IPv4 as IPv6",           {.ethertype = 0x86dd, .to = OUT, TCP, .port = 80, .payload = 40}, MALFORMED, MALFORMED},
	{"IP version 5",           {.to = OUT, UDP, .port = 9, .version = 5}, MALFORMED, MALFORMED},
	{"IP version 15",          {.to = OUT6, UDP, .port = 9, .version = 15}, MALFORMED, MALFORMED},
	{"IPv4 header of 16",      {.to = OUT, UDP, .port = 9, .ihl = 4}, MALFORMED, MALFORMED},
	{"IPv4 header of 4",       {.to = BOX, UDP, .port = 53, .ihl = 1}, MALFORMED, MALFORMED},
	{"options beyond the end", {.to = OUT, .proto = 50, .ihl = 15, .payload = 36}, MALFORMED, MALFORMED},
	{"options, no room above", {.to = OUT, UDP, .ihl = 15, .payload = 30}, MALFORMED, MALFORMED},
	{"IPv4 length 0",          {.to = OUT, TCP, .port = 80, .zero_len = 1}, MALFORMED, MALFORMED},
	{"IPv4 length 19",         {.to = OUT, UDP, .port = 9, .claim = -9}, MALFORMED, MALFORMED},
	{"IPv4 length too short",  {.to = BOX, UDP, .port = 53, .claim = -1}, MALFORMED, MALFORMED},
	{"IPv4 length too long",   {.to = BOX, UDP, .port = 53, .claim = 1}, MALFORMED, MALFORMED},
	{"IPv4 length 65535",      {.to = OUT, .proto = 50, .claim = -21}, MALFORMED, MALFORMED},
	{"only an IPv6 header",    {.to = OUT6, .proto = 59}, MALFORMED, MALFORMED},
	{"IPv6 length 0",          {.to = OUT6, TCP, .port = 80, .zero_len = 1}, MALFORMED, MALFORMED},
	{"IPv6 length too short",  {.to = BOX6, UDP, .port = 53, .claim = -1}, MALFORMED, MALFORMED},
	{"IPv6 length too long",   {.to = OUT6, UDP, .port = 9, .claim = 1}, MALFORMED, MALFORMED},
	{"TCP header of 16",       {.to = BOX, TCP, .port = 80, .doff = 4}, MALFORMED, MALFORMED},
	{"TCP header too long",    {.to = BOX, TCP, .port = 80, .doff = 6}, MALFORMED, MALFORMED},
	{"TCP in the padding",     {.to = BOX, TCP, .port = 80, .claim = -20, .pad = 26}, MALFORMED, MALFORMED},
	{"extension beyond end",   {.to = OUT6, .proto = 59, EXT(60), .payload = 8, .claim = -12}, MALFORMED, MALFORMED},
	{"short UDP, padded",      {.to = OUT, UDP, .port = 9, .pad = 18}, CHARGED, PROHIBITED},
	{"short TCP, padded",      {.to = OUT, TCP, .port = 80, .pad = 6}, CHARGED, SYN},
	{"long trailer",           {.to = OUT, UDP, .port = 9, .pad = 700}, CHARGED, PROHIBITED},
	{"echo in the trailer",    {.to = BOX, .proto = 1, .type = 8, .pad = 300}, ECHO, ECHO},

	/* TCP segments of connections that the gate did not open */
	{"web, ACK alone",         {.to = OUT, TCP, .port = 80, .tcp_flags = TH_ACK}, CHARGED, STRAY},
	{"web, ACK alone, IPv6",   {.to = OUT6, TCP, .port = 80, .tcp_flags = TH_ACK}, CHARGED, STRAY},
	{"web, data",              {.to = OUT, TCP, .port = 80, .tcp_flags = TH_ACK | TH_PUSH, .payload = 60}, CHARGED, RESET},
	{"web, data, IPv6",        {.to = OUT6, TCP, .port = 80, .tcp_flags = TH_ACK | TH_PUSH, .payload = 60}, CHARGED, RESET},
	{"web, RST",               {.to = OUT, TCP, .port = 80, .tcp_flags = TH_RST}, CHARGED, STRAY},
	{"web, RST and ACK",       {.to = OUT, TCP, .port = 80, .tcp_flags = TH_RST | TH_ACK}, CHARGED, STRAY},
	{"TLS, ACK alone",         {.to = OUT, TCP, .port = 443, .tcp_flags = TH_ACK}, CHARGED, RESET},
	{"TLS, data",              {.to = OUT, TCP, .port = 443, .tcp_flags = TH_ACK | TH_PUSH, .payload = 60}, CHARGED, RESET},
	{"TLS, FIN",               {.to = OUT6, TCP, .port = 443, .tcp_flags = TH_ACK | TH_FIN}, CHARGED, RESET},
	{"TLS, RST",               {.to = OUT, TCP, .port = 443, .tcp_flags = TH_RST}, CHARGED, STRAY},
	{"TLS, SYN and data",      {.to = OUT, TCP, .port = 443, .payload = 20}, CHARGED, RESET},

	/* What else devices ask the internet for */
	{"SMTP",                   {.to = OUT, TCP, .port = 25}, CHARGED, RESET},
	{"DNS over TLS",           {.to = OUT, TCP, .port = 853}, CHARGED, RESET},
	{"IKE",                    {.to = OUT, UDP, .port = 500, .payload = 40}, CHARGED, PROHIBITED},
	{"WireGuard, IPv6",        {.to = OUT6, UDP, .port = 51820, .payload = 40}, CHARGED, PROHIBITED},
	{"NTP",                    {.to = OUT, UDP, .sport = 123, .port = 123, .payload = 48}, CHARGED, PROHIBITED},
	{"UDP without data",       {.to = OUT6, UDP, .port = 5060}, CHARGED, PROHIBITED},
	{"echo reply",             {.to = OUT, ICMP, .type = 0, .payload = 56}, CHARGED, PROHIBITED},
	{"echo reply, IPv6",       {.to = OUT6, ICMP6, .type = 129, .payload = 56}, CHARGED, PROHIBITED},
	{"unreachable",            {.to = OUT, ICMP, .type = 3, .payload = 28}, CHARGED, GH_DROP_CAPTIVE},
	{"packet too big",         {.to = OUT6, ICMP6, .type = 2, .payload = 48}, CHARGED, GH_DROP_CAPTIVE},
	{"redirect, outside",      {.to = OUT, ICMP, .type = 5, .payload = 28}, ROGUE, ROGUE},

	/* What the box serves, and what is near to it */
	{"portal, end",            {.to = BOX, TCP, .port = 80, .tcp_flags = TH_ACK | TH_FIN}, PORTAL, PORTAL},
	{"portal, RST",            {.to = BOX6, TCP, .port = 443, .tcp_flags = TH_RST}, PORTAL, PORTAL},
	{"portal, link-local",     {.to = "fe80::1", .from = "fe80::50", TCP, .port = 80}, PORTAL, PORTAL},
	{"portal, another port",   {.to = BOX, TCP, .port = 8080}, RESET, RESET},
	{"portal, hop-by-hop",     {.to = BOX6, TCP, .port = 80, EXT(0)}, INSIDE, EXTENSION},
	{"box, DNS over QUIC",     {.to = BOX6, UDP, .port = 853, .payload = 30}, PROHIBITED, PROHIBITED},
	{"box, DNS over TLS",      {.to = BOX, TCP, .port = 853}, RESET, RESET},
	{"box, mDNS",              {.to = BOX, UDP, .port = 5353, .payload = 30}, INSIDE, PROHIBITED},
	{"DNS, from port 53",      {.to = BOX, UDP, .sport = 53, .port = 53, .payload = 30}, DNS, DNS},
	{"DNS, DF",                {.to = BOX, UDP, .port = 53, .offset = 0x4000, .payload = 30}, DNS, DNS},
	{"DNS, later fragment",    {.to = BOX, UDP, .port = 53, .offset = 3, .payload = 16}, FRAGMENT, FRAGMENT},
	{"ping the box in parts",  {.to = BOX, ICMP, .type = 8, .offset = 0x2000, .payload = 64}, FRAGMENT, FRAGMENT},
	{"ping the box, options",  {.to = BOX, ICMP, .type = 8, .options = 8}, INSIDE, EXTENSION},
	{"ping the box, link-local", {.to = "fe80::1", .from = "fe80::50", ICMP6, .type = 128}, ECHO, ECHO},
	{"ping to all",            {.to = ALL, ICMP, .type = 8, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"ping to all, IPv6",      {.to = "ff02::1", ICMP6, .type = 128, .dst_mac = "33:33:00:00:00:01"}, INSIDE, WHY},
	{"error to the box, IPv6", {.to = BOX6, ICMP6, .type = 1, .payload = 48}, INSIDE, GH_DROP_CAPTIVE},
	{"node information",       {.to = BOX6, ICMP6, .type = 139, .payload = 16}, INSIDE, PROHIBITED},
	{"MLDv1 report, bare",     {.to = "ff02::fb", ICMP6, .type = 131, .ttl = 1, .payload = 16}, MLD, MLD},

	/* Groups of the link, and of routers */
	{"SSDP",                   {.to = "239.255.255.250", UDP, .port = 1900, .dst_mac = "01:00:5e:7f:ff:fa"}, INSIDE, WHY},
	{"IGMPv3 report",          {.to = "224.0.0.22", .proto = 2, .options = 4, .payload = 16, .ttl = 1}, INSIDE, EXTENSION},
	{"IGMP query, no option",  {.to = "224.0.0.1", .proto = 2, .payload = 8, .ttl = 1}, INSIDE, WHY},
	{"OSPF",                   {.to = "224.0.0.5", .proto = 89, .payload = 44, .ttl = 1}, INSIDE, WHY},
	{"VRRP, IPv6",             {.to = "ff02::12", .proto = 112, .payload = 24, .ttl = 255}, INSIDE, WHY},
	{"broadcast of the link",  {.to = "10.77.0.255", UDP, .port = 137, .dst_mac = GROUP_MAC}, INSIDE, WHY},
	{"group in a fragment",    {.to = "224.0.0.251", UDP, .offset = 0x2000, .payload = 64}, INSIDE, FRAGMENT},

	/* The box's other places, once more */
	{"printer, TLS",           {.to = "10.78.0.80", TCP, .port = 443}, INSIDE, RESET},
	{"printer, fragment, IPv6", {.to = "fd78::80", TCP, .port = 80, EXT(44)}, INSIDE, FRAGMENT},
	{"printer, options",       {.to = "10.78.0.80", TCP, .port = 80, .options = 4}, CHARGED, EXTENSION},
	{"printer, extension",     {.to = "fd78::80", TCP, .port = 80, EXT(60)}, CHARGED, EXTENSION},
	{"ping the office",        {.to = "10.78.0.1", ICMP, .type = 8}, INSIDE, PROHIBITED},
	{"office, IPv6",           {.to = "fd78::1", TCP, .port = 22}, INSIDE, RESET},
	{"office, GRE",            {.to = "10.78.0.1", .proto = 47, .payload = 24}, INSIDE, PROHIBITED},

	/* Tags, once more */
	{"tagged portal",          {.tags = 1, .to = BOX, TCP, .port = 443}, PORTAL, PORTAL},
	{"tagged web, IPv6",       {.tags = 1, .to = OUT6, TCP, .port = 80}, CHARGED, SYN},
	{"tagged options",         {.tags = 1, .to = OUT, UDP, .port = 9, .options = 8}, CHARGED, EXTENSION},
	{"tagged, broken",         {.tags = 1, .to = BOX, UDP, .port = 53, .claim = 1}, MALFORMED, MALFORMED},
	{"tagged LLC",             {.tags = 1, .ethertype = 0x0027, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"tag before an old tag",  {.tags = 1, .ethertype = 0x9100, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"thrice tagged ARP",      {.tags = 3, .ethertype = 0x0806, .payload = 28}, ETHERTYPE, ETHERTYPE},
	{"twice tagged, to group", {.tags = 2, .to = "ff02::fb", UDP, .port = 5353}, INSIDE, WHY},

	/* Who says that it sent this */
	{"from all",               {.src_mac = GROUP_MAC, .to = OUT, TCP, .port = 80}, SOURCE, SOURCE},
	{"from a group",           {.src_mac = "01:00:5e:00:00:01", .to = BOX, UDP, .port = 53}, SOURCE, SOURCE},
	{"from nobody",            {.src_mac = "00:00:00:00:00:00", .ethertype = 0x0806, .payload = 28}, SOURCE, SOURCE},
	{"from the box",           {.src_mac = FRAME_BOX, .to = "ff02::2", ICMP6, .type = 133, .ttl = 255}, SOURCE, SOURCE},
	{"from the box, LLC",      {.src_mac = FRAME_BOX, .ethertype = 0x0027, .payload = 46}, SOURCE, SOURCE},
	{"from a group, broken",   {.src_mac = "03:00:00:00:00:01", .to = OUT, TCP, .port = 80, .version = 7}, SOURCE, SOURCE},
};
_Static_assert(ARRAY_SIZE(rows) >= 200, "a table that covers what matters");

/* What goes to a client: its frame is turned round before it is sent. */
struct down_row {
	const char *name;
	struct gate_shape shape;
	struct frame_spec frame;
	enum gh_reason running;
	enum gh_reason refused;
};

#define MADE      GH_PASS_BOX_MADE
#define MULTICAST GH_PASS_MULTICAST
#define CAPTIVE_TOO GH_DROP_CAPTIVE /* whoever it is */
#define FORWARDED {.from = FROM_UPLINK}
#define FROMBOX   {.from = FROM_BOX}
#define ANSWER    {.from = FROM_HERE, .mark = GH_MARK_ANSWER}

static const struct down_row down_rows[] = {
	{"TCP",                    FORWARDED, {.to = OUT, TCP, .port = 443}, CHARGED, WHY},
	{"UDP, IPv6",              FORWARDED, {.to = OUT6, UDP, .port = 443}, CHARGED, WHY},
	{"ICMP error",             FORWARDED, {.to = OUT, ICMP, .type = 3, .payload = 28}, CHARGED, WHY},
	{"later fragment",         FORWARDED, {.to = OUT, UDP, .offset = 7, .payload = 8}, CHARGED, WHY},
	{"ESP, tagged",            FORWARDED, {.tags = 1, .to = OUT, .proto = 50, .payload = 64}, CHARGED, WHY},
	{"options, padded",        FORWARDED, {.to = OUT, UDP, .options = 8, .pad = 6}, CHARGED, WHY},
	{"RA from elsewhere",      FORWARDED, {.to = OUT6, ICMP6, .type = 134}, CHARGED, WHY},
	{"ARP from another port",  FORWARDED, {.ethertype = 0x0806, .payload = 28}, ETHERTYPE, ETHERTYPE},
	{"EAPOL from another port", FORWARDED, {.ethertype = 0x888e, .payload = 46}, ETHERTYPE, ETHERTYPE},
	{"length too long",        FORWARDED, {.to = OUT, UDP, .claim = 1}, MALFORMED, MALFORMED},
	{"IPv4 as IPv6",           FORWARDED, {.ethertype = 0x86dd, .to = OUT, UDP, .payload = 40}, MALFORMED, MALFORMED},
	{"marked, forwarded",      {.from = FROM_UPLINK, .mark = GH_MARK_ANSWER}, {.to = OUT, TCP, .port = 80}, CHARGED, WHY},
	{"hairpin without mark",   {.from = FROM_HERE}, {.to = OUT, TCP, .port = 80}, CHARGED, WHY},
	{"garden",                 FORWARDED, {.to = FRAME_HOST4, .from = GARDEN, TCP, .port = 4000}, CHARGED, IN_GARDEN},
	{"garden, IPv6",           FORWARDED, {.to = FRAME_HOST6, .from = GARDEN6, UDP, .payload = 99}, CHARGED, IN_GARDEN},
	{"garden, later fragment", FORWARDED, {.to = FRAME_HOST4, .from = GARDEN, UDP, .offset = 7, .payload = 8}, CHARGED, IN_GARDEN},
	{"garden, next to it",     FORWARDED, {.to = FRAME_HOST4, .from = OUT, UDP, .port = 443}, CHARGED, WHY},
	{"garden, inside",         FORWARDED, {.to = FRAME_HOST4, .from = "10.78.7.1", TCP, .port = 4000}, CHARGED, WHY},
	{"garden, group MAC",      FORWARDED, {.src_mac = GROUP_MAC, .to = FRAME_HOST4, .from = GARDEN, UDP, .port = 9}, CAPTIVE_TOO, CAPTIVE_TOO},
	{"answer of the gate",     ANSWER, {.to = OUT, TCP, .port = 80}, MADE, MADE},
	{"DNS answer",             FROMBOX, {.to = BOX, UDP, .sport = 53, .payload = 90}, MADE, MADE},
	{"page of the portal",     FROMBOX, {.to = BOX, TCP, .port = 40000, .payload = 900}, MADE, MADE},
	{"ARP reply",              FROMBOX, {.ethertype = 0x0806, .payload = 28}, MADE, MADE},
	{"EAPOL",                  FROMBOX, {.ethertype = 0x888e, .payload = 99}, MADE, MADE},
	{"NS",                     FROMBOX, {.to = BOX6, ICMP6, .type = 135, .ttl = 255}, MADE, MADE},
	{"fragment",               FROMBOX, {.to = FRAME_HOST4, .from = BOX, UDP, .offset = 0x2000, .payload = 64}, MADE, MADE},
	{"fragment made anew",     FROMBOX, {.to = FRAME_HOST6, .from = OUT6, UDP, EXT(60, 44), .payload = 64}, CHARGED, WHY},
	{"office's, made anew",    FROMBOX, {.to = FRAME_HOST6, .from = "fd78::9", UDP, EXT(44), .payload = 64}, CHARGED, WHY},
	{"from a proxy",           FROMBOX, {.to = FRAME_HOST4, .from = OUT, TCP, .port = 40000}, CHARGED, WHY},
	{"error of the box",       FROMBOX, {.to = FRAME_HOST4, .from = "10.78.0.1", ICMP, .type = 3, .payload = 28}, MADE, MADE},
	{"nothing known",          FROMBOX, {.to = BOX, UDP, .version = 9}, MADE, MADE},
	{"web, IPv6, twice tagged", FORWARDED, {.tags = 2, .to = OUT6, TCP, .port = 80}, CHARGED, WHY},
	{"GRE",                    FORWARDED, {.to = OUT, .proto = 47, .payload = 40}, CHARGED, WHY},
	{"first fragment",         FORWARDED, {.to = OUT, UDP, .port = 9, .offset = 0x2000, .payload = 64}, CHARGED, WHY},
	{"fragment, IPv6",         FORWARDED, {.to = OUT6, UDP, EXT(44), .payload = 64}, CHARGED, WHY},
	{"extensions",             FORWARDED, {.to = OUT6, TCP, .port = 9, EXT(60, 43)}, CHARGED, WHY},
	{"ping",                   FORWARDED, {.to = OUT, ICMP, .type = 8, .payload = 56}, CHARGED, WHY},
	{"UDP, padded",            FORWARDED, {.to = OUT, UDP, .pad = 18}, CHARGED, WHY},
	{"MPLS",                   FORWARDED, {.ethertype = 0x8847, .payload = 60}, ETHERTYPE, ETHERTYPE},
	{"thrice tagged",          FORWARDED, {.tags = 3, .to = OUT, UDP, .port = 9}, ETHERTYPE, ETHERTYPE},
	{"IPv6 length 0",          FORWARDED, {.to = OUT6, TCP, .port = 80, .zero_len = 1}, MALFORMED, MALFORMED},
	{"TCP header of 16",       FORWARDED, {.to = OUT, TCP, .port = 80, .doff = 4}, MALFORMED, MALFORMED},
	{"ping answered",          FROMBOX, {.to = FRAME_HOST4, .from = BOX, ICMP, .payload = 56}, MADE, MADE},
	{"error of the box, IPv6", FROMBOX, {.to = FRAME_HOST6, .from = BOX6, ICMP6, .type = 1, .payload = 48}, MADE, MADE},
	{"DHCP offer",             FROMBOX, {.to = FRAME_HOST4, .from = BOX, UDP, .sport = 67, .port = 68, .payload = 240}, MADE, MADE},
	{"DHCP offer to all",      FROMBOX, {.src_mac = GROUP_MAC, .to = ALL, .from = BOX, UDP, .sport = 67, .port = 68, .payload = 240}, MULTICAST, MULTICAST},
	{"RA to one",              FROMBOX, {.to = FRAME_HOST6, .from = "fe80::1", ICMP6, .type = 134, .ttl = 255}, MADE, MADE},
	{"LLDP of another port",   FORWARDED, {.src_mac = "01:80:c2:00:00:0e", .ethertype = 0x88cc, .payload = 46}, MULTICAST, MULTICAST},
	{"to a group",             FORWARDED, {.src_mac = "01:00:5e:00:00:fb", .to = "224.0.0.251", UDP}, MULTICAST, MULTICAST},
	{"RA to all",              FROMBOX, {.src_mac = "33:33:00:00:00:01", .to = "ff02::1", ICMP6, .type = 134}, MULTICAST, MULTICAST},
	{"one host, group MAC",    FORWARDED, {.src_mac = "33:33:aa:bb:cc:dd", .to = FRAME_HOST4, .from = OUT, UDP, .port = 9}, CAPTIVE_TOO, CAPTIVE_TOO},
	{"the same, IPv6",         FORWARDED, {.src_mac = GROUP_MAC, .to = FRAME_HOST6, .from = OUT6, TCP, .port = 9}, CAPTIVE_TOO, CAPTIVE_TOO},
	{"the same, broken",       FORWARDED, {.src_mac = GROUP_MAC, .to = "224.0.0.1", UDP, .claim = 1}, MALFORMED, MALFORMED},
	{"ARP to all",             FORWARDED, {.src_mac = GROUP_MAC, .ethertype = 0x0806, .payload = 28}, MULTICAST, MULTICAST},
};
/* clang-format on */

static const struct {
	const char *name;
	enum datapath_program program;
	bool is_check; /* counts no pass, answers nothing */
} hooks[] = {
	{"xdp", PROGRAM_UPLOAD_XDP, false},
	{"tc", PROGRAM_UPLOAD_TC, false},
	{"check", PROGRAM_CHECK_UP, true},
};

static int open_gate(void **state)
{
	gate_open(&gate);
	gate_set_garden(&gate, 0, 0);
	return 0;
}

static bool is_pass(enum gh_reason reason)
{
	return reason > GH_NO_REASON && reason < GH_ANSWERS;
}

static bool is_answer(enum gh_reason reason)
{
	return reason >= GH_ANSWERS && reason < GH_DROPS;
}

static enum gh_reason expected(const struct row *row, enum standing standing)
{
	if (row->running == GH_DROP_SOURCE || standing == BLOCKED)
		return row->running == GH_DROP_SOURCE ? GH_DROP_SOURCE
						      : GH_DROP_BLOCKED;
	/* Not even asked: an answer, or that there is none. */
	if (standing == CLOSED && (is_answer(row->refused) ||
					  row->refused == GH_DROP_CAPTIVE ||
					  row->refused == GH_DROP_TCP_STRAY))
		return GH_DROP_CLOSED;
	if (standing_refusal(standing))
		return row->refused == WHY ? standing_refusal(standing)
					   : row->refused;
	if (standing == EXEMPT && row->running == GH_PASS_CHARGED)
		return GH_PASS_EXEMPT;
	return row->running;
}

/* The row's frame, sent by the client of this standing. */
static void build(struct frame *f, const struct row *row, enum standing standing)
{
	uint8_t mac[6];

	frame_build(f, &row->frame);
	gate_mac(&gate, standing, mac);
	if (!row->frame.src_mac)
		frame_set_source(f, mac);
}

static void compare(const char *name, size_t len, size_t hook,
	enum standing standing, const struct gate_result *got,
	enum gh_reason want)
{
	/* It steers nothing, so the port that should have done it has no gate. */
	if (hooks[hook].is_check && want == GH_PASS_STEERED)
		want = standing_refusal(standing);
	if (hooks[hook].is_check && is_pass(want) && !got->reason &&
		got->passed)
		return;
	/* The check answers nothing, and asks nobody whether to. */
	if (hooks[hook].is_check &&
		(is_answer(want) || (want == GH_DROP_TCP_STRAY &&
					    got->reason == GH_DROP_CAPTIVE)))
		want = GH_DROP_CAPTIVE;
	if (got->reason == want && got->packets == 1 &&
		got->passed == is_pass(want) &&
		got->dropped == (!is_pass(want) && !is_answer(want)))
		return;
	fail_msg("%s, %zu bytes, %s at %s: %s (code %d), not %s", name, len,
		standing_name(standing), hooks[hook].name,
		reason_name(got->reason), got->code, reason_name(want));
}

static void run_row(const struct row *row, enum standing standing)
{
	struct frame f;

	for (size_t h = 0; h < ARRAY_SIZE(hooks); h++) {
		struct gate_result got;

		build(&f, row, standing);
		got = gate_run(&gate, hooks[h].program, f.bytes, f.len, NULL);
		assert_int_equal(got.error, 0);
		compare(row->name, f.len, h, standing, &got,
			expected(row, standing));
		if (is_pass(got.reason) && f.ip_len)
			assert_int_equal(got.bytes, f.ip_len + row->frame.claim);
	}
}

static void test_each_row_in_each_standing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (enum standing s = 0; s < STANDINGS; s++)
			run_row(&rows[i], s);
}

/*
 * What a frame may get that was cut: the verdict of the whole one, when what
 * is gone was padding or is nothing that the gate reads; else it is malformed.
 */
static void run_cut(const struct row *row, const struct frame *f, size_t len,
	size_t hook, enum standing standing)
{
	struct gate_result got =
		gate_run(&gate, hooks[hook].program, f->bytes, len, NULL);
	enum gh_reason whole = expected(row, standing);
	size_t end = f->l3 + f->ip_len + row->frame.claim;

	if (row->frame.ethertype == 0x0806 && !row->frame.to)
		end = f->l3 + 28;
	/* Some kernels make no skb of a header alone, or of half an IP header. */
	if (got.error == -EINVAL && len < f->l3 + 40 &&
		hooks[hook].program != PROGRAM_UPLOAD_XDP)
		return;
	if (got.error)
		fail_msg("%s, %zu bytes: test run: %d", row->name, len, got.error);
	if (whole != GH_DROP_SOURCE && whole != GH_DROP_ETHERTYPE &&
		(len < f->l3 || len < end))
		whole = GH_DROP_MALFORMED;
	/* A tag that is cut, whatever is behind it. */
	if (whole == GH_DROP_ETHERTYPE && len < f->l3 &&
		got.reason == GH_DROP_MALFORMED)
		return;
	compare(row->name, len, hook, standing, &got, whole);
}

static void test_each_row_cut_at_each_byte(void **state)
{
	static const enum standing who[] = {RUNNING, CAPTIVE, OVER_QUOTA};
	struct frame f;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t w = 0; w < ARRAY_SIZE(who); w++)
			for (size_t h = 0; h < ARRAY_SIZE(hooks); h++) {
				build(&f, &rows[i], who[w]);
				for (size_t len = 14; len < f.len; len++)
					run_cut(&rows[i], &f, len, h, who[w]);
			}
}

static enum gh_reason down_expected(
	const struct down_row *row, enum standing standing)
{
	enum gh_reason why = standing_refusal(standing);

	/* To a group, so to nobody's record. */
	if (row->frame.src_mac)
		return row->running;
	if (standing == BLOCKED)
		return GH_DROP_BLOCKED;
	if (why)
		return row->refused == WHY ? why : row->refused;
	return standing == EXEMPT && row->running == GH_PASS_CHARGED
		       ? GH_PASS_EXEMPT
		       : row->running;
}

static void turn_round(struct frame *f)
{
	uint8_t mac[6];

	memcpy(mac, f->bytes, 6);
	memcpy(f->bytes, f->bytes + 6, 6);
	memcpy(f->bytes + 6, mac, 6);
}

static void run_down(const struct down_row *row, enum standing standing,
	const struct frame *f, size_t len, enum gh_reason want)
{
	static const enum datapath_program programs[] = {
		PROGRAM_DOWNLOAD_TC, PROGRAM_CHECK_DOWN};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		bool is_check = programs[i] == PROGRAM_CHECK_DOWN;
		struct gate_result got = gate_run(
			&gate, programs[i], f->bytes, len, &row->shape);

		if (got.error == -EINVAL && len < f->l3 + 40)
			continue;
		if (got.error || got.passed != is_pass(want) ||
			got.reason != (is_check && is_pass(want) ? 0 : want))
			fail_msg("%s, %zu bytes, to %s: %s (code %d), not %s",
				row->name, len, standing_name(standing),
				reason_name(got.reason), got.code,
				reason_name(want));
	}
}

static void test_each_row_to_each_standing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(down_rows); i++)
		for (enum standing s = 0; s < STANDINGS; s++) {
			const struct down_row *row = &down_rows[i];
			struct frame f;

			frame_build(&f, &row->frame);
			if (!row->frame.src_mac)
				gate_mac(&gate, s, f.bytes + 6);
			turn_round(&f);
			run_down(row, s, &f, f.len, down_expected(row, s));
		}
}

static void test_forwarded_frames_cut_at_each_byte(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(down_rows); i++) {
		const struct down_row *row = &down_rows[i];
		struct frame f;

		if (row->running != GH_PASS_CHARGED ||
			row->shape.from == FROM_BOX)
			continue;
		frame_build(&f, &row->frame);
		gate_mac(&gate, RUNNING, f.bytes + 6);
		turn_round(&f);
		for (size_t len = 14; len < f.l3 + f.ip_len; len++)
			run_down(row, RUNNING, &f, len, GH_DROP_MALFORMED);
	}
}

/* Whatever it is, on an interface or a network that is not ours. */
static void expect_closed(void)
{
	static const enum datapath_program programs[] = {PROGRAM_UPLOAD_XDP,
		PROGRAM_UPLOAD_TC, PROGRAM_CHECK_UP, PROGRAM_DOWNLOAD_TC,
		PROGRAM_CHECK_DOWN};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
			struct gate_result got;
			struct frame f;

			build(&f, &rows[r], RUNNING);
			got = gate_run(&gate, programs[i], f.bytes, f.len, NULL);
			assert_true(got.dropped);
			assert_int_equal(got.reason, GH_DROP_NETWORK);
		}
}

static void test_other_interfaces_and_networks_are_closed(void **state)
{
	struct gh_interface ours = {
		.network = GATE_NETWORK, .mac = {2, 0, 0, 0, 0, 0xfe}};
	struct gh_interface none = {0}, beyond = {.network = GH_NETWORKS_MAX};

	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &none), 0);
	expect_closed();
	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &beyond), 0);
	expect_closed();
	assert_int_equal(
		datapath_interface_set(gate.dp, GATE_LOOPBACK, &ours), 0);
	gate.network.flags = 0;
	gate_set_network(&gate);
	expect_closed();
	gate.network.flags = GH_NETWORK_ACTIVE;
	gate_set_network(&gate);
	run_row(&rows[0], RUNNING);
}

/* Limits of guests are in kbit/s; what a burst may be is a matter of seconds. */
#define CAPTIVE_KBPS 8
#define NETWORK_KBPS 256
#define BOX_KBPS     64

static void set_limits(uint32_t captive, uint32_t network, uint32_t box)
{
	gate.network.captive_price = datapath_price(captive);
	gate.network.network_price = datapath_price(network);
	gate.network.box_price = datapath_price(box);
	gate_set_network(&gate);
}

static struct gate_result send_from(
	const uint8_t mac[static 6], const struct frame_spec *spec)
{
	struct gate_result got;
	struct frame f;

	frame_build(&f, spec);
	frame_set_source(&f, mac);
	got = gate_run(&gate, PROGRAM_UPLOAD_TC, f.bytes, f.len, NULL);
	assert_int_equal(got.error, 0);
	return got;
}

/* How many of `n` frames get `reason`; the others get `otherwise`. */
static int count_from(const uint8_t mac[static 6], const struct frame_spec *spec,
	int n, enum gh_reason reason, enum gh_reason otherwise)
{
	int hits = 0;

	while (n--) {
		enum gh_reason got = send_from(mac, spec).reason;

		if (got != reason && got != otherwise)
			fail_msg("%s", reason_name(got));
		hits += got == reason;
	}
	return hits;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* At least `least`, and no more than was there at once and came since: the
 * slower the machine, the more. */
static void assert_had(int n, int least, int at_once, int each_second, double since)
{
	assert_in_range(n, least, at_once * 1.1 + each_second * (now() - since) + 1);
}

/* 100 IP bytes each. */
static const struct frame_spec dns = {.to = BOX, UDP, .port = 53, .payload = 72};
static const struct frame_spec ping = {.to = BOX, ICMP, .type = 8, .payload = 72};
static const struct frame_spec quic = {.to = OUT, UDP, .port = 443, .payload = 72};
static const struct frame_spec arp = {.ethertype = 0x0806, .payload = 28};

static void test_a_captive_client_has_a_little_of_each_service(void **state)
{
	double since = now();
	uint8_t mac[6];
	int n;

	set_limits(CAPTIVE_KBPS, NETWORK_KBPS, BOX_KBPS);
	gate_mac(&gate, STRANGER, mac);
	/* 4 s at 1000 bytes/s at once. */
	n = count_from(mac, &dns, 200, GH_PASS_DNS, GH_DROP_BOX_LIMIT);
	assert_had(n, 40, 40, 10, since);
	n = count_from(mac, &ping, 200, GH_PASS_ECHO, GH_DROP_BOX_LIMIT);
	assert_had(n, 40, 40, 10, since);
	/* An answer costs 64 bytes, whatever it answers. */
	n = count_from(mac, &quic, 200, GH_ANSWER_PROHIBITED, GH_DROP_CAPTIVE);
	assert_had(n, 62, 63, 16, since);
	set_limits(0, 0, 0);
}

static void test_all_captive_clients_share_a_limit(void **state)
{
	double since = now();
	uint8_t mac[6];
	int n = 0;

	set_limits(CAPTIVE_KBPS, NETWORK_KBPS, BOX_KBPS);
	/* 1 s at 32,000 bytes/s: 320 questions of 100 bytes, whoever asks ... */
	for (int i = 0; i < 40; i++) {
		gate_mac(&gate, STRANGER, mac);
		n += count_from(mac, &dns, 15, GH_PASS_DNS, GH_DROP_BOX_LIMIT);
	}
	assert_had(n, 300, 320, 320, since);
	/* ... and 64 clients that are new. */
	n = 0;
	for (int i = 0; i < 600; i++) {
		gate_mac(&gate, STRANGER, mac);
		n += send_from(mac, &ping).reason == GH_PASS_ECHO;
	}
	assert_had(n, 20, 63, 63, since);
	gate_mac(&gate, RUNNING, mac);
	assert_int_equal(send_from(mac, &dns).reason, GH_PASS_DNS);
	set_limits(0, 0, 0);
}

static void test_a_running_client_keeps_its_neighbours(void **state)
{
	double since = now();
	uint8_t mac[6];
	int n;

	set_limits(CAPTIVE_KBPS, NETWORK_KBPS, BOX_KBPS);
	gate_mac(&gate, RUNNING, mac);
	/* 1 s at 8,000 bytes/s. */
	n = count_from(mac, &dns, 300, GH_PASS_DNS, GH_DROP_BOX_LIMIT);
	assert_had(n, 80, 80, 80, since);
	assert_int_equal(send_from(mac, &arp).reason, GH_PASS_ARP);
	assert_int_equal(send_from(mac, &quic).reason, GH_PASS_CHARGED);
	set_limits(0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_row_in_each_standing),
		cmocka_unit_test(test_each_row_cut_at_each_byte),
		cmocka_unit_test(test_each_row_to_each_standing),
		cmocka_unit_test(test_forwarded_frames_cut_at_each_byte),
		cmocka_unit_test(test_other_interfaces_and_networks_are_closed),
		cmocka_unit_test(
			test_a_captive_client_has_a_little_of_each_service),
		cmocka_unit_test(test_all_captive_clients_share_a_limit),
		cmocka_unit_test(test_a_running_client_keeps_its_neighbours),
	};

	return cmocka_run_group_tests(tests, open_gate, gate_teardown);
}
