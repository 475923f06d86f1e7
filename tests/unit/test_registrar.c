// SPDX-License-Identifier: GPL-2.0-or-later
/* Programs are registered with an rpcbind, which a script plays in the same loop. */
#include "check.h"
#include "lab/probe/registrar.h"
#include "names/portmap.h"
#include "net/listener.h"
#include "proto/portmap_xdr.h"

#include <stdio.h>

enum { LISTED_MAX = 8, TEXT_BYTES = 64, AUTH_TOOWEAK = 5, NFS = 100003, NSM = 100024 };

struct listed {
	uint32_t program, version;
	char netid[TEXT_BYTES], uaddr[TEXT_BYTES];
};

/* The rpcbind. */
struct script {
	struct net_loop loop;
	struct net_listener *listener;
	struct net_stream *stream;
	struct rpc_assembler assembler;
	struct registrar registrar;
	struct listed list[LISTED_MAX];
	size_t len;
	unsigned sets, unsets;
	unsigned sets_granted; /* so many, then it answers false */
	bool is_denied;
};

static struct xdr_opaque opaque(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){(const uint8_t *)text, len, len};
}

static void list(struct script *s, uint32_t program, uint32_t version, struct slice netid,
		 struct slice uaddr)
{
	struct listed *l = &s->list[s->len++];

	CHECK(s->len < LISTED_MAX);
	l->program = program;
	l->version = version;
	snprintf(l->netid, TEXT_BYTES, "%.*s", (int)netid.len, (const char *)netid.ptr);
	snprintf(l->uaddr, TEXT_BYTES, "%.*s", (int)uaddr.len, (const char *)uaddr.ptr);
}

/* The place in the list; s->len: none. */
static size_t place(const struct script *s, uint32_t program, uint32_t version, const char *netid)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (s->list[i].program == program && s->list[i].version == version &&
		    strcmp(s->list[i].netid, netid) == 0)
			break;
	return i;
}

static bool change(struct script *s, uint32_t procedure, const struct portmap_rpcb *arg)
{
	char netid[TEXT_BYTES];
	struct slice name = xdr_opaque_slice(arg->r_netid);
	size_t at;

	snprintf(netid, sizeof(netid), "%.*s", (int)name.len, (const char *)name.ptr);
	at = place(s, arg->r_prog, arg->r_vers, netid);
	if (procedure == RPCBPROC_UNSET) {
		s->unsets++;
		if (at == s->len)
			return false;
		s->list[at] = s->list[--s->len];
		return true;
	}
	if (at < s->len || s->sets++ >= s->sets_granted)
		return false;
	list(s, arg->r_prog, arg->r_vers, name, xdr_opaque_slice(arg->r_addr));
	return true;
}

static void dump(const struct script *s, struct xdr_writer *w)
{
	for (size_t i = 0; i < s->len; i++) {
		struct portmap_rpcb r = {.r_prog = s->list[i].program,
					 .r_vers = s->list[i].version,
					 .r_netid = opaque(s->list[i].netid),
					 .r_addr = opaque(s->list[i].uaddr),
					 .r_owner = opaque("superuser")};

		xdr_put_bool(w, true);
		portmap_encode_rpcb(w, &r);
	}
	xdr_put_bool(w, false);
}

static void answer(struct script *s, const struct rpc_in *in, struct xdr_writer *w)
{
	struct cursor args = cursor_make(in->args);
	struct portmap_rpcb arg;

	CHECK_EQ_U64(in->program, PMAP_PROG);
	CHECK_EQ_U64(in->version, RPCBVERS4);
	if (in->procedure == RPCBPROC_DUMP) {
		rpc_reply_success(w, in->xid);
		dump(s, w);
		return;
	}
	portmap_decode_rpcb(&args, &arg);
	CHECK(cursor_ok(&args));
	if (s->is_denied) {
		rpc_reply_denied(w, in->xid, AUTH_TOOWEAK);
		return;
	}
	rpc_reply_success(w, in->xid);
	xdr_put_bool(w, change(s, in->procedure, &arg));
}

static size_t on_data(void *context, struct slice bytes)
{
	enum { MARK_BYTES = 4 };
	struct script *s = context;
	struct rpc_in in = {.peer = NULL};
	uint8_t memory[2048];
	struct xdr_writer w = xdr_writer_make(memory + MARK_BYTES, sizeof(memory) - MARK_BYTES);
	struct xdr_writer mark = xdr_writer_make(memory, MARK_BYTES);
	struct slice record;
	size_t consumed;

	if (rpc_assembler_take(&s->assembler, bytes, &consumed, &record) != RPC_ASSEMBLY_RECORD)
		return consumed;
	CHECK_EQ_U64(rpc_in_take(record, &in), RPC_TAKEN_CALL);
	answer(s, &in, &w);
	CHECK(xdr_writer_ok(&w));
	rpc_mark_encode(&mark, (uint32_t)xdr_writer_bytes(&w).len, true);
	net_stream_send(s->stream, slice_make(memory, MARK_BYTES + xdr_writer_bytes(&w).len));
	return consumed;
}

static void on_closed(void *context, int error)
{
	struct script *s = context;

	(void)error;
	net_stream_destroy(s->stream);
	s->stream = NULL;
}

static const struct net_stream_ops ops = {.data = on_data, .closed = on_closed};

