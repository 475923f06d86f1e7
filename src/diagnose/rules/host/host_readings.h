/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters of one host, read twice: what happened between. Totals since the host booted say nothing
 * of when, so nothing is concluded from one reading.
 *
 * Readings do not name their host. Those of one file are of one host, in the order of the file;
 * those of files in one folder are taken to be when there are two of them and no more. They may
 * still be a client's and a server's, so nothing that matters is concluded from them unless their
 * names differ in numbers alone, as those of readings do.
 */
#ifndef DIAGNOSE_RULES_HOST_READINGS_H
#define DIAGNOSE_RULES_HOST_READINGS_H

#include "diagnose/rule.h"
#include "model/host.h"

struct host_readings {
	uint32_t before, after; /* the numbers of their lists */
	bool one_file;
	bool one_host; /* one file, or files whose names differ in numbers alone */
};

/* What a counter rose by; `at` are its lines. */
struct host_rise {
	uint64_t before, more;
	struct provenance at_before, at_after;
};

/*
 * The two readings with this counter in the evidence or its folder; false: there are none, or more
 * than two files have one.
 */
bool host_readings_find(const struct rule_input *in, enum host_counter counter, uint32_t evidence,
			struct host_readings *out);

/* True for one evidence, or two in one folder whose names differ in numbers alone. */
bool host_readings_one_host(const struct rule_input *in, uint32_t a, uint32_t b);

/* False: one of the two does not tell the counter, or it went back. */
bool host_readings_rise(const struct rule_input *in, const struct host_readings *r,
			enum host_counter counter, struct host_rise *out);

/*
 * Adds to the finding, which is about a client's calls, what the host counted of the network that
 * this evidence is of: segments sent again, or that none was; what came damaged or incomplete.
 */
void host_readings_support(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			   uint32_t evidence);

#endif
