// SPDX-License-Identifier: GPL-2.0-or-later
/* See schedule.h. The names of the struct's members are those of struct rpc_rqst, without "rq_". */
#include "timing/schedule.h"

#include "base/stamp.h"

/* fs/nfs/internal.h, include/linux/nfs_fs.h. */
#define MAX_TCP_TIMEOUT_NS (600 * STAMP_NS_PER_S)
#define MAX_UDP_TIMEOUT_NS (60 * STAMP_NS_PER_S)
#define DECISECOND_NS      (STAMP_NS_PER_S / 10)

enum {
	DEF_TCP_TIMEO = 600,
	DEF_TCP_RETRANS = 2,
	DEF_UDP_TIMEO = 11,
	DEF_UDP_RETRANS = 3,
	LOCKD_TIMEOUT_S = 10,
	LOCKD_RETRIES = 5,
	SHIFT_MAX = 30, /* more doublings are beyond every cap */
};

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct timing_call timing_call_of_mount(const struct timing_options *options)
{
	bool udp = options->proto == TIMING_UDP;
	uint32_t timeo = options->has_timeo ? options->timeo_ds : 0;
	struct timing_call c = {
		.keeps = options->vers >= 4,
		.transport = options->proto,
		.failure = options->failure,
		.retries = options->has_retrans ? options->retrans
			   : udp                ? DEF_UDP_RETRANS
						: DEF_TCP_RETRANS,
		.exponential = udp,
	};
	int64_t cap = udp ? MAX_UDP_TIMEOUT_NS : MAX_TCP_TIMEOUT_NS;

	if (timeo == 0)
		timeo = udp ? DEF_UDP_TIMEO : DEF_TCP_TIMEO;
	c.initval_ns = min_ns(timeo * DECISECOND_NS, cap);
	c.maxval_ns = cap;
	if (!udp) {
		c.increment_ns = c.initval_ns;
		c.maxval_ns = min_ns(c.initval_ns + c.increment_ns * (int64_t)c.retries, cap);
	}
	return c;
}

struct timing_call timing_call_of_lockd(const struct timing_options *options)
{
	int64_t timeout_ns = STAMP_NS_PER_S *
			     (options->has_nlm_timeout ? options->nlm_timeout_s : LOCKD_TIMEOUT_S);

	return (struct timing_call){
		.lockd = true,
		.transport = options->proto,
		.failure = TIMING_HARD,
		.initval_ns = timeout_ns,
		.increment_ns = timeout_ns,
		.maxval_ns = timeout_ns * (LOCKD_RETRIES + 1),
		.retries = LOCKD_RETRIES,
	};
}

/* xprt_calc_majortimeo: from this timeout on. */
static int64_t calc_majortimeo(const struct timing_call *c, int64_t timeout_ns)
{
	int64_t major = timeout_ns;

	if (c->exponential)
		major = c->retries > SHIFT_MAX ? c->maxval_ns : major << c->retries;
	else
		major += c->increment_ns * (int64_t)c->retries;
	return min_ns(major, c->maxval_ns);
}

int64_t timing_major_ns(const struct timing_call *call)
{
	return calc_majortimeo(call, call->initval_ns);
}

int64_t timing_alarm_late_ns(int64_t length_ns)
{
	static const int64_t ticks[] = {100, 250, 300, 1000};
	int64_t late = 0;

	/* kernel/time/timer.c: 64 buckets a level, each level eight times as coarse. */
	for (size_t i = 0; i < sizeof(ticks) / sizeof(ticks[0]); i++) {
		int64_t tick_ns = STAMP_NS_PER_S / ticks[i];
		int64_t jiffies = length_ns / tick_ns;
		int64_t grain = 1;

		while (jiffies >= 63 * grain)
			grain *= 8;
		if (grain * tick_ns > late)
			late = grain * tick_ns;
	}
	return late;
}

