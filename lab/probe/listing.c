// SPDX-License-Identifier: GPL-2.0-or-later
/* See listing.h: finds the directory, and runs the processes. */
#include "lab/probe/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/stamp.h"
#include "lab/probe/ask.h"
#include "lab/rpc/ports.h"
#include "names/mount.h"
#include "names/names.h"
#include "names/nfs3.h"
#include "names/nfs4.h"
#include "names/portmap.h"
#include "proto/nfs3_xdr.h"

enum {
	NFS_PORT = 2049,
	MARK_BYTES = 4,
	SILENCE_S = 60,
	REPLY_BYTES_MAX = 2 << 20,
};

struct handle {
	uint32_t len;
	uint8_t bytes[NFS3_FHSIZE];
};

/* A process that lists the directory. */
struct process {
	uint64_t cookie;
	uint8_t verifier[8];
	bool is_done;
};

struct listing {
	const struct probe_words *words;
	struct net_loop loop;
	struct rpc_auth_sys sys;
	struct net_address server;
	struct handle dir;
	uint32_t xid;
	/* A run. */
	struct listing_row *row;
	struct net_stream *stream;
	struct net_timer silence;
	struct rpc_assembler assembler;
	struct process processes[LISTING_PROCESSES_MAX];
	uint32_t owners[LISTING_PROCESSES_MAX]; /* XIDs of the calls in flight, 0: none */
	uint32_t queue[LISTING_PROCESSES_MAX];  /* exclusive: who waits for the lock */
	uint32_t queue_start, queue_len;
	uint32_t undone;
	int64_t began_ns; /* when the connection was made */
	struct err *failure;
};

/* --- finding the directory --- */

static struct err *failed(const struct ask *a, const char *what)
{
	char why[ASK_TEXT_BYTES];

	ask_explain(a, why);
	return err_new("%s: %s", what, why);
}

static struct err *connect_to(struct listing *l, struct ask *a, uint16_t port, const char *what)
{
	struct net_address to = l->server;

	net_address_set_port(&to, port);
	return ask_connect(a, &to, SILENCE_S * STAMP_NS_PER_S) == ASK_OK ? NULL : failed(a, what);
}

static struct err *call(struct ask *a, const char *what, struct cursor *at)
{
	return ask_call(a, SILENCE_S * STAMP_NS_PER_S, at) == ASK_OK ? NULL : failed(a, what);
}

/* The status at the cursor must be 0. */
static struct err *check_status(struct cursor *at, uint32_t program, const char *what)
{
	uint32_t status = cursor_u32(at);
	const char *name = names_status(program, 3, status);

	return status == 0 ? NULL : err_new("%s: %s", what, name ? name : "an unknown status");
}

static struct err *port_of(struct ask *a, const struct net_address *server, uint32_t program,
			   const char *what, uint16_t *out)
{
	struct cursor at;
	struct err *err;

	ports_ask(ask_begin(a, PMAP_PROG, ports_version(server), ports_procedure(server)), server,
		  false, program, 3);
	err = call(a, what, &at);
	if (err)
		return err;
	if (!ports_take(&at, server, out))
		return err_new("%s: the answer of rpcbind cannot be understood", what);
	return *out ? NULL
		    : err_new("%s: not registered at rpcbind; 'nfsleuth probe check' shows what is",
			      what);
}

static struct err *find_ports(struct listing *l, struct ask *a, uint16_t *mount, uint16_t *nfs)
{
	uint16_t portmap = l->words->portmap ? l->words->portmap : PMAP_PORT;
	struct err *err = connect_to(l, a, portmap, "rpcbind");

	if (!err)
		err = port_of(a, &l->server, MOUNT_PROGRAM, "MOUNT", mount);
	if (l->words->port)
		*nfs = l->words->port;
	else if (!err)
		err = port_of(a, &l->server, NFS4_PROGRAM, "NFS", nfs);
	return err;
}

static struct err *take_handle(struct cursor *at, const char *what, struct handle *out)
{
	struct xdr_opaque h = cursor_opaque(at, NFS3_FHSIZE);

	if (!cursor_ok(at) || h.have > sizeof(out->bytes))
		return err_new("%s: the answer cannot be understood", what);
	memcpy(out->bytes, h.ptr, h.have);
	out->len = h.have;
	return NULL;
}

static struct xdr_opaque handle_opaque(const struct handle *h)
{
	return (struct xdr_opaque){h->bytes, h->len, h->len};
}

static struct err *mount_export(struct listing *l, struct ask *a, uint16_t port)
{
	uint32_t len = (uint32_t)strlen(l->words->export);
	struct xdr_opaque path = {(const uint8_t *)l->words->export, len, len};
	struct err *err = connect_to(l, a, port, "MOUNT");
	struct cursor at;

	if (err)
		return err;
	xdr_put_opaque(ask_begin(a, MOUNT_PROGRAM, MOUNT_V3, MOUNTPROC3_MNT), path, MNTPATHLEN);
	err = call(a, "MOUNT", &at);
	if (!err)
		err = check_status(&at, MOUNT_PROGRAM, l->words->export);
	return err ? err : take_handle(&at, "MOUNT", &l->dir);
}

