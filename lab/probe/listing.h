/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `nfsleuth probe list`: how long a directory takes to be listed by 1, 2, 4 ... processes of one
 * client, over one connection of NFSv3.
 *
 * Kernels differ in what they let go on at once. Those that lock a directory for reading keep a
 * READDIR of each process in flight ("shared"; Linux since 93a6ab7b691f, 5.6); those that lock it
 * for writing have one in flight for the directory, whoever it is for ("exclusive"; since
 * b044f6451384, 4.10). Each process reads the whole of it by itself: the page cache, in which the
 * second would find what the first has read, is left out.
 */
#ifndef LAB_PROBE_LISTING_H
#define LAB_PROBE_LISTING_H

#include "base/strbuf.h"
#include "lab/probe/words.h"

enum {
	LISTING_PROCESSES_MAX = 256,
	LISTING_ROWS_MAX = 32,
};

enum listing_lock { LISTING_SHARED, LISTING_EXCLUSIVE };

/* One run. */
struct listing_row {
	enum listing_lock lock;
	uint32_t processes;
	int64_t took_ns; /* until the last of them was done */
	uint64_t calls;
	uint64_t entries; /* of all of them */
};

struct listing_report {
	bool plus; /* READDIRPLUS */
	uint32_t page_bytes;
	size_t len;
	struct listing_row rows[LISTING_ROWS_MAX];
};

/*
 * Lists words->dir in words->export, with words->processes at most. Fails when the server cannot
 * be reached, refuses, or answers nothing for long.
 */
struct err *probe_list(const struct probe_words *words, double speed, struct listing_report *out);

/*
 * Least squares of log time over log processes: the exponent with which time grows, 1 where each
 * process adds as much. False with less than two rows.
 */
bool listing_fit(const struct listing_report *report, enum listing_lock lock, double *exponent);

void listing_report_add_text(const struct listing_report *report, struct strbuf *out);
void listing_report_add_json(const struct listing_report *report, struct strbuf *out);

#endif
