/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the reader of kernel logs share; nobody else includes this. */
#ifndef EVIDENCE_KLOG_PRIVATE_H
#define EVIDENCE_KLOG_PRIVATE_H

#include "evidence/klog.h"

enum { KLOG_NAME_BYTES_MAX = 256, KLOG_MESSAGE_BYTES_MAX = 8 << 10, KLOG_YEARS_MAX = 200 };

/* An entry of the journal, as far as it was read. */
struct klog_entry {
	uint64_t line;                /* of its message; 0: none yet */
	int64_t realtime_us, boot_us; /* -1: not told */
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
	int32_t month, year; /* of the last line that told no year */
	bool in_entry;       /* inside of a journal entry */
	struct klog_entry entry, done;
	uint8_t bytes[KLOG_LINE_BYTES_MAX];
};

/* A line of the journal's export format; true when it ends an entry, which is *out. */
bool klog_export_take(struct klog *k, struct slice line, struct klog_line *out);

/* The entry that was under way when the file ended. */
bool klog_export_end(struct klog *k, struct klog_line *out);

#endif
