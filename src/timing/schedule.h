/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the Linux client sends a call again, and when it complains: the arithmetic of
 * net/sunrpc/xprt.c (xprt_calc_majortimeo, xprt_adjust_timeout, xprt_request_timeout) and
 * net/sunrpc/clnt.c (call_timeout, later rpc_check_timeout), with the timers of a mount
 * (fs/nfs/client.c, nfs_init_timeout_values) or those of lockd (fs/lockd/host.c, nlm_bind_host).
 *
 * A call has two deadlines. At a minor one it is sent again and the next is further off; at the
 * major one the kernel complains, or gives up. What is known as "retrans" only sets the distance of
 * the major one: it is not how often a call is sent again.
 */
#ifndef TIMING_SCHEDULE_H
#define TIMING_SCHEDULE_H

#include "timing/options.h"

/* Kernels that count differently, by the commits that changed it. */
enum timing_kernel {
	/* 09252177d5f9 "Handle major timeout in xprt_adjust_timeout()": 5.13, 5.10.38, 5.12.5 */
	TIMING_SINCE_5_13,
	/* 7de62bc09fe6 "dont update timeout value on connection reset", without the one above */
	TIMING_5_9,
	/* da953063bdce "Start the first major timeout calculation at task creation", without
	   7de62bc */
	TIMING_5_2,
	/* None of them: the deadline is looked at when an alarm fires, and only then. */
	TIMING_BEFORE_5_2,
	TIMING_KERNEL_COUNT,
};

/* How the call met its connection. */
enum timing_start {
	TIMING_CONNECTED, /* it was there */
	/* It was made for this call. Before 7de62bc each failed look at it (call_connect_status,
	 * call_bind_status) takes a step of the timeout as if the call had been sent. */
	TIMING_CONNECTING,
	TIMING_UNSENT, /* the call never gets onto the wire: no port, no connection, no slot */
	TIMING_START_COUNT,
};

enum timing_event_kind { TIMING_TRANSMIT, TIMING_RETRANSMIT, TIMING_COMPLAIN, TIMING_FAIL };

/* Whose timers run. Times in nanoseconds. */
struct timing_call {
	bool lockd;
	bool keeps; /* NFSv4: not sent again while the connection stands (NO_RETRANS_TIMEOUT) */
	enum timing_transport transport;
	enum timing_failure failure;
	int64_t initval_ns, increment_ns, maxval_ns;
	uint32_t retries;
	bool exponential;
};

struct timing_event {
	enum timing_event_kind kind;
	/*
	 * Since the first transmission; UNSENT: since the call began. `latest_ns` is with every
	 * alarm as late as the timer wheel allows: since 500462a9de65 (4.8) a timer may fire up to
	 * an eighth of its length late, and never early.
	 */
	int64_t at_ns, latest_ns;
};

/* What a call may have met, where nothing tells which: a kernel, and a connection that was there or
 * had to be made. */
struct timing_alternative {
	const char *id; /* "since-5.13", "before-5.2-connecting" */
	enum timing_kernel kernel;
	enum timing_start start;
	const char *text; /* which that is, with the commits that decide */
};

enum { TIMING_ALTERNATIVES = 6 };

/* The alternatives of a call that was sent, the newest kernel first. */
extern const struct timing_alternative timing_alternatives[TIMING_ALTERNATIVES];

/* Most events of one run. */
enum { TIMING_EVENTS_MAX = 64 };

/* The timers of a mount with these options; lockd ignores all of them but proto. */
struct timing_call timing_call_of_mount(const struct timing_options *options);
struct timing_call timing_call_of_lockd(const struct timing_options *options);

/* The major timeout: when the first complaint is due at the earliest. */
int64_t timing_major_ns(const struct timing_call *call);

/* By how much a timer of this length may fire late, on kernels with a tick of 100 to 1000 Hz. */
int64_t timing_alarm_late_ns(int64_t length_ns);

/*
 * What such a kernel does until `until_ns`, when no answer comes, in order of time; at most
 * TIMING_EVENTS_MAX into `out`. `steps` (CONNECTING): how many steps the connection took before the
 * call was sent. Returns how many.
 */
size_t timing_run(const struct timing_call *call, enum timing_kernel kernel,
		  enum timing_start start, uint32_t steps, int64_t until_ns,
		  struct timing_event out[TIMING_EVENTS_MAX]);

/* "transmit", "retransmit", "complain", "fail". */
const char *timing_event_name(enum timing_event_kind kind);

#endif
