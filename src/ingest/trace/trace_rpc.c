// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a client's kernel tells of its RPC tasks: lists of them, and the tracepoints of sunrpc
 * (include/trace/events/sunrpc.h). Their words changed over the years, their keys did not:
 *
 *	task:0000000b@00000004 since 5.18, task:11@4 before; flags and states by name or in digits
 *	xprt_transmit with the peer and without the task until 5.0
 */
#include "evidence/line/rpc_task_line.h"
#include "evidence/line/stack_line.h"
#include "ingest/trace/traces_private.h"

#include <errno.h>

/* --- lists --- */

static bool list_has(const struct traces *t, const struct rpc_task_line *line)
{
	for (size_t i = 0; i < t->listed_len; i++)
		if (t->listed[i].task == line->task && t->listed[i].client == line->client)
			return true;
	return false;
}

static void list_begin(struct traces *t)
{
	t->list++;
	t->listed_len = 0;
}

bool traces_list_line(struct traces *t, uint64_t number, const struct klog_head *head,
		      struct slice text)
{
	struct rpc_task_line line;
	struct rpc_task_fact f;

	text = text_trim(text);
	if (text.len == 0 || (text.ptr[0] != '-' && !text_is_digit(text.ptr[0])))
		return false; /* at once: each line of a log is looked at */
	if (rpc_task_head(text)) {
		list_begin(t);
		t->found += head == NULL;
		return true;
	}
	if (!rpc_task_line_parse(text, &line))
		return false;
	if (t->list == 0 || list_has(t, &line))
		list_begin(t); /* the next round of a loop */
	if (t->listed_len < TRACE_LISTED_MAX) {
		t->listed[t->listed_len].task = line.task;
		t->listed[t->listed_len++].client = line.client;
	}
	f = (struct rpc_task_fact){
		.step = RPC_TASK_LISTED,
		.list = t->list,
		.has_task = true,
		.task = line.task,
		.client = line.client,
		.has_xid = line.has_xid,
		.xid = line.xid,
		.sent = line.sent,
		.status = line.status,
		.program = trace_keep(t, line.program),
		.procedure = trace_keep(t, line.procedure),
		.queue = trace_keep(t, line.queue),
	};
	t->line = number;
	t->boot_ns = 0;
	t->head = head;
	t->untimed = head == NULL;
	t->found += head == NULL;
	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
	return true;
}

/* --- what `rpcdebug -m rpc -s trans` makes the kernel say (net/sunrpc/xprtsock.c) --- */

/* The connection of the transport at this address; NULL: it was not told. */
static struct trace_xprt *xprt_of(struct traces *t, uint64_t address)
{
	for (size_t i = 0; i < TRACE_XPRTS; i++)
		if (t->xprts[i].address == address && address)
			return &t->xprts[i];
	return NULL;
}

static void tell_peer(struct traces *t, const struct trace_xprt *x, enum rpc_task_step step,
		      int64_t status)
{
	struct rpc_task_fact f = {
		.step = step, .status = status, .has_peer = true, .peer = x->peer};

	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
}

/* "worker connecting xprt 00000000781ebd72 via tcp to 192.0.2.10 (port 111)" */
static bool take_connecting(struct traces *t, struct slice text)
{
	struct slice rest = text_find(text, "connecting xprt ");
	struct trace_xprt x = {0};
	struct slice port = text_find(text, " (port ");
	size_t len = 0;
	int64_t number;

	rest = text_after(rest, 16);
	if (port.len == 0 || !stack_address_parse(rest, &x.address))
		return false;
	text_word(&rest);
	rest = text_find(rest, " to ");
	rest = text_after(rest, 4);
	if (!log_address_parse(text_word(&rest), &x.peer))
		return false;
	port = text_after(port, 7);
	while (len < port.len && text_is_digit(port.ptr[len]))
		len++;
	if (!text_number(slice_make(port.ptr, len), &number) || number > UINT16_MAX)
		return false;
	x.peer.port = (uint16_t)number;
	if (xprt_of(t, x.address))
		*xprt_of(t, x.address) = x;
	else
		t->xprts[t->xprts_told++ % TRACE_XPRTS] = x;
	tell_peer(t, &x, RPC_TASK_PEER_TRIED, 0);
	return true;
}

/* "00000000781ebd72 connect status 115 connected 0 sock state 2" */
static bool take_connect_status(struct traces *t, struct slice text)
{
	struct slice rest = text_find(text, " connect status ");
	struct trace_xprt *x;
	uint64_t address;
	int64_t status;

	text = text_trim(text);
	if (rest.len == 0 || !stack_address_parse(text, &address))
		return false;
	x = xprt_of(t, address);
	rest = text_after(rest, 16);
	if (!x || !text_number(text_word(&rest), &status))
		return true;
	if (text_holds(rest, "connected 1"))
		tell_peer(t, x, RPC_TASK_PEER_JOINED, 0);
	else if (status != 0 && status != EINPROGRESS && status != EALREADY && status != EAGAIN)
		tell_peer(t, x, RPC_TASK_PEER_FAILED, -status);
	return true;
}

