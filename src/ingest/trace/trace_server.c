// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server's trace tells of its NFSv4 clients and sessions: the tracepoints nfsd_clid_* and
 * nfsd_compound_status (fs/nfsd/trace.h), and probes that somebody put on functions of
 * fs/nfsd/nfs4state.c, by the function's name and not by that of the probe:
 *
 *	nfsd-172 [000] ...1. 15.574934: p_lookup: (find_in_sessionid_hashtbl+0x0/0xf0 [nfsd])
 *	nfsd-172 [000] ...1. 15.575178: r_lookup: (nfsd4_sequence+0x1/0x8 <- find_in_sess...)
 *ret=0x0
 *
 * A confirmed client is thrown out inside of CREATE_SESSION when, and only when, its owner has come
 * with another verifier or principal (nfsd4_create_session: find_confirmed_client_by_name). Below
 * EXCHANGE_ID it is a record that was never confirmed, which tells nothing. Below
 * SETCLIENTID_CONFIRM it is the same where the call moves the new client to the confirmed ones
 * before (move_to_confirmed); else it is a record for an update of the callback's address.
 */
#include "base/hash.h"
#include "evidence/line/stack_line.h"
#include "ingest/trace/traces_private.h"
#include "names/nfs4.h"

/* Two functions probed in one call are this close. */
#define ONE_CALL_NS (100 * STAMP_NS_PER_MS)

/* "6b02414d:3ea42ef8": when the server started, and the client's number. */
static bool clientid_parse(struct slice text, uint64_t *out)
{
	const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
	uint64_t boot, number;

	if (!colon ||
	    !trace_hex_parse(slice_make(text.ptr, (size_t)(colon - text.ptr)), 8, &boot) ||
	    !trace_hex_parse(text_after(text, (size_t)(colon - text.ptr) + 1), 8, &number))
		return false;
	*out = boot << 32 | number;
	return true;
}

/* "client 6b02414d:3ea42ef9 verf=0x..., updated=0x... from addr=...": class nfsd_clid_*. */
static bool client_take(const struct trace_line *line, struct clid_fact *f)
{
	struct slice rest = line->rest;

	if (!text_begins(rest, "client ") || !text_holds(rest, ":"))
		return clientid_parse(trace_value(rest, "client"), &f->clientid);
	rest = text_after(rest, 7);
	return clientid_parse(text_word(&rest), &f->clientid);
}

static const struct {
	const char *event;
	enum clid_fact_kind kind;
} events[] = {
	{"nfsd_clid_fresh", CLID_FRESH},         {"nfsd_clid_verf_mismatch", CLID_REPLACED},
	{"nfsd_clid_confirmed", CLID_CONFIRMED}, {"nfsd_clid_expired", CLID_GONE},
	{"nfsd_clid_expire_unconf", CLID_GONE},  {"nfsd_clid_destroyed", CLID_GONE},
	{"nfsd_clid_admin_expired", CLID_GONE},  {"nfsd_clid_purged", CLID_GONE},
	{"nfsd_clid_stale", CLID_STALE},
};

static bool fact_parse(const struct trace_line *line, struct clid_fact *f)
{
	size_t i = 0;

	*f = (struct clid_fact){0};
	while (i < sizeof(events) / sizeof(events[0]) &&
	       !slice_equal(line->event, slice_of_string(events[i].event)))
		i++;
	if (i == sizeof(events) / sizeof(events[0]) || !client_take(line, f))
		return false;
	f->kind = events[i].kind;
	f->has_client = trace_address_parse(trace_value(line->rest, "addr"), &f->client);
	switch (f->kind) {
	case CLID_FRESH:
		f->name = trace_value(line->rest, "name");
		return trace_hex_parse(trace_value(line->rest, "verifier"), 16, &f->verifier);
	case CLID_REPLACED:
		return trace_hex_parse(trace_value(line->rest, "verf"), 16, &f->old_verifier) &&
		       trace_hex_parse(trace_value(line->rest, "updated"), 16, &f->verifier);
	case CLID_CONFIRMED:
	case CLID_GONE:
	case CLID_EXPELLED:
	case CLID_SESSION_MISSED:
	case CLID_SESSION_ENDED:
	case CLID_STARTED:
	case CLID_GRACE_OVER:
	case CLID_STALE:
	case CLID_USED:
	case CLID_GIVEN:
		break;
	}
	return true;
}

