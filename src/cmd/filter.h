/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls, operations and events `show` prints: the options --host, --program ... */
#ifndef CMD_FILTER_H
#define CMD_FILTER_H

#include "base/err.h"
#include "cmd/options.h"
#include "event/rpc.h"

/* A bound in time: a point, or a time of every day. */
struct filter_time {
	bool set;
	bool daily;
	int64_t ns; /* UTC since 1970, or since midnight */
};

struct filter {
	bool any; /* something is set */
	bool has_host, has_program;
	struct endpoint host; /* port 0 */
	uint32_t program;
	const char *op, *status; /* the options' texts; NULL: not set */
	struct filter_time since, until;
};

/* Fails when a value is none; the text says which. Strings stay the options'. */
struct err *filter_init(struct filter *f, const struct options *options);

/* True for an event of this time that concerns either of two hosts; `b` may be NULL. */
bool filter_takes(const struct filter *f, struct stamp at, const struct endpoint *a,
		  const struct endpoint *b);

/* True when the call is wanted. A COMPOUND is when one of its operations is. */
bool filter_takes_call(const struct filter *f, const struct rpc_call *c);

/* True when that operation of a COMPOUND is wanted. */
bool filter_takes_op(const struct filter *f, const struct rpc_call *c, uint32_t index);

#endif