/* "xs_tcp_state_change client 00000000781ebd72..." and behind it "state 1 conn 0 dead 0 ..." */
static bool take_state_change(struct traces *t, struct slice text)
{
	struct slice rest = text_find(text, "state_change client ");
	uint64_t address;

	text = text_trim(text);
	if (rest.len) {
		if (stack_address_parse(text_after(rest, 20), &address))
			t->xprt_changes = xprt_of(t, address);
		return true;
	}
	if (!text_begins(text, "state ") || !text_holds(text, " conn "))
		return false;
	if (t->xprt_changes && text_begins(text, "state 1 "))
		tell_peer(t, t->xprt_changes, RPC_TASK_PEER_JOINED, 0);
	t->xprt_changes = NULL;
	return true;
}

/* "  49 setting alarm for 20000 ms" (net/sunrpc/sched.c, __rpc_add_timer, before 5.2). */
static bool take_alarm(struct traces *t, struct slice text)
{
	struct rpc_task_fact f = {.step = RPC_TASK_ALARM, .has_task = true};
	struct slice rest = text_find(text, " setting alarm for ");
	int64_t task, ms;

	if (rest.len == 0 || !text_number(text_word(&text), &task))
		return false;
	rest = text_after(rest, 19);
	if (!text_number(text_word(&rest), &ms) || ms > INT64_MAX / 1000000)
		return false;
	f.task = (uint64_t)task;
	f.alarm_ns = ms * 1000000;
	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
	return true;
}

bool traces_debug_line(struct traces *t, uint64_t number, const struct klog_head *head,
		       struct slice text)
{
	if (!text_begins(text, "RPC: "))
		return false;
	t->line = number;
	t->boot_ns = 0;
	t->head = head;
	t->untimed = head == NULL;
	text = text_after(text, 5);
	return take_connecting(t, text) || take_connect_status(t, text) ||
	       take_state_change(t, text) || take_alarm(t, text);
}

/* --- tracepoints --- */

/* "task:0000000b@00000004" at the beginning; *rest is what follows. */
static bool task_parse(struct slice *rest, struct rpc_task_fact *f)
{
	struct slice word = text_word(rest);
	const uint8_t *at;

	if (!text_begins(word, "task:"))
		return false;
	word = text_after(word, 5);
	at = word.len ? memchr(word.ptr, '@', word.len) : NULL;
	f->has_task =
		at &&
		trace_hex_parse(slice_make(word.ptr, (size_t)(at - word.ptr)), 16, &f->task) &&
		trace_hex_parse(text_after(word, (size_t)(at - word.ptr) + 1), 16, &f->client);
	return f->has_task;
}

static void xid_parse(struct slice rest, struct rpc_task_fact *f)
{
	uint64_t xid;

	if (!trace_hex_parse(trace_value(rest, "xid"), 8, &xid))
		return;
	f->has_xid = true;
	f->xid = (uint32_t)xid;
}

static void status_parse(struct slice rest, const char *key, struct rpc_task_fact *f)
{
	struct slice text = trace_value(rest, key);
	bool minus = text_begins(text, "-");

	if (text_number(minus ? text_after(text, 1) : text, &f->status) && minus)
		f->status = -f->status;
}

/* "... nfsv4 READ ..." somewhere in it: a word that ends in a version, and the one behind. */
static void names_parse(struct traces *t, struct slice rest, struct rpc_task_fact *f)
{
	for (struct slice word = text_word(&rest); word.len; word = text_word(&rest)) {
		size_t at = word.len;

		while (at > 0 && text_is_digit(word.ptr[at - 1]))
			at--;
		if (at < 2 || at == word.len || word.ptr[at - 1] != 'v' ||
		    memchr(word.ptr, '=', word.len))
			continue;
		f->program = trace_keep(t, word);
		f->procedure = trace_keep(t, text_word(&rest));
		return;
	}
}

/* include/linux/sunrpc/sched.h: RPC_TASK_SENT, and the bit RPC_TASK_NEED_RECV (since 4.20). */
enum { TASK_SENT = 0x0800, STATE_NEED_RECV = 0x10 };

/* Flags by name, or as older kernels print them: in digits. */
static bool flags_hold(struct slice flags, const char *name, uint64_t bit)
{
	uint64_t value;

	if (trace_hex_parse(flags, 16, &value))
		return value & bit;
	return text_holds(flags, name);
}

