/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs and a wire that the test plays, settled together: for tests of clocks of logs.
 */
#ifndef LOG_STAND_H
#define LOG_STAND_H

#include "base/strbuf.h"
#include "capfile/source.h"
#include "check.h"
#include "ingest/log/log.h"
#include "script.h"

#include <stdlib.h>

enum { NFS = 100003, NLM = 100021 };

struct stand {
	struct script script;
	struct evidence_list evidence;
	struct logs *logs;
	struct conn nfs, nlm;
	struct stamp first;          /* of the first fact */
	struct stamp complained, ok; /* of the last "not responding" and "OK" */
	size_t facts;
	struct endpoint host_at; /* of the first fact; port 0 and no address: not told */
};

static inline void take_fact(void *context, const struct event *e)
{
	struct stand *s = context;

	if (e->log->kind == LOG_NOT_RESPONDING)
		s->complained = e->at.at;
	if (e->log->kind == LOG_RESPONDING)
		s->ok = e->at.at;
	if (s->facts++ == 0) {
		s->first = e->at.at;
		if (e->log->has_host_at)
			s->host_at = e->log->host_at;
	}
}

/* The wire is e1, logs follow. */
static inline struct stand *stand_make(const struct log_options *options)
{
	struct stand *s = calloc(1, sizeof(*s));

	s->script = script_make();
	s->nfs = script_conn(1, "192.0.2.21", 801, "192.0.2.10", 2049);
	s->nlm = script_conn(2, "192.0.2.21", 802, "192.0.2.10", 40001);
	evidence_list_init(&s->evidence);
	evidence_list_add(&s->evidence, "app/capture.pcap", EVIDENCE_PCAP);
	s->logs = logs_create(options, &s->evidence);
	event_board_add(&s->script.board, EVENT_LOG, take_fact, s);
	return s;
}

static inline void stand_free(struct stand *s)
{
	logs_destroy(s->logs);
	evidence_list_deinit(&s->evidence);
	free(s);
}

static inline void log_add(struct stand *s, const char *path, const char *text)
{
	struct source *source = source_create_memory(slice_of_string(text));

	CHECK(logs_read(s->logs, (uint32_t)s->evidence.items.len, path, stamp_none(), source));
	evidence_list_add(&s->evidence, path, EVIDENCE_KERNEL_LOG);
	source_destroy(source);
}

/* A call that is answered after this many seconds; 0: never. */
static inline void wait_play(struct stand *s, double at, const struct conn *c, uint32_t program,
			     double seconds)
{
	struct rpc_call rpc = {.conn = c,
			       .program = program,
			       .version = program == NFS ? 3 : 4,
			       .has_call = true,
			       .outcome = RPC_NO_REPLY};

	script_rpc(&s->script, at, EVENT_RPC_CALL, &rpc);
	if (seconds > 0) {
		rpc.outcome = RPC_SUCCESS;
		script_rpc(&s->script, at + seconds, EVENT_RPC_REPLY, &rpc);
	}
}

static inline void settle(struct stand *s)
{
	logs_settle(s->logs, script_at(0));
	logs_emit(s->logs, &s->script.board);
}

/* True when some note of the evidence has these words. */
static inline bool has_note(const struct stand *s, uint32_t evidence, const char *words)
{
	const struct evidence *e = evidence_list_at(&s->evidence, evidence);

	for (size_t i = 0; i < e->notes.len; i++)
		if (strstr(*(const char **)vec_at(&e->notes, i), words))
			return true;
	return false;
}

static const struct log_options no_options;

#endif
