/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule of a host's packet filter that drops or rejects, as the host lists it. The text is
 * borrowed: a sink copies what it keeps.
 */
#ifndef EVENT_FILTER_H
#define EVENT_FILTER_H

#include "base/slice.h"
#include "event/ident.h"

enum { FILTER_PORTS_MAX = 8 };

enum filter_hook {
	FILTER_HOOK_UNKNOWN, /* a chain that others jump to, or not told */
	FILTER_HOOK_INPUT,
	FILTER_HOOK_OUTPUT,
	FILTER_HOOK_FORWARD,
	FILTER_HOOK_COUNT,
};

/* len 0: any port. */
struct filter_ports {
	struct filter_port_range {
		uint16_t from, to;
	} ranges[FILTER_PORTS_MAX];
	uint8_t len;
};

/* bits 0: any address. */
struct filter_net {
	struct endpoint at;
	uint8_t bits; /* of the 128, IPv4 mapped */
};

struct filter_fact {
	enum filter_hook hook;
	bool reject;      /* it answers (RST, ICMP); else it drops in silence */
	bool has_counter; /* packets is valid */
	uint64_t packets; /* that it took */
	bool is_tcp;      /* only TCP */
	bool is_other;    /* only another protocol than TCP */
	bool is_partial;  /* it has conditions that were not understood */
	struct filter_ports sport, dport;
	struct filter_net src, dst;
	uint8_t flags_mask, flags; /* of TCP: flags & flags_mask == flags; mask 0: any */
	struct slice text;         /* the line */
};

#endif