/* nfsd_grace_start: boot_time=        6b08a416 */
static bool take_grace(struct traces *t, const struct trace_line *line)
{
	struct clid_fact f = {.kind = CLID_STARTED};
	struct slice boot = text_find(line->rest, "boot_time=");

	if (!text_begins(line->event, "nfsd_grace_"))
		return false;
	boot = text_trim(text_after(boot, 10));
	if (!trace_hex_parse(text_word(&boot), 16, &f.clientid))
		return true;
	f.clientid <<= 32;
	if (slice_equal(line->event, slice_of_string("nfsd_grace_complete")))
		f.kind = CLID_GRACE_OVER;
	else if (!slice_equal(line->event, slice_of_string("nfsd_grace_start")))
		return true;
	trace_add(t, TRACE_CLID, &f, sizeof(f));
	return true;
}

/*
 * The start in the client ID of any event of nfsd: told when it is another one than before. Only
 * what concerns the server's own table tells that it is the server's; the rest is what clients use.
 */
static bool take_any_client(struct traces *t, const struct trace_line *line)
{
	struct clid_fact f = {.kind = CLID_USED};
	struct slice rest = text_find(line->rest, "client ");
	bool given = text_begins(line->event, "nfsd_clid_") &&
		     !text_begins(line->event, "nfsd_clid_renew") &&
		     !text_begins(line->event, "nfsd_clid_stale");

	if (!text_begins(line->event, "nfsd_"))
		return false;
	rest = text_after(rest, 7);
	if (!clientid_parse(text_word(&rest), &f.clientid))
		return false;
	if (f.clientid >> 32 == t->boot && (t->boot_is_given || !given))
		return true;
	if (given)
		f.kind = CLID_GIVEN;
	t->boot = (uint32_t)(f.clientid >> 32);
	t->boot_is_given = given;
	trace_add(t, TRACE_CLID, &f, sizeof(f));
	return true;
}

static void tell(struct traces *t, const struct trace_thread *th, enum clid_fact_kind kind)
{
	struct clid_fact f = {.kind = kind, .has_client = th->has_client, .client = th->client};

	/* A recording that tells whose call it is tells more than one that does not. */
	t->hash = hash_fold(t->hash, th->has_client) | 1;
	trace_add(t, TRACE_CLID, &f, sizeof(f));
}

/* The confirmed client of that owner went, for the one that comes: told once for each call. */
static void tell_expelled(struct traces *t, struct trace_thread *th)
{
	/* Where nothing else was probed in between, time tells that it is another call. */
	if (!th->told_expelled || t->boot_ns - th->expelled_ns > ONE_CALL_NS)
		tell(t, th, CLID_EXPELLED);
	th->told_expelled = true;
	th->expelled_ns = t->boot_ns;
}

static void tell_missed(struct traces *t, struct trace_thread *th)
{
	/* Where nothing else was probed in between, time tells that it is another call. */
	if (!th->told_missed || t->boot_ns - th->missed_ns > ONE_CALL_NS)
		tell(t, th, CLID_SESSION_MISSED);
	th->told_missed = true;
	th->missed_ns = t->boot_ns;
}

/* The next call of this thread. */
static void thread_begin(struct trace_thread *th)
{
	th->in_create = th->told_expelled = th->told_missed = th->awaits_stack = false;
	th->in_confirm = th->moved = false;
}

static const struct {
	const char *event;
	enum served_step step;
} served_events[] = {
	{"svc_process", SERVED_BEGUN},
	{"svc_send", SERVED_ENDED},
	{"svc_drop", SERVED_DROPPED},
	{"svc_defer", SERVED_PUT_OFF},
	{"svc_defer_queue", SERVED_TAKEN_UP},
	{"svc_defer_recv", SERVED_TAKEN_UP},
	{"svc_revisit_deferred", SERVED_TAKEN_UP}, /* older kernels */
	{"svc_defer_drop", SERVED_GIVEN_UP},
	{"svc_drop_deferred", SERVED_GIVEN_UP}, /* older kernels */
	{"cache_entry_upcall", SERVED_ASKED},
	{"cache_entry_update", SERVED_TOLD},
};

