/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for the statistics in /proc/self/mountstats, line by line. The head of a
 * mount
 * ("device ... mounted on ...") and its options are mount_line.h's.
 */
#ifndef EVIDENCE_MOUNTSTATS_H
#define EVIDENCE_MOUNTSTATS_H

#include "event/mount_stats.h"

enum mountstats_kind {
	MOUNTSTATS_OTHER,
	MOUNTSTATS_AGE,    /* values[0]: seconds */
	MOUNTSTATS_EVENTS, /* values */
	MOUNTSTATS_XPRT,   /* `name` is the transport ("tcp", "udp", "rdma"), values behind it */
	MOUNTSTATS_OP,     /* `name` is the operation's, values */
};

enum { MOUNTSTATS_VALUES_MAX = MOUNT_EVENTS_MAX, MOUNTSTATS_OP_VALUES_MIN = 8 };

struct mountstats_line {
	enum mountstats_kind kind;
	struct slice name;
	uint64_t values[MOUNTSTATS_VALUES_MAX];
	uint32_t len;
};

/* Reads one line; kind MOUNTSTATS_OTHER for what is none of it. Numbers that overflow are largest.
 */
void mountstats_parse(struct slice line, struct mountstats_line *out);

#endif
