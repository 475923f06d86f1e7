/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A point in time, with the clock that told it. Nanoseconds, signed, since the clock's zero.
 *
 * Stamps of different clocks are never compared: see docs/clocks.md.
 */
#ifndef BASE_STAMP_H
#define BASE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum clock {
	CLOCK_UNKNOWN, /* there is no time */
	CLOCK_UTC,     /* since 1970-01-01T00:00:00Z */
	CLOCK_BOOT,    /* since a machine's boot */
	CLOCK_LOCAL,   /* since 1970-01-01 of an unknown time zone */
};

/* Without padding: models keep them by the hundred thousand, in struct provenance above all. */
struct stamp {
	int64_t ns;
	enum clock clock;
} __attribute__((packed, aligned(4)));

#define STAMP_NS_PER_S  INT64_C(1000000000)
#define STAMP_NS_PER_MS INT64_C(1000000)

/* Room for any text that stamp_format or stamp_format_duration writes. */
enum { STAMP_TEXT_BYTES = 48 };

/* The stamp that stands for "not known". */
static inline struct stamp stamp_none(void)
{
	return (struct stamp){.ns = 0, .clock = CLOCK_UNKNOWN};
}

static inline struct stamp stamp_utc(int64_t ns)
{
	return (struct stamp){.ns = ns, .clock = CLOCK_UTC};
}

static inline bool stamp_known(struct stamp at)
{
	return at.clock != CLOCK_UNKNOWN;
}

/*
 * RFC 3339 in UTC with nanoseconds ("2026-11-22T01:09:29.372600000Z") for CLOCK_UTC; seconds since
 * boot ("[   12.345678901]") for CLOCK_BOOT; the same as UTC without the Z for CLOCK_LOCAL; "-"
 * for CLOCK_UNKNOWN. Years outside 0..9999 are written as seconds ("@123.000000000").
 */
void stamp_format(struct stamp at, char text[STAMP_TEXT_BYTES]);

/*
 * "01:09:29.372600" of a UTC or local stamp, "[   12.345678]" since boot, as kernel logs and traces
 * have it: for people, where the date is said elsewhere.
 */
void stamp_format_time(struct stamp at, char text[STAMP_TEXT_BYTES]);

/* A duration for people: "0.4 ms", "12.3 s", "4 min 10 s", "3 h 2 min", with its sign. */
void stamp_format_duration(int64_t ns, char text[STAMP_TEXT_BYTES]);

#endif