/* Whose call it is: addr=, or client= in newer kernels; rq_xid= in old ones. */
static void take_whose(const struct trace_line *line, struct served_fact *f)
{
	uint64_t xid;

	f->has_client = trace_address_parse(trace_value(line->rest, "addr"), &f->client) ||
			trace_address_parse(trace_value(line->rest, "client"), &f->client);
	f->has_xid = trace_hex_parse(trace_value(line->rest, "xid"), 8, &xid) ||
		     trace_hex_parse(trace_value(line->rest, "rq_xid"), 8, &xid);
	if (f->has_xid)
		f->xid = (uint32_t)xid;
}

/*
 * svc_process: addr=192.0.2.21:751 xid=0x537a5235 service=nfsd vers=4 proc=COMPOUND
 *
 * The thread is done with it when it sends (svc_send), drops (svc_drop) or puts it off (svc_defer).
 *
 * cache_entry_upcall: cache=nfsd.export entry=00000000a7b1
 */
static bool take_process(struct traces *t, const struct trace_line *line, struct trace_thread *th)
{
	struct served_fact f = {.pid = line->pid};
	size_t i = 0;

	while (i < sizeof(served_events) / sizeof(served_events[0]) &&
	       !slice_equal(line->event, slice_of_string(served_events[i].event)))
		i++;
	if (i == sizeof(served_events) / sizeof(served_events[0]))
		return false;
	f.step = served_events[i].step;
	if (f.step == SERVED_ASKED || f.step == SERVED_TOLD) {
		f.cache = trace_keep(t, trace_value(line->rest, "cache"));
		if (f.cache.len)
			trace_add(t, TRACE_SERVED, &f, sizeof(f));
		return true;
	}
	take_whose(line, &f);
	if (f.step == SERVED_BEGUN) {
		thread_begin(th);
		th->has_client = f.has_client;
		th->client = f.client;
		f.service = trace_keep(t, trace_value(line->rest, "service"));
		f.procedure = trace_keep(t, trace_value(line->rest, "proc"));
		t->served++;
	}
	trace_add(t, TRACE_SERVED, &f, sizeof(f));
	return true;
}

void trace_end_served(struct traces *t)
{
	struct served_fact f = {.step = SERVED_OVER};

	if (t->served == 0)
		return;
	t->boot_ns = t->last_ns;
	trace_add(t, TRACE_SERVED, &f, sizeof(f));
}

void trace_lose_served(struct traces *t)
{
	struct served_fact f = {.step = SERVED_LOST};

	if (t->served)
		trace_add(t, TRACE_SERVED, &f, sizeof(f));
}

/*
 * nfsd_compound_status: op=1/5 OP_SEQUENCE status=10052
 *
 * Minor version 0 has no sessions: there a client ID that is gone is answered EXPIRED.
 */
static bool take_status(struct traces *t, const struct trace_line *line, struct trace_thread *th)
{
	int64_t status;

	if (!slice_equal(line->event, slice_of_string("nfsd_compound_status")))
		return false;
	if (text_number(trace_value(line->rest, "status"), &status) &&
	    ((text_holds(line->rest, " OP_SEQUENCE ") && status == NFS4ERR_BADSESSION) ||
	     (text_holds(line->rest, " OP_RENEW ") && status == NFS4ERR_EXPIRED)))
		tell_missed(t, th);
	return true;
}

enum probe_kind {
	PROBE_LOOKUP,
	PROBE_CREATE,
	PROBE_EXCHANGE,
	PROBE_DESTROY,
	PROBE_EXPIRE,
	PROBE_CONFIRM, /* SETCLIENTID_CONFIRM */
	PROBE_MOVE,
	PROBE_RENEW, /* of minor version 0 */
};

