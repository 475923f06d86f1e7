/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the views of `nfsleuth show` have in common: one view a file. */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

#include "cmd/filter.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "cmd/sorter.h"

struct show {
	const struct options *options;
	struct filter filter;
	struct run run;
	struct output output;
	struct sorter *sorter; /* NULL: lines are written as they come */
	struct strbuf line;    /* the text under way */
	const char *heading;   /* still to be written before the first line; NULL: none */
	int64_t day;           /* of the last line written by show_line, days since 1970 */
};

struct show_view {
	const char *name;
	enum run_detail detail; /* how much of the calls it looks at */
	bool sortable;          /* makes lines by show_line */
	bool ordered;           /* its lines are always in order of time */
	bool filtered;          /* heeds show->filter */
	bool wants_unknown;     /* lines that nobody understands: run->unknown */
	const char *heading;    /* before the first line of text; NULL: none */

	/* Before the run: makes the view's state and attaches it to show->run.board. */
	void *(*create)(struct show *s);

	/* After the run: writes what was not written yet. */
	void (*finish)(struct show *s, void *state);
	void (*destroy)(void *state);
};

extern const struct show_view show_view_calls;
extern const struct show_view show_view_ops;
extern const struct show_view show_view_conns;
extern const struct show_view show_view_clients;
extern const struct show_view show_view_sessions;
extern const struct show_view show_view_locks;
extern const struct show_view show_view_dirs;
extern const struct show_view show_view_tasks;
extern const struct show_view show_view_waits;
extern const struct show_view show_view_timeline;
extern const struct show_view show_view_summary;
extern const struct show_view show_view_unknown;

/*
 * Ends the line in show->line: it is written now, or sorted by this key. In text, a line with the
 * date goes before the first line of each day.
 */
void show_line(struct show *s, struct stamp at, uint32_t evidence, uint64_t frame);

/* Writes and empties show->line, as it is. */
void show_flush(struct show *s);

/* The id of the evidence: "e1". */
const char *show_evidence(const struct show *s, uint32_t index);

/* Blanks up to the column, counted from `start`, and one blank at least. */
void show_pad(struct strbuf *line, size_t start, size_t columns);

#endif
