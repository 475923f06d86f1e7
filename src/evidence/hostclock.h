/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for a host's clock: a short text that holds a date and an uptime taken
 * together, as `date; cat /proc/uptime` or `date; uptime` write it. From both follows when the host
 * booted, which is what the seconds of its kernel log count from.
 *
 * Dates: RFC 3339, `date` (C locale), `date -R`, `date +%s`; with a zone that is known. Uptimes:
 * /proc/uptime, uptime(1).
 */
#ifndef EVIDENCE_HOSTCLOCK_H
#define EVIDENCE_HOSTCLOCK_H

#include "base/stamp.h"
#include "capfile/source.h"

struct hostclock {
	struct stamp at;   /* the date, CLOCK_UTC */
	uint64_t line;     /* of the date, from 1 */
	int64_t uptime_ns; /* at that time */
	int64_t boot_ns;   /* UTC */
	int64_t error_ns;  /* boot_ns is off by so much at most */
};

/*
 * Reads the first lines of a text; false: it does not hold one date with one uptime near it. A text
 * with several of either is about several times, or hosts, and tells nothing.
 */
bool hostclock_read(struct source *source, struct hostclock *out);

enum { HOSTCLOCK_NAME_BYTES = 65 };

/*
 * The host's name in such a text, terminated: as `uname -a` has it ("Linux nfs-srv 6.1.0 #1 ..."),
 * or as the lone word behind the line of /proc/uptime that /proc/sys/kernel/hostname or hostname(1)
 * left there. False: it tells none, or several.
 */
bool hostclock_read_name(struct source *source, char name[HOSTCLOCK_NAME_BYTES]);

#endif
