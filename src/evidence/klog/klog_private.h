/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the reader of kernel logs share; nobody else includes this. */
#ifndef EVIDENCE_KLOG_PRIVATE_H
#define EVIDENCE_KLOG_PRIVATE_H

#include "evidence/klog/klog.h"

enum {
	KLOG_NAME_BYTES_MAX = 256,
	KLOG_MESSAGE_BYTES_MAX = 8 << 10,
	KLOG_YEARS_MAX = 200,
	KLOG_WRAP_BYTES_MAX = 1024, /* of a line that may be the rest of another */
	KLOG_WRAP_SLACK = 4,        /* blanks between words of a table */
	KLOG_PIECES_MAX = 16,       /* that one line was wrapped to */
};

/* How the lines of the file were wrapped by a mail or terminal, if they were. */
struct klog_wrap {
	size_t columns; /* 0: they were not */
	bool hard;      /* in the middle of words */
};

/* A line that may be the rest of another. */
struct klog_piece {
	uint8_t bytes[KLOG_WRAP_BYTES_MAX];
	struct slice text; /* without quotes; in `bytes` */
	size_t columns;    /* of the line as it stood there */
	bool has_head;
};

/* How the journal's entries are written in the file at hand, between two of which nothing is. */
enum klog_entry_form { KLOG_ENTRY_NONE, KLOG_ENTRY_EXPORT, KLOG_ENTRY_VERBOSE, KLOG_ENTRY_JSON };

/* An entry of the journal, as far as it was read. */
struct klog_entry {
	uint64_t line;                /* of its message; 0: none yet */
	int64_t realtime_us, boot_us; /* -1: not told */
	bool head_told;               /* by `head`, and not by realtime_us */
	struct klog_head head;
	char host[KLOG_NAME_BYTES_MAX];
	char tag[KLOG_NAME_BYTES_MAX];
	size_t host_len, tag_len, message_len;
	uint8_t message[KLOG_MESSAGE_BYTES_MAX];
};

struct klog {
	struct source *source;
	struct klog_stats stats;
	uint64_t line; /* number of the line at hand */
	bool has_head; /* `rest` begins with this head */
	struct klog_head head;
	struct slice rest;
	int32_t month, year;             /* of the last line that told no year */
	enum klog_entry_form entry_form; /* of the entry that we are inside of */
	struct klog_wrap wrap;
	bool wrapped;           /* each line is an object that holds one of a log */
	bool json;              /* the whole file is entries of the journal in JSON */
	struct slice json_rest; /* of the line at hand, behind the entry handed out last */
	bool in_record;         /* the last line was a record of /dev/kmsg */
	/* Not zeroed: valid once an entry, or a line, was begun. */
	struct klog_entry entry, done;
	uint8_t bytes[KLOG_LINE_BYTES_MAX];
};

/* --- klog_text.c --- */

/*
 * Takes out colours and carriage returns, in place, and blanks at the end; entities of HTML become
 * what they stand for.
 */
struct slice klog_text_clean(uint8_t *bytes, size_t len);

/* Without "> " or ">> " of a mail before it; ">>> " is a prompt. */
struct slice klog_text_unquote(struct slice text);

/* Characters of a line, in UTF-8. */
size_t klog_text_columns(struct slice raw);

void klog_piece_make(struct klog_piece *p, struct slice raw);

/*
 * Whether the file's lines were wrapped: a sample of it shows lines of the log that are followed by
 * one without a head, and nearly each of these is so wide that the next word found no room.
 */
void klog_wrap_survey(struct source *source, struct klog_wrap *out);

/* The next line is the rest of the one before, which was so many columns wide. */
bool klog_wrap_joins(const struct klog_wrap *w, struct slice before, size_t columns,
		     const struct klog_piece *next);

/* --- klog_export.c --- */

void klog_entry_begin(struct klog *k, enum klog_entry_form form);
void klog_entry_field(struct klog *k, struct slice name, struct slice value);

/* Hands the entry on, if it has a message. Messages of several lines are told by their first. */
bool klog_entry_finish(struct klog *k, struct klog_line *out);

/* A line of the journal's export format; true when it ends an entry, which is *out. */
bool klog_export_take(struct klog *k, struct slice line, struct klog_line *out);

/*
 * A line of the journal at full length (journalctl -o verbose); true when it ends an entry, *out:
 * the next begins with it.
 */
bool klog_verbose_take(struct klog *k, struct slice line, struct klog_line *out);

/* The entry that was under way when the file ended. */
bool klog_entry_end(struct klog *k, struct klog_line *out);

/* --- klog_json.c: the journal in JSON (journalctl -o json, json-pretty, json-seq, json-sse) --- */

/* A text that is unescaped, or bytes that were listed; cut where there is no more room. */
struct klog_value {
	uint8_t bytes[KLOG_MESSAGE_BYTES_MAX];
	size_t len;
};

/* Takes what stands behind a quotation mark, up to the next one or the end of the line. */
void klog_json_text(struct slice *rest, struct klog_value *v);

/* True when the document begins with such an entry, by the fields that all of them have. */
bool klog_json_may_hold(struct source *source);

/* What is left of a line, or a new one; true when it ends an entry, which is *out. */
bool klog_json_take(struct klog *k, struct slice line, struct klog_line *out);

/* --- klog_wrapped.c: an object in each line that holds a line of a log and its time --- */

/* True when the first line is such an object. */
bool klog_wrapped_may_hold(struct source *source);

/*
 * The line that the object in `line` holds, put into k->bytes. With *timed `head` is valid, of no
 * bytes: time, host, and whether the kernel wrote it. Empty: there is none.
 */
struct slice klog_wrapped_take(struct klog *k, struct slice line, struct klog_head *head,
			       bool *timed);

#endif