static const struct {
	const char *function;
	enum probe_kind kind;
} probes[] = {
	{"find_in_sessionid_hashtbl", PROBE_LOOKUP},
	{"__find_in_sessionid_hashtbl", PROBE_LOOKUP},
	{"nfsd4_create_session", PROBE_CREATE},
	{"nfsd4_exchange_id", PROBE_EXCHANGE},
	{"nfsd4_destroy_session", PROBE_DESTROY},
	{"expire_client", PROBE_EXPIRE},
	{"unhash_client", PROBE_EXPIRE},
	{"unhash_client_locked", PROBE_EXPIRE},
	{"__destroy_client", PROBE_EXPIRE},
	{"nfsd4_setclientid_confirm", PROBE_CONFIRM},
	{"nfsd4_setclientid", PROBE_EXCHANGE},
	{"move_to_confirmed", PROBE_MOVE},
	{"nfsd4_renew", PROBE_RENEW},
};

/* "(function+0x0/0xf0 [nfsd])", or "(caller+0x1/0x2 [nfsd] <- function)" where it returns. */
static struct slice probed_function(struct slice rest, bool *returns)
{
	struct slice arrow = text_find(rest, " <- ");
	size_t len = 0;

	*returns = arrow.len != 0;
	if (!text_begins(rest, "("))
		return slice_make(NULL, 0);
	rest = *returns ? text_after(arrow, 4) : text_after(rest, 1);
	while (len < rest.len && text_is_name_byte(rest.ptr[len]) && rest.ptr[len] != '.')
		len++;
	return slice_make(rest.ptr, len);
}

/* The value that a probe of a function's return fetched, whatever somebody called it. */
static bool returned(struct slice rest, uint64_t *number)
{
	struct slice value = text_find(text_find(rest, ")"), "=");

	if (value.len == 0)
		return false;
	value = text_after(value, 1);
	return trace_hex_parse(text_word(&value), 16, number);
}

static bool returned_null(struct slice rest)
{
	uint64_t number;

	return returned(rest, &number) && number == 0;
}

/* nfsd's functions return their status as it goes over the wire: big endian. */
static bool returned_expired(struct slice rest)
{
	uint64_t number;

	return returned(rest, &number) && ((uint32_t)number == NFS4ERR_EXPIRED ||
					   __builtin_bswap32((uint32_t)number) == NFS4ERR_EXPIRED);
}

static void take_probe_of(struct traces *t, const struct trace_line *line, struct trace_thread *th,
			  enum probe_kind kind, bool returns)
{
	switch (kind) {
	case PROBE_LOOKUP:
		if (!returns)
			thread_begin(th);
		else if (returned_null(line->rest))
			tell_missed(t, th);
		break;
	case PROBE_CREATE:
		if (!returns)
			thread_begin(th);
		th->in_create = !returns;
		break;
	case PROBE_EXCHANGE:
		thread_begin(th);
		break;
	case PROBE_DESTROY:
		thread_begin(th);
		if (!returns)
			tell(t, th, CLID_SESSION_ENDED);
		break;
	case PROBE_EXPIRE:
		if (t->boot_ns - th->boot_ns > ONE_CALL_NS)
			th->told_expelled = false; /* nothing else was probed in between */
		if (th->in_create || (th->in_confirm && th->moved))
			tell_expelled(t, th);
		th->awaits_stack = !returns;
		th->line = t->line;
		th->boot_ns = t->boot_ns;
		break;
	case PROBE_CONFIRM:
		if (!returns)
			thread_begin(th);
		th->in_confirm = !returns;
		th->moved = false;
		break;
	case PROBE_MOVE:
		th->moved = true;
		break;
	case PROBE_RENEW:
		if (!returns)
			thread_begin(th);
		else if (returned_expired(line->rest))
			tell_missed(t, th);
		break;
	}
}

/* What is known of the probe at this address; NULL: nothing yet. */
static const struct trace_probed *probed_at(const struct traces *t, uint64_t address)
{
	for (size_t i = 0; i < TRACE_PROBED; i++)
		if (t->probed[i].address == address)
			return &t->probed[i];
	return NULL;
}