/* A call under way: struct rpc_rqst, as far as its timeouts go. */
struct request {
	const struct timing_call *call;
	enum timing_kernel kernel;
	bool late;   /* every alarm fires as late as it may */
	int64_t now; /* jiffies */
	int64_t majortimeo, minortimeo, timeout;
	uint32_t retries;
};

/* When the alarm of the transmission or wait that begins now fires. */
static int64_t request_alarm(const struct request *r)
{
	const struct timing_call *c = r->call;
	int64_t length = r->timeout;

	if (c->transport == TIMING_UDP) {
		/* xprt_wait_for_reply_request_rtt, with an estimator that has not learnt. */
		length = r->retries > SHIFT_MAX ? c->maxval_ns : c->initval_ns << r->retries;
		length = min_ns(length, c->maxval_ns);
	} else if (r->kernel != TIMING_BEFORE_5_2) {
		length = min_ns(length, r->majortimeo - r->now);
	}
	if (length < 0)
		length = 0;
	return r->now + length + (r->late ? timing_alarm_late_ns(length) : 0);
}

/* xprt_adjust_timeout: true at the major timeout. */
static bool request_adjust(struct request *r)
{
	const struct timing_call *c = r->call;
	bool has_minor = r->kernel <= TIMING_5_9;
	bool major = r->now >= r->majortimeo;

	if (has_minor && r->now < r->minortimeo) {
		if (!major)
			return false;
		/* Until 09252177d5f9 it asks again and again until the minor one is due as well. */
		if (r->kernel == TIMING_5_9)
			r->now = r->minortimeo;
	}
	if (!major) {
		r->timeout = c->exponential ? r->timeout * 2 : r->timeout + c->increment_ns;
		r->timeout = min_ns(r->timeout, c->maxval_ns);
		r->retries++;
	} else {
		r->timeout = c->initval_ns;
		r->retries = 0;
		r->majortimeo = (r->kernel == TIMING_BEFORE_5_2 ? r->now : r->majortimeo) +
				calc_majortimeo(c, r->timeout);
	}
	r->minortimeo += r->timeout;
	return major;
}

/* The call as it is set up, or (before 5.2) as it is sent for the first time. */
static struct request request_make(const struct timing_call *c, enum timing_kernel kernel,
				   enum timing_start start, uint32_t steps, bool late)
{
	struct request r = {.call = c, .kernel = kernel, .late = late, .timeout = c->initval_ns};

	r.minortimeo = r.timeout;
	r.majortimeo = calc_majortimeo(c, r.timeout);
	if (start != TIMING_CONNECTING || kernel < TIMING_5_2 ||
	    (c->transport == TIMING_UDP && !c->lockd))
		return r;
	for (uint32_t i = 0; i < steps; i++)
		r.timeout = min_ns(c->exponential ? r.timeout * 2 : r.timeout + c->increment_ns,
				   c->maxval_ns);
	r.retries = steps;
	if (kernel == TIMING_BEFORE_5_2)
		r.majortimeo = calc_majortimeo(c, r.timeout);
	return r;
}

/* True when the call ends at its major timeout instead of going on. */
static bool gives_up(const struct timing_call *c, enum timing_kernel kernel,
		     enum timing_start start)
{
	if (c->failure == TIMING_HARD)
		return false;
	/* 5.2 'Make "no retrans timeout" soft tasks behave like softconn for timeouts'. */
	return !c->keeps || start == TIMING_UNSENT || kernel == TIMING_BEFORE_5_2;
}

struct events {
	struct timing_event *items;
	size_t len;
	int64_t until_ns;
};

static void events_add(struct events *e, enum timing_event_kind kind, int64_t at_ns)
{
	if (e->len < TIMING_EVENTS_MAX)
		e->items[e->len++] =
			(struct timing_event){.kind = kind, .at_ns = at_ns, .latest_ns = at_ns};
}

/*
 * The times of the same run with late alarms, kind by kind: a late alarm may find the major
 * timeout where an early one found a minor one.
 */
