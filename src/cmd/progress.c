// SPDX-License-Identifier: GPL-2.0-or-later
/* See progress.h. The clock that is read here never reaches the result. */
#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/stamp.h"

enum { PROGRESS_TICKS = 1 << 12, PROGRESS_EVERY_MS = 250 };

static int64_t progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * STAMP_NS_PER_S + now.tv_nsec;
}

void progress_init(struct progress *p)
{
	*p = (struct progress){.wanted = isatty(STDERR_FILENO) == 1};
	if (p->wanted)
		p->started_ns = progress_now();
	p->shown_ns = p->started_ns + STAMP_NS_PER_S;
}

void progress_deinit(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
}

bool progress_due(struct progress *p)
{
	if (!p->wanted || ++p->ticks % PROGRESS_TICKS)
		return false;
	return progress_now() - p->shown_ns >= PROGRESS_EVERY_MS * STAMP_NS_PER_MS;
}

void progress_show(struct progress *p, uint64_t done_bytes, uint64_t total_bytes)
{
	int64_t now_ns = progress_now();
	double seconds = (double)(now_ns - p->started_ns) / 1e9;
	double mb = (double)done_bytes / 1e6;

	p->shown = true;
	p->shown_ns = now_ns;
	fputs("\r\033[K", stderr);
	if (total_bytes)
		fprintf(stderr, "%3.0f %%  ", 100.0 * (double)done_bytes / (double)total_bytes);
	fprintf(stderr, "%.0f MB, %.0f MB/s", mb, seconds > 0 ? mb / seconds : 0);
	fflush(stderr);
}
