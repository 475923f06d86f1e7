// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All gates in one pass over a message: most lines of a log hold none of them, and are done with
 * after one look at every second pair of bytes. Three bytes of each gate, at `at`, are known to the
 * tables: at whatever offset the gate stands, the first two of them or the last two are looked at.
 */
#include "ingest/log/log_facts.h"

/* The gates, with the three bytes that are rarest in logs. */
#define GATES(G, c)                                            \
	G(c, NOT_RESPONDING, " not resp", 1, 'n', 'o', 't')    \
	G(c, SERVER, " server ", 3, 'r', 'v', 'e')             \
	G(c, LOCKS, " locks", 3, 'c', 'k', 's')                \
	G(c, RECLAIM, "eclaim failed", 1, 'c', 'l', 'a')       \
	G(c, MANAGER, "state manager", 8, 'n', 'a', 'g')       \
	G(c, RECOVERY, "recovery failed", 2, 'c', 'o', 'v')    \
	G(c, CLIENTID, "clientid", 0, 'c', 'l', 'i')           \
	G(c, INCORRECT, "incorrect client", 10, 'c', 'l', 'i') \
	G(c, TRACKING, "recovery track", 11, 'a', 'c', 'k')    \
	G(c, GRACE, "grace period", 0, 'g', 'r', 'a')          \
	G(c, LOCKD, "lockd: ", 2, 'c', 'k', 'd')               \
	G(c, OUT_OF_SYNC, "out of sync", 7, 's', 'y', 'n')     \
	G(c, FILEID, "fileid changed", 7, 'c', 'h', 'a')       \
	G(c, FRAGMENT, "ragment", 1, 'a', 'g', 'm')            \
	G(c, LOCKUP, "soft lockup", 7, 'c', 'k', 'u')          \
	G(c, BLOCKED, "INFO: task", 1, 'N', 'F', 'O')          \
	G(c, MEMORY, "ut of memory", 9, 'o', 'r', 'y')         \
	G(c, LINUX, "Linux ver", 2, 'n', 'u', 'x')             \
	G(c, LINK, "ink ", 0, 'i', 'n', 'k')                   \
	G(c, LINK_UPPER, "LINK ", 1, 'I', 'N', 'K')            \
	G(c, CARRIER, "arrier", 0, 'a', 'r', 'r')              \
	G(c, ACTIVE, "active interface", 11, 'r', 'f', 'a')    \
	G(c, NETFS, "Netfs 'nfs'", 8, 'f', 's', '\'')          \
	G(c, RESOLVER, "id_resolver reg", 6, 'o', 'l', 'v')    \
	G(c, PACKET, "SRC=", 0, 'S', 'R', 'C')                 \
	G(c, CONNTRACK, "table full, drop", 8, 'l', 'l', ',')  \
	G(c, PM, "PM: ", 0, 'P', 'M', ':')                     \
	G(c, UPCALL, "AUTH_GSS upcall", 4, '_', 'G', 'S')      \
	G(c, READDIR, "readdir loop", 2, 'a', 'd', 'd')

struct gate {
	const char *text;
	uint8_t len;
	uint8_t at;
};

#define BIT(gate) (UINT32_C(1) << LOG_GATE_##gate)
#define GATE(c, gate, words, offset, x, y, z) \
	[LOG_GATE_##gate] = {.text = (words), .len = sizeof(words) - 1, .at = (offset)},
#define AS_FIRST(c, gate, words, offset, x, y, z)  | ((c) == (x) || (c) == (y) ? BIT(gate) : 0)
#define AS_SECOND(c, gate, words, offset, x, y, z) | ((c) == (y) || (c) == (z) ? BIT(gate) : 0)
#define FIRST(c)                                   [c] = 0 GATES(AS_FIRST, c)
#define SECOND(c)                                  [c] = 0 GATES(AS_SECOND, c)
#define FOUR(ROW, c)                               ROW(c), ROW((c) + 1), ROW((c) + 2), ROW((c) + 3)
#define SIXTEEN(ROW, c)                            FOUR(ROW, c), FOUR(ROW, (c) + 4), FOUR(ROW, (c) + 8), FOUR(ROW, (c) + 12)
#define PRINTABLE(ROW)                                                                            \
	SIXTEEN(ROW, 32), SIXTEEN(ROW, 48), SIXTEEN(ROW, 64), SIXTEEN(ROW, 80), SIXTEEN(ROW, 96), \
		SIXTEEN(ROW, 112)

static const struct gate gates[LOG_GATE_COUNT] = {GATES(GATE, 0)};

/* By the first and by the second byte of a pair; test_log_facts finds each gate by its own words.
 */
static const uint32_t by_first[UINT8_MAX + 1] = {PRINTABLE(FIRST)};
static const uint32_t by_second[UINT8_MAX + 1] = {PRINTABLE(SECOND)};

static bool stands_at(const struct gate *g, struct slice text, size_t at)
{
	return at >= g->at && text.len - (at - g->at) >= g->len &&
	       memcmp(text.ptr + (at - g->at), g->text, g->len) == 0;
}

/* Gates whose first or last two of the three bytes are the pair: the tables let others pass. */
static uint32_t gates_at(struct slice text, size_t pair, uint32_t maybe)
{
	uint8_t a = text.ptr[pair], b = text.ptr[pair + 1];
	uint32_t found = 0;

	for (; maybe; maybe &= maybe - 1) {
		unsigned gate = (unsigned)__builtin_ctz(maybe);
		const struct gate *g = &gates[gate];
		const uint8_t *three = (const uint8_t *)g->text + g->at;

		if ((a == three[0] && b == three[1] && stands_at(g, text, pair)) ||
		    (a == three[1] && b == three[2] && pair && stands_at(g, text, pair - 1)))
			found |= UINT32_C(1) << gate;
	}
	return found;
}

uint32_t log_gates_find(struct slice text)
{
	const uint8_t *last = text.len ? text.ptr + text.len - 1 : text.ptr;
	uint32_t found = 0;

	for (const uint8_t *at = text.ptr; at < last; at += 2) {
		uint32_t maybe = by_first[at[0]] & by_second[at[1]];

		if (maybe)
			found |= gates_at(text, (size_t)(at - text.ptr), maybe & ~found);
	}
	return found;
}

const char *log_gate_text(enum log_gate gate)
{
	return gates[gate].text;
}
