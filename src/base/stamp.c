// SPDX-License-Identifier: GPL-2.0-or-later
/* Formatting of stamps and durations. */
#include "base/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Splits into whole seconds, rounded down, and nanoseconds 0..999999999. */
static int64_t stamp_split(int64_t ns, int64_t *rest_ns)
{
	int64_t seconds = ns / STAMP_NS_PER_S;

	*rest_ns = ns % STAMP_NS_PER_S;
	if (*rest_ns < 0) {
		*rest_ns += STAMP_NS_PER_S;
		seconds--;
	}
	return seconds;
}

static bool stamp_calendar(int64_t seconds, struct tm *parts)
{
	time_t when = (time_t)seconds;

	return gmtime_r(&when, parts) && parts->tm_year >= -1900 && parts->tm_year <= 8099;
}

/* "[   12.345678901]", or with so many digits; a time before the zero has its sign. */
static void stamp_format_seconds(int64_t ns, int digits, char text[STAMP_TEXT_BYTES])
{
	uint64_t abs_ns = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t rest = abs_ns % STAMP_NS_PER_S;
	char seconds[STAMP_TEXT_BYTES];

	for (int i = 9; i > digits; i--)
		rest /= 10;
	snprintf(seconds, sizeof(seconds), "%s%" PRIu64, ns < 0 ? "-" : "",
		 abs_ns / STAMP_NS_PER_S);
	snprintf(text, STAMP_TEXT_BYTES, "[%5.12s.%0*" PRIu64 "]", seconds, digits, rest);
}

void stamp_format(struct stamp at, char text[STAMP_TEXT_BYTES])
{
	int64_t rest_ns;
	int64_t seconds = stamp_split(at.ns, &rest_ns);
	struct tm parts;

	switch (at.clock) {
	case CLOCK_UNKNOWN:
		snprintf(text, STAMP_TEXT_BYTES, "-");
		return;
	case CLOCK_BOOT:
		stamp_format_seconds(at.ns, 9, text);
		return;
	case CLOCK_UTC:
	case CLOCK_LOCAL:
		break;
	}
	if (!stamp_calendar(seconds, &parts)) {
		snprintf(text, STAMP_TEXT_BYTES, "@%" PRId64 ".%09" PRId64, seconds, rest_ns);
		return;
	}
	snprintf(text, STAMP_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "%s",
		 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
		 parts.tm_sec, rest_ns, at.clock == CLOCK_UTC ? "Z" : "");
}

void stamp_format_time(struct stamp at, char text[STAMP_TEXT_BYTES])
{
	int64_t rest_ns;
	int64_t seconds = stamp_split(at.ns, &rest_ns);
	struct tm parts;

	if (at.clock == CLOCK_BOOT) {
		stamp_format_seconds(at.ns, 6, text);
		return;
	}
	if ((at.clock != CLOCK_UTC && at.clock != CLOCK_LOCAL) ||
	    !stamp_calendar(seconds, &parts)) {
		stamp_format(at, text);
		return;
	}
	snprintf(text, STAMP_TEXT_BYTES, "%02d:%02d:%02d.%06" PRId64, parts.tm_hour, parts.tm_min,
		 parts.tm_sec, rest_ns / 1000);
}

void stamp_format_duration(int64_t ns, char text[STAMP_TEXT_BYTES])
{
	const char *sign = ns < 0 ? "-" : "";
	uint64_t abs_ns = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t seconds = (abs_ns + STAMP_NS_PER_S / 2) / STAMP_NS_PER_S;

	/* Each limit is where rounding would carry into the next unit. */
	if (abs_ns < 1000)
		snprintf(text, STAMP_TEXT_BYTES, "%s%" PRIu64 " ns", sign, abs_ns);
	else if (abs_ns < STAMP_NS_PER_MS / 10)
		snprintf(text, STAMP_TEXT_BYTES, "%s%.3f ms", sign, (double)abs_ns / 1e6);
	else if (abs_ns < 10 * STAMP_NS_PER_MS - 5000)
		snprintf(text, STAMP_TEXT_BYTES, "%s%.2f ms", sign, (double)abs_ns / 1e6);
	else if (abs_ns < STAMP_NS_PER_S - STAMP_NS_PER_MS / 2)
		snprintf(text, STAMP_TEXT_BYTES, "%s%.0f ms", sign, (double)abs_ns / 1e6);
	else if (abs_ns < 120 * STAMP_NS_PER_S - STAMP_NS_PER_S / 20)
		snprintf(text, STAMP_TEXT_BYTES, "%s%.1f s", sign, (double)abs_ns / 1e9);
	else if (seconds < 7200)
		snprintf(text, STAMP_TEXT_BYTES, "%s%" PRIu64 " min %" PRIu64 " s", sign,
			 seconds / 60, seconds % 60);
	else
		snprintf(text, STAMP_TEXT_BYTES, "%s%" PRIu64 " h %" PRIu64 " min", sign,
			 seconds / 3600, seconds % 3600 / 60);
}
