/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far long work is, on standard error, and only when that is a terminal. */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool wanted; /* standard error is a terminal */
	bool shown;  /* a line stands there that must be wiped */
	uint32_t ticks;
	int64_t started_ns; /* of the monotonic clock */
	int64_t shown_ns;
};

void progress_init(struct progress *p);

/* Wipes the line. */
void progress_deinit(struct progress *p);

/* Cheap; true a few times a second, and not before the work has taken a second. */
bool progress_due(struct progress *p);

/* total_bytes 0: not known. */
void progress_show(struct progress *p, uint64_t done_bytes, uint64_t total_bytes);

#endif
