/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for the rules of packet filters, line by line: `nft list ruleset`,
 * `iptables -vnL`, `iptables-save -c` and `iptables -S` (and ip6tables). Only rules that drop or
 * reject are told. What a rule means for the traffic is nothing to it.
 */
#ifndef EVIDENCE_FILTER_LINE_H
#define EVIDENCE_FILTER_LINE_H

#include "event/filter.h"

/* What the lines before tell about the next one. All zero at the beginning of a text. */
struct filter_reader {
	enum filter_dialect {
		FILTER_NONE,
		FILTER_NFT,      /* inside of an nft chain */
		FILTER_IPTABLES, /* below the head of a chain, with counters */
	} dialect;
	enum filter_hook hook;
};

/* True when the line is such a rule; its text is borrowed from the line. */
bool filter_line_parse(struct filter_reader *r, struct slice line, struct filter_fact *out);

#endif
