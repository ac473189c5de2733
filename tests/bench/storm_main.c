/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm send INTERFACE GATEWAY_MAC FIRST_ADDR DST_ADDR FIRST GUESTS SECONDS [RATE]
 *     sends 64-byte UDP frames of guests FIRST .. FIRST+GUESTS-1 at random, RATE
 *     a second or as fast as one CPU can, and prints how many
 * storm sink INTERFACE
 *     drops all that arrives there, in the driver, until its input ends
 * storm pass INTERFACE
 *     an XDP program there that only passes, until its input ends
 *
 * All run inside the network namespace of the interface. Frames go through
 * the kernel's test run with live frames: no socket, no qdisc, 3 Mpps here.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "storm.skel.h"

#define BATCH 64
#define ONE_RUN 20000
#define PAYLOAD 22 /* of a 64-byte frame */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int ifindex_of(const char *name)
{
	int index = if_nametoindex(name);

	if (!index)
		die("no interface %s here", name);
	return index;
}

/* What storm_xdp cannot leave to the frame: the sum that guests change. */
static uint32_t header_sum(const uint8_t *frame)
{
	uint8_t ip[20];

	memcpy(ip, frame + 14, sizeof(ip));
	memset(ip + 10, 0, 6); /* checksum and source */
	return checksum_add(0, ip, sizeof(ip));
}

/* `rate` 0: no limit. Who limits it sends BATCH frames at a time. */
static long storm(
	int prog, uint8_t *frame, size_t len, double seconds, double rate)
{
	double start = now(), end = start + seconds;
	int one_run = rate ? BATCH : ONE_RUN, err;
	long sent = 0;

	do {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame,
			.data_size_in = len, .repeat = one_run,
			.batch_size = BATCH,
			.flags = BPF_F_TEST_XDP_LIVE_FRAMES);

		while (rate && now() < start + sent / rate)
			;
		err = bpf_prog_test_run_opts(prog, &run);
		if (err)
			die("live frames: %s", strerror(-err));
		sent += one_run;
	} while (now() < end);
	return sent;
}

static int cmd_send(struct storm *skel, char **argv)
{
	struct ends ends = {.src_port = 40000, .dst_port = 9};
	char payload[PAYLOAD] = "";
	uint8_t frame[FRAME_MAX];
	size_t len;

	mac_of(argv[1], ends.dst_mac);
	if (!inet_pton(AF_INET, argv[2], &ends.src) ||
		!inet_pton(AF_INET, argv[3], &ends.dst))
		die("bad address");
	len = frame_udp(frame, &ends, payload, sizeof(payload));
	frame[40] = frame[41] = 0; /* guests differ: no UDP checksum */
	if (len != sizeof(skel->bss->frame))
		die("frame of %zu bytes", len);
	memcpy(skel->bss->frame, frame, len);
	skel->bss->out_ifindex = ifindex_of(argv[0]);
	skel->bss->first_addr = ntohl(ends.src);
	skel->bss->header_sum = header_sum(frame);
	skel->bss->first = strtoul(argv[4], NULL, 10);
	skel->data->guests = strtoul(argv[5], NULL, 10);
	printf("%ld\n", storm(bpf_program__fd(skel->progs.storm_xdp), frame,
		len, strtod(argv[6], NULL), argv[7] ? strtod(argv[7], NULL) : 0));
	return 0;
}

static int cmd_stay(struct bpf_program *prog, const char *interface)
{
	struct bpf_link *link;
	char byte;

	link = bpf_program__attach_xdp(prog, ifindex_of(interface));
	if (!link)
		die("XDP on %s: %s", interface, strerror(errno));
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	bpf_link__destroy(link);
	return 0;
}

int main(int argc, char **argv)
{
	struct storm *skel = storm__open_and_load();
	int ret = 2;

	if (!skel)
		die("cannot load the generator: %s", strerror(errno));
	if ((argc == 9 || argc == 10) && !strcmp(argv[1], "send"))
		ret = cmd_send(skel, argv + 2);
	else if (argc == 3 && !strcmp(argv[1], "sink"))
		ret = cmd_stay(skel->progs.sink_xdp, argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "pass"))
		ret = cmd_stay(skel->progs.pass_xdp, argv[2]);
	else
		fprintf(stderr, "usage: storm send INTERFACE GATEWAY_MAC "
			"FIRST_ADDR DST_ADDR FIRST GUESTS SECONDS [RATE] | "
			"storm sink|pass INTERFACE\n");
	storm__destroy(skel);
	return ret;
}
