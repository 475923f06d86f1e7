/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two straces of one listing, aligned by the names that they got. */
#ifndef CMD_COMPARE_LISTS_H
#define CMD_COMPARE_LISTS_H

#include "base/json.h"
#include "cmd/compare/compare_trace.h"

/* The first name of a call of getdents, that both have, and when each got it after the first one.
 */
struct lists_step {
	size_t entries; /* of the bad one, up to there */
	int64_t good_ns, bad_ns;
	uint64_t good_line, bad_line;
};

/* What one trace did between the first and the last step. */
struct lists_side {
	uint64_t names; /* of the process that listed most */
	uint64_t pid;
	uint64_t calls;      /* of getdents that brought entries, between the steps */
	int64_t in_calls_ns; /* in them */
	int64_t elapsed_ns;
};

struct lists {
	uint64_t common;
	bool by_end; /* times are those at which calls ended, else began */
	struct lists_side good, bad;
	struct vec steps; /* struct lists_step, in the bad one's order */
};

/* False: fewer than two steps are common, or there are no times. lists_deinit in any case. */
bool lists_align(struct lists *l, const struct trace *good, const struct trace *bad);
void lists_deinit(struct lists *l);

/* The report, as text or as members of an open JSON object. */
void lists_add_text(struct strbuf *out, const struct lists *l, const struct trace *good,
		    const struct trace *bad);
void lists_add_json(struct json *j, const struct lists *l, const struct trace *good,
		    const struct trace *bad);

/* The same of two traces that cannot be aligned: call by call, whatever the programs did. */
void lists_add_calls_text(struct strbuf *out, const struct trace *good, const struct trace *bad);
void lists_add_calls_json(struct json *j, const struct trace *good, const struct trace *bad);

#endif