/* Goes down by the names in dir=. */
static struct err *look_up(struct listing *l, struct ask *a)
{
	const char *rest = l->words->dir;
	struct err *err = NULL;

	while (rest && *rest && !err) {
		uint32_t len = (uint32_t)strcspn(rest, "/");
		struct xdr_opaque name = {(const uint8_t *)rest, len, len};
		struct xdr_writer *w = ask_begin(a, NFS4_PROGRAM, NFS_V3, NFSPROC3_LOOKUP);
		struct cursor at;

		rest += len;
		rest += strspn(rest, "/");
		if (!len)
			continue;
		xdr_put_opaque(w, handle_opaque(&l->dir), NFS3_FHSIZE);
		xdr_put_opaque(w, name, MNTNAMLEN);
		err = call(a, "LOOKUP", &at);
		if (!err)
			err = check_status(&at, NFS4_PROGRAM, l->words->dir);
		if (!err)
			err = take_handle(&at, "LOOKUP", &l->dir);
	}
	return err;
}

static struct err *find(struct listing *l)
{
	struct ask *a = mem_alloc(1, sizeof(*a));
	uint16_t mount = 0, nfs = NFS_PORT;
	struct err *err;

	ask_init(a, &l->loop, &l->sys);
	err = find_ports(l, a, &mount, &nfs);
	if (!err)
		err = mount_export(l, a, mount);
	if (!err)
		err = connect_to(l, a, nfs, "NFS");
	if (!err)
		err = look_up(l, a);
	net_address_set_port(&l->server, nfs);
	ask_deinit(a);
	free(a);
	return err;
}

/* --- a run --- */

static void fail(struct listing *l, struct err *err)
{
	if (l->failure)
		err_destroy(err);
	else
		l->failure = err;
	net_loop_stop(&l->loop);
}

static void on_silence(void *context)
{
	fail(context, err_new("nothing came for %d s", SILENCE_S));
}

/* The next page of a process. */
static void send_page(struct listing *l, uint32_t index)
{
	const struct process *p = &l->processes[index];
	uint8_t memory[512];
	struct xdr_writer w = xdr_writer_make(memory + MARK_BYTES, sizeof(memory) - MARK_BYTES);
	struct xdr_writer mark = xdr_writer_make(memory, MARK_BYTES);
	size_t len;

	l->owners[index] = ++l->xid;
	rpc_call_begin(&w, l->xid, NFS4_PROGRAM, NFS_V3,
		       l->words->plus ? NFSPROC3_READDIRPLUS : NFSPROC3_READDIR, &l->sys);
	xdr_put_opaque(&w, handle_opaque(&l->dir), NFS3_FHSIZE);
	xdr_put_u64(&w, p->cookie);
	xdr_put_raw(&w, slice_make(p->verifier, sizeof(p->verifier)));
	/* nfs3xdr.c: dircount is that of the names alone, an eighth of the page. */
	if (l->words->plus)
		xdr_put_u32(&w, l->words->page_bytes / 8);
	xdr_put_u32(&w, l->words->page_bytes);
	len = xdr_writer_bytes(&w).len;
	rpc_mark_encode(&mark, (uint32_t)len, true);
	l->row->calls++;
	net_stream_send(l->stream, slice_make(memory, MARK_BYTES + len));
}

/* Who has waited longest gets the directory; a process that is not done waits again. */
static void go_on(struct listing *l, uint32_t index)
{
	if (l->row->lock == LISTING_SHARED) {
		if (!l->processes[index].is_done)
			send_page(l, index);
		return;
	}
	if (!l->processes[index].is_done)
		l->queue[(l->queue_start + l->queue_len++) % LISTING_PROCESSES_MAX] = index;
	if (l->queue_len == 0)
		return;
	l->queue_len--;
	send_page(l, l->queue[l->queue_start++ % LISTING_PROCESSES_MAX]);
}

/* Entries of either kind: the cookie of the last is where the process goes on. */
static bool take_entries(struct listing *l, struct cursor *at, struct process *p, bool *is_stuck)
{
	struct nfs3_post_op_attr attributes;
	struct nfs3_entryplus3 plus;
	uint64_t before = p->cookie;

	nfs3_decode_post_op_attr(at, &attributes);
	xdr_take_bytes(at, p->verifier, sizeof(p->verifier));
	while (cursor_bool(at)) {
		if (l->words->plus) {
			nfs3_decode_entryplus3(at, &plus);
			p->cookie = plus.cookie;
		} else {
			cursor_u64(at); /* fileid */
			cursor_opaque(at, XDR_ANY);
			p->cookie = cursor_u64(at);
		}
		l->row->entries++;
	}
	p->is_done = cursor_bool(at);
	*is_stuck = !p->is_done && p->cookie == before;
	return cursor_ok(at);
}

