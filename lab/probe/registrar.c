// SPDX-License-Identifier: GPL-2.0-or-later
/* See registrar.h. */
#include "lab/probe/registrar.h"

#include <string.h>

#include "names/portmap.h"
#include "proto/portmap_xdr.h"

#define NS_PER_S INT64_C(1000000000)

enum { LIMIT_SECONDS = 5 };

void registrar_init(struct registrar *r, struct net_loop *loop, const struct net_address *rpcbind)
{
	struct rpc_auth_sys sys = {.machine = slice_of_string("nfsleuth")};

	*r = (struct registrar){.rpcbind = *rpcbind};
	ask_init(&r->ask, loop, &sys);
}

void registrar_deinit(struct registrar *r)
{
	ask_deinit(&r->ask);
}

/* The loop's time is scaled; rpcbind's is not. */
static int64_t limit_ns(const struct registrar *r)
{
	return (int64_t)(LIMIT_SECONDS * NS_PER_S * r->ask.loop->speed);
}

static const char *netid_of(const struct registrar_entry *e)
{
	if (e->at.any.sa_family == AF_INET6)
		return e->is_udp ? "udp6" : "tcp6";
	return e->is_udp ? "udp" : "tcp";
}

/* What the last step came to. */
static struct err *err_of_ask(const struct registrar *r)
{
	char at[NET_ADDRESS_TEXT_BYTES], why[ASK_TEXT_BYTES];

	net_address_format(&r->rpcbind, at);
	ask_explain(&r->ask, why);
	if (r->ask.result == ASK_DENIED && r->ask.auth_stat)
		return err_new("rpcbind at %s: %s; it may take registrations only from a port "
			       "below 1024 of its own host: try as root",
			       at, why);
	if (r->ask.result == ASK_REFUSED)
		return err_new("rpcbind at %s: %s: is it running?", at, why);
	return err_new("rpcbind at %s: %s", at, why);
}

static struct err *connect_rpcbind(struct registrar *r)
{
	if (ask_connect(&r->ask, &r->rpcbind, limit_ns(r)) != ASK_OK)
		return err_of_ask(r);
	return NULL;
}

/* SET or UNSET. *done: what rpcbind answers. */
static struct err *change(struct registrar *r, uint32_t procedure, const struct registrar_entry *e,
			  bool *done)
{
	struct xdr_writer *w = ask_begin(&r->ask, PMAP_PROG, RPCBVERS4, procedure);
	const char *netid = netid_of(e);
	char uaddr[NET_ADDRESS_TEXT_BYTES];
	struct portmap_rpcb arg = {.r_prog = e->program, .r_vers = e->version};
	struct cursor results;

	net_address_format_universal(&e->at, uaddr);
	arg.r_netid = (struct xdr_opaque){(const uint8_t *)netid, (uint32_t)strlen(netid),
					  (uint32_t)strlen(netid)};
	arg.r_addr = (struct xdr_opaque){(const uint8_t *)uaddr, (uint32_t)strlen(uaddr),
					 (uint32_t)strlen(uaddr)};
	arg.r_owner = (struct xdr_opaque){(const uint8_t *)"", 0, 0};
	portmap_encode_rpcb(w, &arg);
	if (ask_call(&r->ask, limit_ns(r), &results) != ASK_OK)
		return err_of_ask(r);
	*done = cursor_bool(&results) && cursor_ok(&results);
	return NULL;
}

/* The entry that this one of rpcbind's list is, but for its version; `count`: none. */
static size_t find_place(const struct registrar_entry *entries, size_t count,
			 const struct portmap_rpcb *listed)
{
	size_t i;

	for (i = 0; i < count; i++) {
		char uaddr[NET_ADDRESS_TEXT_BYTES];

		net_address_format_universal(&entries[i].at, uaddr);
		if (entries[i].program == listed->r_prog &&
		    slice_equal(xdr_opaque_slice(listed->r_netid),
				slice_of_string(netid_of(&entries[i]))) &&
		    slice_equal(xdr_opaque_slice(listed->r_addr), slice_of_string(uaddr)))
			break;
	}
	return i;
}

static const char *name_of(const struct registrar_entry *entries, size_t count, uint32_t program)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].program == program)
			return entries[i].name;
	return NULL;
}