/*
 * trace-cmd and perf print addresses: "(ffffffffc0728ed0)", and where it returns "(ffffffffc0728ed0
 * <- ffffffffc072c833) ret=0x0". The stack behind the first one names the function.
 */
static bool take_address(struct traces *t, const struct trace_line *line, struct trace_thread *th)
{
	uint64_t address;
	bool returns = text_holds(line->rest, " <- ");
	const struct trace_probed *p;

	if (!text_begins(line->rest, "(") ||
	    !stack_address_parse(text_after(line->rest, 1), &address))
		return false;
	p = probed_at(t, address);
	if (p && p->probe >= 0)
		take_probe_of(t, line, th, probes[p->probe].kind, returns);
	if (!p && !returns) {
		th->awaits_name = true;
		th->probed = address;
		th->line = t->line;
		th->boot_ns = t->boot_ns;
	}
	return true;
}

/* The first function of the stack is the one that is probed. */
static void take_name(struct traces *t, struct trace_thread *th, struct slice function)
{
	const struct trace_line none = {.rest = slice_make(NULL, 0)};
	struct trace_probed p = {.address = th->probed, .probe = -1};

	th->awaits_name = false;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (slice_equal(function, slice_of_string(probes[i].function)))
			p.probe = (int)i;
	for (size_t i = 0; i < TRACE_PROBED; i++)
		if (t->probed[i].address == 0) {
			t->probed[i] = p;
			break;
		}
	if (p.probe < 0)
		return;
	t->line = th->line;
	t->boot_ns = th->boot_ns;
	take_probe_of(t, &none, th, probes[p.probe].kind, false);
}

static bool take_probe(struct traces *t, const struct trace_line *line, struct trace_thread *th)
{
	bool returns;
	struct slice function = probed_function(line->rest, &returns);
	/* trace-cmd and perf print a bare address: then the probe's name must do. */
	uint64_t address;
	bool by_name = stack_address_parse(text_after(line->rest, 1), &address) != 0;

	for (size_t i = 0; function.len && i < sizeof(probes) / sizeof(probes[0]); i++) {
		if (!slice_equal(function, slice_of_string(probes[i].function)) &&
		    !(by_name && text_holds(line->event, probes[i].function)))
			continue;
		take_probe_of(t, line, th, probes[i].kind, returns);
		return true;
	}
	return take_address(t, line, th);
}

void trace_take_frame(struct traces *t, struct trace_thread *th, struct slice function)
{
	static const char *const outer[] = {"nfsd4_exchange_id",         "nfsd4_setclientid",
					    "nfsd4_setclientid_confirm", "nfsd4_destroy_clientid",
					    "nfsd4_proc_compound",       "nfsd"};

	if (th->awaits_name)
		take_name(t, th, function);
	if (!th->awaits_stack)
		return;
	if (slice_equal(function, slice_of_string("nfsd4_create_session"))) {
		t->line = th->line;
		t->boot_ns = th->boot_ns;
		th->awaits_stack = false;
		tell_expelled(t, th);
		return;
	}
	for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++)
		if (slice_equal(function, slice_of_string(outer[i])))
			th->awaits_stack = false;
}

/* Of nfsd and lockd, with nothing for us in them. */
static bool is_other(struct slice event)
{
	return text_begins(event, "nfsd_") || text_begins(event, "nlmclnt_");
}

bool trace_take_server(struct traces *t, const struct trace_line *line, struct trace_thread *th)
{
	struct clid_fact fact;

	if (fact_parse(line, &fact)) {
		fact.name = trace_keep(t, fact.name);
		trace_add(t, TRACE_CLID, &fact, sizeof(fact));
		take_any_client(t, line);
		return true;
	}
	if (slice_equal(line->event, slice_of_string("nfsd_clid_replaced")))
		tell_expelled(t, th);
	return take_any_client(t, line) || take_grace(t, line) || take_process(t, line, th) ||
	       take_status(t, line, th) || take_probe(t, line, th) || is_other(line->event);
}