static void take_reply(struct listing *l, struct slice record)
{
	struct cursor at = cursor_make(record);
	uint32_t index = 0;
	bool is_stuck = false;
	struct rpc_msg m;
	struct err *err;

	if (!rpc_msg_decode(&at, &m) || m.type != RPC_MSG_REPLY)
		return;
	while (index < l->row->processes && l->owners[index] != m.xid)
		index++;
	if (index == l->row->processes)
		return;
	l->owners[index] = 0;
	net_timer_start(&l->silence, SILENCE_S * STAMP_NS_PER_S);
	if (m.body != RPC_BODY_PLAIN) {
		fail(l, err_new("READDIR: refused by RPC"));
		return;
	}
	err = check_status(&at, NFS4_PROGRAM, "READDIR");
	if (!err && !take_entries(l, &at, &l->processes[index], &is_stuck))
		err = err_new("READDIR: the answer cannot be understood");
	/* It would be asked for again for ever. */
	if (!err && is_stuck)
		err = err_new("READDIR: a page leads nowhere, back to the cookie that it was asked "
			      "for: the server's listing does not end");
	if (err) {
		fail(l, err);
		return;
	}
	l->undone -= l->processes[index].is_done;
	if (l->undone == 0)
		net_loop_stop(&l->loop);
	else
		go_on(l, index);
}

static size_t on_data(void *context, struct slice bytes)
{
	struct listing *l = context;
	size_t total = 0;

	while (total < bytes.len) {
		struct slice record;
		size_t consumed = 0;
		enum rpc_assembly got = rpc_assembler_take(
			&l->assembler, slice_make(bytes.ptr + total, bytes.len - total), &consumed,
			&record);

		total += consumed;
		if (got == RPC_ASSEMBLY_BROKEN)
			fail(l, err_new("what came is no RPC"));
		if (got == RPC_ASSEMBLY_RECORD)
			take_reply(l, record);
		else
			break;
	}
	return total;
}

static void on_connected(void *context)
{
	struct listing *l = context;
	uint32_t count = l->row->processes;

	l->began_ns = net_loop_now_ns(&l->loop);
	l->undone = count;
	for (uint32_t i = 0; i < count; i++)
		if (l->row->lock == LISTING_SHARED || i == 0)
			send_page(l, i);
		else
			l->queue[l->queue_len++] = i;
}

static void on_closed(void *context, int error)
{
	fail(context, error ? err_new_errno(error, "NFS") : err_new("NFS: the server closed"));
}

static const struct net_stream_ops ops = {
	.connected = on_connected, .data = on_data, .closed = on_closed};

/* A connection of its own for each run, so that none finds the other's window open. */
static struct err *run(struct listing *l, enum listing_lock lock, uint32_t processes,
		       struct listing_report *out)
{
	struct err *err;

	l->row = &out->rows[out->len];
	*l->row = (struct listing_row){.lock = lock, .processes = processes};
	memset(l->processes, 0, sizeof(l->processes));
	memset(l->owners, 0, sizeof(l->owners));
	l->queue_start = l->queue_len = 0;
	l->failure = NULL;
	l->assembler = (struct rpc_assembler){.limit_bytes = REPLY_BYTES_MAX};
	err = net_stream_connect(&l->loop, &l->server, NULL, &ops, l, &l->stream);
	if (err)
		return err;
	net_timer_start(&l->silence, SILENCE_S * STAMP_NS_PER_S);
	net_loop_run(&l->loop);
	l->row->took_ns = net_loop_now_ns(&l->loop) - l->began_ns;
	net_timer_stop(&l->silence);
	net_stream_destroy(l->stream);
	rpc_assembler_deinit(&l->assembler);
	out->len++;
	return l->failure;
}

static struct err *run_all(struct listing *l, struct listing_report *out)
{
	struct err *err = NULL;

	for (uint32_t n = 1; n <= l->words->processes && !err; n *= 2) {
		err = run(l, LISTING_SHARED, n, out);
		if (!err)
			err = run(l, LISTING_EXCLUSIVE, n, out);
	}
	return err;
}

struct err *probe_list(const struct probe_words *words, double speed, struct listing_report *out)
{
	struct listing *l = mem_alloc(1, sizeof(*l));
	struct err *err;

	*out = (struct listing_report){.plus = words->plus, .page_bytes = words->page_bytes};
	l->words = words;
	l->sys = (struct rpc_auth_sys){.machine = slice_of_string("nfsleuth-probe"),
				       .uid = words->uid};
	if (words->is_v4)
		err = err_new("it lists by NFSv3 alone");
	else if (words->processes < 1 || words->processes > LISTING_PROCESSES_MAX)
		err = err_new("processes=%u: it must be from 1 to %d", words->processes,
			      LISTING_PROCESSES_MAX);
	else
		err = net_address_parse(words->server, 0, &l->server);
	if (!err)
		err = net_loop_init(&l->loop, speed);
	if (err) {
		free(l);
		return err;
	}
	l->loop.witness = words->witness;
	net_timer_init(&l->silence, &l->loop, on_silence, l);
	err = find(l);
	if (!err)
		err = run_all(l, out);
	net_timer_deinit(&l->silence);
	net_loop_deinit(&l->loop);
	free(l);
	return err;
}