static const struct {
	const char *event;
	enum rpc_task_step step;
} task_events[] = {
	{"rpc_task_begin", RPC_TASK_BEGUN},       {"rpc_task_sleep", RPC_TASK_SLEPT},
	{"rpc_task_wakeup", RPC_TASK_WOKEN},      {"rpc_task_end", RPC_TASK_ENDED},
	{"rpc_task_complete", RPC_TASK_ENDED},    {"rpc_request", RPC_TASK_NAMED},
	{"xprt_transmit", RPC_TASK_SENT},         {"xprt_retransmit", RPC_TASK_SENT},
	{"xprt_lookup_rqst", RPC_TASK_REPLIED},   {"rpc_stats_latency", RPC_TASK_REPLIED},
	{"xprt_complete_rqst", RPC_TASK_REPLIED}, {"rpc_xdr_recvfrom", RPC_TASK_REPLIED},
};

/* Of these there are so many that the place is for others. */
static bool is_of_no_interest(struct slice event)
{
	static const char *const starts[] = {"rpc_task_",
					     "rpc_call_",
					     "rpc_buf_",
					     "rpc_xdr_",
					     "xs_stream",
					     "xs_tcp_",
					     "xprt_",
					     "rpcb_",
					     "svc_",
					     "svcsock_",
					     "rpc_",
					     "nfs4_xdr_status",
					     "nfs4_setup_sequence",
					     "nfs4_state_mgr"};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (text_begins(event, starts[i]))
			return true;
	return false;
}

bool trace_take_rpc(struct traces *t, const struct trace_line *line)
{
	struct rpc_task_fact f = {0};
	struct slice rest = line->rest;
	size_t i = 0;

	while (i < sizeof(task_events) / sizeof(task_events[0]) &&
	       !slice_equal(line->event, slice_of_string(task_events[i].event)))
		i++;
	if (i == sizeof(task_events) / sizeof(task_events[0]))
		return is_of_no_interest(line->event);
	f.step = task_events[i].step;
	if (!task_parse(&rest, &f))
		rest = line->rest;
	xid_parse(rest, &f);
	if (!f.has_task && !f.has_xid)
		return true;
	status_parse(rest, "status", &f);
	/* Not on the connection, or no call of this XID. */
	if ((f.step == RPC_TASK_SENT || f.step == RPC_TASK_REPLIED) && f.status < 0)
		return true;
	/* "... timeout=0 queue=ForeChannel Slot table": names of queues have blanks. */
	f.queue = trace_keep(t, text_trim(text_after(text_find(rest, "queue="), 6)));
	f.sent = flags_hold(trace_value(rest, "flags"), "SENT", TASK_SENT);
	/* What is woken and still awaits its reply was not answered. */
	if (f.step == RPC_TASK_WOKEN && f.sent && f.status >= 0 &&
	    slice_equal(f.queue, slice_of_string("xprt_pending")) &&
	    !flags_hold(trace_value(rest, "runstate"), "NEED_RECV", STATE_NEED_RECV) &&
	    !flags_hold(trace_value(rest, "state"), "NEED_RECV", STATE_NEED_RECV))
		f.step = RPC_TASK_REPLIED;
	names_parse(t, rest, &f);
	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
	return true;
}

/* "CPU:0 [LOST 123 EVENTS]" (kernel/trace/trace.c), "CPU:0 [123 EVENTS DROPPED]" (trace-cmd). */
bool trace_take_lost(struct traces *t, uint64_t number, struct slice text)
{
	struct rpc_task_fact f = {.step = RPC_TASK_LOST};

	if (!text_begins(text_trim(text), "CPU:") ||
	    (!text_holds(text, "[LOST ") && !text_holds(text, "EVENTS DROPPED]")))
		return false;
	t->lost++;
	t->found++;
	t->line = number;
	t->head = NULL;
	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
	trace_lose_served(t);
	return true;
}

void trace_take_peer(struct traces *t, const struct trace_line *line, const struct endpoint *peer)
{
	struct rpc_task_fact f = {.has_peer = true, .peer = *peer};

	if (text_holds(line->rest, "sk_state=1 ") &&
	    !slice_equal(line->event, slice_of_string("rpc_socket_connect"))) {
		f.step = RPC_TASK_PEER_JOINED;
	} else {
		status_parse(line->rest, "error", &f);
		f.step = RPC_TASK_PEER_FAILED;
		/* Only while it is being connected: later ones are about what was there. */
		if (f.status == 0 || f.status == -EINPROGRESS || f.status == -EALREADY ||
		    !text_holds(line->rest, "(CONNECTING)"))
			return;
	}
	trace_add(t, TRACE_RPC_TASK, &f, sizeof(f));
}
