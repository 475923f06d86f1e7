/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about kernel logs share: whom a line is about, and wordings. */
#ifndef DIAGNOSE_RULES_LOG_COMMON_H
#define DIAGNOSE_RULES_LOG_COMMON_H

#include "diagnose/rule.h"
#include "model/logs.h"

/* The one host to which all RPC on the wire goes; NULL: there are several, or none. */
const struct endpoint *log_only_server(const struct rule_input *in);

/* Text from a log, safe for a terminal, in the diagnosis' arena. */
const char *log_text(struct diagnosis *d, const char *text);

/* "host app-01", or "the host of client1 (a folder)". */
const char *log_host_text(struct diagnosis *d, const struct logs_host *host);

/*
 * Names host and server of a complaint. An address joins the finding with those of the wire. A name
 * does so if all RPC in the captures goes to one server: then that is the one, which is said.
 */
void log_finding_about(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		       const struct logs_subject *of);

/*
 * The same for a line of a server's about a client. A name joins the finding with those of the wire
 * if a client calls itself so in its lock requests.
 */
void log_finding_about_client(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			      const struct logs_subject *of);

/* A finding about what the messages of a tally tell, with their host, server, times and number. */
struct finding *log_finding_begin(const struct rule_input *in, struct diagnosis *d, const char *id,
				  enum finding_confidence confidence, const struct logs_tally *t);

/* Cites those of the messages that are kept, each with the same words. */
void log_finding_cite(struct diagnosis *d, struct finding *f, const struct logs_tally *t,
		      const char *words);

/* The server as a log names it; "a server" when it does not. */
const char *log_server_text(struct diagnosis *d, const struct logs_subject *of);

/* Widens first..last of the finding by the place; a place of another clock is left out. */
void log_finding_span(struct finding *f, const struct provenance *at);

/* Nanoseconds from one to the other; false when the two cannot be compared. */
bool log_elapsed_ns(const struct provenance *from, const struct provenance *to, int64_t *ns);

/*
 * " The log's times are those of the captures to within 50 ms." where a line's log was joined with
 * the captures; "" else.
 */
const char *log_exactness_text(const struct rule_input *in, struct diagnosis *d,
			       const struct provenance *line);

/* "13 (EACCES)", "10013 (NFS4ERR_GRACE)": an error of a kernel, of either sign. */
const char *log_error_text(struct diagnosis *d, int64_t error);

const char *log_duration_text(struct diagnosis *d, int64_t ns);

#endif
