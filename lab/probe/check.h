/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `nfsleuth probe check`: a server layer by layer (TCP, rpcbind, each program, MOUNT, NFSv3, the
 * state of NFSv4.0, 4.1 and 4.2, NLM, NSM), how long each took and where it stops. Leaves nothing
 * behind at the server: client IDs and sessions are destroyed again (4.0's runs out).
 */
#ifndef LAB_PROBE_CHECK_H
#define LAB_PROBE_CHECK_H

#include "base/strbuf.h"
#include "lab/probe/words.h"

enum {
	CHECK_ROWS_MAX = 48,
	CHECK_DETAIL_BYTES = 160,
};

enum check_outcome {
	CHECK_OK,
	CHECK_ABSENT,  /* the server does not offer it: no failure */
	CHECK_SKIPPED, /* what stands before it failed */
	CHECK_FAILED,
};

struct check_row {
	const char *layer; /* "NFS", "NFSv4.1" */
	const char *step;  /* "connect", "NULL" */
	uint16_t port;     /* 0: none */
	enum check_outcome outcome;
	int64_t took_ns;
	char detail[CHECK_DETAIL_BYTES];
};

struct check_report {
	size_t len;
	struct check_row rows[CHECK_ROWS_MAX];
};

/*
 * Runs all checks once. words->export is mounted unless it is "/" and the server says no; vers=
 * limits NFS to one version; timeo= is how long each step may take (5 s without it).
 */
struct err *probe_check(const struct probe_words *words, double speed, struct check_report *out);

/* The first step that failed, or NULL. */
const struct check_row *check_report_stop(const struct check_report *report);

void check_report_add_text(const struct check_report *report, const char *server,
			   struct strbuf *out);
/* One object, with a line break behind it. */
void check_report_add_json(const struct check_report *report, const char *server,
			   struct strbuf *out);

#endif
