/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server's own kernel tells of the calls that it serves (tracepoints svc_*,
 * include/trace/events/sunrpc.h): a thread begins one and ends it. Texts are borrowed: a sink
 * copies what it keeps.
 */
#ifndef EVENT_SERVED_H
#define EVENT_SERVED_H

#include "base/slice.h"
#include "event/ident.h"

enum served_step {
	SERVED_BEGUN,
	SERVED_ENDED, /* answered, or put off or dropped: the thread is free again */
	SERVED_LOST,  /* no call: what was told lately was lost in part */
	SERVED_OVER,  /* no call: the trace goes on until here */
};

struct served_fact {
	enum served_step step;
	int64_t pid; /* the thread */
	bool has_client;
	struct endpoint client; /* BEGUN: valid with has_client */
	struct slice service;   /* BEGUN: "nfsd", "lockd"; empty: not told */
	struct slice procedure; /* BEGUN: "COMPOUND"; empty: not told */
	struct slice host;      /* as in struct log_fact */
	bool host_told;
};

#endif