static void events_take_latest(struct events *e, const struct events *late)
{
	size_t at[TIMING_FAIL + 1] = {0};

	for (size_t i = 0; i < e->len; i++) {
		struct timing_event *one = &e->items[i];
		size_t *k = &at[one->kind];

		while (*k < late->len && late->items[*k].kind != one->kind)
			++*k;
		if (*k < late->len && late->items[*k].at_ns > one->at_ns)
			one->latest_ns = late->items[*k].at_ns;
		++*k;
	}
}

static void simulate(struct request *r, enum timing_start start, struct events *e)
{
	const struct timing_call *c = r->call;
	bool sends = start != TIMING_UNSENT;
	bool complained = false;

	if (sends)
		events_add(e, TIMING_TRANSMIT, 0);
	/* Each turn gets further, or ends: an alarm without length only comes at a major timeout.
	 */
	while (e->len < TIMING_EVENTS_MAX) {
		bool major;

		r->now = request_alarm(r);
		major = request_adjust(r);
		if (r->now > e->until_ns)
			return;
		if (major && gives_up(c, r->kernel, start)) {
			events_add(e, TIMING_FAIL, r->now);
			return;
		}
		/* Once for each call, until "OK"; soft calls that stay say nothing. */
		if (major && c->failure == TIMING_HARD && !complained) {
			events_add(e, TIMING_COMPLAIN, r->now);
			complained = true;
		}
		if (sends && !c->keeps)
			events_add(e, TIMING_RETRANSMIT, r->now);
		else if (complained || (major && c->failure != TIMING_HARD))
			return;
	}
}

size_t timing_run(const struct timing_call *call, enum timing_kernel kernel,
		  enum timing_start start, uint32_t steps, int64_t until_ns,
		  struct timing_event out[TIMING_EVENTS_MAX])
{
	struct timing_event late_items[TIMING_EVENTS_MAX];
	struct events e = {.items = out, .until_ns = until_ns};
	struct events late = {.items = late_items, .until_ns = INT64_MAX};
	struct request r = request_make(call, kernel, start, steps, false);

	simulate(&r, start, &e);
	r = request_make(call, kernel, start, steps, true);
	simulate(&r, start, &late);
	events_take_latest(&e, &late);
	return e.len;
}

const struct timing_alternative timing_alternatives[TIMING_ALTERNATIVES] = {
	{"since-5.13", TIMING_SINCE_5_13, TIMING_CONNECTED,
	 "kernels with 09252177d5f9 (5.13; 5.12.5, 5.11.22, 5.10.38)"},
	{"5.9-5.12", TIMING_5_9, TIMING_CONNECTED,
	 "kernels with 7de62bc09fe6 (5.9) but without 09252177d5f9: at the major timeout they "
	 "wait, "
	 "at full CPU load, until the next minor one is due as well"},
	{"5.2-5.8", TIMING_5_2, TIMING_CONNECTED,
	 "kernels with da953063bdce (5.2) but without 7de62bc09fe6"},
	{"before-5.2", TIMING_BEFORE_5_2, TIMING_CONNECTED,
	 "kernels without da953063bdce: the major timeout is looked at only when an alarm fires"},
	{"5.2-5.8-connecting", TIMING_5_2, TIMING_CONNECTING,
	 "the same kernels, where the connection was made for this call: an attempt that did not "
	 "succeed at once took one step of the timeout; counted from the beginning of the call"},
	{"before-5.2-connecting", TIMING_BEFORE_5_2, TIMING_CONNECTING,
	 "kernels without da953063bdce, where the connection was made for this call: an attempt "
	 "that "
	 "did not succeed at once took one step of the timeout"},
};

const char *timing_event_name(enum timing_event_kind kind)
{
	static const char *const names[] = {
		[TIMING_TRANSMIT] = "transmit",
		[TIMING_RETRANSMIT] = "retransmit",
		[TIMING_COMPLAIN] = "complain",
		[TIMING_FAIL] = "fail",
	};

	return names[kind];
}