static struct err *err_of_foreign(const struct portmap_rpcb *listed, const char *name)
{
	struct slice netid = xdr_opaque_slice(listed->r_netid);
	struct slice uaddr = xdr_opaque_slice(listed->r_addr);

	return err_new("rpcbind has %s (program %u version %u) already, by %.*s at %.*s: stop that "
		       "server, or leave %s out; if it is gone: rpcinfo -d %u %u",
		       name, listed->r_prog, listed->r_vers, (int)netid.len,
		       (const char *)netid.ptr, (int)uaddr.len, (const char *)uaddr.ptr, name,
		       listed->r_prog, listed->r_vers);
}

/*
 * Asks for the list. is_listed[i]: entry i stands in it. Fails when one of the programs stands
 * there elsewhere, unless that may be.
 */
static struct err *look(struct registrar *r, const struct registrar_entry *entries, size_t count,
			bool may_be_elsewhere, bool *is_listed)
{
	struct cursor at;

	ask_begin(&r->ask, PMAP_PROG, RPCBVERS4, RPCBPROC_DUMP);
	if (ask_call(&r->ask, limit_ns(r), &at) != ASK_OK)
		return err_of_ask(r);
	while (cursor_bool(&at)) {
		struct portmap_rpcb listed;
		const char *name;

		portmap_decode_rpcb(&at, &listed);
		if (!cursor_ok(&at))
			break;
		name = name_of(entries, count, listed.r_prog);
		if (name && !may_be_elsewhere && find_place(entries, count, &listed) == count)
			return err_of_foreign(&listed, name);
		for (size_t i = 0; name && i < count; i++)
			if (entries[i].version == listed.r_vers &&
			    find_place(&entries[i], 1, &listed) == 0)
				is_listed[i] = true;
	}
	return cursor_ok(&at) ? NULL : err_new("rpcbind: its list cannot be read");
}

static struct err *add_one(struct registrar *r, const struct registrar_entry *e, bool is_left)
{
	bool done = false;
	struct err *err = is_left ? change(r, RPCBPROC_UNSET, e, &done) : NULL;

	if (!err)
		err = change(r, RPCBPROC_SET, e, &done);
	if (err)
		return err;
	if (!done)
		return err_new("rpcbind does not register %s (program %u version %u, %s)", e->name,
			       e->program, e->version, netid_of(e));
	r->entries[r->len++] = *e;
	return NULL;
}

/*
 * Over the connection that there is. UNSET looks at no address: what has meanwhile become another
 * server's stays.
 */
static struct err *remove_all(struct registrar *r)
{
	bool is_listed[REGISTRAR_ENTRIES_MAX] = {false};
	struct err *first = look(r, r->entries, r->len, true, is_listed);

	for (size_t i = 0; i < r->len && !first; i++) {
		bool done = false;

		if (!is_listed[i])
			continue;
		first = change(r, RPCBPROC_UNSET, &r->entries[i], &done);
		if (!first && !done)
			first = err_new("rpcbind does not take %s (program %u version %u, %s) back",
					r->entries[i].name, r->entries[i].program,
					r->entries[i].version, netid_of(&r->entries[i]));
	}
	r->len = 0;
	return first;
}

struct err *registrar_add(struct registrar *r, const struct registrar_entry *entries, size_t count)
{
	bool is_left[REGISTRAR_ENTRIES_MAX] = {false};
	struct err *err;

	if (count > REGISTRAR_ENTRIES_MAX)
		return err_new("more than %d programs to register", REGISTRAR_ENTRIES_MAX);
	err = connect_rpcbind(r);
	if (!err)
		err = look(r, entries, count, false, is_left);
	for (size_t i = 0; i < count && !err; i++)
		err = add_one(r, &entries[i], is_left[i]);
	if (err)
		err_destroy(remove_all(r));
	ask_close(&r->ask);
	return err;
}

struct err *registrar_remove(struct registrar *r)
{
	struct err *err;

	if (!r->len)
		return NULL;
	/* rpcbind closes connections that are idle. */
	err = connect_rpcbind(r);
	if (!err)
		err = remove_all(r);
	ask_close(&r->ask);
	return err;
}
