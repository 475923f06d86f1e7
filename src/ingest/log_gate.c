// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All gates in one pass over a message: most lines of a log hold none of them, and are done with
 * after one look at each byte. Each gate is found by a byte in it that is rare in logs.
 */
#include "ingest/log_facts.h"

struct gate {
	const char *text;
	uint8_t len;
	uint8_t anchor; /* offset of the rare byte */
};

#define GATE(words, at)                                                   \
	{                                                                 \
		.text = (words), .len = sizeof(words) - 1, .anchor = (at) \
	}
#define BIT(gate) (UINT32_C(1) << LOG_GATE_##gate)

static const struct gate gates[LOG_GATE_COUNT] = {
	[LOG_GATE_NOT_RESPONDING] = GATE(" not resp", 8),
	[LOG_GATE_SERVER] = GATE(": server ", 5),
	[LOG_GATE_LOCKS] = GATE(" locks", 4),
	[LOG_GATE_RECLAIM] = GATE("eclaim failed", 7),
	[LOG_GATE_MANAGER] = GATE("state manager", 10),
	[LOG_GATE_RECOVERY] = GATE("recovery failed", 4),
	[LOG_GATE_CLIENTID] = GATE("clientid", 7),
	[LOG_GATE_INCORRECT] = GATE("incorrect client", 2),
	[LOG_GATE_TRACKING] = GATE("recovery track", 4),
	[LOG_GATE_GRACE] = GATE("grace period", 0),
	[LOG_GATE_MONITOR] = GATE("cannot mon", 7),
	[LOG_GATE_UNLOCK] = GATE("unlock status", 5),
	[LOG_GATE_OUT_OF_SYNC] = GATE("out of sync", 5),
	[LOG_GATE_FILEID] = GATE("fileid changed", 11),
	[LOG_GATE_FRAGMENT] = GATE("ragment", 2),
	[LOG_GATE_LOCKUP] = GATE("soft lockup", 8),
	[LOG_GATE_BLOCKED] = GATE("blocked for", 4),
	[LOG_GATE_MEMORY] = GATE("ut of memory", 4),
	[LOG_GATE_LINUX] = GATE("Linux ver", 4),
	[LOG_GATE_LINK] = GATE("ink ", 2),
	[LOG_GATE_LINK_UPPER] = GATE("LINK ", 3),
	[LOG_GATE_CARRIER] = GATE("arrier", 3),
	[LOG_GATE_ACTIVE] = GATE("active interface", 4),
	[LOG_GATE_NETFS] = GATE("Netfs 'nfs'", 0),
	[LOG_GATE_RESOLVER] = GATE("id_resolver reg", 8),
	[LOG_GATE_PACKET] = GATE("SRC=", 2),
	[LOG_GATE_CONNTRACK] = GATE("table full, drop", 10),
	[LOG_GATE_PM] = GATE("PM: ", 0),
};

/* By the byte at the anchor; test_log_facts finds each gate by its own words. */
static const uint32_t anchored[UINT8_MAX + 1] = {
	[','] = BIT(CONNTRACK),
	['C'] = BIT(PACKET),
	['K'] = BIT(LINK_UPPER),
	['N'] = BIT(NETFS),
	['P'] = BIT(PM),
	['c'] = BIT(INCORRECT),
	['d'] = BIT(CLIENTID),
	['f'] = BIT(RECLAIM) | BIT(OUT_OF_SYNC) | BIT(MEMORY),
	['g'] = BIT(MANAGER) | BIT(GRACE) | BIT(FILEID) | BIT(FRAGMENT),
	['i'] = BIT(CARRIER),
	['k'] = BIT(LOCKS) | BIT(UNLOCK) | BIT(LOCKUP) | BIT(BLOCKED) | BIT(LINK),
	['m'] = BIT(MONITOR),
	['p'] = BIT(NOT_RESPONDING),
	['v'] = BIT(SERVER) | BIT(RECOVERY) | BIT(TRACKING) | BIT(RESOLVER) | BIT(ACTIVE),
	['x'] = BIT(LINUX),
};

static bool stands_at(const struct gate *g, struct slice text, size_t at)
{
	return at >= g->anchor && text.len - (at - g->anchor) >= g->len &&
	       memcmp(text.ptr + (at - g->anchor), g->text, g->len) == 0;
}

uint32_t log_gates_find(struct slice text)
{
	uint32_t found = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint32_t maybe = anchored[text.ptr[i]] & ~found;

		for (; maybe; maybe &= maybe - 1) {
			unsigned gate = (unsigned)__builtin_ctz(maybe);

			if (stands_at(&gates[gate], text, i))
				found |= UINT32_C(1) << gate;
		}
	}
	return found;
}

const char *log_gate_text(enum log_gate gate)
{
	return gates[gate].text;
}
