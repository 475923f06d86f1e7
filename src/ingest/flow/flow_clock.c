// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether the clock of a capture stood still. A virtual machine that is paused stamps the packets
 * before and after as if no time had passed; the server's TCP timestamps (RFC 7323 section 5.4:
 * proportional to real time) went on meanwhile. What counts is how far they are ahead: a segment
 * that was held up on its way lets them fall back, and never brings them further ahead than they
 * were.
 */
#include "ingest/flow/flow_table.h"

/* The rate of the timestamps is read off so much of the connection, and must be one of these. */
#define CLOCK_RATE_NS (2 * STAMP_NS_PER_S)
static const int64_t clock_ticks_ns[] = {
	1000000,   /* Linux, most others */
	4000000,   /* Linux before 4.13, by its HZ */
	10000000,  /* likewise, and Solaris */
	3333333,   /* likewise */
	500000000, /* old BSDs */
	100000000, /* old Windows */
	1000,      /* Linux since 6.7, for routes that ask for it */
};
enum { CLOCK_RATE_ERROR = 33 }; /* one part in so many */

/* Less is jitter. */
#define CLOCK_LEAP_NS (3 * STAMP_NS_PER_S)

/* The first seconds after that. */
#define CLOCK_WAKING_NS (5 * STAMP_NS_PER_S)

/* More is no pause: timestamps of 32 bits tell no more than 25 days. */
#define CLOCK_LEAP_MAX_NS (INT64_C(25) * 86400 * STAMP_NS_PER_S)

/* Nominal rates are kept to about 1/10000, so what is long ago does not count. */
#define CLOCK_WINDOW_NS (60 * STAMP_NS_PER_S)

/* So many ticks of the slowest kind are still nanoseconds in 63 bits. */
#define CLOCK_TICKS_MAX (INT64_C(1) << 33)

/* Stamps are what a file says: their difference may wrap. */
static int64_t clock_since(int64_t at_ns, int64_t since_ns)
{
	return (int64_t)((uint64_t)at_ns - (uint64_t)since_ns);
}

static void clock_restart(struct flow_clock *c, int64_t at_ns)
{
	c->ticks = c->ahead_ns = c->before_ns = 0;
	c->first_ns = c->window_ns = at_ns;
}

/* Segments that waited for the machine all come at once, each with a later timestamp. */
static bool clock_woke_just_now(const struct flow_clock *c, int64_t at_ns)
{
	return c->woke && clock_since(at_ns, c->woke_ns) < CLOCK_WAKING_NS;
}

/* The rate, once enough was seen; one that is none of them is looked for anew. */
static void clock_learn_rate(struct flow *flow, struct flow_clock *c, int64_t at_ns)
{
	int64_t span_ns = clock_since(at_ns, c->first_ns);
	int64_t error_ns = span_ns / CLOCK_RATE_ERROR;

	if (span_ns < CLOCK_RATE_NS)
		return;
	for (size_t i = 0; i < sizeof(clock_ticks_ns) / sizeof(*clock_ticks_ns); i++) {
		int64_t ticks_max = (span_ns + error_ns) / clock_ticks_ns[i];

		if (c->ticks <= ticks_max && c->ticks * clock_ticks_ns[i] > span_ns - error_ns)
			c->tick_ns = clock_ticks_ns[i];
	}
	if (c->tick_ns)
		flow->conn.clock_lost_ns = 0;
	clock_restart(c, at_ns);
}

void flow_clock_take(struct flow *flow, struct stamp at, const struct packet *packet)
{
	struct flow_clock *c = &flow->clock;
	int32_t step = (int32_t)(packet->tcp.tsval - c->tsval);
	int64_t ahead_ns, leap_ns, back_ns;

	if (!c->used) {
		c->used = true;
		c->tsval = packet->tcp.tsval;
		c->last_ns = at.ns;
		clock_restart(c, at.ns);
		return;
	}
	if (step < 0)
		return; /* sent before the latest */
	back_ns = clock_since(c->last_ns, at.ns);
	c->last_ns = at.ns;
	c->tsval = packet->tcp.tsval;
	c->ticks += step;
	/* A clock that goes back was set: the machine did not stand still. */
	if (c->ticks > CLOCK_TICKS_MAX || back_ns > CLOCK_LEAP_NS) {
		clock_restart(c, at.ns);
		return;
	}
	if (!c->tick_ns) {
		clock_learn_rate(flow, c, at.ns);
		return;
	}
	ahead_ns = clock_since(c->ticks * c->tick_ns, clock_since(at.ns, c->first_ns));
	leap_ns = clock_since(ahead_ns, c->ahead_ns > c->before_ns ? c->ahead_ns : c->before_ns);
	flow->conn.clock_ahead_ns =
		leap_ns < -CLOCK_LEAP_NS && leap_ns > -CLOCK_LEAP_MAX_NS ? -leap_ns : 0;
	if (leap_ns > CLOCK_LEAP_NS || (leap_ns > 0 && clock_woke_just_now(c, at.ns))) {
		c->woke = true;
		c->woke_ns = at.ns;
		if (leap_ns < CLOCK_LEAP_MAX_NS && flow->conn.clock_lost_ns < CLOCK_LEAP_MAX_NS)
			flow->conn.clock_lost_ns += leap_ns;
		clock_restart(c, at.ns);
	} else if (clock_since(at.ns, c->window_ns) > CLOCK_WINDOW_NS) {
		c->before_ns = c->ahead_ns;
		c->ahead_ns = ahead_ns;
		c->window_ns = at.ns;
	} else if (ahead_ns > c->ahead_ns) {
		c->ahead_ns = ahead_ns;
	}
}
