/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of host-filter-drop share; nobody else includes this. */
#ifndef DIAGNOSE_RULES_HOST_FILTER_H
#define DIAGNOSE_RULES_HOST_FILTER_H

#include "diagnose/rules/transport.h"
#include "model/filter.h"
#include "model/logs.h"

/* Of TCP, as filters see them. */
enum { FLAG_SYN = 0x02, FLAG_PSH = 0x08, FLAG_ACK = 0x10 };

/* Who sends in vain, and which segments of whom a filter may have dropped. */
struct drop {
	const struct transport_trouble *trouble;
	struct filter_segment seen;   /* in vain: it was dropped behind the capture */
	struct filter_segment answer; /* or its answer, before the capture */
	bool has_answer;
};

/* Cites what was sent in vain; `what` is "segment" or "SYN". */
static inline void drop_cite(struct diagnosis *d, struct finding *f,
			     const struct transport_trouble *t, const char *what)
{
	finding_cite(d, f, &t->cite_first, &t->conn, "the first %s in vain", what);
	finding_cite(d, f, &t->cite_last, &t->conn, "the last one");
	finding_cite(d, f, &t->cite_over, &t->conn, "what ended it");
}

/*
 * host_filter_log.c: what the kernel's log of a host tells of such segments, a packet that a rule
 * logs or a table of connections that is full. True when it made a finding of it.
 */
bool host_filter_log_tell(const struct rule_input *in, struct diagnosis *out,
			  const struct drop *drop);

/* The same where there is no capture: a server that does not respond, and packets that were logged
 * between the two hosts meanwhile. */
void host_filter_log_alone(const struct rule_input *in, struct diagnosis *out);

#endif
