/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One interface for all forms of a report: a diagnosis goes in, bytes come out. A writer never
 * decides: what is a cause, and in which order things are told, was settled before.
 */
#ifndef REPORT_WRITER_H
#define REPORT_WRITER_H

#include "base/strbuf.h"
#include "diagnose/finding.h"
#include "event/evidence.h"

enum { REPORT_WIDTH_PIPE = 100, REPORT_WIDTH_MIN = 40, REPORT_WIDTH_MAX = 140 };

enum { REPORT_NOT_KEPT_MAX = 40 };

/* What was looked at, in numbers: without them "nothing found" means little. */
struct report_totals {
	uint64_t frames;
	uint64_t connections;     /* TCP */
	uint64_t rpc_connections; /* of these, with RPC in them */
	uint64_t udp_pairs;       /* pairs of ports with RPC by UDP */
	uint64_t calls;
	uint64_t replies;
	uint64_t unanswered;
	uint64_t undecoded; /* calls and replies that could not be decoded to their end */
	uint64_t kinds;     /* of fault that were looked for: ids of findings, with a page each */
	uint64_t files_passed; /* files in the directories given that are no captures */
	/* What no table had room for: first what has a number, as it was let go for newer ones. */
	struct report_not_kept {
		const char *what; /* "connections that had ended" */
		uint64_t count;   /* 0: some, of what came when there was no room */
	} not_kept[REPORT_NOT_KEPT_MAX];
	size_t not_kept_len;
};

struct report_input {
	const struct diagnosis *diagnosis;
	const struct evidence_list *evidence;
	struct report_totals totals;
};

struct report_options {
	bool colour;  /* the reader is a terminal that shows colours */
	size_t width; /* columns, REPORT_WIDTH_MIN..REPORT_WIDTH_MAX */
	/*
	 * The reader has seen on standard error which files could not be read: a report for people
	 * that has nothing else to say does not say it again.
	 */
	bool unread_told;
	/*
	 * Takes what there is of a long report and empties it, so that it never stands in memory
	 * as a whole. May be NULL.
	 */
	void (*flush)(void *context, struct strbuf *text);
	void *flush_context;
};

/* A writer asks after each part: what is there is flushed once it is worth it. */
enum { REPORT_FLUSH_BYTES = 64 << 10 };

static inline void report_flush(const struct report_options *options, struct strbuf *text)
{
	if (options->flush && text->len > REPORT_FLUSH_BYTES)
		options->flush(options->flush_context, text);
}

struct report_writer {
	const char *name;
	void (*write)(const struct report_input *in, const struct report_options *options,
		      struct strbuf *out);
};

/* For people; for programs (schema nfsleuth.diagnosis/1). */
extern const struct report_writer report_text;
extern const struct report_writer report_json;

#endif