static void on_accepted(void *context, int fd, const struct net_address *peer)
{
	struct script *s = context;

	net_stream_destroy(s->stream);
	s->stream = net_stream_create(&s->loop, fd, peer, &ops, s);
}

static void script_init(struct script *s)
{
	struct net_address at = net_address_loopback(0);

	*s = (struct script){.sets_granted = UINT32_MAX};
	CHECK(net_loop_init(&s->loop, 1) == NULL);
	CHECK(net_listener_create(&s->loop, &at, on_accepted, s, &s->listener) == NULL);
	registrar_init(&s->registrar, &s->loop, net_listener_address(s->listener));
	/* Of others, which nobody may touch. */
	list(s, NFS - 3, 4, slice_of_string("tcp"), slice_of_string("0.0.0.0.0.111"));
}

static void script_deinit(struct script *s)
{
	registrar_deinit(&s->registrar);
	net_stream_destroy(s->stream);
	rpc_assembler_deinit(&s->assembler);
	net_listener_destroy(s->listener);
	net_loop_deinit(&s->loop);
}

/* NFS at 127.0.0.1:2049, over TCP and UDP; NSM at 127.0.0.1:2050. */
static const char *add(struct script *s, char text[512])
{
	struct net_address at = net_address_loopback(2049), other = net_address_loopback(2050);
	const struct registrar_entry entries[] = {{"nfs", NFS, 3, false, at},
						  {"nfs", NFS, 3, true, at},
						  {"nsm", NSM, 1, true, other}};
	struct err *err = registrar_add(&s->registrar, entries, 3);

	snprintf(text, 512, "%s", err ? err_text(err) : "");
	err_destroy(err);
	return text;
}

static void removed(struct script *s, const char *want)
{
	struct err *err = registrar_remove(&s->registrar);

	CHECK_TEXT(err ? err_text(err) : "", want);
	err_destroy(err);
}

TEST(registered_and_taken_back)
{
	struct script s;
	char text[512];

	script_init(&s);
	CHECK_TEXT(add(&s, text), "");
	CHECK_EQ_U64(s.len, 4);
	CHECK_EQ_U64(s.unsets, 0);
	CHECK_TEXT(s.list[place(&s, NFS, 3, "udp")].uaddr, "127.0.0.1.8.1");
	CHECK_TEXT(s.list[place(&s, NSM, 1, "udp")].uaddr, "127.0.0.1.8.2");
	removed(&s, "");
	CHECK_EQ_U64(s.len, 1);
	CHECK_EQ_U64(s.unsets, 3);
	/* There is nothing left to take back. */
	removed(&s, "");
	CHECK_EQ_U64(s.unsets, 3);
	script_deinit(&s);
}

TEST(what_a_killed_run_left_is_replaced)
{
	struct script s;
	char text[512];

	script_init(&s);
	list(&s, NFS, 3, slice_of_string("tcp"), slice_of_string("127.0.0.1.8.1"));
	CHECK_TEXT(add(&s, text), "");
	CHECK_EQ_U64(s.len, 4);
	CHECK_EQ_U64(s.unsets, 1);
	script_deinit(&s);
}

TEST(another_servers_registration_stays)
{
	static const char *const places[] = {"127.0.0.1.8.3", "0.0.0.0.8.1"};

	for (size_t i = 0; i < 2; i++) {
		struct script s;
		char text[512];

		script_init(&s);
		list(&s, NFS, 4, slice_of_string("tcp"), slice_of_string(places[i]));
		CHECK(strstr(add(&s, text), "rpcbind has nfs (program 100003 version 4) already"));
		CHECK(strstr(text, places[i]));
		CHECK(strstr(text, "rpcinfo -d 100003 4"));
		CHECK_EQ_U64(s.len, 2);
		CHECK_EQ_U64(s.sets, 0);
		CHECK_EQ_U64(s.unsets, 0);
		script_deinit(&s);
	}
}

/* UNSET does not look at the address. */
TEST(what_became_anothers_is_not_taken_back)
{
	struct script s;
	char text[512];

	script_init(&s);
	CHECK_TEXT(add(&s, text), "");
	snprintf(s.list[place(&s, NSM, 1, "udp")].uaddr, TEXT_BYTES, "0.0.0.0.3.3");
	removed(&s, "");
	CHECK_EQ_U64(s.len, 2);
	CHECK(place(&s, NSM, 1, "udp") < s.len);
	script_deinit(&s);
}

TEST(all_or_none)
{
	struct script s;
	char text[512];

	script_init(&s);
	s.sets_granted = 2;
	CHECK_TEXT(add(&s, text), "rpcbind does not register nsm (program 100024 version 1, udp)");
	CHECK_EQ_U64(s.len, 1);
	script_deinit(&s);
}

TEST(refusals_tell_what_to_do)
{
	struct script s;
	char text[512];

	script_init(&s);
	s.is_denied = true;
	CHECK(strstr(add(&s, text), "denied by RPC, auth_stat 5"));
	CHECK(strstr(text, "try as root"));
	CHECK_EQ_U64(s.len, 1);
	net_listener_destroy(s.listener);
	s.listener = NULL;
	CHECK(strstr(add(&s, text), "connection refused: is it running?"));
	script_deinit(&s);
}
