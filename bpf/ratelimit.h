/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rates by virtual scheduling (GCRA, ITU-T I.371 annex A): one u64 is the
 * theoretical arrival time of the next byte, in 1/16 ns of the monotonic
 * clock. A packet is admitted when that time is not further ahead than the
 * tolerance, whatever its size, and moves it on by bytes * price. Nothing
 * needs refilling, so months of silence cost nothing and cannot overflow:
 * the largest product is 512 KiB at 1 kbit/s, 2^57.
 *
 * No lock: compare-and-swap, 8 tries. Who loses all of them meets a meter that
 * eight others just moved; it is refused.
 */
#ifndef GH_RATELIMIT_H
#define GH_RATELIMIT_H

#define GH_NS 16ULL /* units of a meter per nanosecond */

/*
 * Prices are ns << 15 per byte: 64 kbit/s is the slowest that 32 bits hold,
 * and at 10 Gbit/s a price is still exact to 1/26,000.
 */
#define GH_PRICE_SHIFT 15

/* A meter further ahead than this was set under another rate. */
#define GH_METER_STALE_NS 600000000000ULL

/*
 * How far a client's rate may be overdrawn. One TCP flow needs a window of
 * it: of 10, 50 and 100 ms it made 6, 28 and 53 % of its rate, of 250 ms 97.
 * And with a full packet and two ticks of the clock it is less than 3 % of 10 s
 * at 250 kbit/s.
 */
#define GH_RATE_TOLERANCE_NS 240000000ULL

/* What `bytes` move a meter by. */
static __always_inline __u64 gh_meter_cost(__u64 price, __u32 bytes)
{
	return bytes * price / ((1 << GH_PRICE_SHIFT) / GH_NS);
}

/*
 * Books a packet of `bytes` at `price` (not 0). Returns when it is due, in ns:
 * `now_ns` or, where others are before it, later; 0 when that is further ahead
 * than the tolerance, and nothing was booked. A function of its own, for the
 * verifier and to keep its loop out of paths without a rate.
 */
__weak __noinline __u64 gh_meter_book(__u64 *meter, __u64 price, __u32 bytes,
	__u64 now_ns, __u64 tolerance_ns)
{
	__u64 now = now_ns * GH_NS;
	__u64 cost = gh_meter_cost(price, bytes);

	if (!meter)
		return 0;
	for (int i = 0; i < 8; i++) {
		__u64 tat = *(volatile __u64 *)meter;
		__u64 base = tat;

		if (base < now || base > now + GH_METER_STALE_NS * GH_NS)
			base = now;
		if (base > now + tolerance_ns * GH_NS)
			return 0;
		if (__sync_val_compare_and_swap(meter, tat, base + cost) == tat)
			return base / GH_NS;
	}
	return 0;
}

/* `price` 0: unmetered. True: admitted and counted. */
static __always_inline bool gh_meter_admit(__u64 *meter, __u64 price,
	__u32 bytes, __u64 now_ns, __u64 tolerance_ns)
{
	return !price ||
	       gh_meter_book(meter, price, bytes, now_ns, tolerance_ns);
}

#endif
