/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The evidence reader for /proc/fs/nfsd/clients/N/info, line by line; with the path before each
 * line, as `grep -H .` prints it, or without.
 */
#ifndef EVIDENCE_NFSD_CLIENT_LINE_H
#define EVIDENCE_NFSD_CLIENT_LINE_H

#include "event/host.h"

enum nfsd_client_line_kind {
	NFSD_CLIENT_LINE_OTHER,
	NFSD_CLIENT_LINE_BEGIN, /* "clientid:", the first of a client */
	NFSD_CLIENT_LINE_MORE,
};

struct nfsd_client_line {
	enum nfsd_client_line_kind kind;
	/* Borrowed from the line; len 0: not in this one. */
	struct slice address; /* without the port */
	struct slice name, implementation;
};

/* Sets in *fact what the line tells, but its texts and its address (only the port). */
void nfsd_client_line_parse(struct slice line, struct nfsd_client_fact *fact,
			    struct nfsd_client_line *out);

/*
 * The line, trimmed, without "/proc/fs/nfsd/clients/4/info:" before it; `mark` is the end of that,
 * "/info:".
 */
struct slice nfsd_client_line_without_path(struct slice line, const char *mark);

#endif
