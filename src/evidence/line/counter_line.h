/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for what hosts count of the network and of nfsd, line by line: /proc/net/snmp
 * and /proc/net/netstat, `nstat -a` (without -a it prints what is new, which is read alike),
 * `netstat -s`, the lines "rc" and "th" of /proc/net/rpc/nfsd, the reply cache of `nfsstat -o rc`,
 * and /proc/fs/nfsd/pool_stats. Most of the counters there are of no use here and are passed over.
 */
#ifndef EVIDENCE_COUNTER_LINE_H
#define EVIDENCE_COUNTER_LINE_H

#include "event/host.h"

enum { COUNTER_COLUMNS_MAX = 256, COUNTER_LINE_MAX = HOST_COUNTERS };

/* What lines before say of those behind. Zero at the beginning of a text. */
struct counter_reader {
	struct {
		uint8_t section; /* which of the tables; 0: the line before named no columns */
		uint8_t counters_len;
		uint8_t column[COUNTER_LINE_MAX];
		enum host_counter counter[COUNTER_LINE_MAX];
	} named;
	bool in_pools, in_cache; /* behind the heading of pool_stats, of nfsstat's reply cache */
};

struct counter_line {
	bool known; /* it is a line of these lists, with or without a counter of use */
	uint32_t len;
	struct counter_fact values[COUNTER_LINE_MAX];
};

void counter_line_parse(struct counter_reader *r, struct slice line, struct counter_line *out);

#endif
