/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for kernel logs: dmesg in all its ways to tell the time, /dev/kmsg, syslog,
 * the journal (text, export format, JSON), quoted or wrapped in mails, from web pages or found by
 * grep.
 *
 * It finds the lines of the log in whatever text there is around them, takes their head apart, and
 * hands on the message. What the message means is nothing to it. Times are those of the line: a
 * year or zone that the line does not tell is not known (see klog_head.h). Memory is bounded: a
 * line is cut after KLOG_LINE_BYTES_MAX.
 */
#ifndef EVIDENCE_KLOG_H
#define EVIDENCE_KLOG_H

#include "capfile/source.h"
#include "evidence/klog/klog_head.h"

enum { KLOG_LINE_BYTES_MAX = 64 << 10 };

struct klog_line {
	uint64_t line;         /* number in the file, from 1, as `sed -n` counts */
	bool plain;            /* a line without a head: `head` is empty */
	struct klog_head head; /* host and tag are borrowed as the text is */
	struct slice text;     /* the message; borrowed until the next line */
};

struct klog_stats {
	uint64_t lines;         /* of the file */
	uint64_t kernel_lines;  /* with a message of the kernel */
	uint64_t untimed_lines; /* of these, told without a time (dmesg -H, -d) */
	uint64_t other_lines;   /* of other programs in the same log */
	uint64_t plain_lines;   /* without a head, and not blank */
	uint64_t cut_lines;     /* longer than the cap */
	uint64_t cut_first;     /* number of the first one */
	bool journal; /* some lines were entries of the journal, in its export format or the like */
	const char *fault; /* why the input ended early, valid as long as the source; NULL: it did
			      not */
};

struct klog;

/*
 * False for a document of braces that is not the journal, nor has a line of a log and its time in
 * each line: that is somebody's data about a log (a report of ours, say) and no log. Takes nothing
 * from the source.
 */
bool klog_may_hold(struct source *source);

/* Reads from a source that stays the caller's. Never NULL. */
struct klog *klog_create(struct source *source);

/* klog_destroy(NULL) is fine. */
void klog_destroy(struct klog *k);

/* The next line, with a head or plain; false at the end. Blank lines are left out. */
bool klog_next(struct klog *k, struct klog_line *out);

void klog_get_stats(const struct klog *k, struct klog_stats *out);

#endif
