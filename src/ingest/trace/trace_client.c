// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client's trace tells of recovery: the tracepoints nfs4_* (fs/nfs/nfs4trace.h), which print
 * "error=-10052 (BADSESSION)" and mostly the server as dstaddr.
 */
#include "ingest/trace/traces_private.h"

#include "names/nfs4.h"

static const struct {
	const char *event;
	enum ladder_step step;
	bool failures_only; /* each call has such a line: those that went well are of no interest */
} steps[] = {
	{"nfs4_sequence_done", LADDER_SEQUENCE, true},
	{"nfs4_renew", LADDER_RENEW, true},
	{"nfs4_renew_async", LADDER_RENEW, true},
	{"nfs4_exchange_id", LADDER_EXCHANGE_ID, false},
	{"nfs4_create_session", LADDER_CREATE_SESSION, false},
	{"nfs4_destroy_session", LADDER_DESTROY_SESSION, false},
	{"nfs4_setclientid", LADDER_SETCLIENTID, false},
	{"nfs4_setclientid_confirm", LADDER_SETCLIENTID_CONFIRM, false},
	{"nfs4_reclaim_complete", LADDER_RECLAIM_COMPLETE, false},
};

/* "-10052" of "error=-10052 (BADSESSION)": as a positive number; 0: it went well. */
static bool error_parse(struct slice text, int64_t *out)
{
	return text_number(text_begins(text, "-") ? text_after(text, 1) : text, out);
}

/* rpc_socket_*: "... srcaddr=192.0.2.21:751 dstaddr=192.0.2.10:2049 state=..." */
static bool take_socket(struct traces *t, const struct trace_line *line)
{
	struct trace_path path;

	if (!text_begins(line->event, "rpc_socket_") ||
	    !trace_address_parse(trace_value(line->rest, "srcaddr"), &path.local) ||
	    !trace_address_parse(trace_value(line->rest, "dstaddr"), &path.peer))
		return false;
	t->paths[t->paths_told++ % TRACE_PATHS] = path;
	trace_take_peer(t, line, &path.peer);
	return true;
}

static void find_client(const struct traces *t, struct ladder_fact *f)
{
	size_t count = t->paths_told < TRACE_PATHS ? t->paths_told : TRACE_PATHS;

	for (size_t i = 0; f->has_server && i < count && !f->has_client; i++)
		if (endpoint_same_host(&t->paths[i].peer, &f->server_at)) {
			f->has_client = true;
			f->client_at = t->paths[i].local;
		}
}

bool trace_take_client(struct traces *t, const struct trace_line *line)
{
	struct ladder_fact f = {0};
	int64_t error;
	size_t i = 0;

	if (take_socket(t, line))
		return true;
	while (i < sizeof(steps) / sizeof(steps[0]) &&
	       !slice_equal(line->event, slice_of_string(steps[i].event)))
		i++;
	if (i == sizeof(steps) / sizeof(steps[0]) ||
	    !error_parse(trace_value(line->rest, "error"), &error))
		return false;
	if (error == 0 && steps[i].failures_only)
		return true;
	f.step = steps[i].step;
	/* NFSv4's own statuses are above all of errno. */
	f.status = error >= NFS4ERR_BADHANDLE ? error : -error;
	f.server = trace_keep(t, trace_value(line->rest, "dstaddr"));
	f.has_server = f.server.len && log_address_parse(f.server, &f.server_at);
	find_client(t, &f);
	trace_add(t, TRACE_LADDER, &f, sizeof(f));
	return true;
}
